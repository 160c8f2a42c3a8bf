//! The year of times that have none. No clock is asked: the file has to say it.

use std::fmt;

use chrono::{Datelike, NaiveDate};

/// What a file says of when its messages were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// All of one year.
    Year(i32),
    /// Within half a year of a day, so that a log of New Year's Day may begin on New Year's Eve.
    Day(NaiveDate),
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "times are of {year}"),
            Self::Day(day) => write!(f, "times are those nearest to {day}"),
        }
    }
}

impl Anchor {
    /// The one day (20240131, 2024-01-31) or else the one year (2024) that a text names, of 1970 to 2099. Where it
    /// names several, none is taken.
    pub(super) fn find(text: &str) -> Option<Self> {
        let (mut days, mut years) = (Vec::new(), Vec::new());
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<u32> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
        };
        let mut from = 0;
        while from < bytes.len() {
            let length = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let to = from + length;
            let parted = |at: usize| matches!(bytes.get(at), Some(b'-' | b'_' | b'.'));
            let day = match length {
                // A time may stand right behind the day.
                8 | 12 | 14 => Some((number(from + 4, from + 6), number(from + 6, from + 8))),
                4 if parted(to) && parted(to + 3) => Some((number(to + 1, to + 3), number(to + 4, to + 6))),
                _ => None,
            };
            if let Some(year) = number(from, from + 4).filter(|year| length >= 4 && (1970..2100).contains(year)) {
                let year = year.cast_signed();
                match day {
                    Some((Some(month), Some(day))) => days.extend(NaiveDate::from_ymd_opt(year, month, day)),
                    _ if length == 4 => years.push(year),
                    _ => {}
                }
            }
            from = to.max(from + 1);
        }
        let one = |years: &[i32]| years.first().copied().filter(|first| years.iter().all(|year| year == first));
        match days[..] {
            [day] => Some(Self::Day(day)),
            [] => one(&years).map(Self::Year),
            _ => one(&days.iter().map(Datelike::year).collect::<Vec<_>>()).map(Self::Year),
        }
    }

    /// The day of a month and day.
    pub(super) fn day(self, month: u32, day: u32) -> Option<NaiveDate> {
        match self {
            Self::Year(year) => NaiveDate::from_ymd_opt(year, month, day),
            Self::Day(near) => (near.year() - 1..=near.year() + 1)
                .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
                .min_by_key(|day| (*day - near).num_days().abs())
                // The 29th of February may be that of no year so near.
                .filter(|day| (*day - near).num_days().abs() <= 184),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn on(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn a_text_names_a_day_or_a_year() {
        let check = |text: &str, expect: Option<Anchor>| assert_eq!(Anchor::find(text), expect, "{text}");
        check("auth-2024.iso", Some(Anchor::Year(2024)));
        check("2024", Some(Anchor::Year(2024)));
        check("auth_20240131.iso", Some(Anchor::Day(on(2024, 1, 31))));
        check("auth 2024-01-31T10.iso", Some(Anchor::Day(on(2024, 1, 31))));
        check("switch7_20240131235959.bin", Some(Anchor::Day(on(2024, 1, 31))));
        check("from-20240101-to-20240131.iso", Some(Anchor::Year(2024)));
        check("from-20231201-to-20240131.iso", None);
        check("2023-2024.iso", None);
        for text in ["", "auth.iso", "auth-8583.iso", "20240231", "card-12024", "1234567890123456", "é2é"] {
            check(text, None);
        }
    }

    #[test]
    fn a_day_takes_the_nearest_year() {
        let newyear = Anchor::Day(on(2024, 1, 1));
        assert_eq!(newyear.day(12, 31), Some(on(2023, 12, 31)));
        assert_eq!(newyear.day(1, 2), Some(on(2024, 1, 2)));
        assert_eq!(newyear.day(2, 29), Some(on(2024, 2, 29)));
        assert_eq!(Anchor::Day(on(2022, 8, 1)).day(2, 29), None);
        assert_eq!(Anchor::Year(2024).day(12, 31), Some(on(2024, 12, 31)));
        assert_eq!(Anchor::Year(2023).day(2, 29), None);
    }
}
