use ndarray::ArrayView2;

use super::trees::Trees;
use super::{IsolationForest, grow};
use crate::face::{Algorithm, Params};
use crate::{Error, rng};

/// Parameters of [`IsolationForest`].
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationForestConfig {
    n_trees: usize,
    max_samples: usize,
    seed: u64,
}

impl Default for IsolationForestConfig {
    fn default() -> Self {
        Self { n_trees: 100, max_samples: 256, seed: 0 }
    }
}

impl Params<IsolationForestConfig> {
    /// Number of trees, 1 to 100,000; 100 by default.
    pub fn n_trees(self, n_trees: usize) -> Self {
        self.with(|c| c.n_trees = n_trees)
    }

    /// Rows each tree is grown on, drawn without replacement, 2 to 65,536 (or all there are, if
    /// fewer); 256 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// Seed; 0 by default. Tree i draws from a stream of its own, so threads do not matter.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for IsolationForestConfig {
    const NAME: &'static str = IsolationForest::NAME;
    type Model = IsolationForest;

    fn check(&self) -> Result<(), Error> {
        if !(1..=100_000).contains(&self.n_trees) {
            return Err(Error::parameter(Self::NAME, "n_trees", self.n_trees, "1 to 100,000"));
        }
        if !(2..=65_536).contains(&self.max_samples) {
            return Err(Error::parameter(Self::NAME, "max_samples", self.max_samples, "2 to 65,536"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<IsolationForest, Error> {
        let limit = usize::from(u16::MAX);
        if rows.ncols() > limit {
            return Err(Error::TooMany { what: "columns", got: rows.ncols(), limit });
        }
        let n_samples = self.max_samples.min(rows.nrows());
        let trees = Trees::new(self.n_trees, n_samples, |tree, sapling| {
            grow::grow(rows, n_samples, sapling, &mut rng::stream(self.seed, tree as u64));
        });
        Ok(IsolationForest::new(rows.ncols(), trees))
    }
}
