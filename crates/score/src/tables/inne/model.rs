use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::InneConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{LANES, PACK, Pack};
use crate::units::{FURTHEST, Units};
use crate::{Error, Model, Snapshot};

/// Fitted balls. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Inne {
    units: Units,
    estimators: Vec<Balls>,
}

/// One estimator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Balls {
    /// Centres × k.
    pub(super) centers: Vec<f64>,
    /// Squared radii.
    pub(super) squares: Vec<f64>,
    /// What a row counts whose smallest ball it is, in [0, 1].
    pub(super) parts: Vec<f64>,
}

impl Balls {
    fn is_sound(&self, k: usize) -> bool {
        !self.squares.is_empty()
            && self.centers.len() == self.squares.len() * k
            && self.parts.len() == self.squares.len()
            && self.centers.iter().all(|x| x.abs() <= FURTHEST)
            && self.squares.iter().all(|x| *x >= 0.0)
            && self.parts.iter().all(|x| (0.0..=1.0).contains(x))
    }
}

impl Inne {
    pub(crate) const NAME: &'static str = "inne";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<InneConfig> {
        Params::new(InneConfig::default())
    }

    pub(super) fn new(units: Units, estimators: Vec<Balls>) -> Self {
        Self { units, estimators }
    }

    /// Number of estimators.
    pub fn n_estimators(&self) -> usize {
        self.estimators.len()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (units, estimators): (Units, Vec<Balls>) = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        if !units.is_sound() || estimators.is_empty() || !estimators.iter().all(|e| e.is_sound(k)) {
            return Err(SnapshotError::invalid(Self::NAME, "units or balls out of range"));
        }
        Ok(Self::new(units, estimators))
    }

    #[inline(always)]
    fn group(&self, group: &[[f64; LANES]]) -> [f64; LANES] {
        let mut total = [0.0; LANES];
        for balls in &self.estimators {
            let mut least = [f64::INFINITY; LANES];
            let mut part = [1.0; LANES];
            let rows = balls.centers.chunks_exact(group.len()).zip(&balls.squares).zip(&balls.parts);
            for ((center, &radius), &counts) in rows {
                let mut square = [0.0; LANES];
                for (xs, c) in group.iter().zip(center) {
                    for lane in 0..LANES {
                        let d = xs[lane] - c;
                        square[lane] += d * d;
                    }
                }
                for lane in 0..LANES {
                    let is_smaller = (square[lane] <= radius) & (radius < least[lane]);
                    least[lane] = if is_smaller { radius } else { least[lane] };
                    part[lane] = if is_smaller { counts } else { part[lane] };
                }
            }
            for lane in 0..LANES {
                total[lane] += part[lane];
            }
        }
        total.map(|sum| sum / self.estimators.len() as f64)
    }
}

impl Model for Inne {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let level = Level::new();
        let mut pack = Pack::new(self.n_columns());
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            let groups = pack.fill(rows, i * PACK, out.len(), |j, x| self.units.value(j, x));
            for (group, out) in groups.zip(out.chunks_mut(LANES)) {
                let scores = dispatch!(level, _simd => self.group(group));
                out.copy_from_slice(&scores[..out.len()]);
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let x: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.units.value(j, x)).collect();
        out.fill(0.0);
        for balls in &self.estimators {
            let squares = balls
                .centers
                .chunks_exact(k)
                .map(|center| x.iter().zip(center).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c)));
            // The smallest ball around the row, else the nearest centre.
            let mut chosen = (false, f64::INFINITY, 0);
            for (i, square) in squares.enumerate() {
                let is_in = square <= balls.squares[i];
                let size = if is_in { balls.squares[i] } else { square };
                if (is_in && !chosen.0) || (is_in == chosen.0 && size < chosen.1) {
                    chosen = (is_in, size, i);
                }
            }
            let (is_in, _, i) = chosen;
            let part = if is_in { balls.parts[i] } else { 1.0 } / self.estimators.len() as f64;
            let center = &balls.centers[i * k..][..k];
            let total = x.iter().zip(center).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c));
            for ((to, x), c) in out.iter_mut().zip(&x).zip(center) {
                *to += part * if total > 0.0 { (x - c) * (x - c) / total } else { 1.0 / k as f64 };
            }
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.units, &self.estimators))
    }
}

predict!(Inne);
