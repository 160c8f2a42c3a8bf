use crible_core::{Amount, AmountError, Currency};

use serde::Deserialize;

/// How an amount is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Style {
    /// `-1234.50`
    #[default]
    Plain,
    /// `-$1,234.50`, `($1,234.50)`, `+ 5.00`
    Money,
    /// `-1.234,50 €`
    MoneyComma,
}

/// Reads an amount as it is written, keeping its sign.
pub(crate) fn read(text: &[u8], style: Style, currency: Currency) -> Result<i64, AmountError> {
    if style == Style::Plain {
        return Amount::parse_bytes(text, currency).map(|amount| amount.minor);
    }
    let not = || AmountError::NotANumber(crate::error::shown(text));
    let plain = plain(text, if style == Style::Money { b'.' } else { b',' }).ok_or_else(not)?;
    Amount::parse_bytes(&plain, currency).map(|amount| amount.minor).map_err(|error| match error {
        AmountError::NotANumber(_) => not(),
        other => other,
    })
}

/// The same with the digits behind the currency's last rounded, half to even.
pub(crate) fn read_rounded(text: &[u8], style: Style, currency: Currency) -> Result<i64, AmountError> {
    let error = match read(text, style, currency) {
        Err(error @ AmountError::TooPrecise { .. }) => error,
        read => return read,
    };
    let point = if style == Style::MoneyComma { b',' } else { b'.' };
    let Some(digits) = plain(text, point) else {
        return Err(error);
    };
    // What is too precise has a point and more digits behind it than the currency has.
    let Some(end) = digits.iter().position(|&byte| byte == b'.').map(|at| at + 1 + currency.exponent() as usize) else {
        return Err(error);
    };
    let (kept, cut) = digits.split_at(end.min(digits.len()));
    let magnitude = read(kept.strip_prefix(b"-").unwrap_or(kept), Style::Plain, currency)?;
    let half = match cut.split_first() {
        Some((b'5', rest)) if rest.iter().all(|&digit| digit == b'0') => magnitude % 2 == 1,
        Some((first, _)) => *first >= b'5',
        None => false,
    };
    let magnitude = magnitude.saturating_add(i64::from(half));
    Ok(if digits.starts_with(b"-") { -magnitude } else { magnitude })
}

/// Takes off what people put around a number: a currency's sign, brackets for a minus, blanks, and separators of
/// thousands. A separator must stand before three digits: `12,34` is no US amount, and taking it for 1234 would
/// multiply it by a hundred.
fn plain(text: &[u8], point: u8) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (mut negative, text) = match text.strip_prefix('(') {
        Some(inner) => (true, inner.strip_suffix(')')?),
        None => (false, text),
    };
    let mut signed = negative;
    let mut digits = Vec::with_capacity(text.len());
    // Digits since the last separator of thousands, where there was one.
    let mut group = None;
    let mut seen_point = false;
    let mut symbol = false;
    // Once something ends the number, only a sign or symbol may follow.
    let mut ended = false;
    for letter in text.chars() {
        match letter {
            '-' | '+' | '\u{2212}' => {
                if signed {
                    return None;
                }
                signed = true;
                negative = letter != '+';
                ended |= !digits.is_empty();
            }
            '$' | '€' | '£' | '¥' | '₹' => {
                if symbol {
                    return None;
                }
                symbol = true;
                ended |= !digits.is_empty();
            }
            // A blank may part a sign or symbol from the number, and never the number itself.
            ' ' | '\u{a0}' | '\u{202f}' => ended |= !digits.is_empty(),
            _ if ended => return None,
            '0'..='9' => {
                digits.push(letter as u8);
                if !seen_point && let Some(group) = &mut group {
                    *group += 1;
                }
            }
            '.' | ',' if letter as u8 == point => {
                if seen_point || group.is_some_and(|group| group != 3) {
                    return None;
                }
                seen_point = true;
                digits.push(b'.');
            }
            '.' | ',' | '\'' => {
                let lead = if group.is_none() { digits.len() } else { 3 };
                if seen_point || !(1..=3).contains(&lead) || group.is_some_and(|group| group != 3) {
                    return None;
                }
                group = Some(0);
            }
            _ => return None,
        }
    }
    if !seen_point && group.is_some_and(|group| group != 3) {
        return None;
    }
    if negative {
        digits.insert(0, b'-');
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn people_write_amounts_in_many_ways() {
        let us = |text: &str| read(text.as_bytes(), Style::Money, Currency::USD).ok();
        for (text, minor) in [
            ("1234.5", 123_450),
            ("-$1,234.50", -123_450),
            ("$-1,234.50", -123_450),
            ("($5.00)", -500),
            ("- $175.00", -17_500),
            ("+ $1,150.00", 115_000),
            ("1,234,567", 123_456_700),
            ("12.00-", -1_200),
            ("\u{2212}3", -300),
            (" 7 ", 700),
            (".75", 75),
        ] {
            assert_eq!(us(text), Some(minor), "{text:?}");
        }
        for text in [
            "", "$", "-", "12,34", "1,23.00", "1,2345", ",123", "1234,567", "1 234", "1.2.3", "--5", "(-5", "(-5)",
            "5 USD", "1.234,50", "1e3", "$$5", "1.5,000", "0x10",
        ] {
            assert_eq!(us(text), None, "{text:?}");
        }
        let eu = |text: &str| read(text.as_bytes(), Style::MoneyComma, Currency::EUR).ok();
        assert_eq!(eu("-1.234,50 €"), Some(-123_450));
        assert_eq!(eu("1'234,5"), Some(123_450));
        assert_eq!(eu("12.34"), None);
    }

    #[test]
    fn rounding_is_half_to_even() {
        for (text, minor) in
            [("1.005", 100), ("1.015", 102), ("-1.0051", -101), ("2.994999", 299), ("0.999", 100), ("3.1", 310)]
        {
            assert_eq!(read_rounded(text.as_bytes(), Style::Plain, Currency::USD), Ok(minor), "{text}");
        }
        assert!(read_rounded(b"1.0x5", Style::Plain, Currency::USD).is_err());
        let yen = Currency::new(b"JPY").unwrap();
        assert_eq!(read_rounded(b"12.5", Style::Plain, yen), Ok(12));
    }

    #[test]
    fn plain_means_plain() {
        assert!(read(b"1,000", Style::Plain, Currency::USD).is_err());
        assert_eq!(read(b"-57.16", Style::Plain, Currency::USD).unwrap(), -5_716);
    }
}
