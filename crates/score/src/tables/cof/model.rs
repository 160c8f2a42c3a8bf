use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::CofConfig;
use super::params::MOST;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::neighbours::{Known, Nearest, Neighbour, Neighbours, every, score_by, square_distance};
use crate::units::{FURTHEST, Units, scale_to};
use crate::{Error, Model, Snapshot};

/// Chaining distance, in units of the fit, below which there is no telling rows apart.
const NO_DISTANCE: f64 = 1e-10;

/// The rows of a fit and their chaining distances. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Cof {
    units: Units,
    index: Neighbours,
    n_neighbors: usize,
    /// By place, in units of the fit.
    chaining: Vec<f64>,
    /// The factors of the fit's rows; a model that was loaded finds these anew.
    known: Option<Known>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    units: Units,
    rows: Vec<f64>,
    n_neighbors: u32,
    chaining: Vec<f64>,
}

impl Cof {
    pub(crate) const NAME: &'static str = "cof";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<CofConfig> {
        Params::new(CofConfig::default())
    }

    pub(super) fn fitted(units: Units, index: Neighbours, n_neighbors: usize) -> Self {
        let n = index.available(n_neighbors);
        let found = every(&index, n_neighbors);
        let chaining = (found.par_chunks_exact(n), index.rows().par_chunks_exact(units.n_columns()))
            .into_par_iter()
            .map(|(found, row)| chain(&index, row, found, |weight, square, _, _| weight * square.sqrt()))
            .collect();
        let mut model = Self { units, index, n_neighbors, chaining, known: None };
        let own = found.par_chunks_exact(n).zip(&model.chaining);
        let factors = own.map(|(found, &own)| model.relative(own, found)).collect();
        model.known = Some(Known::new(&model.index, factors));
        model
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
        let Body { units, rows, n_neighbors, chaining } = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        let is_sound = units.is_sound()
            && Neighbours::are_sound(&rows, k)
            && (1..=MOST as u32).contains(&n_neighbors)
            && chaining.len() == rows.len() / k
            && chaining.iter().all(|x| (0.0..=FURTHEST * FURTHEST).contains(x));
        if !is_sound {
            return Err(SnapshotError::invalid(
                Self::NAME,
                "rows, chaining distances, units or parameters out of range",
            ));
        }
        let index = Neighbours::arranged(rows, k);
        Ok(Self { units, index, n_neighbors: n_neighbors as usize, chaining, known: None })
    }

    /// One over the mean chaining distance of the neighbours.
    fn per_distance(&self, found: &[Neighbour]) -> f64 {
        let sum: f64 = found.iter().map(|f| self.chaining[f.place as usize]).sum();
        1.0 / (sum / found.len() as f64 + NO_DISTANCE)
    }

    fn factor(&self, query: &[f64], found: &[Neighbour]) -> f64 {
        let own = chain(&self.index, query, found, |weight, square, _, _| weight * square.sqrt());
        self.relative(own, found)
    }

    /// The factor of a row with this chaining distance.
    fn relative(&self, own: f64, found: &[Neighbour]) -> f64 {
        if own > 0.0 { (own + NO_DISTANCE) * self.per_distance(found) } else { 0.0 }
    }
}

/// The sum of `edge(weight, squared length, row, row)` over the edges that join the neighbours to the row.
fn chain(
    index: &Neighbours,
    row: &[f64],
    found: &[Neighbour],
    mut edge: impl FnMut(f64, f64, &[f64], &[f64]) -> f64,
) -> f64 {
    let k = found.len() as f64;
    let mut sum = 0.0;
    for (i, next) in found.iter().enumerate() {
        let to = index.row(next.place);
        let (mut least, mut from) = (next.square, row);
        for joined in &found[..i] {
            let joined = index.row(joined.place);
            let square = square_distance(to, joined);
            if square < least {
                (least, from) = (square, joined);
            }
        }
        let weight = 2.0 * (k - i as f64) / (k * (k + 1.0));
        sum += edge(weight, least, from, to);
    }
    sum
}

impl Model for Cof {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let factor = |query: &[f64], found: &[Neighbour]| self.factor(query, found);
        score_by(&self.index, &self.units, self.n_neighbors, self.known.as_ref(), rows, out, factor);
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let query = self.units.row(row);
        out.fill(0.0);
        let mut score = 0.0;
        Nearest::new(&self.index, self.n_neighbors).search(&query, |_, found| {
            score = self.factor(&query, found);
            chain(&self.index, &query, found, |weight, square, from, to| {
                if square > 0.0 {
                    let per_square = weight / square.sqrt();
                    for ((out, x), y) in out.iter_mut().zip(from).zip(to) {
                        *out += (x - y) * ((x - y) * per_square);
                    }
                }
                0.0
            });
        });
        scale_to(out, score);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let body = Body {
            units: self.units.clone(),
            rows: self.index.rows().to_vec(),
            n_neighbors: self.n_neighbors as u32,
            chaining: self.chaining.clone(),
        };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(Cof);
