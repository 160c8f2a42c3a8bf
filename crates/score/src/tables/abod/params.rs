use ndarray::ArrayView2;

use super::Abod;
use crate::face::{Algorithm, Params};
use crate::neighbours::Neighbours;
use crate::units::Units;
use crate::{ColumnScale, Error};

/// Neighbours there may be: the angles between all of them are computed.
pub(super) const MOST: usize = 1_024;

/// Parameters of [`Abod`].
#[derive(Debug, Clone, PartialEq)]
pub struct AbodConfig {
    n_neighbors: usize,
    scale: ColumnScale,
}

impl Default for AbodConfig {
    fn default() -> Self {
        Self { n_neighbors: 20, scale: ColumnScale::Deviations }
    }
}

impl Params<AbodConfig> {
    /// Neighbours, 2 to 1,024; 20 by default. Fewer when there are fewer rows.
    pub fn n_neighbors(self, n_neighbors: usize) -> Self {
        self.with(|c| c.n_neighbors = n_neighbors)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for AbodConfig {
    const NAME: &'static str = Abod::NAME;
    type Model = Abod;

    fn check(&self) -> Result<(), Error> {
        if !(2..=MOST).contains(&self.n_neighbors) {
            return Err(Error::parameter(Self::NAME, "n_neighbors", self.n_neighbors, "2 to 1,024"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Abod, Error> {
        Neighbours::check(rows)?;
        let units = Units::fit(rows, self.scale);
        let index = Neighbours::new(units.all(rows), rows.ncols());
        Ok(Abod::new(units, index, self.n_neighbors))
    }
}
