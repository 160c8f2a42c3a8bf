//! Logarithms that are the same on every machine.
//!
//! The platform's `ln` may differ in the last bit from one C library to the next; a score must not. These use the four
//! basic operations alone, which IEEE 754 fixes to the bit.

/// Natural logarithm of a positive, normal, finite number, within 1e-14 relative to max(1, |ln x|).
///
/// The argument is brought to m·2ᵉ with m in [√½, √2), and ln m = 2·artanh((m − 1)/(m + 1)) summed as a series.
/// Zero, negative numbers and NaN are the caller's mistake and give a finite number without meaning.
pub fn ln(x: f64) -> f64 {
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
    const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
    let bits = x.to_bits();
    let shifted = bits.wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF_BITS);
    let exponent = ((shifted >> 52) as i64 - 1_023) as f64;
    let m = f64::from_bits((shifted & MANTISSA).wrapping_add(SQRT_HALF_BITS));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let series = 1.0
        + z * (1.0 / 3.0
            + z * (1.0 / 5.0
                + z * (1.0 / 7.0
                    + z * (1.0 / 9.0 + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z * (1.0 / 15.0 + z * (1.0 / 17.0))))))));
    2.0 * s * series + exponent * std::f64::consts::LN_2
}

/// e to the power of a number of −700 to 700, within 1e-9 of its size: more than the 32 bits of a column hold.
///
/// x is brought to k·ln 2 + r with |r| ≤ ½·ln 2, and eʳ summed as a series; k goes into the exponent.
pub fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = x - k * std::f64::consts::LN_2;
    let z = r * r;
    let even = 1.0 + z * (1.0 / 2.0 + z * (1.0 / 24.0 + z * (1.0 / 720.0 + z * (1.0 / 40_320.0))));
    let odd = r * (1.0 + z * (1.0 / 6.0 + z * (1.0 / 120.0 + z * (1.0 / 5_040.0))));
    (even + odd) * f64::from_bits(((k as i64 + 1_023) as u64) << 52)
}

/// ln(1 + x) for x ≥ 0. Small x lose relative, not absolute, precision, which is all a scale needs.
pub fn ln1p(x: f64) -> f64 {
    ln(1.0 + x)
}

/// ln(1 + n) of a count, by table where counts usually are.
#[derive(Clone, Debug)]
pub(crate) struct CountLogs(Vec<f64>);

impl CountLogs {
    pub(crate) fn new() -> Self {
        Self((0..1_024).map(|n| ln1p(f64::from(n))).collect())
    }

    pub(crate) fn ln1p(&self, n: u32) -> f64 {
        match self.0.get(n as usize) {
            Some(&known) => known,
            None => ln1p(f64::from(n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_platform(x in 1e-300f64..1e300) {
            prop_assert!((ln(x) - x.ln()).abs() <= 1e-14 * x.ln().abs().max(1.0), "{x}: {} {}", ln(x), x.ln());
        }

        #[test]
        fn agrees_near_one(x in 0.5f64..2.0) {
            prop_assert!((ln(x) - x.ln()).abs() <= 1e-14, "{x}: {} {}", ln(x), x.ln());
        }
    }

    proptest! {
        #[test]
        fn is_the_inverse(x in -700.0f64..700.0) {
            prop_assert!((exp(x) / x.exp() - 1.0).abs() <= 1e-9, "{x}: {} {}", exp(x), x.exp());
        }
    }

    #[test]
    fn grows() {
        assert_eq!(ln(1.0), 0.0);
        let logs = CountLogs::new();
        for n in 0..3_000 {
            assert!(logs.ln1p(n) < logs.ln1p(n + 1));
        }
    }
}
