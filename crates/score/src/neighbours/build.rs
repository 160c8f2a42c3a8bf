//! Putting rows that are near each other next to each other.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use super::block::center;
use super::{BLOCK, square_distance};
use crate::linalg::dot;
use crate::stats::median;

/// Up to so many columns, blocks are cut along them at the median, and their boxes exclude most; in more columns their
/// balls do.
const FEW_COLUMNS: usize = 16;

/// A row this many times as far from its leaf's centre as half of the leaf are, squared, is a stray.
const STRAY: f64 = 4.0;

/// The rows in the order of a k-d tree's leaves of [`BLOCK`] rows; only the last may be smaller. With
/// the index each had before.
///
/// A leaf is as wide as its furthest row, and one row in a hundred far from all others makes most leaves too wide to be
/// left out. So in many columns strays, if they are few, have leaves of their own, behind all others.
///
/// The order follows from the rows alone: parts are split by (value, index), and a leaf keeps the
/// order of the fit.
pub(super) fn arrange(rows: &[f64], k: usize) -> (Vec<f64>, Vec<u32>) {
    let n = rows.len() / k;
    let mut order: Vec<u32> = (0..n as u32).collect();
    split(rows, k, &mut order);
    if k > FEW_COLUMNS
        && let Some((mut near, mut strays)) = part_strays(rows, k, &order)
    {
        rayon::join(|| split(rows, k, &mut near), || split(rows, k, &mut strays));
        order = near;
        order.append(&mut strays);
    }
    let mut out = vec![0.0; rows.len()];
    out.par_chunks_mut(BLOCK * k).zip(order.par_chunks(BLOCK)).for_each(|(out, leaf)| {
        out.chunks_exact_mut(k).zip(leaf).for_each(|(to, &i)| to.copy_from_slice(&rows[i as usize * k..][..k]));
    });
    (out, order)
}

