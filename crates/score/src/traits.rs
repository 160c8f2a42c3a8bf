//! The two object-safe traits everything else is written against.

use std::fmt;

use ndarray::{ArrayView1, ArrayView2};

use crate::{Error, Snapshot};

/// Checked parameters of an outlier detector: fits rows into a [`Model`].
///
/// Unfitted detectors cannot score; there is no state to forget.
pub trait Detector: fmt::Debug + Send + Sync {
    /// Stable name, also the key a [`Snapshot`] is loaded by.
    fn name(&self) -> &'static str;

    /// Fits on `rows` (n × k, finite, any memory layout). The same rows in the same order give the
    /// same model, bit for bit, on any number of threads.
    ///
    /// # Errors
    /// No rows, no columns, a value that is not finite, or what the detector states.
    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Box<dyn Model>, Error>;
}

/// A fitted detector. A score depends on the model and on the row alone.
pub trait Model: fmt::Debug + Send + Sync {
    /// Name of the detector that fitted it.
    fn name(&self) -> &'static str;

    /// Width of the rows it scores.
    fn n_columns(&self) -> usize;

    /// Scores n rows into `out`; higher = stranger. Bits do not depend on how rows are cut into
    /// blocks, nor on their memory layout. Allocates nothing that grows with the rows.
    ///
    /// Precondition, checked by [`score`](crate::score()) and not here: `rows` is n × `n_columns()`
    /// and finite, `out` has n places. Rows that break it get a meaningless score or a panic.
    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]);

    /// [`Model::score_block`] for whoever looks at scores above `least` only: those are the same to the bit, and any
    /// other may come out as any number up to `least`, which can be found out sooner. Same shapes and precondition.
    fn score_block_above(&self, least: f64, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let _ = least;
        self.score_block(rows, out);
    }

    /// What each column contributes to the score of `row` (k values) into `out` (k places); the
    /// larger, the more that column makes the row strange. Same precondition as `score_block`.
    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]);

    /// Whether the contributions add up to the row's score (within 1e-9, relative when large).
    fn is_additive(&self) -> bool;

    /// The model as versioned bytes; [`load`](crate::load) gives it back, bit for bit.
    fn snapshot(&self) -> Snapshot;
}
