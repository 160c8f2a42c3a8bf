use ndarray::ArrayView2;

use super::{NystroemSvm, fit};
use crate::face::{Algorithm, Params};
use crate::kernels::Kernels;
use crate::one_class_svm::in_units;
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Parameters of [`NystroemSvm`].
#[derive(Debug, Clone, PartialEq)]
pub struct NystroemSvmConfig {
    nu: f64,
    gamma: Option<f64>,
    n_landmarks: usize,
    max_samples: usize,
    scale: ColumnScale,
    seed: u64,
}

impl Default for NystroemSvmConfig {
    fn default() -> Self {
        Self { nu: 0.5, gamma: None, n_landmarks: 256, max_samples: 16_384, scale: ColumnScale::Deviations, seed: 0 }
    }
}

impl Params<NystroemSvmConfig> {
    /// At most this share of the fit lies outside, in (0, 1); 0.5 by default.
    pub fn nu(self, nu: f64) -> Self {
        self.with(|c| c.nu = nu)
    }

    /// Kernels are exp(−gamma × squared distance), 1e-6 to 1e6; 1 over the number of columns by default.
    pub fn gamma(self, gamma: f64) -> Self {
        self.with(|c| c.gamma = Some(gamma))
    }

    /// Rows drawn as landmarks, 1 to 4,096 (or all there are, if fewer); 256 by default.
    pub fn n_landmarks(self, n_landmarks: usize) -> Self {
        self.with(|c| c.n_landmarks = n_landmarks)
    }

    /// Rows the weights are learned from, drawn without replacement, at least 1; 16,384 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }

    /// Seed; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for NystroemSvmConfig {
    const NAME: &'static str = NystroemSvm::NAME;
    type Model = NystroemSvm;

    fn check(&self) -> Result<(), Error> {
        if !(0.0 < self.nu && self.nu < 1.0) {
            return Err(Error::parameter(Self::NAME, "nu", self.nu, "0 < x < 1"));
        }
        if let Some(gamma) = self.gamma
            && !(1e-6..=1e6).contains(&gamma)
        {
            return Err(Error::parameter(Self::NAME, "gamma", gamma, "1e-6 to 1e6"));
        }
        if !(1..=4_096).contains(&self.n_landmarks) {
            return Err(Error::parameter(Self::NAME, "n_landmarks", self.n_landmarks, "1 to 4,096"));
        }
        if self.max_samples == 0 {
            return Err(Error::parameter(Self::NAME, "max_samples", 0, "at least 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<NystroemSvm, Error> {
        let (n, k) = rows.dim();
        let units = Units::fit(rows, self.scale);
        let gamma = in_units(self.gamma.unwrap_or(1.0 / k as f64), units.distance(1.0));
        let drawn = |stream: u64, count: usize| -> Vec<f64> {
            let drawn = rng::sample(&mut rng::stream(self.seed, stream), n, count);
            let value = |row: usize| rows.row(row).into_iter().enumerate().map(|(j, &x)| units.value(j, x));
            drawn.into_iter().flat_map(value).collect()
        };
        let centers = drawn(0, self.n_landmarks);
        let sample = drawn(1, self.max_samples);
        let (weights, offset) = fit::weights(&centers, &sample, k, gamma, self.nu);
        Ok(NystroemSvm::new(Kernels { units, centers, weights, offset, gamma }))
    }
}
