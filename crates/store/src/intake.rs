//! Alerts on their way in: what rules and lists say, which case takes them, and whether anybody is to be told.

use std::collections::{BTreeMap, BTreeSet};

use crible_alert::AlertId;
use crible_case::{
    Desk, Facts, Inhibition, Label, Labels, Listed, Listing, Received, Rules, RulesText, Settings, SettingsText,
    Silence, Tag, listing,
};
use crible_core::Timestamp;

use crate::Error;
use crate::store::{Reader, Txn};

/// Kinds of records.
pub mod kind {
    /// Rules: one record, `current`.
    pub const RULES: &str = "rules";
    /// How often each rule held: one record, `current`.
    pub const HITS: &str = "rule_hits";
    /// Accounts and counterparties on lists, by pseudonym.
    pub const LISTED: &str = "listed";
    /// Silences, by number.
    pub const SILENCE: &str = "silence";
    /// Inhibitions, by name.
    pub const INHIBITION: &str = "inhibition";
    /// How alerts become cases: one record, `current`.
    pub const SETTINGS: &str = "settings";
    /// What was told about cases, by number.
    pub const TOLD: &str = "told";
    /// When to look whether people are to be told of a case, by its number.
    pub const NOTICE_DUE: &str = "notice_due";
}

/// The record of which there is one.
pub const CURRENT: &str = "current";

/// Everything that has a say about alerts that come in.
#[derive(Debug)]
pub struct Intake {
    /// How alerts become cases.
    pub settings: Settings,
    rules: Rules,
    lists: Vec<Listed>,
    silences: Vec<(String, Silence)>,
    inhibitions: Vec<(String, Inhibition)>,
}

/// What keeps an alert from being told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// Its account or counterparty is trusted.
    Allowed,
    /// A rule holds it.
    Held(Tag),
    /// A silence.
    Silenced(String),
    /// Another alert, by an inhibition.
    Inhibited {
        /// The inhibition.
        by: String,
        /// The alert.
        alert: AlertId,
    },
    /// It joined a closed case, as whoever closed it said.
    Quiet,
    /// There is nothing new about it.
    Known,
}

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The alert.
    pub alert: AlertId,
    /// Its case.
    pub received: Received,
    /// Why nobody is to be told; `None` where somebody is.
    pub kept: Option<Kept>,
}

impl Reader {
    /// What has a say now.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a record does not read.
    pub async fn intake(&mut self) -> Result<Intake, Error> {
        let (now, settings) = (self.now, self.settings().await?);
        let text: Option<RulesText> = self.record(kind::RULES, CURRENT).await?;
        let rules = Rules::new(&text.unwrap_or_default()).map_err(Error::damaged)?;
        let lists: Vec<(String, Listed)> = self.records(kind::LISTED).await?;
        let lists = lists.into_iter().map(|(_, listed)| listed).collect();
        let mut silences: Vec<(String, Silence)> = self.records(kind::SILENCE).await?;
        silences.retain(|(_, silence)| now < silence.until);
        let inhibitions = self.records(kind::INHIBITION).await?;
        Ok(Intake { settings, rules, lists, silences, inhibitions })
    }

    /// How alerts become cases, as somebody set it.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it does not read.
    pub async fn settings(&mut self) -> Result<Settings, Error> {
        let text: Option<SettingsText> = self.record(kind::SETTINGS, CURRENT).await?;
        text.unwrap_or_default().read().map_err(Error::damaged)
    }
}

