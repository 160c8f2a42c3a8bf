use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::LofConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::neighbours::{Known, Nearest, Neighbour, Neighbours, score_by};
use crate::units::{FURTHEST, Units, scale_to};
use crate::{Error, Model, Snapshot};

/// Mean reachability, in units of the fit, below which there is no telling densities apart.
pub(super) const NO_DENSITY: f64 = 1e-10;

/// The rows of a fit and their densities. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Lof {
    units: Units,
    index: Neighbours,
    n_neighbors: usize,
    /// By place, in units of the fit: distance to the last neighbour.
    furthest: Vec<f64>,
    /// By place: one over the mean reachability.
    densities: Vec<f64>,
    /// The factors of the fit's rows; a model that was loaded finds these anew.
    known: Option<Known>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    units: Units,
    rows: Vec<f64>,
    n_neighbors: u32,
    furthest: Vec<f64>,
    densities: Vec<f64>,
}

/// How far a row is from this neighbour, as the paper reckons.
pub(super) fn reachability(neighbour: Neighbour, furthest: &[f64]) -> f64 {
    let distance = neighbour.square.sqrt();
    let furthest = furthest[neighbour.place as usize];
    if distance > furthest { distance } else { furthest }
}

impl Lof {
    pub(crate) const NAME: &'static str = "lof";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<LofConfig> {
        Params::new(LofConfig::default())
    }

    pub(super) fn new(
        units: Units,
        index: Neighbours,
        n_neighbors: usize,
        furthest: Vec<f64>,
        densities: Vec<f64>,
    ) -> Self {
        Self { units, index, n_neighbors, furthest, densities, known: None }
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
        let Body { units, rows, n_neighbors, furthest, densities } = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        let is_sound = units.is_sound()
            && Neighbours::are_sound(&rows, k)
            && (1..=65_536).contains(&n_neighbors)
            && furthest.len() == rows.len() / k
            && densities.len() == furthest.len()
            && furthest.iter().all(|x| (0.0..=FURTHEST * FURTHEST).contains(x))
            && densities.iter().all(|x| (0.0..=1.0 / NO_DENSITY).contains(x));
        if !is_sound {
            return Err(SnapshotError::invalid(Self::NAME, "rows, densities, units or parameters out of range"));
        }
        let index = Neighbours::arranged(rows, k);
        Ok(Self::new(units, index, n_neighbors as usize, furthest, densities))
    }

    /// Has the model know the factors of its rows, by place.
    pub(super) fn remember(&mut self, factors: Vec<f64>) {
        self.known = Some(Known::new(&self.index, factors));
    }

    pub(super) fn factor(&self, found: &[Neighbour]) -> f64 {
        let n = found.len() as f64;
        let (mut density, mut reach) = (0.0, 0.0);
        for f in found {
            density += self.densities[f.place as usize];
            reach += reachability(*f, &self.furthest);
        }
        density / n * (reach / n + NO_DENSITY)
    }
}

impl Model for Lof {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let factor = |_: &[f64], found: &[Neighbour]| self.factor(found);
        score_by(&self.index, &self.units, self.n_neighbors, self.known.as_ref(), rows, out, factor);
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let query = self.units.row(row);
        out.fill(0.0);
        let mut score = 0.0;
        Nearest::new(&self.index, self.n_neighbors).search(&query, |_, found| {
            score = self.factor(found);
            for f in found.iter().filter(|f| f.square > 0.0) {
                let per_square = reachability(*f, &self.furthest) / f.square;
                for ((to, x), y) in out.iter_mut().zip(&query).zip(self.index.row(f.place)) {
                    *to += (x - y) * ((x - y) * per_square);
                }
            }
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
            furthest: self.furthest.clone(),
            densities: self.densities.clone(),
        };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(Lof);
