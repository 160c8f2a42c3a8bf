//! # Robust random cut forest
//!
//! Trees on samples of rows, cut at random along a column drawn in proportion to its range among a node's rows. A
//! row is strange if the tree changes much when it is taken out: for each set S of rows that a branch
//! holds together with it, taking S out lifts |sibling of S| rows by one level, which is |sibling| / |S| for each
//! row of S. The largest of these is the row's collusive displacement, by which copies of a strange row do not
//! hide each other. The score is the mean over the trees of the displacement *expected* of the row, if
//! it were inserted: where in the tree it would be cut off is a matter of chance, whose probabilities the
//! boxes around the nodes give exactly. So nothing is drawn at random when scoring. A row that is in the tree
//! has the displacement it has there.
//!
//! **A stream.** [`RobustRandomCutForest::learn`] takes in a row: into each tree that is not full yet, else in
//! place of one of its rows, drawn at random, with probability `max_samples` / `window`, so that a row stays
//! for `window` rows on average. Trees are kept as if grown on their rows anew (Guha et al., theorems 2 and
//! 3: insertion and deletion keep the distribution of the tree). What is drawn depends on the seed and on how many
//! rows were learned, on nothing else. Memory is fixed: trees × max_samples × k × 4 numbers at most.
//!
//! **Explanation.** What a tree gives is shared among the columns in which the row lies outside of the box where
//! it is cut off, or goes to the column of the cut below which it is one of few: additive.
//!
//! Cost: the fit O(trees × ψ k × depth); a row trees × depth × k, of which most end near the root if it is strange.
//!
//! Reference: S. Guha, N. Mishra, G. Roy and O. Schrijvers, *Robust random cut forest based anomaly detection on
//! streams*, ICML 2016.
//!
//! Deviations: the paper scores a row by inserting it at random and taking the displacement found; this is the
//! expectation of that. It keeps a reservoir or a sliding window; see above for ours. Columns are standardised
//! unless [`ColumnScale::Raw`](crate::ColumnScale) is asked for, by the fit, for good. There are no shingles: a row is a row.

mod model;
mod params;
mod tree;

pub use model::RobustRandomCutForest;
pub use params::RobustRandomCutForestConfig;
