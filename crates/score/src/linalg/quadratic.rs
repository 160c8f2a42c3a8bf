//! Squared lengths after a symmetric linear map: what a Mahalanobis distance is.

use fearless_simd::{Level, dispatch};
use serde::{Deserialize, Serialize};

use super::Eigen;
use crate::rows::LANES;

/// The form xᵀ R R x of rows relative to a centre; R is symmetric, so (R x)_j² is column j's part of it.
///
/// The parts are never negative and add up to the form. Of all square roots the symmetric one keeps
/// each new coordinate as near as possible to the old one it is reported for (P. Garthwaite and I. Koch,
/// *Evaluating the contributions of individual variables to a quadratic form*, Aust. N. Z. J. Stat. 58,
/// 2016).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quadratic {
    center: Vec<f64>,
    /// k × k.
    root: Vec<f64>,
}

impl Quadratic {
    /// From eigenvectors and what to multiply the square of each with, 0 or more.
    pub(crate) fn new(center: Vec<f64>, eigen: &Eigen, weights: &[f64]) -> Self {
        let k = center.len();
        let mut root = vec![0.0; k * k];
        for (vector, weight) in eigen.vectors.chunks_exact(k).zip(weights) {
            let length = weight.sqrt();
            for (v, root) in vector.iter().zip(root.chunks_exact_mut(k)) {
                let v = v * length;
                root.iter_mut().zip(vector).for_each(|(to, x)| *to += v * x);
            }
        }
        Self { center, root }
    }

    /// Whether this is what a fit of k columns produces.
    pub(crate) fn is_sound(&self, k: usize) -> bool {
        let fine = |xs: &[f64]| xs.iter().all(|x| x.abs() <= 1e20);
        self.center.len() == k && self.root.len() == k * k && fine(&self.center) && fine(&self.root)
    }

    pub(crate) fn center(&self) -> &[f64] {
        &self.center
    }

    /// The form of each row of a group (k × [`LANES`]).
    pub(crate) fn group(&self, level: Level, group: &[[f64; LANES]]) -> [f64; LANES] {
        dispatch!(level, _simd => self.lanes(group))
    }

    #[inline(always)]
    fn lanes(&self, group: &[[f64; LANES]]) -> [f64; LANES] {
        /// Lines taken at a time: as many sums as registers hold, none waiting for another.
        const AT_ONCE: usize = 4;
        let k = group.len();
        let mut total = [0.0; LANES];
        let mut add = |sum: &[f64; LANES]| {
            for lane in 0..LANES {
                total[lane] += sum[lane] * sum[lane];
            }
        };
        let mut blocks = self.root.chunks_exact(AT_ONCE * k);
        for block in &mut blocks {
            let (a, rest) = block.split_at(k);
            let (b, rest) = rest.split_at(k);
            let (c, d) = rest.split_at(k);
            let mut sums = [[0.0; LANES]; AT_ONCE];
            for (((((xs, center), a), b), c), d) in group.iter().zip(&self.center).zip(a).zip(b).zip(c).zip(d) {
                for lane in 0..LANES {
                    let x = xs[lane] - center;
                    sums[0][lane] += x * a;
                    sums[1][lane] += x * b;
                    sums[2][lane] += x * c;
                    sums[3][lane] += x * d;
                }
            }
            sums.iter().for_each(&mut add);
        }
        for line in blocks.remainder().chunks_exact(k) {
            let mut sum = [0.0; LANES];
            for ((xs, r), c) in group.iter().zip(line).zip(&self.center) {
                for lane in 0..LANES {
                    sum[lane] += (xs[lane] - c) * r;
                }
            }
            add(&sum);
        }
        total
    }

    /// Each column's part of the form of x into `out`, with the bits of [`group`](Self::group) when summed
    /// in order; the sum.
    pub(crate) fn parts(&self, x: &[f64], out: &mut [f64]) -> f64 {
        let mut total = 0.0;
        for (line, out) in self.root.chunks_exact(x.len()).zip(out) {
            let mut sum = 0.0;
            for ((x, r), c) in x.iter().zip(line).zip(&self.center) {
                sum += (x - c) * r;
            }
            *out = sum * sum;
            total += *out;
        }
        total
    }
}
