//! The store does what the desk in memory does, step by step, whatever happens.

use std::collections::BTreeSet;

use crible_case::*;
use crible_core::{Amount, Currency, Window};
use crible_store::{CaseFilter, Store};
use proptest::prelude::*;

use crate::alerts::{Came, minute, order, view};
use crate::common::{act, block_on, close, each_store, key, now, receive};
use crate::postgres;

const USERS: [&str; 3] = ["ana", "ben", "cleo"];
const ALERTS: u128 = 16;

#[derive(Clone, Debug)]
enum Step {
    Alerts(Vec<Came>),
    Act(usize, u64, Action),
    Bulk(usize, u8, Action),
    Undo(usize, u64),
    UndoBulk(usize, u64),
    Answer(u128, bool),
}

fn came() -> impl Strategy<Value = Came> {
    (0..ALERTS, 100i64..103).prop_map(|(n, dollars)| Came {
        account: 1 + n as u64 % 4,
        counterparty: 50 + n as u64 % 3,
        ring: if n % 5 == 0 { 70 } else { 0 },
        at: minute(n as i64 * 37 % 240),
        dollars,
        ..Came::new(n, 1, 0)
    })
}

fn action() -> impl Strategy<Value = Action> {
    let disposition = prop::sample::select(Disposition::ALL.to_vec());
    prop_oneof![
        1 => (0usize..3).prop_map(|to| Action::Assign(USERS[to].parse().unwrap())),
        1 => Just(Action::Wait { until: None }),
        4 => (disposition, any::<bool>()).prop_map(|(disposition, quiet)| Action::Close {
            disposition,
            note: Some("as agreed".parse().unwrap()),
            quiet_until: quiet.then(|| minute(330)),
        }),
        2 => Just(Action::Confirm),
        2 => Just(Action::Reopen),
        2 => (0u8..9).prop_map(|n| Action::Note(format!("note {n}").parse().unwrap())),
        1 => Just(Action::Tag("seen".parse().unwrap())),
        3 => prop::collection::btree_set(0..ALERTS, 1..4)
            .prop_map(|alerts| Action::Split(alerts.into_iter().map(|n| Came::new(n, 1, 0).id()).collect())),
        2 => (1u64..6).prop_map(|into| Action::Merge(CaseId(into))),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => prop::collection::vec(came(), 1..4).prop_map(Step::Alerts),
        7 => (0usize..3, 1u64..6, action()).prop_map(|(by, case, action)| Step::Act(by, case, action)),
        1 => (0usize..3, any::<u8>(), action()).prop_map(|(by, cases, action)| Step::Bulk(by, cases, action)),
        4 => (0usize..3, 0u64..8).prop_map(|(by, back)| Step::Undo(by, back)),
        1 => (0usize..3, 0u64..8).prop_map(|(by, back)| Step::UndoBulk(by, back)),
        1 => (0..ALERTS, any::<bool>()).prop_map(|(alert, theirs)| Step::Answer(alert, theirs)),
    ];
    prop::collection::vec(step, 1..40)
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    (settings.account, settings.ring) = (Window::HOUR, Window(Window::HOUR.0 / 2));
    settings.four_eyes = Some(FourEyes::new([Amount::new(30_000, Currency::USD)]));
    settings
}

fn ids() -> impl Iterator<Item = crible_alert::AlertId> {
    (0..ALERTS).map(|n| Came::new(n, 1, 0).id())
}

