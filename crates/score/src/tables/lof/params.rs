use ndarray::ArrayView2;

use super::{Lof, fit};
use crate::face::{Algorithm, Params};
use crate::neighbours::Neighbours;
use crate::units::Units;
use crate::{ColumnScale, Error};

/// Parameters of [`Lof`].
#[derive(Debug, Clone, PartialEq)]
pub struct LofConfig {
    n_neighbors: usize,
    scale: ColumnScale,
}

impl Default for LofConfig {
    fn default() -> Self {
        Self { n_neighbors: 20, scale: ColumnScale::Deviations }
    }
}

impl Params<LofConfig> {
    /// Neighbours, 1 to 65,536; 20 by default. Fewer when there are fewer rows.
    pub fn n_neighbors(self, n_neighbors: usize) -> Self {
        self.with(|c| c.n_neighbors = n_neighbors)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for LofConfig {
    const NAME: &'static str = Lof::NAME;
    type Model = Lof;

    fn check(&self) -> Result<(), Error> {
        if !(1..=65_536).contains(&self.n_neighbors) {
            return Err(Error::parameter(Self::NAME, "n_neighbors", self.n_neighbors, "1 to 65,536"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Lof, Error> {
        Neighbours::check(rows)?;
        let units = Units::fit(rows, self.scale);
        let index = Neighbours::new(units.all(rows), rows.ncols());
        Ok(fit::fitted(units, index, self.n_neighbors))
    }
}
