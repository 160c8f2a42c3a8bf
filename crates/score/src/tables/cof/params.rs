use ndarray::ArrayView2;

use super::Cof;
use crate::face::{Algorithm, Params};
use crate::neighbours::Neighbours;
use crate::units::Units;
use crate::{ColumnScale, Error};

/// Neighbours there may be: their distances from each other are all computed.
pub(super) const MOST: usize = 4_096;

/// Parameters of [`Cof`].
#[derive(Debug, Clone, PartialEq)]
pub struct CofConfig {
    n_neighbors: usize,
    scale: ColumnScale,
}

impl Default for CofConfig {
    fn default() -> Self {
        Self { n_neighbors: 20, scale: ColumnScale::Deviations }
    }
}

impl Params<CofConfig> {
    /// Neighbours, 1 to 4,096; 20 by default. Fewer when there are fewer rows.
    pub fn n_neighbors(self, n_neighbors: usize) -> Self {
        self.with(|c| c.n_neighbors = n_neighbors)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for CofConfig {
    const NAME: &'static str = Cof::NAME;
    type Model = Cof;

    fn check(&self) -> Result<(), Error> {
        if !(1..=MOST).contains(&self.n_neighbors) {
            return Err(Error::parameter(Self::NAME, "n_neighbors", self.n_neighbors, "1 to 4,096"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Cof, Error> {
        Neighbours::check(rows)?;
        let units = Units::fit(rows, self.scale);
        let index = Neighbours::new(units.all(rows), rows.ncols());
        Ok(Cof::fitted(units, index, self.n_neighbors))
    }
}
