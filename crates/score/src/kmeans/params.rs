use ndarray::ArrayView2;

use super::{KMeans, fit};
use crate::Error;
use crate::face::{Algorithm, Params};

/// Parameters of [`KMeans`].
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansConfig {
    pub(super) n_clusters: usize,
    pub(super) n_runs: usize,
    pub(super) max_iterations: u64,
    pub(super) tolerance: f64,
    pub(super) max_samples: usize,
    pub(super) min_share: f64,
    pub(super) seed: u64,
}

impl Default for KMeansConfig {
    fn default() -> Self {
        Self {
            n_clusters: 8,
            n_runs: 2,
            max_iterations: 300,
            tolerance: 1e-2,
            max_samples: 16_384,
            min_share: 0.0,
            seed: 0,
        }
    }
}

impl Params<KMeansConfig> {
    /// Number of centres, 1 to 4,096; 8 by default. Fewer when there are fewer rows.
    pub fn n_clusters(self, n_clusters: usize) -> Self {
        self.with(|c| c.n_clusters = n_clusters)
    }

    /// Starts, of which the best is kept, 1 to 1,000; 2 by default.
    pub fn n_runs(self, n_runs: usize) -> Self {
        self.with(|c| c.n_runs = n_runs)
    }

    /// Iterations at most, 1 or more; 300 by default.
    pub fn max_iterations(self, max_iterations: u64) -> Self {
        self.with(|c| c.max_iterations = max_iterations)
    }

    /// Movement of the centres, in standard deviations, that ends a run, above 0; 0.01 by default: scikit-learn's 1e-4
    /// of the variance.
    pub fn tolerance(self, tolerance: f64) -> Self {
        self.with(|c| c.tolerance = tolerance)
    }

    /// Rows to fit on at most, 1 or more; 16,384 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// Share of the rows a cluster has to hold for its centre to stay, 0 or more and below 1, and three rows at least
    /// where it is above 0; 0 by default. A handful of outliers that have got a centre of their own would otherwise
    /// score as usual.
    pub fn min_share(self, min_share: f64) -> Self {
        self.with(|c| c.min_share = min_share)
    }

    /// Seed; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for KMeansConfig {
    const NAME: &'static str = KMeans::NAME;
    type Model = KMeans;

    fn check(&self) -> Result<(), Error> {
        if !(0.0 <= self.min_share && self.min_share < 1.0) {
            return Err(Error::parameter(Self::NAME, "min_share", self.min_share, "0 <= x < 1"));
        }
        let refuse = |name, value: String, expected| Err(Error::parameter(Self::NAME, name, value, expected));
        if !(1..=4_096).contains(&self.n_clusters) {
            return refuse("n_clusters", self.n_clusters.to_string(), "1 to 4,096");
        }
        if !(1..=1_000).contains(&self.n_runs) {
            return refuse("n_runs", self.n_runs.to_string(), "1 to 1,000");
        }
        if self.max_iterations == 0 {
            return refuse("max_iterations", "0".to_owned(), "1 or more");
        }
        if !(0.0 < self.tolerance && self.tolerance < f64::INFINITY) {
            return refuse("tolerance", self.tolerance.to_string(), "0 < x < ∞");
        }
        if self.max_samples == 0 {
            return refuse("max_samples", "0".to_owned(), "1 or more");
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<KMeans, Error> {
        fit::fit(self, rows)
    }
}
