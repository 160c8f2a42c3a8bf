use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::Pca;
use crate::face::{Algorithm, Params};
use crate::linalg::{Quadratic, covariance_of, eigen};
use crate::units::{InUnits, Units};
use crate::{ColumnScale, Error};

/// Eigenvalues below this count as this: no variance.
const LEAST: f64 = 1e-6;

/// Which components make up the score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Components {
    /// All, each over its eigenvalue.
    #[default]
    All,
    /// The first and the last, each over its eigenvalue.
    MajorAndMinor {
        /// The first components that together have this share of the variance, in (0, 1); the paper has 0.5.
        share: f64,
        /// Components with eigenvalues below this, above 0; the paper has 0.2.
        below: f64,
    },
    /// All but the first that together have `share` of the variance, in (0, 1), unweighted; the last,
    /// if that is all.
    Residual {
        /// Share of the variance.
        share: f64,
    },
}

/// Parameters of [`Pca`].
#[derive(Debug, Clone, PartialEq)]
pub struct PcaConfig {
    components: Components,
    scale: ColumnScale,
}

impl Default for PcaConfig {
    fn default() -> Self {
        Self { components: Components::All, scale: ColumnScale::Deviations }
    }
}

impl Params<PcaConfig> {
    /// Which components make up the score; all by default.
    pub fn components(self, components: Components) -> Self {
        self.with(|c| c.components = components)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }
}

impl Algorithm for PcaConfig {
    const NAME: &'static str = Pca::NAME;
    type Model = Pca;

    fn check(&self) -> Result<(), Error> {
        let (share, below) = match self.components {
            Components::All => return Ok(()),
            Components::MajorAndMinor { share, below } => (share, below),
            Components::Residual { share } => (share, 1.0),
        };
        if !(0.0 < share && share < 1.0) {
            return Err(Error::parameter(Self::NAME, "components", share, "0 < share < 1"));
        }
        if !(0.0 < below && below < f64::INFINITY) {
            return Err(Error::parameter(Self::NAME, "components", below, "0 < below < ∞"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Pca, Error> {
        let k = rows.ncols();
        let units = Units::fit(rows, self.scale);
        // There is a row, so the weights have a sum.
        let in_units = InUnits { units: &units, rows: rows.view() };
        let (mean, matrix) = covariance_of(&in_units, |_| 1.0).unwrap_or((vec![0.0; k], vec![0.0; k * k]));
        let eigen = eigen(matrix, k);
        let weights = self.components.weights(&eigen.values);
        Ok(Pca::new(units, Quadratic::new(mean, &eigen, &weights), eigen.values))
    }
}

impl Components {
    fn weights(self, values: &[f64]) -> Vec<f64> {
        let total: f64 = values.iter().filter(|x| **x > 0.0).sum();
        // Components that together reach the share; the last of them included.
        let first = |share: f64| {
            let mut sum = 0.0;
            let reaching = values.iter().position(|x| {
                sum += x;
                sum >= share * total
            });
            reaching.map_or(values.len(), |i| i + 1)
        };
        let over = |value: f64| 1.0 / if value > LEAST { value } else { LEAST };
        match self {
            Self::All => values.iter().map(|&x| over(x)).collect(),
            Self::MajorAndMinor { share, below } => {
                let major = first(share);
                let take = |(c, &x): (usize, &f64)| if c < major || x < below { over(x) } else { 0.0 };
                values.iter().enumerate().map(take).collect()
            }
            Self::Residual { share } => {
                let first = first(share).min(values.len() - 1);
                (0..values.len()).map(|c| if c < first { 0.0 } else { 1.0 }).collect()
            }
        }
    }
}
