use std::ops::Range;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::{Ensemble, fit};
use crate::face::{Algorithm, Params};
use crate::{Detector, Error};

/// How the members' −ln tail probabilities become one score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Combine {
    /// Their mean: a row several members find strange comes first.
    #[default]
    Mean,
    /// The largest: one member is enough.
    Max,
    /// The mean of the larger half, rounded up: strangers that half of the members cannot see are found by
    /// the other half, and no member decides alone.
    UpperHalf,
    /// The mean of those in the middle of the ranking, from a quarter of the members down to five eighths, rounded: of
    /// nine the third to the sixth largest. What fewer than three of nine find strange does not come first, however
    /// strange they find it, so the top of the ranking is what several agree on.
    UpperMiddle,
}

impl Combine {
    /// Which of n log tail probabilities count, from the largest on.
    fn counted(self, n: usize) -> Range<usize> {
        match self {
            Self::Mean => 0..n,
            Self::Max => 0..1,
            Self::UpperHalf => 0..n.div_ceil(2),
            Self::UpperMiddle => {
                let first = (n + 2) / 4;
                first..((5 * n + 4) / 8).max(first + 1)
            }
        }
    }

    /// One score from the members' −ln tail probabilities, at least one; may reorder them.
    pub(super) fn score(self, logs: &mut [f64]) -> f64 {
        match self {
            Self::Mean => logs.iter().fold(0.0, |sum, y| sum + y) / logs.len() as f64,
            Self::Max => logs.iter().fold(0.0, |most, y| if *y > most { *y } else { most }),
            Self::UpperHalf | Self::UpperMiddle => {
                logs.sort_unstable_by(|a, b| b.total_cmp(a));
                let counted = self.counted(logs.len());
                let n = counted.len() as f64;
                logs[counted].iter().fold(0.0, |sum, y| sum + y) / n
            }
        }
    }

    /// What of the score is each member's.
    pub(super) fn parts(self, logs: &[f64]) -> Vec<f64> {
        let counted = self.counted(logs.len());
        let mut order: Vec<usize> = (0..logs.len()).collect();
        order.sort_by(|&a, &b| logs[b].total_cmp(&logs[a]));
        let mut parts = vec![0.0; logs.len()];
        let n = counted.len() as f64;
        order[counted].iter().for_each(|&m| parts[m] = logs[m] / n);
        parts
    }
}

/// How a member sees the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum View {
    /// As they are.
    #[default]
    Raw,
    /// In one unit, with heavy tails drawn in: a column whose kurtosis is above 5 becomes its normal
    /// scores, by interpolation between values of the fit; beyond them a distance counts by its logarithm. Others are
    /// standardised. Distances then are not those of the one column that reaches furthest.
    Even,
}

/// Which rows a member is fitted on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FitOn {
    /// All rows that are not held out.
    #[default]
    All,
    /// Those without the share ([`trim`](Params::trim)) that the members fitted on all of them find strangest
    /// together.
    Usual,
}

/// A detector, what it sees, and which rows it is fitted on.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) detector: Box<dyn Detector>,
    pub(super) view: View,
    pub(super) on: FitOn,
}

/// Parameters of [`Ensemble`].
#[derive(Debug)]
pub struct EnsembleConfig {
    pub(super) members: Vec<Entry>,
    /// `None` for what suits the members.
    pub(super) combine: Option<Combine>,
    pub(super) held_out: f64,
    pub(super) split_from: usize,
    pub(super) trim: f64,
    pub(super) max_rows: usize,
    pub(super) seed: u64,
}

impl Default for EnsembleConfig {
    fn default() -> Self {
        Self { members: vec![], combine: None, held_out: 0.5, split_from: 400, trim: 0.35, max_rows: 60_000, seed: 0 }
    }
}

