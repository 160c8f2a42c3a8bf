//! Rows as ranks among the forest's thresholds, and the walk of 64 of them side by side.
//!
//! A column's value matters only by how many of the forest's thresholds in that column lie below: a value is above a
//! threshold exactly if more of them are below it. So many is a number of up to 16 bits; as seen from each 255
//! thresholds in turn, which are all below, all above, or in part, it is a byte, and a node asks for the byte that its
//! threshold is among the 255 of. A byte takes an eighth of what the value takes: eight times as many are compared by
//! one instruction, and a pack of rows takes less of the cache. Trees are taken together as long as there are no more
//! than 256 bytes for a row.
//!
//! The upper levels of a tree are few nodes. All rows of a pack are compared with all of them, and what is not on a
//! row's path is dropped on the way up: this costs less than looking up where each row stands. From there on every row
//! looks up its own.

use std::array::from_ref;
use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch, i8x64, prelude::*};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::column::{Column, MOST, bytes_for, code};
use super::trees::Trees;
use super::walk::PACK;
use crate::rows::{SIDE, gather, slice_rows};

/// Packs whose ranks are looked up together, and which walk a tree one after the other, at most.
const TILE: usize = 4;

/// Bytes of such packs, so that they stay in the first-level cache.
const CACHED: usize = 24 << 10;

/// Trees whose leaves are added up before a row's sum is put down again.
const TOGETHER: usize = 4;

/// Nodes of the only shape that is walked here.
const NODES: usize = 256;

/// Levels all rows are compared with all nodes of.
const LEVELS: u32 = 7;

/// Columns up to which rows are walked by ranks, and bytes of a row there may be.
const MOST_BYTES: usize = 256;

/// What a pack sees, so that whatever a node says is within: packs overlap where a row has fewer bytes.
const SEEN: usize = MOST_BYTES * PACK + PACK;

/// A forest of trees of 256 nodes, by ranks.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    parts: Vec<Part>,
}

/// Trees that share ranks.
#[derive(Debug, Clone)]
struct Part {
    columns: Vec<Column>,
    /// Bytes of a row.
    n_bytes: usize,
    trees: Vec<Nodes>,
}

/// A tree's nodes, in mirrored order.
#[derive(Debug, Clone)]
struct Nodes {
    /// Which byte of a row a node looks at.
    bytes: [u8; NODES],
    /// Of the rank of its threshold; where there is no split, no rank is above.
    codes: [i8; NODES],
}

impl Part {
    /// Of some of the trees, which have so many splits in each column.
    fn new(trees: &Trees, range: Range<usize>, n_splits: &[usize]) -> Self {
        let mut thresholds: Vec<Vec<f64>> = n_splits.iter().map(|&n| Vec::with_capacity(n)).collect();
        for (_, column, t) in range.clone().flat_map(|tree| trees.splits(tree)) {
            thresholds[column].push(t);
        }
        let columns: Vec<Column> = thresholds.par_iter().map(|thresholds| Column::new(thresholds)).collect();
        let mut n_bytes = 0;
        let mut firsts = Vec::with_capacity(columns.len());
        for column in &columns {
            firsts.push(n_bytes);
            n_bytes += column.n_bytes();
        }
        let nodes = |tree| {
            let mut nodes = Nodes { bytes: [0; NODES], codes: [code(MOST as u8); NODES] };
            for (place, column, t) in trees.splits(tree) {
                let rank = columns[column].rank(t);
                // At most 256 bytes, and less than 255.
                nodes.bytes[place] = (firsts[column] + rank / MOST) as u8;
                nodes.codes[place] = code((rank % MOST) as u8);
            }
            nodes
        };
        let trees = range.into_par_iter().map(nodes).collect();
        Self { columns, n_bytes, trees }
    }

    /// The codes of rows, pack after pack, in each byte after byte.
    fn fill(&self, level: Level, packs: &mut [i8], rows: ArrayView2<'_, f64>) {
        let n = rows.nrows();
        let pack_len = self.n_bytes * PACK;
        let mut byte = 0;
        let mut buffer = [0.0; SIDE * TILE * PACK];
        for (at, columns) in self.columns.chunks(SIDE).enumerate() {
            // Columns that lie together are taken as they are.
            let is_gathered = rows.strides()[0] != 1;
            if is_gathered {
                gather(rows.view(), at * SIDE, &mut buffer[..n * columns.len()]);
            }
            for (j, column) in columns.iter().enumerate().filter(|(_, column)| column.n_bytes() > 0) {
                let lane = rows.index_axis_move(Axis(1), at * SIDE + j);
                let values = lane.to_slice().filter(|_| !is_gathered).unwrap_or(&buffer[j * n..][..n]);
                column.fill(level, values, packs, pack_len, byte);
                byte += column.n_bytes();
            }
        }
    }
}

