use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::KMeansConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{LANES, PACK, Pack};
use crate::stats::clip;
use crate::{Error, Model, Snapshot};

/// Fitted centres. See the [module](self) documentation.
#[derive(Debug, Clone)]
pub struct KMeans {
    columns: Vec<Column>,
    /// Centres in standardised units, one after the other, k values each.
    centroids: Vec<f64>,
}

/// How a column is standardised.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) mean: f64,
    /// 0 for a column to be ignored.
    pub(super) deviation: f64,
}

impl Column {
    pub(super) fn standardise(self, x: f64) -> f64 {
        if self.deviation == 0.0 {
            return 0.0;
        }
        // In halves: the difference itself may overflow.
        clip((x * 0.5 - self.mean * 0.5) / self.deviation * 2.0, 1e100)
    }
}

/// The nearest centre, the first among equals, and its squared distance.
pub(super) fn nearest(centroids: &[f64], k: usize, value: impl Fn(usize) -> f64) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (c, centroid) in centroids.chunks_exact(k).enumerate() {
        let mut sum = 0.0;
        for (j, center) in centroid.iter().enumerate() {
            let d = value(j) - center;
            sum += d * d;
        }
        if sum < best.1 {
            best = (c, sum);
        }
    }
    best
}

impl KMeans {
    pub(crate) const NAME: &'static str = "kmeans";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<KMeansConfig> {
        Params::new(KMeansConfig::default())
    }

    pub(super) fn new(columns: Vec<Column>, centroids: Array2<f64>) -> Result<Self, Error> {
        Self::from_parts(columns, centroids.iter().copied().collect())
    }

    fn from_parts(columns: Vec<Column>, centroids: Vec<f64>) -> Result<Self, Error> {
        let fine = |c: &Column| c.mean.is_finite() && c.deviation.is_finite() && c.deviation >= 0.0;
        if columns.is_empty()
            || !columns.iter().all(fine)
            || centroids.is_empty()
            || !centroids.len().is_multiple_of(columns.len())
            || !centroids.iter().all(|x| x.abs() <= 1e100)
        {
            return Err(SnapshotError::invalid(Self::NAME, "centres or columns out of range"));
        }
        Ok(Self { columns, centroids })
    }

    /// Centres in standardised units, clusters × k. May be fewer than asked for.
    pub fn centroids(&self) -> ArrayView2<'_, f64> {
        let k = self.columns.len();
        let shape = (self.centroids.len() / k, k);
        // The constructor made sure that the length is a multiple of k.
        ArrayView2::from_shape(shape, &self.centroids).unwrap_or_else(|_| ArrayView2::from(&[[0.0; 0]; 0]))
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (columns, centroids) = snapshot.decode(Self::NAME, Self::VERSION)?;
        Self::from_parts(columns, centroids)
    }

    /// The centre nearest to a row of the caller's units, by number.
    pub(crate) fn nearest_to(&self, row: ArrayView1<'_, f64>) -> usize {
        nearest(&self.centroids, self.columns.len(), |j| self.columns[j].standardise(row[j])).0
    }

    /// The same with only these of the centres.
    ///
    /// # Errors
    /// None are left.
    pub(crate) fn with_centers(&self, kept: &[usize]) -> Result<Self, Error> {
        let k = self.columns.len();
        let centroids = kept.iter().flat_map(|&c| self.centroids[c * k..][..k].iter().copied()).collect();
        Self::from_parts(self.columns.clone(), centroids)
    }

    fn distances(&self, group: &[[f64; LANES]]) -> [f64; LANES] {
        let mut least = [f64::INFINITY; LANES];
        for centroid in self.centroids.chunks_exact(group.len()) {
            let mut sums = [0.0; LANES];
            for (xs, center) in group.iter().zip(centroid) {
                for lane in 0..LANES {
                    let d = xs[lane] - center;
                    sums[lane] += d * d;
                }
            }
            for lane in 0..LANES {
                least[lane] = if sums[lane] < least[lane] { sums[lane] } else { least[lane] };
            }
        }
        least.map(f64::sqrt)
    }
}

impl Model for KMeans {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.columns.len()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.columns.len();
        if out.len() < LANES / 2 {
            for (row, out) in rows.outer_iter().zip(out) {
                let value = |j: usize| self.columns[j].standardise(row[j]);
                *out = nearest(&self.centroids, k, value).1.sqrt();
            }
            return;
        }
        let mut pack = Pack::new(k);
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            let standardise = |j: usize, x| self.columns[j].standardise(x);
            let groups = pack.fill(rows, i * PACK, out.len(), standardise);
            for (group, out) in groups.zip(out.chunks_mut(LANES)) {
                out.copy_from_slice(&self.distances(group)[..out.len()]);
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = self.columns.len();
        for ((to, column), &x) in out.iter_mut().zip(&self.columns).zip(row) {
            *to = column.standardise(x);
        }
        let (centre, square) = nearest(&self.centroids, k, |j| out[j]);
        let distance = square.sqrt();
        for (x, center) in out.iter_mut().zip(&self.centroids[centre * k..]) {
            let d = *x - center;
            *x = if square > 0.0 { d * d / square * distance } else { 0.0 };
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.columns, &self.centroids))
    }
}

predict!(KMeans);
