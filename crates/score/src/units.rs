//! One unit for every column, for detectors that measure distances across columns.

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::linalg::RowSource;
use crate::rows::slice_rows;
use crate::stats::{clip, largest, magnitude, spreads};

/// In which units columns are compared where a detector measures distances across them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ColumnScale {
    /// Standard deviations of the fit, from its mean; a constant column is ignored.
    #[default]
    Deviations,
    /// The columns' own units, which must then be comparable.
    Raw,
}

/// Values further than this from the fit, in its units, count as this far: squares stay finite.
pub(crate) const FURTHEST: f64 = 1e100;

/// How the columns of a fit are brought to one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Units {
    columns: Vec<Column>,
    /// What a distance of 1 is in the units the caller knows.
    unit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Column {
    center: f64,
    /// Half the unit, above 0 (differences are taken in halves, which cannot overflow), or 0 for a
    /// column to be ignored.
    half: f64,
}

impl Units {
    pub(crate) fn fit(rows: ArrayView2<'_, f64>, scale: ColumnScale) -> Self {
        match scale {
            ColumnScale::Deviations => {
                // A deviation whose half is no number (the least of all) is none.
                let column = |(center, deviation)| Column { center, half: 0.5 * deviation };
                Self { columns: spreads(rows).into_iter().map(column).collect(), unit: 1.0 }
            }
            ColumnScale::Raw => {
                // A power of two changes no digit, and keeps squares from over- and underflowing.
                let largest = magnitude(&largest(rows));
                let unit = if largest > 0.0 { largest.max(1e-290) } else { 1.0 };
                Self { columns: vec![Column { center: 0.0, half: 0.5 * unit }; rows.ncols()], unit }
            }
        }
    }

    /// Whether this is what a fit produces.
    pub(crate) fn is_sound(&self) -> bool {
        let fine = |c: &Column| c.center.is_finite() && c.half.is_finite() && c.half >= 0.0;
        !self.columns.is_empty() && self.columns.iter().all(fine) && self.unit.is_finite() && self.unit > 0.0
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn value(&self, column: usize, x: f64) -> f64 {
        let Column { center, half } = self.columns[column];
        if half == 0.0 {
            return 0.0;
        }
        clip((x * 0.5 - center * 0.5) / half, FURTHEST)
    }

    /// A distance in the caller's units; at most the largest number.
    pub(crate) fn distance(&self, in_units: f64) -> f64 {
        clip(in_units * self.unit, f64::MAX)
    }

    /// A distance in the caller's units, in these.
    pub(crate) fn in_units(&self, distance: f64) -> f64 {
        distance / self.unit
    }

    /// Rows `start..start + len`, row after row, into `out` (len × k).
    pub(crate) fn fill(&self, rows: ArrayView2<'_, f64>, start: usize, len: usize, out: &mut [f64]) {
        let k = self.columns.len();
        let part = slice_rows(rows, start, len);
        if part.strides()[0] == 1 {
            // Few rows at a time: what is written then stays in the first-level cache until its lines are full.
            const FEW: usize = 32;
            for (i, out) in out[..len * k].chunks_mut(FEW * k).enumerate() {
                for (j, column) in slice_rows(part, i * FEW, out.len() / k).axis_iter(Axis(1)).enumerate() {
                    out.chunks_exact_mut(k).zip(column).for_each(|(out, &x)| out[j] = self.value(j, x));
                }
            }
        } else {
            for (row, out) in part.axis_iter(Axis(0)).zip(out.chunks_exact_mut(k)) {
                out.iter_mut().zip(row).enumerate().for_each(|(j, (to, &x))| *to = self.value(j, x));
            }
        }
    }

    /// One row.
    pub(crate) fn row(&self, row: ArrayView1<'_, f64>) -> Vec<f64> {
        row.iter().enumerate().map(|(j, &x)| self.value(j, x)).collect()
    }

    /// All rows, row after row.
    pub(crate) fn all(&self, rows: ArrayView2<'_, f64>) -> Vec<f64> {
        let mut out = vec![0.0; rows.nrows() * self.columns.len()];
        self.fill_all(rows, 0, &mut out);
        out
    }

    /// As many rows as there is room for, from `first` on.
    fn fill_all(&self, rows: ArrayView2<'_, f64>, first: usize, out: &mut [f64]) {
        let k = self.columns.len();
        out.par_chunks_mut(1024 * k).enumerate().for_each(|(i, out)| {
            self.fill(rows, first + i * 1024, out.len() / k, out);
        });
    }
}

/// Rows in these units, made piece by piece: what is computed of them once or twice needs no copy of all.
pub(crate) struct InUnits<'a> {
    pub(crate) units: &'a Units,
    pub(crate) rows: ArrayView2<'a, f64>,
}

impl RowSource for InUnits<'_> {
    fn n_rows(&self) -> usize {
        self.rows.nrows()
    }

    fn n_columns(&self) -> usize {
        self.rows.ncols()
    }

    fn rows<'a>(&'a self, first: usize, len: usize, space: &'a mut Vec<f64>) -> &'a [f64] {
        space.resize(len * self.rows.ncols(), 0.0);
        self.units.fill_all(self.rows, first, space);
        space
    }
}

/// Scales contributions (0 or more) so that they add up to the score; all alike when none is above 0.
pub(crate) fn scale_to(contributions: &mut [f64], score: f64) {
    let total: f64 = contributions.iter().sum();
    let even = score / contributions.len() as f64;
    contributions.iter_mut().for_each(|x| *x = if total > 0.0 { *x / total * score } else { even });
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn deviations_and_raw() {
        let rows = array![[1.0, 5.0, -1e300], [3.0, 5.0, 1e300]];
        let units = Units::fit(rows.view(), ColumnScale::Deviations);
        assert!(units.is_sound());
        assert_eq!(units.all(rows.view()), [-1.0, 0.0, -1.0, 1.0, 0.0, 1.0]);
        assert_eq!(units.value(0, f64::MAX), FURTHEST);

        let units = Units::fit(rows.view(), ColumnScale::Raw);
        assert!(units.is_sound());
        let there = units.value(2, 1e300);
        assert!(there.abs() <= 2.0);
        assert_eq!(units.distance(there), 1e300);
        assert_eq!(units.distance(1e10), f64::MAX);
    }
}
