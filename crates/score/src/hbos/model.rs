use ndarray::{ArrayView1, ArrayView2};

use super::HbosConfig;
use super::histogram::Histogram;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::by_column;
use crate::steps::Steps;
use crate::{Error, Model, Snapshot};

/// Fitted histograms of every column. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Hbos {
    histograms: Vec<Histogram>,
    alpha: f64,
    tol: f64,
    steps: Vec<Steps>,
}

impl Hbos {
    pub(crate) const NAME: &'static str = "hbos";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<HbosConfig> {
        Params::new(HbosConfig::default())
    }

    pub(super) fn new(histograms: Vec<Histogram>, alpha: f64, tol: f64) -> Result<Self, Error> {
        let in_range = 0.0 < alpha && alpha < 1.0 && 0.0 < tol && tol < 1.0;
        let steps: Option<Vec<Steps>> = histograms.iter().map(|h| h.steps(alpha, tol)).collect();
        match steps {
            Some(steps) if in_range && !steps.is_empty() => Ok(Self { histograms, alpha, tol, steps }),
            _ => Err(SnapshotError::invalid(Self::NAME, "a histogram or a parameter is out of range")),
        }
    }

    /// Number of bins of each column.
    pub fn n_bins(&self) -> impl Iterator<Item = usize> {
        self.histograms.iter().map(|h| h.counts.len())
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (histograms, alpha, tol) = snapshot.decode(Self::NAME, Self::VERSION)?;
        Self::new(histograms, alpha, tol)
    }
}

impl Model for Hbos {
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
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.histograms, self.alpha, self.tol))
    }
}

predict!(Hbos);
