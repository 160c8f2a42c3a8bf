//! # Extreme Studentised deviates
//!
//! A column by column test for numbers too far from the mean to be normal: Grubbs' test takes the number
//! furthest from the mean, in deviations; the generalised test (Rosner 1983) takes it out and goes on, up to a stated
//! number of times, and the outliers are all those up to the last whose deviate is above its critical value.
//! So outliers do not hide each other behind the deviation they blow up.
//!
//! **How rows get scores.** The fit runs the test on each column and keeps mean and deviation of the numbers that
//! remain, m of them. A row's part from a column is −ln of the probability that another number from the same
//! normal distribution lies as far out, by Student's t with m − 1 degrees of freedom; the score is the sum
//! over columns, which are taken to be independent. In one column Grubbs' test at level α flags what scores above −ln
//! (α / m).
//!
//! This is a test against a normal distribution. In a skewed or heavy-tailed column much of the tail is "outliers" to
//! it, and the score means no more than how far out: take logarithms of amounts first, or another detector.
//!
//! [`test`](fn@test) is the test itself, with its statistics and [`critical_values`].
//!
//! Cost: the fit sorts; a row costs a lookup for each column.
//!
//! References: F. E. Grubbs, *Procedures for detecting outlying observations in samples*, Technometrics 11(1), 1969.
//! B. Rosner, *Percentage points for a generalized ESD many-outlier procedure*, Technometrics 25(2), 1983.
//!
//! Deviations: −ln p is read from a table and off by up to 2e-4. Critical values are those of Rosner's
//! approximation, good from 25 numbers on (he says), fair from 15.

mod model;
mod params;
mod table;
mod test;

pub use model::Esd;
pub use params::EsdConfig;
pub use test::{EsdTest, critical_values, test};
