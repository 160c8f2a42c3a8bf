//! Weighted means and covariances, in an order that threads do not change.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

/// Rows summed as one piece.
const PIECE: usize = 4_096;

/// Rows of the matrix summed side by side.
const SIDE: usize = 8;

/// Numbers that are made at once, where rows have to be: 8 MiB of them.
const MADE: usize = 1 << 20;

/// Rows of numbers, one after the other, which need not all be in memory.
pub(crate) trait RowSource: Sync {
    fn n_rows(&self) -> usize;

    fn n_columns(&self) -> usize;

    /// Rows `first..first + len`; in `space`, where they have to be made.
    fn rows<'a>(&'a self, first: usize, len: usize, space: &'a mut Vec<f64>) -> &'a [f64];
}

/// Rows of so many columns that are in memory.
struct InMemory<'a>(&'a [f64], usize);

impl RowSource for InMemory<'_> {
    fn n_rows(&self) -> usize {
        self.0.len() / self.1
    }

    fn n_columns(&self) -> usize {
        self.1
    }

    fn rows<'a>(&'a self, first: usize, len: usize, _: &'a mut Vec<f64>) -> &'a [f64] {
        &self.0[first * self.1..][..len * self.1]
    }
}

/// Mean (k) and covariance (k × k) of n × k rows, each counted `weight(i)` times; `None` when the
/// weights' sum is not above 0.
pub(crate) fn covariance(rows: &[f64], k: usize, weight: impl Fn(usize) -> f64 + Sync) -> Option<(Vec<f64>, Vec<f64>)> {
    covariance_of(&InMemory(rows, k), weight)
}

/// [`covariance`] of rows that need not all be in memory, which are asked for twice.
pub(crate) fn covariance_of(
    source: &impl RowSource,
    weight: impl Fn(usize) -> f64 + Sync,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let (n, k) = (source.n_rows(), source.n_columns());
    let pieces: Vec<(f64, Vec<f64>)> = (0..n.div_ceil(PIECE))
        .into_par_iter()
        .map_init(Vec::new, |space, piece| {
            let rows = source.rows(piece * PIECE, PIECE.min(n - piece * PIECE), space);
            let mut total = 0.0;
            let mut sums = vec![0.0; k];
            for (i, row) in rows.chunks_exact(k).enumerate() {
                let w = weight(piece * PIECE + i);
                total += w;
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += w * x);
            }
            (total, sums)
        })
        .collect();
    let total: f64 = pieces.iter().map(|p| p.0).sum();
    // NaN, too, is no weight.
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let mut mean = vec![0.0; k];
    for (_, sums) in &pieces {
        mean.iter_mut().zip(sums).for_each(|(mean, sum)| *mean += sum);
    }
    mean.iter_mut().for_each(|x| *x /= total);

    let level = Level::new();
    let sides = k.div_ceil(SIDE);
    // Few pieces at a time, so that their matrices do not add up to more than the rows.
    let mut out = vec![0.0; sides * SIDE * k];
    let at_once = (n / k / 4).min(MADE / (PIECE * k)).clamp(1, 64);
    let mut space = Vec::new();
    for (group, start) in (0..n).step_by(at_once * PIECE).enumerate() {
        let rows = source.rows(start, (at_once * PIECE).min(n - start), &mut space);
        let n_pieces = rows.len().div_ceil(PIECE * k);
        let parts: Vec<Vec<f64>> = (0..n_pieces * sides)
            .into_par_iter()
            .map(|task| {
                let (piece, side) = (task / sides, task % sides);
                let start = piece * PIECE * k;
                let rows = &rows[start..rows.len().min(start + PIECE * k)];
                let first = (group * at_once + piece) * PIECE;
                let mut out = vec![0.0; SIDE * k];
                dispatch!(level, _simd => products(rows, &mean, side * SIDE, |i| weight(first + i), &mut out));
                out
            })
            .collect();
        for (task, part) in parts.iter().enumerate() {
            let side = &mut out[task % sides * SIDE * k..][..SIDE * k];
            side.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
        }
    }
    out.truncate(k * k);
    // The lower half was summed; the upper mirrors it.
    for i in 0..k {
        for j in 0..=i {
            let x = out[i * k + j] / total;
            out[i * k + j] = x;
            out[j * k + i] = x;
        }
    }
    Some((mean, out))
}

