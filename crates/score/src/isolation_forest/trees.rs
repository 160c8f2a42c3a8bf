//! Trees of one shape, grown in the layout in which they are walked.

use ndarray::ArrayView1;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::grow::{depth_limit, expected_depth};
use super::walk::{PACK, Walk, key, mirror, unkey};

/// The key of +∞, a threshold no row is above: where there is no split.
const NO_SPLIT: u64 = 0xfff0_0000_0000_0000;

/// Complete binary trees, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Trees {
    n_samples: usize,
    depth: u32,
    /// Trees × 2^depth, as the two that follow: see [`Walk`].
    pub(super) thresholds: Vec<u64>,
    pub(super) offsets: Vec<u32>,
    pub(super) leaves: Vec<f64>,
    /// Trees × 2^(depth + 1) training rows of the nodes in heap order (the root is 1), 0 for what only pads a tree.
    pub(super) counts: Vec<u32>,
}

/// A tree in a snapshot: a heap whose root is 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Heap {
    /// 2^depth thresholds: a value above goes right; +∞ where there is no split.
    thresholds: Vec<f64>,
    /// 2^depth columns.
    columns: Vec<u16>,
    /// 2^(depth + 1) counts of training rows; 0 for what only pads the tree.
    counts: Vec<u32>,
}

/// A tree being made: every node is split or is a leaf, once.
pub(super) struct Sapling<'a> {
    depth: u32,
    /// Expected depth below a node, by its rows.
    depths: &'a [f64],
    thresholds: &'a mut [u64],
    offsets: &'a mut [u32],
    leaves: &'a mut [f64],
    counts: &'a mut [u32],
}

impl Sapling<'_> {
    /// Whether the node lies as deep as nodes go.
    pub(super) fn is_last(&self, node: usize) -> bool {
        node >= self.thresholds.len()
    }

    pub(super) fn split(&mut self, node: usize, n_rows: usize, column: u16, threshold: f64) {
        let place = mirror(self.depth, node);
        self.thresholds[place] = key(threshold);
        self.offsets[place] = u32::from(column) * PACK as u32;
        self.counts[node] = n_rows as u32;
    }

    pub(super) fn leaf(&mut self, node: usize, n_rows: usize) {
        self.counts[node] = n_rows as u32;
        let below = self.depths.get(n_rows).copied().unwrap_or_else(|| expected_depth(n_rows as u64));
        let level = node.ilog2();
        let padding = node << (self.depth - level)..(node + 1) << (self.depth - level);
        padding.for_each(|leaf| self.leaves[mirror(self.depth, leaf)] = f64::from(level) + below);
    }
}

