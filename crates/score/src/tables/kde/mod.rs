//! # Kernel density
//!
//! A row is strange where the fit is thin. The score is −ln of the mean over the fit's rows r of
//! exp(−|x − r|² / 2h²), normalised to a density of standardised columns; h is the bandwidth, in
//! standard deviations. It may be negative.
//!
//! **A row of the fit, scored later,** would find its own kernel; as in [`knn`](crate::knn), one row at
//! distance 0 is taken to be the row itself and left out, so that a row that was kept has no advantage
//! over one that was not.
//!
//! A column's contribution is its share of the squared distances to the rows of the fit, weighted by
//! their kernels; what is the same for all columns is spread evenly: additive.
//!
//! Cost: the fit keeps at most `max_samples` rows (4,096), drawn by the seed; a row costs samples × k
//! multiplications and one exponential for each sample, eight rows side by side.
//!
//! References: M. Rosenblatt, *Remarks on some nonparametric estimates of a density function*, Ann. Math.
//! Stat. 27, 1956. E. Parzen, *On estimation of a probability density function and mode*, 33, 1962.
//!
//! Deviations: PyOD keeps all rows, which takes hours where this takes seconds; a mean over 4,096 rows
//! has settled wherever there is density to speak of. PyOD counts a row's own kernel. Columns are standardised unless
//! [`ColumnScale::Raw`](crate::ColumnScale) is asked for.

mod exp;
mod model;
mod params;

pub(crate) use exp::exp;
pub use model::Kde;
pub use params::KdeConfig;
