//! How rare values as high as this are, as −ln of their share.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::SnapshotError;
use crate::steps::{Knots, in_order, order};

/// What no value is rarer than.
pub(super) const MOST: f64 = 40.0;

/// The share of rows from which on values follow a generalised Pareto distribution, and the fewest rows it is made of.
const BODY: f64 = 0.99;
const TAIL_ROWS: f64 = 30.0;

/// Fewest values beyond the threshold that tell how the tail goes on.
const LEAST_BEYOND: usize = 10;

/// The heaviest tail there is held to be.
const MOST_SHAPE: f64 = 0.5;

/// From the ninetieth to the ninety-ninth hundredth −ln of the share grows by ln 10.
const LN_10: f64 = std::f64::consts::LN_10;

/// Values looked up together.
const AT_ONCE: usize = 64;

/// Knots are this far apart at least.
const STEP: f64 = 1.0 / 64.0;

/// What is stored of a column: −ln of the share of rows at least as high as each knot, and the tail beyond the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Curve {
    /// Ascending.
    values: Vec<f64>,
    neg_ln: Vec<f64>,
    beyond: Option<Beyond>,
}

/// A generalised Pareto distribution beyond a threshold, which is a knot or above the last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Beyond {
    threshold: f64,
    /// −ln of the share of rows beyond the threshold.
    from: f64,
    scale: f64,
    shape: f64,
}

/// A [`Curve`] to be looked up, and what it is held to.
#[derive(Debug, Clone)]
pub(super) struct Rarity {
    curve: Curve,
    knots: Knots,
    bound: Option<Box<Bound>>,
}

/// How rare a value is among all rows of the fit, those left out included, and how much rarer it may be said to be, as
/// a logarithm.
#[derive(Debug, Clone)]
struct Bound {
    of_all: Rarity,
    more: f64,
}

/// What is stored of a [`Rarity`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RarityBody {
    curve: Curve,
    bound: Option<(Curve, f64)>,
}

impl Curve {
    /// From ascending values, at least one.
    pub(super) fn fit(sorted: &[f64]) -> Self {
        let n = sorted.len() as f64;
        let (mut values, mut neg_ln): (Vec<f64>, Vec<f64>) = (vec![], vec![]);
        let mut start = 0;
        let mut is_common = true;
        for run in sorted.chunk_by(|a, b| a == b) {
            // The row itself is counted with those at least as high.
            let y = -libm::log((n - start as f64 + 1.0) / (n + 1.0));
            let was_common = std::mem::replace(&mut is_common, run.len() as f64 > n / 256.0);
            let is_last = start + run.len() == sorted.len();
            if is_last || is_common || was_common || neg_ln.last().is_none_or(|last| y - last >= STEP) {
                values.push(run[0]);
                neg_ln.push(y.max(0.0));
            }
            start += run.len();
        }
        Self { beyond: Beyond::fit(sorted), values, neg_ln }
    }

    /// The same, but beyond the first of two shares of the rows, below 1, −ln of the share at least as high goes on as
    /// straight as from there to the second. The few rows beyond, frauds perhaps, have no say in it.
    pub(super) fn straight(sorted: &[f64], shares: [f64; 2]) -> Self {
        let at = |share: f64| sorted[(sorted.len() as f64 * share) as usize];
        let ([threshold, to], [from, rarer]) = (shares.map(at), shares.map(|share| -libm::log(1.0 - share)));
        let scale = (to - threshold) / (rarer - from);
        let mut curve = Self::fit(sorted);
        if scale > 0.0 && scale.is_finite() {
            curve.beyond = Some(Beyond { threshold, from, scale, shape: 0.0 });
        }
        curve
    }

    fn is_sound(&self) -> bool {
        let Self { values, neg_ln, beyond } = self;
        let fine = |beyond: &Beyond| {
            let Beyond { threshold, from, scale, shape } = *beyond;
            threshold.is_finite()
                && (0.0..=MOST).contains(&from)
                && scale > 0.0
                && scale.is_finite()
                && (0.0..=MOST_SHAPE).contains(&shape)
        };
        !values.is_empty()
            && values.len() == neg_ln.len()
            && neg_ln.windows(2).all(|pair| pair[0] <= pair[1])
            && neg_ln.iter().all(|y| (0.0..=MOST).contains(y))
            && beyond.as_ref().is_none_or(fine)
    }
}

