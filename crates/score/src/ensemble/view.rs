//! Columns brought to one unit, heavy tails drawn in.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::SnapshotError;
use crate::stats::{clip, magnitude, mean_deviation};
use crate::steps::Knots;
use crate::units::FURTHEST;
use crate::{Error, rng};

/// Kurtosis above which a column counts as heavy-tailed: a normal one has 3, a logistic one 4.2, a Laplace one 6.
pub(super) const HEAVY: f64 = 5.0;

/// Normal scores from one knot to the next, at least.
const STEP: f64 = 1.0 / 32.0;

/// Rows a column is judged by, at most.
const MOST_ROWS: usize = 16_384;

/// How members see each column. See [`View::Even`](super::View).
#[derive(Debug, Clone)]
pub(super) struct Evener {
    columns: Vec<Column>,
    tables: Vec<Option<Table>>,
}

/// What is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Column {
    /// Less the centre, over twice the half; 0 for a half of 0.
    Linear { center: f64, half: f64 },
    /// Normal scores at ascending values, and half the distance beyond the outermost that counts as one
    /// more.
    Scores { values: Vec<f64>, scores: Vec<f64>, half: f64 },
}

#[derive(Debug, Clone)]
struct Table {
    knots: Knots,
    slopes: Vec<f64>,
}

impl Evener {
    pub(super) fn fit(rows: ArrayView2<'_, f64>, heavy: f64) -> Result<Self, Error> {
        let drawn = rng::sample(&mut rng::stream(0, u64::MAX), rows.nrows(), MOST_ROWS);
        let columns = (0..rows.ncols())
            .into_par_iter()
            .map(|j| {
                let column = rows.index_axis(Axis(1), j);
                Column::fit(drawn.iter().map(|&i| column[i] + 0.0).collect(), heavy)
            })
            .collect();
        Self::from_columns(columns)
    }

    pub(super) fn from_columns(columns: Vec<Column>) -> Result<Self, Error> {
        let tables: Option<Vec<_>> = columns.iter().map(Column::table).collect();
        match tables {
            Some(tables) if !columns.is_empty() => Ok(Self { columns, tables }),
            _ => Err(SnapshotError::invalid("ensemble", "a column's view is out of range")),
        }
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows as seen, a column after the other.
    pub(super) fn fill(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let n = rows.nrows();
        for ((column, table), (xs, out)) in
            self.columns.iter().zip(&self.tables).zip(rows.axis_iter(Axis(1)).zip(out.chunks_exact_mut(n)))
        {
            match (column, table) {
                (Column::Linear { center, half }, _) if *half > 0.0 => {
                    out.iter_mut().zip(xs).for_each(|(to, x)| *to = clip((x * 0.5 - center * 0.5) / half, FURTHEST));
                }
                (Column::Scores { values, scores, half }, Some(table)) => {
                    out.iter_mut().zip(xs).for_each(|(to, &x)| *to = table.at(values, scores, *half, x));
                }
                _ => out.fill(0.0),
            }
        }
    }
}

impl Column {
    fn fit(mut values: Vec<f64>, heavy: f64) -> Self {
        let (center, deviation) = mean_deviation(&values);
        if deviation == 0.0 || kurtosis(&values) <= heavy {
            return Self::Linear { center, half: 0.5 * deviation };
        }
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len();
        let (mut kept, mut scores) = (vec![], vec![]);
        let mut start = 0;
        for run in values.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            let p = (start as f64 + 0.5 * run.len() as f64) / n as f64;
            let score = normal_quantile(p);
            // A value that many share keeps its own score.
            let is_common = run.len() * 256 > n;
            if end == n || is_common || scores.last().is_none_or(|last| score - last > STEP) {
                kept.push(run[0]);
                scores.push(score);
            }
            start = end;
        }
        let middle = values[n / 2] * 0.5;
        let reach = (values[n - 1] * 0.5 - middle).max(middle - values[0] * 0.5);
        Self::Scores { values: kept, scores, half: reach.max(f64::MIN_POSITIVE) }
    }

