use linfa::ParamGuard;
use linfa::dataset::{DatasetBase, Pr};
use linfa::traits::Fit;
use linfa_svm::Svm;
use ndarray::{Array1, Array2, ArrayView2};

use super::OneClassSvm;
use crate::face::{Algorithm, Params};
use crate::kernels::Kernels;
use crate::units::Units;
use crate::{Error, Scale};

/// Parameters of [`OneClassSvm`].
#[derive(Debug, Clone, PartialEq)]
pub struct OneClassSvmConfig {
    nu: f64,
    gamma: Option<f64>,
    tolerance: f64,
    max_rows: usize,
    scale: Scale,
}

impl Default for OneClassSvmConfig {
    fn default() -> Self {
        Self { nu: 0.5, gamma: None, tolerance: 1e-4, max_rows: 10_000, scale: Scale::Deviations }
    }
}

impl Params<OneClassSvmConfig> {
    /// At most this share of the fit lies outside, at least as many are support vectors, in (0, 1); 0.5 unless told.
    pub fn nu(self, nu: f64) -> Self {
        self.with(|c| c.nu = nu)
    }

    /// Kernels are exp(−gamma × squared distance), 1e-6 to 1e6; 1 over the number of columns unless told.
    pub fn gamma(self, gamma: f64) -> Self {
        self.with(|c| c.gamma = Some(gamma))
    }

    /// Violation of the optimality conditions at which the solver stops, in (0, 1); 1e-4 unless told.
    pub fn tolerance(self, tolerance: f64) -> Self {
        self.with(|c| c.tolerance = tolerance)
    }

    /// Rows from which on the fit refuses, at least 1; more than 10,000 unless told. It takes 8 bytes for each pair.
    pub fn max_rows(self, max_rows: usize) -> Self {
        self.with(|c| c.max_rows = max_rows)
    }

    /// Units of the columns; standard deviations unless told.
    pub fn scale(self, scale: Scale) -> Self {
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
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Backend { detector: Self::NAME, source };
        let records = Array2::from_shape_vec((n, k), units.all(rows)).map_err(|e| failed(Box::new(e)))?;
        let params = Svm::<f64, Pr>::params().nu_weight(self.nu).gaussian_kernel(1.0 / gamma).eps(self.tolerance);
        let params = params.check().map_err(|e| failed(Box::new(e)))?;
        let dataset = DatasetBase::new(records, Array1::from_elem(n, ()));
        let svm = params.fit(&dataset).map_err(|e| failed(Box::new(e)))?;
        let (mut centers, mut weights) = (vec![], vec![]);
        for (row, &alpha) in dataset.records.outer_iter().zip(&svm.alpha) {
            if alpha > 0.0 {
                centers.extend(row);
                weights.push(alpha);
            }
        }
        Ok(OneClassSvm::new(Kernels { units, centers, weights, offset: svm.rho, gamma }))
    }
}

/// A factor of squared distances in the caller's units as one in those of a fit.
pub(crate) fn in_units(gamma: f64, unit: f64) -> f64 {
    // Both factors: the square of a unit may be no number.
    (gamma * unit * unit).clamp(1e-24, 1e24)
}
