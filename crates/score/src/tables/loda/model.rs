use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::LodaConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::hbos::histogram::Histogram;
use crate::rows::{LANES, PACK, Pack};
use crate::steps::Steps;
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// How far outside of the range still counts as the outermost bin, in bin widths.
const TOLERANCE: f64 = 0.5;

/// Fitted projections and their histograms. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Loda {
    units: Units,
    cuts: Vec<(Cut, Histogram)>,
    alpha: f64,
    steps: Vec<Steps>,
}

/// A projection on a few columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cut {
    /// Ascending.
    pub(super) columns: Vec<u32>,
    pub(super) weights: Vec<f64>,
}

impl Cut {
    pub(super) fn project(&self, value: impl Fn(usize) -> f64) -> f64 {
        self.columns.iter().zip(&self.weights).fold(0.0, |sum, (&j, w)| sum + w * value(j as usize))
    }

    /// [`project`](Self::project) for all rows, whose columns lie one after the other.
    #[inline(always)]
    pub(super) fn columns(&self, sample: &[f64], out: &mut [f64]) {
        let n = out.len();
        out.fill(0.0);
        for (&j, w) in self.columns.iter().zip(&self.weights) {
            out.iter_mut().zip(&sample[j as usize * n..]).for_each(|(to, x)| *to += w * x);
        }
    }

    /// [`project`](Self::project) for groups of rows.
    #[inline(always)]
    fn groups(&self, groups: &[&[[f64; LANES]]], out: &mut [[f64; LANES]]) {
        for (to, group) in out.iter_mut().zip(groups) {
            let mut sum = [0.0; LANES];
            for (&j, w) in self.columns.iter().zip(&self.weights) {
                let xs = &group[j as usize];
                for lane in 0..LANES {
                    sum[lane] += w * xs[lane];
                }
            }
            *to = sum;
        }
    }
}

impl Loda {
    pub(crate) const NAME: &'static str = "loda";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<LodaConfig> {
        Params::new(LodaConfig::default())
    }

    pub(super) fn new(units: Units, cuts: Vec<(Cut, Histogram)>, alpha: f64) -> Result<Self, Error> {
        let k = units.n_columns();
        let fine = |(cut, _): &(Cut, Histogram)| {
            cut.columns.len() == cut.weights.len()
                && cut.columns.iter().all(|&j| (j as usize) < k)
                && cut.weights.iter().all(|w| w.abs() <= 1e50)
        };
        let in_range = units.is_sound() && 0.0 < alpha && alpha < 1.0 && !cuts.is_empty() && cuts.iter().all(fine);
        let steps: Option<Vec<Steps>> = cuts.par_iter().map(|(_, h)| h.steps(alpha, TOLERANCE)).collect();
        match steps {
            Some(steps) if in_range => Ok(Self { units, cuts, alpha, steps }),
            _ => Err(SnapshotError::invalid(Self::NAME, "a projection, a histogram or a parameter is out of range")),
        }
    }

    /// Number of projections.
    pub fn n_cuts(&self) -> usize {
        self.cuts.len()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (units, cuts, alpha) = snapshot.decode(Self::NAME, Self::VERSION)?;
        Self::new(units, cuts, alpha)
    }
}

impl Model for Loda {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let level = Level::new();
        let mut pack = Pack::new(self.n_columns());
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            let groups: Vec<&[[f64; LANES]]> =
                pack.fill(rows, i * PACK, out.len(), |j, x| self.units.value(j, x)).collect();
            out.fill(0.0);
            let mut projected = [[0.0; LANES]; PACK / LANES];
            for ((cut, _), steps) in self.cuts.iter().zip(&self.steps) {
                dispatch!(level, _simd => cut.groups(&groups, &mut projected));
                steps.add(&projected.as_flattened()[..out.len()], out);
            }
            out.iter_mut().for_each(|x| *x /= self.cuts.len() as f64);
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let value = |j: usize| self.units.value(j, row[j]);
        out.fill(0.0);
        let n = self.cuts.len() as f64;
        for ((cut, _), steps) in self.cuts.iter().zip(&self.steps) {
            let part = steps.at(cut.project(value)) / n;
            let size = |(&j, w): (&u32, &f64)| (w * value(j as usize)).abs();
            let total: f64 = cut.columns.iter().zip(&cut.weights).map(size).sum();
            let even = 1.0 / cut.columns.len() as f64;
            for (&j, w) in cut.columns.iter().zip(&cut.weights) {
                let share = if total > 0.0 { size((&j, w)) / total } else { even };
                out[j as usize] += part * share;
            }
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.units, &self.cuts, self.alpha))
    }
}

predict!(Loda);
