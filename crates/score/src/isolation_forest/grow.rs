//! Growing one tree.

use ndarray::{ArrayView2, Axis};
use rand::RngCore;

use super::trees::Sapling;
use crate::rng;
use crate::stats::range_of;

/// ⌈log2 n⌉: the average height of a tree on n rows, beyond which rows are not strange.
pub(crate) fn depth_limit(n_samples: usize) -> u32 {
    n_samples.next_power_of_two().trailing_zeros()
}

/// Expected depth of a row in a random tree on n rows, c(n) of the paper.
pub(crate) fn expected_depth(n: u64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let n = n as f64;
            2.0 * (libm::log(n - 1.0) + EULER) - 2.0 * (n - 1.0) / n
        }
    }
}

/// Grows a tree on `n_samples` rows drawn without replacement.
pub(super) fn grow(rows: ArrayView2<'_, f64>, n_samples: usize, tree: &mut Sapling<'_>, rng: &mut impl RngCore) {
    let k = rows.ncols();
    let mut members = rng::sample(rng, rows.nrows(), n_samples);
    // At most 65,535 columns: the fit checks it.
    let columns = (0..k as u16).collect();
    Grower { rows: rows.view(), columns, values: vec![0.0; n_samples], tree, rng }.node(1, &mut members, k);
}

struct Grower<'a, 'b, R> {
    /// Read where they lie: a tree of many columns looks at few of its sample's values.
    rows: ArrayView2<'a, f64>,
    /// A permutation of the columns; the first `alive` of a node may still vary among its rows.
    columns: Vec<u16>,
    /// Of a node's rows, in the column last looked at.
    values: Vec<f64>,
    tree: &'a mut Sapling<'b>,
    rng: &'a mut R,
}

impl<R: RngCore> Grower<'_, '_, R> {
    fn node(&mut self, at: usize, members: &mut [usize], mut alive: usize) {
        if members.len() < 2 || self.tree.is_last(at) {
            return self.tree.leaf(at, members.len());
        }
        // Draw columns until one varies; what is constant here is constant below, too.
        let (column, low, high) = loop {
            if alive == 0 {
                return self.tree.leaf(at, members.len());
            }
            let pick = rng::below(self.rng, alive);
            let column = self.columns[pick];
            let values = self.rows.index_axis(Axis(1), usize::from(column));
            self.values.iter_mut().zip(&*members).for_each(|(to, &row)| *to = values[row]);
            let (low, high) = range_of(&self.values[..members.len()]);
            if low < high {
                break (column, low, high);
            }
            alive -= 1;
            self.columns.swap(pick, alive);
        };
        let u = rng::unit(self.rng);
        let threshold = low * (1.0 - u) + high * u;
        // Rounding may reach the ends; both sides must keep a row.
        let threshold = if low <= threshold && threshold < high { threshold } else { low };
        self.tree.split(at, members.len(), column, threshold);

        let mut n_left = 0;
        // Which side a row goes to cannot be foretold, so there is no branch: each changes places with the first of
        // those on the right, and stays among them if it is one.
        for (i, &value) in self.values[..members.len()].iter().enumerate() {
            members.swap(i, n_left);
            n_left += usize::from(value <= threshold);
        }
        let (left, right) = members.split_at_mut(n_left);
        self.node(2 * at, left, alive);
        self.node(2 * at + 1, right, alive);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::isolation_forest::trees::Trees;
    use crate::isolation_forest::walk::mirror;

    #[test]
    fn depths() {
        for (n, expect) in [(1, 0), (2, 1), (3, 2), (256, 8), (257, 9)] {
            assert_eq!(depth_limit(n), expect, "{n}");
        }
        // 2 H(255) − 2 × 255 / 256 is 10.2448 with the exact harmonic number.
        assert!((expected_depth(256) - 10.2448).abs() < 1e-3);
    }

    #[test]
    fn a_tree_splits_every_row_from_every_other_or_stops_at_its_depth() {
        let rows = Array2::from_shape_fn((64, 3), |(i, j)| if j == 1 { 7.0 } else { (i * (j + 1)) as f64 });
        let trees = Trees::new(1, 64, |_, sapling| grow(rows.view(), 64, sapling, &mut rng::stream(3, 0)));
        let (splits, counts) = (trees.splits(0).collect::<Vec<_>>(), &trees.counts);
        assert_eq!(counts[1], 64);
        assert!(splits.iter().all(|&(_, column, threshold)| column != 1 && threshold.is_finite()));
        for node in 1..64 {
            let is_split = splits.iter().any(|&(place, ..)| place == mirror(6, node));
            let children = counts[2 * node] + counts[2 * node + 1];
            assert_eq!(children, if is_split { counts[node] } else { 0 });
            assert!(is_split || counts[node] < 2);
        }
    }
}
