//! # Distance to the nearest neighbours in small samples
//!
//! Each of `n_samples` draws `max_samples` rows of the fit; the score is the mean, over the samples, of the
//! distance to the `n_neighbors`-th nearest row of each. Strangers that come in clusters are each other's
//! neighbours among all rows, and hide each other; a sample of 64 holds hardly any of them. The
//! nearest of few rows also sees the shape of the bulk, not its noise, so that small samples are not
//! only faster than [`knn`](crate::knn) but mostly rank better.
//!
//! A column's contribution is its share of the squared distance, scaled to the distance: additive.
//!
//! **A row of the fit, scored later,** may find itself in a sample at distance 0. As in
//! [`knn`](crate::knn), one sampled row at distance 0 is always taken to be the row itself and left out.
//!
//! Columns are standardised by the fit's mean and deviation unless [`ColumnScale::Raw`](crate::ColumnScale) is
//! asked for; differences are 32-bit numbers, and values further than 1e15 units from the fit count as
//! that far.
//!
//! Cost: the fit draws and copies; a row samples × rows × k multiplications, sixteen rows side by side (of
//! a row by itself sixteen sampled rows). With one sample, whether a score is above some value may be known after 96 of
//! its rows. The model takes 4 bytes a number.
//!
//! References: M. Sugiyama and K. Borgwardt, *Rapid distance-based outlier detection via sampling*, NIPS
//! 2013. A. Zimek, M. Gaudet, R. J. G. B. Campello and J. Sander, *Subsampling for efficient and effective
//! unsupervised outlier detection ensembles*, KDD 2013. C. C. Aggarwal and S. Sathe, *Theoretical
//! foundations and algorithms for outlier ensembles*, SIGKDD Explorations 17(1), 2015.
//!
//! Deviations: the first paper draws one sample of 20 and takes the nearest; the mean over samples is
//! the second's. A sample never holds more than half of the rows.

mod model;
mod params;

pub use model::SampledKnn;
pub use params::SampledKnnConfig;
