//! How many of a forest's thresholds in a column are below a value.
//!
//! The span of the thresholds is cut into buckets of one width, and a bucket knows how many thresholds are in those
//! before it. Rounding keeps the order, so whatever is in an earlier bucket is smaller; a comparison or two settle the
//! rest.
//!
//! Where there are few thresholds and a register holds 64 bytes, 64 values are looked up at once: a bucket is cut
//! into 256 again, tables are permuted by where the values are, and only a value so near a threshold that both are in
//! one such part is compared with the thresholds themselves.

use fearless_simd::{Level, Simd, dispatch, i8x64, mask8x64, prelude::*, u8x64};

use super::walk::PACK;
use crate::stats::range_of;

/// Thresholds that a byte counts.
pub(super) const MOST: usize = u8::MAX as usize;

/// Bytes of a row for so many thresholds of a column.
pub(super) fn bytes_for(n_thresholds: usize) -> usize {
    n_thresholds.div_ceil(MOST)
}

/// A rank with a sign, which is what processors compare.
#[inline(always)]
pub(super) fn code(rank: u8) -> i8 {
    (rank ^ 1 << 7) as i8
}

/// What looks up ranks in one column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    low: f64,
    /// From the distance to `low` to the place.
    scale: f64,
    table: Table,
}

#[derive(Debug, Clone)]
enum Table {
    /// At most [`MOST`]: a rank is a byte, sizes are known and no bounds are checked.
    Few(Box<Few>),
    Many(Many),
}

/// Buckets of a column of few thresholds.
const BUCKETS: usize = 1024;

/// Parts of such a bucket.
const PARTS: usize = 256;

/// In this order, each table is in whole lines of memory.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
struct Few {
    /// Thresholds in the buckets before each.
    starts: [u8; BUCKETS],
    /// And with those in the bucket.
    ends: [u8; BUCKETS],
    /// In which part of its bucket each threshold is.
    parts: [u8; MOST + 1],
    /// Ascending, +∞ after them. A rank of a byte and two more are within.
    thresholds: [f64; MOST + 3],
}

/// At most [`MOST`] × 256.
#[derive(Debug, Clone)]
struct Many {
    /// Thresholds in the buckets before each. There is a power of two of them, with a number of 16 bits.
    starts: Vec<u16>,
    /// Ascending, and +∞ to end them.
    thresholds: Vec<f64>,
}

/// The number of the place, of so many, that a value is in which lies so far from the first: never smaller for a larger
/// value.
#[inline(always)]
fn place(at: f64, n_places: usize) -> u32 {
    /// A sum with it has the whole part of a small number in its last bits.
    const WHOLE: f64 = (1_u64 << 52) as f64;
    let last = (n_places - 1) as f64;
    // What is no number, too, goes to the first.
    let at = if at > 0.0 { at } else { 0.0 };
    let at = if at < last { at } else { last };
    (at + WHOLE).to_bits() as u32
}

impl Column {
    pub(super) fn new(thresholds: &[f64]) -> Self {
        let (low, high) = if thresholds.is_empty() { (0.0, 0.0) } else { range_of(thresholds) };
        let is_few = thresholds.len() <= MOST;
        let n_places = if is_few { BUCKETS * PARTS } else { Many::n_buckets(thresholds.len()) };
        let scale = (n_places - 1) as f64 / (high - low);
        // All in one place is as right, if slower.
        let scale = if scale.is_finite() { scale } else { 0.0 };
        let place = |t: f64| place((t - low) * scale, n_places);
        let table = if is_few {
            Table::Few(Box::new(Few::new(thresholds, place)))
        } else {
            Table::Many(Many::new(thresholds.to_vec(), place))
        };
        Self { low, scale, table }
    }

    /// Bytes of a row.
    pub(super) fn n_bytes(&self) -> usize {
        match &self.table {
            Table::Few(few) => usize::from(few.thresholds[0] < f64::INFINITY),
            Table::Many(many) => bytes_for(many.thresholds.len() - 1),
        }
    }

    pub(super) fn rank(&self, x: f64) -> usize {
        let at = (x - self.low) * self.scale;
        match &self.table {
            Table::Few(few) => few.rank(place(at, BUCKETS * PARTS) / PARTS as u32, x).into(),
            Table::Many(many) => many.rank(place(at, many.starts.len()) as u16, x).into(),
        }
    }

    /// The codes of values, up to [`PACK`] for each of the packs, which are `pack_len` long: byte after byte from
    /// `first` on.
    pub(super) fn fill(&self, level: Level, values: &[f64], packs: &mut [i8], pack_len: usize, first: usize) {
        dispatch!(level, simd => self.fill_with(simd, values, packs, pack_len, first));
    }

