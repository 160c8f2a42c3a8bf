//! # DBSCAN: clusters of dense rows
//!
//! A row is *core* when at least `min_points` rows of the fit, itself included, lie within `eps` of it.
//! Core rows within eps of each other are one cluster; other rows within eps of a core row are at its
//! border; the rest is noise. The score is the distance to the nearest core row in units of eps, so that
//! above 1 is noise, and the further out the higher.
//!
//! **A row of the fit, scored later,** is left out, as in [`knn`](crate::knn); a core row, which lies at no
//! distance from one, is never above 1. So what scores above 1 is noise and the converse, on the rows of
//! the fit and on others.
//!
//! Without a given eps it is the knee of the curve of sorted distances to the furthest of `min_points` − 1
//! neighbours, without its last twentieth, lest few rows far out decide: where the curve, drawn from corner
//! to corner of a square, lies furthest below the diagonal (Satopää and others 2011). Where all those
//! distances are 0 it is 1.
//!
//! A column's contribution is its share of the squared distance, scaled to the score: additive.
//!
//! Cost: the neighbours of every row (see [`knn`](crate::knn)), then a spanning tree of the core rows in
//! which a block of rows all reached is skipped; memory for the rows and a few numbers for each. A row to
//! score is one search among the core rows, which are all the model holds, with the labels of the fit.
//!
//! References: M. Ester, H.-P. Kriegel, J. Sander and X. Xu, *A density-based algorithm for discovering
//! clusters in large spatial databases with noise*, KDD 1996. V. Satopää, J. Albrecht, D. Irwin and B.
//! Raghavan, *Finding a “kneedle” in a haystack*, ICDCSW 2011.
//!
//! Deviations: the paper has no score. Labels are scikit-learn's: clusters by their first core row, a row
//! at the border of several in the first of them. With fewer rows than `min_points`, all others count.
//! When eps leaves no row core, the rows with the nearest neighbours are what is measured from, and all
//! labels are noise. Columns are standardised unless [`ColumnScale::Raw`](crate::ColumnScale) is asked for. Ours instead
//! of linfa's, whose time grows with the square of the rows and which scores nothing.

mod fit;
mod model;
mod params;

pub use model::Dbscan;
pub use params::DbscanConfig;
