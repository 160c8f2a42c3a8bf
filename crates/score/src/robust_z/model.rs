use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Aggregate, RobustZConfig};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::by_column;
use crate::{Error, Model, Snapshot};

/// Fitted medians and units. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct RobustZ {
    columns: Vec<Column>,
    aggregate: Aggregate,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) center: f64,
    /// Half the unit: distances are taken in halves, which cannot overflow.
    pub(super) half_unit: f64,
}

impl Column {
    fn z(self, x: f64) -> f64 {
        let z = (x * 0.5 - self.center * 0.5).abs() / self.half_unit;
        if z < 1e300 { z } else { 1e300 }
    }

    fn square(self, x: f64) -> f64 {
        let z = self.z(x);
        let z = if z < 1e150 { z } else { 1e150 };
        z * z
    }
}

impl RobustZ {
    pub(crate) const NAME: &'static str = "robust_z";
    pub(crate) const DISTANCE: &'static str = "robust_distance";
    const VERSION: u32 = 1;

    pub(super) const fn name_of(aggregate: Aggregate) -> &'static str {
        match aggregate {
            Aggregate::Max => Self::NAME,
            Aggregate::MeanSquare => Self::DISTANCE,
        }
    }

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<RobustZConfig> {
        Params::new(RobustZConfig::default())
    }

    pub(super) fn new(columns: Vec<Column>, aggregate: Aggregate) -> Self {
        Self { columns, aggregate }
    }

    /// One row by itself: divisions of several columns are in work at a time, and what they give is added up in their
    /// order.
    fn score_one(&self, row: &[f64]) -> f64 {
        const SIDE: usize = 8;
        let (k, mut all, mut score) = (self.columns.len() as f64, [0.0; SIDE], 0.0);
        for (columns, row) in self.columns.chunks(SIDE).zip(row.chunks(SIDE)) {
            let pairs = all.iter_mut().zip(columns).zip(row);
            match self.aggregate {
                Aggregate::Max => {
                    pairs.for_each(|((z, column), &x)| *z = column.z(x));
                    score = all[..row.len()].iter().fold(score, |most, &z| if z > most { z } else { most });
                }
                Aggregate::MeanSquare => {
                    pairs.for_each(|((part, column), &x)| *part = column.square(x) / k);
                    score = all[..row.len()].iter().fold(score, |sum, part| sum + part);
                }
            }
        }
        score
    }

    /// Median of each column of the fit.
    pub fn centers(&self) -> impl Iterator<Item = f64> {
        self.columns.iter().map(|c| c.center)
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        // Distances had no name of their own once.
        let name = if snapshot.model() == Self::DISTANCE { Self::DISTANCE } else { Self::NAME };
        let (columns, aggregate): (Vec<Column>, Aggregate) = snapshot.decode(name, Self::VERSION)?;
        if name == Self::DISTANCE && aggregate != Aggregate::MeanSquare {
            return Err(SnapshotError::invalid(name, "distances that are no sum of squares"));
        }
        let fine = |c: &Column| c.center.is_finite() && c.half_unit > 0.0;
        if columns.is_empty() || !columns.iter().all(fine) {
            return Err(SnapshotError::invalid(Self::NAME, "a column without center or unit"));
        }
        Ok(Self { columns, aggregate })
    }
}

impl Model for RobustZ {
    fn name(&self) -> &'static str {
        Self::name_of(self.aggregate)
    }

    fn n_columns(&self) -> usize {
        self.columns.len()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        if let [out] = out
            && let Some(row) = rows.row(0).to_slice()
        {
            *out = self.score_one(row);
            return;
        }
        match self.aggregate {
            Aggregate::Max => by_column(rows, out, |j, xs, out| {
                let column = self.columns[j];
                for (largest, &x) in out.iter_mut().zip(xs) {
                    let z = column.z(x);
                    *largest = if z > *largest { z } else { *largest };
                }
            }),
            Aggregate::MeanSquare => {
                let k = self.columns.len() as f64;
                by_column(rows, out, |j, xs, out| {
                    let column = self.columns[j];
                    out.iter_mut().zip(xs).for_each(|(sum, &x)| *sum += column.square(x) / k);
                });
            }
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let k = self.columns.len() as f64;
        let pairs = self.columns.iter().zip(row).zip(out.iter_mut());
        match self.aggregate {
            Aggregate::MeanSquare => pairs.for_each(|((c, &x), to)| *to = c.square(x) / k),
            Aggregate::Max => {
                pairs.for_each(|((c, &x), to)| *to = c.z(x));
                // The first of equals keeps the score, the others give nothing.
                let mut best = 0;
                for j in 1..out.len() {
                    if out[j] > out[best] {
                        best = j;
                    }
                }
                out.iter_mut().enumerate().filter(|(j, _)| *j != best).for_each(|(_, x)| *x = 0.0);
            }
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.name(), Self::VERSION, &(&self.columns, self.aggregate))
    }
}

predict!(RobustZ);