impl Ranks {
    /// `None` for a forest of another shape.
    pub(super) fn new(n_columns: usize, trees: &Trees) -> Option<Self> {
        if n_columns > MOST_BYTES || trees.depth() != NODES.ilog2() {
            return None;
        }
        // One tree always fits: it has no more than 255 splits.
        let mut runs = Vec::new();
        let mut counts = vec![0; n_columns];
        let mut start = 0;
        for tree in 0..trees.len() {
            let before = counts.clone();
            trees.splits(tree).for_each(|(_, column, _)| counts[column] += 1);
            if counts.iter().map(|&count| bytes_for(count)).sum::<usize>() > MOST_BYTES {
                counts.iter_mut().zip(&before).for_each(|(count, before)| *count -= before);
                runs.push((start..tree, before));
                start = tree;
            }
        }
        runs.push((start..trees.len(), counts));
        Some(Self { parts: runs.into_par_iter().map(|(range, counts)| Part::new(trees, range, &counts)).collect() })
    }

    /// Each row's sum over the trees, tree after tree, of the value of its leaf: `leaves` are trees × 256, in mirrored
    /// order.
    pub(super) fn sums(&self, rows: ArrayView2<'_, f64>, leaves: &[f64], sums: &mut [f64]) {
        let level = Level::new();
        // Where there is AVX-512, masks are registers of their own, and going through them takes longer than two halves
        // do.
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let narrow = level.as_avx2().map_or(level, Level::Avx2);
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let narrow = level;
        dispatch!(narrow, simd => self.add_up(simd, level, rows, leaves, sums));
    }

    #[inline(always)]
    fn add_up<S: Simd>(&self, simd: S, level: Level, rows: ArrayView2<'_, f64>, leaves: &[f64], out: &mut [f64]) {
        let longest = self.parts.iter().map(|part| part.n_bytes * PACK).max().unwrap_or(0);
        let n_packs = (CACHED / longest.max(1)).clamp(1, TILE);
        let mut packs = vec![0; (out.len().div_ceil(PACK).min(n_packs) - 1) * longest + SEEN + PACK];
        // From the beginning of a line of memory on.
        let skipped = packs.as_ptr().align_offset(PACK).min(PACK);
        let packs = &mut packs[skipped..];
        for (i, out) in out.chunks_mut(n_packs * PACK).enumerate() {
            let rows = slice_rows(rows, i * n_packs * PACK, out.len());
            let mut sums = [[0.0; PACK]; TILE];
            let sums = &mut sums[..out.len().div_ceil(PACK)];
            let mut leaves = leaves.as_chunks().0;
            for part in &self.parts {
                let pack_len = part.n_bytes * PACK;
                if pack_len > 0 {
                    part.fill(level, packs, rows);
                }
                let (own, others) = leaves.split_at(part.trees.len());
                leaves = others;
                let (groups, trees) = part.trees.as_chunks::<TOGETHER>();
                let (more_leaves, own) = own.as_chunks();
                for (trees, leaves) in groups.iter().zip(more_leaves) {
                    walk(simd, trees, leaves, packs, pack_len, sums);
                }
                for (tree, leaves) in trees.iter().zip(own) {
                    walk(simd, from_ref(tree), from_ref(leaves), packs, pack_len, sums);
                }
            }
            out.copy_from_slice(&sums.as_flattened()[..out.len()]);
        }
    }
}

/// Walks packs through trees one after the other, and adds what their leaves are worth.
#[inline(always)]
fn walk<S: Simd, const N: usize>(
    simd: S,
    trees: &[Nodes; N],
    leaves: &[[f64; NODES]; N],
    packs: &[i8],
    pack_len: usize,
    sums: &mut [[f64; PACK]],
) {
    for (p, sums) in sums.iter_mut().enumerate() {
        if let Some(ranks) = packs[p * pack_len..].first_chunk() {
            let mut reached = [[0; PACK]; N];
            for (to, nodes) in reached.iter_mut().zip(trees) {
                Pack { simd, nodes, ranks }.reached().store_slice(to);
            }
            finish(trees, leaves, ranks, &reached, sums);
        }
    }
}

