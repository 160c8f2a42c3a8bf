use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::SampledKnnConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{slice_rows, with_scratch};
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// Sampled rows compared with side by side.
const LANES: usize = 16;

/// Rows scored together, so that a sampled row is fetched once for all of them.
const TOGETHER: usize = 4;

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

    /// Sums of the distances of `Q` rows (k values each), of which the `KEPT` least of each sample are found.
    #[inline(always)]
    fn sums<const KEPT: usize, const Q: usize>(&self, rows: &[f32], k: usize) -> [f64; Q] {
        let rows: [&[f32]; Q] = std::array::from_fn(|q| &rows[q * k..][..k]);
        let mut sums = [0.0; Q];
        for sample in &self.samples {
            let mut least = [[[u32::MAX; LANES]; KEPT]; Q];
            for group in sample.groups.chunks_exact(k) {
                let mut squares = [[0.0_f32; LANES]; Q];
                for (j, values) in group.iter().enumerate() {
                    for q in 0..Q {
                        let x = rows[q][j];
                        for lane in 0..LANES {
                            let d = values[lane] - x;
                            squares[q][lane] += d * d;
                        }
                    }
                }
                for q in 0..Q {
                    keep(&mut least[q], &squares[q].map(f32::to_bits));
                }
            }
            for q in 0..Q {
                let least =
                    merge(&least[q]).map(|bits| if bits == u32::MAX { f32::INFINITY } else { f32::from_bits(bits) });
                sums[q] += f64::from(self.counting(&least, sample.len)).sqrt();
            }
        }
        sums
    }

    #[inline(always)]
    fn block<const KEPT: usize>(&self, rows: &[f32], k: usize, out: &mut [f64]) {
        let mut rows = rows.chunks(TOGETHER * k);
        for (out, rows) in out.chunks_mut(TOGETHER).zip(&mut rows) {
            if out.len() == TOGETHER {
                out.copy_from_slice(&self.sums::<KEPT, TOGETHER>(rows, k));
            } else {
                for (out, row) in out.iter_mut().zip(rows.chunks_exact(k)) {
                    [*out] = self.sums::<KEPT, 1>(row, k);
                }
            }
        }
    }

    fn mean(&self, sum: f64) -> f64 {
        self.units.distance(sum / self.samples.len() as f64)
    }
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
        /// Rows brought to units at a time.
        const AT_ONCE: usize = 64;
        let k = self.n_columns();
        let level = Level::new();
        with_scratch(AT_ONCE.min(out.len()) * k, |values: &mut [f32]| {
            for (b, out) in out.chunks_mut(AT_ONCE).enumerate() {
                let values = &mut values[..out.len() * k];
                let part = slice_rows(rows, b * AT_ONCE, out.len());
                for (j, column) in part.columns().into_iter().enumerate() {
                    column.iter().enumerate().for_each(|(i, &x)| values[i * k + j] = narrow(self.units.value(j, x)));
                }
                match self.n_neighbors {
                    1 => dispatch!(level, _simd => self.block::<2>(values, k, out)),
                    2 => dispatch!(level, _simd => self.block::<3>(values, k, out)),
                    3 => dispatch!(level, _simd => self.block::<4>(values, k, out)),
                    4 => dispatch!(level, _simd => self.block::<5>(values, k, out)),
                    5..8 => dispatch!(level, _simd => self.block::<8>(values, k, out)),
                    _ => dispatch!(level, _simd => self.block::<{ MOST_NEIGHBORS + 1 }>(values, k, out)),
                }
                out.iter_mut().for_each(|sum| *sum = self.mean(*sum));
            }
        });
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = out.len();
        let row: Vec<f32> = row.iter().enumerate().map(|(j, &x)| narrow(self.units.value(j, x))).collect();
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
