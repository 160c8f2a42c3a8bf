//! Detectors that compare every row of a fit with others, at the size where an n × n matrix takes 80 GB.
//!
//! Shape: 100,000 × 20, thirty clusters of different widths and one row of twenty anywhere. With thirty
//! clusters most pairs of rows need not be compared; the rows anywhere, and twenty columns, make bounds
//! weak enough that pruning is no free lunch. `benches/peers/neighbours.py` runs the same shape against
//! scikit-learn and hdbscan, process by process.

use std::hint::black_box;

use crible_score::abod::Abod;
use crible_score::cof::Cof;
use crible_score::dbscan::Dbscan;
use crible_score::hdbscan::Hdbscan;
use crible_score::kmeans::KMeans;
use crible_score::knn::Knn;
use crible_score::linfa;
use crible_score::lof::Lof;
use crible_score::optics::Optics;
use crible_score::{Detector, Error, ParamGuard};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use linfa::traits::Fit;
use ndarray::{Array2, Axis, Slice};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const ROWS: usize = 100_000;
const COLUMNS: usize = 20;

fn rows() -> Array2<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let centers = Array2::from_shape_fn((30, COLUMNS), |_| rng.gen_range(-10.0..10.0));
    let mut out = Array2::zeros((ROWS, COLUMNS));
    for (i, mut row) in out.outer_iter_mut().enumerate() {
        let of = rng.gen_range(0..30);
        let width = 0.4 + of as f64 / 27.0;
        for (j, x) in row.iter_mut().enumerate() {
            let normal: f64 = (0..6).map(|_| rng.gen_range(-1.0..1.0)).sum::<f64>() / 1.4;
            *x = if i % 20 == 0 { rng.gen_range(-15.0..15.0) } else { centers[[of, j]] + width * normal };
        }
    }
    out
}

fn bench(c: &mut Criterion) -> Result<(), Error> {
    let rows = rows();
    let detectors: [(&str, Box<dyn Detector>); 7] = [
        ("knn", Box::new(Knn::params().check()?)),
        ("lof", Box::new(Lof::params().check()?)),
        ("cof", Box::new(Cof::params().check()?)),
        ("abod", Box::new(Abod::params().check()?)),
        ("dbscan", Box::new(Dbscan::params().check()?)),
        ("optics", Box::new(Optics::params().check()?)),
        ("hdbscan", Box::new(Hdbscan::params().check()?)),
    ];
    let mut group = c.benchmark_group("fit_and_score_100000x20");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    for (name, detector) in detectors {
        group.bench_function(name, |b| {
            b.iter(|| -> Result<_, Error> {
                let model = detector.fit(black_box(rows.view()))?;
                crible_score::score(model.as_ref(), rows.view())
            });
        });
    }
    let few = rows.slice_axis(Axis(0), Slice::from(..16_384)).to_owned();
    let ours: Box<dyn Detector> = Box::new(KMeans::params().n_runs(1).check()?);
    group.bench_function("kmeans_16384", |b| b.iter(|| ours.fit(black_box(few.view())).map(drop)));
    group.bench_function("kmeans_16384_linfa", |b| {
        let records = linfa::DatasetBase::from(few.clone());
        let params = linfa_clustering::KMeans::params_with_rng(8, Xoshiro256PlusPlus::seed_from_u64(0))
            .n_runs(1)
            .tolerance(1e-2);
        b.iter(|| params.fit(black_box(&records)).map(drop));
    });
    let optics = Optics::params().check()?.fit_rows(rows.view())?;
    group.bench_function("optics_plot", |b| b.iter(|| black_box(&optics).plot()));
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
