//! Columns standardised: what detectors see of them.

use crible_core::{Column, Scale, Tail, Unit};
use crible_feature::math::{exp, ln1p};
use serde::{Deserialize, Serialize};

/// What is usual in a column, over the fit rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Typical {
    /// The median.
    pub(crate) median: f32,
    /// One over the distance from the median that one row in a hundred exceeds on the suspicious side; positive.
    pub(crate) per_scale: f64,
    /// How distances, in that unit, are transformed so that the usual ones fall off as a normal's do: b > 0 makes (eᵇˣ
    /// − 1)/(eᵇ − 1) of x, b < 0 makes ln(1 − bx)/ln(1 − b), 0 leaves them as they are.
    pub(crate) power: f64,
    /// What the column counts for beside the others: distances are multiplied by it last. Positive.
    pub(crate) weight: f64,
}

/// The distance that one row in ten exceeds over that of one in a hundred, under a normal: Φ⁻¹(0.9)/Φ⁻¹(0.99).
const NORMAL: f64 = 0.550_884;

/// How far a column is stretched or compressed at most. Counts that end at a ceiling have their tenth row where the
/// hundredth is, and no power would make a normal of that.
const MOST: f64 = 2.0;
const LEAST: f64 = -1e6;

/// The least power there is but none: closer to 0 it changes nothing, and both formulas lose their digits.
const FAINTEST: f64 = 1e-3;

/// The least weight there is but none; one over it is the most.
const LIGHTEST: f64 = 1e-3;

/// From how many rows on the distance that one in a hundred exceeds is known well enough to fit a power.
const ENOUGH: usize = 1_000;

/// Where a column can go this many times as far as any fit row went, its end has not been seen.
///
/// Where shops are stable, counts of payments there hardly differ, and a new shop's first payment would be a hundred
/// units from the median: that column alone would decide, on what it has never seen.
const UNSEEN: f32 = 3.0;

/// Distances past this many units are no longer transformed but go on as steeply.
const LINEAR_FROM: f64 = 2.0;

impl Typical {
    /// What detectors see of a column.
    pub(crate) fn standardizer(self, tail: Tail) -> Standardizer {
        let (factor, lowest) = match tail {
            Tail::Upper => (self.per_scale, 0.0),
            Tail::Lower => (-self.per_scale, 0.0),
            Tail::Both => (self.per_scale, f64::NEG_INFINITY),
        };
        let Self { median, power, weight, .. } = self;
        // What is transformed is weighed after, what is not by its factor.
        let (factor, per_unit, steep) = if power > 0.0 {
            (factor, weight / (exp(power) - 1.0), power * exp(power * LINEAR_FROM))
        } else if power < 0.0 {
            (factor, weight / ln1p(-power), -power / (1.0 - power * LINEAR_FROM))
        } else {
            (factor * weight, 0.0, 0.0)
        };
        Standardizer { median: f64::from(median), factor, lowest, power, per_unit, steep }
    }

    /// From a column's values, in any order.
    pub(crate) fn of(column: &Column, values: &mut [f32]) -> Self {
        let at = |values: &mut [f32], share: f64| match values.len() {
            0 => 0.0,
            n => *values.select_nth_unstable_by(((n - 1) as f64 * share) as usize, f32::total_cmp).1,
        };
        let median = at(values, 0.5);
        for value in values.iter_mut() {
            *value = match column.tail {
                Tail::Upper => *value - median,
                Tail::Lower => median - *value,
                Tail::Both => (*value - median).abs(),
            };
        }
        let (tenth, hundredth) = (at(values, 0.9), at(values, 0.99));
        // Where fewer than one row in a hundred ever leaves the median, what is usual among those that do.
        let mut left: Vec<f32> = values.iter().copied().filter(|distance| *distance > 0.0).collect();
        let leaving = at(&mut left, 0.5);
        let scale =
            [hundredth, leaving].into_iter().find(|s| *s > 0.0 && s.is_finite()).unwrap_or(step(column, median));
        if let Some(end) = end(column, median)
            && end > UNSEEN * at(values, 1.0)
        {
            // Between what was seen and the end nothing was learned: the end is as strange as one row in a hundred.
            return Self { median, per_scale: 1.0 / f64::from(end.max(scale)), power: 0.0, weight: column.weight };
        }
        let power = if values.len() >= ENOUGH && tenth > 0.0 && hundredth.is_finite() {
            power(f64::from(tenth) / f64::from(hundredth))
        } else {
            0.0
        };
        Self { median, per_scale: 1.0 / f64::from(scale), power, weight: column.weight }
    }

