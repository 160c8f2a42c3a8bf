use ndarray::ArrayView2;

use super::Hbos;
use super::by_rows::fit_rows;
use super::histogram::{Choice, Histogram};
use crate::Error;
use crate::face::{Algorithm, Params};
use crate::rows::{SIDE, columns_at_once, map_columns};

/// How many bins a column gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bins {
    /// The same number for every column, 2 to 65,536.
    Fixed(usize),
    /// Chosen for each column by penalised likelihood (Birgé and Rozenholc 2006).
    BirgeRozenholc,
}

/// Parameters of [`Hbos`].
#[derive(Debug, Clone, PartialEq)]
pub struct HbosConfig {
    bins: Bins,
    pub(super) alpha: f64,
    pub(super) tol: f64,
}

impl Default for HbosConfig {
    fn default() -> Self {
        Self { bins: Bins::Fixed(10), alpha: 0.1, tol: 0.5 }
    }
}

impl Params<HbosConfig> {
    /// How many bins; 10 by default.
    pub fn bins(self, bins: Bins) -> Self {
        self.with(|c| c.bins = bins)
    }

    /// Added to every density, in (0, 1); 0.1 by default. Bounds the score of an empty bin.
    pub fn alpha(self, alpha: f64) -> Self {
        self.with(|c| c.alpha = alpha)
    }

    /// How far outside the range still counts as the outermost bin, in bin widths in (0, 1); 0.5
    /// by default.
    pub fn tol(self, tol: f64) -> Self {
        self.with(|c| c.tol = tol)
    }
}

impl Algorithm for HbosConfig {
    const NAME: &'static str = Hbos::NAME;
    type Model = Hbos;

    fn check(&self) -> Result<(), Error> {
        if let Bins::Fixed(n) = self.bins
            && !(2..=65_536).contains(&n)
        {
            return Err(Error::parameter(Self::NAME, "bins", n, "2 to 65,536"));
        }
        if !(0.0 < self.alpha && self.alpha < 1.0) {
            return Err(Error::parameter(Self::NAME, "alpha", self.alpha, "0 < x < 1"));
        }
        if !(0.0 < self.tol && self.tol < 1.0) {
            return Err(Error::parameter(Self::NAME, "tol", self.tol, "0 < x < 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Hbos, Error> {
        let histograms = match self.bins {
            // Where columns would be taken out of lines of memory that hold more of them. Each thread counts in all
            // columns, whose bins should fit into its cache.
            Bins::Fixed(n) if n <= 512 && rows.is_standard_layout() && columns_at_once(rows) < SIDE => {
                fit_rows(rows, n)
            }
            Bins::Fixed(n) => map_columns(rows, |values| Histogram::fit(values, n)),
            Bins::BirgeRozenholc => {
                let choice = Choice::new(rows.nrows());
                map_columns(rows, |values| Histogram::fit_automatic(values, &choice))
            }
        };
        Hbos::new(histograms, self.alpha, self.tol)
    }
}
