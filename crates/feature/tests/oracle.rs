//! The windows against a brute-force oracle that keeps every transaction and looks at all of them every time.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod brute;
mod streams;

use crible_core::{Amount, Batch, Currency, EntityId, Has, Position, Timestamp, Transaction, TxnId, Window};
use crible_feature::{Block, FeatureSet, Refused, Settings, SharedSet, Windows};
use proptest::prelude::*;
use streams::*;

/// Steps a set that is divided.
fn step_shared(shared: &SharedSet, txn: &Transaction, row: &mut [f32]) {
    let Ok(Some((_, read))) = shared.step(|| Some(*txn), row, |_, _, _| {}) else { panic!("nothing was taken") };
    read.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Contract 4: every column agrees with an oracle that looks at all earlier transactions every time.
    #[test]
    fn every_column_agrees_with_brute_force(txns in stream()) {
        agrees(&txns, &unhurried())?;
    }

    /// The same with windows of any length, and accounts that are forgotten.
    #[test]
    fn windows_of_any_length_agree(txns in stream(), settings in settings()) {
        agrees(&txns, &settings)?;
    }

    /// What comes late is placed where it belongs: it reads what came before it, what comes after it reads it, and in
    /// the end the state is that of a set which saw all in order.
    #[test]
    fn late_transactions_are_placed(
        txns in stream(),
        delays in prop::collection::vec(0.0f64..1.0, 1..40),
        lateness in prop_oneof![1i64..HOUR, HOUR..3 * DAY, 3 * DAY..50 * DAY],
        cuts in prop::collection::vec(1usize..40, 1..8),
        (settings, usual, sweeps) in (settings(), any::<bool>(), any::<bool>()),
        share in 0.0f64..1.0,
    ) {
        let mut settings = if usual { Settings { windows: Windows::default(), ..settings } } else { settings };
        settings.limits.lateness = Window(lateness);
        settings.limits.forget_after = settings.limits.forget_after.max(settings.windows.account[3]);
        // No budget that is ever passed, but memory is given back every hour.
        settings.limits.memory = sweeps.then_some(u64::MAX);
        let arrived = delayed(&txns, &delays, lateness);
        agrees(&arrived, &settings)?;

        let mut in_order = arrived.clone();
        in_order.sort_by_key(|txn| txn.at);
        let mut row = vec![f32::NAN; FeatureSet::all(ALL, &unhurried()).columns().len()];
        let mut set = FeatureSet::all(ALL, &settings);
        for txn in &in_order {
            set.step(txn, &mut row).unwrap();
        }
        let want = set.save();
        // One by one, and saved and loaded after each.
        let (mut single, mut saved) = (FeatureSet::all(ALL, &settings), FeatureSet::all(ALL, &settings).save());
        let mut late = 0;
        let mut watermark = i64::MIN;
        for txn in &arrived {
            late += u64::from(txn.at.0 < watermark);
            watermark = watermark.max(txn.at.0);
            single.step(txn, &mut row).unwrap();
            let mut again = FeatureSet::all(ALL, &settings);
            again.merge(&saved, FeatureSet::FORMAT).unwrap();
            let mut same = row.clone();
            again.step(txn, &mut same).unwrap();
            prop_assert_eq!(bits(&row), bits(&same));
            saved = again.save();
        }
        prop_assert_eq!((single.late().placed, single.late().refused), (late, 0));
        prop_assert!(single.save() == want);
        prop_assert!(saved == want);
        // In batches, each in order within itself.
        let (mut batched, mut alone) = (FeatureSet::all(ALL, &settings), FeatureSet::all(ALL, &settings));
        let mut block = Block::default();
        let (mut rest, mut cuts) = (&arrived[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (here, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            rest = after;
            let batch = Batch::from_transactions(here.iter().copied());
            batched.step_all(&batch, 0..batch.len(), |i| i % 3 != 1, &mut block).unwrap();
            let mut read = 0;
            for i in 0..batch.len() {
                alone.step(&batch.get(i), &mut row).unwrap();
                if i % 3 != 1 {
                    let mut got = row.clone();
                    block.copy_row(read, &mut got);
                    prop_assert_eq!(bits(&got), bits(&row));
                    read += 1;
                }
            }
        }
        prop_assert!(batched.save() == alone.save());
        // Divided midway.
        let (before, after) = arrived.split_at((arrived.len() as f64 * share) as usize);
        let (mut one, mut whole) = (FeatureSet::all(ALL, &settings), FeatureSet::all(ALL, &settings));
        let mut same = row.clone();
        for txn in before {
            one.step(txn, &mut row).unwrap();
            whole.step(txn, &mut row).unwrap();
        }
        let shared = one.share();
        for txn in after {
            step_shared(&shared, txn, &mut row);
            whole.step(txn, &mut same).unwrap();
            prop_assert_eq!(bits(&row), bits(&same));
        }
        prop_assert!(shared.save() == want);
    }

    /// A state held within a budget is the same however transactions are handed in, wherever it is saved, and on
    /// threads.
    #[test]
    fn memory_is_held(
        txns in stream(),
        cuts in prop::collection::vec(1usize..40, 1..8),
        budget in 1_000u64..20_000,
        late in any::<bool>(),
    ) {
        let mut settings = unhurried();
        settings.limits.memory = Some(budget);
        settings.limits.lateness = Window(if late { 2 * HOUR } else { 0 });
        // More accounts than the stream has: each place is one.
        let account = |i: usize| EntityId::new(1 + i as u64 / 2).unwrap();
        let txns: Vec<_> = txns.into_iter().enumerate().map(|(i, txn)| Transaction { account: account(i), ..txn }).collect();
        let (_, want) = run_with(&txns, &settings);
        let mut single = FeatureSet::all(ALL, &settings);
        let mut row = vec![f32::NAN; single.columns().len()];
        for txn in &txns {
            single.step(txn, &mut row).unwrap();
        }
        let batch = Batch::from_transactions(txns.iter().copied());
        let mut set = FeatureSet::all(ALL, &settings);
        let mut block = Block::default();
        let (mut from, mut cuts) = (0, cuts.into_iter().cycle());
        while from < txns.len() {
            let to = (from + cuts.next().unwrap()).min(txns.len());
            set.step_all(&batch, from..to, |_| true, &mut block).unwrap();
            for (at, want) in want[from..to].iter().enumerate() {
                block.copy_row(at, &mut row);
                prop_assert_eq!(bits(&row), bits(want));
            }
            from = to;
            let saved = set.save();
            set = FeatureSet::all(ALL, &settings);
            set.merge(&saved, FeatureSet::FORMAT).unwrap();
        }
        prop_assert!(set.save() == single.save());
        // Divided among shards.
        let shared = FeatureSet::all(ALL, &settings).share();
        for (txn, want) in txns.iter().zip(&want) {
            step_shared(&shared, txn, &mut row);
            prop_assert_eq!(bits(&row), bits(want));
        }
        prop_assert!(shared.save() == single.save());
    }

    /// Contract 2: however a stream is cut into blocks, and whichever rows are read, the rows are the same to the bit.
    #[test]
    fn blocks_change_no_bit(txns in stream(), cuts in prop::collection::vec(1usize..40, 1..8), skip in 1usize..5) {
        let (_, want) = run(&txns);
        let batch = Batch::from_transactions(txns.iter().copied());
        let mut set = FeatureSet::all(ALL, &unhurried());
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
        let mut set = FeatureSet::scoring(ALL, &unhurried(), |column| column.input);
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

    /// A state saved midway goes on as if nothing had been, and is the same bytes whether rows came one by one or as a
    /// batch.
    #[test]
    fn a_saved_state_goes_on(txns in stream(), cut in 0.0f64..1.0) {
        let (_, want) = run(&txns);
        let cut = (txns.len() as f64 * cut) as usize;
        let past = Batch::from_transactions(txns[..cut].iter().copied());
        let mut batched = FeatureSet::all(ALL, &unhurried());
        batched.step_all(&past, 0..cut, |_| false, &mut Block::default()).unwrap();
        let saved = batched.save();
        let mut set = FeatureSet::all(ALL, &unhurried());
        set.merge(&saved, FeatureSet::FORMAT).unwrap();
        prop_assert_eq!(set.watermark(), batched.watermark());
        prop_assert!(set.save() == saved);
        let mut row = vec![f32::NAN; set.columns().len()];
        for (txn, want) in txns[cut..].iter().zip(&want[cut..]) {
            set.step(txn, &mut row).unwrap();
            prop_assert_eq!(&bits(&row), &bits(want));
        }
        let mut one_by_one = FeatureSet::all(ALL, &unhurried());
        for txn in txns.iter() {
            one_by_one.step(txn, &mut row).unwrap();
        }
        prop_assert!(set.save() == one_by_one.save());
    }

    /// Sets that have seen different accounts make, together, the set that has seen them all, places and categories
    /// included.
    #[test]
    fn merged_states_are_as_one(txns in stream(), cut in 0.0f64..1.0, share in 0u64..8) {
        let (_, want) = run(&txns);
        let cut = (txns.len() as f64 * cut) as usize;
        let mut sets = [FeatureSet::all(ALL, &unhurried()), FeatureSet::all(ALL, &unhurried())];
        let mut row = vec![f32::NAN; want[0].len()];
        let side = |txn: &Transaction| usize::from(share >> (txn.account.get() - 1) & 1 == 1);
        for txn in &txns[..cut] {
            sets[side(txn)].step(txn, &mut row).unwrap();
        }
        let [mut one, other] = sets;
        one.merge(&other.save(), FeatureSet::FORMAT).unwrap();
        for (txn, want) in txns[cut..].iter().zip(&want[cut..]) {
            one.step(txn, &mut row).unwrap();
            prop_assert_eq!(&bits(&row), &bits(want));
        }
    }

    /// Bytes changed anywhere are refused or make a state that goes on, and never a panic; a refusal leaves no trace.
    #[test]
    fn a_forged_state_does_no_harm(
        txns in stream(),
        changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 1..4),
    ) {
        let mut settings = unhurried();
        settings.limits.lateness = Window(2 * DAY);
        let bytes = changed_state(&txns, &settings, &changes);
        let mut forged = FeatureSet::all(ALL, &settings);
        let mut row = vec![f32::NAN; forged.columns().len()];
        match forged.merge(&bytes, FeatureSet::FORMAT) {
            Ok(()) => {
                // Late ones first, which undo what was forged.
                for txn in &txns {
                    let watermark = forged.watermark().map_or(0, |at| at.0);
                    let late = Transaction { at: Timestamp(watermark.saturating_sub(DAY)), ..*txn };
                    if forged.step(&late, &mut row).is_ok() {
                        prop_assert!(row.iter().all(|x| x.is_finite()), "{row:?}");
                    }
                }
                for txn in &txns {
                    let mut later = *txn;
                    later.at = Timestamp(later.at.0.saturating_add(40 * DAY).max(forged.watermark().map_or(0, |at| at.0)));
                    forged.step(&later, &mut row).unwrap();
                    prop_assert!(row.iter().all(|x| x.is_finite()), "{row:?}");
                }
            }
            Err(_) => prop_assert!(forged.save() == FeatureSet::all(ALL, &settings).save()),
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
    let mut set = FeatureSet::all(Has::default(), &unhurried());
    let mut row = vec![0.0; set.columns().len()];
    set.step(&at(100), &mut row).unwrap();
    let late = set.step(&at(99), &mut row).unwrap_err();
    let Refused::Late(late) = late else { panic!("{late}") };
    assert_eq!((late.at.0, late.watermark.0), (99_000_000, 100_000_000));
    let late = Batch::from_transactions([at(101), at(99)]);
    assert!(set.step_all(&late, 0..2, |_| true, &mut Block::default()).is_err());
    assert_eq!((set.late().placed, set.late().refused), (0, 2));
    let mut without = FeatureSet::all(Has::default(), &unhurried());
    let mut other = row.clone();
    without.step(&at(100), &mut other).unwrap();
    set.step(&at(105), &mut row).unwrap();
    without.step(&at(105), &mut other).unwrap();
    assert_eq!(row, other);
}

#[test]
fn amounts_of_any_size_stay_finite() {
    let account = EntityId::new(9).unwrap();
    let mut set = FeatureSet::all(ALL, &unhurried());
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
    let mut set = FeatureSet::all(ALL, &unhurried());
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
    let mut set = FeatureSet::all(ALL, &unhurried());
    let mut row = vec![0.0; set.columns().len()];
    set.step(&txn, &mut row).unwrap();
    let saved = set.save();
    let told = set.merge(&saved, FeatureSet::FORMAT).unwrap_err().to_string();
    assert_eq!(told, "entity 0 of `account` is in both states; expected it in one");
    assert!(set.save() == saved);
    let told = FeatureSet::all(Has::default(), &unhurried()).merge(&saved, FeatureSet::FORMAT).unwrap_err().to_string();
    assert_eq!(
        told,
        "the state is about account, counterparty, category, device, address, links, pattern, habit, expected \
         account, pattern"
    );
}

/// Accounts that came long ago go first, and what is held is what was allowed, but for the last hour.
#[test]
fn a_budget_is_held_by_forgetting_who_paid_least_recently() {
    let mut settings = unhurried();
    let budget = 400_000;
    settings.limits.memory = Some(budget);
    let mut set = FeatureSet::all(Has { counterparty: true, ..Has::default() }, &settings);
    let mut row = vec![0.0; set.columns().len()];
    let payment = |n: u64, account: u64| {
        let at = Timestamp(n as i64 * 60 * Timestamp::SECOND);
        let mut txn =
            Transaction::new(TxnId(n.into()), at, EntityId::new(account).unwrap(), Amount::new(-500, Currency::USD));
        txn.counterparty = EntityId::new(1 + n % 50);
        txn
    };
    let first = set.columns().iter().position(|column| column.name == "account_count_30d").unwrap();
    // One account pays every twenty minutes; all others once.
    for n in 0..20_000 {
        let account = if n % 20 == 0 { 7 } else { 1_000 + n };
        set.step(&payment(n, account), &mut row).unwrap();
        if account == 7 {
            let all = (n / 20) as f32;
            assert!((row[first] - all.ln_1p()).abs() < 1e-5, "who keeps paying is not forgotten");
        }
        if n % 600 == 599 {
            assert!(set.state_bytes() as u64 <= budget * 5 / 4, "{} bytes after {n}", set.state_bytes());
        }
    }
    // Some of those who paid once are still known, the latest; the first is not.
    let mut count_of = |n: u64, account: u64| {
        set.step(&payment(20_000 + n, account), &mut row).unwrap();
        row[first]
    };
    assert!(count_of(0, 1_000 + 19_999) > 0.0);
    assert_eq!(count_of(0, 1_001), 0.0);
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
    agrees(&txns, &unhurried()).unwrap();
}

/// What was paid to a payee that is new today is gone through among the last 64 payments, however many a day has.
#[test]
fn a_new_payee_is_forgotten_over_many_payments() {
    let id = |n: u64| EntityId::new(n).unwrap();
    for (between, is_seen) in [(63, true), (64, false)] {
        let payees = [9].into_iter().chain((0..between).map(|_| 8)).chain([9]);
        let mut txns: Vec<_> = (0..)
            .zip(payees)
            .map(|(n, payee)| {
                let amount = Amount::new(-1_000, Currency::EUR);
                Transaction::new(TxnId(n as u128), Timestamp(n * 60 * Timestamp::SECOND), id(1), amount)
                    .at_counterparty(id(payee))
            })
            .collect();
        txns.last_mut().unwrap().amount.minor = -50_000;
        let (names, rows) = run(&txns);
        let column = names.iter().position(|name| name == "amount_at_new_counterparty_1d").unwrap();
        assert_eq!(rows.last().unwrap()[column] > 0.0, is_seen, "{between} between");
        agrees(&txns, &unhurried()).unwrap();
    }
}