/// Whole blocks of rows near their leaf's centre, and the others: all strays, and as many more as fill up. `None` where
/// there are none, or so many that they are no strays.
fn part_strays(rows: &[f64], k: usize, order: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
    let row = |i: u32| &rows[i as usize * k..][..k];
    let ratios = |leaf: &[u32]| {
        let center = center(leaf.iter().map(|&i| row(i)), k);
        let squares: Vec<f64> = leaf.iter().map(|&i| square_distance(row(i), &center)).collect();
        let usual = median(&mut squares.clone());
        let ratio = |square: f64| if square > 0.0 { square / usual } else { 0.0 };
        leaf.iter().zip(squares).map(|(&i, square)| (ratio(square), i)).collect::<Vec<_>>()
    };
    let mut all: Vec<(f64, u32)> = order.par_chunks(BLOCK).flat_map_iter(ratios).collect();
    let n_strays = all.iter().filter(|(ratio, _)| *ratio > STRAY).count();
    let n_near = (all.len() - n_strays) / BLOCK * BLOCK;
    if n_strays == 0 || n_strays > all.len() / 8 || n_near == 0 {
        return None;
    }
    all.select_nth_unstable_by(n_near, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let places = |part: &[(f64, u32)]| part.iter().map(|(_, i)| *i).collect();
    Some((places(&all[..n_near]), places(&all[n_near..])))
}

fn split(rows: &[f64], k: usize, members: &mut [u32]) {
    if members.len() <= BLOCK {
        members.sort_unstable();
        return;
    }
    let taken = sample(members);
    let column = widest(rows, k, &taken);
    let n_blocks = members.len().div_ceil(BLOCK);
    let row = |i: u32| &rows[i as usize * k..][..k];
    let mut valued: Vec<(f64, u32)>;
    // Whole blocks to the left, so that no block but the last is short.
    let n_left = if k <= FEW_COLUMNS {
        valued = members.iter().map(|&i| (row(i)[column], i)).collect();
        n_blocks / 2 * BLOCK
    } else {
        let axis = axis(rows, k, &taken, column);
        let below = parting(along(rows, &taken, &axis));
        valued = along(rows, members, &axis).into_iter().zip(members.iter().copied()).collect();
        let n_below = valued.iter().filter(|(value, _)| *value <= below).count();
        // A quarter to either side at least.
        let fewest = (n_blocks / 4).max(1);
        ((n_below + BLOCK / 2) / BLOCK).clamp(fewest, n_blocks - fewest) * BLOCK
    };
    valued.select_nth_unstable_by(n_left, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    members.iter_mut().zip(&valued).for_each(|(to, (_, i))| *to = *i);
    drop(valued);
    let (left, right) = members.split_at_mut(n_left);
    rayon::join(|| split(rows, k, left), || split(rows, k, right));
}

/// How far along an axis each of the rows lies.
fn along(rows: &[f64], members: &[u32], axis: &[f64]) -> Vec<f64> {
    let k = axis.len();
    dispatch!(Level::new(), _simd => members.iter().map(|&i| dot(&rows[i as usize * k..][..k], axis)).collect())
}

/// From the mean of those below the parting of a column to the mean of the others: where rows lie in clusters, a way
/// along which they are further apart than in any column.
fn axis(rows: &[f64], k: usize, taken: &[u32], column: usize) -> Vec<f64> {
    let value = |i: u32| rows[i as usize * k + column];
    let below = parting(taken.iter().map(|&i| value(i)).collect());
    let n_below = taken.iter().filter(|&&i| value(i) <= below).count() as f64;
    let n_above = taken.len() as f64 - n_below;
    let mut axis = vec![0.0; k];
    for &i in taken {
        let weight = if value(i) <= below { -1.0 / n_below } else { 1.0 / n_above };
        axis.iter_mut().zip(&rows[i as usize * k..][..k]).for_each(|(to, x)| *to += weight * x);
    }
    axis
}

/// At most about a thousand of the members, whatever their order.
fn sample(members: &[u32]) -> Vec<u32> {
    let mut taken: Vec<u32> = members.to_vec();
    taken.sort_unstable();
    taken.into_iter().step_by(members.len().div_ceil(1_024)).collect()
}

/// The largest number of the lower part, where values (at least one) fall into two of which each is as alike as can be:
/// a cluster, then, is cut in two as late as possible (N. Otsu, *A threshold selection method from gray-level
/// histograms*, IEEE Trans. SMC 9, 1979).
fn parting(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let (n, origin) = (values.len() as f64, values[0]);
    let total: f64 = values.iter().map(|x| x - origin).sum();
    let mut best = (f64::NEG_INFINITY, origin);
    let (mut count, mut sum) = (0.0, 0.0);
    for &x in &values {
        count += 1.0;
        sum += x - origin;
        // The square of how far the parts' means are apart, by the product of their sizes.
        let off = sum * n - total * count;
        let between = off * off / (count * (n - count));
        if between > best.0 {
            best = (between, x);
        }
    }
    best.1
}

/// The column in which these vary most.
fn widest(rows: &[f64], k: usize, taken: &[u32]) -> usize {
    dispatch!(Level::new(), _simd => widest_of(rows, k, taken))
}

#[inline(always)]
fn widest_of(rows: &[f64], k: usize, taken: &[u32]) -> usize {
    let mut sums = vec![0.0; k];
    let mut squares = vec![0.0; k];
    // Sums start from a member, so that a narrow cluster far out does not cancel.
    let Some(&first) = taken.first() else { return 0 };
    let origin = &rows[first as usize * k..][..k];
    let mut n = 0.0;
    for &i in taken {
        n += 1.0;
        for (j, (x, o)) in rows[i as usize * k..][..k].iter().zip(origin).enumerate() {
            let d = x - o;
            sums[j] += d;
            squares[j] += d * d;
        }
    }
    let mut best = (0, f64::NEG_INFINITY);
    for j in 0..k {
        let spread = squares[j] - sums[j] * sums[j] / n;
        if spread > best.1 {
            best = (j, spread);
        }
    }
    best.0
}
