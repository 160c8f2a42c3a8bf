//! An exponential that vectorises, from basic operations alone: the same bits on every platform.

/// e^x for x ≤ 0, within 2e-15 of it, relative; 0 below −708.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    /// Adding it leaves the nearest integer in the low bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    /// ln 2 in two parts, of which the first has few bits.
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let clipped = if x > -708.0 { x } else { -708.0 };
    let shifted = clipped * std::f64::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = clipped - n * LN_2_HIGH - n * LN_2_LOW;
    // |r| ≤ 0.35: thirteen terms of the series.
    let mut sum = 1.0 / 6_227_020_800.0;
    for factorial in
        [479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0]
    {
        sum = sum * r + 1.0 / factorial;
    }
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1_023) << 52);
    if x > -708.0 { sum * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_libm() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 0.003_54;
            let (found, expect) = (exp(x), libm::exp(x));
            let off = (found - expect).abs();
            assert!(off <= 2e-15 * expect || x <= -708.0, "{x}: {found}, expected {expect}");
        }
        assert_eq!((exp(0.0), exp(-1e300), exp(f64::NEG_INFINITY)), (1.0, 0.0, 0.0));
    }
}
