//! # LOF: local outlier factor
//!
//! A row is strange when its surroundings are thinner than those of its neighbours. With d_k(o) the
//! distance of o to its k-th neighbour, the reachability of x from o is max(d_k(o), |x − o|); the local
//! density of x is one over its mean reachability from its k neighbours; and the score is the mean
//! density of the neighbours over the density of x: about 1 amid a cluster, however dense, and large
//! outside of one.
//!
//! This is the *novelty* form: a row is compared with the rows of the fit, whose densities are kept.
//! **A row of the fit, scored later,** finds itself at distance 0; as in [`knn`](crate::knn), one row at
//! distance 0 is taken to be the row itself and left out. So on its own fit a model gives scikit-learn's
//! `negative_outlier_factor_` and PyOD's `decision_scores_` (less the sign); their `score_samples` and
//! `decision_function` count the row itself among its neighbours and differ from them on the same rows.
//!
//! A column's contribution is its share of each neighbour's squared distance, weighted by that
//! neighbour's reachability, and scaled to the score: additive.
//!
//! Cost: the fit finds every row's neighbours once, a row to score its own: see [`knn`](crate::knn). The
//! model holds the rows of the fit and two numbers more for each. The fit's own rows need no second search: until it is
//! saved and loaded the model keeps their factors, which are the same either way.
//!
//! Reference: M. Breunig, H.-P. Kriegel, R. Ng and J. Sander, *LOF: identifying density-based local
//! outliers*, SIGMOD 2000.
//!
//! Deviations: exactly k neighbours, ties going to the first, where the paper takes all at the k-th
//! distance (so do scikit-learn and PyOD). So that duplicates have a density, 1e-10 is added to the mean
//! reachability, there in the columns' units, here in the fit's, which the unit of a column cannot change. Columns are
//! standardised unless [`ColumnScale::Raw`](crate::ColumnScale) is asked for, where PyOD takes them as they are. With fewer rows
//! than `n_neighbors` + 1, all others are neighbours.

mod fit;
mod model;
mod params;

pub use model::Lof;
pub use params::LofConfig;