    #[inline(always)]
    fn fill_with<S: Simd>(&self, simd: S, values: &[f64], packs: &mut [i8], pack_len: usize, first: usize) {
        for (pack, values) in packs.chunks_exact_mut(pack_len).zip(values.chunks(PACK)) {
            let out = &mut pack[first * PACK..][..self.n_bytes() * PACK];
            match &self.table {
                Table::Few(few) => self.few_codes(simd, few, values, out),
                Table::Many(many) => self.many_codes(many, values, out),
            }
        }
    }

    #[inline(always)]
    fn few_codes<S: Simd>(&self, simd: S, few: &Few, values: &[f64], out: &mut [i8]) {
        let mut places = [0; PACK];
        let place = |x: f64| place((x - self.low) * self.scale, BUCKETS * PARTS);
        places.iter_mut().zip(values).for_each(|(to, &x)| *to = place(x));
        match (<&mut [i8; PACK]>::try_from(&mut *out), <&[f64; PACK]>::try_from(values)) {
            (Ok(out), Ok(values)) if S::u8s::LEN == PACK => few.permuted(simd, values, &places, out),
            _ => few.codes(values, &places, out),
        }
    }

    #[inline(always)]
    fn many_codes(&self, many: &Many, values: &[f64], out: &mut [i8]) {
        let mut ranks = [0; PACK];
        let n_buckets = many.starts.len();
        let bucket = |x: f64| place((x - self.low) * self.scale, n_buckets) as u16;
        ranks.iter_mut().zip(values).for_each(|(to, &x)| *to = bucket(x));
        many.search(values, &mut ranks);
        for (byte, out) in out.as_chunks_mut::<PACK>().0.iter_mut().enumerate() {
            let before = (byte * MOST) as u16;
            for (to, &rank) in out.iter_mut().zip(&ranks) {
                let above = rank.saturating_sub(before);
                *to = code(if above < MOST as u16 { above as u8 } else { MOST as u8 });
            }
        }
    }
}

impl Few {
    fn new(unsorted: &[f64], place: impl Fn(f64) -> u32) -> Self {
        let mut few = Self {
            starts: [0; BUCKETS],
            ends: [0; BUCKETS],
            parts: [0; MOST + 1],
            thresholds: [f64::INFINITY; MOST + 3],
        };
        let bucket = |t: f64| place(t) as usize / PARTS;
        unsorted.iter().for_each(|&t| few.ends[bucket(t)] += 1);
        let mut end = 0;
        for (start, ends) in few.starts.iter_mut().zip(&mut few.ends) {
            end += *ends;
            // Counted down to where the bucket starts, as it is filled.
            (*start, *ends) = (end, end);
        }
        for &t in unsorted {
            let start = &mut few.starts[bucket(t)];
            *start -= 1;
            few.thresholds[usize::from(*start)] = t;
        }
        // Few are not in order by now: those of one bucket.
        let thresholds = &mut few.thresholds[..unsorted.len()];
        for i in 1..thresholds.len() {
            let mut to = i;
            while to > 0 && thresholds[to - 1] > thresholds[to] {
                thresholds.swap(to - 1, to);
                to -= 1;
            }
        }
        few.parts.iter_mut().zip(&*thresholds).for_each(|(part, &t)| *part = place(t) as u8);
        few
    }

    /// How many thresholds are below the value.
    #[inline(always)]
    fn rank(&self, bucket: u32, x: f64) -> u8 {
        let start = usize::from(self.starts[bucket as usize % BUCKETS]);
        // Hardly any bucket has three.
        if self.thresholds[start + 2] < x {
            return self.search(x);
        }
        // No more than there are: +∞ is below nothing.
        (start + usize::from(self.thresholds[start] < x) + usize::from(self.thresholds[start + 1] < x)) as u8
    }

    fn search(&self, x: f64) -> u8 {
        self.thresholds.partition_point(|&t| t < x) as u8
    }

    /// From places to codes, for the plainest processor: with instructions for it at hand the compiler gathers what is
    /// cheaper to load.
    #[inline(never)]
    fn codes(&self, values: &[f64], places: &[u32; PACK], out: &mut [i8]) {
        for ((to, &x), &place) in out.iter_mut().zip(values).zip(places) {
            *to = code(self.rank(place / PARTS as u32, x));
        }
    }

