//! Numbers that a file holds in binary, written as a CSV has them.

use std::io::{self, Write};

/// How far an amount in binary floating point may be from a decimal of its currency.
const TOLERANCE: f64 = 1e-6;

/// Writes a number; `money` is one of at most four decimals that arithmetic may have moved a little. A number that is
/// none stands for an absent value, as data frames without nulls have it.
pub(crate) fn write(value: f64, money: bool, out: &mut Vec<u8>) -> io::Result<()> {
    if value.is_nan() {
        return Ok(());
    }
    if money && value.abs() < 1e15 {
        for digits in 0..=4usize {
            let unit = 10f64.powi(digits as i32);
            let nearest = (value * unit).round() / unit;
            if (value - nearest).abs() <= TOLERANCE {
                return write!(out, "{nearest:.digits$}");
            }
        }
    }
    write!(out, "{value}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_written_as_a_csv_has_them() {
        let check = |value: f64, money: bool, expect: &str| {
            let mut out = Vec::new();
            write(value, money, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expect, "{value:?}");
        };
        check(57.16, true, "57.16");
        check(85.649_999_999_999_99, true, "85.65");
        check(57.160_000_4, true, "57.16");
        check(57.160_04, true, "57.16004");
        check(-3.0, true, "-3");
        check(596.0, false, "596");
        check(0.1, false, "0.1");
        check(f64::NAN, true, "");
        check(f64::INFINITY, true, "inf");
    }
}
