//! linfa's k-means on standardised rows.

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::model::{Column, nearest};
use super::{KMeans, KMeansConfig};
use crate::{Error, rng, stats};

/// Lloyd steps after linfa's last; it stops close, so few are needed.
const POLISH: usize = 10;

pub(super) fn fit(config: &KMeansConfig, rows: ArrayView2<'_, f64>) -> Result<KMeans, Error> {
    let columns: Vec<Column> = (0..rows.ncols())
        .into_par_iter()
        .map(|j| {
            let (mean, deviation) = stats::mean_deviation(&rows.index_axis(Axis(1), j).to_vec());
            Column { mean, deviation }
        })
        .collect();

    let mut rng = rng::stream(config.seed, 0);
    let drawn = rng::sample(&mut rng, rows.nrows(), config.max_samples);
    let mut sample = Array2::zeros((drawn.len(), rows.ncols()));
    for (mut to, &row) in sample.outer_iter_mut().zip(&drawn) {
        for ((to, column), &x) in to.iter_mut().zip(&columns).zip(rows.row(row)) {
            *to = column.standardise(x);
        }
    }

    let backend = |source: Box<dyn std::error::Error + Send + Sync>| Error::Backend { detector: KMeans::NAME, source };
    let n_clusters = config.n_clusters.min(drawn.len());
    let params = linfa_clustering::KMeans::params_with_rng(n_clusters, rng)
        .n_runs(config.n_runs)
        .max_n_iterations(config.max_iterations)
        .tolerance(config.tolerance)
        .check()
        .map_err(|e| backend(Box::new(e)))?;
    let dataset = DatasetBase::from(sample);
    let found = params.fit(&dataset).map_err(|e| backend(Box::new(e)))?;
    let centroids = polish(dataset.records.view(), found.centroids().clone(), config.min_share);
    KMeans::new(columns, centroids)
}

/// Lloyd's steps until no row changes its centre; centres that fewer than a share of the rows are nearest to are dropped, but
/// never the largest.
fn polish(sample: ArrayView2<'_, f64>, mut centroids: Array2<f64>, min_share: f64) -> Array2<f64> {
    let mut before: Vec<usize> = Vec::new();
    for _ in 0..POLISH {
        let flat: Vec<f64> = centroids.iter().copied().collect();
        let members: Vec<usize> =
            (0..sample.nrows()).into_par_iter().map(|i| nearest(&flat, sample.ncols(), |j| sample[[i, j]]).0).collect();
        if members == before {
            break;
        }
        let mut sums = Array2::<f64>::zeros(centroids.raw_dim());
        let mut counts = vec![0_usize; centroids.nrows()];
        // In the order of the rows, whatever the threads did.
        for (row, &centre) in sample.outer_iter().zip(&members) {
            counts[centre] += 1;
            sums.row_mut(centre).iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        let largest = counts.iter().copied().max().unwrap_or(0);
        let least = (min_share * sample.nrows() as f64).clamp(1.0, largest.max(1) as f64);
        let kept: Vec<usize> = (0..counts.len()).filter(|&c| counts[c] as f64 >= least).collect();
        for &centre in &kept {
            sums.row_mut(centre).mapv_inplace(|sum| sum / counts[centre] as f64);
        }
        let is_smaller = kept.len() < counts.len();
        centroids = sums.select(Axis(0), &kept);
        // Numbers of centres shift when one is dropped.
        before = if is_smaller { Vec::new() } else { members };
    }
    centroids
}