    /// [`Few::codes`] of 64 at once.
    #[inline(always)]
    fn permuted<S: Simd>(&self, simd: S, values: &[f64; PACK], places: &[u32; PACK], out: &mut [i8; PACK]) {
        /// Thresholds of a bucket that values are compared with.
        const STEPS: usize = 3;
        let mut bytes = [[0; PACK]; 3];
        for (shift, bytes) in bytes.iter_mut().enumerate() {
            bytes.iter_mut().zip(places).for_each(|(to, &place)| *to = (place >> (8 * shift)) as u8);
        }
        let part = u8x64::from_slice(simd, &bytes[0]);
        let bucket = u8x64::from_slice(simd, &bytes[1]);
        let high = u8x64::from_slice(simd, &bytes[2]);
        let (one, half) = (u8x64::splat(simd, 1), u8x64::splat(simd, 128));
        let bits = [bucket.simd_ge(half), (high & one).simd_eq(one), high.simd_gt(one)];
        let mut rank = lookup(simd, &self.starts, bucket, bits);
        let end = lookup(simd, &self.ends, bucket, bits);
        // Those for which there is a threshold to compare with, and those which are in one place with it.
        let mut open = rank.simd_lt(end);
        let mut unsettled = rank.simd_gt(end);
        for _ in 0..STEPS {
            let other = pick(simd, &self.parts, rank, rank.simd_ge(half));
            unsettled |= open & part.simd_eq(other);
            open &= part.simd_gt(other);
            rank = open.select(rank + one, rank);
            open &= rank.simd_lt(end);
        }
        (rank ^ half).bitcast::<i8x64<S>>().store_slice(out);
        let mut unsettled = (unsettled | open).to_bitmask();
        while unsettled != 0 {
            let lane = unsettled.trailing_zeros() as usize % PACK;
            // All before its rank are below.
            let rank = usize::from(out[lane] as u8 ^ 1 << 7);
            let next = rank + usize::from(self.thresholds[rank] < values[lane]);
            let is_settled = self.thresholds[next] >= values[lane];
            out[lane] = code(if is_settled { next as u8 } else { self.search(values[lane]) });
            unsettled &= unsettled - 1;
        }
    }
}

/// Of 256 bytes those that indices say: of their upper half where `is_high`.
#[inline(always)]
fn pick<S: Simd>(simd: S, bytes: &[u8; 256], at: u8x64<S>, is_high: mask8x64<S>) -> u8x64<S> {
    let (a, b) = (u8x64::from_slice(simd, &bytes[..PACK]), u8x64::from_slice(simd, &bytes[PACK..2 * PACK]));
    let (c, d) = (u8x64::from_slice(simd, &bytes[2 * PACK..3 * PACK]), u8x64::from_slice(simd, &bytes[3 * PACK..]));
    is_high.select(c.concat_swizzle_dyn(d, at), a.concat_swizzle_dyn(b, at))
}

/// Of a table those that numbers of ten bits say: the lower seven, and the upper three.
#[inline(always)]
fn lookup<S: Simd>(simd: S, table: &[u8; BUCKETS], at: u8x64<S>, bits: [mask8x64<S>; 3]) -> u8x64<S> {
    let (quarters, _) = table.as_chunks();
    let (a, b) = (pick(simd, &quarters[0], at, bits[0]), pick(simd, &quarters[1], at, bits[0]));
    let (c, d) = (pick(simd, &quarters[2], at, bits[0]), pick(simd, &quarters[3], at, bits[0]));
    bits[2].select(bits[1].select(d, c), bits[1].select(b, a))
}

impl Many {
    fn n_buckets(n_thresholds: usize) -> usize {
        (4 * n_thresholds).next_power_of_two().min(1 << u16::BITS)
    }

    fn new(mut thresholds: Vec<f64>, place: impl Fn(f64) -> u32) -> Self {
        let mut starts = vec![0; Self::n_buckets(thresholds.len())];
        thresholds.iter().for_each(|&t| starts[place(t) as usize] += 1);
        let mut before = 0;
        for start in &mut starts {
            before += std::mem::replace(start, before);
        }
        thresholds.sort_unstable_by(f64::total_cmp);
        thresholds.push(f64::INFINITY);
        Self { starts, thresholds }
    }

    /// How many thresholds are below the value.
    #[inline(always)]
    fn rank(&self, bucket: u16, x: f64) -> u16 {
        let mut rank = usize::from(self.starts[usize::from(bucket)]);
        rank += usize::from(self.thresholds[rank] < x);
        // Few buckets have two.
        if self.thresholds[rank] < x {
            let end = self.starts.get(usize::from(bucket) + 1).map_or(self.thresholds.len(), |&end| end.into());
            rank += self.thresholds[rank..end].partition_point(|&t| t < x);
        }
        // At most 65,280.
        rank as u16
    }

