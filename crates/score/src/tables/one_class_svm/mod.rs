//! # One-class support vector machine
//!
//! The smoothest function, in the space of a Gaussian kernel, that is above ρ on all rows of the fit but a share
//! of `nu`: f(x) = Σ αᵢ exp(−γ |x − xᵢ|²), over the rows that are on the edge or beyond it. The score is ρ − f(x):
//! above 0 outside.
//!
//! **Explanation.** ρ − Σ αᵢ, the same for every row, is spread evenly; to that each support vector adds αᵢ times what
//! its kernel lacks to 1, shared among the columns by their part of the squared distance: additive.
//!
//! **Fit.** Sequential minimal optimisation: of two rows one gives weight to the other, as far as the sum of products
//! gets lower, again and again; the two are the worst violator and the partner with whom an unhindered step gains most,
//! until no pair violates the conditions by `tolerance`. The first `nu` × n rows have all the weight to begin with.
//! Rows of the matrix of kernels are computed when they are needed, on all threads, with sums in one order, and the
//! last of them are kept: at most 96 MiB.
//!
//! Cost: k operations for each pair of rows, half of all with `nu` at 0.5, to begin with, and n k for each row of the
//! matrix that is not at hand, of which there are some thousands. So the fit refuses more than `max_rows` (50,000
//! by default) with [`Error::TooMany`](crate::Error::TooMany); [`nystroem_svm`](crate::nystroem_svm) has no such limit.
//! A row costs k multiplications and an exponential for each support vector, of which there are at least `nu` × n.
//! linfa's solver, used before, holds all n² kernels in 64 bits: 776 MiB at 10,000 rows of 100 columns where libsvm
//! takes 199, and half as fast (`benches/results/2026-11-28.md`).
//!
//! References: B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola and R. C. Williamson, *Estimating the
//! support of a high-dimensional distribution*, Neural Computation 13(7), 2001. R.-E. Fan, P.-H. Chen and C.-J. Lin,
//! *Working set selection using second order information for training support vector machines*, JMLR 6, 2005.
//!
//! Deviations: none from the papers, but no row is left out on the way (shrinking). As in PyOD and scikit-learn the αᵢ
//! sum up to `nu` × n, `tolerance` is 1e-3 and γ is 1/k by default, on columns standardised here. Above 2,048 rows the
//! *fit* takes kernels in 32 bits, as libsvm does, where no row is so far off that this would show.

mod kernel;
mod model;
mod params;
mod solver;

pub use model::OneClassSvm;
pub use params::OneClassSvmConfig;
pub(crate) use params::in_units;
