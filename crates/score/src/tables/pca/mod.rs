//! # Principal components
//!
//! Columns of a fit go together; a row that breaks with the way they go is strange, though no single
//! value of it be. Rows are standardised and projected onto the eigenvectors of the correlation matrix;
//! the score is a sum over components c of (projection c)² × weight c ([`Components`]):
//!
//! * `All`: weight 1/λ_c, so that every component counts alike: the squared Mahalanobis distance.
//! * `MajorAndMinor`: the same over the first components up to a share of the variance, where rows are
//!   extreme, and over the last, below an eigenvalue, where rows break a rule all others follow.
//! * `Residual`: weight 1 beyond the first components: the squared error of reconstruction from them.
//!
//! Components of no variance in the fit have weight as if λ were 1e-6: rows of the fit do not leave the
//! plane the fit spans, and for a row that does it is a strong sign.
//!
//! A column's contribution is its part of the form (Garthwaite and Koch 2016): never negative, additive.
//!
//! Cost: the fit O(n k² + k³), a row k² multiplications, eight rows side by side.
//!
//! References: M.-L. Shyu, S.-C. Chen, K. Sarinnapakorn and L. Chang, *A novel anomaly detection scheme
//! based on principal component classifier*, ICDM Workshop 2003. J. E. Jackson and G. Mudholkar, *Control
//! procedures for residuals associated with principal component analysis*, Technometrics 21(3), 1979.
//!
//! Deviations: the paper compares the sums over major and minor components with a threshold each, we add
//! them; by default we take all components, which finds more on labelled sets. PyOD sums, over all
//! components, the distance from the row to the *tip of the eigenvector*, divided by its share of the
//! variance. No paper has that, and it is mostly the distance from the mean; we do not follow it.
//! Eigenvectors are computed by our own routine, since products of linfa's depend on the processor.

mod model;
mod params;

pub use model::Pca;
pub use params::{Components, PcaConfig};
