use std::fmt;

/// Microseconds since 1970-01-01T00:00:00 UTC, leap seconds left out (POSIX time).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Microseconds in a second.
    pub const SECOND: i64 = 1_000_000;
    /// Microseconds in a day.
    pub const DAY: i64 = 86_400 * Self::SECOND;

    /// From whole seconds since the epoch; saturates beyond ±292,000 years.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(Self::SECOND))
    }

    /// From a civil date and time of day in UTC, on the proleptic Gregorian calendar. `None` where a field is out of
    /// range, the 30th of February included.
    ///
    /// ```
    /// use crible_core::Timestamp;
    /// assert_eq!(Timestamp::from_civil(1970, 1, 2, 0, 0, 1, 0).map(|t| t.0), Some(86_401_000_000));
    /// assert_eq!(Timestamp::from_civil(2023, 2, 29, 0, 0, 0, 0), None);
    /// ```
    pub const fn from_civil(
        year: i32,
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
        micro: u32,
    ) -> Option<Self> {
        if !(year >= -9_999 && year <= 9_999 && month >= 1 && month <= 12 && day >= 1) {
            return None;
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + leap as u32,
            _ => 31,
        };
        if !(day <= days && hour <= 23 && minute <= 59 && second <= 59 && micro <= 999_999) {
            return None;
        }
        let seconds = days_from_civil(year, month, day) * 86_400 + (hour * 3_600 + minute * 60 + second) as i64;
        Some(Self(seconds * Self::SECOND + micro as i64))
    }

    /// Days since the epoch, rounded down: the UTC day this instant falls on.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(Self::DAY)
    }

    /// Microseconds since the UTC day began.
    pub const fn micros_of_day(self) -> i64 {
        self.0.rem_euclid(Self::DAY)
    }

    /// Hour of the day in UTC, 0 to 23.
    pub const fn hour(self) -> usize {
        (self.micros_of_day() / (3_600 * Self::SECOND)) as usize
    }

    /// Day of the week in UTC, Monday 0 to Sunday 6.
    pub const fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday. The remainder lies in 0..7.
        (self.day() + 3).rem_euclid(7) as usize
    }

    /// Year, month and day in UTC.
    pub const fn civil_date(self) -> (i64, u32, u32) {
        civil_from_days(self.day())
    }
}

// The workspace's only calendar arithmetic of its own, since every crate needs it and a `const` one needs no
// dependency. Time zones and written dates are read by `chrono`, in ingest alone.

/// Days since the epoch of a civil date, after the shifted-March method of Richards (1998).
const fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let shifted = year as i64 - (month <= 2) as i64;
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let month_from_march = ((month + 9) % 12) as i64;
    let of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with microseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil_date();
        let micros = self.micros_of_day();
        let seconds = micros / Self::SECOND;
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)?;
        match micros % Self::SECOND {
            0 => f.write_str("Z"),
            rest => write!(f, ".{rest:06}Z"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A sliding window's length in microseconds; an event at `t` is in the window of a later `now` while `t > now −
/// length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(pub i64);

impl Window {
    /// One hour.
    pub const HOUR: Self = Self(3_600 * Timestamp::SECOND);
    /// One day of 24 hours.
    pub const DAY: Self = Self(Timestamp::DAY);
    /// Seven days.
    pub const WEEK: Self = Self(7 * Timestamp::DAY);
    /// Thirty days.
    pub const MONTH: Self = Self(30 * Timestamp::DAY);

    const UNITS: [(&str, i64); 5] = [
        ("d", Timestamp::DAY),
        ("h", 3_600 * Timestamp::SECOND),
        ("min", 60 * Timestamp::SECOND),
        ("s", Timestamp::SECOND),
        ("us", 1),
    ];

    /// The length as names of columns and settings have it, in the largest unit that divides it: `30d`, `36h`, `90min`,
    /// `5s`.
    pub fn tag(self) -> String {
        let whole = Self::UNITS.into_iter().find(|(_, unit)| self.0 != 0 && self.0 % unit == 0);
        let (name, unit) = whole.unwrap_or(("s", Timestamp::SECOND));
        format!("{}{name}", self.0 / unit)
    }
}

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no length of time: expected a whole number of d, h, min or s, as in 30d")]
pub struct BadWindow(pub String);

impl std::str::FromStr for Window {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Self, BadWindow> {
        let bad = || BadWindow(text.to_owned());
        let (number, name) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?);
        let unit = Self::UNITS.into_iter().find(|(unit, _)| *unit == name.trim()).ok_or_else(bad)?.1;
        let number: i64 = number.parse().map_err(|_| bad())?;
        number.checked_mul(unit).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            length if length % Timestamp::DAY == 0 => write!(f, "{}-day", length / Timestamp::DAY),
            length if length % Self::HOUR.0 == 0 => write!(f, "{}-hour", length / Self::HOUR.0),
            length => write!(f, "{}-second", length / Timestamp::SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_instants() {
        let check = |civil: (i32, u32, u32, u32, u32, u32), text: &str, weekday: usize| {
            let (y, m, d, h, min, s) = civil;
            let at = Timestamp::from_civil(y, m, d, h, min, s, 0).unwrap();
            assert_eq!(at.to_string(), text);
            assert_eq!(at.weekday(), weekday);
        };
        check((1970, 1, 1, 0, 0, 0), "1970-01-01T00:00:00Z", 3);
        check((2000, 2, 29, 23, 59, 59), "2000-02-29T23:59:59Z", 1);
        check((1969, 12, 31, 23, 59, 59), "1969-12-31T23:59:59Z", 2);
        check((2024, 6, 1, 0, 0, 2), "2024-06-01T00:00:02Z", 5);
    }

    #[test]
    fn impossible_dates_are_none() {
        for (y, m, d) in [(2023, 2, 29), (2023, 4, 31), (2023, 13, 1), (2023, 0, 1), (1900, 2, 29)] {
            assert_eq!(Timestamp::from_civil(y, m, d, 0, 0, 0, 0), None, "{y}-{m}-{d}");
        }
        assert_eq!(Timestamp::from_civil(2023, 1, 1, 24, 0, 0, 0), None);
        assert_eq!(Timestamp::from_civil(2023, 1, 1, 0, 0, 60, 0), None);
    }

    proptest! {
        #[test]
        fn civil_date_round_trips(days in -3_000_000i64..2_000_000) {
            let at = Timestamp(days * Timestamp::DAY);
            let (year, month, day) = at.civil_date();
            prop_assert_eq!(Timestamp::from_civil(year as i32, month, day, 0, 0, 0, 0), Some(at));
        }
    }
}
