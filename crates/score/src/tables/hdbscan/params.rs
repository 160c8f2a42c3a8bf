use ndarray::ArrayView2;

use super::{Hdbscan, fit};
use crate::face::{Algorithm, Params};
use crate::{ColumnScale, Error};

/// Parameters of [`Hdbscan`].
#[derive(Debug, Clone, PartialEq)]
pub struct HdbscanConfig {
    pub(super) min_points: usize,
    pub(super) min_cluster_size: usize,
    pub(super) scale: ColumnScale,
}

impl Default for HdbscanConfig {
    fn default() -> Self {
        Self { min_points: 20, min_cluster_size: 20, scale: ColumnScale::Deviations }
    }
}

impl Params<HdbscanConfig> {
    /// Rows within the core distance, itself included, 2 to 65,536; 20 by default.
    pub fn min_points(self, min_points: usize) -> Self {
        self.with(|c| c.min_points = min_points)
    }

    /// Rows of a cluster at least, 2 or more; 20 by default.
    pub fn min_cluster_size(self, min_cluster_size: usize) -> Self {
        self.with(|c| c.min_cluster_size = min_cluster_size)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for HdbscanConfig {
    const NAME: &'static str = Hdbscan::NAME;
    type Model = Hdbscan;

    fn check(&self) -> Result<(), Error> {
        if !(2..=65_536).contains(&self.min_points) {
            return Err(Error::parameter(Self::NAME, "min_points", self.min_points, "2 to 65,536"));
        }
        if self.min_cluster_size < 2 {
            return Err(Error::parameter(Self::NAME, "min_cluster_size", self.min_cluster_size, "2 or more"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Hdbscan, Error> {
        fit::fit(self, rows)
    }
}
