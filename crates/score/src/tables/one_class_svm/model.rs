use ndarray::{ArrayView1, ArrayView2};

use super::OneClassSvmConfig;
use crate::face::{Params, predict};
use crate::kernels::Kernels;
use crate::{Error, Model, Snapshot};

/// Fitted support vectors. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct OneClassSvm {
    kernels: Kernels,
}

impl OneClassSvm {
    pub(crate) const NAME: &'static str = "one_class_svm";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<OneClassSvmConfig> {
        Params::new(OneClassSvmConfig::default())
    }

    pub(super) fn new(kernels: Kernels) -> Self {
        Self { kernels }
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`](crate::error::SnapshotError).
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        Ok(Self::new(Kernels::from_snapshot(snapshot, Self::NAME, Self::VERSION)?))
    }
}

impl Model for OneClassSvm {
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

predict!(OneClassSvm);
