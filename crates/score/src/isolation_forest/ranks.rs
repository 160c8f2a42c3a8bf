//! Rows as ranks among the forest's thresholds, and the walk of 64 of them side by side.
//!
//! A column's value matters only by how many of the forest's thresholds in that column lie below: a value is above a threshold exactly if
//! more of them are below it. So many is a number of up to 16 bits; as seen from each 255 thresholds in turn, which are all below,
//! all above, or in part, it is a byte, and a node asks for the byte that its threshold is among the 255 of. A byte
//! takes an eighth of what the value takes: eight times as many are compared by one instruction, and a pack of rows takes less of the
//! cache. Trees are taken together as long as there are no more than 256 bytes for a row.
//!
//! A rank is looked up: the span of a column's thresholds is cut into buckets of one width, more than there are thresholds, and a
//! bucket knows how many thresholds are in those before it. Rounding keeps the order, so whatever is in an earlier bucket is
//! smaller; a comparison or two settle the rest.
//!
//! The upper levels of a tree are few nodes. All rows of a pack are compared with all of them, and what is not on a row's path is
//! dropped on the way up: this costs less than looking up where each row stands. From there on every row looks up its own.

use fearless_simd::{Level, Simd, dispatch, i8x64, prelude::*};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::grow::Tree;
use super::walk::{PACK, mirror};
use crate::rows::{SIDE, gather, slice_rows};

/// Packs whose ranks are looked up together, and which walk a tree one after the other, at most.
const TILE: usize = 4;

/// Bytes of such packs, so that they stay in the first-level cache.
const CACHED: usize = 24 << 10;

/// Nodes of the only shape that is walked here.
const NODES: usize = 256;

/// Levels all rows are compared with all nodes of.
const LEVELS: u32 = 7;

/// Columns up to which rows are walked by ranks, and bytes of a row there may be.
const MOST_BYTES: usize = 256;

/// Thresholds that a byte counts.
const MOST: usize = u8::MAX as usize;

/// What a pack sees, so that whatever a node says is within: packs overlap where a row has fewer bytes.
const SEEN: usize = MOST_BYTES * PACK + PACK;

/// A node is the number of its byte in the upper 8 bits, and the code of its threshold in the lower 8.
const BYTE: u32 = 24;

/// From a node to where its byte begins in a pack: a shift by 24, and one back for each doubling of [`PACK`].
const OFFSET: u32 = BYTE - PACK.ilog2();

/// Ranks with a sign, which is what processors compare.
#[inline(always)]
fn code(rank: usize) -> i8 {
    (rank as u8 ^ 1 << 7) as i8
}

/// What looks up ranks in one column.
#[derive(Debug, Clone)]
struct Column {
    low: f64,
    /// From the distance to `low` to the bucket.
    scale: f64,
    /// Thresholds in the buckets before each, and in all.
    starts: Vec<u16>,
    /// Ascending, and +∞ to end them.
    thresholds: Vec<f64>,
}

impl Column {
    /// Of at most [`MOST`] × [`MOST_BYTES`] thresholds: [`Ranks::new`] sees to it.
    fn new(mut thresholds: Vec<f64>) -> Self {
        /// So many have a number of 16 bits.
        const MOST_BUCKETS: usize = 1 << 16;
        thresholds.sort_unstable_by(f64::total_cmp);
        let low = thresholds.first().copied().unwrap_or(0.0);
        let high = thresholds.last().copied().unwrap_or(0.0);
        // Fewer where they are many, or they would not stay in the cache.
        let each = if thresholds.len() <= MOST { 8 } else { 4 };
        let n_buckets = (each * thresholds.len()).next_power_of_two().min(MOST_BUCKETS);
        let scale = (n_buckets - 1) as f64 / (high - low);
        // All in one bucket is as right, if slower.
        let scale = if scale.is_finite() { scale } else { 0.0 };
        let mut column = Self { low, scale, starts: vec![0; n_buckets + 1], thresholds: Vec::new() };
        let buckets: Vec<usize> = thresholds.iter().map(|&t| column.bucket(t)).collect();
        let mut next = 0;
        for (before, bucket) in buckets.into_iter().enumerate() {
            if bucket >= next {
                column.starts[next..=bucket].fill(before as u16);
                next = bucket + 1;
            }
        }
        column.starts[next..].fill(thresholds.len() as u16);
        thresholds.push(f64::INFINITY);
        column.thresholds = thresholds;
        column
    }

