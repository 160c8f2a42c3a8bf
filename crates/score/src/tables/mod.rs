//! What serves `crible detect` and `crible bench` alone: the engine runs these detectors where a configuration names
//! them, and none by default.
//!
//! Each is at the crate's root as well, where it belongs for whoever uses the crate.

pub mod abod;
pub mod benford;
pub mod cblof;
pub mod cof;
pub mod copod;
pub mod dbscan;
pub mod encode;
pub mod esd;
pub mod extended_isolation_forest;
pub mod gmm;
pub mod half_space_trees;
pub mod hdbscan;
pub mod inne;
pub mod kde;
pub mod knn;
pub mod loda;
pub mod lof;
pub mod mcd;
pub mod nystroem_svm;
pub mod one_class_svm;
pub mod optics;
pub mod pca;
pub mod robust_random_cut_forest;
pub mod sciforest;
