//! # SCiForest: isolation forest with split-selection criterion
//!
//! An [isolation forest](crate::isolation_forest) cuts anywhere, and strange rows that come in a small tight
//! cluster (the same fraud, repeated) hide behind each other. Here each node tries `n_planes` random
//! hyperplanes, and cuts along the one, and at the point, where the rows on either side are most alike: clusters
//! are cut off whole, by their density, near the root. The gain of a cut is
//! (σ(all) − (σ(left) + σ(right)) / 2) / σ(all), of the rows' projections. Path lengths become a score as
//! there: s(x) = 2^(−E\[h(x)\] / c(ψ)). A node's rows have a range; a row that lies further from the cut than that
//! range is wide goes on without its path getting longer.
//!
//! A hyperplane is Σ c (x / σ) over `n_terms` columns, c uniform in (−1, 1), σ the deviation among the node's
//! rows.
//!
//! **Which categorical forest this replaces.** Words come to a detector as numbers, by how rare they are
//! ([`encode`](crate::encode)), so that a forest with sets of words in its nodes would have to read something
//! else than the matrix all detectors read; this one adds what the isolation forest lacks on any matrix.
//!
//! **Explanation.** As the isolation forest's; what a cut changes is shared among its columns by the size of
//! weight × value, in deviations from the mean of the fit. The contributions add up to the score.
//!
//! Cost: the fit O(trees × ψ × (k + planes × ln ψ) × depth); a row trees × depth × terms multiplications.
//!
//! Reference: F. T. Liu, K. M. Ting and Z.-H. Zhou, *On detecting clustered anomalies using SCiForest*, ECML
//! PKDD 2010.
//!
//! Deviations: columns are standardised first (which changes no cut but the choice of what is constant: a
//! column whose deviation among a node's rows is below 1e-9 of that of the fit is not drawn). Trees end at a
//! depth of 4 ⌈log2 ψ⌉, where the paper has no limit: rows of heavy tails are cut off one by one.

mod model;
mod params;

pub use model::SciForest;
pub use params::SciForestConfig;
