//! Putting rows that are near each other next to each other.

use super::BLOCK;

/// The rows in the order of a k-d tree's leaves of [`BLOCK`] rows; only the last may be smaller. With
/// the index each had before.
///
/// The order follows from the rows alone: halves are split by (value, index), and a leaf keeps the
/// order of the fit.
pub(super) fn arrange(rows: &[f64], k: usize) -> (Vec<f64>, Vec<u32>) {
    let n = rows.len() / k;
    let mut order: Vec<u32> = (0..n as u32).collect();
    split(rows, k, &mut order);
    let mut out = Vec::with_capacity(rows.len());
    for &i in &order {
        out.extend_from_slice(&rows[i as usize * k..][..k]);
    }
    (out, order)
}

fn split(rows: &[f64], k: usize, members: &mut [u32]) {
    if members.len() <= BLOCK {
        members.sort_unstable();
        return;
    }
    let column = widest(rows, k, members);
    let value = |i: u32| rows[i as usize * k + column];
    // Whole blocks to the left, so that no block but the last is short.
    let n_left = members.len().div_ceil(BLOCK) / 2 * BLOCK;
    members.select_nth_unstable_by(n_left, |&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
    let (left, right) = members.split_at_mut(n_left);
    rayon::join(|| split(rows, k, left), || split(rows, k, right));
}

/// The column in which the members vary most, judged by at most about a thousand of them.
fn widest(rows: &[f64], k: usize, members: &[u32]) -> usize {
    let mut sums = vec![0.0; k];
    let mut squares = vec![0.0; k];
    let step = members.len().div_ceil(1_024);
    // Sums start from a member, so that a narrow cluster far out does not cancel.
    let Some(&first) = members.iter().min() else { return 0 };
    let origin = &rows[first as usize * k..][..k];
    let mut taken: Vec<u32> = members.to_vec();
    taken.sort_unstable();
    let mut n = 0.0;
    for &i in taken.iter().step_by(step) {
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
