//! # Robust z-scores
//!
//! How far a value lies from the column's median, in units of the column's spread, where the spread
//! is the median absolute deviation: half the rows may be anything and neither moves much.
//!
//! Fit, a column at a time: m = median(x), MAD = median |x − m|, and the unit is
//!
//! 1. 1.4826 × MAD, which estimates the standard deviation of a normal column; or, when more than
//!    half the column is one value so that MAD is 0,
//! 2. 1.253314 × mean |x − m|, as Iglewicz and Hoaglin do; or, when the column is constant,
//! 3. 1e-6 × |m| (1e-6 when m is 0): whatever differs by more than rounding is strange.
//!
//! A row's score is its largest |z| ([`Aggregate::Max`]; the contribution is that column's alone) or
//! the mean of the squares ([`Aggregate::MeanSquare`]; additive), under the name `robust_distance`: a
//! Mahalanobis distance of columns that are taken to be independent.
//!
//! Cost: the fit selects medians, O(n k); a row costs k divisions.
//!
//! Reference: B. Iglewicz and D. C. Hoaglin, *How to Detect and Handle Outliers*, ASQC, 1993.
//!
//! Deviations: the paper's factor 0.6745 is 1 / 1.4826 here (0.67449), and it has no case 3. PyOD's
//! `MAD` takes one column and gives 0 or infinity when MAD is 0. |z| is cut off at 1e300 (1e150 before
//! squaring), so that no finite row has an infinite score.

mod model;
mod params;

pub use model::RobustZ;
pub use params::{Aggregate, RobustZConfig};
