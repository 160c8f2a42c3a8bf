use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::HalfSpaceTreesConfig;
use super::tree::Tree;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{PACK, slice_rows};
use crate::score::{check_columns, first_not_finite};
use crate::stats::clip;
use crate::{Error, Model, Snapshot};

/// Trees and the masses in them. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct HalfSpaceTrees {
    body: Body,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Body {
    /// Least and greatest value of each column of the fit.
    pub(super) ranges: Vec<(f64, f64)>,
    pub(super) height: u32,
    pub(super) window: u32,
    pub(super) size_limit: f64,
    /// Rows in the latest window.
    pub(super) n_latest: u32,
    pub(super) trees: Vec<Tree>,
}

impl HalfSpaceTrees {
    pub(crate) const NAME: &'static str = "half_space_trees";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<HalfSpaceTreesConfig> {
        Params::new(HalfSpaceTreesConfig::default())
    }

    pub(super) fn new(body: Body) -> Result<Self, Error> {
        let k = body.ranges.len();
        let is_sound = k > 0
            && body.ranges.iter().all(|(low, high)| low.is_finite() && high.is_finite() && low <= high)
            && (1..=20).contains(&body.height)
            && 0.0 < body.size_limit
            && body.size_limit < 1.0
            && body.n_latest < body.window
            && !body.trees.is_empty()
            && body.trees.iter().all(|tree| tree.is_sound(body.height, k, body.window));
        if !is_sound {
            return Err(SnapshotError::invalid(Self::NAME, "ranges, windows or trees out of range"));
        }
        Ok(Self { body })
    }

    /// The model in a snapshot, with what it has learned of the latest window.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        Self::new(snapshot.decode(Self::NAME, Self::VERSION)?)
    }

    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.body.trees.len()
    }

    /// Rows learned that do not score yet.
    pub fn n_latest(&self) -> u32 {
        self.body.n_latest
    }

    /// Takes in a row (k values). After `window` of them, scores are those of these rows.
    ///
    /// # Errors
    /// [`Error::Columns`] or [`Error::NotFinite`] (row 0); the model is then as it was.
    pub fn learn(&mut self, row: ArrayView1<'_, f64>) -> Result<(), Error> {
        let row = row.insert_axis(Axis(0));
        check_columns(row, self.body.ranges.len())?;
        if let Some((_, column)) = first_not_finite(row) {
            return Err(Error::NotFinite { row: 0, column, value: row[[0, column]] });
        }
        let values: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.value(j, x)).collect();
        self.body.trees.iter_mut().for_each(|tree| tree.count(&values));
        self.body.n_latest += 1;
        if self.body.n_latest == self.body.window {
            self.turn(self.body.window);
        }
        Ok(())
    }

    /// Counts rows (n × k values) in the latest window.
    pub(super) fn count(&mut self, rows: &[f64]) {
        let k = self.body.ranges.len();
        self.body.trees.par_iter_mut().for_each(|tree| rows.chunks_exact(k).for_each(|row| tree.count(row)));
    }

    /// The latest window, of `n` rows, becomes the reference.
    pub(super) fn turn(&mut self, n: u32) {
        self.body.trees.iter_mut().for_each(|tree| tree.turn(n));
        self.body.n_latest = 0;
    }

    /// A value in units of the column's range, from its least value on; a constant column is 0.
    fn value(&self, column: usize, x: f64) -> f64 {
        let (low, high) = self.body.ranges[column];
        let width = 0.5 * high - 0.5 * low;
        if width > 0.0 { clip((0.5 * x - 0.5 * low) / width, 4.0) } else { 0.0 }
    }

    /// Values of rows `start..start + len`, row after row.
    pub(super) fn fill(&self, rows: ArrayView2<'_, f64>, start: usize, len: usize, pack: &mut [f64]) {
        let k = self.body.ranges.len();
        for (j, column) in slice_rows(rows, start, len).axis_iter(Axis(1)).enumerate() {
            column.iter().enumerate().for_each(|(i, &x)| pack[i * k + j] = self.value(j, x));
        }
    }
}

impl Model for HalfSpaceTrees {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.body.ranges.len()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut pack = vec![0.0; PACK.min(out.len()) * k];
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            self.fill(rows, i * PACK, out.len(), &mut pack);
            out.fill(0.0);
            for tree in &self.body.trees {
                for (row, sum) in pack.chunks_exact(k).zip(&mut *out) {
                    *sum += tree.density(row, self.body.size_limit, |_, _, _| {});
                }
            }
            out.iter_mut().for_each(|x| *x = 1.0 / (1.0 + *x / self.n_trees() as f64));
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let values: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.value(j, x)).collect();
        out.fill(0.0);
        let mut sum = 0.0;
        for tree in &self.body.trees {
            sum += tree.density(&values, self.body.size_limit, |column, before, after| {
                out[column] += if after < before { before - after } else { 0.0 };
            });
        }
        let score = 1.0 / (1.0 + sum / self.n_trees() as f64);
        let total: f64 = out.iter().sum();
        let even = score / out.len() as f64;
        out.iter_mut().for_each(|x| *x = if total > 0.0 { *x / total * score } else { even });
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &self.body)
    }
}

predict!(HalfSpaceTrees);
