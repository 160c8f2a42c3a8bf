//! Random histories: whatever alerts come and whatever people do, nothing is lost and undoing is exact.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use crible_alert::{AlertId, Severity};
use crible_case::*;
use crible_core::{Amount, Currency, Window};
use proptest::prelude::*;

use common::{Came, View, again, minute, order, view};

const USERS: [&str; 3] = ["ana", "ben", "cleo"];

#[derive(Clone, Debug)]
enum Step {
    Alert(Came),
    Act {
        by: usize,
        case: u64,
        what: Do,
    },
    Bulk {
        by: usize,
        cases: u8,
        what: Do,
    },
    /// The operation so far back.
    Undo {
        by: usize,
        back: u64,
    },
    /// What the person last did to a case.
    UndoLast {
        by: usize,
        case: u64,
    },
    UndoBulk {
        by: usize,
        back: u64,
    },
    Answer {
        alert: u128,
        theirs: bool,
    },
}

#[derive(Clone, Debug)]
enum Do {
    Assign(usize),
    Release,
    Wait,
    Resume,
    Close(usize, bool),
    Confirm,
    Reject,
    Reopen,
    Note(u8),
    Due(Option<i64>),
    Tag(u8),
    Untag(u8),
    /// Of the case's alerts those whose bit is set.
    Split(u32),
    Merge(u64),
}

fn came() -> impl Strategy<Value = Came> {
    let severity = prop::sample::select(vec![Severity::Low, Severity::High, Severity::Critical]);
    // Few accounts and shops, so that histories meet; windows are shorter than the time alerts come from.
    (0u128..24, 0u64..2, 0i64..2, severity).prop_map(|(n, more, early, severity)| Came {
        n,
        account: 1 + n as u64 % 4,
        counterparty: 50 + n as u64 % 3,
        ring: if n % 5 == 0 { 70 + more } else { 0 },
        at: minute(n as i64 * 37 % 240 - early),
        dollars: 40 + n as i64,
        severity,
    })
}

