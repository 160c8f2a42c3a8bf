//! Times as feeds write them, to microseconds UTC.

mod months;
pub(crate) mod sniff;
mod written;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use crible_core::Timestamp;

use crate::preset::{StepUnit, Time};

/// The years a payment can be of: an epoch taken for the wrong unit lands far outside.
const EARLIEST: i64 = -2_208_988_800_000_000; // 1900-01-01
const LATEST: i64 = 7_258_118_400_000_000; // 2200-01-01

/// Reads one feed's times.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    formats: Vec<Format>,
    zone: Tz,
    /// Abbreviations of zones that a column may hold, and their offsets in microseconds.
    zones: Vec<(String, i64)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Format {
    /// ISO 8601 / RFC 3339: a date, or a date and time to the minute or finer, with or without an offset.
    Iso,
    EpochSeconds,
    EpochMilliseconds,
    EpochMicroseconds,
    EpochNanoseconds,
    /// Days since the end of 1899, as spreadsheets count them.
    Serial,
    /// Month and day of one or two digits, year of four, parted by slashes.
    Slashed {
        month_first: bool,
    },
    Step {
        unit: i64,
        base: i64,
    },
    /// Calendar months since a base.
    Months {
        base: i64,
    },
    /// However people write it: see [`written`].
    Written(written::Order),
    Pattern {
        text: String,
        zoned: bool,
        /// Whether it has the month's name, which may be of another language.
        named: bool,
    },
}

/// What was read: an instant, or a wall clock's reading in microseconds as if it were UTC.
enum Reading {
    Instant(i64),
    Local(i64),
}

/// The date last read and its midnight. Neighbouring rows mostly share it.
#[derive(Clone, Debug)]
pub(crate) struct Memo {
    text: [u8; 10],
    midnight: i64,
}

impl Default for Memo {
    fn default() -> Self {
        Self { text: *b"1970-01-01", midnight: 0 }
    }
}

impl Clock {
    /// A clock for a preset's times, or the value that is wrong and what it may be.
    pub(crate) fn new(time: &Time) -> Result<Self, (String, &'static str)> {
        let zone = match &time.zone {
            None => Tz::UTC,
            Some(name) => {
                name.parse().map_err(|_| (name.clone(), "a time zone of the IANA data base, such as Europe/Paris"))?
            }
        };
        let mut formats = Vec::with_capacity(time.formats.len());
        for text in &time.formats {
            formats.push(Format::new(text).ok_or_else(|| {
                (
                    text.clone(),
                    "iso, epoch-seconds (-milliseconds, -microseconds, -nanoseconds), excel-serial, written, \
                     written-day-first, written-month-first or a strftime pattern such as %d.%m.%Y",
                )
            })?);
        }
        if let Some(step) = &time.step {
            let base = match iso(step.base.as_bytes(), &mut Memo::default()) {
                Some(Reading::Instant(base) | Reading::Local(base)) => base,
                None => return Err((step.base.clone(), "an instant such as 2017-01-01T00:00:00Z")),
            };
            let unit = |seconds: i64| Format::Step { unit: seconds * Timestamp::SECOND, base };
            formats.push(match step.unit {
                StepUnit::Second => unit(1),
                StepUnit::Minute => unit(60),
                StepUnit::Hour => unit(3_600),
                StepUnit::Day => unit(86_400),
                StepUnit::Month => Format::Months { base },
            });
        }
        let mut zones = Vec::with_capacity(time.zones.len());
        for (name, text) in &time.zones {
            let offset = offset(text.as_bytes()).ok_or_else(|| (text.clone(), "an offset such as -08:00"))?;
            zones.push((name.clone(), offset));
        }
        Ok(Self { formats, zone, zones })
    }

    /// The same clock for values of one known format.
    #[cfg_attr(not(feature = "polars"), expect(dead_code, reason = "only the columns of Parquet have types"))]
    pub(crate) fn with_format(&self, name: &str) -> Option<Self> {
        Some(Self { formats: vec![Format::new(name)?], zone: self.zone, zones: self.zones.clone() })
    }

    /// Whether its times are dates of which the month could as well be the day.
    pub(crate) fn is_turnable(&self) -> bool {
        self.formats.iter().any(|format| match format {
            Format::Slashed { .. } => true,
            Format::Written(order) => *order != written::Order::Told,
            Format::Pattern { text, .. } => ["%m/", "%d/", "%m-", "%d-"].iter().any(|start| text.starts_with(start)),
            _ => false,
        })
    }

