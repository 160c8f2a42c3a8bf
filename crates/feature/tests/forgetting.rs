//! Who is forgotten, by age and by budget, and what is left of that where payments come late or states are brought
//! together.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod brute;
mod streams;

use std::collections::BTreeMap;

use crible_core::{Amount, Code, Currency, EntityId, Has, Timestamp, Transaction, TxnId, Window};
use crible_feature::FeatureSet;
use proptest::prelude::*;
use streams::*;

/// Which of these payments, in order of time, a set whose clock is at `now` still knows of an entity that is forgotten
/// after so long.
fn known(times: &[(i64, u128)], now: i64, forget: i64) -> Vec<u128> {
    let sessions = times.chunk_by(|a, b| b.0 - a.0 <= forget);
    sessions
        .filter(|session| session.last().is_some_and(|last| now - last.0 <= forget))
        .flatten()
        .map(|(_, id)| *id)
        .collect()
}

/// Payments by category, currency and direction, in order of time.
fn by_category<'a>(txns: impl Iterator<Item = &'a Transaction>) -> BTreeMap<(String, i64), Vec<(i64, u128)>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for txn in txns {
        found.entry(category(txn)).or_default().push((txn.at.0, txn.id.0));
    }
    found.values_mut().for_each(|times| times.sort_unstable());
    found
}