/// Rows before a tree.
#[derive(Clone, Copy)]
struct Pack<'a, S> {
    simd: S,
    nodes: &'a Nodes,
    ranks: &'a [i8; SEEN],
}

impl<S: Simd> Pack<'_, S> {
    /// `high` for rows above the threshold of node `at` of the heap, `low` for the others.
    #[inline(always)]
    fn choose(&self, at: usize, low: i8x64<S>, high: i8x64<S>) -> i8x64<S> {
        let byte = usize::from(self.nodes.bytes[NODES - at]);
        let ranks = i8x64::from_slice(self.simd, &self.ranks[byte * PACK..][..PACK]);
        ranks.simd_gt(i8x64::splat(self.simd, self.nodes.codes[NODES - at])).select(high, low)
    }

    /// Where the rows that have reached node `at` stand one level further down.
    #[inline(always)]
    fn one(&self, at: usize) -> i8x64<S> {
        let place = |child: usize| i8x64::splat(self.simd, (NODES - child) as i8);
        self.choose(at, place(2 * at), place(2 * at + 1))
    }

    #[inline(always)]
    fn two(&self, at: usize) -> i8x64<S> {
        self.choose(at, self.one(2 * at), self.one(2 * at + 1))
    }

    #[inline(always)]
    fn three(&self, at: usize) -> i8x64<S> {
        self.choose(at, self.two(2 * at), self.two(2 * at + 1))
    }

    #[inline(always)]
    fn four(&self, at: usize) -> i8x64<S> {
        self.choose(at, self.three(2 * at), self.three(2 * at + 1))
    }

    #[inline(always)]
    fn five(&self, at: usize) -> i8x64<S> {
        self.choose(at, self.four(2 * at), self.four(2 * at + 1))
    }

    #[inline(always)]
    fn six(&self, at: usize) -> i8x64<S> {
        self.choose(at, self.five(2 * at), self.five(2 * at + 1))
    }

    /// The places that the rows come to after [`LEVELS`] levels.
    #[inline(always)]
    fn reached(&self) -> i8x64<S> {
        self.choose(1, self.six(2), self.six(3))
    }
}

/// From the places reached on to the leaves, whose values are added. A function of its own, for the plainest processor:
/// with instructions for it at hand the compiler gathers what is cheaper to load.
#[inline(never)]
fn finish<const N: usize>(
    trees: &[Nodes; N],
    leaves: &[[f64; NODES]; N],
    ranks: &[i8; SEEN],
    reached: &[[i8; PACK]; N],
    sums: &mut [f64; PACK],
) {
    for (lane, sum) in sums.iter_mut().enumerate() {
        for tree in 0..N {
            let mut at = usize::from(reached[tree][lane] as u8);
            for _ in LEVELS..NODES.ilog2() {
                let rank = ranks[usize::from(trees[tree].bytes[at]) * PACK + lane];
                at = (at + at).wrapping_sub(usize::from(trees[tree].codes[at] < rank)) % NODES;
            }
            *sum += leaves[tree][at];
        }
    }
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;

    use super::*;
    use crate::isolation_forest::IsolationForest;

    /// Of so many trees that they are taken in several groups, and of columns without a threshold.
    #[test]
    fn groups_of_trees_add_up_as_they_do_for_a_row_alone() {
        let rows = ndarray::Array2::from_shape_fn((400, 4), |(i, j)| match j {
            0 => 1.0,
            _ => ((i * 37 + j * 11) % 401) as f64 * 0.25,
        });
        let params = IsolationForest::params().n_trees(700).check().unwrap();
        let forest = params.fit_rows(rows.view()).unwrap();
        assert!(forest.ranks.as_ref().is_some_and(|ranks| ranks.parts.len() > 1));
        let together = crate::score(&forest, rows.view()).unwrap();
        for (row, score) in rows.outer_iter().zip(&together) {
            let alone = crate::score(&forest, row.insert_axis(Axis(0))).unwrap();
            assert_eq!(alone[0].to_bits(), score.to_bits());
        }
    }
}
