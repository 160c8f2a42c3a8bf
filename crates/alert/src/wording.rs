use std::borrow::Cow;

use crible_core::{Amount, Column, Currency, Scale, Unit, Usual};

use crate::Reason;

mod lookback;
mod number;
mod reader;

pub use number::exact;
pub use reader::{Context, Look, Reader, looks_like, sentences};

use number::{count, duration, estimate, quantity, ratio, share_of_one, times};

/// The number that a reason shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    /// Money to the last minor unit, whatever its size.
    Exact(Amount),
    /// A number on the feature's own scale. Money among these has been a 32-bit number, of which six digits are true.
    Number(f64),
}

impl Shown {
    /// In major units, where it is money.
    fn number(self) -> f64 {
        match self {
            Self::Exact(amount) => amount.major(),
            Self::Number(number) => number,
        }
    }
}

/// Puts a column into words: its `phrase` with `{value}`, `{typical}`, `{times}` (value / typical) and `{own}` filled
/// in.
///
/// Numbers are on the feature's own scale ([`Scale::invert`] already applied), in `column.unit`; money in major units
/// of `currency`. `own` is the column itself where the value shown is another's: it is then shown as a share of one
/// where the column's scale is [`Scale::NegLn`] (a surprise), else as a ratio. `share` is how much of the score the
/// column accounts for, 0 to 1.
///
/// How numbers read, in English:
///
/// - exact money with the currency's decimals and a comma each three digits, without a symbol: `1,250,000.00`;
/// - other money, which is a mean, a median or a sum, to six digits, and to the minor unit where these reach so far:
///   `44.30`, `123,457`, `1,234,570`; its number in the reason is rounded alike;
/// - counts as whole numbers, a typical count below ten with one decimal unless it is whole: `14`, `2.3`;
/// - ratios and deviations with one decimal, none from a hundred on, two digits below one: `9.3`, `125`, `0.042`;
/// - durations in the largest unit of which there is more than one: `12 seconds`, `3.4 hours`, `12 days`, `2.1 years`;
/// - shares as percent, below 1 in 10,000 in words: `0.4 %`, `fewer than 1 in 10,000`;
/// - distance `412 km`, speed `905 km/h`, hour `03:00`, weekday `Sunday`, flag `yes` or `no`;
/// - `{times}` above a thousand as `more than 1,000`, and as `many` where nothing is typical.
///
/// NaN and infinity are never printed: a value reads as `unknown`, and a typical number is dropped. A column without a
/// phrase, or whose phrase wants a typical number there is none of, reads `<name> is <value> (usually <typical>)`.
pub fn describe(
    column: &Column,
    value: Shown,
    typical: Option<f64>,
    own: f64,
    share: f64,
    currency: Currency,
) -> Reason {
    let round = |number: f64| if column.unit == Unit::Money { estimate(number, currency) } else { number };
    let typical = typical.filter(|t| t.is_finite());
    let text = fill(column, value, typical, own, currency).unwrap_or_else(|| plain(column, value, typical, currency));
    let value = match value {
        Shown::Exact(amount) => amount.major(),
        Shown::Number(number) => round(number),
    };
    Reason { column: column.name.clone(), unit: column.unit, value, typical: typical.map(round), share, text }
}

/// The phrase filled in; `None` where there is no phrase or a number it asks for is missing.
fn fill(column: &Column, value: Shown, typical: Option<f64>, own: f64, currency: Currency) -> Option<String> {
    if column.phrase.is_empty() {
        return None;
    }
    let mut text = String::with_capacity(column.phrase.len() + 24);
    let mut rest: &str = &column.phrase;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        rest = &rest[open..];
        let Some(close) = rest.find('}') else { break };
        match &rest[1..close] {
            "value" => text.push_str(&show(column.unit, value, currency)),
            "typical" => text.push_str(&say(column.unit, typical?, currency, Part::Typical)),
            "times" => text.push_str(&times(value.number(), typical?)),
            "own" => text.push_str(&say(own_unit(column), own, currency, Part::Value)),
            // A brace that is none of ours is text.
            _ => text.push_str(&rest[..=close]),
        }
        rest = &rest[close + 1..];
    }
    text.push_str(rest);
    Some(text)
}

fn plain(column: &Column, value: Shown, typical: Option<f64>, currency: Currency) -> String {
    let value = show(column.unit, value, currency);
    match typical {
        Some(typical) => {
            let typical = say(column.unit, typical, currency, Part::Typical);
            format!("{} is {value} (usually {typical})", column.name)
        }
        None => format!("{} is {value}", column.name),
    }
}

fn own_unit(column: &Column) -> Unit {
    match (&column.shown, column.scale) {
        (Usual::Column(_) | Usual::Amount, Scale::NegLn) => Unit::Share,
        (Usual::Column(_) | Usual::Amount, _) => Unit::Ratio,
        _ => column.unit,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Value,
    Typical,
}

fn show(unit: Unit, value: Shown, currency: Currency) -> Cow<'static, str> {
    match value {
        Shown::Exact(amount) => Cow::Owned(number::exact(amount)),
        Shown::Number(number) => say(unit, number, currency, Part::Value),
    }
}

fn say(unit: Unit, value: f64, currency: Currency, part: Part) -> Cow<'static, str> {
    if !value.is_finite() {
        return Cow::Borrowed("unknown");
    }
    Cow::Owned(match unit {
        Unit::Money => number::money(value, currency),
        Unit::Count => count(value, part == Part::Typical),
        Unit::Seconds => duration(value),
        Unit::Share => share_of_one(value),
        Unit::Kilometres => quantity(value, " km"),
        Unit::KilometresPerHour => quantity(value, " km/h"),
        Unit::Hour => {
            // The remainder lies in 0..1440, whatever the value.
            let minutes = (value * 60.0).rem_euclid(1_440.0) as u32 % 1_440;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        }
        Unit::Weekday => {
            return Cow::Borrowed(WEEKDAYS[value.round().rem_euclid(7.0) as usize % 7]);
        }
        Unit::Flag => return Cow::Borrowed(if value == 0.0 { "no" } else { "yes" }),
        // Ratios, deviations and units this crate has not met.
        _ => ratio(value),
    })
}

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[cfg(test)]
mod tests;
