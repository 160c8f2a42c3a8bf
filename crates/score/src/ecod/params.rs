use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::Ecod;
use crate::Error;
use crate::face::{Algorithm, Params};
use crate::tails::fit_column;

/// Parameters of [`Ecod`].
#[derive(Debug, Clone, PartialEq)]
pub struct EcodConfig {
    pub(super) precision: f64,
    pub(super) exact_up_to: usize,
}

impl Default for EcodConfig {
    fn default() -> Self {
        Self { precision: 1.0 / 256.0, exact_up_to: 8_192 }
    }
}

impl Params<EcodConfig> {
    /// Relative error allowed in a tail probability of a thinned column, in (0, 1); 1/256 unless told.
    pub fn precision(self, precision: f64) -> Self {
        self.with(|c| c.precision = precision)
    }

    /// Distinct values up to which a column is kept whole; 8,192 unless told. `usize::MAX` thins none.
    pub fn exact_up_to(self, distinct: usize) -> Self {
        self.with(|c| c.exact_up_to = distinct)
    }
}

impl Algorithm for EcodConfig {
    const NAME: &'static str = Ecod::NAME;
    type Model = Ecod;

    fn check(&self) -> Result<(), Error> {
        if !(0.0 < self.precision && self.precision < 1.0) {
            return Err(Error::parameter(Self::NAME, "precision", self.precision, "0 < x < 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Ecod, Error> {
        const LIMIT: usize = (1 << 31) - 1;
        if rows.nrows() > LIMIT {
            return Err(Error::TooMany { what: "rows", got: rows.nrows(), limit: LIMIT });
        }
        let counts = (0..rows.ncols())
            .into_par_iter()
            .map(|j| fit_column(rows.index_axis(Axis(1), j).to_vec(), self.exact_up_to, self.precision))
            .collect();
        Ecod::new(counts)
    }
}