    /// Bytes of a row.
    fn n_bytes(&self) -> usize {
        bytes_for(self.thresholds.len() - 1)
    }

    /// Never smaller for a larger value.
    #[inline(always)]
    fn bucket(&self, x: f64) -> usize {
        /// A sum with it has the whole part of a small number in its last bits.
        const WHOLE: f64 = (1_u64 << 52) as f64;
        let n_buckets = self.starts.len() - 1;
        let last = (n_buckets - 1) as f64;
        let at = (x - self.low) * self.scale;
        // What is no number, too, goes to the first.
        let at = if at > 0.0 { at } else { 0.0 };
        let at = if at < last { at } else { last };
        (at + WHOLE).to_bits() as usize & (n_buckets - 1)
    }

    /// How many thresholds, all in the bucket or before it, are below the value.
    #[inline(always)]
    fn rank_from(&self, bucket: usize, x: f64) -> usize {
        let mut rank = usize::from(self.starts[bucket]);
        rank += usize::from(self.thresholds[rank] < x);
        // Few buckets have two.
        if self.thresholds[rank] < x {
            let end = usize::from(self.starts[bucket + 1]);
            rank += self.thresholds[rank..end].partition_point(|&t| t < x);
        }
        rank
    }

    fn rank(&self, x: f64) -> usize {
        self.rank_from(self.bucket(x), x)
    }

    /// The codes of up to [`PACK`] values, byte after byte.
    #[inline(always)]
    fn codes(&self, values: &[f64], out: &mut [i8]) {
        let mut ranks = [0; PACK];
        // Below 65,536.
        ranks.iter_mut().zip(values).for_each(|(to, &x)| *to = self.bucket(x) as u16);
        self.search(values, &mut ranks);
        for (byte, out) in out.as_chunks_mut::<PACK>().0.iter_mut().enumerate() {
            let before = (byte * MOST) as u16;
            for (to, &rank) in out.iter_mut().zip(&ranks) {
                let above = rank.saturating_sub(before);
                *to = code(usize::from(if above < MOST as u16 { above } else { MOST as u16 }));
            }
        }
    }

    /// From buckets to ranks, for the plainest processor as [`finish`] is.
    #[inline(never)]
    fn search(&self, values: &[f64], ranks: &mut [u16; PACK]) {
        for (rank, &x) in ranks.iter_mut().zip(values) {
            *rank = self.rank_from((*rank).into(), x) as u16;
        }
    }
}

/// Bytes of a row for so many thresholds of a column.
fn bytes_for(n_thresholds: usize) -> usize {
    n_thresholds.div_ceil(MOST)
}

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
    /// Trees × 256, in mirrored order: see [`BYTE`]. Where there is no split, no rank is above.
    nodes: Vec<u32>,
}

/// The splits of a tree: where, at which threshold, in which column.
fn splits(tree: &Tree) -> impl Iterator<Item = (usize, f64, u16)> {
    let nodes = tree.thresholds.iter().zip(&tree.columns).enumerate();
    nodes.filter(|(_, (t, _))| **t < f64::INFINITY).map(|(at, (&t, &column))| (at, t, column))
}

