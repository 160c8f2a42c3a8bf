//! The two distributions that a comparison over tables asks for.

/// Steps of the integral; its integrand is smooth and falls off like a normal density.
const STEPS: usize = 400;

/// The standard normal distribution function.
fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The chance that `k` standard normal values lie within a range of `q`: k ∫ φ(z) (Φ(z) − Φ(z − q))^(k−1) dz.
fn range_below(q: f64, k: usize) -> f64 {
    let (low, high) = (-8.0, 8.0 + q);
    let step = (high - low) / STEPS as f64;
    let at = |i: usize| {
        let z = low + i as f64 * step;
        let density = libm::exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
        density * libm::pow(normal_below(z) - normal_below(z - q), k as f64 - 1.0)
    };
    // Simpson's rule.
    let inner: f64 = (1..STEPS).map(|i| if i % 2 == 1 { 4.0 * at(i) } else { 2.0 * at(i) }).sum();
    k as f64 * (at(0) + inner + at(STEPS)) * step / 3.0
}

/// Nemenyi's factor at the 5 % level for `k` detectors, 2 or more: the quantile of the studentized range with
/// infinitely many degrees of freedom, over √2.
pub(super) fn nemenyi(k: usize) -> f64 {
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if range_below(middle, k) < 0.95 { low = middle } else { high = middle }
    }
    low / std::f64::consts::SQRT_2
}

/// The chance that a χ² variable with so many degrees of freedom, 1 or more, exceeds `x`: the regularised upper
/// incomplete gamma function, by its recurrence up from one or two degrees.
pub(super) fn chi_squared_above(x: f64, degrees: usize) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let half = x / 2.0;
    let (mut above, mut shape) =
        if degrees % 2 == 1 { (libm::erfc(half.sqrt()), 0.5) } else { (libm::exp(-half), 1.0) };
    while shape < degrees as f64 / 2.0 {
        // Q(a + 1, x) = Q(a, x) + x^a e^−x / Γ(a + 1)
        above += libm::exp(shape * libm::log(half) - half - libm::lgamma(shape + 1.0));
        shape += 1.0;
    }
    above.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demšar's table 5(a).
    #[test]
    fn factors_are_those_printed() {
        let printed = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164];
        for (k, printed) in (2..).zip(printed) {
            assert!((nemenyi(k) - printed).abs() < 1.1e-3, "{k}: {} against {printed}", nemenyi(k));
        }
        assert!(nemenyi(40) > nemenyi(39));
    }

    /// Points of the printed tables of χ² at 5 % and 1 %.
    #[test]
    fn chi_squared() {
        let printed = [(1, 3.841, 0.05), (2, 5.991, 0.05), (3, 11.345, 0.01), (10, 18.307, 0.05), (15, 30.578, 0.01)];
        for (degrees, x, p) in printed {
            assert!((chi_squared_above(x, degrees) - p).abs() < 2e-5, "{degrees}");
        }
        assert_eq!(chi_squared_above(0.0, 3), 1.0);
        assert!(chi_squared_above(1e6, 3) < 1e-300);
    }
}
