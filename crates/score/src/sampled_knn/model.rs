use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::SampledKnnConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{slice_rows, with_scratch};
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// Rows worked off side by side: sampled ones of one row, or rows of one sampled row.
const LANES: usize = 16;

/// Sampled rows that are fetched together.
const TOGETHER: usize = 4;

/// Rows brought to units at a time.
const AT_ONCE: usize = 128;
const BLOCKS: usize = AT_ONCE / LANES;

/// Rows that are worked off one by one: fewer than half of the lanes are.
const FEW: usize = LANES / 2;

/// Among how many sampled rows near ones are looked for before they are among all: many ordinary rows have enough of them
/// there.
const FIRST: usize = 96;

/// Values further than this from the fit, in its units, count as this far: 32-bit squares stay finite.
const FURTHEST: f32 = 1e15;

/// Most neighbours there may be asked for.
pub(super) const MOST_NEIGHBORS: usize = 16;

/// What is compared of a value.
pub(super) fn narrow(x: f64) -> f32 {
    (x as f32).clamp(-FURTHEST, FURTHEST)
}

/// Rows of a fit, in samples. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct SampledKnn {
    units: Units,
    samples: Vec<Sample>,
    n_neighbors: usize,
}

/// One sample.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Rows × k.
    rows: Vec<f32>,
    len: usize,
    /// The same in groups of k × [`LANES`]; lanes without a row are infinitely far.
    groups: Vec<[f32; LANES]>,
}

impl Sample {
    pub(super) fn new(rows: Vec<f32>, k: usize) -> Self {
        let len = rows.len() / k;
        let mut groups = vec![[f32::INFINITY; LANES]; len.div_ceil(LANES) * k];
        for (i, row) in rows.chunks_exact(k).enumerate() {
            for (j, &x) in row.iter().enumerate() {
                groups[i / LANES * k + j][i % LANES] = x;
            }
        }
        Self { rows, len, groups }
    }
}

#[derive(Serialize, Deserialize)]
struct Body {
    units: Units,
    samples: Vec<Vec<f32>>,
    n_neighbors: u32,
}

