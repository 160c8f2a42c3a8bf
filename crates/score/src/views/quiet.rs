//! Of which values a view says nothing: most, so that it is seldom looked up how rare they are.

use super::rarity::Rarity;

/// Values no rarer than something, on either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quiet {
    from: f64,
    to: f64,
}

impl Quiet {
    /// No value.
    pub(super) const NONE: Self = Self { from: f64::INFINITY, to: f64::NEG_INFINITY };

    /// Values that neither tail finds rarer than `neg_ln`.
    pub(super) fn new(high: Option<&Rarity>, low: Option<&Rarity>, neg_ln: f64) -> Self {
        let highest = |tail: Option<&Rarity>| tail.map_or(f64::INFINITY, |tail| tail.highest(neg_ln));
        Self { from: -highest(low), to: highest(high) }
    }

    /// Values up to this one.
    pub(super) fn up_to(most: f64) -> Self {
        Self { from: f64::NEG_INFINITY, to: most }
    }

    /// Up to which value all are quiet.
    pub(super) fn least(self) -> f64 {
        if self.from == f64::NEG_INFINITY { self.to } else { f64::NEG_INFINITY }
    }

    /// Puts the places of all other values into `loud`, and says how many they are. Nothing branches on the values.
    pub(super) fn loud(self, values: &[f64], loud: &mut [u32]) -> usize {
        let mut n = 0;
        for (place, &value) in (0..).zip(values) {
            loud[n] = place;
            n += usize::from(!(self.from <= value && value <= self.to));
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::super::rarity::Curve;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is left out is no rarer, and whatever is not is.
        #[test]
        fn what_is_quiet_is_not_rare(
            mut values in prop::collection::vec(prop_oneof![-1e3f64..1e3, Just(0.0), Just(7.0)], 1..400),
            mut probes in prop::collection::vec(-2e3f64..2e3, 2..50),
            sides in 1..4,
            neg_ln in 0.0f64..12.0,
        ) {
            values.sort_by(f64::total_cmp);
            let tail = |is_there: bool, values: &[f64]| is_there.then(|| Rarity::new(Curve::fit(values)).unwrap());
            let high = tail(sides & 1 > 0, &values);
            let opposite: Vec<f64> = values.iter().rev().map(|x| -x).collect();
            let low = tail(sides & 2 > 0, &opposite);
            let quiet = Quiet::new(high.as_ref(), low.as_ref(), neg_ln);
            probes.extend(values.iter().flat_map(|x| [x.next_down(), *x, x.next_up()]));
            probes.extend([f64::MIN, f64::MAX, 0.0, -0.0]);
            let mut loud = vec![0; probes.len()];
            let n = quiet.loud(&probes, &mut loud);
            let is_rare = |x: &f64| {
                high.iter().any(|tail| tail.neg_ln(*x) > neg_ln) || low.iter().any(|tail| tail.neg_ln(-x) > neg_ln)
            };
            let expect: Vec<u32> = (0..).zip(&probes).filter(|(_, x)| is_rare(x)).map(|(place, _)| place).collect();
            prop_assert_eq!(&loud[..n], &expect[..]);
        }
    }
}
