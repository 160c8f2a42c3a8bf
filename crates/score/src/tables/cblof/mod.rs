//! # CBLOF: cluster-based local outlier factor
//!
//! K-means describes the fit by a few centres, and a centre that few rows belong to is no description of
//! what is usual. Clusters are sorted by size and cut into *large* and *small* ones: after the first i
//! that together hold `alpha` of the rows and of which the last is at least `beta` times the size of the
//! next. A row's score is its distance to the nearest centre of a large cluster; a row of a small cluster
//! is strange together with its like. A column's contribution is its share of the squared distance,
//! scaled to the distance: additive.
//!
//! If no i meets both conditions, the first that meets the one by `alpha` is taken, then by `beta`.
//!
//! Cost: that of [`kmeans`](crate::kmeans), and one assignment of all rows.
//!
//! Reference: Z. He, X. Xu and S. Deng, *Discovering cluster-based local outliers*, Pattern Recognition
//! Letters 24, 2003.
//!
//! Deviations: the paper multiplies the distance by the size of the row's cluster, PyOD does so only
//! when asked, since it makes rows of large clusters the strangest; we do not. Without it, a row of a
//! large cluster is nearest to a large centre anyway, so the two cases of the paper are one. Columns are
//! standardised, and clusters come from [`kmeans`](crate::kmeans) on at most 4,096 rows, from one start; cluster sizes
//! are those of all rows. Where no cut meets a condition (one cluster, or some of equal size) all clusters are large;
//! PyOD fails.

mod model;
mod params;

pub use model::Cblof;
pub use params::CblofConfig;
