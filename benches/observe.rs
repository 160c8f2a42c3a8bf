//! How long the engine takes over one payment.
//!
//! A mean hides what a service promises, so every `observe` is timed by itself and the percentiles are reported; the
//! throughput is that of the whole run. Two thousand invented accounts pay for 75 days: the payments of the first 60
//! are learned and replayed, so that windows have filled, and the rest is observed in order of time. Two threads either
//! share one engine and take from one queue, or have an engine and half of the accounts each; the result is the median
//! of pairs of runs, and their range. Sharing is also tried with four and eight handles: more than there are cores may
//! not be slower than one.

#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crible::core::{Amount, Batch, Code, EntityId, Transaction, TxnId};
use crible::{Columns, Config, DetectorSpec, Engine, Error};
use crible_benches::{hash, mix};
use crible_eval::simulate::{Simulated, Simulation};

const LEARNED_DAYS: i64 = 60;
/// Pairs of runs on one thread and on two.
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulation = Simulation::builder().accounts(2_000).days(75).seed(3).fraud_rate(0.002).build()?;
    let mut payments: Vec<Transaction> = simulation.map(|row| payment(&row)).collect();
    payments.sort_by_key(|payment| (payment.at, payment.id));
    let first = payments.first().map_or(0, |payment| payment.at.day());
    let live = payments.partition_point(|payment| payment.at.day() < first + LEARNED_DAYS);
    let (history, live) = payments.split_at(live);

    let mut everything = Columns::default();
    everything.add = Config::default().known_columns();
    let usual = Columns::default();
    let default = Config::default().detectors;
    let seven = ["robust_z", "robust_distance", "ecod", "hbos", "isolation_forest", "kmeans", "sampled_knn"];
    let seven = seven.into_iter().map(str::parse).collect::<Result<Vec<DetectorSpec>, _>>()?;
    for (what, detectors, columns) in [
        ("default detectors", &default, &usual),
        ("default detectors, every column", &default, &everything),
        ("seven detectors", &seven, &usual),
    ] {
        let builder = Engine::builder().detectors(detectors).columns(columns.clone());
        let engine = builder.fit(&Batch::from_transactions(history.iter().copied()))?;
        let model = engine.save();
        let mut took = observe(&model, history, live)?;
        let all: Duration = took.iter().sum();
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
        let (half, most, rare) = (at(0.5), at(0.99), at(0.999));
        let rate = took.len() as f64 / all.as_secs_f64();
        println!(
            "{what}: {} payments, median {half:.2} µs, 99 % {most:.2} µs, 99.9 % {rare:.2} µs, {rate:.0} a second on \
             one thread",
            took.len()
        );

        let engines = in_turn(2, |shards| throughput(&model, history, live, shards))?;
        println!("{what}: an engine each, {engines}");
        for handles in [2, 4, 8] {
            let sharing = in_turn(handles, |threads| shared(&model, history, live, threads))?;
            println!("{what}: sharing one engine, {sharing}");
        }
    }
    Ok(())
}

/// One thread and several, one after the other, several times: the processor's speed changes from second to second.
fn in_turn(several: usize, run: impl Fn(usize) -> Result<f64, Error>) -> Result<String, Error> {
    let mut ratios = Vec::with_capacity(ROUNDS);
    let mut ones = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let one = run(1)?;
        ratios.push(run(several)? / one);
        ones.push(one);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    ones.sort_unstable_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ROUNDS - 1]);
    Ok(format!(
        "{:.0} a second on one thread, {:.2} times that on {several} ({least:.2} to {most:.2})",
        ones[ROUNDS / 2],
        ratios[ROUNDS / 2]
    ))
}

fn payment(row: &Simulated) -> Transaction {
    let name = row.counterparty.to_string();
    let account = EntityId::from_pseudorandom(mix(row.account.into()));
    let mut payment =
        Transaction::new(TxnId(row.id.into()), row.at, account, Amount::new(row.amount_minor, Simulated::CURRENCY))
            .at_counterparty(EntityId::from_pseudorandom(hash(&name)))
            .in_category(Code::new(row.category));
    payment.position = row.position;
    payment.balance_before = Some(row.balance_after - row.amount_minor);
    payment
}

fn warm(model: &[u8], history: &[Transaction]) -> Result<Engine, Error> {
    let mut engine = Engine::load(model)?;
    engine.replay(&Batch::from_transactions(history.iter().copied()), |_, _| Ok::<_, Error>(()))?;
    Ok(engine)
}

fn observe(model: &[u8], history: &[Transaction], live: &[Transaction]) -> Result<Vec<Duration>, Error> {
    let mut engine = warm(model, history)?;
    let mut took = Vec::with_capacity(live.len());
    for payment in live {
        let begin = Instant::now();
        let verdict = engine.observe(payment)?.verdict();
        took.push(begin.elapsed());
        std::hint::black_box(verdict);
    }
    Ok(took)
}

/// Payments a second of so many threads that share one engine and take from one queue.
fn shared(model: &[u8], history: &[Transaction], live: &[Transaction], threads: usize) -> Result<f64, Error> {
    let engine = warm(model, history)?.share();
    let next = AtomicUsize::new(0);
    let begin = Instant::now();
    let scored: usize = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                let (mut engine, next) = (engine.clone(), &next);
                let take = || live.get(next.fetch_add(1, Ordering::Relaxed)).copied();
                scope.spawn(move || {
                    let mut scored = 0;
                    while let Some((_, observed)) = engine.observe_next(take) {
                        scored += usize::from(observed.is_ok());
                    }
                    scored
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    Ok(scored as f64 / begin.elapsed().as_secs_f64())
}

/// Payments a second, each of so many threads with an engine and accounts of its own.
fn throughput(model: &[u8], history: &[Transaction], live: &[Transaction], shards: usize) -> Result<f64, Error> {
    let shard_of = |payment: &Transaction| (payment.account.get() >> 32) as usize % shards;
    let of = |payments: &[Transaction], shard: usize| -> Vec<Transaction> {
        payments.iter().filter(|payment| shard_of(payment) == shard).copied().collect()
    };
    let ready: Vec<_> = (0..shards)
        .map(|shard| Ok((warm(model, &of(history, shard))?, of(live, shard))))
        .collect::<Result<_, Error>>()?;
    let begin = Instant::now();
    let scored: usize = thread::scope(|scope| {
        let running: Vec<_> = ready
            .into_iter()
            .map(|(mut engine, live)| {
                scope.spawn(move || live.iter().filter(|payment| engine.observe(payment).is_ok()).count())
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    Ok(scored as f64 / begin.elapsed().as_secs_f64())
}
