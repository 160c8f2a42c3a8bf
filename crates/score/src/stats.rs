//! Location and spread of a column, safe against overflow.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use crate::rows::slice_rows;
use crate::steps::order;

/// Median by selection; reorders `values`. The mean of the middle two for an even count. 0 for none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return 0.0;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    if n % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    middle(lower, upper)
}

/// Sorts finite numbers as [`f64::total_cmp`] does: by their first 33 bits, digit after digit, and by comparison what shares these.
pub(crate) fn sort(values: &mut [f64]) {
    /// Below this, comparing is as fast.
    const FEW: usize = 1_024;
    const BITS: u32 = 11;
    const DIGITS: usize = 3;
    const REST: u32 = u64::BITS - BITS * DIGITS as u32;
    let n = values.len();
    if n < FEW || u32::try_from(n).is_err() {
        return values.sort_unstable_by(f64::total_cmp);
    }
    let prefix = |x: f64| (order(x) as u64 ^ 1 << 63) >> REST;
    let digit = |x: f64, d: usize| (prefix(x) >> (BITS * d as u32)) as usize % (1 << BITS);
    let mut counts = [[0_u32; 1 << BITS]; DIGITS];
    for &x in values.iter() {
        counts.iter_mut().enumerate().for_each(|(d, counts)| counts[digit(x, d)] += 1);
    }
    let mut buffer = vec![0.0; n];
    for (d, places) in counts.iter_mut().enumerate() {
        let mut before = 0;
        for place in places.iter_mut() {
            before += std::mem::replace(place, before);
        }
        for &x in values.iter() {
            let place = &mut places[digit(x, d)];
            buffer[*place as usize] = x;
            *place += 1;
        }
        values.copy_from_slice(&buffer);
    }
    for run in values.chunk_by_mut(|a, b| prefix(*a) == prefix(*b)) {
        if run.len() > 1 {
            run.sort_unstable_by(f64::total_cmp);
        }
    }
}

/// (a + b) / 2 without overflow.
pub(crate) fn middle(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.is_finite() { 0.5 * sum } else { 0.5 * a + 0.5 * b }
}

/// The power of two that scales the values to at most ±2, so that sums and powers of them do not
/// overflow and lose no bit; 0 when all are 0.
pub(crate) fn magnitude(values: &[f64]) -> f64 {
    power_of_two(values.iter().fold(0.0_f64, |m, x| m.max(x.abs())))
}

fn power_of_two(largest: f64) -> f64 {
    if largest == 0.0 { 0.0 } else { libm::ldexp(1.0, libm::frexp(largest).1 - 1) }
}

