use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::IsolationForestConfig;
use super::grow::{Tree, depth_limit, expected_depth};
use super::ranks::Ranks;
use super::walk::{FAST_COLUMNS, FastPack, LANES, PACK, TREES, WIDE_COLUMNS, Walk, key, leaves_of, mirror, unkey};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::slice_rows;
use crate::{Error, Model, Snapshot};

/// A fitted forest. See the [module](self) documentation.
#[derive(Debug, Clone)]
pub struct IsolationForest {
    n_columns: usize,
    n_samples: usize,
    depth: u32,
    n_trees: usize,
    /// n_trees × 2^depth, as the two that follow: see [`Walk`].
    thresholds: Vec<u64>,
    offsets: Vec<u32>,
    leaves: Vec<f64>,
    /// n_trees × 2^(depth + 1) mean expected depths of each node's training rows, in heap order.
    means: Vec<f64>,
    /// n_trees × 2^(depth + 1).
    counts: Vec<u32>,
    /// The usual shape once more, for many rows.
    pub(super) ranks: Option<Ranks>,
}

/// Rows from which on a pack is faster than row by row.
const FEWEST: usize = 6;

/// Rows from which on ranks are worth looking up.
const MANY: usize = 33;

#[derive(Serialize, Deserialize)]
struct Body {
    n_columns: u64,
    n_samples: u64,
    trees: Vec<Tree>,
}

impl IsolationForest {
    pub(crate) const NAME: &'static str = "isolation_forest";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<IsolationForestConfig> {
        Params::new(IsolationForestConfig::default())
    }

    pub(super) fn new(n_columns: usize, n_samples: usize, trees: &[Tree]) -> Result<Self, Error> {
        let invalid = |what: &str| Err(SnapshotError::invalid(Self::NAME, what));
        if n_columns == 0 || !(1..=65_536).contains(&n_samples) || trees.is_empty() {
            return invalid("no columns, rows or trees");
        }
        let depth = depth_limit(n_samples);
        let size = 1_usize << depth;
        let sound = |tree: &Tree| {
            tree.thresholds.len() == size
                && tree.columns.len() == size
                && tree.counts.len() == 2 * size
                && !tree.thresholds.iter().any(|x| x.is_nan())
                && tree.columns.iter().all(|&j| usize::from(j) < n_columns)
                && tree.counts[1] as usize == n_samples
        };
        if !trees.iter().all(sound) {
            return invalid("a tree of another size, or that splits no column there is");
        }
        let n_trees = trees.len();
        let mut forest = Self {
            n_columns,
            n_samples,
            depth,
            n_trees,
            thresholds: vec![0; n_trees * size],
            offsets: vec![0; n_trees * size],
            leaves: vec![0.0; n_trees * size],
            means: vec![0.0; n_trees * 2 * size],
            counts: vec![0; n_trees * 2 * size],
            ranks: Ranks::new(n_columns, trees),
        };
        let depths: Vec<f64> = (0..=n_samples as u64).map(expected_depth).collect();
        let nodes = forest.thresholds.par_chunks_mut(size).zip(forest.offsets.par_chunks_mut(size));
        let ends = forest.leaves.par_chunks_mut(size).zip(forest.means.par_chunks_mut(2 * size));
        nodes.zip(ends).zip(forest.counts.par_chunks_mut(2 * size)).zip(trees).for_each(
            |((((thresholds, offsets), (leaves, means)), counts), tree)| {
                node_means(tree, size, &depths, means);
                for at in 0..size {
                    let place = mirror(depth, at);
                    thresholds[place] = key(tree.thresholds[at]);
                    offsets[place] = u32::from(tree.columns[at]) * PACK as u32;
                    leaves[place] = means[size + at];
                }
                counts.copy_from_slice(&tree.counts);
            },
        );
        Ok(forest)
    }

    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.n_trees
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let body: Body = snapshot.decode(Self::NAME, Self::VERSION)?;
        let n_columns = usize::try_from(body.n_columns).unwrap_or(0);
        let n_samples = usize::try_from(body.n_samples).unwrap_or(0);
        Self::new(n_columns, n_samples, &body.trees)
    }

    /// How each column changes the mean expected depth of `row` (k values) along its paths, into
    /// `out` (k places): negative where it isolates the row. Returns the mean expected depth at the
    /// roots; with it the changes add up to E\[h(x)\].
    pub fn path_effects(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) -> f64 {
        out.fill(0.0);
        let mut at_roots = 0.0;
        for tree in 0..self.n_trees {
            let walk = self.walk(tree);
            let means = &self.means[(2 * tree) << self.depth..];
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
        let n = self.n_trees as f64;
        out.iter_mut().for_each(|x| *x /= n);
        at_roots / n
    }

    fn walk(&self, tree: usize) -> Walk<'_> {
        let nodes = tree << self.depth..(tree + 1) << self.depth;
        Walk {
            depth: self.depth,
            thresholds: &self.thresholds[nodes.clone()],
            offsets: &self.offsets[nodes.clone()],
            leaves: &self.leaves[nodes],
        }
    }

    /// From the sum of a row's depths over the trees to its score.
    fn to_score(&self, sum: f64) -> f64 {
        let normal = expected_depth(self.n_samples as u64);
        if normal > 0.0 { libm::exp2(-sum / (self.n_trees as f64 * normal)) } else { 0.5 }
    }

    /// One row by itself: less work than a pack of idle lanes.
    fn score_row(&self, row: ArrayView1<'_, f64>) -> f64 {
        if row.len() <= FAST_COLUMNS {
            self.score_keys::<FAST_COLUMNS>(row)
        } else {
            self.score_keys::<WIDE_COLUMNS>(row)
        }
    }

    fn score_keys<const COLUMNS: usize>(&self, row: ArrayView1<'_, f64>) -> f64 {
        let mut keys = [0; COLUMNS];
        let is_small = row.len() <= COLUMNS;
        if is_small {
            keys.iter_mut().zip(row).for_each(|(to, &x)| *to = key(x));
        }
        let mut sum = 0.0;
        let mut done = 0;
        if is_small && self.depth == 8 {
            // Several trees at a time: one's waiting for memory is another's work. The sum is the same, tree after tree.
            let thresholds = self.thresholds.as_chunks().0;
            for ((thresholds, offsets), leaves) in
                thresholds.iter().zip(self.offsets.as_chunks().0).zip(self.leaves.as_chunks().0)
            {
                leaves_of(thresholds, offsets, leaves, &keys).into_iter().for_each(|leaf| sum += leaf);
                done += TREES;
            }
        }
        for tree in done..self.n_trees {
            let walk = self.walk(tree);
            let leaf = if is_small {
                walk.leaf(|offset| keys[offset / PACK])
            } else {
                walk.leaf(|offset| key(row[offset / PACK]))
            };
            sum += walk.leaves[leaf];
        }
        self.to_score(sum)
    }
}

