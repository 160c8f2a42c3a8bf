//! # Minimum covariance determinant
//!
//! A row far from the centre of the fit, measured by the fit's own covariance, is strange; but strange
//! rows of the fit blow up that covariance and hide behind it. So centre and covariance are taken from
//! the half of the rows (or `support` of them) whose covariance has the least determinant, then from all
//! rows within the 97.5 % quantile of a normal distribution around those. The score is the squared
//! Mahalanobis distance. A column's contribution is its part of the form (Garthwaite and Koch 2016): never
//! negative, additive.
//!
//! Fast-MCD finds that half by C-steps (fit; keep the nearest; fit again), which only ever lower the
//! determinant. Starts are k + 1 rows drawn at random, and one that is not: the rows nearest to the
//! medians (with more than 500 columns it is the only one). With more than 600 rows the first steps are
//! made on up to five groups of 300, then on the groups together, and only the best go on to all rows.
//!
//! Cost: O(starts × 300 k² + k³ starts) for the search, with fewer starts in many columns, and some tens
//! of O(n k²) for the last steps; a row costs k² multiplications, eight rows side by side.
//!
//! References: P. J. Rousseeuw and K. Van Driessen, *A fast algorithm for the minimum covariance
//! determinant estimator*, Technometrics 41(3), 1999. J. Hardin and D. Rocke, *Outlier detection in the
//! multiple cluster setting using the minimum covariance determinant estimator*, CSDA 44, 2004.
//!
//! Deviations: rows are standardised first (which changes nothing but rounding), and during the search
//! 1e-6 of a column's variance is added to each variance, so that a half in which a column does not vary
//! (an exact fit) has a determinant to compare. In the final form eigenvalues count as no less than
//! 1e-6 of that, where scikit-learn ignores directions without variance. Distances from the first half
//! are scaled to the median of χ² before rows are counted in, as the paper has it (scikit-learn scales by
//! the size of the half). Quantiles of χ² are Wilson and Hilferty's; for the variance of the tails cut
//! off, the last covariance is corrected as by Croux and Haesbroeck (1999). Starts are drawn by our
//! generator; agreement with scikit-learn is as close as the two searches end at the same half.

mod fit;
mod model;
mod params;

pub use model::Mcd;
pub use params::McdConfig;
