//! Distances under a covariance, for fits that need many of them.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use crate::rows::LANES;

/// A centre and the inverse of a covariance's Cholesky factor: rows become uncorrelated, of variance 1.
#[derive(Debug, Clone)]
pub(crate) struct Whitener {
    center: Vec<f64>,
    /// Row i holds i + 1 values.
    inverse: Vec<f64>,
    log_determinant: f64,
}

impl Whitener {
    /// Of a covariance (k × k) with `ridge` added to its diagonal; `None` when that is not positive
    /// definite.
    pub(crate) fn new(center: Vec<f64>, mut matrix: Vec<f64>, ridge: f64) -> Option<Self> {
        let k = center.len();
        (0..k).for_each(|i| matrix[i * k + i] += ridge);
        let level = Level::new();
        let log_determinant = dispatch!(level, _simd => factor(&mut matrix, k))?;
        let inverse = dispatch!(level, _simd => invert(&matrix, k));
        Some(Self { center, inverse, log_determinant })
    }

    /// ln of the covariance's determinant.
    pub(crate) fn log_determinant(&self) -> f64 {
        self.log_determinant
    }

    /// A row (k values) whitened.
    pub(crate) fn whiten(&self, row: &[f64]) -> Vec<f64> {
        let k = self.center.len();
        let mut start = 0;
        let line = |i: usize| {
            let line = &self.inverse[start..=start + i];
            start += i + 1;
            line.iter().zip(row).zip(&self.center).fold(0.0, |sum, ((l, x), c)| sum + l * (x - c))
        };
        (0..k).map(line).collect()
    }

    /// The product of the transposed whitening with `x` (k values): w · whiten(row) is that, times the row less the
    /// centre.
    pub(crate) fn whiten_transposed(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.center.len()];
        let mut start = 0;
        for (i, x) in x.iter().enumerate() {
            let line = &self.inverse[start..=start + i];
            out.iter_mut().zip(line).for_each(|(to, l)| *to += l * x);
            start += i + 1;
        }
        out
    }

    /// Squared distance of each of the rows (n × k) from the centre.
    pub(crate) fn squares(&self, rows: &[f64]) -> Vec<f64> {
        const PIECE: usize = 1_024;
        let k = self.center.len();
        let level = Level::new();
        let mut out = vec![0.0; rows.len() / k];
        out.par_chunks_mut(PIECE).zip(rows.par_chunks(PIECE * k)).for_each_init(
            || vec![[0.0; LANES]; k],
            |lanes, (out, rows)| dispatch!(level, _simd => self.fill(rows, lanes, out)),
        );
        out
    }

    #[inline(always)]
    fn fill(&self, rows: &[f64], lanes: &mut [[f64; LANES]], out: &mut [f64]) {
        let k = self.center.len();
        for (rows, out) in rows.chunks(LANES * k).zip(out.chunks_mut(LANES)) {
            for (lane, row) in rows.chunks_exact(k).enumerate() {
                for ((to, x), c) in lanes.iter_mut().zip(row).zip(&self.center) {
                    to[lane] = x - c;
                }
            }
            let mut total = [0.0; LANES];
            let mut start = 0;
            for i in 0..k {
                let mut sum = [0.0; LANES];
                for (x, l) in lanes.iter().zip(&self.inverse[start..=start + i]) {
                    for lane in 0..LANES {
                        sum[lane] += x[lane] * l;
                    }
                }
                for lane in 0..LANES {
                    total[lane] += sum[lane] * sum[lane];
                }
                start += i + 1;
            }
            out.copy_from_slice(&total[..out.len()]);
        }
    }
}

/// The lower factor in place of the lower half; ln of the determinant.
#[inline(always)]
fn factor(a: &mut [f64], k: usize) -> Option<f64> {
    let mut log = 0.0;
    for i in 0..k {
        let (above, row) = a.split_at_mut(i * k);
        let row = &mut row[..=i];
        for j in 0..i {
            let other = &above[j * k..][..=j];
            let sum = dot(&row[..j], &other[..j]);
            row[j] = (row[j] - sum) / other[j];
        }
        let rest = row[i] - dot(&row[..i], &row[..i]);
        if !(rest > 0.0 && rest < f64::INFINITY) {
            return None;
        }
        row[i] = rest.sqrt();
        log += libm::log(rest);
    }
    Some(log)
}

/// The inverse of a lower factor, row i holding i + 1 values.
#[inline(always)]
fn invert(factor: &[f64], k: usize) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::with_capacity(k * (k + 1) / 2);
    let mut row = vec![0.0; k];
    for i in 0..k {
        row[..=i].fill(0.0);
        let line = &factor[i * k..][..=i];
        let mut start = 0;
        for j in 0..i {
            let l = line[j];
            row.iter_mut().zip(&out[start..=start + j]).for_each(|(to, x)| *to -= l * x);
            start += j + 1;
        }
        row[i] = 1.0;
        out.extend(row[..=i].iter().map(|x| x / line[i]));
    }
    out
}

#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (a, b) in a8.iter().zip(b8) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_and_determinant() {
        let whitener = Whitener::new(vec![1.0, -1.0], vec![4.0, 1.0, 1.0, 2.0], 0.0).unwrap();
        assert!((whitener.log_determinant() - 7.0_f64.ln()).abs() < 1e-14);
        // The inverse is [2, −1; −1, 4] / 7.
        let squares = whitener.squares(&[1.0, -1.0, 2.0, -1.0, 1.0, 0.0, 2.0, 1.0]);
        for (found, expect) in squares.iter().zip([0.0, 2.0 / 7.0, 4.0 / 7.0, (2.0 - 4.0 + 16.0) / 7.0]) {
            assert!((found - expect).abs() < 1e-14, "{found}, expected {expect}");
        }
        assert!(Whitener::new(vec![0.0; 2], vec![1.0, 1.0, 1.0, 1.0], 0.0).is_none());
        assert!(Whitener::new(vec![0.0; 2], vec![1.0, 1.0, 1.0, 1.0], 0.1).is_some());
    }
}
