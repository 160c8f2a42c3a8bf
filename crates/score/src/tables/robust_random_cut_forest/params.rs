use ndarray::ArrayView2;
use rayon::prelude::*;

use super::RobustRandomCutForest;
use super::model::Body;
use super::tree::Tree;
use crate::face::{Algorithm, Params};
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Parameters of [`RobustRandomCutForest`].
#[derive(Debug, Clone, PartialEq)]
pub struct RobustRandomCutForestConfig {
    n_trees: usize,
    max_samples: usize,
    window: u64,
    scale: ColumnScale,
    seed: u64,
}

impl Default for RobustRandomCutForestConfig {
    fn default() -> Self {
        Self { n_trees: 50, max_samples: 256, window: 10_000, scale: ColumnScale::Deviations, seed: 0 }
    }
}

impl Params<RobustRandomCutForestConfig> {
    /// Number of trees, 1 to 10,000; 50 by default.
    pub fn n_trees(self, n_trees: usize) -> Self {
        self.with(|c| c.n_trees = n_trees)
    }

    /// Rows a tree holds, drawn without replacement, 2 to 65,536; 256 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// For how many learned rows a row stays in a tree, on average; at least 1, where below `max_samples` is
    /// the same as `max_samples`. 10,000 by default.
    pub fn window(self, window: u64) -> Self {
        self.with(|c| c.window = window)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }

    /// Seed; 0 by default. Tree i draws from a stream of its own, so threads do not matter.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for RobustRandomCutForestConfig {
    const NAME: &'static str = RobustRandomCutForest::NAME;
    type Model = RobustRandomCutForest;

    fn check(&self) -> Result<(), Error> {
        if !(1..=10_000).contains(&self.n_trees) {
            return Err(Error::parameter(Self::NAME, "n_trees", self.n_trees, "1 to 10,000"));
        }
        if !(2..=65_536).contains(&self.max_samples) {
            return Err(Error::parameter(Self::NAME, "max_samples", self.max_samples, "2 to 65,536"));
        }
        if self.window == 0 {
            return Err(Error::parameter(Self::NAME, "window", 0, "at least 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<RobustRandomCutForest, Error> {
        let limit = usize::from(u16::MAX);
        let k = rows.ncols();
        if k > limit {
            return Err(Error::TooMany { what: "columns", got: k, limit });
        }
        let units = Units::fit(rows, self.scale);
        let tree = |i: u64| {
            let mut rng = rng::stream(self.seed, i);
            let drawn = rng::sample(&mut rng, rows.nrows(), self.max_samples);
            let value = |row: usize| rows.row(row).into_iter().enumerate().map(|(j, &x)| units.value(j, x));
            let sample: Vec<f64> = drawn.into_iter().flat_map(value).collect();
            Tree::grow(&sample, k, &mut rng)
        };
        let trees = (0..self.n_trees as u64).into_par_iter().map(tree).collect();
        let max_samples = self.max_samples as u32;
        RobustRandomCutForest::new(Body {
            units,
            max_samples,
            window: self.window,
            seed: self.seed,
            n_learned: 0,
            trees,
        })
    }
}
