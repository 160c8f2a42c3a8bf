//! What the commands on a store take: cases, alerts, silences, lists, rules, the audit log, backups.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use crible_alert::{AlertId, Severity};
use crible_case::{CaseId, Disposition, Label, Matcher, OperationId, Status, Tag, Text, User};
use crible_core::{EntityId, Timestamp, Window};

use crate::args::ReadArgs;
use crate::notify::NotifyArgs;

/// Where cases are kept.
#[derive(Debug, ClapArgs)]
pub(crate) struct StoreArgs {
    /// Where cases are kept: a file, or postgres://USER@HOST/DATABASE (or CRIBLE_STORE in the environment)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The file with the store's key (or CRIBLE_STORE_KEY in the environment). Of a store in a file it is FILE.key
    /// unless given
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) store_key: Option<PathBuf>,
}

/// Who acts.
#[derive(Debug, ClapArgs)]
pub(crate) struct ByArgs {
    /// Who does it (or CRIBLE_USER in the environment); the name of the account on this machine unless given
    #[arg(long, value_name = "USER")]
    pub(crate) by: Option<User>,
}

/// Which cases, and who acts.
#[derive(Debug, ClapArgs)]
pub(crate) struct OnCases {
    /// Numbers of cases. Of several, those that others work on are left alone
    #[arg(required = true, value_name = "CASE", value_parser = case)]
    pub(crate) cases: Vec<CaseId>,
    #[command(flatten)]
    pub(crate) by: ByArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CasesArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: CasesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CasesCommand {
    /// List cases, the gravest first
    List(ListArgs),
    /// Show a case: its alerts with their reasons, and everything that happened to it
    Show {
        /// The case's number
        #[arg(value_name = "CASE", value_parser = case)]
        case: CaseId,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Give cases to somebody
    Assign {
        #[command(flatten)]
        on: OnCases,
        /// To whom; to whoever does it unless given
        #[arg(long, value_name = "USER", conflicts_with = "release")]
        to: Option<User>,
        /// To nobody
        #[arg(long)]
        release: bool,
    },
    /// Put cases aside
    Wait {
        #[command(flatten)]
        on: OnCases,
        /// Until when, RFC 3339
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },
    /// Go on with what was put aside
    Resume(OnCases),
    /// Close cases, or propose to where that takes two people
    Close {
        #[command(flatten)]
        on: OnCases,
        /// What they turned out to be: fraud, legitimate, inconclusive or duplicate
        #[arg(long = "as", value_name = "DISPOSITION", value_parser = disposition)]
        disposition: Disposition,
        /// Why
        #[arg(long, value_name = "TEXT")]
        note: Option<Text>,
        /// For so long alerts of their accounts join the closed cases, such as 7d; by default the next one opens a case
        #[arg(long, value_name = "TIME")]
        quiet_for: Option<Window>,
    },
    /// Close a case as somebody else proposed
    Confirm(OnCases),
    /// Do away with a proposal
    Reject(OnCases),
    /// Open closed cases again
    Reopen(OnCases),
    /// Write something about cases
    Note {
        /// What
        text: Text,
        #[command(flatten)]
        on: OnCases,
    },
    /// Say by when cases have to be done
    Due {
        #[command(flatten)]
        on: OnCases,
        /// By when, RFC 3339; no date unless given
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// Make cases be found by a word, or no longer
    Tag {
        /// The word
        tag: Tag,
        #[command(flatten)]
        on: OnCases,
        /// Take it off
        #[arg(long)]
        off: bool,
    },
    /// Make a case of its own of some of a case's alerts
    Split {
        /// The case's number
        #[arg(value_name = "CASE", value_parser = case)]
        case: CaseId,
        /// The alerts
        #[arg(required = true, value_name = "ALERT")]
        alerts: Vec<AlertId>,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Move all alerts of a case to another
    Merge {
        /// The case's number
        #[arg(value_name = "CASE", value_parser = case)]
        case: CaseId,
        /// Where they go
        #[arg(long, value_name = "CASE", value_parser = case)]
        into: CaseId,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Take back what a person last did to a case; an undo is taken back alike
    Undo {
        /// The case's number
        #[arg(value_name = "CASE", value_parser = case, required_unless_present_any = ["operation", "bulk"])]
        case: Option<CaseId>,
        /// This operation instead
        #[arg(long, value_name = "N", value_parser = operation, conflicts_with = "bulk")]
        operation: Option<OperationId>,
        /// Everything that was done at once, by its first operation
        #[arg(long, value_name = "N", value_parser = operation)]
        bulk: Option<OperationId>,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Say what cases told about transactions: JSON, one label a line
    Labels,
    /// Set how alerts become cases, by a TOML file; without one, show what is set
    Settings {
        /// The file
        file: Option<PathBuf>,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Erase an account or a person for good, by their pseudonym
    Erase {
        /// The pseudonym, 16 hexadecimal digits
        pseudonym: EntityId,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Remove cases that are done for longer than this, with their alerts
    Purge {
        /// How long, such as 400d
        #[arg(long, value_name = "TIME")]
        older_than: Window,
        #[command(flatten)]
        by: ByArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListArgs {
    /// Closed and merged ones as well
    #[arg(long)]
    pub(crate) all: bool,
    /// Only of this status: open, assigned, waiting, closed or merged
    #[arg(long, value_parser = status)]
    pub(crate) status: Option<Status>,
    /// Only of this owner
    #[arg(long, value_name = "USER")]
    pub(crate) owner: Option<User>,
    /// Only of this severity and graver: low, medium, high or critical
    #[arg(long)]
    pub(crate) severity: Option<Severity>,
    /// Only with this word
    #[arg(long)]
    pub(crate) tag: Option<Tag>,
    /// Only what is due by now
    #[arg(long)]
    pub(crate) overdue: bool,
    /// So many at most
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    /// Leave out the first ones
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) skip: u32,
    /// Write JSON, one case a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// The page
    #[arg(value_name = "OUT.html")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Its heading [default: Fraud cases]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Closed and merged cases as well
    #[arg(long)]
    pub(crate) all: bool,
    /// Only of this severity and graver ones: low, medium, high or critical
    #[arg(long)]
    pub(crate) severity: Option<Severity>,
    /// Only with this word
    #[arg(long)]
    pub(crate) tag: Option<Tag>,
    /// So many cases at most, the gravest first
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(crate) limit: u32,
    /// Show accounts and counterparties as these exports name them, not as pseudonyms; with the key that they were scored with
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AlertsArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: AlertsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List alerts, the latest first, one a line as `crible score` writes them
    List {
        /// So many at most
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
        /// Leave out the first ones
        #[arg(long, default_value_t = 0, value_name = "N")]
        skip: u32,
    },
    /// Show an alert, and say which case has it
    Show {
        /// The alert's reference, 32 hexadecimal digits
        alert: AlertId,
    },
    /// Take in alerts from files of JSON, one a line
    Import {
        /// The files; - for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        notify: NotifyArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SilenceArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: SilenceCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SilenceCommand {
    /// For a time, tell nobody about some alerts; they become cases all the same
    Add {
        /// Which alerts: LABEL=VALUE, several with commas between. Labels are account, counterparty, ring, currency,
        /// severity, looks_like and feed
        matcher: Matcher,
        /// For how long, such as 2h
        #[arg(long = "for", value_name = "TIME")]
        length: Window,
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: Text,
        #[command(flatten)]
        by: ByArgs,
    },
    /// List silences that have not ended
    List,
    /// End a silence now
    End {
        /// Its number
        silence: u64,
        #[command(flatten)]
        by: ByArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InhibitArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: InhibitCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InhibitCommand {
    /// While there is an alert of one kind in an open case, tell nobody about those of another that agree with it
    Set {
        /// A name for it; one that has it is replaced
        name: Tag,
        /// What keeps back, such as severity=critical: LABEL=VALUE, several with commas between
        #[arg(long, value_name = "MATCHER")]
        source: Matcher,
        /// What is kept back, such as severity=medium
        #[arg(long, value_name = "MATCHER")]
        target: Matcher,
        /// Labels that both must have, with the same values; account, counterparty or ring must be among them
        #[arg(long, value_name = "LABELS", value_delimiter = ',', required = true, value_parser = label)]
        equal: Vec<Label>,
        #[command(flatten)]
        by: ByArgs,
    },
    /// List them
    List,
    /// Remove one
    Remove {
        /// Its name
        name: Tag,
        #[command(flatten)]
        by: ByArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListsArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: ListsCommand,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListedArgs {
    /// The account's or counterparty's pseudonym, 16 hexadecimal digits
    pub(crate) pseudonym: EntityId,
    /// For how long, such as 30d; until it is removed unless given
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) length: Option<Window>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Text,
    #[command(flatten)]
    pub(crate) by: ByArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ListsCommand {
    /// Trust an account or a counterparty: its alerts are of severity low, and nobody is told
    Allow(ListedArgs),
    /// Distrust it: its alerts are critical
    Block(ListedArgs),
    /// Show who is on which list
    Show,
    /// Take somebody off the list
    Remove {
        /// The pseudonym
        pseudonym: EntityId,
        #[command(flatten)]
        by: ByArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RulesArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check a file of rules, and say what they would have done to the alerts there are; changes nothing
    Test {
        /// The file, TOML
        file: PathBuf,
    },
    /// Let these rules, and no others, judge alerts from now on
    Load {
        /// The file, TOML
        file: PathBuf,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Show the rules, and how often each held
    Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Say whether every entry of the audit log is the one that was written: exit status 0 if so, 1 if not
    Verify,
    /// Write the entries of the audit log: JSON, one a line
    List {
        /// Those after this one
        #[arg(long, default_value_t = 0, value_name = "N")]
        after: i64,
        /// So many at most
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The file to write, JSON lines; it must not be there
    pub(crate) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The backup
    pub(crate) file: PathBuf,
}

fn number(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is no number from 1 on"))
}

fn case(text: &str) -> Result<CaseId, String> {
    number(text).map(CaseId)
}

fn operation(text: &str) -> Result<OperationId, String> {
    number(text).map(OperationId)
}

fn disposition(text: &str) -> Result<Disposition, String> {
    let known = Disposition::ALL.into_iter().find(|known| known.as_str() == text);
    known.ok_or_else(|| "expected fraud, legitimate, inconclusive or duplicate".to_owned())
}

fn status(text: &str) -> Result<Status, String> {
    let all = [Status::Open, Status::Assigned, Status::Waiting, Status::Closed, Status::Merged];
    let known = all.into_iter().find(|known| known.as_str() == text);
    known.ok_or_else(|| "expected open, assigned, waiting, closed or merged".to_owned())
}

fn label(text: &str) -> Result<Label, String> {
    let known: Vec<&str> = Label::ALL.iter().map(|label| label.as_str()).collect();
    let found = Label::ALL.into_iter().find(|label| label.as_str() == text);
    found.ok_or_else(|| format!("expected one of {}", known.join(", ")))
}
