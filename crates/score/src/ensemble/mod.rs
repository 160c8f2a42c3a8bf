//! # Several detectors, one score
//!
//! No detector wins everywhere, and their scores have no common scale. So each member is calibrated: its
//! score becomes −ln of the probability that a usual row scores as high ([`ScoreTail`](crate::calibration::ScoreTail)),
//! and those are combined ([`Combine`]). The combined score is calibrated in turn.
//!
//! **Fit and reference.** A detector scores the rows it was fitted on too kindly. A seeded permutation
//! splits the rows: members are fitted on one part, all calibrations are made on the part held out
//! (half by default). Below `split_from` rows (400) both parts are all rows, since a calibration on
//! fewer than 200 scores costs more than the kindness does.
//!
//! **The default members**, where none are added, need neither tuning nor labels:
//!
//! | member | sees ([`View`]) | is fitted on ([`FitOn`]) |
//! |---|---|---|
//! | isolation forest, 64 trees | raw columns | all rows |
//! | third neighbour in samples of 64 | even columns | all rows |
//! | the same | even columns | usual rows |
//! | nearest neighbour in samples of 64 | raw columns, standardised | usual rows |
//! | histograms | even columns | usual rows |
//! | mixture of four samples' mixtures | even columns | all rows |
//! | the same | even columns | usual rows |
//! | minimum covariance determinant | raw columns | all rows |
//! | SCiForest, 48 trees | raw columns | usual rows |
//!
//! What the data shows decides: a column's kurtosis, whether it is standardised or becomes its normal scores, where a
//! rare value is as far as it is rare; the number of columns, whether covariances are estimated (up to 128) and from
//! how many rows with how large a ridge; and the members fitted on all rows together, which rows are left out of the
//! other fits, so that clusters of strangers do not pass for usual. The mean of the third to the sixth largest −ln p
//! ([`Combine::UpperMiddle`]) keeps the top of the ranking: a row comes first when several members find it strange, one
//! or two that go wrong cannot put it there, and those that see nothing do not dilute the others.
//!
//! **A member that fails** to fit, or whose scores are not finite, is left out and reported by
//! [`Ensemble::skipped`]; it is an error only when none is left.
//!
//! **Explanation.** A member's contributions, negative ones cut off, are shares of its −ln p; the
//! ensemble's contributions are those, combined as the members are. They add up to its score. A member
//! that names no column shares its part out evenly.
//!
//! Cost: that of the members, and a calibration lookup for each.
//!
//! References: H.-P. Kriegel, P. Kröger, E. Schubert and A. Zimek, *Interpreting and Unifying Outlier
//! Scores*, SDM 2011. C. C. Aggarwal and S. Sathe, *Outlier Ensembles*, Springer, 2017.
//!
//! Deviations: the first paper regularises and scales each score to \[0, 1\]; the log tail probability
//! keeps its resolution where it matters, far out. An ensemble is no member of an ensemble.

mod defaults;
mod fit;
mod model;
mod params;
mod view;

pub use model::{Ensemble, Skipped};
pub use params::{Combine, EnsembleConfig, FitOn, View};
