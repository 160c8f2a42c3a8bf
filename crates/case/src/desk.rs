//! All cases, and what may be done with them.

mod act;
mod receive;
mod summary;
mod undo;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crible_alert::AlertId;
use crible_core::{EntityId, Timestamp};

use crate::state::{self, State};
use crate::{Actor, CaseId, Change, Event, Facts, OperationId, Settings, What};

pub use act::{Action, Bulk, Order, Refusal, Skipped};
pub use receive::Received;
pub use summary::{Summary, View};

/// Cases and their alerts, and the rules by which they change: a state machine without a clock or a store.
///
/// What happens is an [`Event`]; what a case is follows from its events. [`Desk::take_events`] hands new events to
/// whoever keeps them, and [`Desk::restore`] makes the same desk of them again.
#[derive(Debug, Default)]
pub struct Desk {
    settings: Settings,
    facts: HashMap<AlertId, Arc<Facts>>,
    cases: BTreeMap<CaseId, Case>,
    /// The case that has the alert.
    holder: HashMap<AlertId, CaseId>,
    /// Where an alert's case is looked for.
    index: HashMap<Key, BTreeSet<CaseId>>,
    events: BTreeMap<OperationId, Arc<Event>>,
    fresh: Vec<Arc<Event>>,
    last_case: u64,
    last_operation: u64,
}

/// A case: everything that happened to it, and what it is after that.
#[derive(Clone, Debug)]
pub struct Case {
    id: CaseId,
    history: Vec<Arc<Event>>,
    state: Option<State>,
    /// Under which keys the index has it.
    keys: BTreeSet<Key>,
    /// Times of its first and last alert.
    span: Option<(Timestamp, Timestamp)>,
}

impl Case {
    /// Its number.
    pub fn id(&self) -> CaseId {
        self.id
    }

    /// Everything that happened to it, in order, what was undone included.
    pub fn history(&self) -> &[Arc<Event>] {
        &self.history
    }

    /// What it is; `None` for a case that was split off, once the split is undone.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// What it is found by.
    pub fn keys(&self) -> &BTreeSet<Key> {
        &self.keys
    }

    /// Times of its first and last alert.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// The last thing that happened to it.
    pub fn last_operation(&self) -> Option<OperationId> {
        self.history.last().map(|event| event.operation)
    }

    /// Which operations do not count any more, and what took them back.
    pub fn undone(&self) -> BTreeMap<OperationId, OperationId> {
        state::undone(&self.history)
    }

    /// The last thing that a person did to it and that still counts. It is what they mean by "undo".
    pub fn last_action(&self) -> Option<OperationId> {
        let undone = self.undone();
        let counts = |event: &&Arc<Event>| {
            event.actor.person().is_some() && event.undoes.is_none() && !undone.contains_key(&event.operation)
        };
        self.history.iter().rev().find(counts).map(|event| event.operation)
    }

    fn is_open(&self) -> bool {
        self.state.as_ref().is_some_and(State::is_open)
    }
}

/// What a case is found by when an alert comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The account of one of its alerts.
    Account(EntityId),
    /// What the account of one of its alerts is linked with.
    Ring(EntityId),
    /// The counterparty of the alert that opened it.
    Counterparty(EntityId),
}

impl Key {
    /// What an alert finds its case by.
    pub fn of(facts: &Facts) -> impl Iterator<Item = Self> {
        let ring = facts.ring().map(Self::Ring);
        [Some(Self::Account(facts.account())), ring, facts.counterparty().map(Self::Counterparty)].into_iter().flatten()
    }
}

/// Events that do not follow from each other, or speak of an alert that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operation {operation}: {what}")]
pub struct BadHistory {
    /// The event.
    pub operation: OperationId,
    what: String,
}

impl Desk {
    /// No case yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The desk that these events made, which are in ascending order. The numbers that it gives next come after
    /// `last_case` and `last_operation`, which may be beyond what is in the events where they are those of some cases
    /// only. `erased` are alerts of which the facts are there no more.
    ///
    /// # Errors
    /// [`BadHistory`] where numbers do not ascend or an alert is neither among the facts nor erased.
    pub fn restore(
        settings: Settings,
        facts: impl IntoIterator<Item = Facts>,
        erased: &BTreeSet<AlertId>,
        events: impl IntoIterator<Item = Event>,
        last_case: u64,
        last_operation: u64,
    ) -> Result<Self, BadHistory> {
        let mut desk = Self::new(settings);
        desk.facts = facts.into_iter().map(|facts| (facts.id(), Arc::new(facts))).collect();
        for event in events {
            let fault = |what: String| BadHistory { operation: event.operation, what };
            if event.operation.0 <= desk.last_operation {
                return Err(fault(format!("expected a number above {}", desk.last_operation)));
            }
            let alerts = event.changes.iter().flat_map(|change| change.what.alerts());
            if let Some(alert) =
                alerts.copied().find(|alert| !desk.facts.contains_key(alert) && !erased.contains(alert))
            {
                return Err(fault(format!("alert {alert} is not there")));
            }
            if let Some(change) = event.changes.iter().find(|change| !event.cases.contains(&change.case)) {
                return Err(fault(format!("case {} is changed and not named", change.case)));
            }
            desk.apply(Arc::new(event));
        }
        desk.last_case = desk.last_case.max(last_case);
        desk.last_operation = desk.last_operation.max(last_operation);
        Ok(desk)
    }

