//! What a service meets that a batch does not: `cargo bench -p crible-benches --bench live -- [EVENTS] [ACCOUNTS]`.
//!
//! * **Late payments.** A busy counterparty has EVENTS payments (300,000 by default) in its windows of 90 days, one
//!   every 26 seconds, by as many accounts. Payments come in order and late by turns; it reports the median of each,
//!   and their ratio. A minute late, a few payments have come since; an hour late, about 140.
//! * **Small batches.** Ten rows at a time are replayed by engines that know 1,000 accounts and ACCOUNTS (a million by
//!   default); it reports the median of each, and their ratio.

#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use crible::core::{Amount, Batch, Code, Currency, EntityId, Has, Timestamp, Transaction, TxnId, Window};
use crible::{Engine, Error};
use crible_feature::{FeatureSet, Settings};

type Fault = Box<dyn std::error::Error>;

const ROUNDS: u64 = 2_001;

fn main() -> Result<(), Fault> {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let events = numbers.next().unwrap_or(300_000).max(1_000);
    let accounts = numbers.next().unwrap_or(1_000_000).max(1_000);
    late(events)?;
    small(accounts)
}

fn has() -> Has {
    Has { counterparty: true, category: true, channel: true, ..Has::default() }
}

/// Payment `i` at `at`, by the account of that number.
fn payment(i: u64, at: i64, account: u64, counterparty: u64) -> Result<Transaction, Fault> {
    let id = |id: u64| EntityId::new(id.wrapping_mul(0x9e37_79b9_7f4a_7c15)).ok_or("zero is no entity");
    Ok(Transaction {
        counterparty: Some(id(counterparty)?),
        category: Code::new("5411"),
        channel: Code::new("card"),
        ..Transaction::new(
            TxnId(i.into()),
            Timestamp(at),
            id(account)?,
            Amount::new(-1_000 - i as i64 % 777, Currency::EUR),
        )
    })
}

fn median(took: &mut [Duration]) -> f64 {
    took.sort_unstable();
    took[took.len() / 2].as_secs_f64() * 1e6
}

fn late(events: u64) -> Result<(), Fault> {
    let mut settings = Settings::default();
    settings.limits.lateness = Window::DAY;
    let mut set = FeatureSet::all(has(), &settings);
    let mut row = vec![0.0; set.columns().len()];
    let gap = settings.windows.counterparty[2].0 / events as i64;
    let mut next = 0;
    let mut busy = |late: i64| -> Result<Transaction, Fault> {
        next += 1;
        payment(next, next as i64 * gap - late, 2 + next * 7 % events, 1)
    };
    for _ in 0..events {
        set.step(&busy(0)?, &mut row)?;
    }
    for (what, late) in [("a minute", 60 * Timestamp::SECOND), ("an hour", 3_600 * Timestamp::SECOND)] {
        let (mut in_order, mut out_of_order) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            for (took, late) in [(&mut in_order, 0), (&mut out_of_order, late)] {
                let txn = busy(late)?;
                let begin = Instant::now();
                set.step(black_box(&txn), &mut row)?;
                took.push(begin.elapsed());
            }
        }
        let [in_order, out_of_order] = [in_order, out_of_order].map(|mut took| median(&mut took));
        println!(
            "{events} payments of one counterparty: {in_order:.2} µs in order, {out_of_order:.2} µs {what} late, \
             {:.1} times",
            out_of_order / in_order
        );
    }
    Ok(())
}

fn small(accounts: u64) -> Result<(), Fault> {
    const FEW: u64 = 1_000;
    /// Microseconds between payments: what a million accounts need stays within a day.
    const GAP: i64 = 50_000;
    let history: Result<Vec<_>, Fault> = (0..20_000).map(|i| payment(i, i as i64 * GAP, 2 + i % FEW, 1)).collect();
    let model = Engine::builder().fit_rows(5_000).fit(&Batch::from_transactions(history?))?.save();
    let mut engines = Vec::new();
    for accounts in [FEW, accounts] {
        let mut engine = Engine::load(&model)?;
        let mut from = 0;
        while from < accounts {
            let to = (from + (1 << 16)).min(accounts);
            let batch: Result<Vec<_>, Fault> = (from..to).map(|i| payment(i, i as i64 * GAP, 2 + i, 1)).collect();
            engine.replay(&Batch::from_transactions(batch?), |_, _| Ok::<_, Error>(()))?;
            from = to;
        }
        engines.push((accounts, engine, Vec::new()));
    }
    for round in 0..ROUNDS {
        for (accounts, engine, took) in &mut engines {
            let ten: Result<Vec<_>, Fault> = (0..10)
                .map(|i| {
                    let n = *accounts + round * 10 + i;
                    payment(n, n as i64 * GAP, 2 + n * 7 % *accounts, 1)
                })
                .collect();
            let batch = Batch::from_transactions(ten?);
            let begin = Instant::now();
            engine.replay(black_box(&batch), |_, _| Ok::<_, Error>(()))?;
            took.push(begin.elapsed());
        }
    }
    let medians: Vec<(u64, f64)> = engines.iter_mut().map(|(accounts, _, took)| (*accounts, median(took))).collect();
    if let [(few, of_few), (many, of_many)] = medians[..] {
        println!(
            "ten rows: {of_few:.1} µs with {few} accounts, {of_many:.1} µs with {many}, {:.2} times",
            of_many / of_few
        );
    }
    Ok(())
}
