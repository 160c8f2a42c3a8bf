//! The windows against a brute-force oracle that keeps every transaction and looks at all of them every time.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod brute;

use std::collections::BTreeSet;

use crible_core::{Amount, Batch, Code, Currency, EntityId, Has, Position, Timestamp, Transaction, TxnId};
use crible_feature::{Block, FeatureSet};
use proptest::prelude::*;

const ALL: Has =
    Has { counterparty: true, category: true, channel: true, country: true, position: true, balance: true };
const HOUR: i64 = 3_600 * Timestamp::SECOND;
const DAY: i64 = Timestamp::DAY;

/// Few accounts, few places, times that collide and steps that land on window edges.
fn stream() -> impl Strategy<Value = Vec<Transaction>> {
    let step = prop_oneof![
        3 => Just(0),
        3 => 1i64..HOUR,
        2 => Just(HOUR),
        2 => HOUR..DAY,
        2 => Just(DAY),
        1 => Just(7 * DAY),
        1 => 1i64..31 * DAY,
    ];
    // Often a round amount, one just below a threshold, or one that comes again.
    let minor = prop_oneof![
        3 => -20_000i64..20_000,
        1 => (-200i64..200).prop_map(|x| x * 10_000),
        1 => prop::sample::select(vec![-90_000, -89_999, -99_999, -100_000, 299_999, -1_499_999, -1_349_999, -100, -101]),
    ];
    let row = (step, 1u64..4, 0u64..4, minor, 0u8..27, any::<bool>(), 0i64..40_000);
    prop::collection::vec(row, 1..120).prop_map(|rows| {
        let mut at = 1_600_000_000_000_000;
        rows.into_iter()
            .enumerate()
            .map(|(i, (step, account, place, minor, words, euro, balance))| {
                at += step;
                let currency = if euro { Currency::EUR } else { Currency::USD };
                let mut txn = Transaction::new(
                    TxnId(i as u128),
                    Timestamp(at),
                    EntityId::new(account).unwrap(),
                    Amount::new(minor, currency),
                );
                txn.counterparty = EntityId::new(place);
                let word = |words: [&str; 3], of: u8| Code::new(words[usize::from(of % 3)]);
                txn.category = word(["", "food", "fuel"], words);
                txn.channel = word(["", "online", "chip"], words / 3);
                txn.country = word(["", "DE", "FR"], words / 9);
                txn.position = (place > 1).then(|| Position::from_degrees(place as f64, 2.0).unwrap());
                txn.balance_before = Some(balance);
                txn
            })
            .collect()
    })
}

fn run(txns: &[Transaction]) -> (Vec<String>, Vec<Vec<f32>>) {
    let mut set = FeatureSet::new(ALL);
    let names = set.columns().iter().map(|c| c.name.to_string()).collect();
    let width = set.columns().len();
    let rows = txns
        .iter()
        .map(|txn| {
            let mut row = vec![f32::NAN; width];
            set.step(txn, &mut row).unwrap();
            row
        })
        .collect();
    (names, rows)
}

fn agrees(txns: &[Transaction]) -> Result<(), TestCaseError> {
    let (names, rows) = run(txns);
    for (i, row) in rows.iter().enumerate() {
        let expected = brute::row(&txns[..i], &txns[i]);
        // A column added without an oracle of its own is a failure.
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>(), expected.keys().collect::<BTreeSet<_>>());
        for (name, value) in names.iter().zip(row) {
            let want = expected[name];
            let error = (f64::from(*value) - want.value).abs();
            prop_assert!(error <= want.within, "{}, row {i} of {txns:?}: got {value}, want {want:?}", name);
        }
    }
    Ok(())
}