impl Trees {
    /// Makes trees of up to `n_samples` (at most 65,536) rows each: `grow` is given their numbers, on many threads.
    pub(super) fn new(n_trees: usize, n_samples: usize, grow: impl Fn(usize, &mut Sapling<'_>) + Sync) -> Self {
        let depth = depth_limit(n_samples);
        let size = 1 << depth;
        let depths: Vec<f64> = (0..=n_samples as u64).map(expected_depth).collect();
        let (mut thresholds, mut offsets) = (vec![0; n_trees * size], vec![0; n_trees * size]);
        let (mut leaves, mut counts) = (vec![0.0; n_trees * size], vec![0; n_trees * 2 * size]);
        let nodes = thresholds.par_chunks_exact_mut(size).zip(offsets.par_chunks_exact_mut(size));
        let ends = leaves.par_chunks_exact_mut(size).zip(counts.par_chunks_exact_mut(2 * size));
        nodes.zip(ends).enumerate().for_each(|(tree, ((thresholds, offsets), (leaves, counts)))| {
            thresholds.fill(NO_SPLIT);
            grow(tree, &mut Sapling { depth, depths: &depths, thresholds, offsets, leaves, counts });
        });
        Self { n_samples, depth, thresholds, offsets, leaves, counts }
    }

    /// `None` where a heap is of another size or its root of other rows, splits no column there is, or has a threshold
    /// that is no number.
    pub(super) fn from_heaps(n_columns: usize, n_samples: usize, heaps: &[Heap]) -> Option<Self> {
        let size = 1_usize << depth_limit(n_samples);
        let is_sound = |heap: &Heap| {
            heap.thresholds.len() == size
                && heap.columns.len() == size
                && heap.counts.len() == 2 * size
                && heap.counts[1] as usize == n_samples
                && heap.thresholds.iter().all(|&t| t.is_finite() || t == f64::INFINITY)
                && heap.columns.iter().all(|&column| usize::from(column) < n_columns)
        };
        let grow = |tree: usize, sapling: &mut Sapling<'_>| heaps[tree].copy(1, sapling);
        heaps.iter().all(is_sound).then(|| Self::new(heaps.len(), n_samples, grow))
    }

    pub(super) fn to_heaps(&self) -> Vec<Heap> {
        let size = 1 << self.depth;
        let heap = |tree: usize| {
            let walk = self.walk(tree);
            let nodes = || (0..size).map(|node| mirror(self.depth, node));
            Heap {
                thresholds: nodes().map(|place| unkey(walk.thresholds[place])).collect(),
                // An offset is 64 times a column's number, which was 16 bits.
                columns: nodes().map(|place| (walk.offsets[place] / PACK as u32) as u16).collect(),
                counts: self.counts[tree * 2 * size..][..2 * size].to_vec(),
            }
        };
        (0..self.len()).map(heap).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.leaves.len() >> self.depth
    }

    pub(super) fn n_samples(&self) -> usize {
        self.n_samples
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn walk(&self, tree: usize) -> Walk<'_> {
        let nodes = tree << self.depth..(tree + 1) << self.depth;
        Walk {
            depth: self.depth,
            thresholds: &self.thresholds[nodes.clone()],
            offsets: &self.offsets[nodes.clone()],
            leaves: &self.leaves[nodes],
        }
    }

    /// The splits of a tree: at which place, in which column, at which threshold.
    pub(super) fn splits(&self, tree: usize) -> impl Iterator<Item = (usize, usize, f64)> {
        let walk = self.walk(tree);
        let nodes = walk.thresholds.iter().zip(walk.offsets).enumerate();
        nodes
            .filter(|(_, (threshold, _))| **threshold < NO_SPLIT)
            .map(|(place, (&threshold, &offset))| (place, offset as usize / PACK, unkey(threshold)))
    }

    /// Trees × 2^(depth + 1): the mean expected depth of each node's training rows, in heap order.
    pub(super) fn means(&self) -> Vec<f64> {
        let size = 1 << self.depth;
        let mut means = vec![0.0; self.len() * 2 * size];
        means.par_chunks_exact_mut(2 * size).enumerate().for_each(|(tree, means)| {
            let (leaves, counts) = (self.walk(tree).leaves, &self.counts[tree * 2 * size..][..2 * size]);
            for at in 0..size {
                means[size + at] = leaves[mirror(self.depth, at)];
            }
            for at in (1..size).rev() {
                let (left, right) = (f64::from(counts[2 * at]), f64::from(counts[2 * at + 1]));
                let is_split = left + right > 0.0;
                means[at] = if is_split {
                    (left * means[2 * at] + right * means[2 * at + 1]) / (left + right)
                } else {
                    means[2 * at]
                };
            }
        });
        means
    }

    /// How each column of a row changes the mean depth along its paths, summed over the trees, is added to `out`;
    /// `means` are [`Trees::means`]. Returns the sum of the roots' mean depths.
    pub(super) fn add_effects(&self, row: ArrayView1<'_, f64>, means: &[f64], out: &mut [f64]) -> f64 {
        let mut at_roots = 0.0;
        for (tree, means) in means.chunks_exact(2 << self.depth).enumerate() {
            let walk = self.walk(tree);
            at_roots += means[1];
            let mut at = 1;
            for _ in 0..self.depth {
                let place = mirror(self.depth, at);
                let column = walk.offsets[place] as usize / PACK;
                let child = 2 * at + usize::from(walk.thresholds[place] < key(row[column]));
                out[column] += means[child] - means[at];
                at = child;
            }
        }
        at_roots
    }
}

impl Heap {
    fn copy(&self, node: usize, sapling: &mut Sapling<'_>) {
        let n_rows = self.counts[node] as usize;
        if sapling.is_last(node) || self.thresholds[node] == f64::INFINITY {
            return sapling.leaf(node, n_rows);
        }
        sapling.split(node, n_rows, self.columns[node], self.thresholds[node]);
        self.copy(2 * node, sapling);
        self.copy(2 * node + 1, sapling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_split_is_at_infinity() {
        assert_eq!(key(f64::INFINITY), NO_SPLIT);
    }

    /// Four rows: one to the left of the root, and two of the three others alone further down.
    fn heap() -> Heap {
        let no = f64::INFINITY;
        Heap { thresholds: vec![no, 0.5, no, 2.0], columns: vec![0, 1, 0, 0], counts: vec![0, 4, 1, 3, 0, 0, 2, 1] }
    }

    #[test]
    fn heaps_come_back_and_mean_what_they_meant() {
        let trees = Trees::from_heaps(2, 4, &[heap(), heap()]).unwrap();
        let back = trees.to_heaps();
        assert_eq!(back.len(), 2);
        assert_eq!(
            (&back[1].thresholds, &back[1].columns, &back[1].counts),
            (&heap().thresholds, &heap().columns, &heap().counts)
        );
        assert_eq!(trees.splits(1).map(|(_, column, t)| (column, t)).collect::<Vec<_>>(), [(0, 2.0), (1, 0.5)]);
        // The left leaf is one deep; of the right's three rows one is two deep, and two share a leaf there, expected
        // one step further down.
        let right = (2.0 * 3.0 + 2.0) / 3.0;
        assert_eq!(trees.means()[1..8], [(1.0 + 3.0 * right) / 4.0, 1.0, right, 1.0, 1.0, 3.0, 2.0]);
    }

    #[test]
    fn what_no_forest_grows_is_refused() {
        for spoil in [
            |heap: &mut Heap| heap.thresholds[1] = f64::NAN,
            |heap: &mut Heap| heap.thresholds[3] = f64::NEG_INFINITY,
            |heap: &mut Heap| heap.columns[2] = 2,
            |heap: &mut Heap| heap.counts[1] = 5,
            |heap: &mut Heap| heap.thresholds.truncate(3),
            |heap: &mut Heap| heap.columns.truncate(3),
            |heap: &mut Heap| heap.counts.push(0),
        ] {
            let mut spoilt = heap();
            spoil(&mut spoilt);
            assert!(Trees::from_heaps(2, 4, &[heap(), spoilt]).is_none());
        }
    }
}
