//! # Isolation forest
//!
//! Random trees, each grown on a small random subsample: every node picks a column at random and
//! splits at a uniform threshold between the smallest and the largest value there. A strange row is
//! alone after few splits. With h(x) the depth of x's leaf plus c(rows in the leaf), averaged over the
//! trees, and c(ψ) the expected depth for ψ rows, the score is
//!
//! s(x) = 2^(−E\[h(x)\] / c(ψ))
//!
//! in (0, 1): about 0.5 for ordinary rows, towards 1 for strange ones. 100 trees of ψ = 256 rows and a
//! depth of at most ⌈log2 ψ⌉ = 8 are the paper's defaults, scikit-learn's and PyOD's.
//!
//! **Layout.** Every tree is padded to a complete binary tree in heap order (the children of i are 2i
//! and 2i + 1) with a threshold of +∞ below its leaves, so every walk takes exactly 8 steps and no
//! branch depends on the data. Trees are grown in that layout. A few rows are packed column after column, as
//! integers in the order of the numbers, and walk a tree 16 side by side. More than 32 are packed 64 at a time as
//! ranks among the forest's thresholds, a byte each: all 64 are compared with all 127 nodes of a tree's first
//! seven levels, which costs less than looking up where each stands, and each looks up the eighth. Both give the
//! same leaves, so scores do not depend on how many rows are scored together. Where there are no more than 255
//! thresholds in a column, and AVX-512, 64 ranks are looked up at once. Ranks of 16 bits, 32 rows and five or six
//! levels at a time, walks with AVX-512, and trees grown level by level were no faster.
//!
//! **Explanation.** Along a row's path every split changes the expected depth, from the mean over the
//! node's training rows to the mean over the child's; these changes add up to h(x) less the root's
//! mean (Saabas 2014, see [`IsolationForest::path_effects`]). A column's weight is what it shortened the
//! path by, averaged over the trees, or nothing if it lengthened it, and its contribution is the score
//! shared out by weight: they add up to the score. A row no column shortens shares it evenly.
//!
//! Cost: the fit is O(trees × ψ × depth), whatever the columns: what no node looks at is not read. A row
//! costs trees × depth comparisons.
//!
//! References: F. T. Liu, K. M. Ting and Z.-H. Zhou, *Isolation Forest*, ICDM 2008. A. Saabas,
//! *Interpreting random forests*, 2014.
//!
//! Deviations: a column constant among a node's rows is not drawn (the paper may draw it and split
//! nothing; scikit-learn does as we do). Thresholds are 64-bit numbers; scikit-learn rounds rows to 32.
//! With one row to learn from c(ψ) is 0 and every row scores 0.5.

mod column;
mod grow;
mod model;
mod params;
mod ranks;
mod trees;
mod walk;

pub(crate) use grow::{depth_limit, expected_depth};
pub use model::IsolationForest;
pub use params::IsolationForestConfig;