fn bits(row: &[f32]) -> Vec<u32> {
    row.iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Contract 4: every column agrees with an oracle that looks at all earlier transactions every time.
    #[test]
    fn every_column_agrees_with_brute_force(txns in stream()) {
        agrees(&txns)?;
    }

    /// Contract 2: however a stream is cut into blocks, and whichever rows are read, the rows are the same to the bit.
    #[test]
    fn blocks_change_no_bit(txns in stream(), cuts in prop::collection::vec(1usize..40, 1..8), skip in 1usize..5) {
        let (_, want) = run(&txns);
        let batch = Batch::from_transactions(txns.iter().copied());
        let mut set = FeatureSet::new(ALL);
        let mut block = Block::default();
        let mut row = vec![0.0; set.columns().len()];
        let (mut from, mut cuts) = (0, cuts.into_iter().cycle());
        while from < txns.len() {
            let to = (from + cuts.next().unwrap()).min(txns.len());
            set.step_all(&batch, from..to, |i| i % skip == 0, &mut block).unwrap();
            let read: Vec<_> = (from..to).filter(|i| i % skip == 0).collect();
            prop_assert_eq!(block.rows(), read.len());
            for (at, i) in read.into_iter().enumerate() {
                block.copy_row(at, &mut row);
                prop_assert_eq!(bits(&row), bits(&want[i]));
            }
            from = to;
        }
    }

    /// Leaving columns out changes no bit of the others.
    #[test]
    fn a_smaller_set_reads_the_same(txns in stream()) {
        let (names, rows) = run(&txns);
        let mut set = FeatureSet::to_score(ALL);
        let kept: Vec<usize> =
            set.columns().iter().map(|c| names.iter().position(|n| *n == c.name).unwrap()).collect();
        prop_assert!(kept.len() < names.len());
        let mut row = vec![f32::NAN; kept.len()];
        for (txn, whole) in txns.iter().zip(&rows) {
            set.step(txn, &mut row).unwrap();
            for (&at, value) in kept.iter().zip(&row) {
                prop_assert_eq!(whole[at].to_bits(), value.to_bits());
            }
        }
    }

    /// A state saved midway goes on as if nothing had been, and is the same bytes whether rows came one by one or as a batch.
    #[test]
    fn a_saved_state_goes_on(txns in stream(), cut in 0.0f64..1.0) {
        let (_, want) = run(&txns);
        let cut = (txns.len() as f64 * cut) as usize;
        let past = Batch::from_transactions(txns[..cut].iter().copied());
        let mut batched = FeatureSet::new(ALL);
        batched.step_all(&past, 0..cut, |_| false, &mut Block::default()).unwrap();
        let saved = batched.save();
        let mut set = FeatureSet::new(ALL);
        set.merge(&saved).unwrap();
        prop_assert_eq!(set.watermark(), batched.watermark());
        prop_assert!(set.save() == saved);
        let mut row = vec![f32::NAN; set.columns().len()];
        for (txn, want) in txns[cut..].iter().zip(&want[cut..]) {
            set.step(txn, &mut row).unwrap();
            prop_assert_eq!(&bits(&row), &bits(want));
        }
        let mut one_by_one = FeatureSet::new(ALL);
        txns.iter().for_each(|txn| one_by_one.step(txn, &mut row).unwrap());
        prop_assert!(set.save() == one_by_one.save());
    }

    /// Sets that have seen different accounts make, together, the set that has seen them all, places and categories included.
    #[test]
    fn merged_states_are_as_one(txns in stream(), cut in 0.0f64..1.0, share in 0u64..8) {
        let (_, want) = run(&txns);
        let cut = (txns.len() as f64 * cut) as usize;
        let mut sets = [FeatureSet::new(ALL), FeatureSet::new(ALL)];
        let mut row = vec![f32::NAN; want[0].len()];
        let side = |txn: &Transaction| usize::from(share >> (txn.account.get() - 1) & 1 == 1);
        for txn in &txns[..cut] {
            sets[side(txn)].step(txn, &mut row).unwrap();
        }
        let [mut one, other] = sets;
        one.merge(&other.save()).unwrap();
        for (txn, want) in txns[cut..].iter().zip(&want[cut..]) {
            one.step(txn, &mut row).unwrap();
            prop_assert_eq!(&bits(&row), &bits(want));
        }
    }

    /// Bytes changed anywhere are refused or make a state that goes on, and never a panic; a refusal leaves no trace.
    #[test]
    fn a_forged_state_does_no_harm(txns in stream(), changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 1..4)) {
        let mut set = FeatureSet::new(ALL);
        let mut row = vec![f32::NAN; set.columns().len()];
        txns.iter().for_each(|txn| set.step(txn, &mut row).unwrap());
        let mut bytes = set.save();
        for (share, to) in changes {
            let at = (bytes.len() as f64 * share) as usize;
            bytes[at] = to;
        }
        let mut forged = FeatureSet::new(ALL);
        match forged.merge(&bytes) {
            Ok(()) => {
                for txn in &txns {
                    let mut later = *txn;
                    later.at = Timestamp(later.at.0.saturating_add(40 * DAY).max(forged.watermark().map_or(0, |at| at.0)));
                    forged.step(&later, &mut row).unwrap();
                    prop_assert!(row.iter().all(|x| x.is_finite()), "{row:?}");
                }
            }
            Err(_) => prop_assert!(forged.save() == FeatureSet::new(ALL).save()),
        }
    }

    /// Contract 3: what comes later changes nothing before it.
    #[test]
    fn the_future_is_not_seen(txns in stream(), cut in 0.0f64..1.0) {
        let cut = (txns.len() as f64 * cut) as usize;
        let (_, whole) = run(&txns);
        let (_, past) = run(&txns[..cut]);
        prop_assert_eq!(&whole[..cut], &past[..]);
    }
}

