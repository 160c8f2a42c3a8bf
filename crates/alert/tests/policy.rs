//! Policies: the daily budget against a plain sort of each day, the threshold, lateness, clocks and saving.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, HashSet};

use crible_alert::{
    Alert, Budget, DailyBudget, Day, Decision, ModelId, Note, Policy, PolicyError, Reason, Score, Severity, Threshold,
};
use crible_core::{
    Amount, Code, Currency, EntityId, Position, Source, Timestamp, Transaction, TxnId, Undo, Unit, Window,
};
use proptest::prelude::*;

const DAY: i64 = Timestamp::DAY;

fn txn(id: u128, account: u64, at: i64) -> Transaction {
    let account = EntityId::new(account).unwrap();
    Transaction::new(TxnId(id), Timestamp(at), account, Amount::new(-100, Currency::USD))
}

fn decision(id: u128, account: u64, at: i64, raw: f64) -> Decision {
    scored(id, account, at, Score { raw, tail: 0.5 }, Severity::Low)
}

fn scored(id: u128, account: u64, at: i64, score: Score, severity: Severity) -> Decision {
    let mut decision = Decision::new(&txn(id, account, at), score, severity, &[id as f32], ModelId(7));
    // References are in no order of the input.
    decision.source = Some(Source { file: 0, row: (id as u64).reverse_bits() });
    decision
}

fn budget(per_day: u32) -> DailyBudget {
    DailyBudget::new(Budget::new(per_day).unwrap())
}

fn named(alerts: &[Alert]) -> Vec<(i64, u32, u128)> {
    alerts.iter().map(|alert| (alert.day.0, alert.rank, alert.decision.txn.id.0)).collect()
}

/// Sort the day, walk down it, take each account once.
fn naive(offers: &[Decision], budget: usize) -> Vec<(i64, u32, u128)> {
    let mut days: BTreeMap<i64, Vec<&Decision>> = BTreeMap::new();
    for offer in offers {
        days.entry(offer.txn.at.day()).or_default().push(offer);
    }
    let mut winners = Vec::new();
    for (day, mut offers) in days {
        let place = |d: &Decision| (d.txn.at, d.source);
        offers.sort_by(|a, b| b.score.raw.partial_cmp(&a.score.raw).unwrap().then(place(a).cmp(&place(b))));
        let mut seen = HashSet::new();
        offers.retain(|offer| seen.insert(offer.txn.account));
        winners.extend((1..).zip(offers.iter().take(budget)).map(|(rank, offer)| (day, rank, offer.txn.id.0)));
    }
    winners
}

fn run(policy: &mut dyn Policy, offers: &[Decision], ask_first: bool) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for offer in offers {
        alerts.extend(policy.tick(offer.txn.at));
        if !ask_first || policy.admits(offer.txn.at, offer.score, offer.severity) {
            alerts.extend(policy.offer(offer.clone()).unwrap());
        }
    }
    alerts.extend(policy.finish());
    for alert in &alerts {
        assert_eq!(alert.decision.row[0], alert.decision.txn.id.0 as f32, "the decision is the one that was offered");
    }
    alerts
}

fn offers() -> impl Strategy<Value = Vec<Decision>> {
    // Few accounts, instants and scores, so that ties of every kind are common; -0.0 must tie with 0.0.
    let one = (0i64..4, 0i64..5, 1u64..9, 0u8..7);
    prop::collection::vec(one, 0..120).prop_map(|rows| {
        let offer = |(i, (day, hour, account, raw)): (usize, (i64, i64, u64, u8))| {
            let raw = if raw == 6 { -0.0 } else { f64::from(raw) - 2.0 };
            decision((i as u128 * 7_919) % 127, account, (day - 2) * DAY + hour, raw)
        };
        let mut offers: Vec<_> = rows.into_iter().enumerate().map(offer).collect();
        // Days in order, within them as they come.
        offers.sort_by_key(|offer| offer.txn.at.day());
        offers
    })
}

