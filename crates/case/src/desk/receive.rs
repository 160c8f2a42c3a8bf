//! Alerts come in.

use std::collections::BTreeSet;
use std::sync::Arc;

use crible_alert::AlertId;
use crible_core::{Timestamp, Window};

use super::{Case, Deed, Desk, Key};
use crate::{Actor, CaseId, Disposition, Facts, OperationId, Origin, Phase, State, Subject, Tag, What};

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It opened a case.
    Opened(CaseId),
    /// It joined an open case.
    Joined(CaseId),
    /// It joined a closed case, as whoever closed it said. Nobody has to be told.
    Quiet(CaseId),
    /// The alert was there; its content changed.
    Updated {
        /// The case that has it.
        case: CaseId,
        /// Whether it is more serious than before.
        graver: bool,
    },
    /// The same alert was there. Nothing changed.
    Known(CaseId),
}

impl Received {
    /// The case that has the alert.
    pub fn case(self) -> CaseId {
        match self {
            Self::Opened(case) | Self::Joined(case) | Self::Quiet(case) | Self::Known(case) => case,
            Self::Updated { case, .. } => case,
        }
    }
}

impl Desk {
    /// Takes an alert in, at `now`. It changes nothing that a person did.
    pub fn receive(&mut self, facts: Facts, now: Timestamp) -> Received {
        self.receive_tagged(facts, &[], now)
    }

    /// The same, and makes its case be found by these words, but for those that were taken off it.
    pub fn receive_tagged(&mut self, facts: Facts, tags: &[Tag], now: Timestamp) -> Received {
        let id = facts.id();
        let facts = Arc::new(facts);
        if let Some(case) = self.holder(id) {
            let before = self.facts.insert(id, Arc::clone(&facts));
            let Some(before) = before.filter(|before| *before != facts) else { return Received::Known(case) };
            let graver = before.severity() < facts.severity();
            let deed = Deed::default().with(case, What::Updated { alert: id, graver });
            self.commit(now, Actor::Engine, self.tagged(deed, case, tags));
            return Received::Updated { case, graver };
        }
        self.facts.insert(id, Arc::clone(&facts));
        let joined = What::Joined { alerts: vec![id] };
        if let Some(case) = self.open_case_for(&facts) {
            let deed = self.tagged(Deed::default().with(case, joined), case, tags);
            self.commit(now, Actor::Engine, deed);
            return Received::Joined(case);
        }
        let before = self.closed_case_of(&facts);
        if let Some(case) = before.filter(|case| case.state().is_some_and(|state| state.is_quiet(now))) {
            let case = case.id();
            let deed = self.tagged(Deed::default().with(case, joined), case, tags);
            self.commit(now, Actor::Engine, deed);
            return Received::Quiet(case);
        }
        let origin = before.map_or(Origin::New, |case| Origin::Follows(case.id()));
        let opened = What::Opened {
            subject: Some(Subject::of(&facts)),
            origin,
            alerts: vec![id],
            due: self.due(now),
            must_confirm: false,
        };
        let case = self.next_case();
        let deed = self.tagged(Deed::default().with(case, opened), case, tags);
        self.commit(now, Actor::Engine, deed);
        Received::Opened(case)
    }

    /// Tags a case, but for the tags that it has, or that somebody took off it.
    fn tagged(&self, deed: Deed, case: CaseId, tags: &[Tag]) -> Deed {
        let history = self.cases.get(&case).map(Case::history).unwrap_or_default();
        let changes = || history.iter().flat_map(|event| &event.changes).filter(|change| change.case == case);
        let mut seen = BTreeSet::new();
        let new = tags.iter().filter(|tag| {
            let mentions =
                |what: &What| matches!(what, What::Tagged { tag: t } | What::Untagged { tag: t } if t == *tag);
            seen.insert(*tag) && !changes().any(|change| mentions(&change.what))
        });
        new.fold(deed, |deed, tag| deed.with(case, What::Tagged { tag: tag.clone() }))
    }

    /// Takes in what a customer answered when asked about an alert. It is evidence: the case stays open, and goes on
    /// where it waited. Where the payment was not theirs, a case that was closed as anything but fraud is opened again.
    ///
    /// `None` where there is no such alert.
    pub fn answer(&mut self, alert: AlertId, theirs: bool, now: Timestamp) -> Option<OperationId> {
        let case = self.holder(alert)?;
        let phase = self.case(case).and_then(Case::state).map(|state| &state.phase);
        let contradicted =
            matches!(phase, Some(Phase::Closed { closing, .. }) if closing.disposition != Disposition::Fraud);
        let deed = Deed::default();
        let deed = if contradicted && !theirs { deed.with(case, What::Reopened) } else { deed };
        let deed = deed.with(case, What::Answered { alert, theirs }).with(case, What::Resumed);
        Some(self.commit(now, Actor::Customer, deed))
    }

    /// What the first of these alerts is about.
    pub(super) fn subject(&self, alerts: &[AlertId]) -> Option<Subject> {
        let facts = alerts.iter().filter_map(|alert| self.facts(*alert));
        facts.min_by_key(|facts| (facts.at(), facts.id())).map(Subject::of)
    }

    /// When a case that is opened at `now` is due.
    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        self.settings.due.map(|due| Timestamp(now.0.saturating_add(due.0)))
    }

    /// The open case that an alert belongs to: of its account, else of what its account is linked with, else of its
    /// counterparty; of several the one with the latest alert.
    fn open_case_for(&self, facts: &Facts) -> Option<CaseId> {
        let settings = &self.settings;
        let ring = facts.ring().map(|ring| (Key::Ring(ring), settings.ring));
        let counterparty = facts.counterparty().zip(settings.counterparty);
        let ways = [Some((Key::Account(facts.account()), settings.account)), ring]
            .into_iter()
            .chain([counterparty.map(|(party, window)| (Key::Counterparty(party), window))])
            .flatten();
        let latest = |(key, window): (Key, Window)| {
            let near = self.listed(key).filter(|case| case.is_open() && is_near(case, facts.at(), window));
            near.max_by_key(|case| (case.span().map(|(_, last)| last), std::cmp::Reverse(case.id()))).map(Case::id)
        };
        ways.into_iter().find_map(latest)
    }

    /// The latest closed case of an alert's account.
    fn closed_case_of(&self, facts: &Facts) -> Option<&Case> {
        let is_done = |case: &&Case| case.state().is_some_and(|state| !State::is_open(state));
        self.listed(Key::Account(facts.account())).filter(is_done).max_by_key(|case| case.id())
    }
}

/// Whether a time is at most a window before the first or after the last alert of a case.
fn is_near(case: &Case, at: Timestamp, window: Window) -> bool {
    case.span().is_some_and(|(first, last)| {
        at.0 >= first.0.saturating_sub(window.0) && at.0 <= last.0.saturating_add(window.0)
    })
}
