use std::fmt;

use crible_alert::AlertId;
use crible_core::{EntityId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Actor, CaseId, Facts, OperationId, Tag, Text, User};

/// One thing that happened, at once in all the cases it touches. Events are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place among all events.
    pub operation: OperationId,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The first operation of the bulk action it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bulk: Option<OperationId>,
    /// The operation that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<OperationId>,
    /// The cases it touches, in ascending order. Those of an undo are those of what it takes back, and more.
    pub cases: Vec<CaseId>,
    /// What it changes.
    pub changes: Vec<Change>,
}

/// What an event says about a person. It is kept apart from the rest of the event, so that it can be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Personal {
    /// What the alert was about that opened a case.
    Subject(Subject),
    /// What was written about a case.
    Text(Text),
}

impl Event {
    /// Takes out what it says about persons, each with its place among the changes.
    pub fn take_personal(&mut self) -> Vec<(usize, Personal)> {
        let changes = self.changes.iter_mut().enumerate();
        changes
            .filter_map(|(place, change)| match &mut change.what {
                What::Opened { subject, .. } => Some((place, Personal::Subject(subject.take()?))),
                What::Noted { text } => Some((place, Personal::Text(text.take()?))),
                _ => None,
            })
            .collect()
    }

    /// Puts it back. What does not fit the change at its place is left out.
    pub fn put_personal(&mut self, place: usize, personal: Personal) {
        match (self.changes.get_mut(place).map(|change| &mut change.what), personal) {
            (Some(What::Opened { subject, .. }), Personal::Subject(put)) => *subject = Some(put),
            (Some(What::Noted { text }), Personal::Text(put)) => *text = Some(put),
            _ => {}
        }
    }
}

/// What an event changes in one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The case.
    pub case: CaseId,
    /// What changes.
    pub what: What,
}

/// A change of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// The case begins.
    Opened {
        /// What the first alert is about; `None` once that was erased.
        subject: Option<Subject>,
        /// Where it comes from.
        origin: Origin,
        /// Its alerts.
        alerts: Vec<AlertId>,
        /// When it is due.
        due: Option<Timestamp>,
        /// Closing it takes a second person, whatever it holds now.
        must_confirm: bool,
    },
    /// Alerts come in.
    Joined {
        /// Which.
        alerts: Vec<AlertId>,
    },
    /// Alerts go to another case.
    Left {
        /// Which.
        alerts: Vec<AlertId>,
    },
    /// An alert of the case came again with other content.
    Updated {
        /// Which.
        alert: AlertId,
        /// Whether it is more serious than before.
        graver: bool,
    },
    /// The owner changes.
    Owned {
        /// To whom; nobody if `None`.
        by: Option<User>,
    },
    /// Nothing can be done for now.
    Waiting {
        /// Until when, if that is known.
        until: Option<Timestamp>,
    },
    /// Work goes on.
    Resumed,
    /// Somebody wants to close a case that takes two.
    Proposed {
        /// How.
        closing: Closing,
    },
    /// The second person said no, or the first thought again.
    Rejected,
    /// The case is closed.
    Closed {
        /// How.
        closing: Closing,
        /// The second person.
        confirmed: Option<User>,
    },
    /// The case is opened again.
    Reopened,
    /// Something was written.
    Noted {
        /// What; `None` once it was erased.
        text: Option<Text>,
    },
    /// The date changes by which it has to be done.
    Due {
        /// To when.
        at: Option<Timestamp>,
    },
    /// It can be found by a word.
    Tagged {
        /// Which.
        tag: Tag,
    },
    /// It can no longer be found by it.
    Untagged {
        /// Which.
        tag: Tag,
    },
    /// All its alerts went to another case, and its story goes on there.
    Merged {
        /// Which.
        into: CaseId,
    },
    /// From now on closing it takes a second person, because a case that did was merged into it.
    MustConfirm,
    /// The customer answered whether a payment was theirs.
    Answered {
        /// The alert they were asked about.
        alert: AlertId,
        /// Whether it was.
        theirs: bool,
    },
}

impl What {
    /// The alerts that it speaks of.
    pub fn alerts(&self) -> &[AlertId] {
        match self {
            Self::Opened { alerts, .. } | Self::Joined { alerts } | Self::Left { alerts } => alerts,
            Self::Updated { alert, .. } | Self::Answered { alert, .. } => std::slice::from_ref(alert),
            _ => &[],
        }
    }
}

/// What the alert was about that opened a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The account.
    pub account: EntityId,
    /// The other side.
    pub counterparty: Option<EntityId>,
}

impl Subject {
    /// What an alert is about.
    pub(crate) fn of(facts: &Facts) -> Self {
        Self { account: facts.account(), counterparty: facts.counterparty() }
    }
}

/// Where a case comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From an alert of an account of which there was no case.
    New,
    /// From an alert that came after this case was closed.
    Follows(CaseId),
    /// Somebody took it out of this case.
    SplitFrom(CaseId),
}

impl Origin {
    /// The case it comes from.
    pub fn case(self) -> Option<CaseId> {
        match self {
            Self::New => None,
            Self::Follows(case) | Self::SplitFrom(case) => Some(case),
        }
    }
}

/// What a case turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Fraud.
    Fraud,
    /// Legitimate payments.
    Legitimate,
    /// Nobody can say.
    Inconclusive,
    /// Another case tells it.
    Duplicate,
}

impl Disposition {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fraud, Self::Legitimate, Self::Inconclusive, Self::Duplicate];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Legitimate => "legitimate",
            Self::Inconclusive => "inconclusive",
            Self::Duplicate => "duplicate",
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a case is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// What it turned out to be.
    pub disposition: Disposition,
    /// Who says so.
    pub by: User,
    /// When they said so.
    pub at: Timestamp,
    /// Until when alerts of its accounts join the closed case and open no other. `None`: the next one opens a case.
    pub quiet_until: Option<Timestamp>,
}
