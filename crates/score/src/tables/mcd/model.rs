use fearless_simd::Level;
use ndarray::{ArrayView1, ArrayView2};

use super::McdConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::linalg::Quadratic;
use crate::rows::{LANES, PACK, Pack};
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// Fitted centre and covariance. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Mcd {
    units: Units,
    form: Quadratic,
}

impl Mcd {
    pub(crate) const NAME: &'static str = "mcd";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<McdConfig> {
        Params::new(McdConfig::default())
    }

    pub(super) fn new(units: Units, form: Quadratic) -> Self {
        Self { units, form }
    }

    /// Robust centre of the fit, in deviations from its mean.
    pub fn center(&self) -> &[f64] {
        self.form.center()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (units, form): (Units, Quadratic) = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        if !units.is_sound() || !form.is_sound(k) {
            return Err(SnapshotError::invalid(Self::NAME, "units or form out of range"));
        }
        Ok(Self::new(units, form))
    }
}

impl Model for Mcd {
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
                out.copy_from_slice(&self.form.group(level, group)[..out.len()]);
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let x: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.units.value(j, x)).collect();
        self.form.parts(&x, out);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.units, &self.form))
    }
}

predict!(Mcd);