    /// What a lookup needs; `None` for a column no fit produces.
    fn table(&self) -> Option<Option<Table>> {
        match self {
            Self::Linear { center, half } => (center.is_finite() && half.is_finite() && *half >= 0.0).then_some(None),
            Self::Scores { values, scores, half } => {
                let fine = values.len() == scores.len()
                    && !values.is_empty()
                    && scores.windows(2).all(|w| w[0] <= w[1])
                    && scores.iter().all(|s| s.abs() <= 40.0)
                    && *half > 0.0
                    && half.is_finite();
                if !fine {
                    return None;
                }
                let slope = |i: usize| {
                    let half = values[i + 1] * 0.5 - values[i] * 0.5;
                    ((scores[i + 1] - scores[i]) / half).min(f64::MAX)
                };
                let slopes = (0..values.len() - 1).map(slope).collect();
                Some(Some(Table { knots: Knots::new(values.clone())?, slopes }))
            }
        }
    }
}

impl Table {
    fn at(&self, values: &[f64], scores: &[f64], half: f64, x: f64) -> f64 {
        let last = values.len() - 1;
        let below = self.knots.count_below(x);
        // Beyond what was seen a distance counts, but only by its logarithm.
        if below > last {
            return scores[last] + beyond(x * 0.5 - values[last] * 0.5, half);
        }
        if x == values[below] {
            return scores[below];
        }
        if below == 0 {
            return scores[0] - beyond(values[0] * 0.5 - x * 0.5, half);
        }
        let y = scores[below - 1] + (x * 0.5 - values[below - 1] * 0.5) * self.slopes[below - 1];
        if y < scores[below] { y } else { scores[below] }
    }
}

/// What a distance beyond the outermost value counts; finite also where its quotient is not.
fn beyond(distance: f64, half: f64) -> f64 {
    libm::log1p(clip(distance / half, f64::MAX))
}

/// Fourth central moment over the square of the second.
fn kurtosis(values: &[f64]) -> f64 {
    let scale = magnitude(values);
    let n = values.len() as f64;
    let mean = values.iter().map(|x| x / scale).sum::<f64>() / n;
    let (mut second, mut fourth) = (0.0, 0.0);
    for x in values {
        let d = x / scale - mean;
        second += d * d;
        fourth += d * d * d * d;
    }
    fourth * n / (second * second)
}

/// Acklam's rational approximation of the standard normal quantile; its relative error is below 1.2e-9.
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 5] =
        [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 4] = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
    let horner = |c: &[f64], x: f64| c.iter().fold(0.0, |y, c| y * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * libm::log(p)).sqrt();
        horner(&C, q) / (horner(&D, q) * q + 1.0)
    };
    if p < 0.02425 {
        tail(p)
    } else if p > 1.0 - 0.02425 {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        let r = q * q;
        horner(&A, r) * q / (horner(&B, r) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn quantiles() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.001, -3.090_232_306), (1e-9, -5.997_807_015)] {
            assert!((normal_quantile(p) - z).abs() < 1e-8, "{p}");
        }
    }

    fn seen(values: &[f64], probes: &[f64]) -> Vec<f64> {
        let rows = Array2::from_shape_fn((values.len(), 1), |(i, _)| values[i]);
        let evener = Evener::fit(rows.view(), HEAVY).unwrap();
        let probes = Array2::from_shape_fn((probes.len(), 1), |(i, _)| probes[i]);
        let mut out = vec![0.0; probes.len()];
        evener.fill(probes.view(), &mut out);
        out
    }

    #[test]
    fn a_heavy_tail_is_drawn_in_and_keeps_its_order() {
        let values: Vec<f64> = (0..2_001).map(|i| (f64::from(i - 1_000) / 100.0).exp()).collect();
        let probes = [-1e300, -1.0, 0.0, 0.01, 0.5, 1.0, 2.0, 1e3, 1e4, 3e4, 1e9, 1e300];
        let out = seen(&values, &probes);
        assert!(out.windows(2).all(|w| w[0] < w[1]), "{out:?}");
        assert!((out[5]).abs() < 0.05 && out[9] < 6.0 && out[11] < 1_000.0, "{out:?}");
    }

    #[test]
    fn a_light_tail_is_standardised() {
        let values: Vec<f64> = (0..1_000).map(f64::from).collect();
        let out = seen(&values, &[499.5, 999.0]);
        assert!(out[0].abs() < 1e-12 && (out[1] - 1.7303).abs() < 1e-3, "{out:?}");
    }

    #[test]
    fn a_rare_value_is_as_far_as_it_is_rare() {
        let values: Vec<f64> = (0..1_000).map(|i| f64::from(u8::from(i % 100 == 0))).collect();
        let out = seen(&values, &[0.0, 1.0]);
        assert!((out[1] - 2.576).abs() < 0.01 && out[0].abs() < 0.02, "{out:?}");
    }
}
