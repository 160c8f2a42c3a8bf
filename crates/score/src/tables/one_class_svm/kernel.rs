//! Rows of the matrix of kernels, computed when they are asked for and kept while there is room.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use crate::kde::exp;

/// Rows side by side.
const LANES: usize = 8;

/// Rows of the matrix computed side by side.
const TOGETHER: usize = 4;

/// Groups of lanes that stay near while all others pass by.
const TILE: usize = 16;

/// Multiplications from which on a second thread pays.
const MUCH: usize = 1 << 17;

/// The precision of kernels: 32 bits as in libsvm, or 64.
pub(super) trait Real: Copy + Send + Sync + std::ops::Sub<Output = Self> + std::ops::Mul<Output = Self> {
    const ZERO: Self;
    fn of(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn plus(self, other: Self) -> Self;
    /// exp(−self), of no negative number.
    fn kernel(self) -> Self;
}

macro_rules! real {
    ($($t:ty, $exp:path;)*) => {$(
        impl Real for $t {
            const ZERO: Self = 0.0;
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn kernel(self) -> Self {
                $exp(-self)
            }
        }
    )*};
}
real! {
    f32, exp_32;
    f64, exp;
}

/// [`exp`] of no positive number in 32 bits, to three units in the last place; 0 below −87.
#[inline(always)]
fn exp_32(x: f32) -> f32 {
    /// Adding it leaves the nearest integer in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    /// ln 2 in two parts, of which the first has few bits.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let clipped = if x > -87.0 { x } else { -87.0 };
    let shifted = clipped * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = clipped - n * LN_2_HIGH - n * LN_2_LOW;
    // |r| ≤ 0.35: seven terms of the series.
    let mut sum = 1.0 / 5_040.0;
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        sum = sum * r + 1.0 / factorial;
    }
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x > -87.0 { sum * power } else { 0.0 }
}

/// The rows of a fit in units in which a kernel is exp(−|x − y|²).
pub(super) struct Rows<T> {
    level: Level,
    n: usize,
    k: usize,
    /// Row after row.
    rows: Vec<T>,
    /// Groups × k.
    groups: Vec<[T; LANES]>,
}

impl<T: Real> Rows<T> {
    /// From n × k values, of which each is multiplied by `factor`.
    pub(super) fn new(values: &[f64], k: usize, factor: f64) -> Self {
        let n = values.len() / k;
        let rows: Vec<T> = values.iter().map(|x| T::of(x * factor)).collect();
        let mut groups = vec![[T::ZERO; LANES]; n.div_ceil(LANES) * k];
        for (i, row) in rows.chunks_exact(k).enumerate() {
            for (j, x) in row.iter().enumerate() {
                groups[i / LANES * k + j][i % LANES] = *x;
            }
        }
        Self { level: Level::new(), n, k, rows, groups }
    }

    pub(super) fn len(&self) -> usize {
        self.n
    }

    fn row(&self, i: usize) -> &[T] {
        &self.rows[i * self.k..][..self.k]
    }

    /// Kernels of all rows with row `i`.
    fn fill(&self, i: usize, out: &mut [T]) {
        let piece = |groups: &[[T; LANES]], out: &mut [T]| {
            dispatch!(self.level, _simd => {
                let row = self.row(i);
                for (groups, out) in groups.chunks(TOGETHER * self.k).zip(out.chunks_mut(TOGETHER * LANES)) {
                    if groups.len() == TOGETHER * self.k {
                        // So many sums, of which none waits for another.
                        let group = |at: usize| &groups[at * self.k..][..self.k];
                        let kernels = side_by_side(std::array::from_fn::<_, TOGETHER, _>(group), row);
                        out.copy_from_slice(&kernels.as_flattened()[..out.len()]);
                        continue;
                    }
                    for (group, out) in groups.chunks_exact(self.k).zip(out.chunks_mut(LANES)) {
                        let [kernels] = kernels(group, [row]);
                        out.copy_from_slice(&kernels[..out.len()]);
                    }
                }
            });
        };
        if self.n * self.k < MUCH {
            piece(&self.groups, out);
            return;
        }
        let size = self.n.div_ceil(LANES).div_ceil(rayon::current_num_threads());
        self.groups.par_chunks(size * self.k).zip(out.par_chunks_mut(size * LANES)).for_each(|(g, out)| piece(g, out));
    }

    /// For every row Σ `weights[j]` × its kernel with row j, over the first rows, as many as there are weights.
    pub(super) fn sums(&self, weights: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        self.groups.par_chunks(TILE * self.k).zip(out.par_chunks_mut(TILE * LANES)).for_each(|(tile, out)| {
            dispatch!(self.level, _simd => self.tile(tile, weights, out));
        });
        out
    }

