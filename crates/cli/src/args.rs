mod desk;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, Parser, Subcommand};
use crible::DetectorSpec;
use crible_alert::{Budget, Severity};
use crible_core::{Timestamp, Window};
use crible_eval::simulate::Scenario;
use crible_run::{Learning, Rule};

use crate::notify::{ConsentArgs, DeliverArgs, NotifyArgs};
pub(crate) use desk::{
    AlertsArgs, AlertsCommand, AuditArgs, AuditCommand, BackupArgs, ByArgs, CasesArgs, CasesCommand, InhibitArgs,
    InhibitCommand, ListArgs, ListedArgs, ListsArgs, ListsCommand, OnCases, ReportArgs, RestoreArgs, RulesArgs,
    RulesCommand, SilenceArgs, SilenceCommand, StoreArgs,
};

/// Sifts transactions: reads exports of banks, wallets and card feeds, learns what is usual without labels, and ranks
/// the few that deserve a look, each with its reasons.
#[derive(Debug, Parser)]
#[command(name = "crible", version, max_term_width = 110)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Score transaction exports and write ranked, explained alerts
    Score(ScoreArgs),
    /// Simulate a small labelled population, score it, and print the top alerts with their reasons
    Demo(DemoArgs),
    /// Write simulated transactions, labelled, of any size
    Simulate(SimulateArgs),
    /// Say how strange each row of a table of numbers and words is
    Detect(DetectArgs),
    /// Compare detectors on labelled tables
    Bench(BenchArgs),
    /// List the feeds that are read, show one, check what a file is taken for, or draft a preset
    Feeds(FeedsArgs),
    /// Find out whom pseudonyms stand for, by reading the files they were made of with the key they were made with
    Reveal(RevealArgs),
    /// Write which pseudonym of an older key is which of the newer, by reading the files with both
    Rekey(RekeyArgs),
    /// Work on the cases that alerts became: list, show, assign, close, undo and more
    Cases(CasesArgs),
    /// List the alerts of a store, show one, or take in alerts from files
    Alerts(AlertsArgs),
    /// For a time, tell nobody about some alerts
    Silence(SilenceArgs),
    /// Tell nobody about alerts while there are graver ones of the same account
    Inhibit(InhibitArgs),
    /// Say which accounts and counterparties are trusted, and which are not
    Lists(ListsArgs),
    /// Check, try and set rules that raise, lower, hold or tag alerts
    Rules(RulesArgs),
    /// Keep what people agreed to, where they are reached and what they hold
    Consent(ConsentArgs),
    /// Send what is due to those it is for, and answer what they write
    Deliver(DeliverArgs),
    /// Write the cases of a store as one page of HTML that needs no script
    Report(ReportArgs),
    /// Verify the audit log of a store, or write it out
    Audit(AuditArgs),
    /// Write a store to a file that any later version reads
    Backup(BackupArgs),
    /// Make a store of a backup
    Restore(RestoreArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ScoreArgs {
    /// Transaction exports: CSV, XLSX, JSON, Parquet, Arrow or statements (see `crible feeds`), plain, gzip, zstd or within
    /// zip; folders, patterns, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// How many alerts somebody can look at in a day
    #[arg(long, default_value = "100/day", value_name = "N/day")]
    pub(crate) budget: Budget,
    /// Alert on this severity and graver ones, whatever share of them may be false: low, medium, high or critical. Unless given, on
    /// medium and graver ones, as many as leave an expected one in four false, and beyond them one a day for 200 accounts
    #[arg(long, value_name = "SEVERITY", conflicts_with = "all")]
    pub(crate) min_severity: Option<Severity>,
    /// Fill the budget of every day with its strangest transactions, ordinary ones included, one for each account
    #[arg(long)]
    pub(crate) all: bool,
    /// Where alerts go: a folder, or a file ending in .jsonl, .csv or .parquet; standard output unless given
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write every transaction's scores to this file, .parquet or .csv
    #[arg(long, value_name = "FILE")]
    pub(crate) scores: Option<PathBuf>,
    /// Write to this file, week by week, how many transactions scored as high as ordinary ones do once in 10, 100,
    /// 1,000 and 10,000, and how many were to be expected: JSON if it ends in .json, a table otherwise
    #[arg(long, value_name = "FILE")]
    pub(crate) drift: Option<PathBuf>,
    /// Write rejected rows to this file; beside the alerts, or crible-rejects.csv, unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Read the files as a stream, N rows of them held at a time beside what is kept of each account's last 30 days and each counterparty's last 90; what
    /// is more than 512 MiB of text is read so anyway, with 2,097,152 rows held. Results are the same, but for rows too far
    /// out of order, which are rejected, and for the order of --scores, which is that of time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) hold: Option<u32>,
    /// Where alerts become cases
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) notify: NotifyArgs,
    #[command(flatten)]
    pub(crate) learn: LearnArgs,
}

