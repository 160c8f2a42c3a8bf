use fearless_simd::Level;
use ndarray::{ArrayView1, ArrayView2};

use super::PcaConfig;
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::linalg::Quadratic;
use crate::rows::{LANES, PACK, Pack};
use crate::units::Units;
use crate::{Error, Model, Snapshot};

/// Fitted components. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Pca {
    units: Units,
    form: Quadratic,
    eigenvalues: Vec<f64>,
}

impl Pca {
    pub(crate) const NAME: &'static str = "pca";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<PcaConfig> {
        Params::new(PcaConfig::default())
    }

    pub(super) fn new(units: Units, form: Quadratic, eigenvalues: Vec<f64>) -> Self {
        Self { units, form, eigenvalues }
    }

    /// Variance of the fit along each component, in descending order.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (units, form, eigenvalues): (Units, Quadratic, Vec<f64>) = snapshot.decode(Self::NAME, Self::VERSION)?;
        let k = units.n_columns();
        if !units.is_sound() || !form.is_sound(k) || eigenvalues.len() != k {
            return Err(SnapshotError::invalid(Self::NAME, "units or components out of range"));
        }
        Ok(Self::new(units, form, eigenvalues))
    }
}

impl Model for Pca {
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
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.units, &self.form, &self.eigenvalues))
    }
}

predict!(Pca);
