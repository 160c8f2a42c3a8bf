//! One column's histogram.

use serde::{Deserialize, Serialize};

use super::even::{Even, summed};
use crate::stats::{range_in_order, range_of};
use crate::steps::{Knots, Steps, linear};

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
        let (low, high) = range_in_order(values);
        let edges = edges(low, high, n_bins);
        match Even::new(&edges, n_bins) {
            Some(even) => {
                let mut sides = even.none();
                even.count(&edges, values, &mut sides);
                Self { counts: summed(&sides), edges }
            }
            None => Self::searched(edges, values),
        }
    }

    /// With these edges, which are ascending and finite: the bin of each value is searched for.
    pub(super) fn searched(edges: Vec<f64>, values: &[f64]) -> Self {
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

    /// With as many bins as `choice`, which is for so many values, finds best.
    pub(crate) fn fit_automatic(values: &mut [f64], choice: &Choice) -> Self {
        debug_assert_eq!(values.len(), choice.n);
        let (low, high) = range_of(values);
        match Buckets::new(values, low, high) {
            Some(buckets) => choice.fit(low, high, |x| buckets.below(x)),
            None => {
                values.sort_unstable_by(f64::total_cmp);
                choice.fit(low, high, |x| values.partition_point(|value| *value < x))
            }
        }
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
        intervals.push(thinnest);
        Some(Steps::up_to(Knots::new(knots)?, intervals))
    }
}

/// n + 1 equally spaced edges as numpy's `histogram` has them: a constant column gets a range of 1.
/// Strictly ascending, possibly fewer where numbers are too coarse, two at least.
pub(super) fn edges(low: f64, high: f64, n_bins: usize) -> Vec<f64> {
    let mut out = Vec::new();
    edges_into(low, high, n_bins, &mut out);
    out
}

/// [`edges`], in place of what `out` held.
fn edges_into(low: f64, high: f64, n_bins: usize, out: &mut Vec<f64>) {
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let (low, high) = if low < high { (low, high) } else { (low.next_down(), high.next_up()) };
    let (low, high) = (low.clamp(f64::MIN, f64::MAX), high.clamp(f64::MIN, f64::MAX));
    let span = high - low;
    let n = n_bins as f64;
    out.clear();
    if span.is_finite() {
        let step = span / n;
        out.extend((0..n_bins).map(|i| i as f64 * step + low));
    } else {
        let edge = |i: f64| low * (1.0 - i / n) + high * (i / n);
        out.extend((0..n_bins).map(|i| edge(i as f64)));
    }
    // Rounding may make edges equal, or carry one to the end of the range.
    let coarse = out.windows(2).fold(false, |any, w| any | (w[0] >= w[1])) || out.last().is_some_and(|x| *x >= high);
    if coarse {
        out.retain(|edge| *edge < high);
        out.dedup();
    }
    out.push(high);
}

/// Values in many buckets of equal width: how many are below a number is then known but for one bucket's.
struct Buckets {
    low: f64,
    per_unit: f64,
    last: f64,
    /// Where each bucket begins, and the end.
    starts: Vec<u32>,
    values: Vec<f64>,
}

impl Buckets {
    /// `None` where a bucket would hold so many that sorting is the better way, or they are too many to number.
    fn new(values: &[f64], low: f64, high: f64) -> Option<Self> {
        const FULL: u32 = 64;
        let n_buckets = values.len().next_power_of_two();
        let (per_unit, last) = (n_buckets as f64 / (high - low), (n_buckets - 1) as f64);
        if !per_unit.is_normal() || u32::try_from(values.len()).is_err() {
            return None;
        }
        let mut starts = vec![0_u32; n_buckets + 1];
        values.iter().for_each(|&x| starts[linear(low, per_unit, last, x) + 1] += 1);
        if starts.iter().any(|count| *count > FULL) {
            return None;
        }
        (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
        let mut next = starts.clone();
        let mut placed = vec![0.0; values.len()];
        for &x in values {
            let next = &mut next[linear(low, per_unit, last, x)];
            placed[*next as usize] = x;
            *next += 1;
        }
        Some(Self { low, per_unit, last, starts, values: placed })
    }

    /// Number of values strictly below x.
    fn below(&self, x: f64) -> usize {
        let bucket = linear(self.low, self.per_unit, self.last, x);
        let (start, end) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        start + self.values[start..end].iter().filter(|value| **value < x).count()
    }
}

/// How many bins suit so many values: what Birgé and Rozenholc choose.
pub(crate) struct Choice {
    n: usize,
    /// For 1, 2, … bins.
    penalties: Vec<f64>,
    /// c ln c for counts from 0 on, as far as a table is worth its memory.
    terms: Vec<f64>,
}

impl Choice {
    pub(crate) fn new(n: usize) -> Self {
        const MOST_TERMS: usize = 4_096;
        let most = ((n as f64).sqrt() as usize).clamp(1, MOST_BINS);
        let penalty = |bins: usize| bins as f64 - 1.0 + libm::pow(libm::log(bins as f64), 2.5);
        Self { n, penalties: (1..=most).map(penalty).collect(), terms: (0..=n.min(MOST_TERMS)).map(term).collect() }
    }

