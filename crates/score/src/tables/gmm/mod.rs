//! # Gaussian mixture
//!
//! The fit is described by a few ellipses; a row in none of them is strange. The score is minus the log
//! density of a mixture of normal distributions with full covariances, in standardised columns, found by
//! expectation and maximisation from k-means clusters. It may be negative.
//!
//! A column's contribution is half its part of the squared Mahalanobis distance from each component
//! (Garthwaite and Koch 2016), weighted by the component's responsibility for the row; what is the same
//! for all columns (sizes of ellipses) is spread evenly: additive.
//!
//! **A component that describes few rows** (fewer than k + 1, or than one in a hundred) would make the
//! strange rows it was drawn to the most usual of all. It is left out, and the others take over.
//!
//! **Samples.** With more than one sample (`n_samples`), each of at most `max_samples` rows, the model is the
//! mixture of all their mixtures: strangers that would make a component of their own among all rows are too
//! few to do so in a small sample.
//!
//! Cost: the fit O(iterations × components × n k²); a row components × k² multiplications, eight rows
//! side by side, and an exponential for each component.
//!
//! References: A. Dempster, N. Laird and D. Rubin, *Maximum likelihood from incomplete data via the EM
//! algorithm*, JRSS B 39, 1977. C. M. Bishop, *Pattern recognition and machine learning*, 9.2, 2006.
//!
//! Deviations: two components by default, where PyOD has one, which is no mixture (see
//! [`pca`](crate::pca) for that); the rule about small components; densities are of standardised columns,
//! which shifts all of a model's scores by one number. Ours instead of linfa's, which stops with an
//! error on clustered rows and is slow on others.

mod fit;
mod model;
mod params;

pub use model::Gmm;
pub use params::GmmConfig;