    /// Whether it counts steps and reads no dates.
    pub(crate) fn counts(&self) -> bool {
        self.formats.iter().any(|format| matches!(format, Format::Step { .. } | Format::Months { .. }))
    }

    /// Whether no format was named, so that it has to be sniffed.
    pub(crate) fn is_open(&self) -> bool {
        self.formats.is_empty()
    }

    /// Reads a time by the first format that fits. A wall-clock time that a change to summer time skips counts from
    /// the offset before the change (02:30 becomes 03:30); one that the change back repeats is the first of the two.
    pub(crate) fn read(&self, text: &[u8], memo: &mut Memo) -> Option<Timestamp> {
        match self.reading(text, memo)? {
            Reading::Instant(micros) => Some(Timestamp(micros)),
            Reading::Local(micros) => at(micros, self.zone),
        }
    }

    /// Reads a time whose zone is named beside it: an abbreviation the feed is known to use, or an IANA zone. A time
    /// that names its own zone keeps it.
    pub(crate) fn read_in(&self, text: &[u8], zone: &[u8], memo: &mut Memo) -> Option<Timestamp> {
        match self.reading(text, memo)? {
            Reading::Instant(micros) => Some(Timestamp(micros)),
            Reading::Local(micros) => match self.zones.iter().find(|(name, _)| name.as_bytes() == zone) {
                Some((_, offset)) => Some(Timestamp(micros - offset)),
                None => at(micros, std::str::from_utf8(zone).ok()?.parse().ok()?),
            },
        }
    }

    /// By the first format that reads a year that can be: a year of two digits is no year of the first century.
    fn reading(&self, text: &[u8], memo: &mut Memo) -> Option<Reading> {
        self.formats.iter().find_map(|format| {
            let reading = format.read(text, memo)?;
            let (Reading::Instant(micros) | Reading::Local(micros)) = reading;
            (EARLIEST..LATEST).contains(&micros).then_some(reading)
        })
    }

    /// What a value should have looked like.
    pub(crate) fn expected(&self) -> String {
        let described: Vec<_> = self.formats.iter().map(Format::described).collect();
        format!("a time such as {}, of the years 1900 to 2199", described.join(" or "))
    }
}

impl Format {
    fn new(name: &str) -> Option<Self> {
        Some(match name {
            "iso" => Self::Iso,
            "epoch-seconds" => Self::EpochSeconds,
            "epoch-milliseconds" => Self::EpochMilliseconds,
            "epoch-microseconds" => Self::EpochMicroseconds,
            "epoch-nanoseconds" => Self::EpochNanoseconds,
            "written" => Self::Written(written::Order::Told),
            "written-day-first" => Self::Written(written::Order::DayFirst),
            "written-month-first" => Self::Written(written::Order::MonthFirst),
            "excel-serial" => Self::Serial,
            "%m/%d/%Y" => Self::Slashed { month_first: true },
            "%d/%m/%Y" => Self::Slashed { month_first: false },
            _ => {
                let items: Vec<_> = StrftimeItems::new(name).collect();
                if !name.contains('%') || items.contains(&Item::Error) {
                    return None;
                }
                let zoned = name.contains("z") && (name.contains("%z") || name.contains("%:z") || name.contains("%#z"));
                let named = name.contains("%b") || name.contains("%B");
                Self::Pattern { text: name.to_owned(), zoned, named }
            }
        })
    }

    fn described(&self) -> String {
        match self {
            Self::Iso => "2018-04-01 00:00:31 or 2018-04-01T00:00:31Z".to_owned(),
            Self::EpochSeconds => "a number of 10 digits (seconds since 1970)".to_owned(),
            Self::EpochMilliseconds => "a number of 13 digits (milliseconds since 1970)".to_owned(),
            Self::EpochMicroseconds => "a number of 16 digits (microseconds since 1970)".to_owned(),
            Self::EpochNanoseconds => "a number of 19 digits (nanoseconds since 1970)".to_owned(),
            Self::Written(written::Order::Told) => "Thu, 25 Jan 2024, 9:05 AM (as people write it)".to_owned(),
            Self::Written(written::Order::DayFirst) => "Thu 25/1/2024, 9:05 (as people write it)".to_owned(),
            Self::Written(written::Order::MonthFirst) => "Thu 1/25/2024, 9:05 (as people write it)".to_owned(),
            Self::Serial => "45292 (days since the end of 1899)".to_owned(),
            Self::Slashed { month_first: true } => "04/13/2018 (month/day/year)".to_owned(),
            Self::Slashed { month_first: false } => "13/04/2018 (day/month/year)".to_owned(),
            Self::Step { .. } | Self::Months { .. } => "17 (a number of steps)".to_owned(),
            Self::Pattern { text, .. } => text.clone(),
        }
    }