impl ScoreArgs {
    /// Which alerts are shown.
    pub(crate) fn rule(&self) -> Rule {
        match self.min_severity {
            _ if self.all => Rule::All,
            Some(severity) => Rule::AtLeast(severity),
            None => Rule::Earned,
        }
    }
}

/// How to read, for every command that reads files of transactions.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ReadArgs {
    /// Read the files as this feed instead of recognising them (see `crible feeds`)
    #[arg(long, value_name = "NAME", conflicts_with = "map")]
    pub(crate) feed: Option<String>,
    /// Name the columns of an unknown feed, `account=COL,amount=COL,time=COL,…`, or a TOML file that does
    #[arg(long, value_name = "MAP")]
    pub(crate) map: Option<String>,
    /// The account of files that name none: this name for all of them, or @folder for the name of each one's folder. By default
    /// it is the file's name without dates, periods and numbers of copies
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// A folder of further presets (or CRIBLE_PRESETS in the environment)
    #[arg(long, value_name = "DIR")]
    pub(crate) presets: Option<PathBuf>,
    /// A file with the key that account and card numbers are pseudonymised with (or CRIBLE_KEY in the environment)
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

/// How to learn, for every command that scores.
#[derive(Debug, ClapArgs)]
pub(crate) struct LearnArgs {
    /// A TOML file that says which detectors see which columns over which windows, within how much memory; options beside it win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Detectors to run, each NAME or NAME:PARAMETER=VALUE [default: views]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) detectors: Option<Vec<DetectorSpec>>,
    /// Learn from transactions before this date alone (UTC, YYYY-MM-DD); all are scored
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) fit_until: Option<Timestamp>,
    /// The first days of a file are for learning: their alerts are of severity low. So long at most, such as 7d, and no longer than a
    /// quarter of the file [default: 14d]
    #[arg(long, value_name = "TIME")]
    pub(crate) warm_up: Option<Window>,
    /// Seed of everything drawn by chance [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Threads to use; one for each core unless given. No result depends on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