proptest! {
    #[test]
    fn a_budget_equals_a_sort_of_each_day(offers in offers(), per_day in 1usize..12) {
        let expect = naive(&offers, per_day);
        prop_assert_eq!(&named(&run(&mut budget(per_day as u32), &offers, false)), &expect);
        prop_assert_eq!(&named(&run(&mut budget(per_day as u32), &offers, true)), &expect);
    }

    /// What comes late within the lateness is placed: alerts are those of the order of time.
    #[test]
    fn late_offers_change_no_alert(
        offers in offers(),
        per_day in 1usize..12,
        delays in prop::collection::vec(0i64..3, 120),
    ) {
        let lateness = 2 * DAY;
        let mut late: Vec<_> = offers.iter().zip(&delays).collect();
        late.sort_by_key(|(offer, delay)| offer.txn.at.0 + **delay * lateness / 2);
        let late: Vec<_> = late.into_iter().map(|(offer, _)| offer.clone()).collect();
        let mut policy = budget(per_day as u32);
        policy.allow_late(Window(lateness));
        let mut got = named(&run(&mut policy, &late, true));
        got.sort_unstable();
        let mut expect = naive(&offers, per_day);
        expect.sort_unstable();
        prop_assert_eq!(got, expect);
    }

    /// Stories, and the payments they list, are those of the order of time.
    #[test]
    fn late_offers_change_no_story(offers in offers(), per_day in 1usize..12, delays in prop::collection::vec(0i64..3, 120)) {
        let lateness = 2 * DAY;
        let stories = |offers: &[Decision]| {
            let mut policy = budget(per_day as u32).stories(Window(DAY));
            policy.allow_late(Window(lateness));
            let payments = |alert: &Alert| alert.payments.iter().map(|payment| payment.id.0).collect::<Vec<_>>();
            let alerts = run(&mut policy, offers, true);
            alerts.iter().map(|alert| (alert.day, alert.decision.txn.id.0, payments(alert))).collect::<Vec<_>>()
        };
        let mut ordered = offers.clone();
        ordered.sort_by_key(|offer| offer.txn.at);
        let mut late: Vec<_> = ordered.iter().zip(&delays).collect();
        late.sort_by_key(|(offer, delay)| offer.txn.at.0 + **delay * lateness / 2);
        let late: Vec<_> = late.into_iter().map(|(offer, _)| offer.clone()).collect();
        prop_assert_eq!(stories(&late), stories(&ordered));
    }

    /// Saved anywhere and loaded into a new policy, both policies go on as if nothing had been.
    #[test]
    fn a_saved_policy_goes_on(offers in offers(), per_day in 1u32..12, cut in 0usize..120, lateness in 0i64..3) {
        let cut = cut.min(offers.len());
        let fresh: [fn(u32) -> Box<dyn Policy>; 3] = [
            |per_day| Box::new(budget(per_day).stories(Window(2 * DAY))),
            |per_day| Box::new(budget(per_day)),
            |_| Box::new(Threshold::new(Severity::Low)),
        ];
        for fresh in fresh {
            let mut whole = fresh(per_day);
            whole.allow_late(Window(lateness * DAY));
            let expect = run(whole.as_mut(), &offers, false);
            let mut first = fresh(per_day);
            first.allow_late(Window(lateness * DAY));
            let mut got = Vec::new();
            for offer in &offers[..cut] {
                got.extend(first.offer(offer.clone()).unwrap());
            }
            let mut second = fresh(per_day);
            second.allow_late(Window(lateness * DAY));
            let saved = first.save();
            second.load(&saved).unwrap();
            prop_assert!(second.save() == saved);
            got.extend(run(second.as_mut(), &offers[cut..], false));
            prop_assert_eq!(got, expect);
        }
    }
}

#[test]
fn a_day_is_returned_when_a_later_one_begins() {
    let mut policy = budget(2);
    assert!(policy.offer(decision(1, 1, 0, 1.0)).unwrap().is_empty());
    assert!(policy.offer(decision(2, 2, DAY - 1, 2.0)).unwrap().is_empty());
    let closed = policy.offer(decision(3, 1, 3 * DAY, 9.0)).unwrap();
    assert_eq!(named(&closed), [(0, 1, 2), (0, 2, 1)]);
    let last = policy.finish();
    assert_eq!(named(&last), [(3, 1, 3)]);
    assert_eq!(last[0].day.to_string(), "1970-01-04");
    assert!(policy.finish().is_empty());
}

#[test]
fn what_comes_after_its_day_was_closed_counts_for_the_open_one() {
    let mut policy = budget(2);
    policy.offer(decision(1, 1, DAY + 5, 1.0)).unwrap();
    let late = decision(2, 2, DAY - 1, 9.0);
    assert!(policy.admits(late.txn.at, late.score, late.severity));
    policy.offer(late).unwrap();
    assert_eq!(named(&policy.finish()), [(1, 1, 2), (1, 2, 1)]);
}

