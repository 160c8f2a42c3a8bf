use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::OpticsConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::neighbours::{Edges, Nearest, Neighbours, spanning};
use crate::units::{FURTHEST, Units, scale_to};
use crate::{Error, Model, Snapshot};

/// The rows of a fit and their core distances. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Optics {
    units: Units,
    index: Neighbours,
    /// Row of the fit, by place.
    order: Vec<u32>,
    /// Squared core distance in units of the fit, by place.
    core: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    units: Units,
    rows: Vec<f64>,
    order: Vec<u32>,
    core: Vec<f64>,
}

/// A row of the fit in the ordering.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Reached {
    /// Its number in the fit.
    pub row: usize,
    /// The row before it from which it is most reachable, and how: in standard deviations or, with raw
    /// units, in the columns' own. None for the first row.
    pub from: Option<(usize, f64)>,
}

impl Optics {
    pub(crate) const NAME: &'static str = "optics";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<OpticsConfig> {
        Params::new(OpticsConfig::default())
    }

    pub(super) fn new(units: Units, index: Neighbours, order: Vec<u32>, core: Vec<f64>) -> Self {
        Self { units, index, order, core }
    }

    /// Rows of the fit, all of which the model holds.
    pub fn n_rows(&self) -> usize {
        self.index.len()
    }

    /// The rows of the fit in the order in which clusters grow; of rows equally reachable, the first of the
    /// fit is first. See the [module](super) documentation for the cost.
    pub fn plot(&self) -> Vec<Reached> {
        let edges = Edges { from: &self.core, to: &[], limit: f64::INFINITY, by_order: true };
        let row = |place: u32| self.order[place as usize] as usize;
        let reached = |(from, square): (u32, f64)| (row(from), self.units.distance(square.sqrt()));
        let visits = spanning(&self.index, &self.order, edges);
        visits.iter().map(|v| Reached { row: row(v.place), from: v.from.map(reached) }).collect()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let Body { units, rows, order, core } = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        let n = rows.len() / k.max(1);
        let is_sound = units.is_sound()
            && Neighbours::are_sound(&rows, k)
            && Neighbours::is_order(&order, n)
            && core.len() == n
            && core.iter().all(|x| (0.0..=FURTHEST * FURTHEST * FURTHEST).contains(x));
        if !is_sound {
            return Err(SnapshotError::invalid(Self::NAME, "rows, order, core distances or units out of range"));
        }
        Ok(Self::new(units, Neighbours::arranged(rows, k), order, core))
    }
}

impl Model for Optics {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut nearest = Nearest::reached(&self.index, &self.core);
        let mut queries = vec![0.0; Nearest::BATCH.min(out.len()) * k];
        for (b, out) in out.chunks_mut(Nearest::BATCH).enumerate() {
            let queries = &mut queries[..out.len() * k];
            self.units.fill(rows, b * Nearest::BATCH, out.len(), queries);
            nearest.search(queries, |i, found| out[i] = self.units.distance(found[0].square.sqrt()));
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let query = self.units.row(row);
        Nearest::reached(&self.index, &self.core).search(&query, |_, found| {
            let squares = query.iter().zip(self.index.row(found[0].place)).map(|(x, y)| (x - y) * (x - y));
            out.iter_mut().zip(squares).for_each(|(to, square)| *to = square);
            scale_to(out, self.units.distance(found[0].square.sqrt()));
        });
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let body = Body {
            units: self.units.clone(),
            rows: self.index.rows().to_vec(),
            order: self.order.clone(),
            core: self.core.clone(),
        };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(Optics);