impl Part {
    fn new(n_columns: usize, trees: &[Tree]) -> Self {
        let mut thresholds: Vec<Vec<f64>> = vec![Vec::new(); n_columns];
        for (_, t, column) in trees.iter().flat_map(splits) {
            thresholds[usize::from(column)].push(t);
        }
        let columns: Vec<Column> = thresholds.into_par_iter().map(Column::new).collect();
        let mut n_bytes = 0;
        let mut firsts = Vec::with_capacity(n_columns);
        for column in &columns {
            firsts.push(n_bytes);
            n_bytes += column.n_bytes();
        }
        let mut nodes = vec![u32::from(code(MOST) as u8); trees.len() * NODES];
        nodes.par_chunks_exact_mut(NODES).zip(trees).for_each(|(nodes, tree)| {
            for (at, t, column) in splits(tree) {
                let rank = columns[usize::from(column)].rank(t);
                let byte = firsts[usize::from(column)] + rank / MOST;
                nodes[mirror(NODES.ilog2(), at)] = (byte as u32) << BYTE | u32::from(code(rank % MOST) as u8);
            }
        });
        Self { columns, n_bytes, nodes }
    }

    /// The codes of rows, pack after pack, in each byte after byte.
    #[inline(always)]
    fn fill(&self, packs: &mut [i8], rows: ArrayView2<'_, f64>) {
        let n = rows.nrows();
        let pack_len = self.n_bytes * PACK;
        let mut fill = |values: &[f64], column: &Column, first: usize| {
            let packs = packs.chunks_exact_mut(pack_len);
            for (pack, values) in packs.zip(values.chunks(PACK)) {
                column.codes(values, &mut pack[first * PACK..][..column.n_bytes() * PACK]);
            }
        };
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
                match lane.to_slice() {
                    Some(values) if !is_gathered => fill(values, column, byte),
                    _ => fill(&buffer[j * n..][..n], column, byte),
                }
                byte += column.n_bytes();
            }
        }
    }
}

impl Ranks {
    /// `None` for a forest of another shape.
    pub(super) fn new(n_columns: usize, trees: &[Tree]) -> Option<Self> {
        if n_columns > MOST_BYTES || trees.iter().any(|tree| tree.columns.len() != NODES) {
            return None;
        }
        // One tree always fits: it has no more than 255 splits.
        let mut runs = Vec::new();
        let mut counts = vec![0; n_columns];
        let mut start = 0;
        for (i, tree) in trees.iter().enumerate() {
            splits(tree).for_each(|(_, _, column)| counts[usize::from(column)] += 1);
            if counts.iter().map(|&count| bytes_for(count)).sum::<usize>() > MOST_BYTES {
                runs.push(&trees[start..i]);
                start = i;
                counts.fill(0);
                splits(tree).for_each(|(_, _, column)| counts[usize::from(column)] += 1);
            }
        }
        runs.push(&trees[start..]);
        Some(Self { parts: runs.into_par_iter().map(|trees| Part::new(n_columns, trees)).collect() })
    }

    /// Each row's sum over the trees, tree after tree, of the value of its leaf: `leaves` are trees × 256, in mirrored order.
    pub(super) fn sums(&self, rows: ArrayView2<'_, f64>, leaves: &[f64], sums: &mut [f64]) {
        let level = Level::new();
        // Where there is AVX-512, masks are registers of their own, and going through them takes longer than two halves do.
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let level = level.as_avx2().map_or(level, Level::Avx2);
        dispatch!(level, simd => self.add_up(simd, rows, leaves, sums));
    }

    #[inline(always)]
    fn add_up<S: Simd>(&self, simd: S, rows: ArrayView2<'_, f64>, leaves: &[f64], out: &mut [f64]) {
        let longest = self.parts.iter().map(|part| part.n_bytes * PACK).max().unwrap_or(0);
        let n_packs = (CACHED / longest.max(1)).clamp(1, TILE);
        let mut packs = vec![0; (out.len().div_ceil(PACK).min(n_packs) - 1) * longest + SEEN];
        for (i, out) in out.chunks_mut(n_packs * PACK).enumerate() {
            let rows = slice_rows(rows, i * n_packs * PACK, out.len());
            let mut sums = [[0.0; PACK]; TILE];
            let sums = &mut sums[..out.len().div_ceil(PACK)];
            let mut leaves = leaves.as_chunks().0.iter();
            for part in &self.parts {
                let pack_len = part.n_bytes * PACK;
                if pack_len > 0 {
                    part.fill(&mut packs, rows);
                }
                for (nodes, leaves) in part.nodes.as_chunks().0.iter().zip(&mut leaves) {
                    for (p, sums) in sums.iter_mut().enumerate() {
                        if let Some(ranks) = packs[p * pack_len..].first_chunk() {
                            let pack = Pack { simd, nodes, ranks };
                            finish(nodes, leaves, ranks, &pack.reached().to_array(), sums);
                        }
                    }
                }
            }
            out.copy_from_slice(&sums.as_flattened()[..out.len()]);
        }
    }
}

