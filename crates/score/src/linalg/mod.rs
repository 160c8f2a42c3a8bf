//! The little linear algebra that detectors share: covariances, symmetric eigenvectors, quadratic forms.
//!
//! Ours because a result must not depend on the machine: products in other libraries choose their order,
//! and whether to fuse multiplication and addition, by the processor they find.

mod cholesky;
mod covariance;
mod eigen;
mod quadratic;

pub(crate) use cholesky::Whitener;
pub(crate) use covariance::{RowSource, covariance, covariance_of};
pub(crate) use eigen::{Eigen, dot, eigen};
pub(crate) use quadratic::Quadratic;
