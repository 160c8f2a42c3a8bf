use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::HdbscanConfig;
use super::tree::{Cluster, Fall, NOISE};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::neighbours::{Nearest, Neighbours};
use crate::units::{FURTHEST, Units, scale_to};
use crate::{Error, Model, Snapshot};

/// Radius, in units of the fit, below which there is no telling densities apart.
pub(super) const NO_RADIUS: f64 = 1e-10;

/// The rows of a fit and the tree of their clusters. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Hdbscan {
    /// Without the rows, which the index has.
    body: Body,
    index: Neighbours,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) units: Units,
    pub(super) rows: Vec<f64>,
    pub(super) min_points: u32,
    /// Squared core distance, by place.
    pub(super) core: Vec<f64>,
    /// By place.
    pub(super) falls: Vec<Fall>,
    pub(super) clusters: Vec<Cluster>,
    /// By row of the fit.
    pub(super) labels: Vec<u32>,
}

impl Hdbscan {
    pub(crate) const NAME: &'static str = "hdbscan";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<HdbscanConfig> {
        Params::new(HdbscanConfig::default())
    }

    pub(super) fn new(body: Body, index: Neighbours) -> Self {
        Self { body, index }
    }

    /// Rows of the fit, all of which the model holds.
    pub fn n_rows(&self) -> usize {
        self.index.len()
    }

    /// The cluster of every row of the fit, in its order; `None` for noise.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = Option<usize>> {
        self.body.labels.iter().map(|&label| (label != NOISE).then_some(label as usize))
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
        const MOST: f64 = FURTHEST * FURTHEST * FURTHEST;
        let mut body: Body = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = body.units.n_columns();
        let n = body.rows.len() / k.max(1);
        let fine_fall = |f: &Fall| (f.cluster as usize) < body.clusters.len() && (0.0..=MOST).contains(&f.square);
        // Parents come first, and the whole fit's birth stops every climb.
        let fine_cluster = |(i, c): (usize, &Cluster)| {
            let is_fine = if i == 0 { c.birth == f64::INFINITY } else { (0.0..=MOST).contains(&c.birth) };
            is_fine && (c.parent as usize) < i.max(1) && (0.0..=MOST).contains(&c.least)
        };
        let is_sound = body.units.is_sound()
            && Neighbours::are_sound(&body.rows, k)
            && (2..=65_536).contains(&body.min_points)
            && [body.core.len(), body.falls.len(), body.labels.len()] == [n; 3]
            && body.core.iter().all(|x| (0.0..=MOST).contains(x))
            && !body.clusters.is_empty()
            && body.falls.iter().all(fine_fall)
            && body.clusters.iter().enumerate().all(fine_cluster)
            && body.labels.iter().all(|&label| label == NOISE || (label as usize) < n);
        if !is_sound {
            return Err(SnapshotError::invalid(Self::NAME, "rows, tree, units or parameters out of range"));
        }
        let index = Neighbours::arranged(std::mem::take(&mut body.rows), k);
        Ok(Self::new(body, index))
    }

    /// The score of what falls out at this squared radius, of the cluster there is at it.
    fn glosh(&self, mut cluster: u32, square: f64) -> f64 {
        let clusters = &self.body.clusters;
        while clusters[cluster as usize].birth <= square {
            cluster = clusters[cluster as usize].parent;
        }
        let radius = square.sqrt();
        let least = clusters[cluster as usize].least.sqrt();
        let least = if least > NO_RADIUS { least } else { NO_RADIUS };
        if radius > least { 1.0 - least / radius } else { 0.0 }
    }

    fn neighbors(&self) -> Nearest<'_> {
        Nearest::new(&self.index, self.body.min_points as usize - 1)
    }

    /// Scores of queries (at most a batch).
    fn score(&self, searches: &mut [Nearest<'_>; 2], queries: &[f64], out: &mut [f64]) {
        let [neighbors, reached] = searches;
        // First the squared core distance of a new row, or the score of a row of the fit.
        let mut is_own = [false; Nearest::BATCH];
        neighbors.search_with_own(queries, |i, own, found| {
            // A fit of a single row has it for its own neighbour.
            let own = own.or(found.first().filter(|f| f.square == 0.0 && found.len() == 1).map(|f| f.place));
            is_own[i] = own.is_some();
            out[i] = match own {
                Some(place) => {
                    let fall = self.body.falls[place as usize];
                    self.glosh(fall.cluster, fall.square)
                }
                None => found.last().map_or(0.0, |f| f.square),
            };
        });
        reached.search(queries, |i, found| {
            if is_own[i] {
                return;
            }
            let fall = self.body.falls[found[0].place as usize];
            let square = [found[0].square, out[i], fall.square].into_iter().fold(0.0, |m, x| if x > m { x } else { m });
            out[i] = self.glosh(fall.cluster, square);
        });
    }

    fn searches(&self) -> [Nearest<'_>; 2] {
        [self.neighbors(), Nearest::reached(&self.index, &self.body.core)]
    }
}

impl Model for Hdbscan {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.body.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut searches = self.searches();
        let mut queries = vec![0.0; Nearest::BATCH.min(out.len()) * k];
        for (b, out) in out.chunks_mut(Nearest::BATCH).enumerate() {
            let queries = &mut queries[..out.len() * k];
            self.body.units.fill(rows, b * Nearest::BATCH, out.len(), queries);
            self.score(&mut searches, queries, out);
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let query = self.body.units.row(row);
        let mut score = [0.0];
        self.score(&mut self.searches(), &query, &mut score);
        out.fill(0.0);
        self.neighbors().search(&query, |_, found| {
            for f in found {
                let squares = query.iter().zip(self.index.row(f.place)).map(|(x, y)| (x - y) * (x - y));
                out.iter_mut().zip(squares).for_each(|(to, square)| *to += square);
            }
        });
        scale_to(out, score[0]);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let body = Body { rows: self.index.rows().to_vec(), ..self.body.clone() };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(Hdbscan);
