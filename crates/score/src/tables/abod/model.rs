use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::AbodConfig;
use super::params::MOST;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::neighbours::{Nearest, Neighbour, Neighbours};
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// The least variance, in units of the nearest neighbour's distance: below are rounding errors.
const LEAST_VARIANCE: f64 = 1e-30;

/// Score of a row that coincides with another, below that of any distance there is.
const COINCIDES: f64 = -10_000.0;

/// The rows of a fit. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Abod {
    units: Units,
    index: Neighbours,
    n_neighbors: usize,
}

#[derive(Serialize, Deserialize)]
struct Body {
    units: Units,
    rows: Vec<f64>,
    n_neighbors: u32,
}

impl Abod {
    pub(crate) const NAME: &'static str = "abod";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<AbodConfig> {
        Params::new(AbodConfig::default())
    }

    pub(super) fn new(units: Units, index: Neighbours, n_neighbors: usize) -> Self {
        Self { units, index, n_neighbors }
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
        let Body { units, rows, n_neighbors } = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        if !units.is_sound() || !Neighbours::are_sound(&rows, k) || !(2..=MOST as u32).contains(&n_neighbors) {
            return Err(SnapshotError::invalid(Self::NAME, "rows, units or parameters out of range"));
        }
        Ok(Self::new(units, Neighbours::arranged(rows, k), n_neighbors as usize))
    }

    /// The score of a row from its neighbours; `seen` is scratch.
    fn factor(&self, query: &[f64], found: &[Neighbour], seen: &mut Seen) -> f64 {
        // The unit of a raw distance: the factor is one over its fourth power.
        let log_unit = libm::log(self.units.distance(1.0));
        seen.look(&self.index, query, found);
        if seen.least == 0.0 { COINCIDES } else { seen.score(None) + 4.0 * log_unit }
    }
}

/// Neighbours as seen from a row, in units of the nearest one's distance.
#[derive(Debug, Default)]
struct Seen {
    k: usize,
    /// Distance of the nearest.
    least: f64,
    /// Neighbours × k.
    away: Vec<f64>,
    /// Squared lengths of those.
    squares: Vec<f64>,
    /// Scratch: the angles.
    pairs: Vec<f64>,
}

impl Seen {
    fn look(&mut self, index: &Neighbours, query: &[f64], found: &[Neighbour]) {
        self.k = query.len();
        self.least = found.first().map_or(0.0, |f| f.square.sqrt());
        self.away.clear();
        self.squares.clear();
        if self.least == 0.0 {
            return;
        }
        for f in found {
            self.away.extend(index.row(f.place).iter().zip(query).map(|(y, x)| (y - x) / self.least));
        }
        self.squares.extend(self.away.chunks_exact(self.k).map(|a| product(a, a)));
    }

    /// Minus the logarithm of the angles' variance, as if a column were not there.
    fn score(&mut self, without: Option<usize>) -> f64 {
        let k = self.k;
        let square = |i: usize| {
            let own = without.map_or(0.0, |j| self.away[i * k + j]);
            let rest = self.squares[i] - own * own;
            // What is left of a difference in that column alone is rounding.
            let noise = 1e-12 * self.squares[i];
            if rest > noise { rest } else { noise }
        };
        self.pairs.clear();
        for (i, a) in self.away.chunks_exact(k).enumerate() {
            for (l, b) in self.away.chunks_exact(k).enumerate().skip(i + 1) {
                let own = without.map_or(0.0, |j| a[j] * b[j]);
                self.pairs.push((product(a, b) - own) / square(i) / square(l));
            }
        }
        let n = self.pairs.len() as f64;
        let mean = self.pairs.iter().sum::<f64>() / n;
        let variance = self.pairs.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        let variance = if variance > LEAST_VARIANCE { variance } else { LEAST_VARIANCE };
        4.0 * libm::log(self.least) - libm::log(variance)
    }
}

/// Sum of products, in the order [`square_distance`](crate::neighbours::square_distance) has.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    for (a, b) in a.chunks(4).zip(b.chunks(4)) {
        for (lane, (a, b)) in a.iter().zip(b).enumerate() {
            sums[lane] += a * b;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

impl Model for Abod {
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
        let mut seen = Seen::default();
        for (b, out) in out.chunks_mut(Nearest::BATCH).enumerate() {
            let queries = &mut queries[..out.len() * k];
            self.units.fill(rows, b * Nearest::BATCH, out.len(), queries);
            nearest.search(queries, |i, found| out[i] = self.factor(&queries[i * k..][..k], found, &mut seen));
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let query = self.units.row(row);
        out.fill(0.0);
        let mut seen = Seen::default();
        Nearest::new(&self.index, self.n_neighbors).search(&query, |_, found| seen.look(&self.index, &query, found));
        if seen.least > 0.0 {
            let score = seen.score(None);
            let is_only = out.len() == 1;
            let without = |(j, out): (usize, &mut f64)| *out = score - if is_only { 0.0 } else { seen.score(Some(j)) };
            out.iter_mut().enumerate().for_each(without);
        }
    }

    fn is_additive(&self) -> bool {
        false
    }

    fn snapshot(&self) -> Snapshot {
        let body =
            Body { units: self.units.clone(), rows: self.index.rows().to_vec(), n_neighbors: self.n_neighbors as u32 };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(Abod);
