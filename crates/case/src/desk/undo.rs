//! Taking back.
//!
//! What a case is follows from the events that count, so taking one back is to leave it out: the case is then exactly
//! what it would be without it. People undo in the order in which they see things: what somebody did later to the same
//! case has to be undone first. Alerts that came meanwhile stay, and go where somebody looks at them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crible_alert::AlertId;

use super::{Bulk, Case, Deed, Desk, Order, Refusal, Skipped};
use crate::{Actor, CaseId, Change, Event, OperationId, Origin, Phase, State, User, What};

impl Desk {
    /// Takes back what a person did. An undo is taken back alike.
    ///
    /// # Errors
    /// [`Refusal`] says why not; nothing changed then.
    pub fn undo(&mut self, order: &Order, target: OperationId) -> Result<OperationId, Refusal> {
        let deed = self.plan_undo(order, target)?;
        Ok(self.commit(order.at, Actor::Person(order.by.clone()), deed))
    }

    /// Takes back a bulk action, by its first operation: everywhere but where a person did something since.
    ///
    /// # Errors
    /// [`Refusal::UnknownOperation`] where no bulk action begins with it.
    pub fn undo_bulk(&mut self, order: &Order, first: OperationId) -> Result<Bulk, Refusal> {
        let of_bulk = self.events.range(first..).filter(|(_, event)| event.bulk == Some(first));
        let of_bulk: Vec<(OperationId, CaseId)> =
            of_bulk.filter_map(|(id, event)| Some((*id, *event.cases.first()?))).collect();
        if of_bulk.is_empty() {
            return Err(Refusal::UnknownOperation(first));
        }
        let mut bulk = Bulk::default();
        for (operation, case) in of_bulk {
            match self.undo(order, operation) {
                Ok(undo) => bulk.done.push((case, undo)),
                Err(refusal) => bulk.skipped.push((case, Skipped::Refused(refusal))),
            }
        }
        Ok(bulk)
    }

    fn plan_undo(&self, order: &Order, target: OperationId) -> Result<Deed, Refusal> {
        let event = self.events.get(&target).ok_or(Refusal::UnknownOperation(target))?;
        if event.actor.person().is_none() {
            return Err(Refusal::NotUndoable(target));
        }
        for &id in &event.cases {
            let case = self.cases.get(&id).ok_or(Refusal::UnknownCase(id))?;
            self.is_last(event, case)?;
        }
        if let Some(confirmed) = self.restores(event).filter(|confirmed| **confirmed != order.by) {
            return Err(Refusal::Confirmed { operation: target, confirmed: confirmed.clone() });
        }
        let mut deed = Deed { undoes: Some(target), cases: event.cases.iter().copied().collect(), ..Deed::default() };
        deed.changes = self.stranded(order, event);
        Ok(deed)
    }

    /// Whose confirmation would count again if this were taken back: nobody may confirm in their place.
    fn restores(&self, event: &Event) -> Option<&User> {
        let mut restored = self.events.get(&event.undoes?)?;
        while let Some(undo) = restored.undoes.and_then(|undo| self.events.get(&undo)) {
            restored = self.events.get(&undo.undoes?)?;
        }
        restored.changes.iter().find_map(|change| match &change.what {
            What::Closed { confirmed, .. } => confirmed.as_ref(),
            _ => None,
        })
    }

    /// Whether nothing that a person did to a case later builds on an event.
    fn is_last(&self, event: &Event, case: &Case) -> Result<(), Refusal> {
        let (operation, undone) = (event.operation, case.undone());
        if let Some(&by) = undone.get(&operation) {
            return Err(Refusal::Undone { operation, by });
        }
        let builds = |later: &&Arc<Event>| {
            // Leaving out something earlier changes nothing for an undo, but for the undo of an undo the order counts.
            let counts = later.undoes.is_none() || event.undoes.is_some();
            later.operation > operation
                && later.actor.person().is_some()
                && counts
                && !undone.contains_key(&later.operation)
        };
        match case.history.iter().rev().find(builds) {
            Some(later) => Err(Refusal::Later { operation, case: case.id, later: later.operation }),
            None => Ok(()),
        }
    }

