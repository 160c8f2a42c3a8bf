//! Transactions into feature rows, and into verdicts, in transactions a second.
//!
//! Shapes, 200,000 transactions each: enough that a pass takes a tenth of a second and more, and fewer than the 262,144
//! the engine works off as one block, so that one block is what is measured.
//! * `deep`: 2,000 accounts over 60 days, about a hundred payments each. Windows are full and expire; an account's
//!   state is used again and again. A bank's export looks like this.
//! * `wide`: 60,000 accounts over two days, three payments each. Hardly a state is met twice, and all of them together
//!   are larger than any cache: the cost is that of finding and making them.
//!
//! * `features`: the columns scoring takes, by `step_all` over the whole batch, as `replay` and `fit` do, beside one
//!   `step` after the other, as `observe` does, from an empty state both. On the pool; `RAYON_NUM_THREADS=1` for the
//!   algorithm without threads.
//! * `engine`: `replay` beside one `observe` per transaction, with one and the same model of all five detectors fitted
//!   on 20,000 rows, from an empty state both: what batching is worth, in one run. Both give the same bits, which is
//!   checked before anything is timed.

use std::hint::black_box;
use std::time::Duration;

use crible::{Engine, Error};
use crible_benches::population;
use crible_core::Batch;
use crible_feature::{Block, FeatureSet};
use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

const ROWS: usize = 200_000;

type Fault = Box<dyn std::error::Error>;

fn shapes() -> Result<[(&'static str, Batch); 2], Fault> {
    Ok([("deep", population(2_000, 60, ROWS)?), ("wide", population(60_000, 3, ROWS)?)])
}

fn bench(c: &mut Criterion) -> Result<(), Fault> {
    let shapes = shapes()?;
    for (name, batch) in &shapes {
        if batch.len() != ROWS {
            return Err(format!("{name} has {} rows, expected {ROWS}", batch.len()).into());
        }
    }

    let mut group = c.benchmark_group("features");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(ROWS as u64));
    for (name, batch) in &shapes {
        // A block is scratch that is kept from run to run.
        let mut block = Block::default();
        group.bench_function(BenchmarkId::new("step_all", name), |b| {
            b.iter_batched(
                || FeatureSet::to_score(batch.has()),
                |mut features| {
                    features.step_all(black_box(batch), 0..ROWS, |_| true, &mut block)?;
                    Ok::<_, crible_feature::Refused>(features)
                },
                BatchSize::PerIteration,
            );
        });
        group.bench_function(BenchmarkId::new("step", name), |b| {
            b.iter_batched(
                || FeatureSet::to_score(batch.has()),
                |mut features| {
                    let mut row = vec![0.0; features.columns().len()];
                    for txn in batch.iter() {
                        features.step(black_box(&txn), &mut row)?;
                        black_box(&row);
                    }
                    Ok::<_, crible_feature::Refused>(features)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();

    let mut group = c.benchmark_group("engine");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(ROWS as u64));
    // A run takes a second or so.
    group.measurement_time(Duration::from_secs(15));
    for (name, batch) in &shapes {
        let model = Engine::builder().fit_rows(20_000).fit(batch)?.save();
        if replay(&mut Engine::load(&model)?, batch)? != observe(&mut Engine::load(&model)?, batch)? {
            return Err(format!("{name}: replay and observe differ").into());
        }
        // Loading the model and dropping the state are not timed.
        for (what, run) in [("replay", replay as Run), ("observe", observe)] {
            group.bench_function(BenchmarkId::new(what, name), |b| {
                b.iter_batched_ref(
                    || Engine::load(&model),
                    |engine| engine.as_mut().ok().map(|engine| run(engine, black_box(batch))),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
    Ok(())
}

type Run = fn(&mut Engine, &Batch) -> Result<u64, Error>;

/// A digest of all scores, in order.
fn digest(so_far: u64, score: f64) -> u64 {
    (so_far.rotate_left(5) ^ score.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn replay(engine: &mut Engine, batch: &Batch) -> Result<u64, Error> {
    let mut all = 0;
    engine.replay(batch, |_, scored| {
        all = scored.rows().fold(all, |all, row| digest(all, scored.score(row).raw));
        Ok::<_, Error>(())
    })?;
    Ok(all)
}

fn observe(engine: &mut Engine, batch: &Batch) -> Result<u64, Error> {
    let mut all = 0;
    for txn in batch.iter() {
        all = digest(all, engine.observe(&txn)?.score().raw);
    }
    Ok(all)
}

fn run(c: &mut Criterion) {
    if let Err(error) = bench(c) {
        panic!("{error}");
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