    /// Whether a saved one can be worked with.
    pub(crate) fn is_sound(&self) -> bool {
        let is_scale = self.per_scale > 0.0 && self.per_scale.is_finite();
        let is_power = self.power == 0.0 || self.power.abs() >= FAINTEST && (LEAST..=MOST).contains(&self.power);
        let is_weight = (LIGHTEST..=1.0 / LIGHTEST).contains(&self.weight);
        self.median.is_finite() && is_scale && is_power && is_weight
    }
}

/// How far from the median a column can go at most on the suspicious side, where that is known: a low count ends at
/// none.
fn end(column: &Column, median: f32) -> Option<f32> {
    let is_count = (column.unit, column.tail) == (Unit::Count, Tail::Lower);
    (is_count && matches!(column.scale, Scale::Ln1p | Scale::Linear) && median > 0.0).then_some(median)
}

/// The unit of a column that nobody has ever seen leave its median: for a count, one more.
fn step(column: &Column, median: f32) -> f32 {
    match (column.unit, column.scale) {
        (Unit::Count, Scale::Ln1p) => ln1p(1.0 / exp(f64::from(median))) as f32,
        _ => 1.0,
    }
}

/// The power that brings the distance one row in ten exceeds, `tenth` of the unit, to where a normal has it, by
/// bisection.
///
/// After Raymaekers and Rousseeuw (2021), "Transforming variables to central normality": the usual part of a column
/// decides what it is measured by, so that what is far out stays so. Theirs fits the power of a Box-Cox or Yeo-Johnson
/// transform; this runs from the exponential, which undoes a logarithm, to the logarithm, and is fitted by one
/// quantile.
fn power(tenth: f64) -> f64 {
    let (mut low, mut high) = if tenth > NORMAL { (0.0, MOST) } else { (LEAST, 0.0) };
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if transformed(tenth, middle) > NORMAL {
            low = middle;
        } else {
            high = middle;
        }
    }
    if high.abs() < FAINTEST { 0.0 } else { high }
}

/// A distance of 0 to 1, transformed.
fn transformed(x: f64, power: f64) -> f64 {
    match power {
        b if b > 0.0 => (exp(b * x) - 1.0) / (exp(b) - 1.0),
        b if b < 0.0 => ln1p(-b * x) / ln1p(-b),
        _ => x,
    }
}

/// What detectors see of a column: the distance from the median on the suspicious side, in units of the scale,
/// transformed. What lies on the other side is as usual as the median.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standardizer {
    median: f64,
    /// Units of the scale, negative where low values are suspicious.
    factor: f64,
    lowest: f64,
    power: f64,
    /// Of what is transformed, weight included.
    per_unit: f64,
    /// How fast what is seen grows past [`LINEAR_FROM`], before it is brought to the unit.
    steep: f64,
}

impl Standardizer {
    /// Leaves a column as it is.
    pub(crate) const PLAIN: Self =
        Self { median: 0.0, factor: 1.0, lowest: f64::NEG_INFINITY, power: 0.0, per_unit: 0.0, steep: 0.0 };

    pub(crate) fn standardize(self, value: f32) -> f64 {
        let far = self.distance(f64::from(value));
        // Half of all values are as usual as can be, and nothing makes anything of 0.
        if far == 0.0 {
            return far;
        }
        match self.power {
            power if power > 0.0 => self.stretch(far),
            power if power < 0.0 => self.compress(far),
            _ => far,
        }
    }

