//! # One-class support vector machine
//!
//! The smoothest function, in the space of a Gaussian kernel, that is above ρ on all rows of the fit but a share
//! of `nu`: f(x) = Σ αᵢ exp(−γ |x − xᵢ|²), over the rows that are on the edge or beyond it. The score is ρ − f(x):
//! above 0 outside.
//!
//! **Explanation.** ρ − Σ αᵢ, the same for every row, is spread evenly; to that each support vector adds αᵢ times what
//! its kernel lacks to 1, shared among the columns by their part of the squared distance: additive.
//!
//! Cost: linfa's fit takes 8 n² bytes and n² to n³ operations: at 10,000 rows 0.8 GB and 9 seconds, at 20,000 3 GB
//! and 40 seconds. So the fit refuses more than `max_rows` (10,000 unless told) with
//! [`Error::TooMany`](crate::Error::TooMany); [`nystroem_svm`](crate::nystroem_svm) has no such limit. A row costs k
//! multiplications and an exponential for each support vector, of which there are at least `nu` × n.
//!
//! Reference: B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola and R. C. Williamson, *Estimating the
//! support of a high-dimensional distribution*, Neural Computation 13(7), 2001.
//!
//! Deviations: none from the paper. As in PyOD and scikit-learn the αᵢ sum up to `nu` × n and γ is 1/k unless told,
//! on columns standardised here. linfa computes the kernels of the *fit* with the platform's exponential, so
//! the last bits of a fit may differ between platforms; those of a score do not.

mod model;
mod params;

pub use model::OneClassSvm;
pub use params::OneClassSvmConfig;
pub(crate) use params::in_units;
