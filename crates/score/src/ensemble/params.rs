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
}

impl Combine {
    /// One score from the members' −ln tail probabilities, at least one; may reorder them.
    pub(super) fn score(self, logs: &mut [f64]) -> f64 {
        match self {
            Self::Mean => logs.iter().fold(0.0, |sum, y| sum + y) / logs.len() as f64,
            Self::Max => logs.iter().fold(0.0, |most, y| if *y > most { *y } else { most }),
            Self::UpperHalf => {
                logs.sort_unstable_by(|a, b| b.total_cmp(a));
                let n = logs.len().div_ceil(2);
                logs[..n].iter().fold(0.0, |sum, y| sum + y) / n as f64
            }
        }
    }

    /// What of the score is each member's.
    pub(super) fn parts(self, logs: &[f64]) -> Vec<f64> {
        let n_counted = match self {
            Self::Mean => logs.len(),
            Self::Max => 1,
            Self::UpperHalf => logs.len().div_ceil(2),
        };
        let mut order: Vec<usize> = (0..logs.len()).collect();
        order.sort_by(|&a, &b| logs[b].total_cmp(&logs[a]));
        let mut parts = vec![0.0; logs.len()];
        order[..n_counted].iter().for_each(|&m| parts[m] = logs[m] / n_counted as f64);
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

    /// How members become one score; unless told, the mean, or [`Combine::UpperHalf`] of the default members.
    pub fn combine(self, combine: Combine) -> Self {
        self.with(|c| c.combine = Some(combine))
    }

    /// Share of the rows to calibrate on, in (0, 1); half unless told.
    pub fn held_out(self, share: f64) -> Self {
        self.with(|c| c.held_out = share)
    }

    /// Rows from which on fit and calibration use different ones, 2 or more; 400 unless told.
    pub fn split_from(self, rows: usize) -> Self {
        self.with(|c| c.split_from = rows)
    }

    /// Share of the rows that members on [`FitOn::Usual`] are not fitted on, 0 or more and below
    /// 1; 0.35 unless told.
    pub fn trim(self, share: f64) -> Self {
        self.with(|c| c.trim = share)
    }

    /// Rows to use at most, for fit and calibration together, drawn from all; 2 or more; 60,000 unless told.
    pub fn max_rows(self, rows: usize) -> Self {
        self.with(|c| c.max_rows = rows)
    }

    /// Seed of the split and of the default members; 0 unless told. Other members have seeds of their own.
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
