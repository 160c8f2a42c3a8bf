use ndarray::ArrayView2;

use super::SampledKnn;
use super::model::{MOST_NEIGHBORS, Sample, narrow};
use crate::face::{Algorithm, Params};
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Parameters of [`SampledKnn`].
#[derive(Debug, Clone, PartialEq)]
pub struct SampledKnnConfig {
    n_samples: usize,
    max_samples: usize,
    n_neighbors: usize,
    scale: ColumnScale,
    seed: u64,
}

impl Default for SampledKnnConfig {
    fn default() -> Self {
        Self { n_samples: 16, max_samples: 64, n_neighbors: 1, scale: ColumnScale::Deviations, seed: 0 }
    }
}

impl Params<SampledKnnConfig> {
    /// Number of samples, 1 to 65,536; 16 by default.
    pub fn n_samples(self, n_samples: usize) -> Self {
        self.with(|c| c.n_samples = n_samples)
    }

    /// Rows of each, drawn without replacement, 2 to 65,536; 64 by default, and at most half of all.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
    }

    /// Which neighbour's distance counts, 1 to 16; the nearest by default. The furthest where a sample has
    /// fewer.
    pub fn n_neighbors(self, n_neighbors: usize) -> Self {
        self.with(|c| c.n_neighbors = n_neighbors)
    }

    /// Units of the columns; standard deviations by default.
    pub fn scale(self, scale: ColumnScale) -> Self {
        self.with(|c| c.scale = scale)
    }

    /// Seed; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for SampledKnnConfig {
    const NAME: &'static str = SampledKnn::NAME;
    type Model = SampledKnn;

    fn check(&self) -> Result<(), Error> {
        if !(1..=65_536).contains(&self.n_samples) {
            return Err(Error::parameter(Self::NAME, "n_samples", self.n_samples, "1 to 65,536"));
        }
        if !(2..=65_536).contains(&self.max_samples) {
            return Err(Error::parameter(Self::NAME, "max_samples", self.max_samples, "2 to 65,536"));
        }
        if !(1..=MOST_NEIGHBORS).contains(&self.n_neighbors) {
            return Err(Error::parameter(Self::NAME, "n_neighbors", self.n_neighbors, "1 to 16"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<SampledKnn, Error> {
        let units = Units::fit(rows, self.scale);
        let len = self.max_samples.min((rows.nrows() / 2).max(2));
        let sample = |i: usize| {
            let drawn = rng::sample(&mut rng::stream(self.seed, i as u64), rows.nrows(), len);
            let value = |row: usize| rows.row(row).into_iter().enumerate().map(|(j, &x)| narrow(units.value(j, x)));
            Sample::new(drawn.into_iter().flat_map(value).collect(), rows.ncols())
        };
        let samples = (0..self.n_samples).map(sample).collect();
        Ok(SampledKnn::new(units, samples, self.n_neighbors))
    }
}