impl Params<EnsembleConfig> {
    /// One member more, which sees columns as they are and is fitted on all rows; the order is that of
    /// [`Ensemble::names`]. Without any, the default ones: see the [module](super) documentation.
    pub fn member(self, detector: Box<dyn Detector>) -> Self {
        self.member_on(detector, View::Raw, FitOn::All)
    }

    /// One member more.
    pub fn member_on(self, detector: Box<dyn Detector>, view: View, on: FitOn) -> Self {
        self.with(|c| c.members.push(Entry { detector, view, on }))
    }

    /// How members become one score; by default the mean, or [`Combine::UpperMiddle`] of the default members.
    pub fn combine(self, combine: Combine) -> Self {
        self.with(|c| c.combine = Some(combine))
    }

    /// Share of the rows to calibrate on, in (0, 1); half by default.
    pub fn held_out(self, share: f64) -> Self {
        self.with(|c| c.held_out = share)
    }

    /// Rows from which on fit and calibration use different ones, 2 or more; 400 by default.
    pub fn split_from(self, rows: usize) -> Self {
        self.with(|c| c.split_from = rows)
    }

    /// Share of the rows that members on [`FitOn::Usual`] are not fitted on, 0 or more and below
    /// 1; 0.35 by default.
    pub fn trim(self, share: f64) -> Self {
        self.with(|c| c.trim = share)
    }

    /// Rows to use at most, for fit and calibration together, drawn from all; 2 or more; 60,000 by default.
    pub fn max_rows(self, rows: usize) -> Self {
        self.with(|c| c.max_rows = rows)
    }

    /// Seed of the split and of the default members; 0 by default. Other members have seeds of their own.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for EnsembleConfig {
    const NAME: &'static str = Ensemble::NAME;
    type Model = Ensemble;

    fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, expected| Err(Error::parameter(Self::NAME, name, value, expected));
        if self.members.iter().any(|m| m.detector.name() == Self::NAME) {
            return refuse("member", Self::NAME.to_owned(), "no ensemble");
        }
        if !(0.0 < self.held_out && self.held_out < 1.0) {
            return refuse("held_out", self.held_out.to_string(), "0 < x < 1");
        }
        if self.split_from < 2 {
            return refuse("split_from", self.split_from.to_string(), "2 or more");
        }
        if !(0.0 <= self.trim && self.trim < 1.0) {
            return refuse("trim", self.trim.to_string(), "0 ≤ x < 1");
        }
        if self.max_rows < 2 {
            return refuse("max_rows", self.max_rows.to_string(), "2 or more");
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Ensemble, Error> {
        fit::fit(self, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_what_several_agree_on() {
        let score = |logs: [f64; 9]| Combine::UpperMiddle.score(&mut logs.to_vec());
        // Two that go far out, and four that find a row merely rare.
        let alone = score([40.0, 40.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5]);
        let together = score([4.0, 4.0, 4.0, 4.0, 0.5, 0.5, 0.5, 0.5, 0.5]);
        assert_eq!(alone, 1.0);
        assert_eq!(together, (4.0 + 4.0 + 0.5 + 0.5) / 4.0);
        // A mean puts the other one first.
        assert!(together > alone);
    }

    #[test]
    fn of_any_number_of_members_at_least_one_counts_and_the_parts_add_up() {
        for n in 1..40 {
            for combine in [Combine::Mean, Combine::Max, Combine::UpperHalf, Combine::UpperMiddle] {
                let logs: Vec<f64> = (0..n).map(|i| f64::from(i * 7 % n + 1)).collect();
                let score = combine.score(&mut logs.clone());
                let total: f64 = combine.parts(&logs).iter().sum();
                assert!(score > 0.0 && (total - score).abs() < 1e-12 * score, "{combine:?} of {n}");
            }
        }
        let counted = |n| Combine::UpperMiddle.counted(n);
        assert_eq!([1, 2, 3, 6, 9].map(counted), [0..1, 1..2, 1..2, 2..4, 2..6]);
    }
}
