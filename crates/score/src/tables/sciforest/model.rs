use ndarray::{ArrayView1, ArrayView2};

use super::SciForestConfig;
use crate::face::{Params, predict};
use crate::oblique::{Body, Forest};
use crate::{Error, Model, Snapshot};

/// A fitted forest. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct SciForest {
    forest: Forest,
}

impl SciForest {
    pub(crate) const NAME: &'static str = "sciforest";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<SciForestConfig> {
        Params::new(SciForestConfig::default())
    }

    pub(super) fn new(body: Body) -> Result<Self, Error> {
        Ok(Self { forest: Forest::new(Self::NAME, body)? })
    }

    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.forest.n_trees()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`](crate::error::SnapshotError).
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        Ok(Self { forest: Forest::from_snapshot(snapshot, Self::NAME, Self::VERSION)? })
    }
}

impl Model for SciForest {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.forest.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        self.forest.score_block(rows, out);
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        self.forest.explain_row(row, out);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        self.forest.snapshot(Self::NAME, Self::VERSION)
    }
}

predict!(SciForest);
