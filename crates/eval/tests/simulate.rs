//! What the simulated population promises.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, HashMap};
use std::hash::Hasher;

use crible_core::Timestamp;
use crible_eval::simulate::{Builder, CSV_HEADER, OVERDRAFT_MINOR, Scenario, Simulated, Simulation};
use fnv::FnvHasher;
use proptest::prelude::*;

fn rows(builder: Builder) -> Vec<Simulated> {
    builder.build().unwrap().collect()
}

fn csv(builder: Builder) -> String {
    let mut out = Vec::new();
    builder.build().unwrap().write_csv(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn sample() -> Builder {
    Simulation::builder().accounts(60).days(60).seed(7)
}

fn fnv1a_64(bytes: &[u8]) -> u64 {
    let mut hash = FnvHasher::default();
    hash.write(bytes);
    hash.finish()
}

#[test]
fn a_seed_gives_the_same_bytes_everywhere() {
    let text = csv(Simulation::builder().seed(42));
    let end = text.match_indices('\n').nth(1_000).unwrap().0;
    assert_eq!(format!("{:016x}", fnv1a_64(&text.as_bytes()[..=end])), "b581a8dae2981b37");
    assert_ne!(text, csv(Simulation::builder().seed(43)));
}

/// The committed sample is what `crible simulate --accounts 60 --days 60 --seed 7` writes.
#[test]
fn the_sample_data_set_is_this_population() {
    let committed = include_str!("../../../datasets/sample/transactions.csv");
    let generated = csv(sample());
    let differs = committed.lines().zip(generated.lines()).position(|(a, b)| a != b);
    assert_eq!(differs, None, "first line that differs, from 0");
    assert_eq!(committed.len(), generated.len());
}

#[test]
fn the_fraud_share_is_near_the_ask_and_every_scenario_appears() {
    for ask in [0.0, 0.002, 0.005, 0.03] {
        let rows = rows(Simulation::builder().accounts(1_500).days(60).seed(3).fraud_rate(ask));
        let mut found: BTreeMap<Scenario, usize> = BTreeMap::new();
        for scenario in rows.iter().filter_map(|row| row.fraud) {
            *found.entry(scenario).or_default() += 1;
        }
        let share = found.values().sum::<usize>() as f64 / rows.len() as f64;
        assert!((share - ask).abs() <= 0.08 * ask, "asked {ask}, got {share}: {found:?}");
        assert_eq!(found.len(), if ask > 0.0 { Scenario::ALL.len() } else { 0 }, "{found:?}");
    }
    let small: std::collections::BTreeSet<_> = rows(sample()).iter().filter_map(|row| row.fraud).collect();
    assert_eq!(small.len(), Scenario::ALL.len(), "the sample shows each: {small:?}");
}

/// What the README of the module describes of each scenario.
#[test]
fn frauds_look_like_their_scenario() {
    let rows = rows(Simulation::builder().accounts(1_500).days(60).seed(5));
    let mut visited: HashMap<(u32, String), usize> = HashMap::new();
    let (mut tiny, mut large, mut known, mut inflated) = (0, 0, 0, 0);
    for row in &rows {
        let visits = visited.entry((row.account, row.counterparty.to_string())).or_default();
        match row.fraud {
            Some(Scenario::StolenCard) => {
                assert!(row.position.is_some() && matches!(row.category, "clothing" | "electronics" | "entertainment"));
            }
            Some(Scenario::AccountTakeover) => {
                assert_eq!((row.channel, row.position), ("transfer", None))
            }
            Some(Scenario::CardTesting) => {
                assert_eq!(row.channel, "online");
                *if row.amount_minor > -250 { &mut tiny } else { &mut large } += 1;
            }
            Some(Scenario::AmountInflation) => {
                inflated += 1;
                known += usize::from(*visits > 0);
            }
            _ => {}
        }
        assert!(row.fraud.is_none() || row.amount_minor < 0);
        *visits += 1;
    }
    assert!(tiny >= 5 * large && large > 0, "{tiny} tiny, {large} large");
    assert!(2 * known > inflated, "{known} of {inflated} inflations at a merchant the account knows");
}

fn check_population(builder: Builder) {
    let mut balances: HashMap<u32, i64> = HashMap::new();
    let mut last = Timestamp(i64::MIN);
    for (row, id) in builder.build().unwrap().zip(1..) {
        assert_eq!(row.id, id);
        assert!(row.at >= last, "row {id} at {} after one at {last}", row.at);
        last = row.at;
        assert_ne!(row.amount_minor, 0);
        let before = balances.insert(row.account, row.balance_after);
        assert!(before.is_none_or(|b| b + row.amount_minor == row.balance_after), "row {id} breaks the balance");
        assert!(row.balance_after >= -OVERDRAFT_MINOR || row.amount_minor > 0, "row {id}: {}", row.balance_after);
        for word in [row.category, row.channel, row.country] {
            assert!(word.len() <= 16 && !word.contains([',', '"', '\n']), "{word}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_population_keeps_its_promises(
        accounts in 1u32..150,
        merchants in 100u32..700,
        days in 1u32..80,
        seed: u64,
        day in -700_000i64..2_900_000,
        rate in 0.0..0.2,
    ) {
        let start = Timestamp(day * Timestamp::DAY);
        let settings = Simulation::builder().accounts(accounts).merchants(merchants).days(days);
        check_population(settings.seed(seed).start(start).fraud_rate(rate));
    }
}

#[test]
fn people_have_habits() {
    let rows = rows(Simulation::builder().accounts(800).days(56).seed(11).fraud_rate(0.0));
    let a_day = rows.len() as f64 / (800.0 * 56.0);
    assert!((1.4..2.1).contains(&a_day), "{a_day} rows an account and day");
    let count = |wanted: &dyn Fn(&Simulated) -> bool| rows.iter().filter(|row| wanted(row)).count() as f64;
    let hour = |row: &Simulated| row.at.micros_of_day() / 3_600_000_000;
    assert!(count(&|r| (2..5).contains(&hour(r))) < 0.05 * rows.len() as f64, "the nights are quiet");
    let on = |day: usize| count(&|r| r.at.weekday() == day && r.channel != "direct_debit");
    assert!(on(5) > 1.2 * on(1), "Saturdays are busy: {} against {}", on(5), on(1));
    assert!(count(&|r| r.category == "salary") >= 800.0, "everybody is paid");
    assert!(count(&|r| r.country != "US") < 0.1 * rows.len() as f64);
}

#[test]
fn the_file_has_the_header_and_a_line_a_row() {
    let mut out = Vec::new();
    let written = sample().build().unwrap().write_csv(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(CSV_HEADER));
    assert_eq!(lines.clone().count() as u64, written.rows);
    assert_eq!(lines.filter(|line| line.ends_with(",1")).count() as u64, written.frauds);
}
