//! A block of rows, and 32-bit estimates of how near they are.

use fearless_simd::{Level, Simd, dispatch, f32x16, prelude::*};

use super::{BLOCK, square_distance};

/// Queries estimated side by side.
pub(super) const TOGETHER: usize = 8;

/// One for each row of a block.
pub(super) type Estimates = [[f32; LANES]; BLOCK / LANES];

/// Rows estimated side by side.
pub(super) const LANES: usize = 16;

/// Queries whose bounds are computed side by side.
pub(super) const BOUNDS: usize = 8;

/// Columns up to which a block's box is looked at.
const BOXED: usize = 64;

/// Numbers this large in units of the fit are left to 64 bits.
const LARGE: f64 = 1e15;

/// What no rounding of bounds reaches, relative to them.
pub(super) const ROOM: f64 = 1e-9;

/// The mean of rows.
pub(super) fn center<'a>(rows: impl ExactSizeIterator<Item = &'a [f64]>, k: usize) -> Vec<f64> {
    let n = rows.len() as f64;
    let mut center = vec![0.0; k];
    rows.for_each(|row| center.iter_mut().zip(row).for_each(|(sum, x)| *sum += x));
    center.iter_mut().for_each(|sum| *sum /= n);
    center
}

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
        let groups = len.div_ceil(LANES);
        let mut low = vec![f64::INFINITY; k];
        let mut high = vec![f64::NEG_INFINITY; k];
        for row in rows.chunks_exact(k) {
            for ((low, high), &x) in low.iter_mut().zip(&mut high).zip(row) {
                *low = if x < *low { x } else { *low };
                *high = if x > *high { x } else { *high };
            }
        }
        let mut block = Self {
            low,
            high,
            center: center(rows.chunks_exact(k), k),
            radius: 0.0,
            len,
            rows: vec![[0.0; LANES]; groups * k],
            halves: vec![[f32::NEG_INFINITY; LANES]; groups],
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
    /// ball, or of its box where that may exclude more. Queries stand in groups of k × [`BOUNDS`].
    pub(super) fn lower_bounds(&self, level: Level, queries: &[[f64; BOUNDS]], out: &mut [[f64; BOUNDS]]) {
        if self.center.len() <= BOXED {
            dispatch!(level, _simd => self.bounds::<true>(queries, out));
        } else {
            dispatch!(level, _simd => self.bounds::<false>(queries, out));
        }
    }

    #[inline(always)]
    fn bounds<const IS_BOXED: bool>(&self, queries: &[[f64; BOUNDS]], out: &mut [[f64; BOUNDS]]) {
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
                    if !IS_BOXED {
                        continue;
                    }
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

    /// The least estimate ([`Views`]) of a row whose squared distance is at most
    /// `square`, for a query at this distance of the centre.
    ///
    /// With q and r relative to the centre, |q − r|² ≤ s is q·r − |r|²/2 ≥ (|q|² − s) / 2. The sum of
    /// k + 1 terms in 32 bits is off by at most (k + 4) 2⁻²⁴ (|q| |r| + |r|²/2), conversions included,
    /// and what underflows is below 1e-35. Twice that is allowed for.
    pub(super) fn threshold(&self, from_center: f64, square: f64) -> f32 {
        let exact = 0.5 * (from_center * from_center * (1.0 - ROOM) - square * (1.0 + ROOM));
        ((exact - self.error(from_center)) as f32).next_down()
    }

    /// What estimates are off by at most, rounding of 32 bits and underflow included.
    fn error(&self, from_center: f64) -> f64 {
        let k = self.center.len() as f64;
        let (d, r) = (from_center, self.radius);
        (k + 8.0) * (1.0 / 8_388_608.0) * (d * r + r * r) + 1e-35 * (1.0 + d + r)
    }

    /// What the squared distances of rows with an estimate are between, for a query at this distance of the centre: as
    /// for [`threshold`](Self::threshold), |q − r|² is |q|² less twice the estimate, which is off by its error at most.
    pub(super) fn between(&self, from_center: f64) -> impl Fn(f32) -> (f64, f64) + use<> {
        let (square, error) = (from_center * from_center, self.error(from_center));
        let room = ROOM * (square + self.radius * self.radius);
        move |estimate| {
            let middle = square - 2.0 * f64::from(estimate);
            let off = 2.0 * error + room;
            (middle - off, middle + off)
        }
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
}

/// Queries as a block sees them: up to [`TOGETHER`] of them, or rather of the first that are asked for.
#[derive(Debug)]
pub(super) struct Views {
    /// By column: the queries less the block's centre, a slot each.
    relative: Vec<[f32; TOGETHER]>,
    /// By slot: the distance of the centre.
    pub(super) distances: [f64; TOGETHER],
    /// By slot, for every row r of the block and the query q, both less the centre: q·r − |r|²/2.
    pub(super) estimates: Box<[Estimates; TOGETHER]>,
}

impl Views {
    pub(super) fn new(k: usize) -> Self {
        Self {
            relative: vec![[0.0; TOGETHER]; k],
            distances: [0.0; TOGETHER],
            estimates: Box::new([[[0.0; LANES]; BLOCK / LANES]; TOGETHER]),
        }
    }

    /// Looks at queries (1 to [`TOGETHER`], k values each) from the block.
    pub(super) fn look<'q>(&mut self, level: Level, block: &Block, queries: impl Iterator<Item = &'q [f64]>) {
        dispatch!(level, simd => self.fill(simd, block, queries));
    }

    #[inline(always)]
    fn fill<'q, S: Simd>(&mut self, simd: S, block: &Block, queries: impl Iterator<Item = &'q [f64]>) {
        let mut n = 0;
        let mut asked: [&[f64]; TOGETHER] = [&block.center; TOGETHER];
        for query in queries.take(TOGETHER) {
            asked[n] = query;
            self.distances[n] = square_distance(query, &block.center).sqrt();
            n += 1;
        }
        // Squares of columns and slots: what is read and written lies together.
        let centers = block.center.chunks(TOGETHER);
        for (at, (center, relative)) in centers.zip(self.relative.chunks_mut(TOGETHER)).enumerate() {
            let mut square = [[0.0; TOGETHER]; TOGETHER];
            for (to, query) in square.iter_mut().zip(&asked[..n]) {
                let query = &query[at * TOGETHER..][..center.len()];
                to.iter_mut().zip(query).zip(center).for_each(|((to, x), c)| *to = (x - c) as f32);
            }
            for (j, to) in relative.iter_mut().enumerate() {
                *to = std::array::from_fn(|slot| square[slot][j]);
            }
        }
        match n {
            1 => self.estimate::<S, 1>(simd, block),
            2..=4 => self.estimate::<S, 4>(simd, block),
            _ => self.estimate::<S, TOGETHER>(simd, block),
        }
    }

    /// Fills the estimates of Q queries, a native vector of rows at a time: so many sums stay in registers, and none
    /// waits for another.
    #[inline(always)]
    fn estimate<S: Simd, const Q: usize>(&mut self, simd: S, block: &Block) {
        let k = block.center.len();
        let lanes = S::f32s::LEN;
        for (g, (rows, half)) in block.rows.chunks_exact(k).zip(&block.halves).enumerate() {
            for part in (0..LANES).step_by(lanes) {
                let mut sums = [S::f32s::from_slice(simd, &half[part..part + lanes]); Q];
                for (row, queries) in rows.iter().zip(&self.relative) {
                    let row = S::f32s::from_slice(simd, &row[part..part + lanes]);
                    for (sum, &query) in sums.iter_mut().zip(queries) {
                        *sum = row.mul_add(S::f32s::splat(simd, query), *sum);
                    }
                }
                for (sum, to) in sums.iter().zip(self.estimates.iter_mut()) {
                    sum.store_slice(&mut to[g][part..part + lanes]);
                }
            }
        }
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
