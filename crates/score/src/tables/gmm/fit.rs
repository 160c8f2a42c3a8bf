//! Expectation and maximisation.

use linfa::ParamGuard;
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::model::{Component, Gmm, log_sum};
use super::{GmmConfig, model};
use crate::kmeans::KMeans;
use crate::linalg::{Quadratic, Whitener, covariance, eigen};
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Share of the rows a component must describe.
const LEAST_SHARE: f64 = 0.01;

/// A component while it is being found.
struct Found {
    log_weight: f64,
    center: Vec<f64>,
    matrix: Vec<f64>,
    whitener: Whitener,
}

pub(super) fn fit(config: &GmmConfig, rows: ArrayView2<'_, f64>) -> Result<Gmm, Error> {
    let units = Units::fit(rows, ColumnScale::Deviations);
    if config.n_samples == 1 && rows.nrows() <= config.max_samples {
        let components = mixture(config, rows, &units, config.seed)?;
        return Ok(Gmm::new(units, components.into_iter().map(|f| finish(config, f)).collect()));
    }
    let mixtures: Result<Vec<Vec<Found>>, Error> = (0..config.n_samples)
        .into_par_iter()
        .map(|i| {
            let seed = rng::below(&mut rng::stream(config.seed, i as u64), usize::MAX) as u64;
            let drawn = rng::sample(&mut rng::stream(seed, 0), rows.nrows(), config.max_samples);
            mixture(config, rows.select(Axis(0), &drawn).view(), &units, seed)
        })
        .collect();
    let components = mixtures?.into_par_iter().flatten().map(|mut found| {
        found.log_weight -= libm::log(config.n_samples as f64);
        finish(config, found)
    });
    Ok(Gmm::new(units, components.collect()))
}

/// The components that describe the rows.
fn mixture(config: &GmmConfig, rows: ArrayView2<'_, f64>, units: &Units, seed: u64) -> Result<Vec<Found>, Error> {
    let k = rows.ncols();
    let clusters = KMeans::params().n_clusters(config.n_components).seed(seed).check()?.fit_rows(rows)?;
    let nearest: Vec<usize> = clusters.nearest_to(rows);
    let rows = units.all(rows);
    let n = nearest.len();
    let mut shares: Vec<Vec<f64>> = (0..clusters.centroids().nrows())
        .map(|c| nearest.iter().map(|&of| f64::from(u8::from(of == c))).collect())
        .collect();
    let mut found = maximise(config, &rows, k, &shares);
    let mut before = f64::NEG_INFINITY;
    for _ in 0..config.max_iterations {
        let density = expect(&found, &rows, k, &mut shares);
        // An error in the next step keeps what there is.
        let next = maximise(config, &rows, k, &shares);
        if next.is_empty() {
            break;
        }
        let same = next.len() == found.len();
        found = next;
        if same && (density - before).abs() < config.tolerance {
            break;
        }
        before = if same { density } else { f64::NEG_INFINITY };
    }
    if found.is_empty() {
        // Fewer rows than a component must describe: one for all.
        found.extend(component(config, &rows, k, &vec![1.0; n]));
    }
    Ok(found)
}

/// The components of these shares of rows, without those that describe too few.
fn maximise(config: &GmmConfig, rows: &[f64], k: usize, shares: &[Vec<f64>]) -> Vec<Found> {
    let n = (rows.len() / k) as f64;
    let least = (LEAST_SHARE * n).max((k + 1) as f64);
    let enough = shares.iter().filter(|s| s.iter().sum::<f64>() >= least);
    let mut found: Vec<Found> = enough.filter_map(|s| component(config, rows, k, s)).collect();
    // What was left out, the others take over.
    let total: f64 = found.iter().map(|f| libm::exp(f.log_weight)).sum();
    found.iter_mut().for_each(|f| f.log_weight -= libm::log(total));
    found
}

fn component(config: &GmmConfig, rows: &[f64], k: usize, shares: &[f64]) -> Option<Found> {
    let (center, matrix) = covariance(rows, k, |i| shares[i])?;
    let whitener = Whitener::new(center.clone(), matrix.clone(), config.ridge)?;
    let log_weight = libm::log(shares.iter().sum::<f64>() / shares.len() as f64);
    Some(Found { log_weight, center, matrix, whitener })
}

/// Each component's share of each row; the mean log density.
fn expect(found: &[Found], rows: &[f64], k: usize, shares: &mut Vec<Vec<f64>>) -> f64 {
    shares.clear();
    shares.extend(found.iter().map(|f| f.whitener.squares(rows)));
    let constants: Vec<f64> =
        found.iter().map(|f| model::constant(f.log_weight, f.whitener.log_determinant(), k)).collect();
    let n = rows.len() / k;
    const PIECE: usize = 4_096;
    let mut pieces: Vec<Vec<&mut [f64]>> = (0..n.div_ceil(PIECE)).map(|_| Vec::new()).collect();
    for share in shares {
        share.chunks_mut(PIECE).zip(&mut pieces).for_each(|(part, piece)| piece.push(part));
    }
    let sums: Vec<f64> = pieces
        .into_par_iter()
        .map(|mut piece| {
            let mut total = 0.0;
            let mut logs = vec![0.0; constants.len()];
            for i in 0..piece.first().map_or(0, |p| p.len()) {
                for ((log, part), constant) in logs.iter_mut().zip(&piece).zip(&constants) {
                    *log = constant - 0.5 * part[i];
                }
                let density = log_sum(&logs);
                total += density;
                piece.iter_mut().zip(&logs).for_each(|(part, log)| part[i] = libm::exp(log - density));
            }
            total
        })
        .collect();
    sums.iter().sum::<f64>() / n as f64
}

fn finish(config: &GmmConfig, found: Found) -> Component {
    let k = found.center.len();
    let eigen = eigen(found.matrix, k);
    let variance = |x: &f64| if *x > 0.0 { x + config.ridge } else { config.ridge };
    let weights: Vec<f64> = eigen.values.iter().map(|x| 1.0 / variance(x)).collect();
    let log_determinant = eigen.values.iter().map(|x| libm::log(variance(x))).sum();
    Component {
        constant: model::constant(found.log_weight, log_determinant, k),
        form: Quadratic::new(found.center, &eigen, &weights),
    }
}