/// Mean expected depth over each node's training rows, in heap order, into `means`; padding has its leaf's. `depths` are expected
/// below a node, by its rows.
fn node_means(tree: &Tree, size: usize, depths: &[f64], means: &mut [f64]) {
    for at in 1..2 * size {
        let is_padding = at > 1 && !tree.thresholds[at / 2].is_finite();
        let below = |count: u32| depths.get(count as usize).copied().unwrap_or_else(|| expected_depth(count.into()));
        means[at] = if is_padding { means[at / 2] } else { f64::from(at.ilog2()) + below(tree.counts[at]) };
    }
    for at in (1..size).rev() {
        let (left, right) = (f64::from(tree.counts[2 * at]), f64::from(tree.counts[2 * at + 1]));
        if left + right > 0.0 {
            means[at] = (left * means[2 * at] + right * means[2 * at + 1]) / (left + right);
        }
    }
}

/// Rows `start..` as keys, k × [`PACK`], into `pack`.
fn fill(pack: &mut [u64], rows: ArrayView2<'_, f64>) {
    if rows.strides()[0] == 1 {
        for (column, to) in rows.axis_iter(Axis(1)).zip(pack.chunks_exact_mut(PACK)) {
            match column.to_slice() {
                Some(values) => to.iter_mut().zip(values).for_each(|(to, &x)| *to = key(x)),
                None => to.iter_mut().zip(column).for_each(|(to, &x)| *to = key(x)),
            }
        }
    } else {
        for (i, row) in rows.axis_iter(Axis(0)).enumerate() {
            for (to, &x) in pack.chunks_exact_mut(PACK).zip(row) {
                to[i] = key(x);
            }
        }
    }
}

impl Model for IsolationForest {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        if out.len() < FEWEST {
            for (row, out) in rows.outer_iter().zip(out) {
                *out = self.score_row(row);
            }
            return;
        }
        if let Some(ranks) = &self.ranks
            && out.len() >= MANY
        {
            ranks.sums(rows, &self.leaves, out);
            out.iter_mut().for_each(|sum| *sum = self.to_score(*sum));
            return;
        }
        let mut stack: FastPack = [0; FAST_COLUMNS * PACK];
        let mut heap = Vec::new();
        let pack: &mut [u64] = if self.n_columns <= FAST_COLUMNS {
            &mut stack
        } else {
            heap.resize(self.n_columns.max(WIDE_COLUMNS) * PACK, 0);
            &mut heap
        };
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            fill(pack, slice_rows(rows, i * PACK, out.len()));
            let mut sums = [[0.0; LANES]; PACK / LANES];
            let sums = &mut sums[..out.len().div_ceil(LANES)];
            // Tree by tree, so that a tree is read from far once for 64 rows.
            for tree in 0..self.n_trees {
                self.walk(tree).add(pack, sums);
            }
            for (out, sum) in out.iter_mut().zip(sums.as_flattened()) {
                *out = self.to_score(*sum);
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        self.path_effects(row, out);
        let score = self.score_row(row);
        // What lengthened the path makes the row no stranger.
        out.iter_mut().for_each(|x| *x = if *x < 0.0 { -*x } else { 0.0 });
        let total: f64 = out.iter().sum();
        let even = score / out.len() as f64;
        out.iter_mut().for_each(|x| *x = if total > 0.0 { *x / total * score } else { even });
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let size = 1 << self.depth;
        let trees = (0..self.n_trees).map(|tree| {
            let walk = self.walk(tree);
            let nodes = || (0..size).map(|at| mirror(self.depth, at));
            Tree {
                thresholds: nodes().map(|i| unkey(walk.thresholds[i])).collect(),
                // An offset is 64 times a column's number, which was 16 bits.
                columns: nodes().map(|i| (walk.offsets[i] / PACK as u32) as u16).collect(),
                counts: self.counts[tree * 2 * size..][..2 * size].to_vec(),
            }
        });
        let body = Body { n_columns: self.n_columns as u64, n_samples: self.n_samples as u64, trees: trees.collect() };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(IsolationForest);
