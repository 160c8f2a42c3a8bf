use ndarray::ArrayView2;
use rand::RngCore;
use rayon::prelude::*;

use super::ExtendedIsolationForest;
use crate::face::{Algorithm, Params};
use crate::isolation_forest::depth_limit;
use crate::oblique::{Body, Plane, grow, sample};
use crate::stats::range;
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Parameters of [`ExtendedIsolationForest`].
#[derive(Debug, Clone, PartialEq)]
pub struct ExtendedIsolationForestConfig {
    n_trees: usize,
    max_samples: usize,
    n_terms: Option<usize>,
    scale: ColumnScale,
    seed: u64,
}

impl Default for ExtendedIsolationForestConfig {
    fn default() -> Self {
        Self { n_trees: 100, max_samples: 256, n_terms: None, scale: ColumnScale::Deviations, seed: 0 }
    }
}

impl Params<ExtendedIsolationForestConfig> {
    /// Number of trees, 1 to 100,000; 100 by default.
    pub fn n_trees(self, n_trees: usize) -> Self {
        self.with(|c| c.n_trees = n_trees)
    }

    /// Rows each tree is grown on, drawn without replacement, 2 to 65,536 (or all there are, if
    /// fewer); 256 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// Columns a cut takes, at least 1 (an isolation forest) and at most all there are; all by default.
    pub fn n_terms(self, n_terms: usize) -> Self {
        self.with(|c| c.n_terms = Some(n_terms))
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

impl Algorithm for ExtendedIsolationForestConfig {
    const NAME: &'static str = ExtendedIsolationForest::NAME;
    type Model = ExtendedIsolationForest;

    fn check(&self) -> Result<(), Error> {
        if !(1..=100_000).contains(&self.n_trees) {
            return Err(Error::parameter(Self::NAME, "n_trees", self.n_trees, "1 to 100,000"));
        }
        if !(2..=65_536).contains(&self.max_samples) {
            return Err(Error::parameter(Self::NAME, "max_samples", self.max_samples, "2 to 65,536"));
        }
        if self.n_terms == Some(0) {
            return Err(Error::parameter(Self::NAME, "n_terms", 0, "at least 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<ExtendedIsolationForest, Error> {
        let limit = usize::from(u16::MAX);
        let k = rows.ncols();
        if k > limit {
            return Err(Error::TooMany { what: "columns", got: k, limit });
        }
        let units = Units::fit(rows, self.scale);
        let n_samples = self.max_samples.min(rows.nrows());
        let depth = depth_limit(n_samples);
        let n_terms = self.n_terms.unwrap_or(k).min(k);
        let tree = |i: u64| {
            let mut rng = rng::stream(self.seed, i);
            let sample = sample(rows, &units, n_samples, &mut rng);
            grow(&sample, k, |members, at| if at < depth { cut(members, n_terms, &mut rng) } else { None })
        };
        let trees = (0..self.n_trees as u64).into_par_iter().map(tree).collect();
        ExtendedIsolationForest::new(Body { units, n_samples: n_samples as u64, trees })
    }
}

/// A random hyperplane through the box around the rows; `None` where no column varies.
fn cut(members: &[&[f64]], n_terms: usize, rng: &mut impl RngCore) -> Option<Plane> {
    let ranges = (0..members[0].len()).map(|j| range(members.iter().map(|row| row[j])));
    let varying: Vec<(usize, f64, f64)> =
        ranges.enumerate().filter(|(_, (low, high))| low < high).map(|(j, (low, high))| (j, low, high)).collect();
    if varying.is_empty() {
        return None;
    }
    let (mut columns, mut weights, mut threshold) = (vec![], vec![], 0.0);
    for place in rng::sample(rng, varying.len(), n_terms) {
        let (j, low, high) = varying[place];
        let weight = rng::normal(rng);
        let u = rng::unit(rng);
        threshold += weight * (low * (1.0 - u) + high * u);
        columns.push(j as u16);
        weights.push(weight);
    }
    Some(Plane { columns, weights, threshold, range: (f64::NEG_INFINITY, f64::INFINITY) })
}
