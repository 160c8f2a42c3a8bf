use ndarray::{ArrayView1, ArrayView2};

use super::EcodConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::by_column;
use crate::steps::Steps;
use crate::tails::Counts;
use crate::{Error, Model, Snapshot};

/// Fitted tails of every column. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Ecod {
    counts: Vec<Counts>,
    steps: Vec<Steps>,
}

impl Ecod {
    pub(crate) const NAME: &'static str = "ecod";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<EcodConfig> {
        Params::new(EcodConfig::default())
    }

    pub(super) fn new(counts: Vec<Counts>) -> Result<Self, Error> {
        let steps: Option<Vec<Steps>> = counts.iter().map(|c| c.steps(combine)).collect();
        match steps {
            Some(steps) if !steps.is_empty() => Ok(Self { counts, steps }),
            _ => Err(SnapshotError::invalid(Self::NAME, "a column's counts are out of order")),
        }
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        Self::new(snapshot.decode(Self::NAME, Self::VERSION)?)
    }
}

/// A column's share of the score from −ln of its tails.
fn combine(skew: i8, left: f64, right: f64) -> f64 {
    match skew {
        0 => left + right,
        _ if left > right => left,
        _ => right,
    }
}

impl Model for Ecod {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.steps.len()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        by_column(rows, out, |j, xs, sums| self.steps[j].add(xs, sums));
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        for ((to, steps), &x) in out.iter_mut().zip(&self.steps).zip(row) {
            *to = steps.at(x);
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &self.counts)
    }
}

predict!(Ecod);
