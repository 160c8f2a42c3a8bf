//! The ranker against a plain sort of each day.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, HashSet};

use crible_alert::{Budget, ModelId, RankError, Ranked, Ranker, Score, Severity};
use crible_core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId};
use proptest::prelude::*;

fn txn(id: u128, account: u64, at: i64) -> Transaction {
    let account = EntityId::new(account).unwrap();
    Transaction::new(TxnId(id), Timestamp(at), account, Amount::new(-100, Currency::USD))
}

fn score(raw: f64) -> Score {
    Score { raw, tail: 0.5 }
}

/// Sort the day, walk down it, take each account once.
fn naive(offers: &[(Transaction, f64)], budget: usize) -> Vec<(i64, u32, TxnId)> {
    let mut days: BTreeMap<i64, Vec<(Transaction, f64)>> = BTreeMap::new();
    for offer in offers {
        days.entry(offer.0.at.day()).or_default().push(*offer);
    }
    let mut winners = Vec::new();
    for (day, mut offers) in days {
        offers.sort_by(|(a, x), (b, y)| y.partial_cmp(x).unwrap().then((a.at, a.id).cmp(&(b.at, b.id))));
        let mut seen = HashSet::new();
        offers.retain(|(txn, _)| seen.insert(txn.account));
        winners.extend((1..).zip(offers.iter().take(budget)).map(|(rank, (txn, _))| (day, rank, txn.id)));
    }
    winners
}

fn streamed(offers: &[(Transaction, f64)], budget: usize, ask_first: bool) -> Vec<(i64, u32, TxnId)> {
    let mut ranker = Ranker::new(Budget::new(budget as u32).unwrap());
    let mut winners: Vec<Ranked<u128>> = Vec::new();
    for (txn, raw) in offers {
        assert!(ranker.may_admit(txn.at, *raw) || !ranker.admits(txn, score(*raw)), "the quick look agrees");
        if ask_first && !(ranker.may_admit(txn.at, *raw) && ranker.admits(txn, score(*raw))) {
            continue;
        }
        winners.extend(ranker.offer(txn, score(*raw), || txn.id.0).unwrap());
    }
    winners.extend(ranker.finish());
    for winner in &winners {
        assert_eq!(winner.payload, winner.txn.id.0, "the payload is that of the transaction kept");
    }
    winners.iter().map(|w| (w.txn.at.day(), w.rank, w.txn.id)).collect()
}

fn offers() -> impl Strategy<Value = Vec<(Transaction, f64)>> {
    // Few accounts, instants and scores, so that ties of every kind are common; -0.0 must tie with 0.0.
    let one = (0i64..4, 0i64..5, 1u64..9, 0u8..7);
    prop::collection::vec(one, 0..120).prop_map(|rows| {
        let mut offers: Vec<_> = rows
            .into_iter()
            .enumerate()
            .map(|(i, (day, hour, account, raw))| {
                let at = (day - 2) * Timestamp::DAY + hour;
                let raw = if raw == 6 { -0.0 } else { f64::from(raw) - 2.0 };
                // References in no order of time.
                (txn((i as u128 * 7_919) % 127, account, at), raw)
            })
            .collect();
        // Days in order, within them as they come.
        offers.sort_by_key(|(txn, _)| txn.at.day());
        offers
    })
}

proptest! {
    #[test]
    fn equals_a_sort_of_each_day(offers in offers(), budget in 1usize..12) {
        let expect = naive(&offers, budget);
        prop_assert_eq!(&streamed(&offers, budget, false), &expect);
        prop_assert_eq!(&streamed(&offers, budget, true), &expect);
    }
}

