//! A stream for states that are kept in `fixtures`.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use crible_core::{Amount, Code, Currency, EntityId, Has, Position, Timestamp, Transaction, TxnId, Window};
use crible_feature::{FeatureSet, Settings};

const HOUR: i64 = 3_600 * Timestamp::SECOND;

/// What the sets are made with: some hours of lateness, and accounts forgotten as soon as may be.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.limits.ahead = Window(i64::MAX);
    settings.limits.lateness = Window(30 * HOUR);
    settings.limits.forget_after = Window(30 * Window::DAY.0);
    settings
}

/// A payment of one of three accounts.
fn payment(n: i64, hours: i64) -> Transaction {
    let amount = Amount::new((n * 7_919 % 9_000 - 6_000) * 10, [Currency::EUR, Currency::USD][n as usize / 2 % 2]);
    let at = Timestamp(1_600_000_000_000_000 + hours * HOUR);
    let mut txn = Transaction::new(TxnId(n as u128), at, EntityId::new(1 + n as u64 % 3).unwrap(), amount);
    txn.counterparty = EntityId::new(n as u64 * 5 % 7);
    txn.category = Code::new(["food", "fuel", ""][n as usize % 3]);
    txn.channel = Code::new(["online", "chip"][n as usize / 3 % 2]);
    txn.country = Code::new(["DE", "FR"][n as usize / 5 % 2]);
    txn.position = (n % 4 > 0).then(|| Position::from_degrees(n as f64 / 10.0, 2.0).unwrap());
    txn.balance_before = Some(50_000 + 100 * n);
    txn.device = EntityId::new(n as u64 % 5);
    txn.address = EntityId::new(n as u64 % 4);
    txn
}

/// The stream a state of a format was made of, in the order in which payments arrive, and how many have been seen by
/// then. Every third is up to thirty hours late. Before format 3 nothing was put aside, so nothing is forgotten; from
/// then on there is a pause long enough, after which some have begun anew, and then twelve payments of within the
/// pause, late, for which not all should have.
pub(crate) fn history(format: u8) -> (Vec<Transaction>, usize) {
    let pause = if format < 3 { 0 } else { 30 * 24 };
    let hours = |n: i64| 7 * n + if n < 30 { 0 } else { pause } - if n % 3 == 2 { 5 + n % 25 } else { 0 };
    let mut all: Vec<_> = (0..60).map(|n| payment(n, hours(n))).collect();
    if format < 3 {
        return (all, 32);
    }
    let seen = 34;
    let late: Vec<_> = (60..72).map(|n| payment(n, hours(33) - 29 - n % 2)).collect();
    all.splice(seen..seen, late);
    (all, seen)
}

/// A set with the families there were when the states were saved.
pub(crate) fn set() -> FeatureSet {
    let all = FeatureSet::all(Has::ALL, &settings());
    let is_habit = |name: &str| {
        let later = ["kilometres_from_home", "payment_expected", "recurring_early"];
        name.ends_with("_novelty") || later.contains(&name)
    };
    let names: Vec<&str> = all.columns().iter().map(|c| c.name.as_ref()).filter(|name| !is_habit(name)).collect();
    FeatureSet::of(Has::ALL, &settings(), &names)
}

/// Such a set that has seen these.
pub(crate) fn set_of(txns: &[Transaction]) -> FeatureSet {
    let mut set = set();
    let mut row = vec![0.0; set.columns().len()];
    for txn in txns {
        set.step(txn, &mut row).unwrap();
    }
    set
}

pub(crate) fn path(format: u8) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/state-v{format}.bin"))
}
