use fearless_simd::Level;
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::GmmConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::linalg::Quadratic;
use crate::rows::{LANES, PACK, Pack};
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// A fitted mixture. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Gmm {
    units: Units,
    components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Component {
    /// Log weight and log density at the centre.
    pub(super) constant: f64,
    /// Squared Mahalanobis distance.
    pub(super) form: Quadratic,
}

/// What of a log density is the same for all rows.
pub(super) fn constant(log_weight: f64, log_determinant: f64, k: usize) -> f64 {
    const LOG_TAU: f64 = 1.837_877_066_409_345_3;
    log_weight - 0.5 * (k as f64 * LOG_TAU + log_determinant)
}

/// ln Σ exp(x).
pub(super) fn log_sum(logs: &[f64]) -> f64 {
    let most = logs.iter().fold(f64::NEG_INFINITY, |m, x| if *x > m { *x } else { m });
    most + libm::log(logs.iter().map(|x| libm::exp(x - most)).sum())
}

impl Gmm {
    pub(crate) const NAME: &'static str = "gmm";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<GmmConfig> {
        Params::new(GmmConfig::default())
    }

    pub(super) fn new(units: Units, components: Vec<Component>) -> Self {
        Self { units, components }
    }

    /// Number of components; may be fewer than asked for.
    pub fn n_components(&self) -> usize {
        self.components.len()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (units, components): (Units, Vec<Component>) = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        let fine = |c: &Component| c.constant.abs() <= 1e100 && c.form.is_sound(k);
        if !units.is_sound() || components.is_empty() || !components.iter().all(fine) {
            return Err(SnapshotError::invalid(Self::NAME, "units or components out of range"));
        }
        Ok(Self::new(units, components))
    }
}

impl Model for Gmm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let level = Level::new();
        let mut pack = Pack::new(self.n_columns());
        let mut logs = vec![[0.0; LANES]; self.components.len()];
        let mut of_row = vec![0.0; self.components.len()];
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            let groups = pack.fill(rows, i * PACK, out.len(), |j, x| self.units.value(j, x));
            for (group, out) in groups.zip(out.chunks_mut(LANES)) {
                for (logs, component) in logs.iter_mut().zip(&self.components) {
                    *logs = component.form.group(level, group).map(|square| component.constant - 0.5 * square);
                }
                for (lane, out) in out.iter_mut().enumerate() {
                    of_row.iter_mut().zip(&logs).for_each(|(to, logs)| *to = logs[lane]);
                    *out = 0.0 - log_sum(&of_row);
                }
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let x: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.units.value(j, x)).collect();
        let mut part = vec![0.0; x.len()];
        let mut log = |c: &Component| c.constant - 0.5 * c.form.parts(&x, &mut part);
        let logs: Vec<f64> = self.components.iter().map(&mut log).collect();
        let density = log_sum(&logs);
        out.fill(0.0);
        let mut rest = 0.0 - density;
        for (component, log) in self.components.iter().zip(&logs) {
            let share = 0.5 * libm::exp(log - density);
            rest -= share * component.form.parts(&x, &mut part);
            out.iter_mut().zip(&part).for_each(|(to, part)| *to += share * part);
        }
        let even = rest / out.len() as f64;
        out.iter_mut().for_each(|x| *x += even);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.units, &self.components))
    }
}

predict!(Gmm);
