use ndarray::ArrayView2;

use super::{Dbscan, fit};
use crate::face::{Algorithm, Params};
use crate::{ColumnScale, Error};

/// Parameters of [`Dbscan`].
#[derive(Debug, Clone, PartialEq)]
pub struct DbscanConfig {
    pub(super) eps: Option<f64>,
    pub(super) min_points: usize,
    pub(super) scale: ColumnScale,
}

impl Default for DbscanConfig {
    fn default() -> Self {
        Self { eps: None, min_points: 20, scale: ColumnScale::Deviations }
    }
}

impl Params<DbscanConfig> {
    /// Radius of a neighbourhood, above 0; the knee of the distances by default.
    pub fn eps(self, eps: f64) -> Self {
        self.with(|c| c.eps = Some(eps))
    }

    /// Rows in the neighbourhood of a core row, itself included, 2 to 65,536; 20 by default.
    pub fn min_points(self, min_points: usize) -> Self {
        self.with(|c| c.min_points = min_points)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for DbscanConfig {
    const NAME: &'static str = Dbscan::NAME;
    type Model = Dbscan;

    fn check(&self) -> Result<(), Error> {
        if let Some(eps) = self.eps
            && !(0.0 < eps && eps < f64::INFINITY)
        {
            return Err(Error::parameter(Self::NAME, "eps", eps, "0 < x < ∞"));
        }
        if !(2..=65_536).contains(&self.min_points) {
            return Err(Error::parameter(Self::NAME, "min_points", self.min_points, "2 to 65,536"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Dbscan, Error> {
        fit::fit(self, rows)
    }
}
