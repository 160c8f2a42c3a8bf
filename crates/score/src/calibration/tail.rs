use serde::{Deserialize, Serialize};

use super::pareto::Pareto;
use crate::Error;
use crate::error::SnapshotError;
use crate::steps::Knots;

/// Relative change of a tail probability that makes a score worth a knot.
const PRECISION: f64 = 1.0 / 128.0;

/// Exceedances it takes to estimate the tail's shape.
const LEAST_EXCEEDANCES: usize = 20;

/// Scores left to the fitted tail; up to there the sample itself is the better witness.
const LEFT_TO_TAIL: usize = 25;

/// The least probability there is: 0 would mean impossible.
const FLOOR: f64 = 1e-300;

/// How unusual a score is among reference scores. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct ScoreTail {
    parts: Parts,
    knots: Knots,
    segments: Vec<Segment>,
}

/// What is stored; the rest follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parts {
    /// Ascending scores, the last one where the tail takes over.
    scores: Vec<f64>,
    /// −ln p at each, ascending and above 0.
    neg_ln: Vec<f64>,
    /// Half the distance below the least score at which −ln p has halved.
    half_below: f64,
    tail: Pareto,
}

/// −ln p between two knots: `from + (s/2 − half_start) × slope`, at most `to`.
#[derive(Debug, Clone, Copy)]
struct Segment {
    half_start: f64,
    from: f64,
    slope: f64,
    to: f64,
}