/// Adds the weighted products of columns `first..first + SIDE` with those up to them.
///
/// Eight columns by eight at a time stay in registers for as many rows as stay in the first-level cache; each sum is
/// taken row after row all the same.
#[inline(always)]
fn products(rows: &[f64], mean: &[f64], first: usize, weight: impl Fn(usize) -> f64, out: &mut [f64]) {
    const NEAR: usize = 32;
    let k = mean.len();
    let upto = k.min(first + SIDE);
    let blocks = upto.div_ceil(SIDE);
    // Rows × blocks, less the mean, and the last block once more, weighted.
    let mut centered = vec![[0.0; SIDE]; NEAR * blocks];
    let mut weighted = [[0.0; SIDE]; NEAR];
    let mut sums = vec![[[0.0; SIDE]; SIDE]; blocks];
    for (piece, rows) in rows.chunks(NEAR * k).enumerate() {
        let mut n = 0;
        for (i, row) in rows.chunks_exact(k).enumerate() {
            let w = weight(piece * NEAR + i);
            if w == 0.0 {
                continue;
            }
            let to = centered[n * blocks..][..blocks].as_flattened_mut();
            for ((to, x), m) in to.iter_mut().zip(&row[..upto]).zip(mean) {
                *to = x - m;
            }
            weighted[n] = centered[n * blocks + blocks - 1].map(|x| w * x);
            n += 1;
        }
        for (block, sums) in sums.iter_mut().enumerate() {
            let mut sum = *sums;
            for (centered, weighted) in centered.chunks_exact(blocks).zip(&weighted[..n]) {
                let xs = centered[block];
                for side in 0..SIDE {
                    for lane in 0..SIDE {
                        sum[side][lane] += weighted[side] * xs[lane];
                    }
                }
            }
            *sums = sum;
        }
    }
    for (side, out) in out.chunks_exact_mut(k).enumerate().take(upto - first) {
        for (block, out) in out[..upto].chunks_mut(SIDE).enumerate() {
            out.iter_mut().zip(&sums[block][side]).for_each(|(to, sum)| *to += sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighted_covariance() {
        // The second row twice, the last not at all.
        let rows = [1.0, 2.0, 3.0, -2.0, 100.0, 100.0];
        let (mean, cov) = covariance(&rows, 2, |i| [1.0, 2.0, 0.0][i]).unwrap();
        let (m0, m1) = (7.0 / 3.0, -2.0 / 3.0);
        assert!((mean[0] - m0).abs() < 1e-15 && (mean[1] - m1).abs() < 1e-15);
        let by_hand = |f: &dyn Fn(f64, f64) -> f64| (f(1.0 - m0, 2.0 - m1) + 2.0 * f(3.0 - m0, -2.0 - m1)) / 3.0;
        let expect = [by_hand(&|a, _| a * a), by_hand(&|a, b| a * b), by_hand(&|a, b| a * b), by_hand(&|_, b| b * b)];
        assert!(cov.iter().zip(expect).all(|(c, e)| (c - e).abs() < 1e-14), "{cov:?}");
        assert!(covariance(&rows, 2, |_| 0.0).is_none());
    }

    /// Rows made when they are asked for.
    struct Made(usize, usize);

    impl RowSource for Made {
        fn n_rows(&self) -> usize {
            self.0
        }

        fn n_columns(&self) -> usize {
            self.1
        }

        fn rows<'a>(&'a self, first: usize, len: usize, space: &'a mut Vec<f64>) -> &'a [f64] {
            assert!(len * self.1 <= MADE.max(PIECE * self.1), "{len} rows of {} at once", self.1);
            space.clear();
            space.extend((first * self.1..(first + len) * self.1).map(|i| ((i * 7_919) % 1_009) as f64 / 100.0));
            space
        }
    }

    #[test]
    fn rows_made_when_asked_for_give_the_same_bits() {
        for (n, k) in [(1, 1), (9_000, 21), (30_011, 40), (5_000, 300)] {
            let rows: Vec<f64> = (0..n * k).map(|i| ((i * 7_919) % 1_009) as f64 / 100.0).collect();
            let weight = |i: usize| (i % 3) as f64 + 0.5;
            assert_eq!(covariance_of(&Made(n, k), weight), covariance(&rows, k, weight), "{n} {k}");
        }
    }

    #[test]
    fn many_columns_and_pieces() {
        let (n, k) = (9_000, 21);
        let rows: Vec<f64> = (0..n * k).map(|i| ((i * 7_919) % 1_009) as f64 / 100.0).collect();
        let (mean, cov) = covariance(&rows, k, |_| 1.0).unwrap();
        for (i, j) in [(0, 0), (20, 3), (3, 20), (17, 16)] {
            let at = |j: usize| rows.chunks(k).map(move |r| r[j]);
            let expect = at(i).zip(at(j)).map(|(a, b)| (a - mean[i]) * (b - mean[j])).sum::<f64>() / n as f64;
            assert!((cov[i * k + j] - expect).abs() < 1e-10);
        }
    }
}