    /// The best histogram of values between `low` and `high`, of which `below` counts those less than a number.
    fn fit(&self, low: f64, high: f64, below: impl Fn(f64) -> usize) -> Histogram {
        let edges = edges(low, high, self.best_bins(low, high, &below));
        // A value on an edge is in the bin above it, but for the last.
        let inner = edges[1..edges.len() - 1].iter().map(|edge| below(*edge));
        let mut before = 0;
        let count = |upto: usize| (upto - std::mem::replace(&mut before, upto)) as u64;
        let counts = inner.chain([self.n]).map(count).collect();
        Histogram { edges, counts }
    }

    /// The number of bins for values between `low` and `high`, of which `below` counts those less than a number.
    fn best_bins(&self, low: f64, high: f64, below: impl Fn(f64) -> usize) -> usize {
        if self.n == 0 || low == high {
            return 1;
        }
        let n = self.n as f64;
        let mut space = vec![];
        // Σ c ln(D c / n) is Σ c ln c + n ln(D / n) but for rounding, and c ln c is known. The few numbers of bins for
        // which that comes near the best are looked at once more, term by term.
        let table = |count: usize| self.terms.get(count).copied().unwrap_or_else(|| term(count));
        let quick: Vec<f64> = (1..)
            .zip(&self.penalties)
            .map(|(bins, penalty)| {
                let sum = sum_bins(self.n, low, high, bins, &mut space, &below, table);
                sum + n * libm::log(bins as f64 / n) - penalty
            })
            .collect();
        let most = quick.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Both ways round a thousand terms at most, whose sum is below n ln n twice: 1e-12 of that.
        let near = most - 1e-9 * n * (1.0 + libm::log(n));
        let mut best = (f64::NEG_INFINITY, 1);
        for ((bins, penalty), quick) in (1..).zip(&self.penalties).zip(quick) {
            if quick < near {
                continue;
            }
            let likelihood = sum_bins(self.n, low, high, bins, &mut space, &below, |count| {
                if count > 0 { count as f64 * libm::log(bins as f64 * count as f64 / n) } else { 0.0 }
            });
            if likelihood - penalty > best.0 {
                best = (likelihood - penalty, bins);
            }
        }
        best.1
    }
}

/// c ln c, 0 for none.
fn term(count: usize) -> f64 {
    let count = count as f64;
    if count > 0.0 { count * libm::log(count) } else { 0.0 }
}

/// The sum over bins, from the lowest on, of what `part` makes of their counts.
fn sum_bins(
    n: usize,
    low: f64,
    high: f64,
    bins: usize,
    edges: &mut Vec<f64>,
    below: impl Fn(f64) -> usize,
    part: impl Fn(usize) -> f64,
) -> f64 {
    edges_into(low, high, bins, edges);
    let mut before = 0;
    let mut sum = 0.0;
    for edge in &edges[1..edges.len() - 1] {
        let upto = below(*edge);
        sum += part(upto - before);
        before = upto;
    }
    sum + part(n - before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        let bins = |mut values: Vec<f64>| {
            let choice = Choice::new(values.len());
            Histogram::fit_automatic(&mut values, &choice).counts.len()
        };
        assert_eq!(bins(flat), 1);
        assert!(bins(lumps.clone()) >= 10, "{}", bins(lumps));
    }

    /// Numbers of every kind: even, crowded, on edges, far from zero, and of all magnitudes.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        let one = prop_oneof![
            -1.0f64..1.0,
            (0i32..20).prop_map(f64::from),
            (0i32..20).prop_map(|i| 1e15 + f64::from(i)),
            (-300.0f64..300.0).prop_map(|power| power.exp2()),
            any::<f64>().prop_filter("finite", |x| x.is_finite()),
        ];
        let even = prop::collection::vec(-1.0f64..1.0, 1..300);
        prop_oneof![
            even,
            prop::collection::vec(0i32..20, 1..300).prop_map(|v| v.into_iter().map(f64::from).collect()),
            prop::collection::vec(one, 1..300)
        ]
    }

    proptest! {
        /// A bin holds what lies from its edge on and below the next, the last edge included, however it is counted.
        #[test]
        fn bins_hold_what_lies_between_their_edges(values in values(), n_bins in 1usize..40) {
            let h = Histogram::fit(&values, n_bins);
            let last = h.counts.len() - 1;
            for (bin, count) in h.counts.iter().enumerate() {
                let inside = |x: &&f64| h.edges[bin] <= **x && (**x < h.edges[bin + 1] || bin == last);
                prop_assert_eq!(values.iter().filter(inside).count() as u64, *count, "bin {} of {:?}", bin, h.edges);
            }
        }

        /// Buckets and near sums choose the bins that sorting and every sum, term by term, choose.
        #[test]
        fn bins_are_chosen_as_by_the_definition(mut values in values()) {
            let chosen = Histogram::fit_automatic(&mut values.clone(), &Choice::new(values.len()));
            values.sort_unstable_by(f64::total_cmp);
            let (low, high, n) = (values[0], values[values.len() - 1], values.len() as f64);
            let mut best = (f64::NEG_INFINITY, 1);
            for bins in 1..=if low == high { 1 } else { n.sqrt() as usize } {
                let counts = Histogram::fit(&values, bins).counts.into_iter().map(|count| count as f64);
                let parts = counts.filter(|count| *count > 0.0).map(|count| count * libm::log(bins as f64 * count / n));
                let likelihood = parts.fold(0.0, |sum, part| sum + part);
                let penalty = bins as f64 - 1.0 + libm::pow(libm::log(bins as f64), 2.5);
                if likelihood - penalty > best.0 {
                    best = (likelihood - penalty, bins);
                }
            }
            prop_assert_eq!(chosen, Histogram::fit(&values, best.1));
        }
    }
}