/// Arithmetic mean and population standard deviation, summed in order.
pub(crate) fn mean_deviation(values: &[f64]) -> (f64, f64) {
    let scale = magnitude(values);
    if scale == 0.0 {
        return (0.0, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().map(|x| x / scale).sum::<f64>() / n;
    let square = |x: &f64| {
        let d = x / scale - mean;
        d * d
    };
    scaled(mean, values.iter().map(square).sum(), n, scale)
}

/// Mean and deviation in the column's own units, of the sum of squares about a mean in units of `scale`.
fn scaled(mean: f64, squares: f64, n: f64, scale: f64) -> (f64, f64) {
    let deviation = (squares / n).sqrt();
    // Below the rounding of the mean itself there is no spread to speak of.
    let noise = 8.0 * f64::EPSILON * mean.abs();
    (mean * scale, if deviation > noise { deviation * scale } else { 0.0 })
}

/// [`mean_deviation`] of every column, but for the order of sums.
pub(crate) fn spreads(rows: ArrayView2<'_, f64>) -> Vec<(f64, f64)> {
    let n = rows.nrows() as f64;
    let scales: Vec<f64> = largest(rows).into_iter().map(power_of_two).collect();
    // A column of zeros is left as it is.
    let units: Vec<f64> = scales.iter().map(|&scale| if scale == 0.0 { 1.0 } else { scale }).collect();
    let sums = by_piece(rows, |sum, j, x| sum + x / units[j], |a, b| a + b);
    let means: Vec<f64> = sums.iter().map(|sum| sum / n).collect();
    let square = |sum: f64, j: usize, x: f64| {
        let d = x / units[j] - means[j];
        sum + d * d
    };
    let squares = by_piece(rows, square, |a, b| a + b);
    let of = |((mean, squares), scale): ((&f64, f64), f64)| scaled(*mean, squares, n, scale);
    means.iter().zip(squares).zip(scales).map(of).collect()
}

/// The largest magnitude in every column.
pub(crate) fn largest(rows: ArrayView2<'_, f64>) -> Vec<f64> {
    by_piece(rows, |m: f64, _, x| m.max(x.abs()), f64::max)
}

/// Every column's values taken together from 0 on, pieces of rows side by side as they lie in memory, in an order that threads
/// do not change.
fn by_piece(
    rows: ArrayView2<'_, f64>,
    add: impl Fn(f64, usize, f64) -> f64 + Sync,
    join: impl Fn(f64, f64) -> f64,
) -> Vec<f64> {
    const PIECE: usize = 4_096;
    let (n, k) = rows.dim();
    let piece = |i: usize| {
        let rows = slice_rows(rows, i * PIECE, PIECE.min(n - i * PIECE));
        let mut out = vec![0.0; k];
        if rows.strides()[0] == 1 {
            for (j, (to, column)) in out.iter_mut().zip(rows.axis_iter(Axis(1))).enumerate() {
                *to = column.iter().fold(0.0, |sum, &x| add(sum, j, x));
            }
        } else {
            for row in rows.axis_iter(Axis(0)) {
                out.iter_mut().zip(row).enumerate().for_each(|(j, (to, &x))| *to = add(*to, j, x));
            }
        }
        out
    };
    let pieces: Vec<Vec<f64>> = (0..n.div_ceil(PIECE)).into_par_iter().map(piece).collect();
    let mut out = vec![0.0; k];
    pieces.iter().for_each(|piece| out.iter_mut().zip(piece).for_each(|(to, &x)| *to = join(*to, x)));
    out
}

/// Smallest and largest value; (+∞, −∞) for none.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
        (if x < lo { x } else { lo }, if x > hi { x } else { hi })
    })
}

/// x, or ±`limit` beyond it.
pub(crate) fn clip(x: f64, limit: f64) -> f64 {
    let x = if x < limit { x } else { limit };
    if x > -limit { x } else { -limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        fn check(values: &[f64], expect: f64) {
            assert_eq!(median(&mut values.to_vec()), expect, "{values:?}");
        }
        check(&[3.0], 3.0);
        check(&[3.0, 1.0], 2.0);
        check(&[5.0, 1.0, 3.0], 3.0);
        check(&[4.0, 1.0, 3.0, 2.0], 2.5);
        check(&[1.7e308, 1.7e308], 1.7e308);
        check(&[-0.0, 0.0], 0.0);
    }

    #[test]
    fn sorting() {
        fn check(value: impl Fn(i64) -> f64) {
            let mut values: Vec<f64> = (0..5_000).map(|i| value(i * 7_919 % 5_003)).collect();
            let mut expect = values.clone();
            expect.sort_by(f64::total_cmp);
            sort(&mut values);
            assert_eq!(values, expect);
        }
        check(|i| i as f64 - 2_500.0);
        check(|i| 1e6 + i as f64 * 1e-9);
        check(|i| -1e6 - i as f64 * 1e-9);
        check(|i| libm::exp2(i as f64 / 3.0 - 800.0) * if i % 2 == 0 { 1.0 } else { -1.0 });
        check(|i| (i % 3) as f64);
        check(|i| [f64::MAX, f64::MIN, 5e-324, -5e-324, 0.0][(i % 5) as usize]);
    }

    #[test]
    fn spreads() {
        fn check(values: &[f64], mean: f64, deviation: f64) {
            let (m, d) = mean_deviation(values);
            assert!((m - mean).abs() <= 1e-12 * mean.abs(), "{values:?}: mean {m}");
            assert!((d - deviation).abs() <= 1e-12 * deviation, "{values:?}: deviation {d}");
        }
        check(&[1.0, 3.0], 2.0, 1.0);
        check(&[0.1, 0.1, 0.1], 0.1, 0.0);
        check(&[1e300, 3e300], 2e300, 1e300);
        check(&[1e-300, 3e-300], 2e-300, 1e-300);
        check(&[0.0, 0.0], 0.0, 0.0);
    }
}