#[test]
fn a_late_transaction_is_refused_and_leaves_no_trace() {
    let account = EntityId::new(9).unwrap();
    let at = |s: i64| {
        Transaction::new(TxnId(s as u128), Timestamp::from_seconds(s), account, Amount::new(-100, Currency::USD))
    };
    let mut set = FeatureSet::new(Has::default());
    let mut row = vec![0.0; set.columns().len()];
    set.step(&at(100), &mut row).unwrap();
    let late = set.step(&at(99), &mut row).unwrap_err();
    assert_eq!((late.at.0, late.watermark.0), (99_000_000, 100_000_000));
    let late = Batch::from_transactions([at(101), at(99)]);
    assert!(set.step_all(&late, 0..2, |_| true, &mut Block::default()).is_err());
    let mut without = FeatureSet::new(Has::default());
    let mut other = row.clone();
    without.step(&at(100), &mut other).unwrap();
    set.step(&at(105), &mut row).unwrap();
    without.step(&at(105), &mut other).unwrap();
    assert_eq!(row, other);
}

#[test]
fn amounts_of_any_size_stay_finite() {
    let account = EntityId::new(9).unwrap();
    let mut set = FeatureSet::new(ALL);
    let mut row = vec![0.0; set.columns().len()];
    for (i, minor) in [i64::MIN, i64::MAX, 0, -1, i64::MIN, i64::MIN].into_iter().enumerate() {
        let txn = Transaction::new(TxnId(i as u128), Timestamp(i as i64), account, Amount::new(minor, Currency::USD));
        set.step(&txn, &mut row).unwrap();
        assert!(row.iter().all(|v| v.is_finite()), "{minor}: {row:?}");
    }
}

#[test]
fn times_of_any_size_stay_finite() {
    let account = EntityId::new(9).unwrap();
    let mut set = FeatureSet::new(ALL);
    let mut row = vec![0.0; set.columns().len()];
    for (i, at) in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX].into_iter().enumerate() {
        let mut txn = Transaction::new(TxnId(i as u128), Timestamp(at), account, Amount::new(-100, Currency::USD));
        txn.position = Position::from_degrees(10.0 * i as f64, 0.0);
        set.step(&txn, &mut row).unwrap();
        assert!(row.iter().all(|v| v.is_finite()), "{at}: {row:?}");
    }
}

#[test]
fn an_account_in_both_states_is_refused() {
    let txn = Transaction::new(TxnId(1), Timestamp(5), EntityId::new(9).unwrap(), Amount::new(-100, Currency::USD));
    let mut set = FeatureSet::new(ALL);
    let mut row = vec![0.0; set.columns().len()];
    set.step(&txn, &mut row).unwrap();
    let saved = set.save();
    let told = set.merge(&saved).unwrap_err().to_string();
    assert_eq!(told, "entity 0 of `account` is in both states, and whose windows it has cannot be told");
    assert!(set.save() == saved);
    let told = FeatureSet::new(Has::default()).merge(&saved).unwrap_err().to_string();
    assert_eq!(told, "the state is about account, counterparty, category, pattern, expected account, pattern");
}

/// Days are days of UTC: a leap day is one, and the hours that daylight saving skips or repeats are hours like any.
#[test]
fn leap_days_and_daylight_saving_are_days_and_hours_like_any() {
    // Two days each: 2024-02-28 12:00, 2024-03-31, 2024-10-27 and 2024-12-31 12:00.
    let starts = [1_709_121_600, 1_711_843_200, 1_729_987_200, 1_735_646_400];
    let times = starts.iter().flat_map(|start| (0..96).map(move |half| start + half * 1_800));
    let txns: Vec<_> = times
        .enumerate()
        .flat_map(|(i, second)| {
            // Two at the same time, now and then.
            (0..1 + i % 5 / 4).map(move |twice| {
                let account = EntityId::new(1 + i as u64 % 2).unwrap();
                let amount = Amount::new(-1_000 - 7 * i as i64, Currency::EUR);
                Transaction::new(TxnId((2 * i + twice) as u128), Timestamp::from_seconds(second), account, amount)
            })
        })
        .collect();
    agrees(&txns).unwrap();
}
