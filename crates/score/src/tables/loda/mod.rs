//! # LODA: lightweight on-line detector of anomalies
//!
//! A histogram of one projection is a weak detector; the mean of many is a good one. Each of `n_cuts`
//! projections takes ⌊√k⌋ columns with normal random weights and gets a histogram of the fit; the score
//! is the mean over them of −log2(density + `alpha`).
//!
//! A projection's part of the score is shared among its columns by the size of weight × value, in
//! deviations from the fit's mean: additive.
//!
//! Cost: the fit O(cuts × n (√k + ln n)), on at most 4,096 rows drawn by the seed; a row costs √k
//! multiplications and one lookup for each cut.
//!
//! Reference: T. Pevný, *Loda: Lightweight on-line detector of anomalies*, Machine Learning 102, 2016.
//!
//! Deviations: columns are standardised and projections scaled to variance 1, so that `alpha` means the
//! same for each; bins are chosen by penalised likelihood for each projection, as in the paper (see
//! [`hbos`](crate::hbos); PyOD has 10, or chooses when asked for "auto"). PyOD counts a value into the bin *beside* its
//! own (its edges are off by one) and takes whatever lies outside of the fitted range into the outermost bins, where we
//! and the paper give it the density of nothing. The explanation is ours; the paper compares cuts with and without a
//! column.

mod model;
mod params;

pub use model::Loda;
pub use params::LodaConfig;
