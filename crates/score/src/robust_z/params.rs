use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::RobustZ;
use super::model::Column;
use crate::face::{Algorithm, Params};
use crate::rows::map_columns;
use crate::{Error, stats};

/// How the columns' z-scores become one score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregate {
    /// The largest |z|: one strange column is enough.
    #[default]
    Max,
    /// The mean of z²: many slightly strange columns add up.
    MeanSquare,
}

/// Parameters of [`RobustZ`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RobustZConfig {
    aggregate: Aggregate,
    min_unit: f64,
}

impl Params<RobustZConfig> {
    /// How columns become one score; the largest |z| by default.
    pub fn aggregate(self, aggregate: Aggregate) -> Self {
        self.with(|c| c.aggregate = aggregate)
    }

    /// The least a column's unit may be, in the column's own units, finite and not negative; 0 by default. For columns
    /// that are mostly one value, whose spread means little for their tail.
    pub fn min_unit(self, min_unit: f64) -> Self {
        self.with(|c| c.min_unit = min_unit)
    }
}

impl Algorithm for RobustZConfig {
    const NAME: &'static str = RobustZ::NAME;
    type Model = RobustZ;

    fn name(&self) -> &'static str {
        RobustZ::name_of(self.aggregate)
    }

    fn check(&self) -> Result<(), Error> {
        if !(0.0 <= self.min_unit && self.min_unit < f64::INFINITY) {
            return Err(Error::parameter(Self::NAME, "min_unit", self.min_unit, "finite, 0 or more"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<RobustZ, Error> {
        let columns = map_columns(rows, |values| fit_column(values, self.min_unit));
        Ok(RobustZ::new(columns, self.aggregate))
    }
}

fn fit_column(values: &mut [f64], min_unit: f64) -> Column {
    /// Makes the median absolute deviation of a normal column its standard deviation.
    const FROM_MAD: f64 = 1.4826;
    /// √(π/2), which does the same for the mean absolute deviation.
    const FROM_MEAN: f64 = 1.253_314;

    let center = stats::median(values);
    // Half the distance: |x − m| itself may overflow.
    values.iter_mut().for_each(|x| *x = (*x * 0.5 - center * 0.5).abs());
    let mut unit = FROM_MAD * stats::median(values);
    if unit == 0.0 {
        // In sorted order, so that the order of the rows is no part of the sum.
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len() as f64;
        unit = FROM_MEAN * values.iter().map(|x| x / n).sum::<f64>();
    }
    if unit == 0.0 {
        unit = 0.5e-6 * if center == 0.0 { 1.0 } else { center.abs() };
    }
    // A subnormal center can still round the unit to 0.
    Column { center, half_unit: unit.max(0.5 * min_unit).max(f64::MIN_POSITIVE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        fn check(values: &[f64], center: f64, unit: f64) {
            let column = fit_column(&mut values.to_vec(), 0.0);
            assert_eq!(column.center, center, "{values:?}");
            let found = column.half_unit;
            assert!((found - 0.5 * unit).abs() <= 1e-12 * unit, "{values:?}: {found}");
        }
        assert_eq!(fit_column(&mut [1.0, 2.0, 3.0], 8.0).half_unit, 4.0);
        assert!(RobustZConfig { min_unit: f64::NAN, ..Default::default() }.check().is_err());
        check(&[1.0, 2.0, 3.0, 4.0, 100.0], 3.0, 1.4826);
        check(&[5.0, 5.0, 5.0, 5.0, 10.0], 5.0, 1.253_314);
        check(&[7.0, 7.0], 7.0, 7e-6);
        check(&[0.0], 0.0, 1e-6);
        check(&[-1.2e308, 0.0, 1.2e308], 0.0, 1.4826 * 1.2e308);
    }
}
