use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};

use super::KdeConfig;
use super::exp::exp;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{LANES, PACK, Pack};
use crate::units::{FURTHEST, Units};
use crate::{Error, Model, Snapshot};

/// Rows of a fit. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Kde {
    units: Units,
    /// Samples × k.
    sample: Vec<f64>,
    bandwidth: f64,
    /// Half of one over the bandwidth's square, in units of the fit.
    per_square: f64,
    /// What is added to every score; with one sample less.
    constant: f64,
    constant_less_one: f64,
}

impl Kde {
    pub(crate) const NAME: &'static str = "kde";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<KdeConfig> {
        Params::new(KdeConfig::default())
    }

    pub(super) fn new(units: Units, sample: Vec<f64>, bandwidth: f64) -> Self {
        const LOG_TAU: f64 = 1.837_877_066_409_345_3;
        let k = units.n_columns();
        let unit = units.distance(1.0);
        let in_units = (bandwidth / unit).clamp(1e-12, 1e12);
        let log_volume = k as f64 * (0.5 * LOG_TAU + libm::log(bandwidth));
        let n = (sample.len() / k) as f64;
        Self {
            bandwidth,
            per_square: 0.5 / (in_units * in_units),
            constant: log_volume + libm::log(n),
            constant_less_one: log_volume + libm::log(if n > 1.0 { n - 1.0 } else { n }),
            units,
            sample,
        }
    }

    /// Number of rows kept.
    pub fn n_samples(&self) -> usize {
        self.sample.len() / self.units.n_columns()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (units, sample, bandwidth): (Units, Vec<f64>, f64) = snapshot.decode(Self::NAME, Self::VERSION)?;
        let is_sound = units.is_sound()
            && !sample.is_empty()
            && sample.len().is_multiple_of(units.n_columns())
            && sample.iter().all(|x| x.abs() <= FURTHEST)
            && (1e-6..=1e6).contains(&bandwidth);
        if !is_sound {
            return Err(SnapshotError::invalid(Self::NAME, "rows, units or bandwidth out of range"));
        }
        Ok(Self::new(units, sample, bandwidth))
    }

    #[inline(always)]
    fn group(&self, group: &[[f64; LANES]], squares: &mut [[f64; LANES]]) -> Kernels {
        let mut kernels = Kernels::default();
        for (sample, square) in self.sample.chunks_exact(group.len()).zip(&mut *squares) {
            let mut sum = [0.0; LANES];
            for (xs, r) in group.iter().zip(sample) {
                for lane in 0..LANES {
                    let d = xs[lane] - r;
                    sum[lane] += d * d;
                }
            }
            kernels.count(&sum);
            *square = sum;
        }
        kernels.leave_itself_out(squares.len());
        for square in squares {
            for ((total, least), square) in kernels.total.iter_mut().zip(&kernels.least).zip(square) {
                let x = least - *square;
                let kernel = exp(x * self.per_square);
                // Nearer than the nearest is only the row itself, left out.
                *total += if x > 0.0 { 0.0 } else { kernel };
            }
        }
        kernels
    }

    /// −ln of the density from the kernels of one lane.
    fn score(&self, kernels: &Kernels, lane: usize) -> f64 {
        let constant = if kernels.equal[lane] > 0.0 { self.constant_less_one } else { self.constant };
        kernels.least[lane] * self.per_square + constant - libm::log(kernels.total[lane])
    }
}

/// What eight rows see of the samples.
struct Kernels {
    /// Least squared distance, the row itself left out.
    least: [f64; LANES],
    /// Least above 0.
    above: [f64; LANES],
    /// Samples at distance 0; 0 where they are all there is.
    equal: [f64; LANES],
    /// Σ exp((least − square) × `per_square`).
    total: [f64; LANES],
}

impl Default for Kernels {
    fn default() -> Self {
        Self { least: [0.0; LANES], above: [f64::INFINITY; LANES], equal: [0.0; LANES], total: [0.0; LANES] }
    }
}

impl Kernels {
    #[inline(always)]
    fn count(&mut self, squares: &[f64; LANES]) {
        for (lane, &square) in squares.iter().enumerate() {
            let is_above = (square > 0.0) & (square < self.above[lane]);
            self.above[lane] = if is_above { square } else { self.above[lane] };
            self.equal[lane] += if square == 0.0 { 1.0 } else { 0.0 };
        }
    }

    /// Decides the nearest sample; a single sample cannot be left out.
    #[inline(always)]
    fn leave_itself_out(&mut self, n_samples: usize) {
        for lane in 0..LANES {
            let equal = if n_samples > 1 { self.equal[lane] } else { 0.0 };
            let is_alone = if n_samples > 1 { equal <= 1.0 } else { self.equal[lane] == 0.0 };
            self.equal[lane] = equal;
            self.least[lane] = if is_alone { self.above[lane] } else { 0.0 };
            // The kernel of the row itself is 1 where others are equal to it.
            self.total[lane] = if equal > 1.0 { -1.0 } else { 0.0 };
        }
    }
}

impl Model for Kde {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let level = Level::new();
        let mut pack = Pack::new(self.n_columns());
        let mut squares = vec![[0.0; LANES]; self.n_samples()];
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            let groups = pack.fill(rows, i * PACK, out.len(), |j, x| self.units.value(j, x));
            for (group, out) in groups.zip(out.chunks_mut(LANES)) {
                let kernels = dispatch!(level, _simd => self.group(group, &mut squares));
                out.iter_mut().enumerate().for_each(|(lane, out)| *out = self.score(&kernels, lane));
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = out.len();
        let group: Vec<[f64; LANES]> = row.iter().enumerate().map(|(j, &x)| [self.units.value(j, x); LANES]).collect();
        let mut squares = vec![[0.0; LANES]; self.n_samples()];
        let kernels = self.group(&group, &mut squares);
        out.fill(0.0);
        for (sample, [square, ..]) in self.sample.chunks_exact(k).zip(&squares) {
            let x = kernels.least[0] - square;
            if x > 0.0 {
                continue;
            }
            let weight = exp(x * self.per_square) / kernels.total[0] * self.per_square;
            for ((to, [x, ..]), r) in out.iter_mut().zip(&group).zip(sample) {
                *to += weight * ((x - r) * (x - r));
            }
        }
        let even = (self.score(&kernels, 0) - out.iter().sum::<f64>()) / k as f64;
        out.iter_mut().for_each(|x| *x += even);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.units, &self.sample, self.bandwidth))
    }
}

predict!(Kde);
