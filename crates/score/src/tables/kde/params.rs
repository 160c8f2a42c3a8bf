use ndarray::ArrayView2;

use super::Kde;
use crate::face::{Algorithm, Params};
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Parameters of [`Kde`].
#[derive(Debug, Clone, PartialEq)]
pub struct KdeConfig {
    bandwidth: f64,
    max_samples: usize,
    scale: ColumnScale,
    seed: u64,
}

impl Default for KdeConfig {
    fn default() -> Self {
        Self { bandwidth: 1.0, max_samples: 4_096, scale: ColumnScale::Deviations, seed: 0 }
    }
}

impl Params<KdeConfig> {
    /// Standard deviation of the kernel in the columns' units, in [1e-6, 1e6]; 1 by default.
    pub fn bandwidth(self, bandwidth: f64) -> Self {
        self.with(|c| c.bandwidth = bandwidth)
    }

    /// Rows to keep at most, 1 to 1,048,576; 4,096 by default.
    pub fn max_samples(self, max_samples: usize) -> Self {
        self.with(|c| c.max_samples = max_samples)
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

impl Algorithm for KdeConfig {
    const NAME: &'static str = Kde::NAME;
    type Model = Kde;

    fn check(&self) -> Result<(), Error> {
        if !(1e-6..=1e6).contains(&self.bandwidth) {
            return Err(Error::parameter(Self::NAME, "bandwidth", self.bandwidth, "1e-6 ≤ x ≤ 1e6"));
        }
        if !(1..=1_048_576).contains(&self.max_samples) {
            return Err(Error::parameter(Self::NAME, "max_samples", self.max_samples, "1 to 1,048,576"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Kde, Error> {
        let units = Units::fit(rows, self.scale);
        let drawn = rng::sample(&mut rng::stream(self.seed, 0), rows.nrows(), self.max_samples);
        let mut sample = Vec::with_capacity(drawn.len() * rows.ncols());
        for row in drawn {
            sample.extend(rows.row(row).iter().enumerate().map(|(j, &x)| units.value(j, x)));
        }
        Ok(Kde::new(units, sample, self.bandwidth))
    }
}