    fn read(&self, text: &[u8], memo: &mut Memo) -> Option<Reading> {
        match self {
            Self::Iso => iso(text, memo),
            Self::EpochSeconds => epoch(text, Timestamp::SECOND),
            Self::EpochMilliseconds => epoch(text, 1_000),
            Self::EpochMicroseconds => epoch(text, 1),
            Self::EpochNanoseconds => Some(Reading::Instant(integer(text)?.div_euclid(1_000))),
            Self::Written(order) => written::read(std::str::from_utf8(text).ok()?, *order),
            Self::Serial => serial(text),
            Self::Slashed { month_first } => slashed(text, *month_first),
            Self::Step { unit, base } => Some(Reading::Instant(steps(text)?.checked_mul(*unit)?.checked_add(*base)?)),
            Self::Months { base } => after_months(*base, steps(text)?),
            Self::Pattern { text: pattern, zoned, named } => {
                let text = std::str::from_utf8(text).ok()?;
                let read = pattern_reading(text, pattern, *zoned);
                if read.is_some() || !named {
                    return read;
                }
                pattern_reading(&months::in_english(text)?, pattern, *zoned)
            }
        }
    }
}

/// Days and parts of a day since the end of 1899, of the years 1954 to 2173: other numbers are no dates. Parts are
/// rounded to the second, since a day has no whole number of them in binary.
fn serial(text: &[u8]) -> Option<Reading> {
    const DAYS_TO_1970: i64 = 25_569;
    let (whole, fraction) = match text.iter().position(|&byte| matches!(byte, b'.' | b',')) {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &[][..]),
    };
    let days = integer(whole).filter(|days| whole.len() == 5 && (20_000..100_000).contains(days))?;
    if fraction.len() > 17 {
        return None;
    }
    let part = if fraction.is_empty() { 0 } else { integer(fraction).filter(|part| *part >= 0)? };
    let unit = 10_i128.pow(fraction.len() as u32);
    let seconds = (i128::from(part) * 86_400 * 2 + unit) / (2 * unit);
    Some(Reading::Local((days - DAYS_TO_1970) * Timestamp::DAY + seconds as i64 * Timestamp::SECOND))
}

/// None of the numbers in a time has more than nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.len() > 9 {
        return None;
    }
    let mut value = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(byte - b'0');
    }
    Some(value)
}

fn date(text: &[u8; 10], memo: &mut Memo) -> Option<i64> {
    if *text != memo.text {
        if text[4] != b'-' || text[7] != b'-' {
            return None;
        }
        let (year, month, day) = (number(&text[..4])?, number(&text[5..7])?, number(&text[8..])?);
        memo.midnight = Timestamp::from_civil(year as i32, month, day, 0, 0, 0, 0)?.0;
        memo.text = *text;
    }
    Some(memo.midnight)
}

fn iso(text: &[u8], memo: &mut Memo) -> Option<Reading> {
    let (day, rest) = text.split_first_chunk::<10>()?;
    let midnight = date(day, memo)?;
    let Some((separator, clock)) = rest.split_first() else {
        return Some(Reading::Local(midnight));
    };
    if !matches!(separator, b' ' | b'T' | b't') {
        return None;
    }
    let (minutes, mut rest) = clock.split_first_chunk::<5>()?;
    let (hour, minute) = (number(&minutes[..2])?, number(&minutes[3..])?);
    if minutes[2] != b':' || hour > 23 || minute > 59 {
        return None;
    }
    let mut micros = i64::from(hour * 3_600 + minute * 60) * Timestamp::SECOND;
    if let [b':', tens, ones, tail @ ..] = rest {
        let second = number(&[*tens, *ones])?;
        if second > 59 {
            return None;
        }
        micros += i64::from(second) * Timestamp::SECOND;
        rest = tail;
        if let [b'.' | b',', tail @ ..] = rest {
            let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            // Finer than a microsecond is cut off: it orders nothing that a microsecond does not.
            let mut unit = 100_000;
            for &byte in &tail[..digits.min(6)] {
                micros += i64::from(byte - b'0') * unit;
                unit /= 10;
            }
            rest = &tail[digits..];
        }
    }
    let local = midnight + micros;
    match rest {
        [] => Some(Reading::Local(local)),
        b"Z" | b"z" | b" UTC" => Some(Reading::Instant(local)),
        [sign @ (b'+' | b'-'), offset @ ..] => Some(Reading::Instant(local - signed_offset(*sign, offset)?)),
        _ => None,
    }
}

