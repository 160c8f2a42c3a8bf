use fearless_simd::{Level, dispatch};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Loda;
use super::model::Cut;
use crate::face::{Algorithm, Params};
use crate::hbos::histogram::{Choice, Histogram};
use crate::units::Units;
use crate::{ColumnScale, Error, rng, stats};

/// Rows histograms are made of at most.
const MOST_ROWS: usize = 4_096;

/// Numbers in a line of memory.
const SIDE: usize = 8;

/// Parameters of [`Loda`].
#[derive(Debug, Clone, PartialEq)]
pub struct LodaConfig {
    n_cuts: usize,
    alpha: f64,
    seed: u64,
}

impl Default for LodaConfig {
    fn default() -> Self {
        Self { n_cuts: 100, alpha: 0.001, seed: 0 }
    }
}

impl Params<LodaConfig> {
    /// Projections, 1 to 10,000; 100 by default.
    pub fn n_cuts(self, n_cuts: usize) -> Self {
        self.with(|c| c.n_cuts = n_cuts)
    }

    /// Added to every density, in (0, 1); 0.001 by default. Bounds the score of an empty bin.
    pub fn alpha(self, alpha: f64) -> Self {
        self.with(|c| c.alpha = alpha)
    }

    /// Seed; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for LodaConfig {
    const NAME: &'static str = Loda::NAME;
    type Model = Loda;

    fn check(&self) -> Result<(), Error> {
        if !(1..=10_000).contains(&self.n_cuts) {
            return Err(Error::parameter(Self::NAME, "n_cuts", self.n_cuts, "1 to 10,000"));
        }
        if !(0.0 < self.alpha && self.alpha < 1.0) {
            return Err(Error::parameter(Self::NAME, "alpha", self.alpha, "0 < x < 1"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Loda, Error> {
        let k = rows.ncols();
        let units = Units::fit(rows, ColumnScale::Deviations);
        let drawn = rng::sample(&mut rng::stream(self.seed, u64::MAX), rows.nrows(), MOST_ROWS);
        let n = drawn.len();
        // A column after the other: a cut takes few of them.
        let mut sample = vec![0.0; n * k];
        sample.par_chunks_mut(SIDE * n).enumerate().for_each(|(block, out)| {
            if rows.strides()[0] == 1 {
                for (j, out) in (block * SIDE..).zip(out.chunks_exact_mut(n)) {
                    let column = rows.column(j);
                    out.iter_mut().zip(&drawn).for_each(|(to, &row)| *to = units.value(j, column[row]));
                }
                return;
            }
            // Squares, so that what is read and what is written are whole lines of memory.
            for (at, drawn) in drawn.chunks(SIDE).enumerate() {
                let mut square = [[0.0; SIDE]; SIDE];
                for (i, &row) in drawn.iter().enumerate() {
                    let row = rows.row(row);
                    for j in block * SIDE..k.min((block + 1) * SIDE) {
                        square[j % SIDE][i] = units.value(j, row[j]);
                    }
                }
                for (square, out) in square.iter().zip(out.chunks_exact_mut(n)) {
                    out[at * SIDE..][..drawn.len()].copy_from_slice(&square[..drawn.len()]);
                }
            }
        });
        let choice = Choice::new(n);
        let level = Level::new();
        let project = |cut: &Cut, values: &mut [f64]| dispatch!(level, _simd => cut.columns(&sample, values));
        let cut = |values: &mut Vec<f64>, i: usize| {
            let mut rng = rng::stream(self.seed, i as u64);
            let columns = rng::sample(&mut rng, k, (k as f64).sqrt() as usize);
            let weights: Vec<f64> = columns.iter().map(|_| rng::normal(&mut rng)).collect();
            let mut cut = Cut { columns: columns.iter().map(|&j| j as u32).collect(), weights };
            values.resize(n, 0.0);
            project(&cut, values);
            let (_, deviation) = stats::mean_deviation(values);
            // A projection of constant columns is 0 for every row.
            let unit = if deviation > 0.0 { deviation } else { 1.0 };
            cut.weights.iter_mut().for_each(|w| *w /= unit);
            project(&cut, values);
            (cut, Histogram::fit_automatic(values, &choice))
        };
        let cuts = (0..self.n_cuts).into_par_iter().map_init(Vec::new, cut).collect();
        Loda::new(units, cuts, self.alpha)
    }
}
