//! Sums of Gaussian kernels around rows of a fit: what one-class machines score by.

use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::SnapshotError;
use crate::kde::exp;
use crate::rows::{LANES, PACK, Pack};
use crate::units::{FURTHEST, Units};
use crate::{Error, Snapshot};

/// Centers looked at side by side.
const TOGETHER: usize = 4;

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
        let k = group.len();
        let mut total = [0.0; LANES];
        let (fours, rest) = self.weights.as_chunks::<TOGETHER>();
        let (near, far) = self.centers.split_at(fours.len() * TOGETHER * k);
        for (centers, weights) in near.chunks_exact(TOGETHER * k).zip(fours) {
            let centers: [&[f64]; TOGETHER] = std::array::from_fn(|at| &centers[at * k..][..k]);
            add(&mut total, squares(group, centers), weights, self.gamma);
        }
        for (center, weight) in far.chunks_exact(k).zip(rest) {
            add(&mut total, squares(group, [center]), &[*weight], self.gamma);
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

/// Squared distances of the rows of a group to Q centers; each is a sum column after column, whatever stands beside it.
#[inline(always)]
fn squares<const Q: usize>(group: &[[f64; LANES]], centers: [&[f64]; Q]) -> [[f64; LANES]; Q] {
    let k = group.len();
    let centers = centers.map(|center| &center[..k]);
    let mut squares = [[0.0; LANES]; Q];
    for (j, xs) in group.iter().enumerate() {
        for q in 0..Q {
            let c = centers[q][j];
            for lane in 0..LANES {
                let d = xs[lane] - c;
                squares[q][lane] += d * d;
            }
        }
    }
    squares
}

/// Adds weighted kernels, center after center.
#[inline(always)]
fn add<const Q: usize>(total: &mut [f64; LANES], squares: [[f64; LANES]; Q], weights: &[f64; Q], gamma: f64) {
    for (square, weight) in squares.iter().zip(weights) {
        for lane in 0..LANES {
            total[lane] += weight * exp(-gamma * square[lane]);
        }
    }
}