#[test]
fn a_day_stays_open_for_what_may_be_late() {
    let mut policy = budget(1);
    policy.allow_late(Window::HOUR);
    policy.offer(decision(1, 1, 7, 1.0)).unwrap();
    assert!(policy.offer(decision(2, 2, DAY + Window::HOUR.0 - 1, 1.0)).unwrap().is_empty());
    assert!(policy.offer(decision(3, 3, DAY - 1, 3.0)).unwrap().is_empty());
    let closed = policy.tick(Timestamp(DAY + Window::HOUR.0));
    assert_eq!(named(&closed), [(0, 1, 3)]);
    assert!(policy.tick(Timestamp(DAY)).is_empty(), "a clock that goes back changes nothing");
    assert_eq!(named(&policy.finish()), [(1, 1, 2)]);
}

#[test]
fn scores_that_cannot_be_ranked_are_refused() {
    for mut policy in [Box::new(budget(1)) as Box<dyn Policy>, Box::new(Threshold::new(Severity::Critical))] {
        policy.offer(decision(9, 9, 0, 5.0)).unwrap();
        let score = |raw, tail| Score { raw, tail };
        for bad in [
            score(f64::NAN, 0.5),
            score(f64::INFINITY, 0.5),
            score(f64::NEG_INFINITY, 0.5),
            score(9.0, f64::NAN),
            score(9.0, 1.5),
            score(9.0, -0.1),
        ] {
            assert!(policy.admits(Timestamp(0), bad, Severity::Low), "an error must not be skipped: {bad:?}");
            let error = policy.offer(scored(1, 1, 0, bad, Severity::Low)).unwrap_err();
            assert!(matches!(error, PolicyError::BadScore { id: TxnId(1), .. }), "{error}");
            assert!(error.to_string().contains("expected"), "{error}");
        }
    }
}

#[test]
fn a_budget_may_ask_for_a_severity() {
    let of = |id, severity| scored(id, id as u64, 0, Score { raw: id as f64, tail: 0.5 }, severity);
    let mut policy = budget(5).at_least(Severity::Medium);
    assert!(!policy.admits(Timestamp(0), Score { raw: 9.0, tail: 0.5 }, Severity::Low));
    for offer in [of(1, Severity::Low), of(2, Severity::Medium), of(3, Severity::Critical), of(4, Severity::Low)] {
        policy.offer(offer).unwrap();
    }
    assert_eq!(named(&policy.finish()), [(0, 1, 3), (0, 2, 2)]);
}

#[test]
fn a_threshold_raises_an_account_once_a_day_and_once_more_for_a_graver_severity() {
    let mut policy = Threshold::new(Severity::Medium);
    let mut raised = Vec::new();
    for (id, account, at, severity) in [
        (1, 1, 0, Severity::Low),
        (2, 1, 1, Severity::Medium),
        (3, 1, 2, Severity::Medium),
        (4, 1, 3, Severity::Critical),
        (5, 1, 4, Severity::High),
        (6, 2, 5, Severity::High),
        (7, 1, DAY, Severity::Medium),
    ] {
        raised.extend(policy.offer(scored(id, account, at, Score { raw: 1.0, tail: 0.0 }, severity)).unwrap());
    }
    assert_eq!(named(&raised), [(0, 1, 2), (0, 2, 4), (0, 3, 6), (1, 1, 7)]);
    assert!(policy.finish().is_empty());
}

#[test]
fn the_ends_of_time_are_days_too() {
    let mut policy = budget(4);
    policy.offer(decision(1, 1, i64::MIN, 1.0)).unwrap();
    policy.offer(decision(2, 2, i64::MIN + 1, 2.0)).unwrap();
    assert_eq!(policy.offer(decision(3, 3, i64::MAX, 1.0)).unwrap().len(), 2);
    policy.offer(decision(4, 4, i64::MAX, 1.0)).unwrap();
    assert_eq!(policy.finish().len(), 2);
}

/// Everything a decision can hold is there again after loading.
#[test]
fn a_decision_is_saved_whole() {
    let mut full = decision(1, 1, 77, 2.5);
    full.txn.counterparty = EntityId::new(5);
    full.txn.balance_before = Some(-40);
    full.txn.channel = Code::new("online");
    full.txn.category = Code::new("a category longer than sixteen bytes");
    full.txn.country = Code::new("DE");
    full.txn.position = Position::from_degrees(48.1, -2.0);
    full.txn.device = EntityId::new(6);
    full.txn.address = EntityId::new(u64::MAX);
    full.note = Some(Note::Undone { how: Undo::Refund, at: Timestamp(9 * DAY) });
    full.reasons = vec![Reason {
        column: "amount".into(),
        unit: Unit::Money,
        value: 1.0,
        typical: Some(0.5),
        share: 0.25,
        text: "amount 1.00".to_owned(),
    }];
    let mut policy = budget(3);
    policy.offer(full.clone()).unwrap();
    policy.offer(decision(2, 2, 78, 1.0)).unwrap();
    let mut loaded = budget(3);
    loaded.load(&policy.save()).unwrap();
    let alerts = loaded.finish();
    assert_eq!(alerts[0].decision, full);
    assert_eq!(alerts[0].decision.note.unwrap().to_string(), "refunded on 1970-01-10");
    assert_eq!(alerts[1].decision.source, decision(2, 2, 78, 1.0).source);
    assert_eq!(alerts[0].day, Day(0));
}