/// `+HH:MM`, `+HHMM` or `+HH`, in microseconds.
fn offset(text: &[u8]) -> Option<i64> {
    match text {
        [sign @ (b'+' | b'-'), offset @ ..] => signed_offset(*sign, offset),
        _ => None,
    }
}

fn signed_offset(sign: u8, offset: &[u8]) -> Option<i64> {
    let (hours, minutes) = match offset {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?),
        [h1, h2] => (number(&[*h1, *h2])?, 0),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours * 3_600 + minutes * 60) * Timestamp::SECOND;
    Some(if sign == b'+' { offset } else { -offset })
}

fn after_months(base: i64, count: i64) -> Option<Reading> {
    let base = DateTime::from_timestamp_micros(base)?;
    let count = u32::try_from(count).ok()?;
    Some(Reading::Instant(base.checked_add_months(Months::new(count))?.timestamp_micros()))
}

/// Whole or decimal units since 1970.
fn epoch(text: &[u8], unit: i64) -> Option<Reading> {
    let (whole, fraction) = match text.iter().position(|&byte| byte == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &[][..]),
    };
    let mut micros = integer(whole)?.checked_mul(unit)?;
    let mut part = unit;
    for &byte in fraction {
        if !byte.is_ascii_digit() {
            return None;
        }
        part /= 10;
        // Beyond a microsecond it adds nothing.
        micros = micros.checked_add(i64::from(byte - b'0') * part * if text[0] == b'-' { -1 } else { 1 })?;
    }
    Some(Reading::Instant(micros))
}

fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut value = 0i64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    Some(if negative { -value } else { value })
}

/// A whole number, also as statistics packages write it: `3.0`, `1e+05`.
fn steps(text: &[u8]) -> Option<i64> {
    if let Some(whole) = integer(text) {
        return Some(whole);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
}

fn slashed(text: &[u8], month_first: bool) -> Option<Reading> {
    let mut parts = text.split(|&byte| byte == b'/');
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &[u8]| (1..=2).contains(&part.len());
    if parts.next().is_some() || !short(first) || !short(second) || year.len() != 4 {
        return None;
    }
    let (first, second) = (number(first)?, number(second)?);
    let (month, day) = if month_first { (first, second) } else { (second, first) };
    let midnight = Timestamp::from_civil(number(year)? as i32, month, day, 0, 0, 0, 0)?.0;
    Some(Reading::Local(midnight))
}

fn pattern_reading(text: &str, pattern: &str, zoned: bool) -> Option<Reading> {
    if zoned {
        let at = DateTime::parse_from_str(text, pattern).ok()?;
        return Some(Reading::Instant(at.timestamp_micros()));
    }
    let local = NaiveDateTime::parse_from_str(text, pattern)
        .or_else(|_| NaiveDate::parse_from_str(text, pattern).map(|date| date.and_time(NaiveTime::MIN)))
        .ok()?;
    Some(Reading::Local(local.and_utc().timestamp_micros()))
}

/// The instant of a wall clock's reading, UTC costing nothing.
fn at(local: i64, zone: Tz) -> Option<Timestamp> {
    if zone == Tz::UTC { Some(Timestamp(local)) } else { to_utc(local, zone).map(Timestamp) }
}

fn to_utc(local: i64, zone: Tz) -> Option<i64> {
    let naive = DateTime::from_timestamp_micros(local)?.naive_utc();
    if let Some(first) = zone.from_local_datetime(&naive).earliest() {
        return Some(first.timestamp_micros());
    }
    // Skipped by a change of offset: mostly an hour, once a whole day (Samoa, 2011).
    for hours in [3, 27] {
        let before = naive.checked_sub_signed(TimeDelta::hours(hours))?;
        if let Some(at) = zone.from_local_datetime(&before).latest() {
            let offset = i64::from(at.offset().fix().local_minus_utc());
            return Some(local - offset * Timestamp::SECOND);
        }
    }
    None
}

/// Whether values are in one format.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    format: Format,
    /// Small numbers are ids or days far more often than instants of the early seventies.
    earliest: i64,
}

impl Probe {
    pub(crate) fn new(name: &str) -> Option<Self> {
        let earliest = if name.starts_with("epoch") { 100_000_000 * Timestamp::SECOND } else { EARLIEST };
        Some(Self { format: Format::new(name)?, earliest })
    }

    pub(crate) fn reads(&self, text: &[u8]) -> bool {
        match self.format.read(text, &mut Memo::default()) {
            Some(Reading::Instant(at) | Reading::Local(at)) => (self.earliest..LATEST).contains(&at),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
