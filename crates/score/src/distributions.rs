//! Tails of Student's and of the chi-square distribution.
//!
//! Ours and not `statrs`'s, which has neither on the log scale that extreme values need, and takes `exp` and `ln` from
//! the platform, so that a score would differ from machine to machine. What `libm` has is taken from it.

/// ln of P(|T| ≥ |t|) for Student's t with `freedom` degrees of freedom, above 0; far beyond where P is a number.
///
/// As an incomplete beta function, by Lentz's continued fraction (Press et al., *Numerical Recipes*, 6.4).
pub(crate) fn ln_student_two_sided(t: f64, freedom: f64) -> f64 {
    let ratio = t * t / freedom;
    // ln x and ln (1 − x) of x = ν / (ν + t²).
    let ln_x = -libm::log1p(ratio);
    if ratio == 0.0 {
        return 0.0;
    }
    let ln_rest = -libm::log1p(1.0 / ratio);
    let (a, b) = (0.5 * freedom, 0.5);
    let ln_factor = a * ln_x + b * ln_rest - ln_beta(a, b);
    let x = 1.0 / (1.0 + ratio);
    if x < (a + 1.0) / (a + b + 2.0) {
        ln_factor - libm::log(a) - libm::log(continued(x, a, b))
    } else {
        let rest = libm::exp(ln_factor) / (b * continued(ratio / (1.0 + ratio), b, a));
        libm::log1p(-if rest < 1.0 { rest } else { 1.0 })
    }
}

/// The t for which P(|T| ≥ t) is `p`, in (0, 1).
pub(crate) fn student_two_sided(p: f64, freedom: f64) -> f64 {
    let target = libm::log(p);
    let (mut low, mut high) = (0.0, 1.0);
    while ln_student_two_sided(high, freedom) > target && high < 1e150 {
        (low, high) = (high, 2.0 * high);
    }
    // Halving ends when the ends are neighbours; sixty-four times is enough for that.
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if ln_student_two_sided(middle, freedom) > target { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// P(X ≥ x) for chi-square with `freedom` degrees of freedom: by the series of the incomplete gamma function below its
/// mean, by a continued fraction above (Press et al., 6.2).
pub(crate) fn chi_square_tail(x: f64, freedom: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let (a, x) = (0.5 * freedom, 0.5 * x);
    let factor = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let p = 1.0 - factor * sum;
        return if p > 0.0 { p } else { 0.0 };
    }
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut out = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = i * (a - i);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b);
        c = nonzero(b + an / c);
        let step = c * d;
        out *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    factor * out
}

fn ln_beta(a: f64, b: f64) -> f64 {
    // For large a the difference of the two large terms would lose digits: Stirling's series of it instead.
    if a > 1e3 && b == 0.5 {
        let ratio = -0.5 * libm::log(a) + 1.0 / (8.0 * a) - 1.0 / (192.0 * a * a * a);
        return libm::lgamma(b) + ratio;
    }
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// One over the continued fraction of the incomplete beta function.
fn continued(x: f64, a: f64, b: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut out = d;
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        out *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        let step = d * c;
        out *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 / out
}

fn nonzero(x: f64) -> f64 {
    if x.abs() < 1e-300 { 1e-300 } else { x }
}
