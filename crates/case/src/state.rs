use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crible_alert::AlertId;
use crible_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Actor, CaseId, Change, Closing, Event, OperationId, Origin, Subject, Tag, Text, User, What};

/// What a case is after everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// When it was opened.
    pub opened: Timestamp,
    /// Where it comes from.
    pub origin: Origin,
    /// What the alert was about that opened it; `None` once that was erased.
    pub subject: Option<Subject>,
    /// Its alerts.
    pub alerts: BTreeSet<AlertId>,
    /// Those that came, or became graver, after a person last did something about the case.
    pub unseen: BTreeSet<AlertId>,
    /// Those that were there when it was closed: its disposition is about these.
    pub judged: BTreeSet<AlertId>,
    /// How far it is.
    pub phase: Phase,
    /// Who works on it.
    pub owner: Option<User>,
    /// The closing that a second person has to confirm.
    pub proposal: Option<Closing>,
    /// Closing it takes a second person, whatever it holds now.
    pub must_confirm: bool,
    /// When it has to be done.
    pub due: Option<Timestamp>,
    /// What was written, in the order of writing.
    pub notes: Vec<Note>,
    /// Words to find it by.
    pub tags: BTreeSet<Tag>,
    /// What the customer answered, in the order of answers.
    pub answers: Vec<Answer>,
}

/// What a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What; `None` once it was erased.
    pub text: Option<Text>,
}

/// What the customer answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When.
    pub at: Timestamp,
    /// The alert they were asked about.
    pub alert: AlertId,
    /// Whether the payment was theirs.
    pub theirs: bool,
}

/// How far a case is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is something to do.
    Live,
    /// Nothing can be done for now.
    Waiting {
        /// Until when, if that is known.
        until: Option<Timestamp>,
    },
    /// It is done.
    Closed {
        /// How.
        closing: Closing,
        /// The second person, where it took one.
        confirmed: Option<User>,
    },
    /// Its story goes on in another case.
    Merged {
        /// Which.
        into: CaseId,
    },
}

/// How far a case is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody works on it.
    Open,
    /// Somebody does.
    Assigned,
    /// Nothing can be done for now.
    Waiting,
    /// It is done.
    Closed,
    /// Its story goes on in another case.
    Merged,
}

impl Status {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Waiting => "waiting",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl State {
    /// How far it is.
    pub fn status(&self) -> Status {
        match (&self.phase, &self.owner) {
            (Phase::Live, None) => Status::Open,
            (Phase::Live, Some(_)) => Status::Assigned,
            (Phase::Waiting { .. }, _) => Status::Waiting,
            (Phase::Closed { .. }, _) => Status::Closed,
            (Phase::Merged { .. }, _) => Status::Merged,
        }
    }

    /// Whether it is neither closed nor merged.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Live | Phase::Waiting { .. })
    }

    /// Whether an alert that comes at `now` joins it although it is closed, because whoever closed it said so.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        matches!(&self.phase, Phase::Closed { closing, .. } if closing.quiet_until.is_some_and(|until| now < until))
    }

    /// Whether it should have been looked at by `now`: it is due, or what it waits for should have come.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let waited = matches!(self.phase, Phase::Waiting { until: Some(until) } if until <= now);
        self.is_open() && (waited || self.due.is_some_and(|due| due <= now))
    }

    /// What a case is after its events; `None` if none of those that count opens it.
    pub fn of(case: CaseId, history: &[Arc<Event>]) -> Option<Self> {
        let undone = undone(history);
        let mut state = None;
        for event in history.iter().filter(|event| !undone.contains_key(&event.operation)) {
            apply(&mut state, case, event);
        }
        state
    }
}

/// Which operations of a case do not count any more, and what took them back. An undo that was undone takes nothing
/// back.
pub(crate) fn undone(history: &[Arc<Event>]) -> BTreeMap<OperationId, OperationId> {
    let mut undone = BTreeMap::new();
    for event in history.iter().rev() {
        if let Some(target) = event.undoes.filter(|_| !undone.contains_key(&event.operation)) {
            undone.insert(target, event.operation);
        }
    }
    undone
}

/// One event more, that takes nothing back or whose target is left out already.
pub(crate) fn apply(state: &mut Option<State>, case: CaseId, event: &Event) {
    // Alerts that an undo moves were not looked at by whoever undid.
    let looked = event.actor.person().is_some() && event.undoes.is_none();
    if let Some(state) = state.as_mut().filter(|_| looked) {
        state.unseen.clear();
    }
    for Change { what, .. } in event.changes.iter().filter(|change| change.case == case) {
        match (what, state.as_mut()) {
            (What::Opened { subject, origin, alerts, due, must_confirm }, None) => {
                let alerts: BTreeSet<AlertId> = alerts.iter().copied().collect();
                *state = Some(State {
                    opened: event.at,
                    origin: *origin,
                    subject: *subject,
                    unseen: if looked { BTreeSet::new() } else { alerts.clone() },
                    alerts,
                    judged: BTreeSet::new(),
                    phase: Phase::Live,
                    owner: None,
                    proposal: None,
                    must_confirm: *must_confirm,
                    due: *due,
                    notes: Vec::new(),
                    tags: BTreeSet::new(),
                    answers: Vec::new(),
                });
            }
            (what, Some(state)) => change(state, what, event, looked),
            // What happened to a case whose opening was undone is moved by the undo.
            (_, None) => {}
        }
    }
}

fn change(state: &mut State, what: &What, event: &Event, looked: bool) {
    match what {
        // A case begins once.
        What::Opened { .. } => {}
        What::Joined { alerts } => {
            state.alerts.extend(alerts);
            if !looked {
                state.unseen.extend(alerts);
            }
        }
        What::Left { alerts } => {
            for alert in alerts {
                state.alerts.remove(alert);
                state.judged.remove(alert);
                state.unseen.remove(alert);
            }
        }
        What::Updated { alert, graver } => {
            if *graver && state.alerts.contains(alert) {
                state.unseen.insert(*alert);
            }
        }
        What::Owned { by } => state.owner.clone_from(by),
        What::Waiting { until } => state.phase = Phase::Waiting { until: *until },
        What::Resumed => {
            if let Phase::Waiting { .. } = state.phase {
                state.phase = Phase::Live;
            }
        }
        What::Proposed { closing } => state.proposal = Some(closing.clone()),
        What::Rejected => state.proposal = None,
        What::Closed { closing, confirmed } => {
            state.proposal = None;
            state.judged.clone_from(&state.alerts);
            state.phase = Phase::Closed { closing: closing.clone(), confirmed: confirmed.clone() };
        }
        What::Reopened => {
            state.judged.clear();
            state.phase = Phase::Live;
        }
        What::Noted { text } => {
            state.notes.push(Note { at: event.at, by: event.actor.clone(), text: text.clone() });
        }
        What::Due { at } => state.due = *at,
        What::Tagged { tag } => {
            state.tags.insert(tag.clone());
        }
        What::Untagged { tag } => {
            state.tags.remove(tag);
        }
        What::Merged { into } => state.phase = Phase::Merged { into: *into },
        What::MustConfirm => state.must_confirm = true,
        What::Answered { alert, theirs } => {
            state.answers.push(Answer { at: event.at, alert: *alert, theirs: *theirs });
            if !theirs {
                state.unseen.insert(*alert);
            }
        }
    }
}
