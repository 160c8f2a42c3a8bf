use std::sync::Arc;

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::EsdConfig;
use super::table::{Table, tables};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::by_column;
use crate::units::{FURTHEST, Units};
use crate::{Error, Model, Snapshot};

/// Fitted means and deviations. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct Esd {
    units: Units,
    columns: Vec<Column>,
    n: u32,
    tables: Vec<Arc<Table>>,
}

/// A column without its outliers, in units of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) center: f64,
    /// 0 for a column to be ignored.
    pub(super) deviation: f64,
    pub(super) kept: u32,
}

impl Esd {
    pub(crate) const NAME: &'static str = "esd";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<EsdConfig> {
        Params::new(EsdConfig::default())
    }

    pub(super) fn new(units: Units, columns: Vec<Column>, n: u32) -> Result<Self, Error> {
        let fine = |c: &Column| {
            let is_tested = c.deviation == 0.0 || (c.kept > 1 && (1e-13..=FURTHEST).contains(&c.deviation));
            c.center.abs() <= FURTHEST && is_tested && c.kept <= n
        };
        if !units.is_sound() || units.n_columns() != columns.len() || !columns.iter().all(fine) {
            return Err(SnapshotError::invalid(Self::NAME, "units, means or deviations out of range"));
        }
        let tables = tables(columns.iter().map(|c| (c.kept as usize).max(2) - 1));
        Ok(Self { units, columns, n, tables })
    }

    /// For each column, how many outliers the test found among the rows of the fit.
    pub fn n_outliers(&self) -> Vec<usize> {
        self.columns.iter().map(|c| (self.n - c.kept) as usize).collect()
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let (units, columns, n) = snapshot.decode(Self::NAME, Self::VERSION)?;
        Self::new(units, columns, n)
    }

    fn part(&self, column: usize, x: f64) -> f64 {
        let Column { center, deviation, kept } = self.columns[column];
        if deviation == 0.0 {
            return 0.0;
        }
        // Of another number, whose distance to the mean has the mean's own error in it.
        let unit = deviation * (1.0 + 1.0 / f64::from(kept)).sqrt();
        self.tables[column].neg_ln((self.units.value(column, x) - center).abs() / unit)
    }
}

impl Model for Esd {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.columns.len()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        by_column(rows, out, |column, values, sums| {
            sums.iter_mut().zip(values).for_each(|(sum, &x)| *sum += self.part(column, x));
        });
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        out.iter_mut().zip(row).enumerate().for_each(|(j, (to, &x))| *to = self.part(j, x));
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &(&self.units, &self.columns, self.n))
    }
}

predict!(Esd);