#[test]
fn bytes_that_no_policy_saved_are_refused_and_change_nothing() {
    let mut policy = budget(3);
    policy.offer(decision(1, 1, 0, 1.0)).unwrap();
    let saved = policy.save();
    for cut in 0..saved.len() {
        let error = policy.load(&saved[..cut]).unwrap_err();
        assert!(error.to_string().starts_with("this is no saved daily budget"), "{error}");
    }
    assert_eq!(named(&policy.finish()), [(0, 1, 1)]);
    assert!(Threshold::new(Severity::Low).load(&[1, 2, 3]).is_err());
}

/// An account that goes on is one story, until it is graver or has rested.
#[test]
fn a_story_is_one_alert() {
    let mut policy = budget(5).stories(Window(2 * DAY));
    let at = |id: u128, day: i64, severity| scored(id, 1, day * DAY, Score { raw: 1.0, tail: 0.001 }, severity);
    let (low, high) = (Severity::Low, Severity::High);
    let days = [(1, 0, low), (2, 1, low), (3, 3, low), (4, 4, high), (5, 5, high), (6, 8, low)];
    let offers: Vec<_> = days.into_iter().map(|(id, day, severity)| at(id, day, severity)).collect();
    let raised: Vec<_> = run(&mut policy, &offers, false).iter().map(|alert| alert.decision.txn.id.0).collect();
    assert_eq!(raised, [1, 4, 6]);
}

/// Groceries after a spree are in no story, unless they were bought where the spree was.
#[test]
fn a_story_has_what_belongs_to_it() {
    let payment = |id: u128, raw: f64, to: u64, is_own: bool| {
        let mut decision = scored(id, 1, id as i64 * 1_000, Score { raw, tail: 1e-3 }, Severity::High);
        decision.txn.counterparty = EntityId::new(to);
        decision.is_own = is_own;
        decision
    };
    let spree = [
        payment(1, 5.0, 10, true),
        payment(2, 9.0, 11, true),
        // Groceries, and one more of many small payments.
        payment(3, 4.0, 12, false),
        payment(4, 3.0, 11, false),
    ];
    let listed = |policy: &mut DailyBudget| {
        let alerts = policy.finish();
        assert_eq!(alerts.len(), 1);
        alerts[0].payments.iter().map(|payment| payment.id.0).collect::<Vec<_>>()
    };
    let mut policy = budget(5).stories(Window(7 * DAY));
    for offer in &spree {
        policy.offer(offer.clone()).unwrap();
    }
    let mut loaded = budget(5).stories(Window(7 * DAY));
    loaded.load(&policy.save()).unwrap();
    assert_eq!(loaded.save(), policy.save());
    assert_eq!(listed(&mut policy), [1, 2, 4]);
    assert_eq!(listed(&mut loaded), [1, 2, 4], "what belongs to a story is saved with it");

    // What leads is in its own story, whatever it is strange for.
    let mut policy = budget(5).stories(Window(7 * DAY));
    for offer in [payment(1, 9.0, 10, false), payment(2, 5.0, 12, false), payment(3, 4.0, 10, false)] {
        policy.offer(offer).unwrap();
    }
    assert_eq!(listed(&mut policy), [1, 3]);
}

/// What was saved before payments had a counterparty loads, and every payment of it belongs to its story.
#[test]
fn a_budget_saved_before_stories_were_told_apart_loads() {
    let mut policy = budget(5);
    for id in 1..4 {
        policy.offer(decision(id, 1, id as i64, id as f64)).unwrap();
    }
    let mut bytes = policy.save();
    // One decision, three payments without a counterparty: 1 + 1, 1 + 3 × 2 bytes.
    bytes.truncate(bytes.len() - 9);
    let mut loaded = budget(5);
    assert!(loaded.load(&bytes).is_err(), "it has been cut");
    loaded.load(&bytes[1..]).unwrap();
    assert_eq!(loaded.finish()[0].payments.len(), 3);
    bytes.extend([0, 0]);
    assert!(budget(5).load(&bytes).is_err_and(|error| error.to_string().contains("do not match")));
}
