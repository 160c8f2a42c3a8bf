use ndarray::{ArrayView1, ArrayView2};

use super::NystroemSvmConfig;
use crate::face::{Params, predict};
use crate::kernels::Kernels;
use crate::{Error, Model, Snapshot};

/// Fitted weights of landmarks. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct NystroemSvm {
    kernels: Kernels,
}

impl NystroemSvm {
    pub(crate) const NAME: &'static str = "nystroem_svm";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<NystroemSvmConfig> {
        Params::new(NystroemSvmConfig::default())
    }

    pub(super) fn new(kernels: Kernels) -> Self {
        Self { kernels }
    }

    /// Number of landmarks.
    pub fn n_landmarks(&self) -> usize {
        self.kernels.weights.len()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`](crate::error::SnapshotError).
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        Ok(Self::new(Kernels::from_snapshot(snapshot, Self::NAME, Self::VERSION)?))
    }
}

impl Model for NystroemSvm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.kernels.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        self.kernels.score_block(rows, out);
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        self.kernels.explain_row(row, out);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &self.kernels)
    }
}

predict!(NystroemSvm);