/// Rows before a tree.
#[derive(Clone, Copy)]
struct Pack<'a, S> {
    simd: S,
    nodes: &'a [u32; NODES],
    ranks: &'a [i8; SEEN],
}

impl<S: Simd> Pack<'_, S> {
    /// `high` for rows above the threshold of node `at` of the heap, `low` for the others.
    #[inline(always)]
    fn choose(&self, at: usize, low: i8x64<S>, high: i8x64<S>) -> i8x64<S> {
        let node = self.nodes[NODES - at];
        let ranks = i8x64::from_slice(self.simd, &self.ranks[(node >> OFFSET) as usize..][..PACK]);
        ranks.simd_gt(i8x64::splat(self.simd, node as i8)).select(high, low)
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

/// From the places reached on to the leaves, whose values are added. A function of its own, for the plainest processor: with
/// instructions for it at hand the compiler gathers what is cheaper to load.
#[inline(never)]
fn finish(
    nodes: &[u32; NODES],
    leaves: &[f64; NODES],
    ranks: &[i8; SEEN],
    reached: &[i8; PACK],
    sums: &mut [f64; PACK],
) {
    for lane in 0..PACK {
        let mut at = usize::from(reached[lane] as u8);
        for _ in LEVELS..NODES.ilog2() {
            let node = nodes[at];
            let rank = ranks[(node >> OFFSET) as usize + lane];
            at = (at + at).wrapping_sub(usize::from((node as i8) < rank)) % NODES;
        }
        sums[lane] += leaves[at];
    }
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;

    use super::*;
    use crate::isolation_forest::IsolationForest;

    #[test]
    fn a_rank_counts_the_thresholds_below() {
        let crowded: Vec<f64> = (0..200).map(|i| 1.0 + f64::from(i) * 1e-9).chain([-1e300, 1e300, 1e300]).collect();
        let spread: Vec<f64> = (0..255).map(|i| f64::from(i * i % 257)).collect();
        for thresholds in [vec![], vec![-0.0], vec![3.5; 9], vec![f64::MIN, -1.0, 0.0, f64::MAX], crowded, spread] {
            let column = Column::new(thresholds.clone());
            let around = thresholds.iter().flat_map(|t| [t.next_down(), *t, t.next_up()]);
            for x in around.chain([f64::MIN, -1.0, -0.0, 0.0, 5e-324, 1.0, f64::MAX]) {
                let below = thresholds.iter().filter(|&&t| t < x).count();
                assert_eq!(column.rank(x), below, "{x} among {} thresholds", thresholds.len());
            }
        }
    }

    #[test]
    fn a_byte_tells_on_which_side_of_its_thresholds_a_value_is() {
        let many: Vec<f64> = (0..1_500).map(|i| f64::from(i * 7 % 1_111) * 0.25).collect();
        let column = Column::new(many.clone());
        assert_eq!(column.n_bytes(), 6);
        let values: Vec<f64> = (-32..32).map(|i| f64::from(i * 9) + 0.25).collect();
        let mut bytes = [0; 6 * PACK];
        column.codes(&values, &mut bytes);
        for &t in &many {
            let rank = column.rank(t);
            for (lane, &x) in values.iter().enumerate() {
                let is_above = bytes[rank / MOST * PACK + lane] > code(rank % MOST);
                assert_eq!(is_above, x > t, "{x} and {t}");
            }
        }
    }

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
