use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::error::Error as StdError;

use crible_alert::{AlertId, wire};
use crible_case::{CaseId, Facts, NoticeReason};
use crible_core::{Amount, Currency, EntityId, Window};
use crible_notify::config::Config;
use crible_notify::consent::{self, Profile};
use crible_notify::logs::Subject;
use crible_notify::message::{CaseNotice, LastDigits};
use crible_notify::people::{AccountEntry, holders};
use crible_notify::{CaseReason, Person};
use crible_store::{DueNotice, Error, NewDelivery, Reader, Taken, Txn};
use serde::de::DeserializeOwned;

use crate::post::new_delivery;

/// Why it is not known what has to be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// An entry of a log is not what it should be.
    #[error("{subject}: an entry cannot be read: {source}")]
    Entry {
        /// The log.
        subject: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An alert cannot be put into a message.
    #[error("alert {alert}: {source}")]
    Alert {
        /// Which.
        alert: String,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// Takes alerts in and writes what is to be sent, in one transaction: alerts, cases, and deliveries to the bank's own
/// people and to customers who hold the account and agreed to be asked. What rules, lists, silences or inhibitions keep
/// back is a case and no delivery. `merchant` is what the customer knows the other side by, where somebody can tell.
///
/// # Errors
/// The store fails, or an alert cannot be put into a message. Nothing is written unless the transaction is committed.
pub async fn take_in(
    txn: &mut Txn,
    config: &Config,
    alerts: Vec<Facts>,
    merchant: impl Fn(&wire::Alert) -> Option<String>,
) -> Result<Vec<Taken>, PlanError> {
    let intake = txn.intake().await?;
    let mut told: BTreeMap<AlertId, wire::Alert> =
        alerts.iter().map(|facts| (facts.id(), facts.alert().clone())).collect();
    let taken = txn.take_in(&intake, alerts).await?;
    let mut planner = Planner::new(config);
    let (mut deliveries, mut cases) = (Vec::new(), BTreeSet::new());
    for Taken { alert, received, .. } in taken.iter().filter(|taken| taken.kept.is_none()) {
        // An alert that came twice is told once.
        let Some(alert) = told.remove(alert) else { continue };
        cases.insert(received.case());
        deliveries.extend(planner.plan(txn, &alert, received.case(), &merchant).await?);
    }
    txn.enqueue(&deliveries).await?;
    if config.tells_cases() {
        txn.wake(&cases).await?;
    }
    Ok(taken)
}

/// Writes the notices about cases that are due, in one transaction. How many deliveries that makes. With `at_once`, a
/// new case does not wait for what comes with it.
///
/// # Errors
/// The store fails, or a case cannot be put into a message.
pub async fn tell_cases(txn: &mut Txn, config: &Config, at_once: bool) -> Result<u64, PlanError> {
    let settings = txn.settings().await?;
    let mut grouping = settings.notices.clone();
    if at_once {
        grouping.wait = Window(0);
    }
    let mut deliveries = Vec::new();
    for due in txn.notices(&settings, &grouping).await? {
        let id = due.alert.id.to_string();
        let bad = |source: Box<dyn StdError + Send + Sync>| PlanError::Alert { alert: id.clone(), source };
        let account: EntityId = due.alert.account.parse().map_err(|error| bad(Box::new(error)))?;
        let notice = notice(due);
        let drafts = config.for_the_bank_of_a_case(&notice, txn.now()).map_err(|error| bad(Box::new(error)))?;
        deliveries.extend(drafts.into_iter().map(|draft| new_delivery(draft, Some(account))));
    }
    Ok(txn.enqueue(&deliveries).await?)
}

fn notice(due: DueNotice) -> CaseNotice {
    let DueNotice { case, notice, owner, alerts, unseen, summary, alert, .. } = due;
    let money = |(currency, minor): (&Currency, &i128)| {
        let minor = i64::try_from(*minor).unwrap_or(i64::MAX);
        format!("{} {currency}", Amount::new(minor, *currency))
    };
    CaseNotice {
        case: case.0,
        notice: notice.number,
        reason: reason(notice.reason),
        severity: summary.severity,
        owner,
        alerts: alerts as u64,
        unseen: unseen as u64,
        at_risk: summary.at_risk.iter().map(money).collect(),
        alert: Box::new(alert),
    }
}

fn reason(reason: NoticeReason) -> CaseReason {
    match reason {
        NoticeReason::Graver => CaseReason::Graver,
        NoticeReason::More => CaseReason::More,
        NoticeReason::Repeat => CaseReason::Repeat,
        // A kind of reason that is not known here is told as the case itself.
        _ => CaseReason::New,
    }
}

/// Plans deliveries, and remembers whom it has looked up.
struct Planner<'a> {
    config: &'a Config,
    accounts: BTreeMap<EntityId, BTreeMap<Person, Option<LastDigits>>>,
    people: BTreeMap<Person, Profile>,
}

impl<'a> Planner<'a> {
    fn new(config: &'a Config) -> Self {
        Self { config, accounts: BTreeMap::new(), people: BTreeMap::new() }
    }

    async fn plan(
        &mut self,
        reader: &mut Reader,
        alert: &wire::Alert,
        case: CaseId,
        merchant: impl Fn(&wire::Alert) -> Option<String>,
    ) -> Result<Vec<NewDelivery>, PlanError> {
        let (config, now) = (self.config, reader.now());
        let bad = |source: Box<dyn StdError + Send + Sync>| PlanError::Alert { alert: alert.id.to_string(), source };
        let account: EntityId = alert.account.parse().map_err(|error| bad(Box::new(error)))?;
        let mut drafts = config.for_the_bank(alert, Some(case.0), now).map_err(|error| bad(Box::new(error)))?;
        if config.asks_customers() {
            if let Entry::Vacant(place) = self.accounts.entry(account) {
                let log: Vec<AccountEntry> = entries(reader, &Subject::Account(account)).await?;
                place.insert(holders(&log));
            }
            for (person, digits) in &self.accounts[&account] {
                if let Entry::Vacant(place) = self.people.entry(*person) {
                    let log: Vec<consent::Entry> = entries(reader, &Subject::Person(*person)).await?;
                    place.insert(Profile::of(&log));
                }
                let profile = &self.people[person];
                let asked = config.for_a_customer(alert, *person, profile, digits.clone(), merchant(alert), now);
                drafts.extend(asked.map_err(bad)?);
            }
        }
        Ok(drafts.into_iter().map(|draft| new_delivery(draft, Some(account))).collect())
    }
}

async fn entries<T: DeserializeOwned>(reader: &mut Reader, subject: &Subject) -> Result<Vec<T>, PlanError> {
    let subject = subject.to_string();
    let stored = reader.stream(&subject).await?;
    let bodies = stored.iter().filter_map(|entry| entry.body.as_deref());
    let read = bodies.map(serde_json::from_str).collect::<Result<_, _>>();
    read.map_err(|source| PlanError::Entry { subject, source })
}
