use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::DbscanConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::neighbours::{Nearest, Neighbour, Neighbours};
use crate::stats::clip;
use crate::units::{Units, scale_to};
use crate::{Error, Model, Snapshot};

/// In no cluster.
pub(super) const NOISE: u32 = u32::MAX;

/// The core rows of a fit. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Dbscan {
    units: Units,
    cores: Neighbours,
    /// In units of the fit.
    eps: f64,
    /// By row of the fit.
    labels: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    units: Units,
    cores: Vec<f64>,
    eps: f64,
    labels: Vec<u32>,
}

impl Dbscan {
    pub(crate) const NAME: &'static str = "dbscan";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<DbscanConfig> {
        Params::new(DbscanConfig::default())
    }

    pub(super) fn new(units: Units, cores: Neighbours, eps: f64, labels: Vec<u32>) -> Self {
        Self { units, cores, eps, labels }
    }

    /// Radius of a neighbourhood, in standard deviations or, with raw units, in the columns' own.
    pub fn eps(&self) -> f64 {
        self.units.distance(self.eps)
    }

    /// Number of core rows.
    pub fn n_cores(&self) -> usize {
        self.cores.len()
    }

    /// The cluster of every row of the fit, in its order; `None` for noise.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = Option<usize>> {
        self.labels.iter().map(|&label| (label != NOISE).then_some(label as usize))
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.labels().flatten().max().map_or(0, |last| last + 1)
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let Body { units, cores, eps, labels } = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        let is_sound = units.is_sound()
            && Neighbours::are_sound(&cores, k)
            && labels.len() >= cores.len() / k
            && labels.iter().all(|&label| label == NOISE || (label as usize) < labels.len())
            && 0.0 < eps
            && eps < f64::INFINITY;
        if !is_sound {
            return Err(SnapshotError::invalid(Self::NAME, "rows, labels, units or radius out of range"));
        }
        Ok(Self::new(units, Neighbours::arranged(cores, k), eps, labels))
    }

    /// The score of a row that coincides with a core row, or does not, from the nearest other.
    fn reach(&self, own: Option<u32>, nearest: Neighbour) -> f64 {
        let reach = nearest.square.sqrt() / self.eps;
        clip(reach, if own.is_some() { 1.0 } else { f64::MAX })
    }
}

impl Model for Dbscan {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut nearest = Nearest::new(&self.cores, 1);
        let mut queries = vec![0.0; Nearest::BATCH.min(out.len()) * k];
        for (b, out) in out.chunks_mut(Nearest::BATCH).enumerate() {
            let queries = &mut queries[..out.len() * k];
            self.units.fill(rows, b * Nearest::BATCH, out.len(), queries);
            nearest.search_with_own(queries, |i, own, found| out[i] = self.reach(own, found[0]));
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let query = self.units.row(row);
        Nearest::new(&self.cores, 1).search_with_own(&query, |_, own, found| {
            let squares = query.iter().zip(self.cores.row(found[0].place)).map(|(x, y)| (x - y) * (x - y));
            out.iter_mut().zip(squares).for_each(|(to, square)| *to = square);
            scale_to(out, self.reach(own, found[0]));
        });
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let body = Body {
            units: self.units.clone(),
            cores: self.cores.rows().to_vec(),
            eps: self.eps,
            labels: self.labels.clone(),
        };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(Dbscan);
