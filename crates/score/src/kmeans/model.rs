use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::KMeansConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{LANES, PACK, Pack};
use crate::stats::clip;
use crate::{Error, Model, Snapshot};

/// Centres compared at a time: as many sums as registers hold.
const AT_ONCE: usize = 4;

/// Fitted centres. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct KMeans {
    columns: Vec<Column>,
    /// Centres in standardised units, one after the other, k values each.
    centroids: Vec<f64>,
}

/// How a column is standardised.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) mean: f64,
    /// 0 for a column to be ignored.
    pub(super) deviation: f64,
}

impl Column {
    pub(super) fn standardise(self, x: f64) -> f64 {
        if self.deviation == 0.0 {
            return 0.0;
        }
        // In halves: the difference itself may overflow.
        clip((x * 0.5 - self.mean * 0.5) / self.deviation * 2.0, 1e100)
    }
}

/// The nearest centre, the first among equals, and its squared distance.
pub(super) fn nearest(centroids: &[f64], k: usize, value: impl Fn(usize) -> f64) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (c, centroid) in centroids.chunks_exact(k).enumerate() {
        let mut sum = 0.0;
        for (j, center) in centroid.iter().enumerate() {
            let d = value(j) - center;
            sum += d * d;
        }
        if sum < best.1 {
            best = (c, sum);
        }
    }
    best
}

/// Columns up to which a row alone needs no heap.
const STACK_COLUMNS: usize = 64;

/// The squared distance to the nearest centre, several centres at a time: one's waiting for its sum is another's work.
fn nearest_to_one(values: &[f64], centroids: &[f64]) -> f64 {
    let k = values.len();
    let mut least = f64::INFINITY;
    let mut keep = |square: f64| least = if square < least { square } else { least };
    let mut blocks = centroids.chunks_exact(AT_ONCE * k);
    for block in &mut blocks {
        let mut squares = [0.0; AT_ONCE];
        for (j, x) in values.iter().enumerate() {
            for (c, square) in squares.iter_mut().enumerate() {
                let d = x - block[c * k + j];
                *square += d * d;
            }
        }
        squares.into_iter().for_each(&mut keep);
    }
    for centroid in blocks.remainder().chunks_exact(k) {
        keep(centroid.iter().zip(values).fold(0.0, |sum, (center, x)| sum + (x - center) * (x - center)));
    }
    least
}

/// Each row's nearest centre, the first among equals, and its squared distance.
#[inline(always)]
pub(super) fn nearest_of_lanes(group: &[[f64; LANES]], centroids: &[f64]) -> ([usize; LANES], [f64; LANES]) {
    let k = group.len();
    let (mut which, mut least) = ([0; LANES], [f64::INFINITY; LANES]);
    let mut keep = |center: usize, squares: &[f64; LANES]| {
        for lane in 0..LANES {
            if squares[lane] < least[lane] {
                (which[lane], least[lane]) = (center, squares[lane]);
            }
        }
    };
    let mut blocks = centroids.chunks_exact(AT_ONCE * k);
    let mut first = 0;
    for block in &mut blocks {
        let mut squares = [[0.0; LANES]; AT_ONCE];
        for (j, xs) in group.iter().enumerate() {
            for (c, squares) in squares.iter_mut().enumerate() {
                let center = block[c * k + j];
                for lane in 0..LANES {
                    let d = xs[lane] - center;
                    squares[lane] += d * d;
                }
            }
        }
        squares.iter().enumerate().for_each(|(c, squares)| keep(first + c, squares));
        first += AT_ONCE;
    }
    for (c, centroid) in blocks.remainder().chunks_exact(k).enumerate() {
        let mut squares = [0.0; LANES];
        for (xs, center) in group.iter().zip(centroid) {
            for lane in 0..LANES {
                let d = xs[lane] - center;
                squares[lane] += d * d;
            }
        }
        keep(first + c, &squares);
    }
    (which, least)
}