impl Beyond {
    fn fit(sorted: &[f64]) -> Option<Self> {
        let n = sorted.len();
        let share = BODY.min(1.0 - TAIL_ROWS / n as f64);
        if share <= 0.0 {
            return None;
        }
        let threshold = sorted[((n as f64 * share).ceil() as usize).min(n - 1)];
        let beyond = &sorted[sorted.partition_point(|x| *x <= threshold)..];
        let m = beyond.len();
        if m < LEAST_BEYOND {
            return None;
        }
        // Many rows of one value are as rare as their share: that is no tail that goes on.
        if beyond[0] == beyond[m - 1] {
            return None;
        }
        // Probability-weighted moments (Hosking and Wallis 1987), of distances in units of the largest.
        let largest = beyond[m - 1] - threshold;
        if !(largest > 0.0 && largest.is_finite()) {
            return None;
        }
        let (mut first, mut second) = (0.0, 0.0);
        for (i, x) in beyond.iter().enumerate() {
            let x = (x - threshold) / largest;
            first += x;
            second += x * (m - 1 - i) as f64 / (m - 1) as f64;
        }
        let (first, second) = (first / m as f64, second / m as f64);
        let denominator = first - 2.0 * second;
        let shape = if denominator > 1e-12 { 2.0 - first / denominator } else { 0.0 };
        let shape = shape.clamp(0.0, MOST_SHAPE);
        // A tail is no steeper than the body that leads to it: strange rows among those of the fit, which are all
        // alike, would else make all that are stranger as rare as can be.
        let slope = (threshold - sorted[n * 9 / 10]) / LN_10;
        let scale = (first * (1.0 - shape) * largest).max(slope).max(1e-9);
        Some(Self { threshold, from: -libm::log(m as f64 / n as f64), scale, shape })
    }
}

impl Rarity {
    pub(super) fn new(curve: Curve) -> Result<Self, Error> {
        match Knots::new(curve.values.clone()) {
            Some(knots) if curve.is_sound() => Ok(Self { curve, knots, bound: None }),
            _ => Err(SnapshotError::invalid("views", "a tail out of range")),
        }
    }

    /// From the ascending values of rows that are kept, held to how rare values are among `all`, where that is given.
    ///
    /// Whatever comes in numbers that would all be left out at once, such as first payments where those are few, would
    /// else seem as rare as can be.
    pub(super) fn fit(kept: &[f64], all: Option<(&[f64], f64)>) -> Result<Self, Error> {
        let mut tail = Self::new(Curve::fit(kept))?;
        if let Some((all, more)) = all {
            tail.bound = Some(Box::new(Bound { of_all: Self::new(Curve::fit(all))?, more }));
        }
        Ok(tail)
    }

    pub(super) fn is_held(&self) -> bool {
        self.bound.is_some()
    }

    pub(super) fn curve(&self) -> &Curve {
        &self.curve
    }

    pub(super) fn body(&self) -> RarityBody {
        let bound = self.bound.as_deref().map(|Bound { of_all, more }| (of_all.curve.clone(), *more));
        RarityBody { curve: self.curve.clone(), bound }
    }

    /// −ln of the share of rows at least as high, 0 to [`MOST`]; never less for a higher value.
    pub(super) fn neg_ln(&self, value: f64) -> f64 {
        self.held_to(value, self.unbound(value))
    }

    /// The highest value that is no rarer than `neg_ln`; −∞ where each is, ∞ where none is.
    pub(super) fn highest(&self, neg_ln: f64) -> f64 {
        let is_quiet = |value: f64| self.neg_ln(value) <= neg_ln;
        let (mut quiet, mut loud) = (order(f64::MIN), order(f64::MAX));
        if !is_quiet(f64::MIN) {
            return f64::NEG_INFINITY;
        }
        if is_quiet(f64::MAX) {
            return f64::INFINITY;
        }
        while quiet + 1 < loud {
            let middle = quiet.midpoint(loud);
            if is_quiet(in_order(middle)) { quiet = middle } else { loud = middle }
        }
        in_order(quiet)
    }

