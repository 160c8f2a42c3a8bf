//! # Distance to the nearest neighbours
//!
//! A row far from its neighbours in the fit is strange. The score is the distance to the
//! `n_neighbors`-th nearest row of the fit, or the mean or the median of the distances to that many
//! ([`Method`]). A column's contribution is its share of a neighbour's squared distance, scaled to the
//! distance: additive.
//!
//! **A row of the fit, scored later,** finds itself at distance 0. Whoever scores cannot know whether a
//! row is that row again or another like it, and a score must depend on the model and the row alone;
//! so one row of the fit at distance 0 is always taken to be the row itself and left out. On its own
//! fit a model then gives PyOD's `decision_scores_`; PyOD's `decision_function` counts the row itself,
//! and so gives the very same rows smaller scores.
//!
//! Columns are standardised by the fit's mean and deviation unless [`ColumnScale::Raw`](crate::ColumnScale) is
//! asked for. The model holds the rows of the fit.
//!
//! Cost: see `neighbours`: blocks of a k-d tree are skipped by the triangle inequality, rows within a
//! block by 32-bit estimates with a proven error bound; what remains is computed in 64 bits in a fixed
//! order. The answer is exact, and the same for any batch. The model takes 12 bytes a number.
//!
//! References: S. Ramaswamy, R. Rastogi and K. Shim, *Efficient algorithms for mining outliers from
//! large data sets*, SIGMOD 2000 (largest). F. Angiulli and C. Pizzuti, *Fast outlier detection in high
//! dimensional spaces*, PKDD 2002 (mean).
//!
//! Deviations from PyOD: columns are standardised by default, since a distance over columns of
//! different units is the distance in the largest one's; only the Euclidean distance; with fewer rows
//! than `n_neighbors` + 1 all others are neighbours, where PyOD fails. Values further than 1e100 from
//! the fit count as that far.

mod model;
mod params;

pub use model::Knn;
pub use params::{KnnConfig, Method};
