//! Outlier detectors on matrices of numbers. A score depends on the model and the row alone.
//!
//! Rows are transactions, cells or stars: this crate knows no money, time or cards, and depends on no
//! other crate of this workspace. A [`Detector`] fits an n × k matrix of finite numbers into a
//! [`Model`]; [`score()`] checks rows and scores them on the caller's rayon pool, higher = stranger.
//!
//! ```
//! use crible_score::{isolation_forest::IsolationForest, score};
//! use linfa::traits::Fit;
//! use linfa::DatasetBase;
//! use ndarray::Array2;
//!
//! let mut rows = Array2::from_shape_fn((300, 2), |(i, j)| ((i * (7 + j)) % 23) as f64);
//! rows[[5, 0]] = 400.0;
//! // linfa's idiom; `.check()?` instead gives a `Detector` to put into a box.
//! let forest = IsolationForest::params().n_trees(50).fit(&DatasetBase::from(rows.view()))?;
//! let scores = score(&forest, rows.view())?;
//! assert!(scores.iter().all(|s| *s <= scores[5]));
//! # Ok::<(), crible_score::Error>(())
//! ```
//!
//! | detector | strange is | explanation adds up |
//! |---|---|---|
//! | [`robust_z`] | far from a column's median; as `robust_distance`, from all medians together | yes |
//! | [`ecod`] | deep in the tail of its columns | yes |
//! | [`hbos`] | in a thin bin of its columns | yes |
//! | [`isolation_forest`] | alone after few random splits | yes |
//! | [`kmeans`] | far from every cluster centre | yes |
//! | [`knn`] | far from its nearest neighbours | yes |
//! | [`sampled_knn`] | far from its nearest neighbours in small samples | yes |
//! | [`lof`] | in thinner surroundings than its neighbours | yes |
//! | [`pca`] | against the way columns go together | yes |
//! | [`copod`] | deep in the likelier tail of its columns | yes |
//! | [`mcd`] | far from the bulk, by its covariance | yes |
//! | [`cblof`] | far from the centres of large clusters | yes |
//! | [`loda`] | in thin bins of random projections | yes |
//! | [`inne`] | outside of balls around sampled rows | yes |
//! | [`gmm`] | where a mixture of normal distributions is thin | yes |
//! | [`kde`] | where the fit is thin | yes |
//! | [`extended_isolation_forest`] | alone after few random splits along hyperplanes | yes |
//! | [`sciforest`] | split off early, alone or in a small cluster | yes |
//! | [`half_space_trees`] | where few recent rows are; learns a stream | yes |
//! | [`robust_random_cut_forest`] | what changes random trees most; learns a stream | yes |
//! | [`one_class_svm`] | outside of a surface around the fit | yes |
//! | [`nystroem_svm`] | the same, in linear time | yes |
//! | [`esd`] | too far out to be normal, column by column | yes |
//! | [`cof`] | at the end of a longer way to its neighbours than theirs to their own | yes |
//! | [`abod`] | where other rows are seen in one direction only | no |
//! | [`dbscan`] | far from every dense row | yes |
//! | [`optics`] | reached by a growing cluster late | yes |
//! | [`hdbscan`] | outside of its own cluster, however dense that is | yes |
//! | [`views`] | rare in one respect, or in several | yes |
//!
//! [`calibration`] turns scores into tail probabilities, [`ensemble`] combines detectors by them, [`encode`]
//! makes matrices of tables with words and nulls. [`benford`] tests the digits of a group of amounts.
//!
//! `src/tables` has what serves `crible detect` and `crible bench` alone; beside it is what the engine runs by default
//! or was made for, and what both are made of.
//!
//! # What every detector keeps
//!
//! * The bits of a score are the same alone, in any batch, in any order, in any memory layout, on any
//!   number of threads, before saving ([`Model::snapshot`]) and after loading ([`load`]).
//! * Functions whose last bit differs between platforms (logarithms, powers) come from `libm`, sums are
//!   taken in a fixed order, and random numbers from streams of their own.
//! * NaN and infinities are refused, with row and column. Any finite row has a finite score.
//! * Contributions rank the columns: making the top one typical takes more off the score than another.
//! * The fit depends on the order of its rows where it samples or sums them, on nothing else.
//!
//! # Adding a detector
//!
//! One folder in `src/tables`: parameters that implement [`Algorithm`], a type that implements [`Model`], one line
//! `predict!`, one line in the registry (which gives it its name, for [`detector`]), and one in the contract tests.

// In tests, what cannot be unwrapped should fail.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod calibration;
mod distributions;
pub mod ecod;
pub mod ensemble;
pub mod error;
mod face;
pub mod hbos;
pub mod isolation_forest;
mod kernels;
pub mod kmeans;
mod linalg;
mod neighbours;
mod oblique;
mod registry;
mod rng;
pub mod robust_z;
mod rows;
pub mod sampled_knn;
mod score;
mod snapshot;
mod stats;
mod steps;
mod tables;
mod tails;
mod traits;
mod units;
pub mod views;

pub use error::Error;
pub use face::{Algorithm, Checked, Params};
pub use linfa;
/// linfa's, for `check()`; its whole crate is at [`linfa`].
pub use linfa::ParamGuard;
pub use registry::{DetectorSpec, Value, detector, load, model_names};
pub use score::{score, score_into};
pub use snapshot::Snapshot;
pub use tables::{
    abod, benford, cblof, cof, copod, dbscan, encode, esd, extended_isolation_forest, gmm, half_space_trees, hdbscan,
    inne, kde, knn, loda, lof, mcd, nystroem_svm, one_class_svm, optics, pca, robust_random_cut_forest, sciforest,
};
pub use traits::{Detector, Model};
pub use units::ColumnScale;
