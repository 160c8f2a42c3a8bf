use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::Knn;
use crate::face::{Algorithm, Params};
use crate::neighbours::Neighbours;
use crate::units::Units;
use crate::{ColumnScale, Error};

/// What of the distances to the neighbours is the score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Method {
    /// The distance to the furthest of the neighbours.
    #[default]
    Largest,
    /// The mean.
    Mean,
    /// The median; the mean of the middle two for an even number.
    Median,
}

/// Parameters of [`Knn`].
#[derive(Debug, Clone, PartialEq)]
pub struct KnnConfig {
    n_neighbors: usize,
    method: Method,
    scale: ColumnScale,
}

impl Default for KnnConfig {
    fn default() -> Self {
        Self { n_neighbors: 5, method: Method::Largest, scale: ColumnScale::Deviations }
    }
}

impl Params<KnnConfig> {
    /// Neighbours, 1 to 65,536; 5 by default. Fewer when there are fewer rows.
    pub fn n_neighbors(self, n_neighbors: usize) -> Self {
        self.with(|c| c.n_neighbors = n_neighbors)
    }

    /// What of their distances is the score; the largest by default.
    pub fn method(self, method: Method) -> Self {
        self.with(|c| c.method = method)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for KnnConfig {
    const NAME: &'static str = Knn::NAME;
    type Model = Knn;

    fn check(&self) -> Result<(), Error> {
        if !(1..=65_536).contains(&self.n_neighbors) {
            return Err(Error::parameter(Self::NAME, "n_neighbors", self.n_neighbors, "1 to 65,536"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Knn, Error> {
        Neighbours::check(rows)?;
        let units = Units::fit(rows, self.scale);
        let index = Neighbours::new(units.all(rows), rows.ncols());
        Ok(Knn::new(units, index, self.n_neighbors, self.method))
    }
}
