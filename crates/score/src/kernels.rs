//! Sums of Gaussian kernels around rows of a fit: what one-class machines score by.

use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::SnapshotError;
use crate::kde::exp;
use crate::rows::{LANES, PACK, Pack};
use crate::units::{FURTHEST, Units};
use crate::{Error, Snapshot};

/// offset − Σ weight × exp(−gamma × squared distance).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kernels {
    pub(crate) units: Units,
    /// Rows × k, in units.
    pub(crate) centers: Vec<f64>,
    pub(crate) weights: Vec<f64>,
    pub(crate) offset: f64,
    pub(crate) gamma: f64,
}

impl Kernels {
    pub(crate) fn from_snapshot(snapshot: &Snapshot, name: &'static str, version: u32) -> Result<Self, Error> {
        let read: Self = snapshot.decode(name, version)?;
        let is_sound = read.units.is_sound()
            && read.centers.len() == read.weights.len() * read.units.n_columns()
            && read.centers.iter().all(|x| x.abs() <= FURTHEST)
            && read.weights.iter().all(|w| w.abs() <= 1e100)
            && read.offset.abs() <= 1e100
            && 0.0 < read.gamma
            && read.gamma <= 1e50;
        if is_sound { Ok(read) } else { Err(SnapshotError::invalid(name, "units, rows or weights out of range")) }
    }

    pub(crate) fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let level = Level::new();
        let mut pack = Pack::new(self.units.n_columns());
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            let groups = pack.fill(rows, i * PACK, out.len(), |j, x| self.units.value(j, x));
            for (group, out) in groups.zip(out.chunks_mut(LANES)) {
                let scores = dispatch!(level, _simd => self.group(group));
                out.copy_from_slice(&scores[..out.len()]);
            }
        }
    }

    #[inline(always)]
    fn group(&self, group: &[[f64; LANES]]) -> [f64; LANES] {
        let mut total = [0.0; LANES];
        for (center, weight) in self.centers.chunks_exact(group.len()).zip(&self.weights) {
            let mut square = [0.0; LANES];
            for (xs, c) in group.iter().zip(center) {
                for lane in 0..LANES {
                    let d = xs[lane] - c;
                    square[lane] += d * d;
                }
            }
            for lane in 0..LANES {
                total[lane] += weight * exp(-self.gamma * square[lane]);
            }
        }
        total.map(|sum| self.offset - sum)
    }

    /// The score is offset − Σ weights + Σ weight × (1 − kernel). What a kernel lacks is shared among the columns
    /// by their part of the squared distance, the rest evenly.
    pub(crate) fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = out.len();
        let row: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.units.value(j, x)).collect();
        out.fill(0.0);
        let mut score = self.offset;
        for (center, weight) in self.centers.chunks_exact(k).zip(&self.weights) {
            let square = row.iter().zip(center).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c));
            let kernel = exp(-self.gamma * square);
            score -= weight * kernel;
            if square > 0.0 {
                let part = weight * (1.0 - kernel) / square;
                out.iter_mut().zip(&row).zip(center).for_each(|((to, x), c)| *to += part * ((x - c) * (x - c)));
            }
        }
        let even = (score - out.iter().sum::<f64>()) / k as f64;
        out.iter_mut().for_each(|x| *x += even);
    }
}
