//! Fast-MCD.

use rayon::prelude::*;

use super::McdConfig;
use crate::linalg::{Quadratic, Whitener, covariance, eigen};
use crate::{rng, stats};

/// Rows in a group, and groups, of the first steps.
const GROUP: usize = 300;
const GROUPS: usize = 5;
/// C-steps from every start, before the best go on.
const FIRST_STEPS: usize = 2;
/// How many go on from each group, and how many to all rows.
const BEST: usize = 10;
const LAST: usize = 3;
/// C-steps at most, and with more than `MANY` columns, of which each costs seconds.
const STEPS: usize = 30;
const STEPS_OF_MANY: usize = 3;
const MANY: usize = 500;
/// Added to variances during the search.
const RIDGE: f64 = 1e-6;
/// Eigenvalues below this count as this, in the final form.
const LEAST: f64 = 1e-6;

/// Normal quantile of 97.5 %.
const Z_975: f64 = 1.959_963_984_540_054;

/// A centre and covariance, and how good they are.
#[derive(Clone)]
struct Candidate {
    whitener: Whitener,
    log_determinant: f64,
}

/// The form of rows (n × k, standardised).
pub(super) fn form(config: &McdConfig, rows: &[f64], k: usize) -> Quadratic {
    let n = rows.len() / k;
    let best = search(config, rows, k);
    let squares = best.map_or_else(|| vec![0.0; n], |b| b.whitener.squares(rows));
    // As if the median were what it is for normal rows.
    let median = stats::median(&mut squares.clone());
    let limit = median / chi_square(0.0, k) * chi_square(Z_975, k);
    let whole = || covariance(rows, k, |_| 1.0).unwrap_or((vec![0.0; k], vec![0.0; k * k]));
    let (center, matrix) = covariance(rows, k, |i| f64::from(u8::from(squares[i] <= limit))).unwrap_or_else(whole);
    let eigen = eigen(matrix, k);
    // The tails that were cut off belong to a normal distribution's variance.
    let missing = 0.975 / chi_square_below(chi_square(Z_975, k), k + 2);
    let weights: Vec<f64> = eigen.values.iter().map(|&x| 1.0 / (missing * if x > LEAST { x } else { LEAST })).collect();
    Quadratic::new(center, &eigen, &weights)
}

/// Wilson and Hilferty's quantile of χ² with k degrees of freedom, at the normal quantile z.
fn chi_square(z: f64, k: usize) -> f64 {
    let k = k as f64;
    let a = 2.0 / (9.0 * k);
    let root = 1.0 - a + z * a.sqrt();
    k * root * root * root
}

/// The share of χ² with k degrees of freedom below x, by the same approximation.
fn chi_square_below(x: f64, k: usize) -> f64 {
    let k = k as f64;
    let a = 2.0 / (9.0 * k);
    0.5 * libm::erfc(-(libm::cbrt(x / k) - (1.0 - a)) / (2.0 * a).sqrt())
}

fn search(config: &McdConfig, rows: &[f64], k: usize) -> Option<Candidate> {
    let n = rows.len() / k;
    let kept = config.kept(n, k);
    // Each start costs k³: what 60 columns take is the most for more.
    let affordable = (config.n_starts as f64 * (60.0 / k as f64).powi(3)) as usize;
    let n_starts = config.n_starts.min(affordable.max(2));
    let medians = nearest_to_medians(rows, k, kept);
    let mut starts = Vec::from_iter(candidate(rows, k, |i| medians[i]));
    if k > MANY {
        return starts.pop().and_then(|c| steps(c, rows, k, kept, STEPS_OF_MANY));
    }
    if n <= 2 * GROUP {
        starts.extend(from_starts(config, rows, k, 0, n_starts));
    } else {
        let n_groups = (n / GROUP).min(GROUPS);
        let drawn = rng::sample(&mut rng::stream(config.seed, u64::MAX), n, n_groups * GROUP);
        let take = |of: &mut dyn Iterator<Item = usize>| -> Vec<f64> {
            of.flat_map(|i| rows[drawn[i] * k..][..k].iter().copied()).collect()
        };
        let merged = take(&mut (0..drawn.len()));
        let mut found = Vec::new();
        for g in 0..n_groups {
            let group = take(&mut (g..drawn.len()).step_by(n_groups));
            found.extend(from_starts(config, &group, k, g, n_starts.div_ceil(n_groups)));
        }
        let steps = |c: &Candidate| steps(c.clone(), &merged, k, config.kept(merged.len() / k, k), FIRST_STEPS);
        starts.extend(best(found.par_iter().filter_map(steps).collect(), LAST));
    }
    let finished: Vec<Candidate> =
        best(starts.iter().filter_map(|c| steps(c.clone(), rows, k, kept, FIRST_STEPS)).collect(), 1);
    finished.into_iter().next().and_then(|c| steps(c, rows, k, kept, STEPS))
}