impl SampledKnn {
    pub(crate) const NAME: &'static str = "sampled_knn";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<SampledKnnConfig> {
        Params::new(SampledKnnConfig::default())
    }

    pub(super) fn new(units: Units, samples: Vec<Sample>, n_neighbors: usize) -> Self {
        Self { units, samples, n_neighbors }
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.samples.len()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let Body { units, samples, n_neighbors } = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        let fine = |rows: &Vec<f32>| {
            !rows.is_empty() && rows.len().is_multiple_of(k) && rows.iter().all(|x| x.abs() <= FURTHEST)
        };
        let n_neighbors = n_neighbors as usize;
        let in_range = (1..=MOST_NEIGHBORS).contains(&n_neighbors);
        if !units.is_sound() || samples.is_empty() || !samples.iter().all(fine) || !in_range {
            return Err(SnapshotError::invalid(Self::NAME, "rows, units or parameters out of range"));
        }
        let samples = samples.into_iter().map(|rows| Sample::new(rows, k)).collect();
        Ok(Self::new(units, samples, n_neighbors))
    }

    /// Which of the least squares of a sample counts, and their number: the row itself is left out
    /// where there is another.
    fn counting(&self, least: &[f32], len: usize) -> f32 {
        let own = usize::from(len > 1 && least[0] == 0.0);
        least[(own + self.n_neighbors).min(len) - 1]
    }

    /// The score of one row, of which the `KEPT` least squares of each sample are found; that of `near` where it is that
    /// at most.
    #[inline(always)]
    fn one<const KEPT: usize>(&self, row: &[f32], near: Option<(f32, f64)>) -> f64 {
        let k = row.len();
        let mut sum = 0.0;
        for sample in &self.samples {
            let mut least = [[u32::MAX; LANES]; KEPT];
            let look = |groups: &[[f32; LANES]], least: &mut [[u32; LANES]; KEPT]| {
                for group in groups.chunks_exact(k) {
                    let [squares] = squares(group, [row]);
                    keep(least, &squares.map(f32::to_bits));
                }
            };
            let (first, rest) = sample.groups.split_at(sample.groups.len().min(FIRST / LANES * k));
            look(first, &mut least);
            if let Some((near, score)) = near {
                // Lanes with one that is near: there may be more near ones, and as many are enough.
                let is_near = |lane: usize| u32::from(least[0][lane] <= near.to_bits()) << lane;
                if (0..LANES).fold(0, |all, lane| all | is_near(lane)).count_ones() as usize > self.n_neighbors {
                    return score;
                }
            }
            look(rest, &mut least);
            sum += self.distance(&merge(&least), sample);
        }
        self.mean(sum)
    }

    fn distance<const KEPT: usize>(&self, least: &[u32; KEPT], sample: &Sample) -> f64 {
        let least = least.map(|bits| if bits == u32::MAX { f32::INFINITY } else { f32::from_bits(bits) });
        f64::from(self.counting(&least, sample.len)).sqrt()
    }

    /// Scores as many rows as `out` has places, of which `blocks` has [`LANES`] each; those whose score is at most that
    /// of `near` are given that.
    #[inline(always)]
    fn many<const KEPT: usize>(&self, blocks: &mut [[f32; LANES]], near: Option<(f32, f64)>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut places: [u8; AT_ONCE] = std::array::from_fn(|place| place as u8);
        let mut places = &mut places[..out.len()];
        let mut least = [[[u32::MAX; LANES]; KEPT]; BLOCKS];
        let mut seen = 0;
        if let Some((near, score)) = near {
            let sample = &self.samples[0];
            seen = sample.rows.len().min(FIRST * k);
            for (least, block) in least.iter_mut().zip(blocks.chunks_exact(k)).take(places.len().div_ceil(LANES)) {
                nearest(&sample.rows[..seen], block, least);
            }
            // Those that are near enough leave, and the others close ranks.
            let mut left = 0;
            for at in 0..places.len() {
                let (block, lane) = (at / LANES, at % LANES);
                if least[block][self.n_neighbors][lane] <= near.to_bits() {
                    out[usize::from(places[at])] = score;
                    continue;
                }
                if left < at {
                    let (to, to_lane) = (left / LANES, left % LANES);
                    (0..KEPT).for_each(|i| least[to][i][to_lane] = least[block][i][lane]);
                    (0..k).for_each(|j| blocks[to * k + j][to_lane] = blocks[block * k + j][lane]);
                    places[left] = places[at];
                }
                left += 1;
            }
            places = &mut places[..left];
        }
        let n_blocks = places.len().div_ceil(LANES);
        let mut sums = [[0.0; LANES]; BLOCKS];
        for (s, sample) in self.samples.iter().enumerate() {
            if s > 0 {
                least = [[[u32::MAX; LANES]; KEPT]; BLOCKS];
            }
            let rest = if s == 0 { &sample.rows[seen..] } else { &sample.rows[..] };
            for ((least, block), sums) in least.iter_mut().zip(blocks.chunks_exact(k)).zip(&mut sums).take(n_blocks) {
                nearest(rest, block, least);
                for (lane, sum) in sums.iter_mut().enumerate() {
                    *sum += self.distance(&least.map(|least| least[lane]), sample);
                }
            }
        }
        for (place, sum) in places.iter().zip(sums.as_flattened()) {
            out[usize::from(*place)] = self.mean(*sum);
        }
    }

    /// The square within which `n_neighbors` sampled rows and one more, the row itself perhaps, have to be for a score
    /// of `least` at most; none where that cannot be said so simply. It is a little less, whatever is rounded.
    fn near(&self, least: f64) -> Option<(f32, f64)> {
        let [sample] = &self.samples[..] else { return None };
        let distance = self.units.in_units(least) * (1.0 - 1e-6);
        let square = (distance * distance) as f32;
        let is_sure = sample.len > self.n_neighbors && distance > 0.0 && square >= f32::MIN_POSITIVE;
        is_sure.then_some((square, least))
    }

    fn score<const KEPT: usize>(&self, near: Option<(f32, f64)>, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let level = Level::new();
        if out.len() < FEW {
            return with_scratch(k, |values: &mut [f32]| {
                for (row, out) in rows.rows().into_iter().zip(out) {
                    values.iter_mut().zip(row).enumerate().for_each(|(j, (to, &x))| *to = self.value(j, x));
                    *out = dispatch!(level, _simd => self.one::<KEPT>(values, near));
                }
            });
        }
        with_scratch(BLOCKS.min(out.len().div_ceil(LANES)) * k, |blocks: &mut [[f32; LANES]]| {
            for (b, out) in out.chunks_mut(AT_ONCE).enumerate() {
                let part = slice_rows(rows, b * AT_ONCE, out.len());
                for (j, column) in part.columns().into_iter().enumerate() {
                    for (i, &x) in column.iter().enumerate() {
                        blocks[i / LANES * k + j][i % LANES] = self.value(j, x);
                    }
                }
                dispatch!(level, _simd => self.many::<KEPT>(blocks, near, out));
            }
        });
    }

    /// What is compared of a value of a column.
    fn value(&self, column: usize, x: f64) -> f32 {
        narrow(self.units.value(column, x))
    }

    /// Scores rows; those of which it is certain that they are at most `least` are given that.
    fn score_all(&self, least: f64, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let near = self.near(least);
        match self.n_neighbors {
            1 => self.score::<2>(near, rows, out),
            2 => self.score::<3>(near, rows, out),
            3 => self.score::<4>(near, rows, out),
            4 => self.score::<5>(near, rows, out),
            5..8 => self.score::<8>(near, rows, out),
            _ => self.score::<{ MOST_NEIGHBORS + 1 }>(near, rows, out),
        }
    }

    fn mean(&self, sum: f64) -> f64 {
        self.units.distance(sum / self.samples.len() as f64)
    }
}

