use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Inne;
use super::model::Balls;
use crate::face::{Algorithm, Params};
use crate::neighbours::square_distance;
use crate::units::Units;
use crate::{ColumnScale, Error, rng};

/// Parameters of [`Inne`].
#[derive(Debug, Clone, PartialEq)]
pub struct InneConfig {
    n_estimators: usize,
    max_samples: usize,
    scale: ColumnScale,
    seed: u64,
}

impl Default for InneConfig {
    fn default() -> Self {
        Self { n_estimators: 200, max_samples: 8, scale: ColumnScale::Deviations, seed: 0 }
    }
}

impl Params<InneConfig> {
    /// Number of estimators, 1 to 100,000; 200 by default.
    pub fn n_estimators(self, n_estimators: usize) -> Self {
        self.with(|c| c.n_estimators = n_estimators)
    }

    /// Centres of each, drawn without replacement, 2 to 4,096 (or all rows, if fewer); 8 by default.
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

impl Algorithm for InneConfig {
    const NAME: &'static str = Inne::NAME;
    type Model = Inne;

    fn check(&self) -> Result<(), Error> {
        if !(1..=100_000).contains(&self.n_estimators) {
            return Err(Error::parameter(Self::NAME, "n_estimators", self.n_estimators, "1 to 100,000"));
        }
        if !(2..=4_096).contains(&self.max_samples) {
            return Err(Error::parameter(Self::NAME, "max_samples", self.max_samples, "2 to 4,096"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Inne, Error> {
        let units = Units::fit(rows, self.scale);
        let estimator = |i: usize| {
            let drawn = rng::sample(&mut rng::stream(self.seed, i as u64), rows.nrows(), self.max_samples);
            let mut centers = Vec::with_capacity(drawn.len() * rows.ncols());
            for row in drawn {
                centers.extend(rows.row(row).iter().enumerate().map(|(j, &x)| units.value(j, x)));
            }
            balls(centers, rows.ncols())
        };
        let balls = (0..self.n_estimators).into_par_iter().map(estimator).collect();
        Ok(Inne::new(units, balls))
    }
}

fn balls(centers: Vec<f64>, k: usize) -> Balls {
    let n = centers.len() / k;
    let center = |i: usize| &centers[i * k..][..k];
    // Squared radius, and the nearest other centre, the first among equals. One row alone has no ball.
    let nearest: Vec<(f64, usize)> = (0..n)
        .map(|i| {
            let others = (0..n).filter(|&other| other != i);
            let distances = others.map(|other| (square_distance(center(i), center(other)), other));
            distances.fold((f64::INFINITY, i), |best, d| if d.0 < best.0 { d } else { best })
        })
        .map(|(square, other)| if square.is_finite() { (square, other) } else { (0.0, other) })
        .collect();
    let part = |&(square, other): &(f64, usize)| if square > 0.0 { 1.0 - nearest[other].0 / square } else { 0.0 };
    Balls { parts: nearest.iter().map(part).collect(), squares: nearest.iter().map(|n| n.0).collect(), centers }
}
