//! # Distance to the nearest cluster centre
//!
//! K-means describes the fit by a few centres; a row far from all of them is strange. Columns are
//! standardised by the fit's mean and standard deviation (a constant column is ignored), and the score
//! is the Euclidean distance to the nearest centre in that space. A column's contribution is its share
//! of the squared distance, scaled to the distance: additive.
//!
//! The fit is Lloyd's algorithm from k-means++ seeds, each the best of 2 + ln(clusters) draws, and the best of `n_runs`
//! such starts. It runs on at most `max_samples` rows drawn by the same seed, since centres settle long before a
//! million rows are read. Centres with fewer rows than `min_share` asks for are dropped, as CBLOF leaves small clusters
//! out. Ours instead of linfa's, which counts the old centre as one more member when it moves a centre, so stops short
//! of the mean, and takes several times as long (`benches/clusters.rs`).
//!
//! Cost: the fit is O(runs × iterations × samples × clusters × k); a row costs clusters × k
//! multiplications, eight rows side by side.
//!
//! References: S. P. Lloyd, *Least squares quantization in PCM*, IEEE Trans. Inf. Theory 28(2), 1982.
//! D. Arthur and S. Vassilvitskii, *k-means++: the advantages of careful seeding*, SODA 2007.
//!
//! Deviations: there is no such detector in PyOD (its CBLOF weighs clusters by size as well); 8
//! clusters are scikit-learn's default. Standardised values are cut off at ±1e100, so that no finite
//! row has an infinite distance.

mod fit;
mod model;
mod params;

pub use model::KMeans;
pub use params::KMeansConfig;
