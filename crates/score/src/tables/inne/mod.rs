//! # INNE: isolation by nearest-neighbour ensembles
//!
//! Each of `n_estimators` draws `max_samples` rows of the fit as centres, and gives each centre a ball
//! that reaches to the nearest other centre. A row within no ball is isolated and counts 1. Else the
//! smallest ball it is in counts 1 − r′/r, where r is that ball's squared radius and r′ the squared radius
//! of the ball around the centre nearest to its centre: 0 where centres lie evenly, near 1 at the edge of
//! a dense region. The score is the mean.
//!
//! Each estimator's part is shared among columns by the squared distance to the centre of the ball (the
//! nearest centre, if there is none): additive.
//!
//! Cost: the fit O(estimators × samples² k); a row estimators × samples × k multiplications, eight rows
//! side by side.
//!
//! Reference: T. R. Bandaragoda, K. M. Ting, D. Albrecht, F. T. Liu, Y. Zhu and J. R. Wells,
//! *Isolation-based anomaly detection using nearest-neighbor ensembles*, Computational Intelligence 34,
//! 2018.
//!
//! Deviations: squared radii, as PyOD has them, where the paper takes the radii themselves, which give
//! the same order within an estimator; columns are standardised.

mod model;
mod params;

pub use model::Inne;
pub use params::InneConfig;
