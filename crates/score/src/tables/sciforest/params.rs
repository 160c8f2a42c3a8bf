use ndarray::ArrayView2;
use rand::RngCore;
use rayon::prelude::*;

use super::SciForest;
use crate::face::{Algorithm, Params};
use crate::isolation_forest::depth_limit;
use crate::oblique::{Body, Plane, grow, sample};
use crate::stats::{deviations, middle};
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Deviations among a node's rows below this count as none.
const LEAST: f64 = 1e-9;

/// Parameters of [`SciForest`].
#[derive(Debug, Clone, PartialEq)]
pub struct SciForestConfig {
    n_trees: usize,
    max_samples: usize,
    n_terms: usize,
    n_planes: usize,
    seed: u64,
}

impl Default for SciForestConfig {
    fn default() -> Self {
        Self { n_trees: 100, max_samples: 256, n_terms: 2, n_planes: 10, seed: 0 }
    }
}

impl Params<SciForestConfig> {
    /// Number of trees, 1 to 100,000; 100 by default.
    pub fn n_trees(self, n_trees: usize) -> Self {
        self.with(|c| c.n_trees = n_trees)
    }

    /// Rows each tree is grown on, drawn without replacement, 2 to 65,536 (or all there are, if
    /// fewer); 256 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// Columns a cut takes, at least 1 and at most all there are; 2 by default.
    pub fn n_terms(self, n_terms: usize) -> Self {
        self.with(|c| c.n_terms = n_terms)
    }

    /// Hyperplanes a node tries, 1 to 1,000; 10 by default.
    pub fn n_planes(self, n_planes: usize) -> Self {
        self.with(|c| c.n_planes = n_planes)
    }

    /// Seed; 0 by default. Tree i draws from a stream of its own, so threads do not matter.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for SciForestConfig {
    const NAME: &'static str = SciForest::NAME;
    type Model = SciForest;

    fn check(&self) -> Result<(), Error> {
        if !(1..=100_000).contains(&self.n_trees) {
            return Err(Error::parameter(Self::NAME, "n_trees", self.n_trees, "1 to 100,000"));
        }
        if !(2..=65_536).contains(&self.max_samples) {
            return Err(Error::parameter(Self::NAME, "max_samples", self.max_samples, "2 to 65,536"));
        }
        if self.n_terms == 0 {
            return Err(Error::parameter(Self::NAME, "n_terms", 0, "at least 1"));
        }
        if !(1..=1_000).contains(&self.n_planes) {
            return Err(Error::parameter(Self::NAME, "n_planes", self.n_planes, "1 to 1,000"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<SciForest, Error> {
        let limit = usize::from(u16::MAX);
        let k = rows.ncols();
        if k > limit {
            return Err(Error::TooMany { what: "columns", got: k, limit });
        }
        let units = Units::fit(rows, ColumnScale::Deviations);
        let n_samples = self.max_samples.min(rows.nrows());
        let depth = 4 * depth_limit(n_samples);
        let tree = |i: u64| {
            let mut rng = rng::stream(self.seed, i);
            let sample = sample(rows, &units, n_samples, &mut rng);
            grow(&sample, k, |members, at| if at < depth { self.cut(members, &mut rng) } else { None })
        };
        let trees = (0..self.n_trees as u64).into_par_iter().map(tree).collect();
        SciForest::new(Body { units, n_samples: n_samples as u64, trees })
    }
}

impl SciForestConfig {
    /// The best of some random hyperplanes; `None` for two rows, or where no column varies.
    fn cut(&self, members: &[&[f64]], rng: &mut impl RngCore) -> Option<Plane> {
        if members.len() <= 2 {
            return None;
        }
        let varying: Vec<(usize, f64)> =
            deviations(members).into_iter().enumerate().filter(|(_, s)| *s >= LEAST).collect();
        if varying.is_empty() {
            return None;
        }
        let mut best: Option<(f64, Plane)> = None;
        let mut projected = Vec::with_capacity(members.len());
        for _ in 0..self.n_planes {
            let drawn = rng::sample(rng, varying.len(), self.n_terms);
            let weight = |&place: &usize| (2.0 * rng::unit(rng) - 1.0) / varying[place].1;
            let weights: Vec<f64> = drawn.iter().map(weight).collect();
            let columns = drawn.iter().map(|&place| varying[place].0 as u16).collect();
            let mut plane = Plane { columns, weights, threshold: 0.0, range: (0.0, 0.0) };
            projected.clear();
            projected.extend(members.iter().map(|row| plane.project(row)));
            projected.sort_unstable_by(f64::total_cmp);
            if let Some((gain, threshold)) = best_split(&projected)
                && best.as_ref().is_none_or(|(most, _)| gain > *most)
            {
                let width = projected[projected.len() - 1] - projected[0];
                plane.threshold = threshold;
                plane.range = (threshold - width, threshold + width);
                best = Some((gain, plane));
            }
        }
        best.map(|(_, plane)| plane)
    }
}

/// The largest gain in deviation of ascending values, and the point halfway between the sides; `None` where
/// all are equal.
fn best_split(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    // Around the middle one, in units of the range, so that squares neither cancel nor overflow.
    let (center, width) = (values[n / 2], values[n - 1] - values[0]);
    if !(width > 0.0 && width < f64::INFINITY) {
        return None;
    }
    let scaled = |x: &f64| (x - center) / width;
    let (total, squares) = values.iter().map(scaled).fold((0.0, 0.0), |(a, b), x| (a + x, b + x * x));
    let deviation = |sum: f64, squares: f64, n: f64| {
        let variance = squares / n - sum / n * (sum / n);
        if variance > 0.0 { variance.sqrt() } else { 0.0 }
    };
    let all = deviation(total, squares, n as f64);
    let (mut left, mut left_squares) = (0.0, 0.0);
    let mut best: Option<(f64, f64)> = None;
    for i in 1..n {
        let x = scaled(&values[i - 1]);
        left += x;
        left_squares += x * x;
        if values[i - 1] == values[i] {
            continue;
        }
        let sides =
            deviation(left, left_squares, i as f64) + deviation(total - left, squares - left_squares, (n - i) as f64);
        let gain = (all - 0.5 * sides) / all;
        if best.is_none_or(|(most, _)| gain > most) {
            let threshold = middle(values[i - 1], values[i]);
            // Rounding may reach the upper one; both sides must keep a row.
            best = Some((gain, if threshold < values[i] { threshold } else { values[i - 1] }));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_cluster_is_cut_off_whole() {
        let mut values: Vec<f64> = (0..50).map(|i| f64::from(i) * 0.02).collect();
        values.extend([5.0, 5.01, 5.02]);
        let (gain, threshold) = best_split(&values).unwrap();
        assert!(0.98 < threshold && threshold < 5.0, "{threshold}");
        assert!(gain > 0.5, "{gain}");
        assert_eq!(best_split(&[2.0; 5]), None);
        let next = 1.0_f64.next_up();
        assert_eq!(best_split(&[1.0, next]).map(|b| b.1), Some(1.0));
    }
}
