//! Location and spread of a column, safe against overflow.

use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use crate::rows::slice_rows;
use crate::steps::order;

/// Numbers taken side by side where their order does not matter.
const SIDE: usize = 8;

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

/// Sorts finite numbers as [`f64::total_cmp`] does: by their first 33 bits, digit after digit, and by comparison what
/// shares these.
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
    let (chunks, rest) = values.as_chunks::<SIDE>();
    let mut most = [0.0_f64; SIDE];
    for chunk in chunks {
        most.iter_mut().zip(chunk).for_each(|(m, x)| *m = m.max(x.abs()));
    }
    power_of_two(most.iter().chain(rest).fold(0.0, |m, x| m.max(x.abs())))
}

fn power_of_two(largest: f64) -> f64 {
    if largest.is_normal() {
        // The exponent without the digits.
        f64::from_bits(largest.to_bits() & f64::INFINITY.to_bits())
    } else if largest == 0.0 {
        0.0
    } else {
        libm::ldexp(1.0, libm::frexp(largest).1 - 1)
    }
}

/// Arithmetic mean and population standard deviation, summed in order.
pub(crate) fn mean_deviation(values: &[f64]) -> (f64, f64) {
    let scale = magnitude(values);
    if scale == 0.0 {
        return (0.0, 0.0);
    }
    let n = values.len() as f64;
    // Dividing by a power of two gives the digits that multiplying does, where the inverse is a number.
    let inverse = 1.0 / scale;
    let (mean, squares) =
        if inverse.is_finite() { moments(values, |x| x * inverse) } else { moments(values, |x| x / scale) };
    scaled(mean, squares, n, scale)
}

/// Mean of the scaled values, and sum of squares about it.
fn moments(values: &[f64], scaled: impl Fn(f64) -> f64) -> (f64, f64) {
    let mean = values.iter().map(|x| scaled(*x)).sum::<f64>() / values.len() as f64;
    let square = |x: &f64| {
        let d = scaled(*x) - mean;
        d * d
    };
    (mean, values.iter().map(square).sum())
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
    // Powers of two: multiplying gives the digits dividing does, where the inverse is a number.
    let inverses: Vec<f64> = units.iter().map(|unit| 1.0 / unit).collect();
    let (sums, squares) = if inverses.iter().all(|x| x.is_finite()) {
        sums(rows, &inverses, |x, inverse| x * inverse)
    } else {
        sums(rows, &units, |x, unit| x / unit)
    };
    let of = |((sum, squares), scale): ((&f64, f64), f64)| scaled(sum / n, squares, n, scale);
    sums.iter().zip(squares).zip(scales).map(of).collect()
}

/// Each column's sum in its unit, and its sum of squares about the mean.
fn sums(rows: ArrayView2<'_, f64>, units: &[f64], scaled: impl Fn(f64, f64) -> f64 + Sync) -> (Vec<f64>, Vec<f64>) {
    let n = rows.nrows() as f64;
    let sums = by_piece(rows, units, |sum, unit, x| sum + scaled(x, unit), |a, b| a + b);
    let of: Vec<(f64, f64)> = units.iter().zip(&sums).map(|(unit, sum)| (*unit, sum / n)).collect();
    let square = |sum: f64, (unit, mean): (f64, f64), x: f64| {
        let d = scaled(x, unit) - mean;
        sum + d * d
    };
    let squares = by_piece(rows, &of, square, |a, b| a + b);
    (sums, squares)
}

/// [`mean_deviation`]'s deviation of every column of rows that lie side by side, to the bit: its sums are taken in the
/// same order.
pub(crate) fn deviations(rows: &[&[f64]]) -> Vec<f64> {
    dispatch!(Level::new(), _simd => side_by_side(rows))
}