    /// The same for many values of the column, in place: which way they are transformed is asked once, and several are
    /// in work at a time.
    pub(crate) fn standardize_all(self, values: &mut [f64]) {
        if self.power > 0.0 {
            values.iter_mut().for_each(|value| *value = self.stretch(self.distance(*value)));
        } else if self.power < 0.0 {
            values.iter_mut().for_each(|value| *value = self.compress(self.distance(*value)));
        } else {
            values.iter_mut().for_each(|value| *value = self.distance(*value));
        }
    }

    fn distance(self, value: f64) -> f64 {
        let distance = (value - self.median) * self.factor;
        if distance > self.lowest { distance } else { self.lowest }
    }

    fn stretch(self, far: f64) -> f64 {
        let (near, beyond) = split(far.abs());
        ((exp(self.power * near) - 1.0 + self.steep * beyond) * self.per_unit).copysign(far)
    }

    fn compress(self, far: f64) -> f64 {
        let (near, beyond) = split(far.abs());
        ((ln1p(-self.power * near) + self.steep * beyond) * self.per_unit).copysign(far)
    }
}

/// A distance up to where it is transformed, and what is beyond.
fn split(size: f64) -> (f64, f64) {
    let near = if size < LINEAR_FROM { size } else { LINEAR_FROM };
    (near, size - near)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn column(tail: Tail) -> Column {
        Column::input("test", Unit::Count, Scale::Ln1p, tail, crible_core::Topic::Velocity)
    }

    /// Two columns that are one up to a logarithm are seen nearly alike, and both as the normal they come from.
    #[test]
    fn what_is_lognormal_is_seen_as_what_is_normal() {
        // Quantiles of the standard normal by Abramowitz and Stegun 26.2.23, within 4.5e-4.
        let normal = |p: f64| {
            let t = (-2.0 * (1.0 - p).ln()).sqrt();
            t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
        };
        let halves = |f: fn(f64) -> f64| -> Vec<f32> {
            let quantile = |i: i32| {
                let p = f64::from(i) / 10_000.0;
                if p >= 0.5 { normal(p) } else { -normal(1.0 - p) }
            };
            (1..10_000).map(|i| f(quantile(i)) as f32).collect()
        };
        let plain = Typical::of(&column(Tail::Upper), &mut halves(|z| z));
        let heavy = Typical::of(&column(Tail::Upper), &mut halves(|z| (z / 2.0).exp()));
        let light = Typical::of(&column(Tail::Upper), &mut halves(|z| (z + 4.0).ln()));
        assert!(plain.power.abs() < 0.02 && heavy.power < -0.5 && light.power > 0.1, "{plain:?} {heavy:?} {light:?}");
        for z in [0.5, 1.0, 2.0, 3.0, 3.7] {
            let see =
                |typical: Typical, value: f64| typical.standardizer(Tail::Upper).standardize(value as f32) * 2.326;
            let seen = [see(plain, z), see(heavy, (z / 2.0).exp()), see(light, (z + 4.0).ln())];
            assert!(seen.iter().all(|seen| (seen - z).abs() < 0.2), "{z}: {seen:?}");
        }
    }

    /// A forged one whose power is too faint to divide by, too strong or no number would make a score of no number.
    #[test]
    fn what_no_fit_makes_is_not_sound() {
        for power in [0.0, FAINTEST, -FAINTEST, MOST, LEAST] {
            assert!(Typical { median: 0.0, per_scale: 1.0, power, weight: 1.0 }.is_sound(), "{power}");
        }
        for power in [1e-300, -1e-300, 9e-4, MOST * 1.01, LEAST * 1.01, f64::NAN, f64::INFINITY] {
            assert!(!Typical { median: 0.0, per_scale: 1.0, power, weight: 1.0 }.is_sound(), "{power}");
        }
    }

    /// Transformed or not, a column of twice the weight is seen twice as far out.
    #[test]
    fn a_weight_multiplies_what_is_seen() {
        for power in [0.0, 1.5, -20.0] {
            for tail in [Tail::Upper, Tail::Lower, Tail::Both] {
                let see = |weight: f64, value: f32| {
                    Typical { median: 1.0, per_scale: 0.5, power, weight }.standardizer(tail).standardize(value)
                };
                for value in [-30.0, 0.0, 1.0, 2.5, 40.0] {
                    let (once, twice) = (see(1.0, value), see(2.0, value));
                    assert!(
                        (twice - 2.0 * once).abs() <= 1e-12 * once.abs(),
                        "{power} {tail:?} {value}: {once} {twice}"
                    );
                }
            }
        }
        for weight in [0.0, -1.0, 1e-4, 1e4, f64::NAN] {
            assert!(!Typical { median: 0.0, per_scale: 1.0, power: 0.0, weight }.is_sound(), "{weight}");
        }
    }

    #[test]
    fn a_column_at_a_ceiling_or_of_one_value_is_seen() {
        let mut ceiling: Vec<f32> = (0..1_000).map(|i| if i < 600 { 0.0 } else { 3.0 }).collect();
        assert_eq!(Typical::of(&column(Tail::Upper), &mut ceiling).power, MOST);
        // Of a count that is always two, three is one unit away; of anything else, one.
        let constant = Typical::of(&column(Tail::Upper), &mut [3f32.ln(); 50]);
        assert!((constant.standardizer(Tail::Upper).standardize(4f32.ln()) - 1.0).abs() < 1e-6, "{constant:?}");
        let share = Column { unit: Unit::Share, ..column(Tail::Both) };
        let constant = Typical::of(&share, &mut [7.0; 50]);
        assert_eq!(constant, Typical { median: 7.0, per_scale: 1.0, power: 0.0, weight: 1.0 });
        assert_eq!(constant.standardizer(Tail::Both).standardize(9.0), 2.0);
        let rare: Vec<f32> = (0..1_000).map(|i| if i < 950 { 0.0 } else { 5.0 }).collect();
        assert_eq!(
            Typical::of(&column(Tail::Upper), &mut rare.clone()),
            Typical { median: 0.0, per_scale: 0.2, power: 0.0, weight: 1.0 }
        );
        // One that is far out does not make the unit of those that hardly leave.
        let rare: Vec<f32> = (0..1_000).map(|i| [50.0, 1.0, 2.0].get(i).copied().unwrap_or(0.0)).collect();
        assert_eq!(Typical::of(&column(Tail::Upper), &mut rare.clone()).per_scale, 0.5);
    }

    proptest! {
        /// What is further out is seen further out, smoothly, in the same unit, and never without a number.
        #[test]
        fn grows(tenth in 0.000_1f64..1.0, x in 0.0f64..1e6, more in 1e-3f64..10.0, is_low: bool) {
            let typical = Typical { median: 0.0, per_scale: 1.0, power: power(tenth), weight: 1.0 };
            prop_assert!(typical.is_sound());
            let sign = if is_low { -1.0 } else { 1.0 };
            let see = |x: f64| typical.standardizer(Tail::Both).standardize((sign * x) as f32) * sign;
            prop_assert!(see(x).is_finite() && see(x + more) >= see(x), "{} {}", see(x), see(x + more));
            let mut all = [f64::from(x as f32), 0.0, -1.5].map(|x| sign * x);
            let one_by_one = all.map(|x| typical.standardizer(Tail::Both).standardize(x as f32));
            typical.standardizer(Tail::Both).standardize_all(&mut all);
            prop_assert_eq!(all.map(f64::to_bits), one_by_one.map(f64::to_bits));
            prop_assert!((see(1.0) - 1.0).abs() < 1e-6);
            prop_assert!((see(2.0 - 1e-4) - see(2.0 + 1e-4)).abs() < 1e-3 * see(2.0));
            let reached = transformed(tenth, typical.power);
            let is_held = typical.power >= MOST - 1e-9 || typical.power <= LEAST + 1.0;
            prop_assert!(is_held || (reached - NORMAL).abs() < 1e-3, "{tenth} {} {reached}", typical.power);
        }
    }
}