impl ScoreTail {
    /// Fits on the scores of reference rows, in any order.
    ///
    /// # Errors
    /// [`Error::TooFew`] without a score, [`Error::NotFinite`] (column 0) naming the first that is NaN
    /// or infinite.
    ///
    /// ```
    /// use crible_score::calibration::ScoreTail;
    ///
    /// let scores: Vec<f64> = (0..1000).map(|i| i as f64 / 10.0).collect();
    /// let tail = ScoreTail::fit(&scores)?;
    /// assert!((tail.probability(90.0) - 0.1).abs() < 0.01);
    /// assert!(tail.probability(200.0) < 0.001);
    /// # Ok::<(), crible_score::Error>(())
    /// ```
    pub fn fit(scores: &[f64]) -> Result<Self, Error> {
        if let Some(row) = scores.iter().position(|s| !s.is_finite()) {
            return Err(Error::NotFinite { row, column: 0, value: scores[row] });
        }
        if scores.is_empty() {
            return Err(Error::TooFew { what: "scores", got: 0, needed: 1 });
        }
        // −0 and 0 are one score.
        let mut sorted: Vec<f64> = scores.iter().map(|s| s + 0.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self::from_parts(Parts::fit(&sorted))
    }

    pub(crate) fn from_parts(parts: Parts) -> Result<Self, Error> {
        let invalid = || SnapshotError::invalid("tail", "knots or parameters out of range");
        let ascends = parts.neg_ln.windows(2).all(|w| w[0] < w[1]);
        let first = parts.neg_ln.first().copied().unwrap_or(0.0);
        let fine = parts.scores.len() == parts.neg_ln.len()
            && ascends
            && first > 0.0
            && parts.neg_ln.iter().all(|y| y.is_finite())
            && parts.half_below > 0.0
            && parts.half_below.is_finite()
            && parts.tail.is_valid();
        if !fine {
            return Err(invalid());
        }
        let knots = Knots::new(parts.scores.clone()).ok_or_else(invalid)?;
        let segments = (1..parts.scores.len())
            .map(|i| {
                let (half_start, half_end) = (parts.scores[i - 1] * 0.5, parts.scores[i] * 0.5);
                let (from, to) = (parts.neg_ln[i - 1], parts.neg_ln[i]);
                // Finite even between neighbouring subnormal scores.
                let slope = ((to - from) / (half_end - half_start)).min(f64::MAX);
                Segment { half_start, from, slope, to }
            })
            .collect();
        Ok(Self { parts, knots, segments })
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// −ln of [`probability`](Self::probability), without its floor: above 0, strictly increasing in
    /// the score as far as doubles resolve it, finite for a finite score.
    pub fn neg_ln(&self, score: f64) -> f64 {
        let below = self.knots.count_below(score);
        let half = score * 0.5;
        if below == 0 {
            let distance = (self.parts.scores[0] * 0.5 - half) / self.parts.half_below;
            return (self.parts.neg_ln[0] / (1.0 + distance)).max(f64::MIN_POSITIVE);
        }
        match self.segments.get(below - 1) {
            Some(s) => {
                let y = s.from + (half - s.half_start) * s.slope;
                if y < s.to { y } else { s.to }
            }
            None => {
                let last = self.knots.len() - 1;
                self.parts.neg_ln[last] + self.parts.tail.neg_ln(half - self.parts.scores[last] * 0.5)
            }
        }
    }

    /// Probability that a usual row scores at least this high: in \[1e-300, 1\], strictly decreasing in
    /// the score down to the floor.
    pub fn probability(&self, score: f64) -> f64 {
        let p = libm::exp(-self.neg_ln(score));
        if p > FLOOR { p } else { FLOOR }
    }
}

impl Parts {
    /// From ascending scores, at least one.
    fn fit(sorted: &[f64]) -> Self {
        let n = sorted.len();
        let (threshold, n_above) = threshold(sorted);
        let end_of_body = if n_above > LEFT_TO_TAIL { sorted[n - 1 - LEFT_TO_TAIL].max(threshold) } else { threshold };
        let (mut scores, mut neg_ln) = (vec![], vec![]);
        let mut kept = 0.0;
        let mut start = 0;
        for run in sorted.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            if run[0] > end_of_body {
                break;
            }
            let above = (n - end) as f64;
            let p = (above + 0.5 * run.len() as f64 + 0.5) / (n as f64 + 1.0);
            let y = -libm::log(p);
            // Below the median 1 − p is the smaller side, and the one to be precise about.
            let matters = y - kept > PRECISION * if p < 0.5 { 1.0 } else { 1.0 - p };
            if matters || run[0] == end_of_body {
                scores.push(run[0]);
                neg_ln.push(y);
                kept = y;
            }
            start = end;
        }
        let first = scores[0];
        let last = scores.len() - 1;
        let half_median = sorted[n / 2] * 0.5;
        let to_median = half_median - first * 0.5;
        let own_size = if first == 0.0 { 0.5 } else { (first * 0.5).abs() };
        let half_below = if to_median > 0.0 { to_median } else { own_size };

        let exceedances: Vec<f64> = sorted[n - n_above..].iter().map(|s| s * 0.5 - threshold * 0.5).collect();
        let fitted = if n_above < LEAST_EXCEEDANCES { None } else { Pareto::fit(&exceedances) }
            .map(|tail| tail.beyond(end_of_body * 0.5 - threshold * 0.5));
        let tail = fitted.unwrap_or_else(|| {
            // The body's average slope, or the scores' own size where there is no body.
            let span = scores[last] * 0.5 - first * 0.5;
            let per_unit = span / (neg_ln[last] - neg_ln[0]);
            let half_scale = if per_unit > 0.0 { per_unit } else { own_size };
            Pareto { shape: 0.0, half_scale }
        });
        let least = f64::MIN_POSITIVE;
        let tail = Pareto { half_scale: tail.half_scale.clamp(least, f64::MAX), ..tail };
        Self { scores, neg_ln, half_below: half_below.max(least), tail }
    }
}

/// Where the tail begins, and how many scores lie strictly above. With too few above to fit a tail the
/// body goes up to the largest score.
fn threshold(sorted: &[f64]) -> (f64, usize) {
    let n = sorted.len();
    let largest = sorted[n - 1];
    let wanted = (n / 50).clamp(50, 5_000).min(n / 4);
    let candidate = sorted[n - 1 - wanted];
    let above = n - sorted.partition_point(|s| *s <= candidate);
    if above >= LEAST_EXCEEDANCES { (candidate, above) } else { (largest, 0) }
}
