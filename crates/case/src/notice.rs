//! Whom to tell about a case, when, and why: and what keeps it back.
//!
//! The words are Alertmanager's. A case is a group. What comes first waits a little, so that what comes with it is told
//! together (group wait). What comes later is told, at most once in an interval (group interval). What nobody does
//! anything about is told again (repeat interval). Each notice has its reason. A silence has an end. An inhibition goes
//! by equal labels, and what both lack is not equal.

use crible_alert::{AlertId, Severity};
use crible_core::{Timestamp, Window};
use serde::{Deserialize, Serialize};

use crate::{Label, Labels, Matcher, State, Text, User};

/// When a case is told about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grouping {
    /// The first notice waits so long for what comes with it. 30 seconds.
    pub wait: Window,
    /// What comes later is told at most once in this time. Five minutes.
    pub interval: Window,
    /// A case that nobody has looked at is told again after this time; `None` for never. Four hours.
    pub repeat: Option<Window>,
}

impl Default for Grouping {
    fn default() -> Self {
        let seconds = |seconds: i64| Window(seconds * Timestamp::SECOND);
        Self { wait: seconds(30), interval: seconds(300), repeat: Some(Window(4 * Window::HOUR.0)) }
    }
}

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoticeReason {
    /// There is a case.
    New,
    /// It got graver than was told.
    Graver,
    /// It got more alerts.
    More,
    /// Nobody has looked at it since.
    Repeat,
}

impl NoticeReason {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Graver => "graver",
            Self::More => "more",
            Self::Repeat => "repeat",
        }
    }
}

/// What was told about a case so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How many notices.
    pub notices: u32,
    /// When the last one was.
    pub last: Option<Timestamp>,
    /// The gravest severity that was told.
    pub severity: Option<Severity>,
    /// How many alerts the case had then.
    pub alerts: usize,
}

/// A notice about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which one, from 1. With the case's number it is the notice's stable name.
    pub number: u32,
    /// Why.
    pub reason: NoticeReason,
    /// When to send it: what is sent says what the case is then.
    pub due: Timestamp,
}

impl Grouping {
    /// The next notice about a case, if there is to be one; it may be due later. A case that is closed or merged has
    /// none, nor has one of which all that is new was looked at.
    pub fn next(&self, told: &Told, state: &State, severity: Severity, now: Timestamp) -> Option<Notice> {
        if !state.is_open() || state.unseen.is_empty() {
            return None;
        }
        let number = told.notices + 1;
        let after = |from: Timestamp, window: Window| Timestamp(from.0.saturating_add(window.0)).max(now);
        let Some(last) = told.last else {
            return Some(Notice { number, reason: NoticeReason::New, due: after(state.opened, self.wait) });
        };
        let reason = if told.severity.is_none_or(|told| told < severity) {
            NoticeReason::Graver
        } else if told.alerts < state.alerts.len() {
            NoticeReason::More
        } else {
            // What waits for something outside is not asked for again.
            let repeat = self.repeat.filter(|_| !matches!(state.phase, crate::Phase::Waiting { .. }))?;
            return Some(Notice { number, reason: NoticeReason::Repeat, due: after(last, repeat) });
        };
        Some(Notice { number, reason, due: after(last, self.interval) })
    }
}

impl Told {
    /// What was told after a notice about a case that was this at `now`.
    pub fn after(&self, notice: &Notice, state: &State, severity: Severity, now: Timestamp) -> Self {
        let severity = Some(self.severity.map_or(severity, |told| told.max(severity)));
        Self { notices: notice.number, last: Some(now), severity, alerts: state.alerts.len() }
    }
}

/// For a time, nobody is told about some alerts. They become cases all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Which alerts.
    pub matcher: Matcher,
    /// From when.
    pub from: Timestamp,
    /// Until when: every silence has an end.
    pub until: Timestamp,
    /// Who says so.
    pub by: User,
    /// Why.
    pub why: Text,
}

/// A silence that would never end, or never begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a silence from {from} until {until}: expected an end after its beginning, at most {MOST_DAYS} days later")]
pub struct BadSilence {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// The longest silence.
const MOST_DAYS: i64 = 90;

impl Silence {
    /// Checks it.
    ///
    /// # Errors
    /// [`BadSilence`] where it has no end, or none within 90 days.
    pub fn check(self) -> Result<Self, BadSilence> {
        let Self { from, until, .. } = self;
        let length = until.0.saturating_sub(from.0);
        if 0 < length && length <= MOST_DAYS * Timestamp::DAY { Ok(self) } else { Err(BadSilence { from, until }) }
    }

    /// Whether it holds for an alert at a time.
    pub fn covers(&self, labels: &Labels, now: Timestamp) -> bool {
        self.from <= now && now < self.until && self.matcher.matches(labels)
    }
}

/// While there is an alert of one kind, nobody is told about those of another that agree with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibition {
    /// What keeps back.
    pub source: Matcher,
    /// What is kept back.
    pub target: Matcher,
    /// Both must have these labels, with the same values.
    pub equal: Vec<Label>,
}

impl Inhibition {
    /// The alert, of those in open cases, that keeps this one back. Whatever is a source itself is not kept back, so
    /// that two alerts never keep each other back.
    pub fn by<'a>(
        &self,
        alert: AlertId,
        labels: &Labels,
        open: impl IntoIterator<Item = (AlertId, &'a Labels)>,
    ) -> Option<AlertId> {
        if !self.target.matches(labels) || self.source.matches(labels) {
            return None;
        }
        let keeps = |other: &(AlertId, &Labels)| {
            other.0 != alert && self.source.matches(other.1) && other.1.agree(labels, &self.equal)
        };
        open.into_iter().find(keeps).map(|(other, _)| other)
    }
}