    /// [`Rarity::neg_ln`] of many values. Nothing in a lookup branches on the data, so those of neighbours overlap in the
    /// processor.
    pub(super) fn neg_ln_all(&self, values: &[f64], out: &mut [f64]) {
        let out = &mut out[..values.len()];
        if let ([value], [out]) = (values, &mut *out) {
            *out = self.neg_ln(*value);
            return;
        }
        for (values, out) in values.chunks(AT_ONCE).zip(out.chunks_mut(AT_ONCE)) {
            let mut places = [(0_u32, false); AT_ONCE];
            self.knots.each_count_below(values, |i, below, is_knot| places[i] = (below as u32, is_knot));
            for ((&value, out), (below, is_knot)) in values.iter().zip(out).zip(places) {
                *out = self.body_at(value, below as usize, is_knot);
            }
        }
        let (threshold, from) = self.curve.beyond.map_or((f64::INFINITY, MOST), |tail| (tail.threshold, tail.from));
        let more = self.bound.as_deref().map_or(f64::INFINITY, |bound| bound.more);
        for (&value, out) in values.iter().zip(out) {
            // Up to the threshold no more than where the tail begins.
            let y = if *out > from { from } else { *out };
            *out = if value > threshold { self.beyond(value, y) } else { y };
            if *out > more {
                *out = self.held_to(value, *out);
            }
        }
    }

    /// What a value so rare is held to.
    fn held_to(&self, value: f64, y: f64) -> f64 {
        match self.bound.as_deref() {
            Some(Bound { of_all, more }) if y > *more => {
                let most = of_all.unbound(value) + more;
                if y < most { y } else { most }
            }
            _ => y,
        }
    }

    fn unbound(&self, value: f64) -> f64 {
        let below = self.knots.count_below(value);
        let y = self.body_at(value, below, self.knots.is(below, value));
        match self.curve.beyond {
            Some(Beyond { threshold, .. }) if value > threshold => self.beyond(value, y),
            Some(Beyond { from, .. }) if y > from => from,
            _ => y,
        }
    }

    /// Between knots, of which so many are below the value.
    #[inline(always)]
    fn body_at(&self, value: f64, below: usize, is_knot: bool) -> f64 {
        let Curve { values: knots, neg_ln, .. } = &self.curve;
        let last = knots.len() - 1;
        let (before, at) = (below.saturating_sub(1), below.min(last));
        let (from, to) = (neg_ln[before], neg_ln[at]);
        let (low, high) = (knots[before], knots[at]);
        // Below the first knot and beyond the last both are one, and the share is no number.
        let share = (value * 0.5 - low * 0.5) / (high * 0.5 - low * 0.5);
        let y = from + (to - from) * share;
        if !is_knot && y < to { y } else { to }
    }

    /// Of a value beyond the threshold.
    fn beyond(&self, value: f64, y: f64) -> f64 {
        let Some(Beyond { threshold, from, scale, shape }) = self.curve.beyond else { return y };
        let y = (value - threshold) / scale;
        let y = from + if shape > 1e-6 { libm::log1p(shape * y) / shape } else { y };
        if y < MOST { y } else { MOST }
    }
}

impl From<Curve> for RarityBody {
    fn from(curve: Curve) -> Self {
        Self { curve, bound: None }
    }
}

impl TryFrom<RarityBody> for Rarity {
    type Error = Error;

