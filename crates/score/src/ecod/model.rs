use ndarray::{ArrayView1, ArrayView2};

use super::EcodConfig;
use super::fit::Counts;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::by_column;
use crate::steps::{Knots, Steps};
use crate::{Error, Model, Snapshot};

/// Fitted tails of every column. See the [module](self) documentation.
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
        let steps: Option<Vec<Steps>> = counts.iter().map(steps).collect();
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

/// −ln of the tails at and between the knots; `None` for counts no fit produces.
fn steps(counts: &Counts) -> Option<Steps> {
    let len = counts.knots.len();
    let fine = len > 0
        && counts.at.len() == len
        && counts.before.len() == len
        && counts.at.iter().all(|&c| c > 0)
        && counts.before[0] == 0;
    if !fine {
        return None;
    }
    let total: u64 = counts.at.iter().chain(&counts.before).map(|&c| u64::from(c)).sum();
    let n = total as f64;
    let tail = |rows: f64| {
        let p = if rows > 0.0 { rows / n } else { 1.0 / (n + 1.0) };
        // −0 is no score to show.
        0.0 - libm::log(p)
    };
    let combine = |left: f64, right: f64| {
        let (left, right) = (tail(left), tail(right));
        match counts.skew {
            0 => left + right,
            _ => {
                if left > right {
                    left
                } else {
                    right
                }
            }
        }
    };
    let mut table = Vec::with_capacity(2 * len + 1);
    let mut below = 0.0;
    for (&at, &before) in counts.at.iter().zip(&counts.before) {
        let (at, before) = (f64::from(at), f64::from(before));
        // Of the rows thinned out of a gap, half count as lying on either side.
        table.push(combine(below + 0.5 * before, n - below - 0.5 * before));
        below += before;
        table.push(combine(below + at, n - below));
        below += at;
    }
    table.push(combine(n, 0.0));
    Some(Steps::new(Knots::new(counts.knots.clone())?, table))
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