fn deed() -> impl Strategy<Value = Do> {
    prop_oneof![
        1 => (0usize..3).prop_map(Do::Assign),
        1 => Just(Do::Release),
        1 => Just(Do::Wait),
        1 => Just(Do::Resume),
        5 => (0usize..4, any::<bool>()).prop_map(|(how, quiet)| Do::Close(how, quiet)),
        2 => Just(Do::Confirm),
        1 => Just(Do::Reject),
        3 => Just(Do::Reopen),
        1 => (0u8..9).prop_map(Do::Note),
        1 => prop::option::of(0i64..400).prop_map(Do::Due),
        1 => (0u8..3).prop_map(Do::Tag),
        1 => (0u8..3).prop_map(Do::Untag),
        4 => any::<u32>().prop_map(Do::Split),
        3 => (1u64..8).prop_map(Do::Merge),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let by = 0usize..3;
    let step = prop_oneof![
        6 => came().prop_map(Step::Alert),
        8 => (by.clone(), 1u64..8, deed()).prop_map(|(by, case, what)| Step::Act { by, case, what }),
        1 => (by.clone(), any::<u8>(), deed()).prop_map(|(by, cases, what)| Step::Bulk { by, cases, what }),
        2 => (by.clone(), 0u64..12).prop_map(|(by, back)| Step::Undo { by, back }),
        4 => (by.clone(), 1u64..8).prop_map(|(by, case)| Step::UndoLast { by, case }),
        1 => (by, 0u64..12).prop_map(|(by, back)| Step::UndoBulk { by, back }),
        1 => (0u128..24, any::<bool>()).prop_map(|(alert, theirs)| Step::Answer { alert, theirs }),
    ];
    prop::collection::vec(step, 1..70)
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    (settings.account, settings.ring) = (Window::HOUR, Window(Window::HOUR.0 / 2));
    settings.counterparty = Some(Window(Window::HOUR.0 / 4));
    settings.due = Some(Window::DAY);
    settings.four_eyes = Some(FourEyes::new([Amount::new(LIMIT as i64, Currency::USD)]));
    settings
}

const LIMIT: i128 = 13_000;

/// A desk, and what the test knows about it from outside.
struct World {
    desk: Desk,
    now: i64,
    kept: Vec<Event>,
    /// What people did that counts.
    counts: BTreeMap<OperationId, bool>,
    undoes: BTreeMap<OperationId, OperationId>,
    quiet: BTreeSet<AlertId>,
}

impl World {
    fn new() -> Self {
        let desk = Desk::new(settings());
        let (counts, undoes) = (BTreeMap::new(), BTreeMap::new());
        Self { desk, now: 300, kept: Vec::new(), counts, undoes, quiet: BTreeSet::new() }
    }

    fn alerts() -> impl Iterator<Item = AlertId> {
        (0..24).map(|n| Came::new(n, 1, 0).id())
    }

    fn view(&self) -> View {
        view(&self.desk, Self::alerts())
    }

    fn action(&self, case: CaseId, what: &Do) -> Action {
        let text = |n: u8| format!("note {n}").parse().unwrap();
        let tag = |n: u8| format!("tag-{n}").parse().unwrap();
        match what {
            Do::Assign(to) => Action::Assign(USERS[*to].parse().unwrap()),
            Do::Release => Action::Release,
            Do::Wait => Action::Wait { until: Some(minute(self.now + 9)) },
            Do::Resume => Action::Resume,
            Do::Close(how, quiet) => Action::Close {
                disposition: Disposition::ALL[*how],
                note: (*how == 1).then(|| text(99)),
                quiet_until: quiet.then(|| minute(self.now + 6)),
            },
            Do::Confirm => Action::Confirm,
            Do::Reject => Action::Reject,
            Do::Reopen => Action::Reopen,
            Do::Note(n) => Action::Note(text(*n)),
            Do::Due(at) => Action::Due(at.map(minute)),
            Do::Tag(n) => Action::Tag(tag(*n)),
            Do::Untag(n) => Action::Untag(tag(*n)),
            Do::Split(bits) => {
                let state = self.desk.case(case).and_then(|case| case.state());
                let held = state.into_iter().flat_map(|state| &state.alerts).enumerate();
                Action::Split(held.filter(|(i, _)| bits >> i & 1 == 1).map(|(_, alert)| *alert).collect())
            }
            Do::Merge(into) => Action::Merge(CaseId(*into)),
        }
    }

    /// An operation of a person was accepted.
    fn did(&mut self, operation: OperationId) {
        self.counts.insert(operation, true);
    }

    fn undid(&mut self, undo: OperationId, target: OperationId) {
        self.did(undo);
        self.undoes.insert(undo, target);
        // What an undo took back counts again once the undo is taken back, and so on.
        let (mut at, mut counts) = (target, false);
        loop {
            self.counts.insert(at, counts);
            let Some(&before) = self.undoes.get(&at) else { break };
            (at, counts) = (before, !counts);
        }
    }

    fn undo(&mut self, by: usize, target: OperationId) -> Result<OperationId, Refusal> {
        let undo = self.desk.undo(&order(USERS[by], self.now), target)?;
        self.undid(undo, target);
        Ok(undo)
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now += 1;
        let before = self.view();
        match step {
            Step::Alert(came) => {
                let received = self.desk.receive(came.facts(), minute(self.now));
                if let Received::Quiet(_) = received {
                    self.quiet.insert(came.id());
                }
                for (id, was) in &before.0 {
                    let is = self.desk.case(*id).and_then(|case| case.state()).unwrap();
                    prop_assert_eq!(by_people(is), by_people(was), "an alert changed what a person did");
                    prop_assert!(is.alerts.is_superset(&was.alerts));
                }
            }
            Step::Act { by, case, what } => {
                let (case, order) = (CaseId(*case), order(USERS[*by], self.now));
                match self.desk.act(&order, case, &self.action(case, what)) {
                    Ok(operation) => self.did(operation),
                    Err(_) => prop_assert_eq!(self.view(), before, "a refusal changed something"),
                }
            }
            Step::Bulk { by, cases, what } => {
                let cases = (0..8).filter(|i| cases >> i & 1 == 1).map(|i| CaseId(i + 1));
                let order = order(USERS[*by], self.now);
                let action = self.action(CaseId(1), what);
                let Ok(bulk) = self.desk.act_on_all(&order, cases, &action) else { return Ok(()) };
                for (case, operation) in &bulk.done {
                    self.did(*operation);
                    let owner = before.0[case].owner.as_ref();
                    prop_assert!(owner.is_none_or(|owner| *owner == order.by), "a bulk action overrode {owner:?}");
                }
                let after = self.view();
                for (case, _) in &bulk.skipped {
                    prop_assert_eq!(after.0.get(case), before.0.get(case));
                }
            }
            Step::Undo { by, back } => {
                let target = OperationId(self.desk.last_numbers().1.saturating_sub(*back));
                if self.undo(*by, target).is_err() {
                    prop_assert_eq!(self.view(), before, "a refusal changed something");
                }
            }
            Step::UndoLast { by, case } => {
                let last = self.desk.case(CaseId(*case)).and_then(Case::last_action);
                if let Some(target) = last {
                    let _ = self.undo(*by, target);
                }
            }
            Step::UndoBulk { by, back } => {
                let first = OperationId(self.desk.last_numbers().1.saturating_sub(*back));
                let order = order(USERS[*by], self.now);
                if let Ok(bulk) = self.desk.undo_bulk(&order, first) {
                    for (_, undo) in bulk.done {
                        let target = self.desk.event(undo).and_then(|event| event.undoes).unwrap();
                        self.undid(undo, target);
                    }
                }
            }
            Step::Answer { alert, theirs } => {
                let alert = Came::new(*alert, 1, 0).id();
                let operation = self.desk.answer(alert, *theirs, minute(self.now));
                prop_assert_eq!(operation.is_some(), before.1.contains_key(&alert));
            }
        }
        self.kept.extend(self.desk.take_events().iter().map(|event| Event::clone(event)));
        self.check()
    }

    /// What holds at any time.
    fn check(&self) -> Result<(), TestCaseError> {
        let (states, holders) = self.view();
        let mut seen = BTreeMap::new();
        for (case, state) in &states {
            for alert in &state.alerts {
                prop_assert_eq!(seen.insert(*alert, *case), None, "alert {} is in two cases", alert);
            }
            prop_assert!(state.unseen.is_subset(&state.alerts) && state.judged.is_subset(&state.alerts));
            match &state.phase {
                Phase::Merged { .. } => prop_assert!(state.alerts.is_empty(), "alerts in a case that was merged away"),
                Phase::Closed { closing, confirmed } => {
                    let unjudged: Vec<_> = state.alerts.difference(&state.judged).collect();
                    let hidden = unjudged.iter().find(|alert| !self.quiet.contains(alert));
                    prop_assert_eq!(hidden, None, "nobody looked at it, and it is in a closed case");
                    let amount =
                        |alert: &AlertId| i128::from(self.desk.facts(*alert).unwrap().payments()[0].amount.minor);
                    let at_risk: i128 = state.judged.iter().map(|alert| amount(alert).abs()).sum();
                    let two = confirmed.as_ref().is_some_and(|second| *second != closing.by);
                    prop_assert!(two || at_risk < LIMIT, "{at_risk} closed by one person");
                }
                Phase::Live | Phase::Waiting { .. } => {}
            }
        }
        prop_assert_eq!(&seen, &holders, "an alert is in no case");

        // Everything that people did is there, and counts unless somebody took it back.
        for (operation, counts) in &self.counts {
            let event = self.desk.event(*operation).expect("a person's action is lost");
            for id in &event.cases {
                let case = self.desk.case(*id).unwrap();
                prop_assert!(case.history().iter().any(|event| event.operation == *operation));
                prop_assert_eq!(!case.undone().contains_key(operation), *counts, "operation {}", operation);
            }
        }
        Ok(())
    }
}

/// What in a case is people's own.
fn by_people(state: &State) -> State {
    let mut state = state.clone();
    (state.alerts, state.unseen) = Default::default();
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// No alert in two cases, none in no case, none hidden; no human action lost; four eyes hold; refusals change
    /// nothing; and what was kept makes the same desk.
    #[test]
    fn nothing_is_lost(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step)?;
        }
        let mut same = again(&world.desk, &world.kept, World::alerts());
        prop_assert_eq!(view(&same, World::alerts()), world.view());
        // The index is the same, too: what comes next goes where it would have gone.
        for n in 100..108u128 {
            let next = Came { account: 1 + n as u64 % 4, counterparty: 50 + n as u64 % 3, ..Came::new(n, 1, n as i64) };
            let now = minute(world.now);
            prop_assert_eq!(same.receive(next.facts(), now), world.desk.receive(next.facts(), now));
        }
    }

    /// An action and its undo leave everything as it was, and the undo of the undo everything as the action made it.
    #[test]
    fn undo_is_exact(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            let before = world.view();
            let operations = world.desk.last_numbers().1;
            world.step(step)?;
            let (Step::Act { by, .. }, last) = (step, world.desk.last_numbers().1) else { continue };
            if last == operations {
                continue;
            }
            let after = world.view();
            let undo = world.undo(*by, OperationId(last)).unwrap();
            prop_assert_eq!(world.view(), before, "undo of {:?}", step);
            // A confirmation is given again only by whoever gave it: here the same person asks.
            let redo = world.undo(*by, undo).unwrap();
            prop_assert_eq!(world.view(), after, "undo of the undo of {:?}", step);
            prop_assert_eq!(world.undo(*by, undo), Err(Refusal::Undone { operation: undo, by: redo }));
            world.check()?;
        }
    }

    /// Everything that people did can be undone, last things first, and then it is as if they had done nothing.
    #[test]
    fn all_of_it_can_be_undone(alerts in prop::collection::vec(came(), 1..12), steps in steps()) {
        let mut world = World::new();
        for came in &alerts {
            world.step(&Step::Alert(*came))?;
        }
        let before = world.view();
        for step in steps.iter().filter(|step| !matches!(step, Step::Alert(_) | Step::Answer { .. })) {
            world.step(step)?;
        }
        let acts: Vec<OperationId> = world.counts.keys().copied().filter(|id| !world.undoes.contains_key(id)).collect();
        for operation in acts.into_iter().rev().filter(|id| world.counts[id]).collect::<Vec<_>>() {
            world.undo(0, operation).unwrap();
        }
        prop_assert_eq!(world.view(), before);
        world.check()?;
    }
}