fn category(txn: &Transaction) -> (String, i64) {
    (format!("{} {}", txn.category, txn.amount.currency), i64::from(txn.is_outflow()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sets that have seen different accounts make, together, the set that has seen them all, whatever came late and
    /// was forgotten; but a category is known as far back as the sides knew it.
    #[test]
    fn merged_states_are_as_one(
        txns in stream(),
        settings in settings(),
        delays in prop::collection::vec(0.0f64..1.0, 1..40),
        lateness in prop_oneof![Just(0), 1i64..50 * DAY],
        cut in 0.0f64..1.0,
        share in 0u64..8,
    ) {
        let mut settings = settings;
        settings.limits.lateness = Window(lateness);
        let forget = settings.limits.forget_after.0;
        let arrived = delayed(&txns, &delays, lateness);
        let (names, want) = run_with(&arrived, &settings);
        let of_category = |name: &str| ["amount_for_category", "category_mean"].contains(&name);
        let (past, rest) = arrived.split_at((txns.len() as f64 * cut) as usize);
        let side = |txn: &Transaction| usize::from(share >> (txn.account.get() - 1) & 1 == 1);
        let mut sets = [FeatureSet::all(ALL, &settings), FeatureSet::all(ALL, &settings)];
        let mut row = vec![f32::NAN; names.len()];
        for txn in past {
            sets[side(txn)].step(txn, &mut row).unwrap();
        }
        let clock = |set: &FeatureSet| set.watermark().map_or(i64::MIN / 2, |at| at.0 - lateness);
        let mut of_sides = BTreeMap::<_, Vec<_>>::new();
        for (i, set) in sets.iter().enumerate() {
            for (key, times) in by_category(past.iter().filter(|txn| side(txn) == i)) {
                of_sides.entry(key).or_default().extend(known(&times, clock(set), forget));
            }
        }
        let now = sets.iter().map(clock).max().unwrap();
        let forgotten: Vec<_> = by_category(past.iter())
            .into_iter()
            .filter(|(key, times)| known(times, now, forget).iter().any(|id| !of_sides[key].contains(id)))
            .map(|(key, _)| key)
            .collect();
        let [mut one, other] = sets;
        let saved = one.save();
        one.merge(&other.save(), FeatureSet::FORMAT).unwrap();
        let mut reversed = other;
        reversed.merge(&saved, FeatureSet::FORMAT).unwrap();
        let mut same = row.clone();
        for (txn, want) in rest.iter().zip(&want[past.len()..]) {
            one.step(txn, &mut row).unwrap();
            reversed.step(txn, &mut same).unwrap();
            prop_assert_eq!(bits(&row), bits(&same));
            for ((name, got), want) in names.iter().zip(&row).zip(want) {
                let is_as_one = got.to_bits() == want.to_bits();
                prop_assert!(is_as_one || of_category(name) && forgotten.contains(&category(txn)), "{name} of {}", txn.id);
            }
        }
    }

    /// A budget that forgets is held whatever is late and put aside, and goes on from a saved state as from its own.
    #[test]
    fn a_budget_is_held_over_lives_put_aside(
        txns in stream(),
        delays in prop::collection::vec(0.0f64..1.0, 1..40),
        lateness in 1i64..50 * DAY,
        budget in 5_000u64..30_000,
    ) {
        let mut settings = unhurried();
        settings.limits.lateness = Window(lateness);
        settings.limits.forget_after = Window(30 * DAY);
        settings.limits.memory = Some(budget);
        let arrived = delayed(&txns, &delays, lateness);
        let mut set = FeatureSet::all(ALL, &settings);
        let mut row = vec![f32::NAN; set.columns().len()];
        let mut same = row.clone();
        let mut saved = set.save();
        for txn in &arrived {
            set.step(txn, &mut row).unwrap();
            let mut again = FeatureSet::all(ALL, &settings);
            again.merge(&saved, FeatureSet::FORMAT).unwrap();
            again.step(txn, &mut same).unwrap();
            prop_assert_eq!(bits(&row), bits(&same));
            saved = again.save();
            prop_assert!(saved == set.save());
        }
    }

    /// Bytes changed anywhere in a state with sessions put aside are refused or make a state that goes on, and never a
    /// panic.
    #[test]
    fn forged_lives_do_no_harm(txns in stream(), changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 1..4)) {
        let mut settings = unhurried();
        settings.limits.lateness = Window(60 * DAY);
        settings.limits.forget_after = Window(30 * DAY);
        let bytes = changed_state(&txns, &settings, &changes);
        let mut forged = FeatureSet::all(ALL, &settings);
        let mut row = vec![f32::NAN; forged.columns().len()];
        if forged.merge(&bytes, FeatureSet::FORMAT).is_ok() {
            // From the latest on ever further back, over the sessions that were put aside.
            let watermark = forged.watermark().map_or(0, |at| at.0);
            for (days, txn) in txns.iter().enumerate() {
                let late = Transaction { at: Timestamp(watermark.saturating_sub(days as i64 * DAY)), ..*txn };
                if forged.step(&late, &mut row).is_ok() {
                    prop_assert!(row.iter().all(|x| x.is_finite()), "{row:?}");
                }
            }
            forged.save();
        }
    }
}

/// A payment of this account in this category.
fn payment(n: u64, at: i64, account: u64, category: &str) -> Transaction {
    let amount = Amount::new(-500 - n as i64 % 300, Currency::USD);
    let txn = Transaction::new(TxnId(n.into()), Timestamp(at), EntityId::new(account).unwrap(), amount);
    txn.in_category(Code::new(category))
}

/// A set over a feed of categories, and which of its columns is the mean of the category.
fn set_of_categories(forget_after: i64, lateness: i64, memory: Option<u64>) -> (FeatureSet, usize) {
    let mut settings = unhurried();
    settings.limits.lateness = Window(lateness);
    settings.limits.forget_after = Window(forget_after);
    settings.limits.memory = memory;
    let set = FeatureSet::all(Has { category: true, ..Has::default() }, &settings);
    let mean = set.columns().iter().position(|column| column.name == "category_mean").unwrap();
    (set, mean)
}

/// A category is known for as long as it is paid in, and for `forget_after` more, to the microsecond.
#[test]
fn a_category_is_forgotten_by_age() {
    for (pause, mean_before) in [(40 * DAY, 5.01), (40 * DAY + 1, 0.0)] {
        let (mut set, mean) = set_of_categories(40 * DAY, 0, None);
        let mut row = vec![0.0; set.columns().len()];
        let mut at = 0;
        for n in 0..10 {
            at += 30 * DAY;
            set.step(&payment(1, at, n + 1, "food"), &mut row).unwrap();
        }
        set.step(&payment(1, at + pause, 99, "food"), &mut row).unwrap();
        assert!((row[mean] - mean_before).abs() < 1e-6, "{} after {pause}", row[mean]);
    }
    // Once the clock is past it nothing of it is saved, whether or not its memory has been given back.
    let mut settings = unhurried();
    settings.limits.forget_after = Window(40 * DAY);
    let has = Has { category: true, ..Has::default() };
    let [mut set, mut fresh] = [(); 2].map(|()| FeatureSet::of(has, &settings, &["category_mean"]));
    let late = payment(3, 40 * DAY + 1, 1, "fuel");
    set.step(&payment(1, 0, 1, "food"), &mut [0.0]).unwrap();
    set.step(&late, &mut [0.0]).unwrap();
    // A payment without a category is of no entity, but of the clock.
    fresh.step(&payment(1, 0, 1, ""), &mut [0.0]).unwrap();
    fresh.step(&late, &mut [0.0]).unwrap();
    assert!(set.save() == fresh.save());
}

/// Within a budget the category that was paid in least recently goes before accounts that paid later, and with
/// thousands of them the budget is held.
#[test]
fn a_category_is_forgotten_by_budget() {
    let budget = 400_000;
    let (mut set, mean) = set_of_categories(400 * DAY, 0, Some(budget));
    let mut row = vec![0.0; set.columns().len()];
    // Every minute another account pays: in one category every twenty minutes, in all others once.
    for n in 0..20_000u64 {
        let category = if n % 20 == 0 { "food".to_owned() } else { format!("c{n}") };
        set.step(&payment(n, n as i64 * 60 * Timestamp::SECOND, 1_000 + n, &category), &mut row).unwrap();
        if n % 20 == 0 && n > 0 {
            assert!(row[mean] >= 5.0, "what is paid in is not forgotten");
        }
        if n % 600 == 599 {
            assert!(set.state_bytes() as u64 <= budget * 5 / 4, "{} bytes after {n}", set.state_bytes());
        }
    }
    let mut mean_of = |category: &str| {
        set.step(&payment(0, 20_000 * 60 * Timestamp::SECOND, 7, category), &mut row).unwrap();
        row[mean]
    };
    assert!(mean_of("c19999") > 0.0);
    assert_eq!(mean_of("c1"), 0.0);
}

/// What is put aside is kept as long as something so late may come, and is given back then.
#[test]
fn sessions_put_aside_are_kept_and_given_back() {
    let lateness = 20 * DAY;
    let (mut set, mean) = set_of_categories(40 * DAY, lateness, Some(u64::MAX));
    let mut row = vec![0.0; set.columns().len()];
    let categories: Vec<String> = (0..500).map(|c| format!("c{c}")).collect();
    let mut pay = |set: &mut FeatureSet, at: i64| {
        for (n, category) in (1u64..).zip(&categories) {
            set.step(&payment(0, at, n, category), &mut row).unwrap();
        }
        (set.state_bytes(), set.save().len(), row[mean])
    };
    let (first, saved, _) = pay(&mut set, 0);
    let (both, saved_both, seen) = pay(&mut set, 41 * DAY);
    assert_eq!(seen, 0.0, "after forty-one days nothing is known");
    assert!(
        both > first * 3 / 2 && saved_both > saved * 3 / 2,
        "{first} and {both} bytes, {saved} and {saved_both} saved"
    );
    // A payment in between, late, finds what was.
    let (_, _, seen) = pay(&mut set, 30 * DAY);
    assert_eq!(seen, 5.0);
    let (.., seen) = pay(&mut set, 41 * DAY);
    assert_eq!(seen, 5.0, "and with it nothing was forgotten");
    // Far later all but the last is over.
    pay(&mut set, 200 * DAY);
    let (left, saved_left, _) = pay(&mut set, 220 * DAY + 1);
    assert!(left < first * 3 / 2 && saved_left < saved * 2, "{first} and {left} bytes, {saved} and {saved_left} saved");
}

/// What is put aside is given back with whom it was of.
#[test]
fn a_budget_forgets_what_is_put_aside() {
    let lateness = 20 * DAY;
    let pay_all = |set: &mut FeatureSet, at: i64, backwards: bool| {
        let mut row = vec![0.0; set.columns().len()];
        for n in 0..500 {
            let at = at + n as i64 * Timestamp::SECOND;
            let n = if backwards { 499 - n } else { n };
            set.step(&payment(0, at, 1 + n, &format!("c{n}")), &mut row).unwrap();
        }
        set.state_bytes() as u64
    };
    let once = pay_all(&mut set_of_categories(40 * DAY, lateness, None).0, 0, false);
    let budget = once * 3 / 4;
    let (mut set, _) = set_of_categories(40 * DAY, lateness, Some(budget));
    // The first are forgotten as the others begin anew; those come first then, and their sessions are put aside.
    pay_all(&mut set, 40 * DAY, false);
    let twice = pay_all(&mut set, 81 * DAY, true);
    assert!(twice > budget * 5 / 4, "{twice} of {budget}");
    let mut row = vec![0.0; set.columns().len()];
    // Memory is given back as payments come.
    for _ in 0..300 {
        set.step(&payment(0, 81 * DAY + 2 * HOUR, 1, "c0"), &mut row).unwrap();
    }
    let held = set.state_bytes() as u64;
    assert!((once / 4..=budget * 5 / 4).contains(&held), "{held} of {budget}, where {once} was needed once");
}

/// What a category's amounts are spread over counts.
#[test]
fn a_budget_counts_how_far_amounts_are_spread() {
    let budget = 300_000;
    let mut settings = unhurried();
    settings.limits.memory = Some(budget);
    let has = Has { category: true, ..Has::default() };
    let mut set = FeatureSet::of(has, &settings, &["category_mean"]);
    for n in 0..3_000u64 {
        for doubling in [0, 60] {
            let at = Timestamp(n as i64 * 600 * Timestamp::SECOND);
            let amount = Amount::new(-(1 << doubling), Currency::USD);
            let txn = Transaction::new(TxnId(n.into()), at, EntityId::new(7).unwrap(), amount);
            set.step(&txn.in_category(Code::new(&format!("c{n}"))), &mut [0.0]).unwrap();
        }
        if n % 60 == 0 {
            assert!(set.state_bytes() as u64 <= budget * 5 / 4, "{} bytes after {n}", set.state_bytes());
        }
    }
    assert!(set.state_bytes() as u64 > budget / 2);
}

/// However much a budget forgets at once, a payment gives back the memory of a stated number of entities: 16 and 128 a
/// family.
#[test]
fn forgetting_is_spread_over_payments() {
    let (mut set, _) = set_of_categories(400 * DAY, 0, Some(2_000_000));
    let families = 4;
    let mut row = vec![0.0; set.columns().len()];
    let (mut most, mut given_back) = (0, 0);
    for n in 0..20_000u64 {
        let before = set.entities();
        // All of an hour's payments are of new accounts in new categories; thousands are forgotten together.
        let at = n as i64 / 2_000 * HOUR;
        set.step(&payment(n, at, 1_000 + n, &format!("c{n}")), &mut row).unwrap();
        let left = (before + families).saturating_sub(set.entities());
        most = most.max(left);
        given_back += left;
    }
    assert!(given_back > 30_000, "{given_back} entities given back");
    assert!((families + 1..=144 * families).contains(&most), "{most} entities given back at once");
}

/// A set that is never near its budget does as much as one that has none: no more is looked at, nobody is forgotten.
#[test]
fn a_budget_that_is_not_reached_changes_nothing() {
    let sets = [None, Some(u64::MAX / 2)].map(|memory| {
        let (mut set, _) = set_of_categories(40 * DAY, 0, memory);
        let mut row = vec![0.0; set.columns().len()];
        let mut rows = Vec::new();
        for n in 0..3_000u64 {
            let txn = payment(n, n as i64 * HOUR, 1 + n * 7_919 % 900, &format!("c{}", n % 700));
            set.step(&txn, &mut row).unwrap();
            rows.push(bits(&row));
        }
        (rows, set.entities())
    });
    assert!(sets[0] == sets[1]);
}

/// A set is saved while threads go on with it, and what is saved is the set as it was between two transactions.
#[test]
fn a_snapshot_is_of_one_moment() {
    let has = Has { category: true, device: true, counterparty: true, ..Has::default() };
    let txns: Vec<_> = (0..4_000u64)
        .map(|n| {
            let mut txn = payment(n, n as i64 * 600 * Timestamp::SECOND, 1 + n * 7_919 % 300, &format!("c{}", n % 90));
            (txn.device, txn.counterparty) = (EntityId::new(1 + n % 50), EntityId::new(1 + n % 7));
            txn
        })
        .collect();
    let mut one = FeatureSet::new(has);
    let mut row = vec![0.0; one.columns().len()];
    let after: Vec<Vec<u8>> = txns
        .iter()
        .map(|txn| {
            one.step(txn, &mut row).unwrap();
            one.save()
        })
        .collect();
    let shared = FeatureSet::new(has).share();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let take = || txns.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).copied();
    let mut moments = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut row = vec![0.0; row.len()];
                while let Ok(Some((_, read))) = shared.step(take, &mut row, |_, _, _| {}) {
                    read.unwrap();
                }
            });
        }
        while shared.watermark() != txns.last().map(|txn| txn.at) {
            let saved = shared.save();
            if shared.watermark().is_some()
                && let Some(moment) = after.iter().position(|state| *state == saved)
            {
                moments.push(moment);
            } else {
                assert!(saved == FeatureSet::new(has).save(), "a state that no transactions leave");
            }
        }
    });
    assert!(moments.is_sorted() && moments.len() > 3, "{moments:?}");
    assert!(shared.save() == after[after.len() - 1]);
}
