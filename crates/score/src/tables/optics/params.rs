use ndarray::ArrayView2;

use super::Optics;
use crate::face::{Algorithm, Params};
use crate::neighbours::{Neighbours, furthest};
use crate::units::Units;
use crate::{ColumnScale, Error};

/// Parameters of [`Optics`].
#[derive(Debug, Clone, PartialEq)]
pub struct OpticsConfig {
    min_points: usize,
    scale: ColumnScale,
}

impl Default for OpticsConfig {
    fn default() -> Self {
        Self { min_points: 20, scale: ColumnScale::Deviations }
    }
}

impl Params<OpticsConfig> {
    /// Rows within the core distance, itself included, 2 to 65,536; 20 by default.
    pub fn min_points(self, min_points: usize) -> Self {
        self.with(|c| c.min_points = min_points)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for OpticsConfig {
    const NAME: &'static str = Optics::NAME;
    type Model = Optics;

    fn check(&self) -> Result<(), Error> {
        if !(2..=65_536).contains(&self.min_points) {
            return Err(Error::parameter(Self::NAME, "min_points", self.min_points, "2 to 65,536"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Optics, Error> {
        Neighbours::check(rows)?;
        let units = Units::fit(rows, self.scale);
        let (index, order) = Neighbours::with_order(units.all(rows), rows.ncols());
        let core = furthest(&index, self.min_points - 1);
        Ok(Optics::new(units, index, order, core))
    }
}
