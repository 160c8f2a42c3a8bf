use ndarray::ArrayView2;

use super::{Mcd, fit};
use crate::Error;
use crate::face::{Algorithm, Params};
use crate::units::Units;

/// Parameters of [`Mcd`].
#[derive(Debug, Clone, PartialEq)]
pub struct McdConfig {
    support: Option<f64>,
    pub(super) n_starts: usize,
    pub(super) seed: u64,
}

impl Default for McdConfig {
    fn default() -> Self {
        Self { support: None, n_starts: 500, seed: 0 }
    }
}

impl Params<McdConfig> {
    /// Share of the rows whose covariance has the least determinant, in [0.5, 1]; by default
    /// (n + k + 1) / 2n, which resists the most strange rows.
    pub fn support(self, support: f64) -> Self {
        self.with(|c| c.support = Some(support))
    }

    /// Random starts, 1 to 100,000; 500 by default. Fewer are made in more than some 60 columns.
    pub fn n_starts(self, n_starts: usize) -> Self {
        self.with(|c| c.n_starts = n_starts)
    }

    /// Seed; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl McdConfig {
    /// Rows of n to keep.
    pub(super) fn kept(&self, n: usize, k: usize) -> usize {
        match self.support {
            Some(share) => ((share * n as f64) as usize).clamp(1, n),
            None => (n + k + 1).div_ceil(2).min(n),
        }
    }
}

impl Algorithm for McdConfig {
    const NAME: &'static str = Mcd::NAME;
    type Model = Mcd;

    fn check(&self) -> Result<(), Error> {
        if let Some(support) = self.support
            && !(0.5..=1.0).contains(&support)
        {
            return Err(Error::parameter(Self::NAME, "support", support, "0.5 ≤ x ≤ 1"));
        }
        if !(1..=100_000).contains(&self.n_starts) {
            return Err(Error::parameter(Self::NAME, "n_starts", self.n_starts, "1 to 100,000"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Mcd, Error> {
        let units = Units::fit(rows, crate::ColumnScale::Deviations);
        let form = fit::form(self, &units.all(rows), rows.ncols());
        Ok(Mcd::new(units, form))
    }
}
