//! # HBOS: histogram-based outlier score
//!
//! A histogram of equal-width bins for each column of the fit; a value is strange when its bin is
//! thin. A column adds −log2(density + alpha), a row's score is the sum: additive, and the fastest
//! detector here. Columns count as independent.
//!
//! Values beyond the fitted range by no more than `tol` bin widths belong to the outermost bin; those
//! further out get the thinnest bin's score.
//!
//! The number of bins is fixed ([`Bins::Fixed`], 10 by default) or chosen for each column
//! ([`Bins::BirgeRozenholc`]): the D that maximises Σ N_i ln(D N_i / n) − (D − 1 + (ln D)^2.5), the
//! log-likelihood less a penalty, over D from 1 to √n and at most 1,000.
//!
//! Cost: the fit is O(n k), with automatic bins O(k (n ln n + n ln n)) at most: the column is sorted
//! and each candidate's edges are searched in it. A value costs one lookup in a small table.
//!
//! References: M. Goldstein and A. Dengel, *Histogram-based Outlier Score (HBOS)*, KI-2012.
//! L. Birgé and Y. Rozenholc, *How many bins should be put in a regular histogram*, ESAIM: P&S 10, 2006.
//!
//! Deviations: the paper scales each histogram to height 1; PyOD, and we, use densities, so that the
//! unit of a column matters through alpha (standardise columns, or choose alpha for them). Fixed bins
//! agree with PyOD's on the rows of the fit to 1e-9, including its two readings of an edge: in the fit
//! a value on an edge belongs to the bin above, in scoring to the one below. Automatic bins differ from
//! PyOD's, which adds 1 inside the logarithm and subtracts the penalty once a bin instead of once.
//! Edges that rounding makes equal (a range of a few representable numbers) are merged, where numpy
//! fails; a column wider than the largest number has densities of 0.

mod by_rows;
mod even;
pub(crate) mod histogram;
mod model;
mod params;

pub use model::Hbos;
pub use params::{Bins, HbosConfig};