/// The best after the first steps from random starts.
fn from_starts(config: &McdConfig, rows: &[f64], k: usize, group: usize, n_starts: usize) -> Vec<Candidate> {
    let n = rows.len() / k;
    let kept = config.kept(n, k);
    let start = |s: usize| {
        let mut rng = rng::stream(config.seed, (group * 100_000 + s) as u64);
        let drawn = rng::sample(&mut rng, n, k + 1);
        let mut few = Vec::with_capacity(drawn.len() * k);
        drawn.iter().for_each(|&i| few.extend_from_slice(&rows[i * k..][..k]));
        steps(candidate(&few, k, |_| true)?, rows, k, kept, FIRST_STEPS)
    };
    best((0..n_starts).into_par_iter().filter_map(start).collect(), BEST)
}

/// The `n` with the least determinants, the first among equals.
fn best(mut candidates: Vec<Candidate>, n: usize) -> Vec<Candidate> {
    candidates.sort_by(|a, b| a.log_determinant.total_cmp(&b.log_determinant));
    candidates.truncate(n);
    candidates
}

/// Centre and covariance of the rows that are kept.
fn candidate(rows: &[f64], k: usize, is_kept: impl Fn(usize) -> bool + Sync) -> Option<Candidate> {
    let (center, matrix) = covariance(rows, k, |i| f64::from(u8::from(is_kept(i))))?;
    let whitener = Whitener::new(center, matrix, RIDGE)?;
    Some(Candidate { log_determinant: whitener.log_determinant(), whitener })
}

/// C-steps until the determinant no longer falls.
fn steps(mut at: Candidate, rows: &[f64], k: usize, kept: usize, most: usize) -> Option<Candidate> {
    for step in 0..most {
        let squares = at.whitener.squares(rows);
        let is_kept = nearest(&squares, kept);
        let next = candidate(rows, k, |i| is_kept[i])?;
        // The first determinant may be of other rows.
        let falls = next.log_determinant < at.log_determinant - 1e-12 * at.log_determinant.abs();
        at = next;
        if step > 0 && !falls {
            break;
        }
    }
    Some(at)
}

/// The `kept` least values, the first among equals.
fn nearest(values: &[f64], kept: usize) -> Vec<bool> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    if kept < order.len() {
        order.select_nth_unstable_by(kept, |&a, &b| values[a as usize].total_cmp(&values[b as usize]).then(a.cmp(&b)));
    }
    let mut out = vec![false; values.len()];
    order[..kept.min(values.len())].iter().for_each(|&i| out[i as usize] = true);
    out
}

/// The rows nearest to the columns' medians, in median absolute deviations.
fn nearest_to_medians(rows: &[f64], k: usize, kept: usize) -> Vec<bool> {
    let columns: Vec<(f64, f64)> = (0..k)
        .into_par_iter()
        .map(|j| {
            let mut values: Vec<f64> = rows[j..].iter().step_by(k).copied().collect();
            let center = stats::median(&mut values);
            values.iter_mut().for_each(|x| *x = (*x - center).abs());
            (center, stats::median(&mut values))
        })
        .collect();
    let square = |row: &[f64]| {
        let z = |(x, (c, mad)): (&f64, &(f64, f64))| (x - c) / if *mad > 0.0 { *mad } else { 1.0 };
        row.iter().zip(&columns).map(z).map(|z| z * z).sum::<f64>()
    };
    nearest(&rows.chunks_exact(k).map(square).collect::<Vec<_>>(), kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        for (z, k, expect) in [(0.0, 2, 1.386), (0.0, 10, 9.342), (Z_975, 2, 7.378), (Z_975, 10, 20.483)] {
            let found = chi_square(z, k);
            assert!((found / expect - 1.0).abs() < 0.02, "{found}, expected {expect}");
            let share = chi_square_below(expect, k);
            assert!((share - if z == 0.0 { 0.5 } else { 0.975 }).abs() < 0.01, "{share}");
        }
    }

    #[test]
    fn a_third_of_outliers_does_not_move_the_center() {
        let mut rng = rng::stream(1, 1);
        for n in [150, 3_000] {
            let mut normal = || (0..12).map(|_| rng::unit(&mut rng)).sum::<f64>() - 6.0;
            let rows: Vec<f64> = (0..n)
                .flat_map(|i| [normal(), normal(), normal()].map(|x| if i % 3 == 0 { 20.0 + 0.1 * x } else { x }))
                .collect();
            let form = form(&McdConfig::default(), &rows, 3);
            assert!(form.center().iter().all(|c| c.abs() < 0.3), "{:?}", form.center());
        }
    }
}
