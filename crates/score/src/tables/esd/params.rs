use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Esd;
use super::model::Column;
use super::test::clean;
use crate::face::{Algorithm, Params};
use crate::units::Units;
use crate::{ColumnScale, Error};

/// Parameters of [`Esd`].
#[derive(Debug, Clone, PartialEq)]
pub struct EsdConfig {
    alpha: f64,
    max_share: f64,
}

impl Default for EsdConfig {
    fn default() -> Self {
        Self { alpha: 0.05, max_share: 0.1 }
    }
}

impl Params<EsdConfig> {
    /// Level of the test of each column, in (0, 1); 0.05 by default.
    pub fn alpha(self, alpha: f64) -> Self {
        self.with(|c| c.alpha = alpha)
    }

    /// Share of the rows that may be outliers in a column, in (0, 0.5); a tenth by default.
    pub fn max_share(self, max_share: f64) -> Self {
        self.with(|c| c.max_share = max_share)
    }
}

impl Algorithm for EsdConfig {
    const NAME: &'static str = Esd::NAME;
    type Model = Esd;

    fn check(&self) -> Result<(), Error> {
        if !(0.0 < self.alpha && self.alpha < 1.0) {
            return Err(Error::parameter(Self::NAME, "alpha", self.alpha, "0 < x < 1"));
        }
        if !(0.0 < self.max_share && self.max_share < 0.5) {
            return Err(Error::parameter(Self::NAME, "max_share", self.max_share, "0 < x < 0.5"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Esd, Error> {
        let (n, k) = rows.dim();
        let limit = u32::MAX as usize;
        if n > limit {
            return Err(Error::TooMany { what: "rows", got: n, limit });
        }
        let units = Units::fit(rows, ColumnScale::Deviations);
        let max_outliers = ((self.max_share * n as f64) as usize).max(1);
        let column = |j: usize| {
            let mut values: Vec<f64> = rows.column(j).iter().map(|&x| units.value(j, x)).collect();
            values.sort_unstable_by(f64::total_cmp);
            let (center, deviation, kept) = clean(&values, max_outliers, self.alpha);
            // Below the rounding of the mean itself there is no spread to speak of.
            let deviation = if deviation > 1e-12 { deviation } else { 0.0 };
            Column { center, deviation, kept: kept as u32 }
        };
        let columns = (0..k).into_par_iter().map(column).collect();
        Esd::new(units, columns, n as u32)
    }
}
