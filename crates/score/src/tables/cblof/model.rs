use ndarray::{ArrayView1, ArrayView2};

use super::CblofConfig;
use crate::face::{Params, predict};
use crate::kmeans::KMeans;
use crate::{Error, Model, Snapshot};

/// Fitted centres of the large clusters. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Cblof {
    large: KMeans,
    n_clusters: usize,
}

impl Cblof {
    pub(crate) const NAME: &'static str = "cblof";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<CblofConfig> {
        Params::new(CblofConfig::default())
    }

    pub(super) fn new(large: KMeans, n_clusters: usize) -> Self {
        Self { large, n_clusters }
    }

    /// Centres of the large clusters in standardised units, clusters × k.
    pub fn centroids(&self) -> ArrayView2<'_, f64> {
        self.large.centroids()
    }

    /// Number of clusters found, large and small.
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`](crate::error::SnapshotError).
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (large, n_clusters): (Snapshot, u32) = snapshot.decode(Self::NAME, Self::VERSION)?;
        Ok(Self::new(KMeans::from_snapshot(&large)?, n_clusters as usize))
    }
}

impl Model for Cblof {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.large.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        self.large.score_block(rows, out);
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        self.large.explain_row(row, out);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        // At most 4,096 clusters: the parameters are checked.
        Snapshot::new(Self::NAME, Self::VERSION, &(self.large.snapshot(), self.n_clusters as u32))
    }
}

predict!(Cblof);
