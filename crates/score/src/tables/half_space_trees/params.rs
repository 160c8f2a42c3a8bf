use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::HalfSpaceTrees;
use super::model::Body;
use super::tree::Tree;
use crate::face::{Algorithm, Params};
use crate::rows::PACK;
use crate::stats::range;
use crate::{Error, rng};

/// Parameters of [`HalfSpaceTrees`].
#[derive(Debug, Clone, PartialEq)]
pub struct HalfSpaceTreesConfig {
    n_trees: usize,
    height: u32,
    window: u32,
    size_limit: f64,
    seed: u64,
}

impl Default for HalfSpaceTreesConfig {
    fn default() -> Self {
        Self { n_trees: 100, height: 8, window: 250, size_limit: 0.1, seed: 0 }
    }
}

impl Params<HalfSpaceTreesConfig> {
    /// Number of trees, 1 to 100,000; 100 by default.
    pub fn n_trees(self, n_trees: usize) -> Self {
        self.with(|c| c.n_trees = n_trees)
    }

    /// Splits from the root to a leaf, 1 to 20; 8 by default. Memory doubles with each.
    pub fn height(self, height: u32) -> Self {
        self.with(|c| c.height = height)
    }

    /// Rows to learn until they become the reference, 1 to 2^31; 250 by default.
    pub fn window(self, window: u32) -> Self {
        self.with(|c| c.window = window)
    }

    /// Share of the reference at which a walk ends, in (0, 1); 0.1 by default.
    pub fn size_limit(self, size_limit: f64) -> Self {
        self.with(|c| c.size_limit = size_limit)
    }

    /// Seed; 0 by default. Tree i draws from a stream of its own, so threads do not matter.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for HalfSpaceTreesConfig {
    const NAME: &'static str = HalfSpaceTrees::NAME;
    type Model = HalfSpaceTrees;

    fn check(&self) -> Result<(), Error> {
        if !(1..=100_000).contains(&self.n_trees) {
            return Err(Error::parameter(Self::NAME, "n_trees", self.n_trees, "1 to 100,000"));
        }
        if !(1..=20).contains(&self.height) {
            return Err(Error::parameter(Self::NAME, "height", self.height, "1 to 20"));
        }
        if !(1..=1 << 31).contains(&self.window) {
            return Err(Error::parameter(Self::NAME, "window", self.window, "1 to 2^31"));
        }
        if !(0.0 < self.size_limit && self.size_limit < 1.0) {
            return Err(Error::parameter(Self::NAME, "size_limit", self.size_limit, "0 < x < 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<HalfSpaceTrees, Error> {
        let (n, k) = rows.dim();
        let limit = usize::from(u16::MAX);
        if k > limit {
            return Err(Error::TooMany { what: "columns", got: k, limit });
        }
        let limit = i32::MAX as usize;
        if n > limit {
            return Err(Error::TooMany { what: "rows", got: n, limit });
        }
        let ranges: Vec<(f64, f64)> = rows.axis_iter(Axis(1)).map(|column| range(column.iter().copied())).collect();
        let mut varying: Vec<u16> =
            (0..k as u16).filter(|&j| ranges[usize::from(j)].0 < ranges[usize::from(j)].1).collect();
        if varying.is_empty() {
            varying = (0..k as u16).collect();
        }
        let grow = |i: u64| Tree::grow(self.height, k, &varying, &mut rng::stream(self.seed, i));
        let body = Body {
            ranges,
            height: self.height,
            window: self.window,
            size_limit: self.size_limit,
            n_latest: 0,
            trees: (0..self.n_trees as u64).into_par_iter().map(grow).collect(),
        };
        let mut model = HalfSpaceTrees::new(body)?;
        let mut pack = vec![0.0; PACK * k];
        for start in (0..n).step_by(PACK) {
            let len = PACK.min(n - start);
            model.fill(rows, start, len, &mut pack);
            model.count(&pack[..len * k]);
        }
        model.turn(n as u32);
        Ok(model)
    }
}
