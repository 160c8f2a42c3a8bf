//! A block of rows, and 32-bit estimates of how near they are.

use fearless_simd::{Level, Simd, dispatch, f32x16, prelude::*};

use super::{BLOCK, square_distance};
use crate::stats::range;

/// Queries estimated side by side.
pub(super) const TOGETHER: usize = 4;

/// One for each row of a block.
pub(super) type Estimates = [[f32; LANES]; BLOCK / LANES];

/// Rows estimated side by side.
pub(super) const LANES: usize = 16;

/// Queries whose bounds are computed side by side.
pub(super) const BOUNDS: usize = 8;

/// Numbers this large in units of the fit are left to 64 bits.
const LARGE: f64 = 1e15;

/// What no rounding of bounds reaches, relative to them.
pub(super) const ROOM: f64 = 1e-9;

/// Up to [`BLOCK`] rows as seen from their centre.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) center: Vec<f64>,
    /// Least and largest value of each column.
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    pub(super) radius: f64,
    pub(super) len: usize,
    /// Groups × k: the rows less the centre.
    rows: Vec<[f32; LANES]>,
    /// Minus half the squared length of each, a group after the other; −∞ where there is no row.
    halves: Vec<[f32; LANES]>,
}

impl Block {
    pub(super) fn new(rows: &[f64], k: usize) -> Self {
        let len = rows.len() / k;
        let center: Vec<f64> = (0..k).map(|j| (0..len).map(|i| rows[i * k + j]).sum::<f64>() / len as f64).collect();
        let groups = len.div_ceil(LANES);
        let column = |j: usize| (0..len).map(move |i| rows[i * k + j]);
        let (low, high) = (0..k).map(|j| range(column(j))).unzip();
        let mut block = Self {
            low,
            high,
            radius: 0.0,
            len,
            rows: vec![[0.0; LANES]; groups * k],
            halves: vec![[f32::NEG_INFINITY; LANES]; groups],
            center,
        };
        for (i, row) in rows.chunks_exact(k).enumerate() {
            let square = square_distance(row, &block.center);
            block.radius = block.radius.max(square.sqrt());
            block.halves[i / LANES][i % LANES] = (-0.5 * square) as f32;
            for (j, (x, c)) in row.iter().zip(&block.center).enumerate() {
                block.rows[i / LANES * k + j][i % LANES] = (x - c) as f32;
            }
        }
        block
    }

    /// What no squared distance of a query to a row is below: how far it lies outside of the block's
    /// ball, or of its box. Queries stand in groups of k × [`BOUNDS`].
    pub(super) fn lower_bounds(&self, level: Level, queries: &[[f64; BOUNDS]], out: &mut [[f64; BOUNDS]]) {
        dispatch!(level, _simd => self.bounds(queries, out));
    }

    #[inline(always)]
    fn bounds(&self, queries: &[[f64; BOUNDS]], out: &mut [[f64; BOUNDS]]) {
        let k = self.center.len();
        let (center, low, high) = (&self.center[..k], &self.low[..k], &self.high[..k]);
        for (queries, out) in queries.chunks_exact(k).zip(out) {
            let mut ball = [0.0; BOUNDS];
            let mut cuboid = [0.0; BOUNDS];
            for (j, query) in queries.iter().enumerate() {
                for lane in 0..BOUNDS {
                    let x = query[lane];
                    let d = x - center[j];
                    ball[lane] += d * d;
                    let (under, over) = (low[j] - x, x - high[j]);
                    let out = if under > over { under } else { over };
                    let out = if out > 0.0 { out } else { 0.0 };
                    cuboid[lane] += out * out;
                }
            }
            for lane in 0..BOUNDS {
                let gap = ball[lane].sqrt() * (1.0 - ROOM) - self.radius * (1.0 + ROOM);
                let gap = if gap > 0.0 { gap } else { 0.0 };
                let ball = gap * gap;
                let most = if ball > cuboid[lane] { ball } else { cuboid[lane] };
                out[lane] = most * (1.0 - ROOM);
            }
        }
    }

    /// Whether 32 bits can hold the differences.
    pub(super) fn is_near(&self, from_center: f64) -> bool {
        from_center < LARGE && self.radius < LARGE
    }