impl Intake {
    /// What rules and lists make of an alert: the alert, the tags of its case, the rules that held, and what keeps it.
    fn judge(&self, facts: Facts, now: Timestamp) -> (Facts, Vec<Tag>, Vec<Tag>, Option<Kept>) {
        let verdict = self.rules.judge(&facts, now);
        let names: Vec<&Tag> = self.rules.texts().map(|text| &text.name).collect();
        let hits: Vec<Tag> = verdict.hits.iter().map(|place| names[*place].clone()).collect();
        let severity = verdict.severity.unwrap_or(facts.severity());
        let holder = || verdict.hits.iter().zip(&hits).find(|(place, _)| self.rules.holds(**place));
        let mut kept = if verdict.hold { holder().map(|(_, name)| Kept::Held(name.clone())) } else { None };
        let facts = match listing(&self.lists, &facts, now) {
            // A list is about somebody, a rule about anybody.
            Some(Listing::Block) => {
                kept = None;
                facts.judged(Listing::Block.severity())
            }
            Some(Listing::Allow) => {
                kept = Some(Kept::Allowed);
                facts.judged(Listing::Allow.severity())
            }
            None => facts.judged(severity),
        };
        (facts, verdict.tags, hits, kept)
    }

    fn muted(&self, desk: &Desk, facts: &Facts, now: Timestamp) -> Option<Kept> {
        let labels = Labels::of(facts);
        if let Some((id, _)) = self.silences.iter().find(|(_, silence)| silence.covers(&labels, now)) {
            return Some(Kept::Silenced(id.clone()));
        }
        if self.inhibitions.is_empty() {
            return None;
        }
        let open = desk.cases().filter(|case| case.state().is_some_and(|state| state.is_open()));
        let open: BTreeMap<AlertId, Labels> =
            open.flat_map(|case| desk.facts_of(case.id())).map(|facts| (facts.id(), Labels::of(facts))).collect();
        self.inhibitions.iter().find_map(|(name, inhibition)| {
            let open = open.iter().map(|(alert, labels)| (*alert, labels));
            let alert = inhibition.by(facts.id(), &labels, open)?;
            Some(Kept::Inhibited { by: name.clone(), alert })
        })
    }
}

/// An inhibition that would have to look at every open case.
///
/// # Errors
/// [`Error::Rule`] unless it asks for an equal account, counterparty or ring.
pub fn check_inhibition(inhibition: &Inhibition) -> Result<(), Error> {
    let known = [Label::Account, Label::Counterparty, Label::Ring];
    if inhibition.equal.iter().any(|label| known.contains(label)) {
        return Ok(());
    }
    Err(Error::Rule("an inhibition needs an equal account, counterparty or ring".to_owned()))
}

impl Txn {
    /// Takes alerts in, in this order: judges them by rules and lists, puts them into cases, and says which are not to
    /// be told, and why. Whatever is not told is a case all the same.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn take_in(&mut self, intake: &Intake, alerts: Vec<Facts>) -> Result<Vec<Taken>, Error> {
        let (mut taken, now) = (Vec::with_capacity(alerts.len()), self.now);
        let mut hits: BTreeMap<String, u64> = BTreeMap::new();
        let mut alerts = alerts.into_iter().peekable();
        while alerts.peek().is_some() {
            let part: Vec<Facts> = alerts.by_ref().take(crate::cases::AT_ONCE).collect();
            let cases = self.concerned(&part).await?;
            let mut desk = self.desk(&intake.settings, &cases).await?;
            let mut changed = BTreeSet::new();
            for facts in part {
                let alert = facts.id();
                let (facts, tags, held, mut kept) = intake.judge(facts, now);
                let received = desk.receive_tagged(facts, &tags, now);
                match received {
                    Received::Known(_) => kept = Some(Kept::Known),
                    Received::Quiet(_) => kept = kept.or(Some(Kept::Quiet)),
                    _ => {}
                }
                if kept != Some(Kept::Known) {
                    changed.insert(alert);
                    held.into_iter().for_each(|name| *hits.entry(name.as_str().to_owned()).or_default() += 1);
                }
                if kept.is_none() {
                    kept = desk.facts(alert).and_then(|facts| intake.muted(&desk, facts, now));
                }
                taken.push(Taken { alert, received, kept });
            }
            self.save(&mut desk, &changed).await?;
        }
        if !hits.is_empty() {
            let mut all: BTreeMap<String, u64> = self.record(kind::HITS, CURRENT).await?.unwrap_or_default();
            for (name, count) in hits {
                *all.entry(name).or_default() += count;
            }
            self.keep(kind::HITS, CURRENT, &all).await?;
        }
        Ok(taken)
    }
}