impl KMeans {
    pub(crate) const NAME: &'static str = "kmeans";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<KMeansConfig> {
        Params::new(KMeansConfig::default())
    }

    /// Centres one after the other, k values each.
    pub(super) fn new(columns: Vec<Column>, centroids: Vec<f64>) -> Result<Self, Error> {
        let fine = |c: &Column| c.mean.is_finite() && c.deviation.is_finite() && c.deviation >= 0.0;
        if columns.is_empty()
            || !columns.iter().all(fine)
            || centroids.is_empty()
            || !centroids.len().is_multiple_of(columns.len())
            || !centroids.iter().all(|x| x.abs() <= 1e100)
        {
            return Err(SnapshotError::invalid(Self::NAME, "centres or columns out of range"));
        }
        Ok(Self { columns, centroids })
    }

    /// Centres in standardised units, clusters × k. May be fewer than asked for.
    pub fn centroids(&self) -> ArrayView2<'_, f64> {
        let k = self.columns.len();
        let shape = (self.centroids.len() / k, k);
        // The constructor made sure that the length is a multiple of k.
        ArrayView2::from_shape(shape, &self.centroids).unwrap_or_else(|_| ArrayView2::from(&[[0.0; 0]; 0]))
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (columns, centroids) = snapshot.decode(Self::NAME, Self::VERSION)?;
        Self::new(columns, centroids)
    }

    /// The centre nearest to each row of the caller's units, by number.
    pub(crate) fn nearest_to(&self, rows: ArrayView2<'_, f64>) -> Vec<usize> {
        const PIECE: usize = 4_096;
        let mut out = vec![0; rows.nrows()];
        out.par_chunks_mut(PIECE).enumerate().for_each(|(piece, out)| {
            let mut pack = Pack::new(self.columns.len());
            for (i, out) in out.chunks_mut(PACK).enumerate() {
                let start = piece * PIECE + i * PACK;
                let groups = pack.fill(rows, start, out.len(), |j, x| self.columns[j].standardise(x));
                for (group, out) in groups.zip(out.chunks_mut(LANES)) {
                    out.copy_from_slice(&self.nearest(group).0[..out.len()]);
                }
            }
        });
        out
    }

    /// The same with only these of the centres.
    ///
    /// # Errors
    /// None are left.
    pub(crate) fn with_centers(&self, kept: &[usize]) -> Result<Self, Error> {
        let k = self.columns.len();
        let centroids = kept.iter().flat_map(|&c| self.centroids[c * k..][..k].iter().copied()).collect();
        Self::new(self.columns.clone(), centroids)
    }

    fn nearest(&self, group: &[[f64; LANES]]) -> ([usize; LANES], [f64; LANES]) {
        dispatch!(Level::new(), _simd => nearest_of_lanes(group, &self.centroids))
    }
}

impl Model for KMeans {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.columns.len()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.columns.len();
        if out.len() < LANES / 2 {
            let mut stack = [0.0; STACK_COLUMNS];
            for (row, out) in rows.outer_iter().zip(out) {
                let columns = self.columns.iter().zip(row);
                *out = match stack.get_mut(..k) {
                    Some(values) => {
                        columns.zip(values.iter_mut()).for_each(|((column, &x), to)| *to = column.standardise(x));
                        nearest_to_one(values, &self.centroids).sqrt()
                    }
                    None => nearest(&self.centroids, k, |j| self.columns[j].standardise(row[j])).1.sqrt(),
                };
            }
            return;
        }
        let mut pack = Pack::new(k);
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            let standardise = |j: usize, x| self.columns[j].standardise(x);
            let groups = pack.fill(rows, i * PACK, out.len(), standardise);
            for (group, out) in groups.zip(out.chunks_mut(LANES)) {
                out.copy_from_slice(&self.nearest(group).1.map(f64::sqrt)[..out.len()]);
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = self.columns.len();
        for ((to, column), &x) in out.iter_mut().zip(&self.columns).zip(row) {
            *to = column.standardise(x);
        }
        let (centre, square) = nearest(&self.centroids, k, |j| out[j]);
        let distance = square.sqrt();
        for (x, center) in out.iter_mut().zip(&self.centroids[centre * k..]) {
            let d = *x - center;
            *x = if square > 0.0 { d * d / square * distance } else { 0.0 };
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.columns, &self.centroids))
    }
}

predict!(KMeans);