    /// Moves the alerts that came after an event, and that without it would be in no case, in a closed one or in one
    /// that was merged away.
    fn stranded(&self, order: &Order, event: &Event) -> Vec<Change> {
        let after: BTreeMap<CaseId, Option<State>> =
            event.cases.iter().map(|&id| (id, self.without(id, event.operation))).collect();
        let kept: BTreeSet<AlertId> = after.values().flatten().flat_map(|state| &state.alerts).copied().collect();
        // To a case that goes on, or to a new one that follows a closed one.
        let mut moves: BTreeMap<(CaseId, bool), Vec<AlertId>> = BTreeMap::new();
        let mut changes = Vec::new();
        for (&id, state) in &after {
            let Some(case) = self.cases.get(&id) else { continue };
            let held = case.state().into_iter().flat_map(|state| state.alerts.iter().copied());
            let stay = match state {
                None => Vec::new(),
                Some(State { phase: Phase::Live | Phase::Waiting { .. }, .. }) => continue,
                Some(state) => state.alerts.iter().copied().collect(),
            };
            let lost: Vec<AlertId> = match state {
                None => held.filter(|alert| !kept.contains(alert)).collect(),
                Some(State { phase: Phase::Merged { .. }, .. }) => stay,
                // Whoever closed it had not seen what came later.
                Some(state) => {
                    let late = self.came_after(case, event.operation);
                    let quiet = |at| state.is_quiet(at);
                    stay.into_iter().filter(|alert| late.get(alert).is_some_and(|at| !quiet(*at))).collect()
                }
            };
            if lost.is_empty() {
                continue;
            }
            if state.is_some() {
                changes.push(Change { case: id, what: What::Left { alerts: lost.clone() } });
            }
            moves.entry(self.goes_on(id, &after)).or_default().extend(lost);
        }
        let mut new = self.next_case();
        for ((id, is_closed), alerts) in moves {
            if is_closed {
                let subject = self.subject(&alerts);
                let (origin, due) = (Origin::Follows(id), self.due(order.at));
                let what = What::Opened { subject, origin, alerts, due, must_confirm: false };
                changes.push(Change { case: new, what });
                new = CaseId(new.0 + 1);
            } else {
                changes.push(Change { case: id, what: What::Joined { alerts } });
            }
        }
        changes
    }

    /// What a case would be without an event.
    fn without(&self, id: CaseId, operation: OperationId) -> Option<State> {
        let case = self.cases.get(&id)?;
        let undo = Event {
            operation: OperationId(self.last_operation + 1),
            at: Default::default(),
            actor: Actor::Engine,
            bulk: None,
            undoes: Some(operation),
            cases: Vec::new(),
            changes: Vec::new(),
        };
        let mut history = case.history.clone();
        history.push(Arc::new(undo));
        State::of(id, &history)
    }

    /// The alerts that came to a case by themselves after an operation, and when.
    fn came_after(&self, case: &Case, operation: OperationId) -> BTreeMap<AlertId, crible_core::Timestamp> {
        let by_itself = |event: &Arc<Event>| event.actor == Actor::Engine || event.undoes.is_some();
        let later = case.history.iter().filter(|event| event.operation > operation && by_itself(event));
        let joined = later.flat_map(|event| event.changes.iter().map(move |change| (event.at, change)));
        joined
            .filter_map(|(at, change)| match &change.what {
                What::Joined { alerts } if change.case == case.id => Some(alerts.iter().map(move |id| (*id, at))),
                _ => None,
            })
            .flatten()
            .collect()
    }

    /// Where the story of a case goes on: in this case, or, if `true`, in a new one that follows this closed one.
    fn goes_on(&self, from: CaseId, after: &BTreeMap<CaseId, Option<State>>) -> (CaseId, bool) {
        let mut id = from;
        // Each step goes to another case; events that were tampered with may lead in a circle.
        for _ in 0..self.cases.len() {
            let now = self.cases.get(&id).and_then(Case::state);
            let next = match after.get(&id).map_or(now, Option::as_ref) {
                // The case was never there.
                None => now.and_then(|state| state.origin.case()),
                Some(State { phase: Phase::Merged { into }, .. }) => Some(*into),
                Some(state) => return (id, !state.is_open()),
            };
            let Some(next) = next else { break };
            id = next;
        }
        (id, true)
    }
}
