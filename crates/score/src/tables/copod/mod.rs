//! # COPOD: copula-based outlier detection
//!
//! As in [`ecod`](crate::ecod), a value is strange when few rows of the fit lie as far out, and a row's
//! score is a sum over columns, but a column adds
//!
//! max(the tail the column is skewed towards, the mean of both tails)
//!
//! where a tail is −ln of the share of the fit's rows at or beyond the value. In a column skewed to the
//! right, a value far to the left thus counts half of what ECOD gives it. Additive; columns count as
//! independent (the empirical copula is of each margin alone).
//!
//! **Fitted, not re-ranked**, and **thinned where there are many values**, as ECOD is: what its
//! documentation describes of lookups, of values out of range and of `precision` holds here.
//!
//! Cost: the fit sorts columns, O(k n ln n), columns in parallel; a value costs one lookup.
//!
//! Reference: Z. Li, Y. Zhao, N. Botta, C. Ionescu and X. Hu, *COPOD: Copula-Based Outlier Detection*,
//! ICDM 2020.
//!
//! Deviations: the paper takes the maximum over the three *sums* (left, right, by skewness); PyOD, and
//! we, take it column by column and sum, with the mean of the tails for left and right. A column whose
//! skewness is exactly 0 adds both tails, as in PyOD. PyOD's `decision_function` appends a batch to the
//! fit and ranks again; on the rows of the fit the two agree to 1e-9.

mod model;
mod params;

pub use model::Copod;
pub use params::CopodConfig;
