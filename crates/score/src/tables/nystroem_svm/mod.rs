//! # One-class support vector machine in linear time
//!
//! A [one-class machine](crate::one_class_svm) needs all pairs of rows. Here rows become `n_landmarks` features,
//! whose products are nearly the kernels: φ(x) = L⁻¹ κ(x), κ the kernels between x and rows drawn as landmarks,
//! L Lᵀ those among the landmarks (Nyström's approximation; exact where all rows are landmarks). In that space
//! the machine is linear: f(x) = w · φ(x), where w is the shortest of the vectors that are means of the rows' features,
//! none weighing more than 1 / (`nu` n). Frank and Wolfe's method finds it: from w go towards the mean of the
//! `nu` n rows with the least w · φ, as far as gets it shortest, again and again. The score is ρ − f(x), ρ the
//! `nu`-quantile of f. Solved for the landmarks' weights, f is again a sum of kernels, one for each landmark.
//!
//! **Explanation.** As the exact machine's: what each landmark's kernel lacks to 1, shared among the columns by
//! their part of the squared distance: additive. Weights of landmarks may be negative.
//!
//! Cost: w is learned from at most `max_samples` rows (16,384), drawn by the seed: landmarks² for each of these,
//! landmarks for each of these in each step. A row costs k multiplications and an exponential for each
//! landmark. Nothing else grows with the rows.
//!
//! References: C. K. I. Williams and M. Seeger, *Using the Nyström method to speed up kernel machines*, NIPS 2000.
//! M. Frank and P. Wolfe, *An algorithm for quadratic programming*, Naval Research Logistics Quarterly 3, 1956.
//! M. Jaggi, *Revisiting Frank-Wolfe*, ICML 2013.
//!
//! Deviations: 1e-3 is added to the landmarks' kernels with themselves, so that near copies among them get no
//! huge weights of opposite signs. scikit-learn's `SGDOneClassSVM` solves the same problem by stochastic gradients,
//! whose answer depends on the order of the rows; this one's does not (but the draw's does), and its distance from
//! the best there is, is known. The weights sum up to 1, not to `nu` × n: scores differ by that factor.

mod fit;
mod model;
mod params;

pub use model::NystroemSvm;
pub use params::NystroemSvmConfig;
