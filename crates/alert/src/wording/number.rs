//! Numbers as a person reads them. Every function takes finite numbers.

use crible_core::{Amount, Currency};

/// What no feature should reach; a string of three hundred digits helps nobody.
const CEILING: f64 = 1e12;

/// A number with `decimals` digits behind the point and a comma each three digits before it.
fn grouped(value: f64, decimals: usize) -> String {
    if value.abs() > CEILING {
        let sign = if value < 0.0 { "less than -" } else { "more than " };
        return format!("{sign}1,000,000,000,000");
    }
    let digits = format!("{:.decimals$}", value.abs());
    let is_negative = value < 0.0 && digits.bytes().any(|b| matches!(b, b'1'..=b'9'));
    format!("{}{}", if is_negative { "-" } else { "" }, separated(&digits))
}

/// Digits with a comma each three before the point.
fn separated(digits: &str) -> String {
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut text = String::with_capacity(digits.len() + whole / 3);
    for (i, digit) in digits[..whole].char_indices() {
        if i > 0 && (whole - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(&digits[whole..]);
    text
}

/// One decimal, and none where that would be a zero.
pub(super) fn at_most_one_decimal(value: f64) -> String {
    let mut text = grouped(value, 1);
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    text
}

/// Digits of a 32-bit number that are true after a logarithm and back.
const DIGITS: i32 = 6;

/// An amount with all its digits and a comma each three before the point, without its currency: `-1,234.50`.
pub fn exact(amount: Amount) -> String {
    let digits = amount.to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    format!("{sign}{}", separated(digits))
}

/// How many decimals a mean, a median or a sum has: the currency's, where six digits reach so far, else none; fewer
/// than none from a million on.
fn decimals(value: f64, currency: Currency) -> i32 {
    let exponent = currency.exponent() as i32;
    let size = value.abs();
    if size < 10f64.powi(DIGITS - exponent) {
        return exponent;
    }
    let mut decimals = 0;
    while size >= 10f64.powi(DIGITS - decimals) && size < CEILING {
        decimals -= 1;
    }
    decimals
}

/// A mean, a median or a sum of money, rounded to the digits that are true.
pub(super) fn estimate(value: f64, currency: Currency) -> f64 {
    if !value.is_finite() {
        return value;
    }
    match decimals(value, currency) {
        some @ 0.. => (value * 10f64.powi(some)).round() / 10f64.powi(some),
        fewer => (value / 10f64.powi(-fewer)).round() * 10f64.powi(-fewer),
    }
}

/// The same in words.
pub(super) fn money(value: f64, currency: Currency) -> String {
    grouped(estimate(value, currency), decimals(value, currency).max(0) as usize)
}

pub(super) fn count(value: f64, typical: bool) -> String {
    if typical && value.abs() < 10.0 { at_most_one_decimal(value) } else { grouped(value, 0) }
}

pub(super) fn ratio(value: f64) -> String {
    match value.abs() {
        // Where one decimal would round up to a hundred, it has none.
        size if size >= 99.95 => grouped(value, 0),
        size if size >= 0.95 || size == 0.0 => grouped(value, 1),
        size if size >= 0.095 => grouped(value, 2),
        size if size >= 0.001 => grouped(value, 3),
        _ if value < 0.0 => "between -0.001 and 0".to_owned(),
        _ => "less than 0.001".to_owned(),
    }
}

pub(super) fn times(value: f64, typical: f64) -> String {
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    if typical == 0.0 {
        return if value == 0.0 { "1.0".to_owned() } else { "many".to_owned() };
    }
    let times = value / typical;
    if times > 1_000.0 { "more than 1,000".to_owned() } else { ratio(times.max(-CEILING)) }
}

pub(super) fn quantity(value: f64, unit: &str) -> String {
    let number = if value.abs() < 9.95 { at_most_one_decimal(value) } else { grouped(value, 0) };
    number + unit
}

pub(super) fn share_of_one(value: f64) -> String {
    if value > 0.0 && value < 1e-4 {
        return "fewer than 1 in 10,000".to_owned();
    }
    let percent = value * 100.0;
    let number = match percent.abs() {
        // 99.7 is not 100.
        size if size > 99.0 && size < 100.0 => {
            let tenths = (size * 10.0).floor() / 10.0;
            grouped(tenths.copysign(percent), 1)
        }
        size if size >= 9.95 => grouped(percent, 0),
        size if size >= 0.095 || size == 0.0 => at_most_one_decimal(percent),
        _ => grouped(percent, 2),
    };
    number + " %"
}

/// Seconds in words, in the largest unit of which there is more than one after rounding.
pub(super) fn duration(seconds: f64) -> String {
    const YEAR: f64 = 365.25 * 86_400.0;
    // Each unit serves until the next holds two of its own, minutes and hours until the next is full.
    let (length, unit) = match seconds.abs() {
        s if s < 59.5 => (1.0, "second"),
        s if s < 59.5 * 60.0 => (60.0, "minute"),
        s if s < 47.5 * 3_600.0 => (3_600.0, "hour"),
        s if s < 2.0 * YEAR => (86_400.0, "day"),
        _ => (YEAR, "year"),
    };
    let number = seconds / length;
    let number = if number.abs() < 9.95 { at_most_one_decimal(number) } else { grouped(number, 0) };
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {unit}{plural}")
}
