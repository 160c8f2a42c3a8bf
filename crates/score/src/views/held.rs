//! Values of columns of which the fit has seen too little.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::params::Side;

/// An end this many times as far from the middle as any row of the fit has not been seen.
const UNSEEN: f64 = 3.0;

/// Between what a column is held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) column: u32,
    low: f64,
    high: f64,
}

impl Held {
    /// Where one is needed; `rows` has one row at least.
    pub(super) fn fit(rows: ArrayView2<'_, f64>, column: usize, side: Side, end: f64) -> Option<Self> {
        let mut values: Vec<f64> = rows.column(column).to_vec();
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
        let (low, middle, high) = (values[0], at(0.5), values[values.len() - 1]);
        let is_unseen = |furthest: f64| (end - middle).abs() > UNSEEN * (furthest - middle).abs();
        let column = column as u32;
        match side {
            Side::Lower if end < middle && is_unseen(low) => Some(Self { column, low: at(0.01), high: f64::MAX }),
            Side::Upper if end > middle && is_unseen(high) => Some(Self { column, low: f64::MIN, high: at(0.99) }),
            _ => None,
        }
    }

    pub(super) fn hold(&self, value: f64) -> f64 {
        let value = if value < self.low { self.low } else { value };
        if value > self.high { self.high } else { value }
    }

    /// Whether a saved one can be worked with.
    pub(super) fn is_sound(&self, n_columns: usize) -> bool {
        (self.column as usize) < n_columns && self.low.is_finite() && self.high.is_finite() && self.low <= self.high
    }
}

/// A value of a column, held where it is to be.
pub(super) fn held(all: &[Held], column: usize, value: f64) -> f64 {
    all.iter().find(|held| held.column as usize == column).map_or(value, |held| held.hold(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn what_is_far_beyond_the_fit_is_held_and_what_is_near_it_is_not() {
        let rows = Array2::from_shape_fn((1_001, 1), |(row, _)| 100.0 + row as f64 / 100.0);
        let held = Held::fit(rows.view(), 0, Side::Lower, 0.0).unwrap();
        assert!((held.hold(0.0) - 100.1).abs() < 1e-9 && held.hold(104.0) == 104.0 && held.hold(500.0) == 500.0);
        assert_eq!(Held::fit(rows.view(), 0, Side::Lower, 95.0), None);
        let held = Held::fit(rows.view(), 0, Side::Upper, 200.0).unwrap();
        assert!((held.hold(200.0) - 109.9).abs() < 1e-9 && held.hold(3.0) == 3.0);
        assert_eq!(Held::fit(rows.view(), 0, Side::Upper, 50.0), None);
    }
}
