//! Every detector's fit and scoring, in rows a second.
//!
//! Shapes:
//! * fit on 100,000 × 35: 35 columns are what the feature layer makes of a transaction; 100,000 rows are
//!   enough that sorting and sampling dominate and fixed costs do not.
//! * the same of 10,000 rows for those whose fit compares every row with every other (`QUADRATIC`): it
//!   takes seconds there, and what is measured, comparisons a second, is the same.
//! * score 1,024 × 35 in column order: the block the engine scores while it is hot in cache, on one
//!   thread, so that the figure is the detector's and not the pool's.
//! * score 1 × 35: a transaction observed alone, as a service does it.
//! * isolation forest 284,807 × 29: the shape of the credit card set other libraries publish figures
//!   for; fit and score together, on the pool.

use std::hint::black_box;

use crible_score::cblof::Cblof;
use crible_score::copod::Copod;
use crible_score::ecod::Ecod;
use crible_score::ensemble::Ensemble;
use crible_score::gmm::Gmm;
use crible_score::hbos::{Bins, Hbos};
use crible_score::inne::Inne;
use crible_score::isolation_forest::IsolationForest;
use crible_score::kde::Kde;
use crible_score::kmeans::KMeans;
use crible_score::knn::Knn;
use crible_score::loda::Loda;
use crible_score::lof::Lof;
use crible_score::mcd::Mcd;
use crible_score::pca::Pca;
use crible_score::robust_z::RobustZ;
use crible_score::{Detector, Error, ParamGuard, score};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array2, ShapeBuilder};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const COLUMNS: usize = 35;

/// Detectors whose cost grows with the product of the fit's rows and those scored.
const QUADRATIC: [&str; 2] = ["knn", "lof"];

/// Columns as features are: normal, skewed, small counts, mostly zero, heavy-tailed. In column order.
fn rows(n: usize, k: usize) -> Array2<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut out = Array2::zeros((n, k).f());
    for (j, mut column) in out.columns_mut().into_iter().enumerate() {
        for x in &mut column {
            let u: f64 = rng.gen_range(1e-6..1.0);
            let normal: f64 = (0..6).map(|_| rng.gen_range(-1.0..1.0)).sum();
            *x = match j % 5 {
                0 => normal,
                1 => 10.0 * (1.0 + normal).exp(),
                2 => (u * 8.0).floor(),
                3 if u < 0.7 => 0.0,
                3 => normal * normal,
                _ => 1.0 / u,
            };
        }
    }
    out
}

type Named = (&'static str, Box<dyn Detector>);

fn detectors() -> Result<Vec<Named>, Error> {
    let ensemble = Ensemble::params()
        .member(Box::new(RobustZ::params().check()?))
        .member(Box::new(Ecod::params().check()?))
        .member(Box::new(Hbos::params().check()?))
        .member(Box::new(IsolationForest::params().check()?))
        .member(Box::new(KMeans::params().check()?));
    Ok(vec![
        ("robust_z", Box::new(RobustZ::params().check()?)),
        ("ecod", Box::new(Ecod::params().check()?)),
        ("hbos", Box::new(Hbos::params().check()?)),
        ("hbos_automatic", Box::new(Hbos::params().bins(Bins::BirgeRozenholc).check()?)),
        ("isolation_forest", Box::new(IsolationForest::params().check()?)),
        ("kmeans", Box::new(KMeans::params().check()?)),
        ("knn", Box::new(Knn::params().check()?)),
        ("lof", Box::new(Lof::params().check()?)),
        ("pca", Box::new(Pca::params().check()?)),
        ("copod", Box::new(Copod::params().check()?)),
        ("mcd", Box::new(Mcd::params().check()?)),
        ("cblof", Box::new(Cblof::params().check()?)),
        ("loda", Box::new(Loda::params().check()?)),
        ("inne", Box::new(Inne::params().check()?)),
        ("gmm", Box::new(Gmm::params().check()?)),
        ("kde", Box::new(Kde::params().check()?)),
        ("ensemble_of_five", Box::new(ensemble.check()?)),
    ])
}

fn bench(c: &mut Criterion) -> Result<(), Error> {
    let (history, short) = (rows(100_000, COLUMNS), rows(10_000, COLUMNS));
    let history = |name| if QUADRATIC.contains(&name) { &short } else { &history };
    let block = rows(1_024, COLUMNS);
    let one = rows(1, COLUMNS);

    let mut group = c.benchmark_group("fit");
    group.sample_size(10);
    for (name, detector) in detectors()? {
        let history = history(name);
        group.throughput(Throughput::Elements(history.nrows() as u64));
        group.bench_function(name, |b| b.iter(|| detector.fit(black_box(history.view()))));
    }
    group.finish();

    let mut group = c.benchmark_group("score");
    for (name, detector) in detectors()? {
        let model = detector.fit(history(name).view())?;
        for rows in [&block, &one] {
            let mut out = vec![0.0; rows.nrows()];
            group.throughput(Throughput::Elements(rows.nrows() as u64));
            group.bench_function(BenchmarkId::new(name, rows.nrows()), |b| {
                b.iter(|| model.score_block(black_box(rows.view()), black_box(&mut out)));
            });
        }
    }
    group.finish();

    let cards = rows(284_807, 29);
    let mut group = c.benchmark_group("fit_and_score");
    group.sample_size(10).throughput(Throughput::Elements(284_807));
    let forest = IsolationForest::params().check()?;
    group.bench_function("isolation_forest_284807x29", |b| {
        b.iter(|| -> Result<_, Error> {
            let model = forest.fit_rows(black_box(cards.view()))?;
            score(&model, cards.view())
        });
    });
    group.finish();
    Ok(())
}

fn run(c: &mut Criterion) {
    if let Err(error) = bench(c) {
        panic!("{error}");
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
