//! Empirical tail probabilities of a column: what ECOD and COPOD are made of.

use serde::{Deserialize, Serialize};

use crate::stats::{magnitude, sort};
use crate::steps::{Knots, Steps};

/// What is kept of a column: enough to recompute both tails at and between the knots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Ascending values.
    knots: Vec<f64>,
    /// Rows equal to each knot, at least 1.
    at: Vec<u32>,
    /// Rows strictly between a knot and the one before it; 0 for the first, and where none was thinned.
    before: Vec<u32>,
    /// Sign of the column's skewness: −1, 0 or 1.
    skew: i8,
}

impl Counts {
    /// `combine(skew, −ln left tail, −ln right tail)` at and between the knots; `None` for counts no fit
    /// produces.
    ///
    /// A side without rows has the tail probability 1 / (n + 1).
    pub(crate) fn steps(&self, combine: fn(i8, f64, f64) -> f64) -> Option<Steps> {
        let counts = self;
        let len = counts.knots.len();
        let fine = len > 0
            && counts.at.len() == len
            && counts.before.len() == len
            && counts.at.iter().all(|&c| c > 0)
            && counts.before[0] == 0;
        if !fine {
            return None;
        }
        let total: u64 = counts.at.iter().chain(&counts.before).map(|&c| u64::from(c)).sum();
        let n = total as f64;
        let tail = |rows: f64| {
            let p = if rows > 0.0 { rows / n } else { 1.0 / (n + 1.0) };
            // −0 is no score to show.
            0.0 - libm::log(p)
        };
        let combine = |left: f64, right: f64| combine(counts.skew, tail(left), tail(right));
        let mut table = Vec::with_capacity(2 * len + 1);
        let mut below = 0.0;
        for (&at, &before) in counts.at.iter().zip(&counts.before) {
            let (at, before) = (f64::from(at), f64::from(before));
            // Of the rows thinned out of a gap, half count as lying on either side.
            table.push(combine(below + 0.5 * before, n - below - 0.5 * before));
            below += before;
            table.push(combine(below + at, n - below));
            below += at;
        }
        table.push(combine(n, 0.0));
        Some(Steps::new(Knots::new(counts.knots.clone())?, table))
    }
}

/// Counts of a column. With more than `exact_up_to` distinct values, only as many are kept as give both
/// tails to within a factor of 1 + `precision`.
pub(crate) fn fit_column(values: &mut [f64], exact_up_to: usize, precision: f64) -> Counts {
    let skew = skewness_sign(values);
    // −0 and 0 are one value.
    values.iter_mut().for_each(|x| *x += 0.0);
    sort(values);
    let distinct = 1 + values.windows(2).filter(|w| w[0] != w[1]).count();
    let precision = if distinct <= exact_up_to { 0.0 } else { precision };

    let n = values.len();
    let mut counts = Counts { knots: vec![], at: vec![], before: vec![], skew };
    // Rows up to and including the last knot, and the run of values dropped since.
    let mut kept = 0;
    let mut start = 0;
    for run in values.chunk_by(|a, b| a == b) {
        let end = start + run.len();
        let dropped = (end - kept) as f64;
        // Drop the value when all dropped since the last knot weigh little in either tail.
        let is_light = dropped <= precision * kept as f64 && dropped <= precision * (n - end) as f64;
        if !is_light {
            counts.knots.push(run[0]);
            // Row counts fit in 31 bits: the fit checks it.
            counts.at.push(run.len() as u32);
            counts.before.push((start - kept) as u32);
            kept = end;
        }
        start = end;
    }
    counts
}

/// Sign of the third central moment, as scipy's `skew` has it: 0 for a column that is constant up to
/// rounding.
fn skewness_sign(values: &[f64]) -> i8 {
    let n = values.len() as f64;
    let scale = magnitude(values);
    if scale == 0.0 {
        return 0;
    }
    let mean = values.iter().map(|x| x / scale).sum::<f64>() / n;
    let (mut second, mut third) = (0.0, 0.0);
    for x in values {
        let d = x / scale - mean;
        second += d * d;
        third += d * d * d;
    }
    let noise = 1e-15 * mean;
    if second / n <= noise * noise || third == 0.0 {
        0
    } else if third > 0.0 {
        1
    } else {
        -1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_counted() {
        let counts = fit_column(&mut [2.0, 0.0, 1.0, -0.0, 2.0, 2.0], 8_192, 0.01);
        assert_eq!(counts.knots, [0.0, 1.0, 2.0]);
        assert_eq!(counts.at, [2, 1, 3]);
        assert_eq!(counts.before, [0, 0, 0]);
    }

    #[test]
    fn thinning_keeps_the_tails_and_loses_no_row() {
        let n = 100_000;
        let counts = fit_column(&mut (0..n).map(f64::from).collect::<Vec<_>>(), 10, 0.01);
        let total: u32 = counts.at.iter().chain(&counts.before).sum();
        assert_eq!(total, n as u32);
        assert!(counts.knots.len() < 2_500, "{}", counts.knots.len());
        assert!((0..100).all(|i| counts.knots[i] == i as f64));
        assert_eq!(counts.knots.last(), Some(&f64::from(n - 1)));
    }

    #[test]
    fn signs() {
        fn check(values: &[f64], expect: i8) {
            assert_eq!(skewness_sign(values), expect, "{values:?}");
        }
        check(&[1.0, 2.0, 9.0], 1);
        check(&[1.0, 8.0, 9.0], -1);
        check(&[1.0, 2.0, 3.0], 0);
        check(&[0.1, 0.1, 0.1], 0);
        check(&[0.0, 0.0], 0);
        check(&[1e300, 2e300, 9e300], 1);
    }
}
