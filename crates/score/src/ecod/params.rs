use ndarray::ArrayView2;

use super::Ecod;
use crate::Error;
use crate::face::{Algorithm, Params};
use crate::rows::map_columns;
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
    /// Relative error allowed in a tail probability of a thinned column, in (0, 1); 1/256 by default.
    pub fn precision(self, precision: f64) -> Self {
        self.with(|c| c.precision = precision)
    }

    /// Distinct values up to which a column is kept whole; 8,192 by default. `usize::MAX` thins none.
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
        let counts = map_columns(rows, |values| fit_column(values, self.exact_up_to, self.precision));
        Ecod::new(counts)
    }
}