/// Squares of the distances of `Q` rows to those of a block.
#[inline(always)]
fn squares<const Q: usize>(block: &[[f32; LANES]], rows: [&[f32]; Q]) -> [[f32; LANES]; Q] {
    // So the compiler knows that no index is out of range, and keeps the squares in registers.
    let rows = rows.map(|row| &row[..block.len()]);
    let mut squares = [[0.0_f32; LANES]; Q];
    for (j, values) in block.iter().enumerate() {
        for q in 0..Q {
            let x = rows[q][j];
            for lane in 0..LANES {
                let d = values[lane] - x;
                squares[q][lane] += d * d;
            }
        }
    }
    squares
}

/// Keeps the least squares of each row of a block to sampled rows (k values each).
#[inline(always)]
fn nearest<const KEPT: usize>(rows: &[f32], block: &[[f32; LANES]], least: &mut [[u32; LANES]; KEPT]) {
    let k = block.len();
    let mut kept = *least;
    let (together, rest) = rows.split_at(rows.len() / (TOGETHER * k) * (TOGETHER * k));
    for rows in together.chunks_exact(TOGETHER * k) {
        let rows: [&[f32]; TOGETHER] = std::array::from_fn(|q| &rows[q * k..][..k]);
        for squares in squares(block, rows) {
            keep(&mut kept, &squares.map(f32::to_bits));
        }
    }
    for row in rest.chunks_exact(k) {
        let [squares] = squares(block, [row]);
        keep(&mut kept, &squares.map(f32::to_bits));
    }
    *least = kept;
}

/// Keeps the least of each lane, ascending. Squares are never negative, so their bits stand in the same order, and
/// whole numbers the compiler keeps in vectors, where of floating-point ones it makes branches.
#[inline(always)]
fn keep<const WIDTH: usize, const KEPT: usize>(least: &mut [[u32; WIDTH]; KEPT], squares: &[u32; WIDTH]) {
    let mut rest = *squares;
    for kept in least {
        for lane in 0..WIDTH {
            let (a, b) = (kept[lane], rest[lane]);
            kept[lane] = a.min(b);
            rest[lane] = a.max(b);
        }
    }
}

/// The least of all lanes, ascending. Widths are constants: of loops with a width that shrinks the compiler makes
/// masked loads, which took nine tenths of a score's time.
#[inline(always)]
fn merge<const KEPT: usize>(least: &[[u32; LANES]; KEPT]) -> [u32; KEPT] {
    let eight: [[u32; 8]; KEPT] = halve(least);
    let four: [[u32; 4]; KEPT] = halve(&eight);
    let two: [[u32; 2]; KEPT] = halve(&four);
    let one: [[u32; 1]; KEPT] = halve(&two);
    std::array::from_fn(|i| one[i][0])
}

/// The least of each lane and the one `TO` further on, ascending.
#[inline(always)]
fn halve<const FROM: usize, const TO: usize, const KEPT: usize>(least: &[[u32; FROM]; KEPT]) -> [[u32; TO]; KEPT] {
    const { assert!(FROM == 2 * TO) };
    let mut out = [[0; TO]; KEPT];
    for (out, least) in out.iter_mut().zip(least) {
        out.copy_from_slice(&least[..TO]);
    }
    for least in least {
        let mut rest = [0; TO];
        rest.copy_from_slice(&least[TO..]);
        keep(&mut out, &rest);
    }
    out
}

impl Model for SampledKnn {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        self.score_all(f64::NEG_INFINITY, rows, out);
    }

    fn score_block_above(&self, least: f64, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        self.score_all(least, rows, out);
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = out.len();
        let row: Vec<f32> = row.iter().enumerate().map(|(j, &x)| self.value(j, x)).collect();
        out.fill(0.0);
        for sample in &self.samples {
            let square = |other: &[f32]| {
                other.iter().zip(&row).fold(0.0_f32, |sum, (r, x)| {
                    let d = r - x;
                    sum + d * d
                })
            };
            let mut all: Vec<(f32, usize)> = sample.rows.chunks_exact(k).map(square).zip(0..).collect();
            all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let least: Vec<f32> = all.iter().map(|a| a.0).collect();
            let counting = self.counting(&least, sample.len);
            let Some(&(_, place)) = all.iter().find(|a| a.0 == counting && counting > 0.0) else { continue };
            let other = &sample.rows[place * k..][..k];
            let parts = || other.iter().zip(&row).map(|(r, x)| f64::from(r - x) * f64::from(r - x));
            let per_square = f64::from(counting).sqrt() / parts().sum::<f64>();
            out.iter_mut().zip(parts()).for_each(|(to, part)| *to += part * per_square);
        }
        out.iter_mut().for_each(|x| *x = self.mean(*x));
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let body = Body {
            units: self.units.clone(),
            samples: self.samples.iter().map(|s| s.rows.clone()).collect(),
            n_neighbors: self.n_neighbors as u32,
        };
        Snapshot::new(Self::NAME, Self::VERSION, &body)
    }
}

predict!(SampledKnn);