    /// From buckets to ranks, for the plainest processor as [`Few::codes`] is.
    #[inline(never)]
    fn search(&self, values: &[f64], ranks: &mut [u16; PACK]) {
        for (rank, &x) in ranks.iter_mut().zip(values) {
            *rank = self.rank(*rank, x);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngCore;

    use super::*;
    use crate::rng;

    fn below(thresholds: &[f64], x: f64) -> usize {
        thresholds.iter().filter(|&&t| t < x).count()
    }

    /// Thresholds that lie in all ways: apart, together, on each other, at the ends of what numbers there are.
    fn columns() -> Vec<Vec<f64>> {
        let mut rng = rng::stream(5, 0);
        let mut draw = |n: usize, make: fn(f64) -> f64| (0..n).map(|_| make(rng::unit(&mut rng))).collect::<Vec<f64>>();
        let crowded = (0..200).map(|i| 1.0 + f64::from(i) * 1e-9).chain([-1e300, 1e300, 1e300]).collect();
        vec![
            vec![],
            vec![-0.0],
            vec![3.5; 9],
            vec![f64::MIN, -1.0, 0.0, f64::MAX],
            crowded,
            (0..255).map(|i| f64::from(i * i % 257)).collect(),
            draw(255, |u| u),
            draw(255, |u| u * u * u * u * u),
            draw(254, |u| (u * 40.0).floor()),
            draw(255, |u| 1.0 / (u + 1e-9)),
            draw(130, |u| 1e9 + u * 1e-3),
            draw(256, |u| u),
            draw(3_000, |u| (u * 900.0).floor()),
            draw(3_000, |u| u * u * u),
        ]
    }

    /// Values around the thresholds, and among them.
    fn values(thresholds: &[f64]) -> Vec<f64> {
        let mut rng = rng::stream(6, 0);
        let around = thresholds.iter().flat_map(|t| [t.next_down(), *t, t.next_up()]);
        let mut values: Vec<f64> = around.chain([f64::MIN, -1.0, -0.0, 0.0, 5e-324, 1.0, f64::MAX]).collect();
        let (low, high) = if thresholds.is_empty() { (0.0, 1.0) } else { range_of(thresholds) };
        values.extend((0..1_000).map(|_| low + rng::unit(&mut rng) * (high / 2.0 - low / 2.0) * 2.0));
        // In an order that mixes near and far.
        (1..values.len()).for_each(|i| values.swap(i, rng.next_u64() as usize % i));
        values.retain(|x| x.is_finite());
        values
    }

    #[test]
    fn a_rank_counts_the_thresholds_below() {
        for thresholds in columns() {
            let column = Column::new(&thresholds);
            for x in values(&thresholds) {
                assert_eq!(column.rank(x), below(&thresholds, x), "{x} among {} thresholds", thresholds.len());
            }
        }
    }

    fn levels() -> Vec<Level> {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let narrower = Level::new().as_avx2().map(Level::Avx2);
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let narrower = None;
        [Some(Level::new()), narrower].into_iter().flatten().collect()
    }

    #[test]
    fn a_byte_tells_on_which_side_of_its_thresholds_a_value_is_whatever_the_processor() {
        for (thresholds, level) in
            columns().iter().flat_map(|column| levels().into_iter().map(move |level| (column, level)))
        {
            let column = Column::new(thresholds);
            let n_bytes = column.n_bytes();
            assert_eq!(n_bytes, thresholds.len().div_ceil(MOST));
            if n_bytes == 0 {
                continue;
            }
            // A byte before and one after are another column's.
            let pack_len = (n_bytes + 2) * PACK;
            let values = values(thresholds);
            let mut packs = vec![99; values.len().div_ceil(PACK) * pack_len];
            column.fill(level, &values, &mut packs, pack_len, 1);
            for (pack, values) in packs.chunks_exact(pack_len).zip(values.chunks(PACK)) {
                assert!(pack[..PACK].iter().chain(&pack[pack_len - PACK..]).all(|&byte| byte == 99));
                for (lane, &x) in values.iter().enumerate() {
                    let rank = below(thresholds, x);
                    for byte in 0..n_bytes {
                        let counted = rank.saturating_sub(byte * MOST).min(MOST);
                        assert_eq!(
                            pack[(byte + 1) * PACK + lane],
                            code(counted as u8),
                            "{x} among {} thresholds",
                            thresholds.len()
                        );
                    }
                }
            }
        }
    }
}
