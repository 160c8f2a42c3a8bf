//! The generalised Pareto distribution beyond a threshold.

use serde::{Deserialize, Serialize};

/// Largest shape: the moments used need a finite mean, shape < 1, and are unstable close to it.
const MOST_SHAPE: f64 = 0.9;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Pareto {
    /// ξ in [0, 0.9].
    pub(super) shape: f64,
    /// Half of σ, above 0: distances are taken in halves, which cannot overflow.
    pub(super) half_scale: f64,
}

impl Pareto {
    /// By probability-weighted moments (Hosking and Wallis 1987, with their k = −ξ), from half the
    /// exceedances, ascending. `None` where they have no spread.
    pub(super) fn fit(half_exceedances: &[f64]) -> Option<Self> {
        let n = half_exceedances.len() as f64;
        // Scaled, so that sums of huge scores stay finite.
        let largest = *half_exceedances.last()?;
        if largest <= 0.0 || half_exceedances.len() < 2 {
            return None;
        }
        let (mut first, mut second) = (0.0, 0.0);
        for (i, x) in half_exceedances.iter().enumerate() {
            let x = x / largest;
            first += x;
            second += x * (n - 1.0 - i as f64) / (n - 1.0);
        }
        // α0 = E[X], α1 = E[X (1 − F(X))].
        let (first, second) = (first / n, second / n);
        let denominator = first - 2.0 * second;
        // 0 only when all exceedances are equal: the lightest tail there is.
        let shape = if denominator > 0.0 { 2.0 - first / denominator } else { 0.0 };
        let shape = if shape > 0.0 { shape } else { 0.0 };
        let shape = if shape < MOST_SHAPE { shape } else { MOST_SHAPE };
        // The scale that keeps the mean, whether or not the shape was cut off.
        let half_scale = first * (1.0 - shape) * largest;
        (half_scale > 0.0).then_some(Self { shape, half_scale })
    }

    /// The same tail seen from a threshold higher by twice `half`: the family is closed under that.
    pub(super) fn beyond(self, half: f64) -> Self {
        Self { half_scale: self.half_scale + self.shape * half, ..self }
    }

    pub(super) fn is_valid(self) -> bool {
        0.0 <= self.shape && self.shape <= MOST_SHAPE && 0.0 < self.half_scale && self.half_scale.is_finite()
    }

    /// −ln of the probability to exceed the threshold by more than twice `half`, given that it is
    /// exceeded.
    pub(super) fn neg_ln(self, half: f64) -> f64 {
        let z = half / self.half_scale;
        let z = if z < 1e300 { z } else { 1e300 };
        // Below 1e-9 the shape makes no difference a double could show for any score met.
        if self.shape < 1e-9 { z } else { libm::log1p(self.shape * z) / self.shape }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of a known distribution in place of a sample: the estimate must find it again.
    fn check(shape: f64) {
        let n = 20_000;
        let quantile = |i: i32| {
            let p: f64 = (f64::from(i) + 0.5) / f64::from(n);
            let y = -(1.0 - p).ln();
            if shape == 0.0 { y } else { ((shape * y).exp() - 1.0) / shape }
        };
        let sample: Vec<f64> = (0..n).map(|i| quantile(i) * 0.5).collect();
        let found = Pareto::fit(&sample).unwrap();
        let expect = shape.max(0.0);
        assert!((found.shape - expect).abs() < 0.03, "{shape}: {found:?}");
    }

    #[test]
    fn shapes_are_found_again_and_kept_in_range() {
        check(0.0);
        check(0.2);
        check(0.5);
        check(-0.3);
    }

    #[test]
    fn nothing_to_learn_from() {
        assert!(Pareto::fit(&[]).is_none());
        assert!(Pareto::fit(&[0.0, 0.0]).is_none());
        assert!(Pareto::fit(&[1.0, 1.0, 1.0]).unwrap().is_valid());
        assert!(Pareto::fit(&[1e307, 8e307]).unwrap().is_valid());
    }
}
