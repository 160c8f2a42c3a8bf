//! Who is trusted and who is not, until when.

use crible_alert::Severity;
use crible_core::{EntityId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Facts, Text, User};

/// What being on a list does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// Alerts are of severity low, and nobody is told.
    Allow,
    /// Alerts are of severity critical.
    Block,
}

impl Listing {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
        }
    }
}

/// An account or a counterparty on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Who.
    pub entity: EntityId,
    /// What it does.
    pub listing: Listing,
    /// Until when; `None` for as long as nobody removes it.
    pub until: Option<Timestamp>,
    /// Who says so.
    pub by: User,
    /// Why.
    pub why: Text,
}

impl Listed {
    /// Whether it holds for an alert at a time.
    pub fn covers(&self, facts: &Facts, now: Timestamp) -> bool {
        let is_it = facts.account() == self.entity || facts.counterparty() == Some(self.entity);
        is_it && self.until.is_none_or(|until| now < until)
    }
}

/// What lists say about an alert: who is blocked stays blocked, whoever else is trusted.
pub fn listing<'a>(lists: impl IntoIterator<Item = &'a Listed>, facts: &Facts, now: Timestamp) -> Option<Listing> {
    lists.into_iter().filter(|listed| listed.covers(facts, now)).map(|listed| listed.listing).max()
}

impl Listing {
    /// The severity that it gives an alert.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Allow => Severity::Low,
            Self::Block => Severity::Critical,
        }
    }
}