/// Does the steps on a store, each in a transaction of its own, and on a desk in memory.
async fn both_agree(store: &Store, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut desk = Desk::new(settings());
    for (n, step) in steps.iter().enumerate() {
        let minutes = 300 + n as i64;
        let (at, settings) = (minute(minutes), settings());
        let mut txn = store.begin(at).await.unwrap();
        match step {
            Step::Alerts(alerts) => {
                let expected: Vec<_> = alerts.iter().map(|came| (came.id(), desk.receive(came.facts(), at))).collect();
                let facts = alerts.iter().map(|came| came.facts()).collect();
                prop_assert_eq!(txn.receive(&settings, facts).await.unwrap(), expected);
            }
            Step::Act(by, case, action) => {
                let order = order(USERS[*by], minutes);
                let expected = desk.act(&order, CaseId(*case), action);
                prop_assert_eq!(txn.act(&settings, &order, CaseId(*case), action).await.unwrap(), expected);
            }
            Step::Bulk(by, bits, action) => {
                let order = order(USERS[*by], minutes);
                let cases: BTreeSet<CaseId> = (0..8).filter(|i| bits >> i & 1 == 1).map(|i| CaseId(i + 1)).collect();
                let expected = desk.act_on_all(&order, cases.iter().copied(), action);
                prop_assert_eq!(txn.act_on_all(&settings, &order, &cases, action).await.unwrap(), expected);
            }
            Step::Undo(by, back) => {
                let order = order(USERS[*by], minutes);
                let target = OperationId(desk.last_numbers().1.saturating_sub(*back));
                let expected = desk.undo(&order, target);
                prop_assert_eq!(txn.undo(&settings, &order, target).await.unwrap(), expected);
            }
            Step::UndoBulk(by, back) => {
                let order = order(USERS[*by], minutes);
                let first = OperationId(desk.last_numbers().1.saturating_sub(*back));
                let expected = desk.undo_bulk(&order, first);
                prop_assert_eq!(txn.undo_bulk(&settings, &order, first).await.unwrap(), expected);
            }
            Step::Answer(alert, theirs) => {
                let alert = Came::new(*alert, 1, 0).id();
                let expected = desk.holder(alert).zip(desk.answer(alert, *theirs, at));
                prop_assert_eq!(txn.answer(&settings, alert, *theirs).await.unwrap(), expected);
            }
        }
        txn.commit().await.unwrap();
        desk.take_events();
    }
    let mut reader = store.read(minute(999)).await.unwrap();
    let all: BTreeSet<CaseId> = (1..=desk.last_numbers().0).map(CaseId).collect();
    let kept = reader.desk(&settings(), &all).await.unwrap();
    prop_assert_eq!(view(&kept, ids()), view(&desk, ids()));
    prop_assert_eq!(kept.last_numbers(), desk.last_numbers());
    for case in desk.cases() {
        let same = kept.case(case.id()).unwrap();
        prop_assert_eq!((same.history(), same.keys()), (case.history(), case.keys()));
        // Each case alone is what it is among all.
        let alone = reader.desk_of(&settings(), case.id()).await.unwrap();
        prop_assert_eq!(alone.case(case.id()).unwrap().state(), case.state());
        prop_assert_eq!(alone.summary(case.id()), desk.summary(case.id()));
    }
    // What lists are made of follows.
    let filter = {
        let mut all = CaseFilter::default();
        all.all = true;
        all
    };
    let rows = reader.cases(&filter, 0, 1_000).await.unwrap();
    let states: Vec<(CaseId, &State)> = desk.cases().filter_map(|case| Some((case.id(), case.state()?))).collect();
    prop_assert_eq!(reader.count_cases(&filter).await.unwrap(), states.len() as u64);
    prop_assert_eq!(rows.len(), states.len());
    for row in rows {
        let state = desk.case(row.id).and_then(Case::state).unwrap();
        let about = desk.summary(row.id);
        prop_assert_eq!(row.status, state.status());
        prop_assert_eq!(row.owner.as_deref(), state.owner.as_ref().map(User::as_str));
        prop_assert_eq!((row.alerts, row.unseen), (state.alerts.len() as u64, state.unseen.len() as u64));
        prop_assert_eq!(row.shown.map(|shown| shown.accounts), about.as_ref().map(|about| about.accounts));
        prop_assert_eq!(
            about.map(|about| (about.severity, about.tail)).unwrap_or((row.severity, 1.0)),
            (row.severity, row.tail)
        );
    }
    for alert in ids() {
        prop_assert_eq!(reader.case_of(alert).await.unwrap(), desk.holder(alert));
    }
    let mut labels: Vec<_> = desk.cases().flat_map(|case| desk.labels(case.id())).collect();
    let mut stored = reader.labels().await.unwrap();
    for labels in [&mut labels, &mut stored] {
        labels.sort_by_key(|label| (label.transaction, label.known_at, label.source, label.class));
        labels.dedup();
    }
    prop_assert_eq!(stored, labels);
    prop_assert!(reader.verify().await.unwrap().is_ok());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn the_store_agrees_with_the_desk(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("alerts.db").display().to_string();
        block_on(async {
            let store = Store::open(&url, &key(), now(0)).await.unwrap();
            let agreed = both_agree(&store, &steps).await;
            store.close().await;
            agreed
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 50, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn so_it_does_in_postgres(steps in steps()) {
        let Some(url) = postgres::database() else { return Ok(()) };
        block_on(async {
            let store = Store::open(&url, &key(), now(0)).await.unwrap();
            let agreed = both_agree(&store, &steps).await;
            store.close().await;
            agreed
        })?;
    }
}

#[test]
fn a_transaction_that_is_dropped_never_was() {
    each_store(async |store| {
        receive(&store, 1, &[Came::new(1, 1, 0)]).await;
        let before = store.read(now(9)).await.unwrap().log_entries(0, 99).await.unwrap();
        for abandon in [true, false] {
            let mut txn = store.begin(now(2)).await.unwrap();
            txn.receive(&Settings::default(), vec![Came::new(2, 2, 0).facts()]).await.unwrap();
            let order = order("ana", 2);
            txn.act(&Settings::default(), &order, CaseId(1), &close(Disposition::Fraud)).await.unwrap().unwrap();
            if abandon {
                txn.abandon().await.unwrap();
            } else {
                drop(txn);
            }
        }
        // The numbers are given again, since nobody saw them.
        assert_eq!(receive(&store, 3, &[Came::new(3, 3, 0)]).await, [CaseId(2)]);
        let mut reader = store.read(now(9)).await.unwrap();
        assert_eq!(reader.log_entries(0, 99).await.unwrap()[..before.len()], before);
        assert_eq!(reader.case_of(Came::new(2, 2, 0).id()).await.unwrap(), None);
        assert!(reader.verify().await.unwrap().is_ok());
    });
}

#[test]
fn lists_are_in_the_order_to_look_at_them() {
    each_store(async |store| {
        use crible_alert::Severity::{Critical, High, Medium};
        let alerts: Vec<Came> = [(1, High), (2, Critical), (3, Medium), (4, Critical)]
            .map(|(n, severity)| Came { severity, ..Came::new(n, n as u64, 0) })
            .into();
        receive(&store, 1, &alerts).await;
        act(&store, 2, CaseId(4), &Action::Tag("card_testing".parse().unwrap())).await.unwrap();
        act(&store, 2, CaseId(3), &Action::Tag("cardXtesting".to_lowercase().parse().unwrap())).await.unwrap();
        act(&store, 2, CaseId(1), &close(Disposition::Fraud)).await.unwrap();
        let mut reader = store.read(now(9)).await.unwrap();
        let mut list = async |filter: CaseFilter| -> Vec<u64> {
            let rows = reader.cases(&filter, 0, 99).await.unwrap();
            assert_eq!(reader.count_cases(&filter).await.unwrap(), rows.len() as u64);
            rows.iter().map(|row| row.id.0).collect()
        };
        let with = |change: fn(&mut CaseFilter)| {
            let mut filter = CaseFilter::default();
            change(&mut filter);
            filter
        };
        assert_eq!(list(CaseFilter::default()).await, [2, 4, 3]);
        assert_eq!(list(with(|filter| filter.all = true)).await, [2, 4, 3, 1]);
        assert_eq!(list(CaseFilter::of(Status::Closed)).await, [1]);
        assert_eq!(list(CaseFilter::of(Status::Assigned)).await, [4, 3]);
        assert_eq!(list(with(|filter| filter.owner = "ana".parse().ok())).await, [4, 3]);
        assert_eq!(list(with(|filter| filter.severity = Some(Critical))).await, [2, 4]);
        assert_eq!(list(with(|filter| filter.tag = "card_testing".parse().ok())).await, [4]);
        assert!(list(with(|filter| filter.overdue = true)).await.is_empty());
        let second = reader.cases(&CaseFilter::default(), 1, 1).await.unwrap();
        assert_eq!((second.len(), second[0].id), (1, CaseId(4)));
    });
}
