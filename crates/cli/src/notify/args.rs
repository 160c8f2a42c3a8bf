//! What `crible consent` and `crible deliver` take.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args as ClapArgs, Subcommand};
use crible_core::{Amount, Currency, EntityId, Timestamp};
use crible_notify::{ChannelName, Language, Medium, Person, Purpose, Source};

use crate::args::StoreArgs;

/// Who is told, and how.
#[derive(Debug, ClapArgs)]
pub(crate) struct NotifyArgs {
    /// Settings of channels and texts (or CRIBLE_NOTIFY in the environment): see docs/alerts.md
    #[arg(long, value_name = "FILE")]
    pub(crate) notify: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DeliverArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) notify: NotifyArgs,
    /// Go on until stopped, and answer what people write where the settings have a door for it
    #[arg(long, conflicts_with_all = ["list", "again", "enable"])]
    pub(crate) watch: bool,
    /// List deliveries instead, the latest first: pending, sent, dead or withheld ones
    #[arg(long, value_name = "STATE", conflicts_with_all = ["again", "enable"])]
    pub(crate) list: Option<ListedState>,
    /// How many are listed
    #[arg(long, value_name = "N", default_value_t = 50, requires = "list")]
    pub(crate) limit: u32,
    /// Send dead deliveries again, by their numbers
    #[arg(long, value_name = "NUMBER", num_args = 1.., conflicts_with = "enable")]
    pub(crate) again: Vec<i64>,
    /// Use a channel again that was disabled
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) enable: Option<ChannelName>,
}

/// States that are listed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum ListedState {
    Pending,
    Sent,
    Dead,
    Withheld,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ConsentArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(subcommand)]
    pub(crate) command: ConsentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Show what a person agreed to, and everything that led to it
    Show {
        /// The person's pseudonym
        person: Person,
        /// Write JSON, one entry a line
        #[arg(long)]
        json: bool,
    },
    /// A person agrees to be reached this way for this purpose
    OptIn {
        /// The person's pseudonym
        person: Person,
        /// sms, whatsapp, messenger or email
        #[arg(long)]
        medium: Medium,
        /// fraud_alert or balance
        #[arg(long)]
        purpose: Purpose,
        /// How the bank knows: form, app, branch, phone or import
        #[arg(long)]
        source: Source,
    },
    /// A person no longer agrees
    Withdraw {
        /// The person's pseudonym
        person: Person,
        /// sms, whatsapp, messenger or email; all unless given
        #[arg(long)]
        medium: Option<Medium>,
        /// fraud_alert or balance; both unless given
        #[arg(long)]
        purpose: Option<Purpose>,
        /// How the bank knows: form, app, branch, phone or import
        #[arg(long)]
        source: Source,
    },
    /// A person is reached at the address on standard input
    Address {
        /// The person's pseudonym
        person: Person,
        /// sms, whatsapp, messenger or email
        #[arg(long)]
        medium: Medium,
        /// How the bank knows: form, app, branch, phone or import
        #[arg(long)]
        source: Source,
    },
    /// Make a one-time code, with which a person links the address that they write it from
    Code {
        /// The person's pseudonym
        person: Person,
    },
    /// A person holds an account, or no longer does
    Account {
        /// The person's pseudonym
        person: Person,
        /// The account's pseudonym, as in alerts
        account: EntityId,
        /// Its last two to four digits
        #[arg(long, conflicts_with = "gave_up")]
        digits: Option<String>,
        /// They no longer hold it
        #[arg(long)]
        gave_up: bool,
    },
    /// A person reads this language, and lives in this time zone
    Person {
        /// The person's pseudonym
        person: Person,
        /// Such as en, fr or fr-ca
        #[arg(long, required_unless_present = "zone")]
        language: Option<Language>,
        /// Such as Europe/Paris
        #[arg(long)]
        zone: Option<Tz>,
    },
    /// What is on an account
    Balance {
        /// The account's pseudonym, as in alerts
        account: EntityId,
        /// How much, and its currency, such as `-12.50 EUR`
        #[arg(value_parser = amount, allow_hyphen_values = true)]
        amount: Amount,
        /// When, RFC 3339
        #[arg(long, value_name = "TIME")]
        at: Timestamp,
        /// Its last two to four digits
        #[arg(long)]
        digits: Option<String>,
    },
}

fn amount(text: &str) -> Result<Amount, String> {
    let expected = || format!("`{}`: expected a number and a currency, such as 12.50 EUR", text.escape_default());
    let (number, currency) = text.trim().split_once(' ').ok_or_else(expected)?;
    let currency: Currency = currency.trim().parse().map_err(|_| expected())?;
    Amount::parse(number, currency).map_err(|error| error.to_string())
}