    /// How alerts become cases.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A case.
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        self.cases.get(&id)
    }

    /// All cases, by number.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }

    /// An alert, as it last came.
    pub fn facts(&self, alert: AlertId) -> Option<&Facts> {
        self.facts.get(&alert).map(Arc::as_ref)
    }

    /// The case that has an alert.
    pub fn holder(&self, alert: AlertId) -> Option<CaseId> {
        self.holder.get(&alert).copied()
    }

    /// An event.
    pub fn event(&self, operation: OperationId) -> Option<&Event> {
        self.events.get(&operation).map(Arc::as_ref)
    }

    /// The highest numbers given: of a case, and of an operation.
    pub fn last_numbers(&self) -> (u64, u64) {
        (self.last_case, self.last_operation)
    }

    /// What happened since the last call, in order: to be kept.
    pub fn take_events(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.fresh)
    }

    fn next_case(&self) -> CaseId {
        CaseId(self.last_case + 1)
    }

    /// Does it, and gives it its number.
    fn commit(&mut self, at: Timestamp, actor: Actor, deed: Deed) -> OperationId {
        let Deed { changes, bulk, undoes, mut cases } = deed;
        cases.extend(changes.iter().map(|change| change.case));
        let operation = OperationId(self.last_operation + 1);
        let cases = cases.into_iter().collect();
        let event = Arc::new(Event { operation, at, actor, bulk, undoes, cases, changes });
        self.fresh.push(Arc::clone(&event));
        self.apply(event);
        operation
    }

    fn apply(&mut self, event: Arc<Event>) {
        self.last_operation = event.operation.0;
        for &id in &event.cases {
            self.last_case = self.last_case.max(id.0);
            let case = self.cases.entry(id).or_insert_with(|| Case {
                id,
                history: Vec::new(),
                state: None,
                keys: BTreeSet::new(),
                span: None,
            });
            case.history.push(Arc::clone(&event));
            if event.undoes.is_some() {
                case.state = State::of(id, &case.history);
            } else {
                state::apply(&mut case.state, id, &event);
            }
        }
        // What only adds to a case is added to the index; after anything else it is made again.
        let adds = event.undoes.is_none() && !event.changes.iter().any(|c| matches!(c.what, What::Left { .. }));
        if adds {
            for change in &event.changes {
                if let What::Opened { alerts, .. } | What::Joined { alerts } = &change.what {
                    self.list(change.case, alerts);
                }
            }
        } else {
            for &id in &event.cases {
                self.unlist(id);
            }
            for &id in &event.cases {
                let held = self.cases.get(&id).and_then(Case::state).map(|state| state.alerts.iter().copied());
                let held: Vec<AlertId> = held.into_iter().flatten().collect();
                self.list(id, &held);
            }
        }
        self.events.insert(event.operation, event);
    }

    /// Makes a case be found by these alerts.
    fn list(&mut self, id: CaseId, alerts: &[AlertId]) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        let opening = case.state.as_ref().and_then(|state| state.subject?.counterparty).map(Key::Counterparty);
        let mut keys: BTreeSet<Key> = opening.into_iter().collect();
        for alert in alerts {
            self.holder.insert(*alert, id);
            let Some(facts) = self.facts.get(alert) else { continue };
            keys.insert(Key::Account(facts.account()));
            keys.extend(facts.ring().map(Key::Ring));
            let at = facts.at();
            let (first, last) = case.span.unwrap_or((at, at));
            case.span = Some((first.min(at), last.max(at)));
        }
        for key in keys {
            if case.keys.insert(key) {
                self.index.entry(key).or_default().insert(id);
            }
        }
    }

    fn unlist(&mut self, id: CaseId) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        case.span = None;
        for key in std::mem::take(&mut case.keys) {
            if let Some(cases) = self.index.get_mut(&key) {
                cases.remove(&id);
                if cases.is_empty() {
                    self.index.remove(&key);
                }
            }
        }
    }

    /// Cases that the index has under a key.
    fn listed(&self, key: Key) -> impl Iterator<Item = &Case> {
        self.index.get(&key).into_iter().flatten().filter_map(|id| self.cases.get(id))
    }
}

/// What is about to happen.
#[derive(Default)]
struct Deed {
    changes: Vec<Change>,
    bulk: Option<OperationId>,
    undoes: Option<OperationId>,
    /// Cases it touches without changing them by itself.
    cases: BTreeSet<CaseId>,
}

impl Deed {
    fn with(mut self, case: CaseId, what: What) -> Self {
        self.changes.push(Change { case, what });
        self
    }
}
