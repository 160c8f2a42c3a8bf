use serde::{Deserialize, Serialize};

use crate::error::SnapshotError;
use crate::{Error, Snapshot};

/// Split-conformal p-values of scores. See the [module](super) documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// Ascending.
    reference: Vec<f64>,
}

impl Conformal {
    const NAME: &'static str = "conformal";
    const VERSION: u32 = 1;

    /// Keeps the scores of reference rows: usual rows the scoring model was **not** fitted on.
    ///
    /// # Errors
    /// [`Error::TooFew`] without a score, [`Error::NotFinite`] (column 0) naming the first that is NaN or
    /// infinite.
    pub fn fit(reference: &[f64]) -> Result<Self, Error> {
        if reference.is_empty() {
            return Err(Error::TooFew { what: "scores", got: 0, needed: 1 });
        }
        if let Some(row) = reference.iter().position(|s| !s.is_finite()) {
            return Err(Error::NotFinite { row, column: 0, value: reference[row] });
        }
        let mut reference = reference.to_vec();
        reference.sort_unstable_by(f64::total_cmp);
        Ok(Self { reference })
    }

    /// Number of reference scores, n: no p-value is below 1 / (n + 1).
    pub fn n_reference(&self) -> usize {
        self.reference.len()
    }

    /// (1 + #{reference ≥ score}) / (n + 1). A score that is NaN has 1: it is evidence of nothing.
    pub fn p_value(&self, score: f64) -> f64 {
        let below = self.reference.partition_point(|r| *r < score);
        let at_least = if score.is_nan() { self.reference.len() } else { self.reference.len() - below };
        (1.0 + at_least as f64) / (1.0 + self.reference.len() as f64)
    }

    /// The p-value of each score.
    pub fn p_values(&self, scores: &[f64]) -> Vec<f64> {
        scores.iter().map(|s| self.p_value(*s)).collect()
    }

    /// The reference as versioned bytes.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, self)
    }

    /// The reference in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let read: Self = snapshot.decode(Self::NAME, Self::VERSION)?;
        let ascends = read.reference.windows(2).all(|w| w[0] <= w[1]);
        if read.reference.is_empty() || !ascends || !read.reference.iter().all(|s| s.is_finite()) {
            return Err(SnapshotError::invalid(Self::NAME, "scores that do not ascend, or none"));
        }
        Ok(read)
    }
}