    /// The least estimate ([`estimate`](Self::estimate)) of a row whose squared distance is at most
    /// `square`, for a query at this distance of the centre.
    ///
    /// With q and r relative to the centre, |q − r|² ≤ s is q·r − |r|²/2 ≥ (|q|² − s) / 2. The sum of
    /// k + 1 terms in 32 bits is off by at most (k + 4) 2⁻²⁴ (|q| |r| + |r|²/2), conversions included,
    /// and what underflows is below 1e-35. Twice that is allowed for.
    pub(super) fn threshold(&self, from_center: f64, square: f64) -> f32 {
        let k = self.center.len() as f64;
        let (d, r) = (from_center, self.radius);
        let error = (k + 8.0) * (1.0 / 8_388_608.0) * (d * r + r * r) + 1e-35 * (1.0 + d + r);
        let exact = 0.5 * (d * d * (1.0 - ROOM) - square * (1.0 + ROOM));
        ((exact - error) as f32).next_down()
    }

    /// The least sum of a row's estimate and half its key that allows for a squared distance below the key.
    ///
    /// As for [`threshold`](Self::threshold), s ≤ key is q·r − |r|²/2 + key/2 ≥ |q|²/2; near it the sum is
    /// |q|²/2, which its rounding is relative to.
    pub(super) fn key_threshold(&self, from_center: f64) -> f32 {
        let k = self.center.len() as f64;
        let (d, r) = (from_center, self.radius);
        let error = (k + 8.0) * (1.0 / 8_388_608.0) * (d * d + d * r + r * r) + 1e-35 * (1.0 + d + r);
        ((0.5 * d * d * (1.0 - ROOM) - error) as f32).next_down()
    }

    /// q·r − |r|²/2 for every row r and each query q (k values each, relative to the centre).
    pub(super) fn estimate(&self, level: Level, queries: [&[f32]; TOGETHER], out: &mut [Estimates; TOGETHER]) {
        dispatch!(level, simd => estimate(simd, &self.rows, &self.halves, queries, out));
    }

    /// [`estimate`](Self::estimate) for one query.
    pub(super) fn estimate_one(&self, level: Level, query: &[f32], out: &mut Estimates) {
        dispatch!(level, simd => estimate(simd, &self.rows, &self.halves, [query], std::array::from_mut(out)));
    }
}

/// Groups of lanes of `estimates` that hold one of at least `threshold`, a bit for each lane, into `out`.
pub(super) fn reaching(level: Level, estimates: &Estimates, threshold: f32, out: &mut [u16; BLOCK / LANES]) {
    dispatch!(level, simd => {
        for (out, estimates) in out.iter_mut().zip(estimates) {
            *out = f32x16::from_slice(simd, estimates).simd_ge(threshold).to_bitmask() as u16;
        }
    });
}

/// The same for the sum of each estimate and half the key of its row.
pub(super) fn reaching_keys(
    level: Level,
    estimates: &Estimates,
    halves: &Estimates,
    threshold: f32,
    out: &mut [u16; BLOCK / LANES],
) {
    dispatch!(level, simd => {
        for ((out, estimates), halves) in out.iter_mut().zip(estimates).zip(halves) {
            let sums = f32x16::from_slice(simd, estimates) + f32x16::from_slice(simd, halves);
            *out = sums.simd_ge(threshold).to_bitmask() as u16;
        }
    });
}

#[inline(always)]
fn estimate<S: Simd, const Q: usize>(
    simd: S,
    rows: &[[f32; LANES]],
    halves: &[[f32; LANES]],
    queries: [&[f32]; Q],
    out: &mut [Estimates; Q],
) {
    let k = queries[0].len();
    let queries = queries.map(|q| &q[..k]);
    for (g, (rows, half)) in rows.chunks_exact(k).zip(halves).enumerate() {
        let mut sums = [f32x16::from_slice(simd, half); Q];
        for (j, row) in rows.iter().enumerate() {
            let row = f32x16::from_slice(simd, row);
            for q in 0..Q {
                sums[q] = row.mul_add(f32x16::splat(simd, queries[q][j]), sums[q]);
            }
        }
        for q in 0..Q {
            sums[q].store_slice(&mut out[q][g]);
        }
    }
}
