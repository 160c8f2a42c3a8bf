//! What the simulated population promises.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hasher;

use crible_core::Timestamp;
use crible_eval::simulate::{
    Builder, CSV_HEADER, CSV_HEADER_WITH_DEVICE, Device, OVERDRAFT_MINOR, Scenario, Simulated, Simulation,
};
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
        assert_eq!(found.len(), if ask > 0.0 { Scenario::USUAL.len() } else { 0 }, "{found:?}");
    }
    let small: BTreeSet<_> = rows(sample()).iter().filter_map(|row| row.fraud).collect();
    assert_eq!(small.len(), Scenario::USUAL.len(), "the sample shows each: {small:?}");
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

/// Without a bound of balances: credit lines differ.
fn check_lookalikes(builder: Builder) {
    let mut balances: HashMap<u32, i64> = HashMap::new();
    let mut last = Timestamp(i64::MIN);
    for (row, id) in builder.build().unwrap().zip(1..) {
        assert!(row.id == id && row.at >= last && row.amount_minor != 0 && row.device.is_some(), "{row:?}");
        last = row.at;
        let before = balances.insert(row.account, row.balance_after);
        assert!(before.is_none_or(|b| b + row.amount_minor == row.balance_after), "row {id} breaks the balance");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_population_with_lookalikes_runs_through(
        accounts in 1u32..150,
        days in 1u32..80,
        seed: u64,
        rate in 0.0..0.2,
        chosen in prop::collection::vec(0..Scenario::WITH_LOOKALIKES.len(), 1..4),
    ) {
        let chosen: Vec<Scenario> = chosen.into_iter().map(|at| Scenario::WITH_LOOKALIKES[at]).collect();
        let builder = Simulation::builder().accounts(accounts).days(days).seed(seed).fraud_rate(rate);
        check_lookalikes(builder.scenarios(&chosen));
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

fn with(scenario: Scenario, seed: u64) -> Vec<Simulated> {
    rows(Simulation::builder().accounts(1_500).days(90).seed(seed).fraud_rate(0.002).scenarios(&[scenario]))
}

#[test]
fn a_population_with_lookalikes_keeps_its_promises() {
    for scenario in Scenario::WITH_LOOKALIKES {
        let rows = with(scenario, 3);
        let frauds: Vec<&Simulated> = rows.iter().filter(|row| row.fraud.is_some()).collect();
        assert!(frauds.iter().all(|row| row.fraud == Some(scenario)));
        let share = frauds.len() as f64 / rows.len() as f64;
        assert!((0.0014..0.0026).contains(&share), "{scenario}: {share}");
        let accounts: BTreeSet<u32> = frauds.iter().map(|row| row.account).collect();
        assert!(accounts.len() >= 10, "{scenario}: {accounts:?}");
        assert!(rows.iter().all(|row| row.device.is_some()), "every row says whether it has a device");
        assert!(rows.is_sorted_by_key(|row| row.at));
        let mut balances: HashMap<u32, i64> = HashMap::new();
        for row in &rows {
            let before = balances.insert(row.account, row.balance_after);
            assert!(before.is_none_or(|before| before + row.amount_minor == row.balance_after), "{scenario}: {row:?}");
        }
        assert_eq!(with(scenario, 3).len(), rows.len());
        assert_ne!(with(scenario, 4), rows);
    }
    let all = rows(sample().scenarios(&Scenario::ALL).fraud_rate(0.05));
    let seen: BTreeSet<Scenario> = all.iter().filter_map(|row| row.fraud).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), Scenario::ALL, "all of them in one population");
}

#[test]
fn scenarios_are_told_apart_in_the_file() {
    let text = csv(sample().scenarios(&[Scenario::DeviceFarm]));
    assert_eq!(text.lines().next(), Some(CSV_HEADER_WITH_DEVICE));
    let cells = CSV_HEADER_WITH_DEVICE.matches(',').count();
    assert!(text.lines().all(|line| line.matches(',').count() == cells));
    // Whatever others there are, a population of the usual frauds is what it was.
    assert_eq!(csv(sample().scenarios(&Scenario::USUAL)), csv(sample()));
}

/// For each device, the accounts that it was used by.
fn users(rows: &[Simulated]) -> BTreeMap<Device, BTreeSet<u32>> {
    let mut users: BTreeMap<Device, BTreeSet<u32>> = BTreeMap::new();
    for row in rows {
        if let Some(Some(device)) = row.device {
            users.entry(device).or_default().insert(row.account);
        }
    }
    users
}

#[test]
fn a_shared_or_a_new_device_gives_no_farm_away() {
    let rows = with(Scenario::DeviceFarm, 5);
    let users = users(&rows);
    let of = |row: &Simulated| row.device.flatten().map(|device| users[&device].len());
    let (mut farms, mut others, mut new_phones) = (BTreeSet::new(), BTreeSet::new(), 0);
    let mut phones: HashMap<u32, BTreeSet<Device>> = HashMap::new();
    for row in &rows {
        let Some(Some(device)) = row.device else { continue };
        assert!(row.fraud.is_none() || of(row) >= Some(1));
        if of(row) >= Some(4) {
            if row.fraud.is_some() { &mut farms } else { &mut others }.insert(device);
        }
        if row.fraud.is_none() && of(row) == Some(1) && !phones.entry(row.account).or_default().insert(device) {
            continue;
        }
        new_phones += usize::from(phones.get(&row.account).is_some_and(|all| all.len() == 2));
    }
    assert!(farms.len() >= 6 && others.len() >= 6, "{} devices of rings, {} of towns", farms.len(), others.len());
    assert!(farms.is_disjoint(&others), "a ring has its own devices");
    assert!(new_phones > 20, "{new_phones} people with a new telephone");
    // Amounts and hours are no giveaway either.
    let median = |is_fraud: bool| {
        let mut amounts: Vec<i64> = rows
            .iter()
            .filter(|row| row.channel == "online" && row.fraud.is_some() == is_fraud)
            .map(|row| -row.amount_minor)
            .collect();
        amounts.sort_unstable();
        amounts[amounts.len() / 2] as f64
    };
    assert!((0.5..2.0).contains(&(median(true) / median(false))), "{} {}", median(true), median(false));
}

#[test]
fn a_large_transfer_to_somebody_new_is_mostly_no_fraud() {
    let rows = with(Scenario::AuthorisedPushPayment, 6);
    let mut known: BTreeSet<(u32, String)> = BTreeSet::new();
    let (mut frauds, mut others, mut small) = (0, 0, 0);
    for row in rows.iter().filter(|row| row.channel == "transfer" && row.amount_minor < 0) {
        let is_first = known.insert((row.account, row.counterparty.to_string()));
        if is_first && row.amount_minor < -100_000 {
            *if row.fraud.is_some() { &mut frauds } else { &mut others } += 1;
        }
        small += usize::from(row.fraud.is_some() && row.amount_minor > -20_000);
        let hour = row.at.micros_of_day() / 3_600_000_000;
        assert!(row.fraud.is_none() || row.device.flatten().is_some(), "at {hour} from the holder's device");
    }
    assert!(frauds >= 20 && others > frauds, "{frauds} frauds and {others} others");
    assert!(small > 20, "{small} frauds are small");
    let users = users(&rows);
    let own = rows.iter().filter(|row| row.fraud.is_some()).filter_map(|row| row.device.flatten());
    assert!(own.clone().count() > 100 && own.filter(|device| users[device].len() > 3).count() < 30);
}

#[test]
fn most_refunds_are_owed() {
    let rows = with(Scenario::RefundAbuse, 7);
    let is_refund = |row: &&Simulated| row.amount_minor > 0 && row.counterparty.to_string().starts_with('M');
    let refunds: Vec<&Simulated> = rows.iter().filter(is_refund).collect();
    let frauds = refunds.iter().filter(|row| row.fraud.is_some()).count();
    assert_eq!(frauds, rows.iter().filter(|row| row.fraud.is_some()).count(), "only refunds are frauds");
    assert!(refunds.len() > 2 * frauds, "{frauds} of {} refunds", refunds.len());
    let mut by_account: BTreeMap<u32, usize> = BTreeMap::new();
    refunds.iter().filter(|row| row.fraud.is_none()).for_each(|row| *by_account.entry(row.account).or_default() += 1);
    let heavy = by_account.values().filter(|count| **count >= 5).count();
    assert!(heavy >= 10, "{heavy} people send much back");
    // Every refund that is owed follows a purchase of at least as much.
    for refund in refunds.iter().filter(|row| row.fraud.is_none()) {
        let bought = |row: &&Simulated| {
            (row.account, row.counterparty) == (refund.account, refund.counterparty) && row.at < refund.at
        };
        assert!(rows.iter().filter(bought).any(|row| -row.amount_minor >= refund.amount_minor), "{refund:?}");
    }
}

#[test]
fn those_who_spend_to_their_limit_mostly_go_on_paying() {
    let rows = with(Scenario::BustOut, 8);
    let end = rows.last().unwrap().at;
    let month = 30 * Timestamp::DAY;
    let mut lowest: BTreeMap<u32, (i64, Timestamp)> = BTreeMap::new();
    let mut last: BTreeMap<u32, Timestamp> = BTreeMap::new();
    for row in &rows {
        last.insert(row.account, row.at);
        let low = lowest.entry(row.account).or_insert((row.balance_after, row.at));
        if row.balance_after < low.0 {
            *low = (row.balance_after, row.at);
        }
    }
    let busts: BTreeSet<u32> = rows.iter().filter(|row| row.fraud.is_some()).map(|row| row.account).collect();
    let deep = lowest.iter().filter(|(account, (low, _))| *low < -150_000 && !busts.contains(account)).count();
    assert!(deep > busts.len(), "{deep} others are as deep in debt as {} who will not pay", busts.len());
    let gone = busts.iter().filter(|account| end.0 - last[account].0 > month).count();
    assert!(gone >= 5, "{gone} of {busts:?} are silent for a month or more");
    // Before it, they behaved: paid and spent like others.
    let salaries = rows.iter().filter(|row| row.category == "salary" && busts.contains(&row.account)).count();
    assert!(salaries >= busts.len(), "{salaries}");
}
