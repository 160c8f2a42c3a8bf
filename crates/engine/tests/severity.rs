//! That severities mean what they promise: of ordinary payments, 1 in 100, 1 in 1,000 and 1 in 10,000.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{FULL, batch, transaction};
use crible::alert::Severity;
use crible::{Builder, Error};
use crible_eval::simulate::Simulation;

/// Of so many ordinary payments that come after what was learned from, how many are of this severity or a graver one.
#[derive(Debug, Default)]
struct Counts {
    payments: usize,
    medium: usize,
    high: usize,
    critical: usize,
}

impl Counts {
    fn add(&mut self, severity: Severity) {
        self.payments += 1;
        self.medium += usize::from(severity >= Severity::Medium);
        self.high += usize::from(severity >= Severity::High);
        self.critical += usize::from(severity >= Severity::Critical);
    }
}

/// Learned from the first days of a population without fraud; the answers for the days after.
fn realised(accounts: u32, seed: u64, days: u32, learned: i64) -> Counts {
    let simulation = Simulation::builder().accounts(accounts).days(days).seed(seed).fraud_rate(0.0).build().unwrap();
    let mut txns: Vec<_> = simulation.map(|row| transaction(&row, FULL)).collect();
    txns.sort_by_key(|txn| (txn.at, txn.id));
    let first = txns[0].at.day();
    let until = txns.iter().find(|txn| txn.at.day() - first >= learned).unwrap().at;
    let whole = batch(&txns);
    let mut counts = Counts::default();
    Builder::default()
        .seed(seed)
        .fit_replay(&whole, Some(until), |_, scored| {
            let live = scored.rows().filter(|&row| whole.times()[row] >= until);
            live.for_each(|row| counts.add(scored.severity(row)));
            Ok::<_, Error>(())
        })
        .unwrap();
    counts
}

#[test]
fn severities_are_as_rare_as_they_promise() {
    let mut all = Counts::default();
    // Small populations, whose rows of the fit are few, and larger ones.
    for (seed, accounts) in (1..).zip([300, 800, 800, 2_000, 300, 800, 800, 2_000]) {
        let counts = realised(accounts, seed, 90, 60);
        eprintln!("seed {seed}, {accounts} accounts: {counts:?}");
        all.payments += counts.payments;
        all.medium += counts.medium;
        all.high += counts.high;
        all.critical += counts.critical;
    }
    let ratio = |count: usize, severity: Severity| count as f64 / (all.payments as f64 * severity.most_tail());
    let [medium, high, critical] =
        [ratio(all.medium, Severity::Medium), ratio(all.high, Severity::High), ratio(all.critical, Severity::Critical)];
    eprintln!("realised over promised: medium {medium:.2}, high {high:.2}, critical {critical:.2}");
    let is_kept = |ratio: f64| (0.5..=2.0).contains(&ratio);
    assert!([medium, high].into_iter().all(is_kept), "{medium:.2} {high:.2} of {all:?}");
    // Few payments are critical, and rather too few: the tail goes on straight, where it bends down in truth.
    assert!((0.25..=2.0).contains(&critical), "{critical:.2} of {all:?}");
}