#[inline(always)]
fn side_by_side(rows: &[&[f64]]) -> Vec<f64> {
    let k = rows.first().map_or(0, |row| row.len());
    let n = rows.len() as f64;
    let mut scales = vec![0.0_f64; k];
    for row in rows {
        scales.iter_mut().zip(*row).for_each(|(m, x)| *m = m.max(x.abs()));
    }
    scales.iter_mut().for_each(|scale| *scale = power_of_two(*scale));
    let units: Vec<f64> = scales.iter().map(|&scale| if scale == 0.0 { 1.0 } else { scale }).collect();
    let mut means = vec![0.0; k];
    for row in rows {
        means.iter_mut().zip(*row).zip(&units).for_each(|((sum, x), unit)| *sum += x / unit);
    }
    means.iter_mut().for_each(|sum| *sum /= n);
    let mut squares = vec![0.0; k];
    for row in rows {
        for (((sum, x), unit), mean) in squares.iter_mut().zip(*row).zip(&units).zip(&means) {
            let d = x / unit - mean;
            *sum += d * d;
        }
    }
    let of = |((squares, mean), scale): ((f64, &f64), f64)| scaled(*mean, squares, n, scale).1;
    squares.into_iter().zip(&means).zip(scales).map(of).collect()
}

/// The largest magnitude in every column.
pub(crate) fn largest(rows: ArrayView2<'_, f64>) -> Vec<f64> {
    by_piece(rows, &vec![(); rows.ncols()], |m: f64, (), x| m.max(x.abs()), f64::max)
}

/// Every column's values taken together from 0 on, with what `of` has for the column, pieces of rows side by side as
/// they lie in memory, in an order that threads do not change.
fn by_piece<T: Copy + Sync>(
    rows: ArrayView2<'_, f64>,
    of: &[T],
    add: impl Fn(f64, T, f64) -> f64 + Sync,
    join: impl Fn(f64, f64) -> f64,
) -> Vec<f64> {
    const PIECE: usize = 4_096;
    // Of a wide table there are few pieces; its columns are parted, too.
    const COLUMNS: usize = 32;
    let (n, k) = rows.dim();
    let level = Level::new();
    let parts = k.div_ceil(COLUMNS);
    let piece = |i: usize| {
        let (start, first) = (i / parts * PIECE, i % parts * COLUMNS);
        let len = PIECE.min(n - start);
        let rows = slice_rows(rows, start, len);
        let of = &of[first..k.min(first + COLUMNS)];
        let mut out = vec![0.0; of.len()];
        if let Some(values) = rows.as_slice() {
            dispatch!(level, _simd => add_rows(values, k, first, of, &add, &mut out));
        } else if rows.strides()[0] == 1 {
            dispatch!(level, _simd => add_columns(rows, first, of, &add, &mut out));
        } else {
            for row in rows.axis_iter(Axis(0)) {
                out.iter_mut().zip(of).zip(row.iter().skip(first)).for_each(|((to, of), &x)| *to = add(*to, *of, x));
            }
        }
        out
    };
    let pieces: Vec<Vec<f64>> = (0..n.div_ceil(PIECE) * parts).into_par_iter().map(piece).collect();
    let mut out = vec![0.0; k];
    for (i, piece) in pieces.iter().enumerate() {
        out[i % parts * COLUMNS..].iter_mut().zip(piece).for_each(|(to, &x)| *to = join(*to, x));
    }
    out
}

/// Columns `first..` of rows of `k` that lie one after the other, four rows at a time: what is taken together is then
/// read and written once for four.
#[inline(always)]
fn add_rows<T: Copy>(
    values: &[f64],
    k: usize,
    first: usize,
    of: &[T],
    add: &impl Fn(f64, T, f64) -> f64,
    out: &mut [f64],
) {
    let fours = values.chunks_exact(4 * k);
    let rest = fours.remainder();
    for four in fours {
        let [a, b, c, d] = std::array::from_fn(|i| &four[i * k + first..]);
        for (((((to, &of), &a), &b), &c), &d) in out.iter_mut().zip(of).zip(a).zip(b).zip(c).zip(d) {
            *to = add(add(add(add(*to, of, a), of, b), of, c), of, d);
        }
    }
    for row in rest.chunks_exact(k) {
        out.iter_mut().zip(of).zip(&row[first..]).for_each(|((to, &of), &x)| *to = add(*to, of, x));
    }
}

