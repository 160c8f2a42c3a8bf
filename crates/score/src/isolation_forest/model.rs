use std::sync::OnceLock;

use ndarray::{ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::IsolationForestConfig;
use super::grow::expected_depth;
use super::ranks::Ranks;
use super::trees::{Heap, Trees};
use super::walk::{FAST_COLUMNS, FastPack, LANES, PACK, TREES, WIDE_COLUMNS, key, leaves_of};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::slice_rows;
use crate::{Error, Model, Snapshot};

/// A fitted forest. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct IsolationForest {
    n_columns: usize,
    trees: Trees,
    /// What every row's sum over the trees is divided by; 0 where nothing can be distinguished.
    normal: f64,
    /// The usual shape once more, for many rows.
    pub(super) ranks: Option<Ranks>,
    /// [`Trees::means`], made when first asked why.
    means: OnceLock<Vec<f64>>,
}

/// Rows from which on a pack is faster than row by row.
const FEWEST: usize = 6;

/// Rows from which on ranks are worth looking up.
const MANY: usize = 33;

#[derive(Serialize, Deserialize)]
struct Body {
    n_columns: u64,
    n_samples: u64,
    trees: Vec<Heap>,
}

impl IsolationForest {
    pub(crate) const NAME: &'static str = "isolation_forest";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<IsolationForestConfig> {
        Params::new(IsolationForestConfig::default())
    }

    pub(super) fn new(n_columns: usize, trees: Trees) -> Self {
        Self {
            n_columns,
            normal: trees.len() as f64 * expected_depth(trees.n_samples() as u64),
            ranks: Ranks::new(n_columns, &trees),
            trees,
            means: OnceLock::new(),
        }
    }

    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.trees.len()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let body: Body = snapshot.decode(Self::NAME, Self::VERSION)?;
        let n_columns = usize::try_from(body.n_columns).unwrap_or(0);
        let n_samples = usize::try_from(body.n_samples).unwrap_or(0);
        let invalid = |what: &str| Err(SnapshotError::invalid(Self::NAME, what));
        if n_columns == 0 || !(1..=65_536).contains(&n_samples) || body.trees.is_empty() {
            return invalid("no columns, rows or trees");
        }
        match Trees::from_heaps(n_columns, n_samples, &body.trees) {
            Some(trees) => Ok(Self::new(n_columns, trees)),
            None => invalid("a tree of another size, or that splits no column there is"),
        }
    }

    /// How each column changes the mean expected depth of `row` (k values) along its paths, into
    /// `out` (k places): negative where it isolates the row. Returns the mean expected depth at the
    /// roots; with it the changes add up to E\[h(x)\].
    pub fn path_effects(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) -> f64 {
        out.fill(0.0);
        let means = self.means.get_or_init(|| self.trees.means());
        let at_roots = self.trees.add_effects(row, means, out);
        let n = self.n_trees() as f64;
        out.iter_mut().for_each(|x| *x /= n);
        at_roots / n
    }

    /// From the sum of a row's depths over the trees to its score.
    fn to_score(&self, sum: f64) -> f64 {
        if self.normal > 0.0 { libm::exp2(-sum / self.normal) } else { 0.5 }
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
        if is_small && self.trees.depth() == 8 {
            // Several trees at a time: one's waiting for memory is another's work. The sum is the same, tree after
            // tree.
            let Trees { thresholds, offsets, leaves, .. } = &self.trees;
            let nodes = thresholds.as_chunks().0.iter().zip(offsets.as_chunks().0);
            for ((thresholds, offsets), leaves) in nodes.zip(leaves.as_chunks().0) {
                leaves_of(thresholds, offsets, leaves, &keys).into_iter().for_each(|leaf| sum += leaf);
                done += TREES;
            }
        }
        for tree in done..self.n_trees() {
            let walk = self.trees.walk(tree);
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
            ranks.sums(rows, &self.trees.leaves, out);
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
            for tree in 0..self.n_trees() {
                self.trees.walk(tree).add(pack, sums);
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
        let n_samples = self.trees.n_samples() as u64;
        let body = Body { n_columns: self.n_columns as u64, n_samples, trees: self.trees.to_heaps() };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(IsolationForest);
