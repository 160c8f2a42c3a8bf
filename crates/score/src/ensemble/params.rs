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
}

impl Combine {
    /// What a fold over members starts with.
    pub(super) const START: f64 = 0.0;

    pub(super) fn step(self, so_far: f64, neg_ln: f64) -> f64 {
        match self {
            Self::Mean => so_far + neg_ln,
            Self::Max if neg_ln > so_far => neg_ln,
            Self::Max => so_far,
        }
    }

    pub(super) fn end(self, folded: f64, n_members: usize) -> f64 {
        match self {
            Self::Mean => folded / n_members as f64,
            Self::Max => folded,
        }
    }
}

/// Parameters of [`Ensemble`].
#[derive(Debug)]
pub struct EnsembleConfig {
    pub(super) members: Vec<Box<dyn Detector>>,
    pub(super) combine: Combine,
    pub(super) held_out: f64,
    pub(super) split_from: usize,
    pub(super) seed: u64,
}

impl Default for EnsembleConfig {
    fn default() -> Self {
        Self { members: vec![], combine: Combine::Mean, held_out: 0.5, split_from: 400, seed: 0 }
    }
}

impl Params<EnsembleConfig> {
    /// One member more; the order is that of [`Ensemble::names`].
    pub fn member(self, detector: Box<dyn Detector>) -> Self {
        self.with(|c| c.members.push(detector))
    }

    /// How members become one score; the mean unless told.
    pub fn combine(self, combine: Combine) -> Self {
        self.with(|c| c.combine = combine)
    }

    /// Share of the rows to calibrate on, in (0, 1); half unless told.
    pub fn held_out(self, share: f64) -> Self {
        self.with(|c| c.held_out = share)
    }

    /// Rows from which on fit and calibration use different ones, 2 or more; 400 unless told.
    pub fn split_from(self, rows: usize) -> Self {
        self.with(|c| c.split_from = rows)
    }

    /// Seed of the split; 0 unless told. Members have seeds of their own.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for EnsembleConfig {
    const NAME: &'static str = Ensemble::NAME;
    type Model = Ensemble;

    fn check(&self) -> Result<(), Error> {
        if self.members.is_empty() {
            return Err(Error::TooFew { what: "members", got: 0, needed: 1 });
        }
        if self.members.iter().any(|m| m.name() == Self::NAME) {
            return Err(Error::parameter(Self::NAME, "member", Self::NAME, "no ensemble"));
        }
        if !(0.0 < self.held_out && self.held_out < 1.0) {
            return Err(Error::parameter(Self::NAME, "held_out", self.held_out, "0 < x < 1"));
        }
        if self.split_from < 2 {
            return Err(Error::parameter(Self::NAME, "split_from", self.split_from, "2 or more"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Ensemble, Error> {
        fit::fit(self, rows)
    }
}