impl LearnArgs {
    /// What learns.
    pub(crate) fn builder(&self) -> Result<crible::Builder> {
        let named = || self.config.iter().map(|path| path.display().to_string()).collect::<String>();
        let config = self.config.as_ref().map(std::fs::read_to_string).transpose().with_context(named)?;
        let Self { detectors, warm_up, seed, .. } = self;
        let learning = Learning { config, detectors: detectors.clone(), warm_up: *warm_up, seed: *seed };
        match self.config {
            Some(_) => learning.builder().with_context(named),
            None => Ok(learning.builder()?),
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DemoArgs {
    /// Accounts to simulate
    #[arg(long, default_value_t = 400, value_name = "N")]
    pub(crate) accounts: u32,
    /// Days to simulate
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub(crate) days: u32,
    /// Frauds to simulate, by name (see `crible help simulate`)
    #[arg(long = "scenario", value_name = "NAME", value_delimiter = ',')]
    pub(crate) scenarios: Vec<Scenario>,
    /// How many alerts to print
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) top: usize,
    /// Seed of the population and the model
    #[arg(long, default_value_t = 7, value_name = "N")]
    pub(crate) seed: u64,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// Accounts
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(crate) accounts: u32,
    /// Days
    #[arg(long, default_value_t = 90, value_name = "N")]
    pub(crate) days: u32,
    /// First day (UTC, YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) start: Option<Timestamp>,
    /// Share of transactions that are fraud
    #[arg(long, default_value_t = 0.005, value_name = "SHARE")]
    pub(crate) fraud_rate: f64,
    /// Frauds to simulate, by name: stolen_card, account_takeover, card_testing, amount_inflation, compromised_merchant
    /// (these five unless given), device_farm, authorised_push_payment, refund_abuse, bust_out. With one of the last
    /// four the population has devices, new customers, and ordinary behaviour that looks like that fraud
    #[arg(long = "scenario", value_name = "NAME", value_delimiter = ',')]
    pub(crate) scenarios: Vec<Scenario>,
    /// Seed: the same seed gives the same transactions on every machine
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) seed: u64,
    /// File to write, CSV; standard output unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct FeedsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<FeedsCommand>,
    /// Show this feed in full, instead of listing all
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print its preset as TOML, to start one of your own from
    #[arg(long, requires = "name")]
    pub(crate) toml: bool,
    /// A folder of further presets (or CRIBLE_PRESETS in the environment)
    #[arg(long, value_name = "DIR")]
    pub(crate) presets: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FeedsCommand {
    /// Say what files are taken for, how their columns are read, and which rows would be rejected: exit status 0 when all is
    /// well, 1 when rows would be rejected, 2 when a file cannot be read
    Check(CheckArgs),
    /// Draft a preset from a file: each guess with its reason, what cannot be decided marked
    New(NewArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    /// Transaction exports
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// How many rows to show of each file
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) rows: usize,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show accounts and counterparties as the file has them, on this terminal only
    #[arg(long, conflicts_with = "json")]
    pub(crate) plain: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NewArgs {
    /// A file of the feed
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The preset's name; made of the file's unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where the preset goes; standard output unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DetectArgs {
    /// A table: Parquet, CSV with a header, or a NumPy archive with an array `X`. A column `label` is never an input
    pub(crate) table: PathBuf,
    /// Detectors to run, each NAME or NAME:PARAMETER=VALUE; of several also the ensemble
    #[arg(long = "detector", value_name = "LIST", value_delimiter = ',', default_value = "ensemble")]
    pub(crate) detectors: Vec<DetectorSpec>,
    /// Learn from this table instead of the one that is scored
    #[arg(long, value_name = "TABLE")]
    pub(crate) fit: Option<PathBuf>,
    /// Where `row`, `score` and `tail` go: a file ending in .parquet or .csv; standard output unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Name the columns that contribute most to each score, so many
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) explain: u8,
    /// Seed of everything drawn by chance
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) seed: u64,
    /// Threads to use; one for each core unless given. No result depends on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BenchArgs {
    /// Tables with a column `label` (Parquet, CSV, NumPy archives with `X` and `y`), or folders of them; with
    /// --transactions folders of labelled sets of transactions with a manifest.json
    #[arg(required_unless_present = "transactions", value_name = "DIR|FILE")]
    pub(crate) tables: Vec<PathBuf>,
    /// Measure the scoring of transactions instead: learned before a day, judged after it, on the sets of the folders
    /// and on simulated populations with lookalikes
    #[arg(long, conflicts_with_all = ["detectors", "plot", "halves"])]
    pub(crate) transactions: bool,
    /// Of these sets alone
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "transactions")]
    pub(crate) sets: Vec<String>,
    /// Once more without this view, one after the other where several are named; `each` for all
    #[arg(long, value_name = "VIEW", value_delimiter = ',', requires = "transactions")]
    pub(crate) without: Vec<String>,
    /// Print so many alerts of each set as a person reads them, without accounts, payees and rows
    #[arg(long, default_value_t = 0, value_name = "N", requires = "transactions")]
    pub(crate) alerts: usize,
    /// Split the tables at random into two halves, so often: the detector with the best average precision on one half
    /// is judged on the other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) halves: Option<u32>,
    /// Detectors to compare, each NAME or NAME:PARAMETER=VALUE; by default all there are
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) detectors: Vec<DetectorSpec>,
    /// Runs of each detector on each table, with seeds from 0 on; figures are their means
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// Write all figures to this file, JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw them into this folder, SVG
    #[arg(long, value_name = "DIR")]
    pub(crate) plot: Option<PathBuf>,
    /// Threads to use; one for each core unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

/// Files, and how to read them, where pseudonyms are looked up.
#[derive(Debug, ClapArgs)]
pub(crate) struct SourceArgs {
    /// The transaction exports
    #[arg(long = "in", required = true, num_args = 1.., value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RevealArgs {
    /// Pseudonyms of accounts and counterparties (16 hexadecimal digits), or references of transactions (32)
    #[arg(required = true, value_name = "PSEUDONYM")]
    pub(crate) pseudonyms: Vec<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RekeyArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Name of the older key in the key file; the one before the newest unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) from: Option<String>,
    /// Name of the newer key in the key file; the newest unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,
    /// File to write, CSV; standard output unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

fn date(text: &str) -> Result<Timestamp, String> {
    let fault = || format!("`{text}` is not a date: expected year-month-day, such as 2018-08-08");
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u32>().ok()
    };
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
        return Err(fault());
    };
    Timestamp::from_civil(year as i32, month, day, 0, 0, 0, 0).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn dates_are_read_or_refused() {
        assert_eq!(date("2018-08-08"), Ok(Timestamp::from_seconds(1_533_686_400)));
        for bad in ["2018-02-30", "2018-8-8", "08/08/2018", "2018-08-08T00:00", "", "2018-08", "-001-01-01"] {
            assert!(date(bad).is_err_and(|e| e.contains(bad)), "{bad}");
        }
    }
}
