//! From the root to the leaves, sixteen rows side by side.
//!
//! Numbers are compared as integers of the same order, and trees stand in mirrored heap order: node i
//! of a heap of size n (1 is the root, 2i and 2i + 1 its children) is at place −i mod n. A step is then
//! `at + at − (threshold < value)`, which compiles to a comparison and a subtraction with borrow, and
//! the place of a node is never further than the array's end.

/// Rows packed at a time: 64 rows of 35 columns are 18 kB, and leave room for a tree in the first-level
/// cache.
pub(super) const PACK: usize = 64;

/// Rows walked side by side, so that one row's waiting for memory is another's work.
pub(super) const LANES: usize = 16;

/// Columns up to which a pack lies on the stack.
pub(super) const FAST_COLUMNS: usize = 64;

/// Columns up to which a pack has a size known to the compiler.
pub(super) const WIDE_COLUMNS: usize = 256;

/// A pack of at most 64 columns, column after column.
pub(super) type FastPack = [u64; FAST_COLUMNS * PACK];

/// What one group of a pack of so many columns can see: all up to its last lane of the last column.
const fn group_len(n_columns: usize) -> usize {
    (n_columns - 1) * PACK + LANES
}

/// One tree, ready to be walked: `2^depth` of each, in mirrored order.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub(super) depth: u32,
    /// [`key`]s of the thresholds.
    pub(super) thresholds: &'a [u64],
    /// Where a node's column begins in a pack: its number times [`PACK`].
    pub(super) offsets: &'a [u32],
    pub(super) leaves: &'a [f64],
}

/// The place of a node, or of a leaf, in a mirrored heap of `2^depth`.
pub(super) fn mirror(depth: u32, node: usize) -> usize {
    node.wrapping_neg() & ((1 << depth) - 1)
}

/// An integer in the order of the numbers; −0 and 0 are one.
#[inline(always)]
pub(super) fn key(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    bits ^ ((bits as i64 >> 63) as u64 | 1 << 63)
}

/// The number of a key.
pub(super) fn unkey(key: u64) -> f64 {
    f64::from_bits(key ^ ((!key as i64 >> 63) as u64 | 1 << 63))
}

impl Walk<'_> {
    /// Adds to each row of the pack the value of its leaf; `pack` is k × [`PACK`] keys, whose first
    /// `sums.len()` × [`LANES`] lanes hold rows.
    pub(super) fn add(self, pack: &[u64], sums: &mut [[f64; LANES]]) {
        // The usual shape is compiled for itself: sizes are known, and no bounds are checked.
        if self.depth == 8
            && let Ok(thresholds) = self.thresholds.try_into()
            && let Ok(offsets) = self.offsets.try_into()
            && let Ok(leaves) = self.leaves.try_into()
            && (pack.len() == FAST_COLUMNS * PACK || pack.len() == WIDE_COLUMNS * PACK)
        {
            for (g, sums) in sums.iter_mut().enumerate() {
                let pack = &pack[g * LANES..];
                if pack.len() > FAST_COLUMNS * PACK
                    && let Some(group) = pack.first_chunk::<{ group_len(WIDE_COLUMNS) }>()
                {
                    add_256(thresholds, offsets, leaves, group, sums);
                } else if let Some(group) = pack.first_chunk::<{ group_len(FAST_COLUMNS) }>() {
                    add_256(thresholds, offsets, leaves, group, sums);
                }
            }
            return;
        }
        for (g, sums) in sums.iter_mut().enumerate() {
            for (lane, sum) in sums.iter_mut().enumerate() {
                let at = g * LANES + lane;
                *sum += self.leaves[self.leaf(|offset| pack[offset + at])];
            }
        }
    }

    /// The place of one row's leaf; `value` gives the key at a column's offset.
    #[inline(always)]
    pub(super) fn leaf(self, value: impl Fn(usize) -> u64) -> usize {
        let last = (1 << self.depth) - 1;
        let mut at: usize = last;
        for _ in 0..self.depth {
            let x = value(self.offsets[at] as usize);
            at = (at + at).wrapping_sub(usize::from(self.thresholds[at] < x)) & last;
        }
        at
    }
}

fn add_256<const LEN: usize>(
    thresholds: &[u64; 256],
    offsets: &[u32; 256],
    leaves: &[f64; 256],
    group: &[u64; LEN],
    sums: &mut [f64; LANES],
) {
    // The mask changes no offset, columns being a power of two; it tells the compiler what is in bounds.
    let mask = (LEN - LANES) as u32;
    // At the root all rows meet the same threshold, and their values stand side by side.
    let (threshold, offset) = (thresholds[255], (offsets[255] & mask) as usize);
    let mut at = [0_usize; LANES];
    for lane in 0..LANES {
        at[lane] = 510 - usize::from(threshold < group[offset + lane]);
    }
    for _ in 1..8 {
        for lane in 0..LANES {
            let node = at[lane] & 255;
            let x = group[(offsets[node] & mask) as usize + lane];
            at[lane] = (node + node).wrapping_sub(usize::from(thresholds[node] < x));
        }
    }
    for lane in 0..LANES {
        sums[lane] += leaves[at[lane] & 255];
    }
}

/// Trees of the usual shape that one row walks side by side.
pub(super) const TREES: usize = 8;

/// The values of the leaves that one row comes to in each of [`TREES`] trees of 256 nodes; `keys` are the row's, by
/// column.
pub(super) fn leaves_of<const COLUMNS: usize>(
    thresholds: &[u64; TREES * 256],
    offsets: &[u32; TREES * 256],
    leaves: &[f64; TREES * 256],
    keys: &[u64; COLUMNS],
) -> [f64; TREES] {
    let mut at = [255_usize; TREES];
    for _ in 0..8 {
        for (tree, at) in at.iter_mut().enumerate() {
            let node = tree * 256 + (*at & 255);
            let x = keys[offsets[node] as usize / PACK % COLUMNS];
            *at = (*at + *at).wrapping_sub(usize::from(thresholds[node] < x));
        }
    }
    std::array::from_fn(|tree| leaves[tree * 256 + (at[tree] & 255)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_and_come_back() {
        let numbers = [f64::MIN, -1.0, -5e-324, 0.0, 5e-324, 1.0, f64::MAX, f64::INFINITY];
        assert!(numbers.windows(2).all(|w| key(w[0]) < key(w[1])));
        assert!(numbers.iter().all(|&x| unkey(key(x)) == x));
        assert_eq!(key(-0.0), key(0.0));
    }
}
