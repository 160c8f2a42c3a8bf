//! # ECOD: outliers by empirical cumulative distributions
//!
//! A value is strange when few rows of the fit lie as far out on its side. For column j let
//! L(x) = #{rows ≤ x} / n and R(x) = #{rows ≥ x} / n. The column adds
//!
//! max(−ln L(x), −ln R(x), the tail the column is skewed towards)
//!
//! and a row's score is the sum over its columns: additive, no parameter to tune, each contribution a
//! log tail probability an analyst can read. The price is that columns count as independent.
//!
//! **Fitted, not re-ranked.** The distributions of the fit are kept, and a row is looked up in them:
//! it scores the same alone and in any batch. PyOD appends the batch to the fit and ranks again, so
//! there a row's score depends on its neighbours. On the rows of the fit the two agree to 1e-9. A value
//! outside the fitted range has 0 rows on its side; its tail probability is 1 / (n + 1), as if it had
//! been the one row more. A value between two of the fit has the counts on either side of it.
//!
//! **Thinned, where there are many values.** A column with more than `exact_up_to` (8,192) distinct
//! values keeps only some as knots: every one of the outermost `1 / precision` (256) rows on either
//! side, and further in enough that neither tail probability is off by a factor over 1 + `precision`.
//! A score then differs from the exact one by at most `precision` per column, and a column takes about
//! 100 kB instead of 24 bytes a row, which is what keeps the lookup in cache.
//!
//! Cost: the fit sorts columns, O(k n ln n), columns in parallel. A value costs one lookup in a bucketed
//! table (a few halvings) and one addition.
//!
//! Reference: Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu and G. H. Chen, *ECOD: Unsupervised Outlier
//! Detection Using Empirical Cumulative Distribution Functions*, IEEE TKDE 35(12), 2022.
//!
//! Deviations: the paper takes the maximum over the three *sums* (left, right, by skewness); PyOD, and
//! we, take it column by column and sum. A column whose skewness is exactly 0 adds both tails, in PyOD
//! and here (in PyOD a by-product of `sign(0)`), and so do columns too narrow for a skewness.

mod model;
mod params;

pub use model::Ecod;
pub use params::EcodConfig;
