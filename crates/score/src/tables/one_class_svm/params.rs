use ndarray::ArrayView2;

use super::OneClassSvm;
use super::kernel::Rows;
use super::solver::solve;
use crate::face::{Algorithm, Params};
use crate::kernels::Kernels;
use crate::units::Units;
use crate::{ColumnScale, Error};

/// Kernels kept during a fit take this much at most.
const CACHE_BYTES: usize = 96 << 20;

/// Up to so many rows kernels are taken in 64 bits, which all fit in the [cache](CACHE_BYTES).
const EXACT: usize = 2_048;

/// Squared distance of the mean, times gamma, up to which 32 bits serve: they move the exponent of a kernel that is
/// not nearly 0 by 9 × 2⁻²⁴ × the root of this at most, 5e-5.
const FAR: f64 = 1e4;

/// Parameters of [`OneClassSvm`].
#[derive(Debug, Clone, PartialEq)]
pub struct OneClassSvmConfig {
    nu: f64,
    gamma: Option<f64>,
    tolerance: f64,
    max_rows: usize,
    scale: ColumnScale,
}

impl Default for OneClassSvmConfig {
    fn default() -> Self {
        Self { nu: 0.5, gamma: None, tolerance: 1e-3, max_rows: 50_000, scale: ColumnScale::Deviations }
    }
}

impl Params<OneClassSvmConfig> {
    /// At most this share of the fit lies outside, at least as many are support vectors, in (0, 1); 0.5 by default.
    pub fn nu(self, nu: f64) -> Self {
        self.with(|c| c.nu = nu)
    }

    /// Kernels are exp(−gamma × squared distance), 1e-6 to 1e6; 1 over the number of columns by default.
    pub fn gamma(self, gamma: f64) -> Self {
        self.with(|c| c.gamma = Some(gamma))
    }

    /// Violation of the optimality conditions at which the solver stops, in (0, 1); 1e-3 by default.
    pub fn tolerance(self, tolerance: f64) -> Self {
        self.with(|c| c.tolerance = tolerance)
    }

    /// Rows from which on the fit refuses, at least 1; more than 50,000 by default. Time grows with their square and
    /// more.
    pub fn max_rows(self, max_rows: usize) -> Self {
        self.with(|c| c.max_rows = max_rows)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for OneClassSvmConfig {
    const NAME: &'static str = OneClassSvm::NAME;
    type Model = OneClassSvm;

    fn check(&self) -> Result<(), Error> {
        if !(0.0 < self.nu && self.nu < 1.0) {
            return Err(Error::parameter(Self::NAME, "nu", self.nu, "0 < x < 1"));
        }
        if let Some(gamma) = self.gamma
            && !(1e-6..=1e6).contains(&gamma)
        {
            return Err(Error::parameter(Self::NAME, "gamma", gamma, "1e-6 to 1e6"));
        }
        if !(0.0 < self.tolerance && self.tolerance < 1.0) {
            return Err(Error::parameter(Self::NAME, "tolerance", self.tolerance, "0 < x < 1"));
        }
        if self.max_rows == 0 {
            return Err(Error::parameter(Self::NAME, "max_rows", 0, "at least 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<OneClassSvm, Error> {
        let (n, k) = rows.dim();
        if n > self.max_rows {
            return Err(Error::TooMany { what: "rows (nystroem_svm takes any number)", got: n, limit: self.max_rows });
        }
        let units = Units::fit(rows, self.scale);
        let unit = units.distance(1.0);
        let gamma = in_units(self.gamma.unwrap_or(1.0 / k as f64), unit);
        let records = units.all(rows);
        let center = means(&records, k);
        let mut relative = records.clone();
        relative.chunks_exact_mut(k).for_each(|row| row.iter_mut().zip(&center).for_each(|(x, c)| *x -= c));
        let factor = gamma.sqrt();
        let furthest = relative.chunks_exact(k).map(|row| row.iter().map(|x| x * factor * x * factor).sum::<f64>());
        let furthest = furthest.fold(0.0, f64::max);
        let solution = if n > EXACT && furthest < FAR {
            let rows = Rows::<f32>::new(&relative, k, factor);
            drop(relative);
            solve(&rows, self.nu, self.tolerance, CACHE_BYTES)
        } else {
            let rows = Rows::<f64>::new(&relative, k, factor);
            drop(relative);
            solve(&rows, self.nu, self.tolerance, CACHE_BYTES)
        };
        let (mut centers, mut weights) = (vec![], vec![]);
        for (row, &alpha) in records.chunks_exact(k).zip(&solution.alpha) {
            if alpha > 0.0 {
                centers.extend(row);
                weights.push(alpha);
            }
        }
        Ok(OneClassSvm::new(Kernels { units, centers, weights, offset: solution.rho, gamma }))
    }
}

/// Means of the columns of n × k values.
fn means(values: &[f64], k: usize) -> Vec<f64> {
    let mut sums = vec![0.0; k];
    let n = (values.len() / k) as f64;
    values.chunks_exact(k).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x / n));
    sums
}

/// A factor of squared distances in the caller's units as one in those of a fit.
pub(crate) fn in_units(gamma: f64, unit: f64) -> f64 {
    // Both factors: the square of a unit may be no number.
    (gamma * unit * unit).clamp(1e-24, 1e24)
}
