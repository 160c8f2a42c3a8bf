use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{KnnConfig, Method};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::neighbours::{Nearest, Neighbour, Neighbours};
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// The rows of a fit. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Knn {
    units: Units,
    index: Neighbours,
    n_neighbors: usize,
    method: Method,
}

#[derive(Serialize, Deserialize)]
struct Body {
    units: Units,
    rows: Vec<f64>,
    n_neighbors: u32,
    method: Method,
}

impl Knn {
    pub(crate) const NAME: &'static str = "knn";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<KnnConfig> {
        Params::new(KnnConfig::default())
    }

    pub(super) fn new(units: Units, index: Neighbours, n_neighbors: usize, method: Method) -> Self {
        Self { units, index, n_neighbors, method }
    }

    /// Rows of the fit, all of which the model holds.
    pub fn n_rows(&self) -> usize {
        self.index.len()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let Body { units, rows, n_neighbors, method } = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        let is_sound = units.is_sound() && Neighbours::are_sound(&rows, k) && (1..=65_536).contains(&n_neighbors);
        if !is_sound {
            return Err(SnapshotError::invalid(Self::NAME, "rows, units or parameters out of range"));
        }
        Ok(Self::new(units, Neighbours::arranged(rows, k), n_neighbors as usize, method))
    }

    /// `visit(weight, neighbour)` for those the score is made of: it is the sum of weight × distance.
    fn each_part(&self, found: &[Neighbour], mut visit: impl FnMut(f64, Neighbour)) {
        let n = found.len();
        match self.method {
            Method::Largest => visit(1.0, found[n - 1]),
            Method::Mean => found.iter().for_each(|f| visit(1.0 / n as f64, *f)),
            Method::Median if n % 2 == 1 => visit(1.0, found[n / 2]),
            Method::Median => found[n / 2 - 1..=n / 2].iter().for_each(|f| visit(0.5, *f)),
        }
    }
}

impl Model for Knn {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut nearest = Nearest::new(&self.index, self.n_neighbors);
        let mut queries = vec![0.0; Nearest::BATCH.min(out.len()) * k];
        for (b, out) in out.chunks_mut(Nearest::BATCH).enumerate() {
            let queries = &mut queries[..out.len() * k];
            self.units.fill(rows, b * Nearest::BATCH, out.len(), queries);
            nearest.search(queries, |i, found| {
                let mut sum = 0.0;
                self.each_part(found, |weight, f| sum += weight * f.square.sqrt());
                out[i] = self.units.distance(sum);
            });
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let query = self.units.row(row);
        out.fill(0.0);
        Nearest::new(&self.index, self.n_neighbors).search(&query, |_, found| {
            self.each_part(found, |weight, f| {
                if f.square > 0.0 {
                    let per_square = weight / f.square.sqrt();
                    for ((to, x), y) in out.iter_mut().zip(&query).zip(self.index.row(f.place)) {
                        *to += (x - y) * ((x - y) * per_square);
                    }
                }
            });
        });
        out.iter_mut().for_each(|x| *x = self.units.distance(*x));
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let body = Body {
            units: self.units.clone(),
            rows: self.index.rows().to_vec(),
            n_neighbors: self.n_neighbors as u32,
            method: self.method,
        };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(Knn);
