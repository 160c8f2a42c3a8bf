//! # Extended isolation forest
//!
//! An [isolation forest](crate::isolation_forest) cuts along one column at a time, which leaves ghosts: where
//! two clusters cross in their columns, rows of neither look usual. Here every node cuts along a random
//! hyperplane: a normal random weight for each of `n_terms` columns drawn at random, through a point drawn
//! from the box around the node's rows. Path lengths become a score as there: s(x) = 2^(−E\[h(x)\] / c(ψ)).
//!
//! **How many columns a cut takes** is the paper's extension level plus one. The paper has all of them, and so has
//! this by default. Few are faster in wide tables and find as much: on 22 labelled sets the mean area under the ROC
//! curve is 0.773 with all, 0.771 with two, 0.777 with three (0.771 for the isolation forest).
//!
//! **Explanation.** As the isolation forest's; what a cut changes is shared among its columns by the size of
//! weight × value, in deviations from the mean of the fit. The contributions add up to the score.
//!
//! Cost: the fit O(trees × ψ × (k + terms) × depth); a row trees × depth × terms multiplications.
//!
//! Reference: S. Hariri, M. Carrasco Kind and R. J. Brunner, *Extended isolation forest*, IEEE TKDE 33(4),
//! 2021.
//!
//! Deviations: columns are standardised unless [`ColumnScale::Raw`](crate::ColumnScale) is asked for, since a hyperplane
//! adds them up; columns constant among a node's rows are not drawn.

mod model;
mod params;

pub use model::ExtendedIsolationForest;
pub use params::ExtendedIsolationForestConfig;