/// The same of columns that lie together, eight side by side: a sum has to wait for the one before it, but not for
/// another column's.
#[inline(always)]
fn add_columns<T: Copy>(
    rows: ArrayView2<'_, f64>,
    first: usize,
    of: &[T],
    add: &impl Fn(f64, T, f64) -> f64,
    out: &mut [f64],
) {
    let n = rows.nrows();
    // Each has a stride of 1, and so is a slice.
    let columns: Vec<&[f64]> =
        rows.axis_iter(Axis(1)).skip(first).take(of.len()).filter_map(|column| column.to_slice()).collect();
    for ((columns, of), out) in columns.chunks(SIDE).zip(of.chunks(SIDE)).zip(out.chunks_mut(SIDE)) {
        // Where there are fewer, the last is taken more than once.
        let last = out.len() - 1;
        let columns: [&[f64]; SIDE] = std::array::from_fn(|j| &columns[j.min(last)][..n]);
        let of: [T; SIDE] = std::array::from_fn(|j| of[j.min(last)]);
        let mut sums = [0.0; SIDE];
        for i in 0..n {
            for ((sum, &of), column) in sums.iter_mut().zip(&of).zip(&columns) {
                *sum = add(*sum, of, column[i]);
            }
        }
        out.copy_from_slice(&sums[..=last]);
    }
}

/// Smallest and largest value; (+∞, −∞) for none.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
        (if x < lo { x } else { lo }, if x > hi { x } else { hi })
    })
}

/// [`range`] of numbers that lie together; of −0 and 0 either may be given.
pub(crate) fn range_of(values: &[f64]) -> (f64, f64) {
    let (chunks, rest) = values.as_chunks::<SIDE>();
    let (mut low, mut high) = ([f64::INFINITY; SIDE], [f64::NEG_INFINITY; SIDE]);
    for chunk in chunks {
        for (i, &x) in chunk.iter().enumerate() {
            low[i] = if x < low[i] { x } else { low[i] };
            high[i] = if x > high[i] { x } else { high[i] };
        }
    }
    let of = |ends: [f64; SIDE]| range(ends.into_iter().chain(rest.iter().copied()));
    (of(low).0, of(high).1)
}

/// [`range_of`]; of −0 and 0 the first is given.
pub(crate) fn range_in_order(values: &[f64]) -> (f64, f64) {
    let (low, high) = range_of(values);
    // Zeros are equal, and differ in their sign.
    let first = |end: f64| if end == 0.0 { values.iter().copied().find(|x| *x == 0.0).unwrap_or(end) } else { end };
    (first(low), first(high))
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
    fn a_range_is_that_of_the_values_in_order() {
        fn check(values: &[f64]) {
            let bits = |(low, high): (f64, f64)| (low.to_bits(), high.to_bits());
            assert_eq!(bits(range_in_order(values)), bits(range(values.iter().copied())), "{values:?}");
        }
        check(&[]);
        check(&[2.0, -1.0, 3.0]);
        check(&[1.0, 0.0, -0.0]);
        check(&[-1.0, -0.0, 0.0, -2.0]);
        for at in 0..20 {
            let mut values = vec![0.0; 20];
            values[at] = -0.0;
            check(&values);
            check(&values.iter().map(|x| -x).collect::<Vec<_>>());
            check(&values[at.min(3)..]);
        }
    }

    #[test]
    fn deviations_side_by_side_are_those_one_by_one() {
        let value = |i: usize, j: usize| match j {
            0 => i as f64 * 0.1 - 1.0,
            1 => 5e-324 * (i % 3) as f64,
            2 => 1e300 * (i as f64 - 20.0),
            3 => 0.1,
            _ => 0.0,
        };
        let rows: Vec<Vec<f64>> = (0..33).map(|i| (0..5).map(|j| value(i, j)).collect()).collect();
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let expect: Vec<u64> =
            (0..5).map(|j| mean_deviation(&rows.iter().map(|row| row[j]).collect::<Vec<_>>()).1.to_bits()).collect();
        assert_eq!(deviations(&rows).into_iter().map(f64::to_bits).collect::<Vec<_>>(), expect);
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
