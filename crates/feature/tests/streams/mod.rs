//! Streams to put sets through, what they read of them, and whether that agrees with the oracle.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeSet;

use crible_core::{Amount, Batch, Code, Currency, EntityId, Has, Position, Timestamp, Transaction, TxnId, Window};
use crible_feature::{FeatureSet, PeerHabits, PeerSums, Peers, Settings, Windows};
use proptest::prelude::*;

pub(crate) const ALL: Has = Has::ALL;
pub(crate) const HOUR: i64 = 3_600 * Timestamp::SECOND;
pub(crate) const DAY: i64 = Timestamp::DAY;

/// Settings as they are by default, but for dates ahead: gaps in these streams are of any length.
pub(crate) fn unhurried() -> Settings {
    let mut settings = Settings::default();
    settings.limits.ahead = Window(i64::MAX);
    settings
}

/// Few accounts, few places, times that collide and steps that land on window edges.
pub(crate) fn stream() -> impl Strategy<Value = Vec<Transaction>> {
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
                txn.device = EntityId::new(u64::from(words / 5) % 4);
                txn.address = EntityId::new(u64::from(words) % 3);
                txn
            })
            .collect()
    })
}

pub(crate) fn run(txns: &[Transaction]) -> (Vec<String>, Vec<Vec<f32>>) {
    run_with(txns, &unhurried())
}

pub(crate) fn run_with(txns: &[Transaction], settings: &Settings) -> (Vec<String>, Vec<Vec<f32>>) {
    let mut set = FeatureSet::all(ALL, settings);
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

/// That every row is what the oracle makes of the transactions that came before it and are not younger.
pub(crate) fn agrees(arrived: &[Transaction], settings: &Settings) -> Result<(), TestCaseError> {
    let (names, rows) = run_with(arrived, settings);
    for (i, row) in rows.iter().enumerate() {
        let mut past: Vec<_> = arrived[..i].iter().filter(|e| e.at <= arrived[i].at).copied().collect();
        past.sort_by_key(|e| e.at);
        let expected = crate::brute::row(&past, &arrived[i], settings);
        // A column added without an oracle of its own is a failure.
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>(), expected.keys().collect::<BTreeSet<_>>());
        for (name, value) in names.iter().zip(row) {
            let want = expected[name];
            let error = (f64::from(*value) - want.value).abs();
            prop_assert!(error <= want.within, "{}, row {i} of {arrived:?}: got {value}, want {want:?}", name);
        }
    }
    Ok(())
}

/// Lengths of windows at random, and limits that do not forget what they hold.
pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    let lengths = |n: usize| {
        let length = prop_oneof![1i64..2_000_000, HOUR..DAY, DAY..40 * DAY].prop_map(|l| l + 1_000_000);
        prop::collection::btree_set(length, n).prop_map(|set| set.into_iter().map(Window).collect::<Vec<_>>())
    };
    let peers = prop::option::of(1f64..30_000.0);
    (lengths(4), lengths(3), lengths(3), 0i64..20 * DAY, peers).prop_map(
        |(account, counterparty, pattern, longer, mean)| {
            let windows = Windows {
                account: account.try_into().unwrap(),
                counterparty: counterparty.try_into().unwrap(),
                pattern: pattern.try_into().unwrap(),
            };
            let mut settings = Settings { windows, ..unhurried() };
            settings.peers = alike(mean);
            settings.limits.forget_after = Window(settings.windows.account[3].0 + longer);
            settings.limits.check(&settings.windows).unwrap();
            settings
        },
    )
}

/// Peers whose payments of every kind in the streams have one mean.
pub(crate) fn alike(mean: Option<f64>) -> Peers {
    let Some(mean) = mean else { return Peers::default() };
    let mut kinds = PeerSums::default();
    let account = EntityId::new(1).unwrap();
    let payments = [Currency::EUR, Currency::USD].into_iter().flat_map(|currency| {
        [-1, 1].map(|minor| Transaction::new(TxnId(minor as u128), Timestamp(0), account, Amount::new(minor, currency)))
    });
    let batch = Batch::from_transactions(payments);
    kinds.add(&batch, 0..batch.len());
    let means: Vec<(u32, f64)> = kinds.means().means().iter().map(|(kind, _)| (*kind, mean)).collect();
    // Half of them have how amounts are spread, too: models before there was such a thing do not.
    let log_mean = (mean / 100.0).ln_1p();
    let habits =
        PeerHabits { log_mean, log_variance: 0.5 + log_mean / 7.0, per_second: 1.0 / (3_600.0 * (1.0 + mean)) };
    let hours = std::array::from_fn(|hour| if mean < 9_000.0 { 7 } else { hour as u64 });
    let peers = Peers::from_means(means.clone()).unwrap();
    if mean < 6_000.0 {
        return peers;
    }
    peers.with_habits(vec![habits; means.len()], hours, 1_600_000_000_000_000 - (mean * 1e9) as i64).unwrap()
}

/// A stream in an order of arrival in which nothing is more than `lateness` late.
pub(crate) fn delayed(txns: &[Transaction], delays: &[f64], lateness: i64) -> Vec<Transaction> {
    let key = |i: usize| txns[i].at.0 + (lateness as f64 * delays[i % delays.len()]) as i64;
    let mut order: Vec<_> = (0..txns.len()).collect();
    order.sort_by_key(|&i| key(i));
    order.into_iter().map(|i| txns[i]).collect()
}

pub(crate) fn bits(row: &[f32]) -> Vec<u32> {
    row.iter().map(|x| x.to_bits()).collect()
}

/// The state after these, with the byte at each share of its length another.
pub(crate) fn changed_state(txns: &[Transaction], settings: &Settings, changes: &[(f64, u8)]) -> Vec<u8> {
    let mut set = FeatureSet::all(ALL, settings);
    let mut row = vec![f32::NAN; set.columns().len()];
    for txn in txns {
        set.step(txn, &mut row).unwrap();
    }
    let mut bytes = set.save();
    for &(share, to) in changes {
        let at = (bytes.len() as f64 * share) as usize;
        bytes[at] = to;
    }
    bytes
}
