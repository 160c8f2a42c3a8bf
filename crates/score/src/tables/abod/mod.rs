//! # ABOD: angle-based outlier detection
//!
//! From amid a cluster, other rows are seen in all directions; from outside, all in one. Over the pairs
//! a, b of a row's `n_neighbors` nearest (seen from the row), the angle-based outlier factor is the
//! variance of ⟨a, b⟩ / (|a|² |b|²): small for a row that is far off or sees all others one way. The
//! score is minus its logarithm, so that larger is stranger and what lies far off keeps its order.
//!
//! **A row of the fit, scored later,** is left out of its own neighbours, as in [`knn`](crate::knn). A
//! row that coincides with yet another lies as densely as can be, and has the least score.
//!
//! A column's contribution is what the score loses when the column is left out of the same neighbours'
//! directions and distances. Angles do not divide among columns: contributions are not additive.
//!
//! Cost: a row's neighbours (see [`knn`](crate::knn)) and k² / 2 products of columns; the original over
//! all pairs of rows, O(n³), is not offered. The model holds the rows of the fit.
//!
//! Reference: H.-P. Kriegel, M. Schubert and A. Zimek, *Angle-based outlier detection in high-dimensional
//! data*, KDD 2008 (there FastABOD).
//!
//! Deviations: the plain variance, as in PyOD, where the paper weighs pairs by 1 / (|a| |b|); the
//! logarithm, which changes no order. PyOD counts a row of the fit among its own neighbours and then skips it, so that
//! its `n_neighbors=5` is 4 here; it skips rows that coincide with others, and has no score where fewer than two
//! remain. Columns are standardised unless [`ColumnScale::Raw`](crate::ColumnScale) is asked for.

mod model;
mod params;

pub use model::Abod;
pub use params::AbodConfig;
