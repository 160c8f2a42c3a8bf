//! # COF: connectivity-based outlier factor
//!
//! A row is strange when the way to its neighbours is longer than theirs to their own: also a row beside
//! a line of others, where density alone sees nothing. A row's `n_neighbors` nearest are joined to it one
//! after the other, nearest first, each by the shortest edge to what is joined already; the chaining
//! distance is the mean of those edges, of which the first weigh most: 2 (k + 1 − i) / (k (k + 1)) for
//! the i-th of k. The score is the row's chaining distance over the mean of its neighbours': about 1
//! where they are alike.
//!
//! **A row of the fit, scored later,** is left out of its own neighbours, as in [`knn`](crate::knn).
//!
//! A column's contribution is its share of each edge's squared length, weighted as the edge is, and
//! scaled to the score: additive.
//!
//! Cost: the fit finds every row's neighbours (see [`knn`](crate::knn)) and k² / 2 distances among them;
//! so does every row to score but those of the fit, whose factors the model keeps until it is saved and loaded: they
//! are the same either way. The model holds the rows of the fit and a number more for each.
//!
//! Reference: J. Tang, Z. Chen, A. Fu and D. Cheung, *Enhancing effectiveness of outlier detections for
//! low density patterns*, PAKDD 2002. Chosen over LDOF (K. Zhang, M. Hutter and H. Jin, *A new local
//! distance-based outlier detection approach for scattered real-world data*, PAKDD 2009), which compares
//! a row's distances with those among its neighbours and so costs as much, because an independent
//! implementation exists to agree with, and because LDOF's mean over all pairs blurs the lines COF sees.
//!
//! Deviations: neighbours join in the order of their distance to the row (as in PyOD and R's DDoutlier),
//! where the paper takes the nearest to any joined: the edges differ little, and are found in one pass.
//! 1e-10, in units of the fit, is added to chaining distances, so that a row beside duplicates has a factor; one that
//! is a duplicate of all its neighbours has 0, where the paper has none. Columns are standardised unless
//! [`ColumnScale::Raw`](crate::ColumnScale) is asked for. With fewer rows than `n_neighbors` + 1, all others are neighbours.

mod model;
mod params;

pub use model::Cof;
pub use params::CofConfig;