#[test]
fn a_day_is_returned_when_a_later_one_begins() {
    let mut ranker = Ranker::new(Budget::new(2).unwrap());
    let day = Timestamp::DAY;
    assert!(ranker.offer(&txn(1, 1, 0), score(1.0), || ()).unwrap().is_empty());
    assert!(ranker.offer(&txn(2, 2, day - 1), score(2.0), || ()).unwrap().is_empty());
    let closed = ranker.offer(&txn(3, 1, 3 * day), score(9.0), || ()).unwrap();
    assert_eq!(closed.iter().map(|w| (w.rank, w.txn.id.0)).collect::<Vec<_>>(), [(1, 2), (2, 1)]);
    let last = ranker.finish();
    assert_eq!(last.len(), 1);
    let alert = last[0].alert(Vec::new(), ModelId(0xabc));
    assert_eq!((alert.txn, alert.rank, alert.severity), (TxnId(3), 1, Severity::Low));
    assert_eq!(alert.model.to_string(), "0000000000000abc");
}

#[test]
fn what_comes_late_is_an_error_and_changes_nothing() {
    let mut ranker = Ranker::new(Budget::new(2).unwrap());
    let day = Timestamp::DAY;
    ranker.offer(&txn(1, 1, day + 5), score(1.0), || ()).unwrap();
    let late = txn(2, 2, day - 1);
    assert!(ranker.admits(&late, score(0.0)), "an error must not be skipped");
    let error = ranker.offer(&late, score(9.0), || ()).unwrap_err();
    assert_eq!(error, RankError::Late { id: TxnId(2), at: Timestamp(day - 1), open: Timestamp(day) });
    // Earlier within the open day is fine.
    ranker.offer(&txn(3, 3, day), score(0.5), || ()).unwrap();
    assert_eq!(ranker.finish().iter().map(|w| w.txn.id.0).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn scores_that_cannot_be_ranked_are_refused() {
    let mut ranker = Ranker::new(Budget::new(1).unwrap());
    ranker.offer(&txn(9, 9, 0), score(5.0), || ()).unwrap();
    for bad in [
        score(f64::NAN),
        score(f64::INFINITY),
        score(f64::NEG_INFINITY),
        Score { raw: 9.0, tail: f64::NAN },
        Score { raw: 9.0, tail: 1.5 },
        Score { raw: 9.0, tail: -0.1 },
    ] {
        let error = ranker.offer(&txn(1, 1, 0), bad, || ()).unwrap_err();
        assert!(matches!(error, RankError::BadScore { id: TxnId(1), .. }), "{error}");
        assert!(error.to_string().contains("expected"), "{error}");
    }
    assert_eq!(ranker.finish()[0].txn.id, TxnId(9));
}

#[test]
fn the_payload_is_made_for_those_kept_alone() {
    let mut ranker = Ranker::new(Budget::new(1).unwrap());
    let mut made = 0;
    for (id, account, raw) in [(1, 1, 5.0), (2, 2, 4.0), (3, 1, 3.0), (4, 1, 6.0), (5, 3, 6.0)] {
        ranker.offer(&txn(id, account, id as i64), score(raw), || made += 1).unwrap();
    }
    assert_eq!(made, 2);
}

#[test]
fn a_clock_may_close_a_day() {
    let mut ranker = Ranker::new(Budget::new(1).unwrap());
    ranker.offer(&txn(1, 1, 7), score(1.0), || ()).unwrap();
    assert!(ranker.advance(Timestamp(Timestamp::DAY - 1)).is_empty());
    assert_eq!(ranker.advance(Timestamp(Timestamp::DAY)).len(), 1);
    assert!(ranker.offer(&txn(2, 1, 8), score(1.0), || ()).is_err());
    assert!(ranker.offer(&txn(3, 1, Timestamp::DAY), score(1.0), || ()).unwrap().is_empty());
    assert_eq!(ranker.finish().len(), 1);
}

#[test]
fn the_ends_of_time_are_days_too() {
    let mut ranker = Ranker::new(Budget::new(4).unwrap());
    ranker.offer(&txn(1, 1, i64::MIN), score(1.0), || ()).unwrap();
    ranker.offer(&txn(2, 2, i64::MIN + 1), score(2.0), || ()).unwrap();
    assert_eq!(ranker.offer(&txn(3, 3, i64::MAX), score(1.0), || ()).unwrap().len(), 2);
    ranker.offer(&txn(4, 4, i64::MAX), score(1.0), || ()).unwrap();
    assert_eq!(ranker.finish().len(), 2);
}
