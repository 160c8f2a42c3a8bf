//! What a budget of memory costs, and how long a single payment may take: `cargo bench --bench memory -- [ACCOUNTS]`.
//!
//! A service is judged by its slowest answer. So every `observe` is timed by itself while so many accounts (200,000 by
//! default) that the budget cannot hold them all pay at random, for long enough that each comes by several times:
//! accounts are met, forgotten and met again all the time, and lists and tables grow to their full size under the
//! clock. The same payments are observed three times, and the least time of each counts: what the engine does in one
//! payment it does each time, what the machine does besides seldom hits the same payment again. Then the same payments with a budget that is never reached and without any, in turn.

#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::{Duration, Instant};

use crible::core::{Amount, Batch, Code, Currency, EntityId, Timestamp, Transaction, TxnId};
use crible::{Engine, Error, Limits};
use crible_benches::mix;

/// Payments an hour: a quarter of all accounts a day.
const AN_HOUR: u64 = 2_000;
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let accounts = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(200_000);
    let history = Batch::from_transactions((0..60_000).map(|n| payment(n, 2_000)));
    let engine = |memory: Option<u64>| {
        let mut limits = Limits::default();
        limits.memory = memory;
        let engine = Engine::builder().fit_rows(20_000).state(limits).fit(&history)?;
        Engine::load(&engine.save())
    };

    let mut whole = engine(None)?;
    let all = accounts * 4;
    run(&mut whole, accounts, 0..all)?;
    let needed = whole.state_bytes() as u64;
    println!("{accounts} accounts, {all} payments, {} MiB without a budget", needed >> 20);
    drop(whole);
    for share in [8, 2] {
        let mut bound = engine(Some(needed / share))?;
        let mut took = run(&mut bound, accounts, 0..all)?;
        let once = took.iter().max().map_or(0.0, |slowest| slowest.as_secs_f64() * 1e6);
        for _ in 0..2 {
            bound = engine(Some(needed / share))?;
            let again = run(&mut bound, accounts, 0..all)?;
            took.iter_mut().zip(again).for_each(|(took, again)| *took = again.min(*took));
        }
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
        println!(
            "a budget of {} MiB: median {:.2} µs, 99 % {:.2}, 99.9 % {:.2}, 99.99 % {:.1}, the slowest {:.0} \
             ({once:.0} in one run alone); {} MiB in the end",
            (needed / share) >> 20,
            at(0.5),
            at(0.99),
            at(0.999),
            at(0.9999),
            at(1.0),
            bound.state_bytes() >> 20
        );
    }

    // A budget that is never reached, against none: the same payments in turn.
    let mut ratios = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let mut times = [None, Some(u64::MAX / 2)].map(|memory| -> Result<f64, Error> {
            let mut engine = engine(memory)?;
            run(&mut engine, 20_000, 0..100_000)?;
            Ok(run(&mut engine, 20_000, 100_000..400_000)?.iter().sum::<Duration>().as_secs_f64())
        });
        let [without, with] = times.each_mut().map(|time| std::mem::replace(time, Ok(0.0)));
        ratios.push(with? / without?);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!(
        "a budget that is never reached: {:.3} times the time without ({:.3} to {:.3})",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
    Ok(())
}

fn run(engine: &mut Engine, accounts: u64, rows: std::ops::Range<u64>) -> Result<Vec<Duration>, Error> {
    let mut took = Vec::with_capacity((rows.end - rows.start) as usize);
    for n in rows {
        let payment = payment(n, accounts);
        let begin = Instant::now();
        let verdict = engine.observe(&payment)?;
        took.push(begin.elapsed());
        std::hint::black_box(verdict);
    }
    Ok(took)
}

/// The `n`th payment: of any account, at one shop for every fifty accounts, in one of thirty categories.
fn payment(n: u64, accounts: u64) -> Transaction {
    let [account, shop] = [mix(n) % accounts, mix(n ^ 0x5_0000_0000) % (accounts / 50)];
    let at = Timestamp((n * 3_600 * 1_000_000 / AN_HOUR) as i64);
    let amount = Amount::new(-(900 + (mix(n ^ 0x7_0000_0000) % 9_000) as i64), Currency::EUR);
    let id = TxnId(u128::from(mix(n)) << 64 | u128::from(n));
    Transaction::new(id, at, EntityId::from_pseudorandom(mix(account + 1)), amount)
        .at_counterparty(EntityId::from_pseudorandom(mix(shop + (1 << 40))))
        .in_category(Code::new(["grocery", "fuel", "cafe", "books", "rent"][shop as usize % 5]))
}