    fn try_from(RarityBody { curve, bound }: RarityBody) -> Result<Self, Error> {
        let mut tail = Self::new(curve)?;
        if let Some((of_all, more)) = bound {
            if !(0.0..=MOST).contains(&more) {
                return Err(SnapshotError::invalid("views", "a bound out of range"));
            }
            tail.bound = Some(Box::new(Bound { of_all: Self::new(of_all)?, more }));
        }
        Ok(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tail(mut values: Vec<f64>) -> Rarity {
        values.sort_by(f64::total_cmp);
        Rarity::new(Curve::fit(&values)).unwrap()
    }

    #[test]
    fn an_exponential_tail_goes_on_as_one() {
        // −ln u of evenly spread u is exponential: −ln of the share of larger ones is the value itself.
        let values = (0..20_000).map(|i| -((f64::from(i) + 0.5) / 20_000.0).ln()).collect();
        let tail = tail(values);
        for x in [0.1, 1.0, 3.0, 4.5, 6.0, 9.0, 14.0] {
            assert!((tail.neg_ln(x) - x).abs() < 0.05 * x + 0.02, "{x}: {}", tail.neg_ln(x));
        }
        assert_eq!(tail.neg_ln(-3.0), 0.0);
        assert_eq!(tail.neg_ln(1e300), MOST);
    }

    #[test]
    fn a_rare_value_is_as_rare_as_it_is() {
        let mut values = vec![0.0; 990];
        values.extend([1.0; 10]);
        let tail = tail(values);
        assert_eq!(tail.neg_ln(0.0), 0.0);
        assert!((tail.neg_ln(1.0) - 4.5).abs() < 0.1, "{}", tail.neg_ln(1.0));
    }

    /// One row in a hundred that is far out changes nothing.
    #[test]
    fn a_straight_tail_goes_on_as_its_body_did() {
        let mut values: Vec<f64> = (0..5_000).map(|i| -((f64::from(i) + 0.5) / 5_000.0).ln()).collect();
        values.sort_by(f64::total_cmp);
        let check = |values: &[f64]| {
            let tail = Rarity::new(Curve::straight(values, [0.9, 0.99])).unwrap();
            for x in [0.5, 1.0, 2.0, 4.0, 7.0, 12.0] {
                assert!((tail.neg_ln(x) - x).abs() < 0.05 * x + 0.02, "{x}: {}", tail.neg_ln(x));
            }
        };
        check(&values);
        values[4_960..].fill(1_000.0);
        check(&values);
        let one = Rarity::new(Curve::straight(&[2.0], [0.7, 0.95])).unwrap();
        assert!(one.neg_ln(9.0) >= one.neg_ln(2.0));
    }

    /// What was left out altogether is as rare as it was before, and a little more.
    #[test]
    fn what_is_left_out_is_not_rarer_than_it_was_by_more_than_is_allowed() {
        let mut all = vec![0.0; 980];
        all.extend([1.0; 20]);
        let free = Rarity::fit(&all[..980], None).unwrap();
        let held = Rarity::fit(&all[..980], Some((&all, 3.0))).unwrap();
        assert!(free.neg_ln(1.0) < 8.0 && held.neg_ln(1.0) < (50.0_f64).ln() + 3.1);
        let mut spread: Vec<f64> = (0..990).map(|i| f64::from(i) / 990.0).collect();
        let free = Rarity::fit(&spread, None).unwrap();
        spread.extend([30.0; 10]);
        let held = Rarity::fit(&spread[..990], Some((&spread, 3.0))).unwrap();
        let all = Rarity::fit(&spread, None).unwrap();
        assert!(free.neg_ln(30.0) > 20.0 && held.neg_ln(30.0) == all.neg_ln(30.0) + 3.0, "{}", held.neg_ln(30.0));
        assert_eq!(held.neg_ln(0.5), free.neg_ln(0.5));
    }

    proptest! {
        /// Higher values are never less rare, and nothing is past the most there is.
        #[test]
        fn grows(
            values in prop::collection::vec(prop_oneof![-1e3f64..1e3, Just(0.0), Just(7.0)], 1..400),
            probes in prop::collection::vec(-2e3f64..2e3, 2..50),
            held: bool,
        ) {
            let bound = values.iter().rev().take(values.len() / 2 + 1).copied().collect::<Vec<_>>();
            let tail = match held {
                true => {
                    let [mut all, mut kept] = [values, bound.clone()];
                    all.sort_by(f64::total_cmp);
                    kept.sort_by(f64::total_cmp);
                    Rarity::fit(&kept, Some((&all, 1.0))).unwrap()
                }
                false => tail(values),
            };
            let mut probes = probes;
            // Knots themselves, and more than are looked up at once.
            probes.extend(bound.iter().chain(&bound).chain(&bound));
            probes.sort_by(f64::total_cmp);
            let found: Vec<f64> = probes.iter().map(|x| tail.neg_ln(*x)).collect();
            let mut together = vec![0.0; probes.len()];
            tail.neg_ln_all(&probes, &mut together);
            prop_assert_eq!(&found, &together, "many values are looked up as one is");
            prop_assert!(found.windows(2).all(|pair| pair[0] <= pair[1]), "{found:?}");
            prop_assert!(found.iter().all(|y| (0.0..=MOST).contains(y)));
        }
    }
}