    #[inline(always)]
    fn tile(&self, tile: &[[T; LANES]], weights: &[f64], out: &mut [f64]) {
        let (fours, rest) = weights.as_chunks::<TOGETHER>();
        for (at, four) in fours.iter().enumerate() {
            let rows: [&[T]; TOGETHER] = std::array::from_fn(|slot| self.row(at * TOGETHER + slot));
            for (group, out) in tile.chunks_exact(self.k).zip(out.chunks_mut(LANES)) {
                for (kernels, weight) in kernels(group, rows).iter().zip(four) {
                    out.iter_mut().zip(kernels).for_each(|(out, kernel)| *out += weight * kernel.to_f64());
                }
            }
        }
        for (at, weight) in rest.iter().enumerate() {
            for (group, out) in tile.chunks_exact(self.k).zip(out.chunks_mut(LANES)) {
                let [kernels] = kernels(group, [self.row(fours.len() * TOGETHER + at)]);
                out.iter_mut().zip(&kernels).for_each(|(out, kernel)| *out += weight * kernel.to_f64());
            }
        }
    }
}

/// Every sum is taken column after column, whatever stands beside it.
#[inline(always)]
fn kernels<T: Real, const Q: usize>(group: &[[T; LANES]], rows: [&[T]; Q]) -> [[T; LANES]; Q] {
    let k = group.len();
    let rows = rows.map(|row| &row[..k]);
    let mut squares = [[T::ZERO; LANES]; Q];
    for (j, xs) in group.iter().enumerate() {
        for q in 0..Q {
            let y = rows[q][j];
            for lane in 0..LANES {
                let d = xs[lane] - y;
                squares[q][lane] = squares[q][lane].plus(d * d);
            }
        }
    }
    squares.map(|square| square.map(T::kernel))
}

/// The same for G groups and one row.
#[inline(always)]
fn side_by_side<T: Real, const G: usize>(groups: [&[[T; LANES]]; G], row: &[T]) -> [[T; LANES]; G] {
    let k = row.len();
    let groups = groups.map(|group| &group[..k]);
    let mut squares = [[T::ZERO; LANES]; G];
    for (j, y) in row.iter().enumerate() {
        for g in 0..G {
            for lane in 0..LANES {
                let d = groups[g][j][lane] - *y;
                squares[g][lane] = squares[g][lane].plus(d * d);
            }
        }
    }
    squares.map(|square| square.map(T::kernel))
}

/// Rows of the matrix, of which those longest not asked for make room for others.
pub(super) struct Cache<'a, T> {
    rows: &'a Rows<T>,
    slots: Vec<Slot<T>>,
    /// By row: its slot, or none.
    place: Vec<Option<u32>>,
    room: usize,
    clock: u64,
}

struct Slot<T> {
    kernels: Vec<T>,
    row: usize,
    asked: u64,
}

impl<'a, T: Real> Cache<'a, T> {
    /// With room for `bytes`, or for two rows.
    pub(super) fn new(rows: &'a Rows<T>, bytes: usize) -> Self {
        let room = (bytes / (rows.n * size_of::<T>())).max(2);
        Self { rows, slots: Vec::new(), place: vec![None; rows.n], room, clock: 0 }
    }

    /// The slot of row `i`; it stays so until the second row after is asked for.
    pub(super) fn slot(&mut self, i: usize) -> usize {
        self.clock += 1;
        if let Some(slot) = self.place[i] {
            self.slots[slot as usize].asked = self.clock;
            return slot as usize;
        }
        let slot = if self.slots.len() < self.room {
            self.slots.push(Slot { kernels: vec![T::ZERO; self.rows.n], row: i, asked: 0 });
            self.slots.len() - 1
        } else {
            let oldest = self.slots.iter().enumerate().min_by_key(|(_, slot)| slot.asked).map_or(0, |(at, _)| at);
            self.place[self.slots[oldest].row] = None;
            oldest
        };
        self.rows.fill(i, &mut self.slots[slot].kernels);
        self.slots[slot].row = i;
        self.slots[slot].asked = self.clock;
        self.place[i] = Some(slot as u32);
        slot
    }

    /// The kernels of all rows with that of a slot.
    pub(super) fn kernels(&self, slot: usize) -> &[T] {
        &self.slots[slot].kernels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_in_32_bits() {
        for i in 0..100_000 {
            let x = -(i as f32) * 1e-3;
            let expect = libm::exp(f64::from(x));
            let off = (f64::from(exp_32(x)) - expect).abs();
            assert!(off <= 3.0 * f64::from(f32::EPSILON) * expect || x <= -87.0 && off < 1e-37, "{x}: off by {off}");
        }
        assert_eq!((exp_32(0.0), exp_32(-1e30), exp_32(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
    }
}
