use ndarray::ArrayView2;

use super::{Gmm, fit};
use crate::Error;
use crate::face::{Algorithm, Params};

/// Parameters of [`Gmm`].
#[derive(Debug, Clone, PartialEq)]
pub struct GmmConfig {
    pub(super) n_components: usize,
    pub(super) tolerance: f64,
    pub(super) max_iterations: usize,
    pub(super) ridge: f64,
    pub(super) n_samples: usize,
    pub(super) max_samples: usize,
    pub(super) seed: u64,
}

impl Default for GmmConfig {
    fn default() -> Self {
        Self {
            n_components: 2,
            tolerance: 1e-3,
            max_iterations: 100,
            ridge: 1e-6,
            n_samples: 1,
            max_samples: 1 << 20,
            seed: 0,
        }
    }
}

impl Params<GmmConfig> {
    /// Components, 1 to 256; 2 by default. Fewer where they would describe too few rows.
    pub fn n_components(self, n_components: usize) -> Self {
        self.with(|c| c.n_components = n_components)
    }

    /// Gain in mean log density below which to stop, above 0; 1e-3 by default.
    pub fn tolerance(self, tolerance: f64) -> Self {
        self.with(|c| c.tolerance = tolerance)
    }

    /// Iterations at most, 1 or more; 100 by default.
    pub fn max_iterations(self, max_iterations: usize) -> Self {
        self.with(|c| c.max_iterations = max_iterations)
    }

    /// Added to variances, which are of standardised columns, in [1e-12, 1]; 1e-6 by default.
    pub fn ridge(self, ridge: f64) -> Self {
        self.with(|c| c.ridge = ridge)
    }

    /// Samples, each of which gives a mixture; the model is the mixture of them all. 1 to 256; 1 by default.
    pub fn n_samples(self, n_samples: usize) -> Self {
        self.with(|c| c.n_samples = n_samples)
    }

    /// Rows of a sample at most, 2 or more; 1,048,576 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// Seed of samples and of the k-means start; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for GmmConfig {
    const NAME: &'static str = Gmm::NAME;
    type Model = Gmm;

    fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, expected| Err(Error::parameter(Self::NAME, name, value, expected));
        if !(1..=256).contains(&self.n_components) {
            return refuse("n_components", self.n_components.to_string(), "1 to 256");
        }
        if !(0.0 < self.tolerance && self.tolerance < f64::INFINITY) {
            return refuse("tolerance", self.tolerance.to_string(), "0 < x < ∞");
        }
        if !(1..=256).contains(&self.n_samples) {
            return refuse("n_samples", self.n_samples.to_string(), "1 to 256");
        }
        if self.max_samples < 2 {
            return refuse("max_samples", self.max_samples.to_string(), "2 or more");
        }
        if self.max_iterations == 0 {
            return refuse("max_iterations", "0".to_owned(), "1 or more");
        }
        if !(1e-12..=1.0).contains(&self.ridge) {
            return refuse("ridge", self.ridge.to_string(), "1e-12 ≤ x ≤ 1");
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Gmm, Error> {
        fit::fit(self, rows)
    }
}
