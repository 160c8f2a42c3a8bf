//! One column's histogram.

use serde::{Deserialize, Serialize};

use crate::stats::range;
use crate::steps::{Knots, Steps};

/// Most bins the automatic choice considers.
const MOST_BINS: usize = 1_000;

/// Ascending edges and the rows between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    pub(crate) edges: Vec<f64>,
    pub(crate) counts: Vec<u64>,
}

impl Histogram {
    pub(crate) fn fit(values: &[f64], n_bins: usize) -> Self {
        let (low, high) = range(values.iter().copied());
        let edges = edges(low, high, n_bins);
        let mut counts = vec![0; edges.len() - 1];
        // The edges are ascending and finite: `edges` makes them so.
        if let Some(knots) = Knots::new(edges.clone()) {
            let last = counts.len() - 1;
            knots.each_count_below(values, |_, below, is_edge| {
                // Edges at or below the value, less one; the last edge belongs to the last bin.
                let bin = (below + usize::from(is_edge)).saturating_sub(1);
                counts[bin.min(last)] += 1;
            });
        }
        Self { edges, counts }
    }

    pub(crate) fn fit_automatic(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let n_bins = best_bins(&values);
        Self::fit(&values, n_bins)
    }

    /// −log2(density + alpha) as a step function; `None` for a histogram no fit produces.
    pub(crate) fn steps(&self, alpha: f64, tol: f64) -> Option<Steps> {
        let n_bins = self.counts.len();
        if n_bins == 0 || self.edges.len() != n_bins + 1 {
            return None;
        }
        let total: u64 = self.counts.iter().try_fold(0_u64, |sum, &c| sum.checked_add(c))?;
        let total = total as f64;
        let score = |bin: usize| {
            let width = self.edges[bin + 1] - self.edges[bin];
            // In numpy's order; an infinite width gives 0, a tiny one at most the largest number.
            let density = (self.counts[bin] as f64 / width / total).min(f64::MAX);
            0.0 - libm::log2(density + alpha)
        };
        let scores: Vec<f64> = (0..n_bins).map(score).collect();
        let thinnest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);

        // The edges, and outside them how far the outermost bins reach. Scoring counts a value on an
        // edge to the bin below, so the reach on the left must include its end: one number less.
        let first = self.edges[0];
        let last = self.edges[n_bins];
        let reach = |bin: usize| (self.edges[bin + 1] - self.edges[bin]) * tol;
        let left = (first - reach(0)).next_down().max(f64::MIN);
        let right = (last + reach(n_bins - 1)).min(f64::MAX);
        // Interval i lies above knot i − 1 and up to knot i, which it includes.
        let (mut knots, mut intervals) = (vec![], vec![]);
        if left < first {
            knots.push(left);
            intervals.push(thinnest);
        }
        knots.extend_from_slice(&self.edges);
        intervals.push(scores[0]);
        intervals.extend_from_slice(&scores);
        if right > last {
            knots.push(right);
            intervals.push(scores[n_bins - 1]);
        }
        let mut table: Vec<f64> = intervals.iter().flat_map(|&s| [s, s]).collect();
        table.push(thinnest);
        Some(Steps::new(Knots::new(knots)?, table))
    }
}

/// n + 1 equally spaced edges as numpy's `histogram` has them: a constant column gets a range of 1.
/// Strictly ascending, possibly fewer where numbers are too coarse, two at least.
fn edges(low: f64, high: f64, n_bins: usize) -> Vec<f64> {
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let (low, high) = if low < high { (low, high) } else { (low.next_down(), high.next_up()) };
    let (low, high) = (low.clamp(f64::MIN, f64::MAX), high.clamp(f64::MIN, f64::MAX));
    let span = high - low;
    let n = n_bins as f64;
    let step = span / n;
    let mut edges: Vec<f64> = (0..n_bins)
        .map(|i| {
            let i = i as f64;
            if span.is_finite() { i * step + low } else { low * (1.0 - i / n) + high * (i / n) }
        })
        .collect();
    // Rounding may make edges equal, or carry one to the end of the range.
    edges.retain(|edge| *edge < high);
    edges.dedup();
    edges.push(high);
    edges
}

/// The number of bins Birgé and Rozenholc choose for ascending values.
fn best_bins(sorted: &[f64]) -> usize {
    let n = sorted.len();
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
        return 1;
    };
    if low == high {
        return 1;
    }
    let most = ((n as f64).sqrt() as usize).clamp(1, MOST_BINS);
    let mut best = (f64::NEG_INFINITY, 1);
    for bins in 1..=most {
        let edges = edges(low, high, bins);
        let mut before = 0;
        let mut likelihood = 0.0;
        for (i, edge) in edges.iter().enumerate().skip(1) {
            let is_last = i + 1 == edges.len();
            let upto = if is_last { n } else { before + sorted[before..].partition_point(|x| x < edge) };
            let count = (upto - before) as f64;
            if count > 0.0 {
                likelihood += count * libm::log(bins as f64 * count / n as f64);
            }
            before = upto;
        }
        let penalty = bins as f64 - 1.0 + libm::pow(libm::log(bins as f64), 2.5);
        if likelihood - penalty > best.0 {
            best = (likelihood - penalty, bins);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_above_in_the_fit_and_below_in_scoring() {
        let h = Histogram::fit(&[0.0, 1.0, 1.0, 2.0], 2);
        assert_eq!(h.edges, [0.0, 1.0, 2.0]);
        assert_eq!(h.counts, [1, 3]);
        let steps = h.steps(0.1, 0.5).unwrap();
        let thin = -(0.25_f64 + 0.1).log2();
        let thick = -(0.75_f64 + 0.1).log2();
        for (x, expect) in [
            (0.0, thin),
            (1.0, thin),
            (1.1, thick),
            (2.0, thick),
            (2.5, thick),
            (2.6, thin),
            (-0.5, thin),
            (-9.0, thin),
        ] {
            assert!((steps.at(x) - expect).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn edges_survive_any_range() {
        fn check(low: f64, high: f64) {
            let edges = edges(low, high, 10);
            assert!(edges.len() >= 2 && edges.windows(2).all(|w| w[0] < w[1]), "{low} {high}: {edges:?}");
            assert!(edges[0] <= low && high <= edges[edges.len() - 1]);
            let h = Histogram::fit(&[low, high], 10);
            assert_eq!(h.counts.iter().sum::<u64>(), 2);
            let steps = h.steps(0.1, 0.5).unwrap();
            assert!([low, high, f64::MAX, f64::MIN, 0.0].iter().all(|&x| steps.at(x).is_finite()));
        }
        check(0.0, 1.0);
        check(5.0, 5.0);
        check(1e300, 1e300);
        check(f64::MAX, f64::MAX);
        check(f64::MIN, f64::MAX);
        check(1.0, 1.0_f64.next_up());
        check(5e-324, 1e-323);
    }

    #[test]
    fn two_lumps_ask_for_more_bins_than_a_flat_column() {
        let flat: Vec<f64> = (0..2_000).map(|i| f64::from(i) / 2_000.0).collect();
        let lumps: Vec<f64> = flat.iter().map(|x| if *x < 0.5 { x * 0.1 } else { 10.0 + x }).collect();
        assert_eq!(best_bins(&flat), 1);
        assert!(best_bins(&lumps) >= 10, "{}", best_bins(&lumps));
    }
}
