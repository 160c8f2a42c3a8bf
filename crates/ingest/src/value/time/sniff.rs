//! Which format times are in, made out from many of them.

use super::{Probe, written};

/// Formats in which nothing is open.
const PLAIN: [&str; 38] = [
    "iso",
    "epoch-seconds",
    "epoch-milliseconds",
    "epoch-microseconds",
    "epoch-nanoseconds",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d",
    "%Y%m%d %H:%M",
    "%Y%m%d%H%M%S",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y %H:%M",
    "%d %b %Y %H:%M:%S",
    "%Y.%m.%d",
    "%Y.%m.%d %H:%M:%S",
    "%b %d, %Y %H:%M:%S",
    "%A, %B %d, %Y",
    "%a, %d %b %Y %H:%M:%S",
    "%d %b %y",
    "%d %B %y",
    "%d/%b/%Y",
    "%d/%b/%y",
    "%d.%b.%Y",
    "%d.%b.%y",
    "%d %b, %Y",
    "%b %d %Y",
    "%Y-%b-%d",
    "%d-%b-%Y %H:%M",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %I:%M:%S %p",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y %I:%M:%S %p",
];
/// Where the month comes first or second.
const OPEN: [&str; 4] = ["/%Y", "/%y", "-%Y", "-%y"];
const CLOCKS: [&str; 6] = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M"];
/// No country writes the month first and parts it with points.
const POINTS: [&str; 6] =
    ["%d.%m.%Y", "%d.%m.%y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y %H:%M", "%d.%m.%y %H:%M:%S"];

/// What reads many forms, and reads what those of one form leave.
const WRITTEN: &str = "written";
const WRITTEN_MONTH_FIRST: &str = "written-month-first";
const WRITTEN_DAY_FIRST: &str = "written-day-first";

/// The year first, of two digits: taken only where nothing else makes sense, since others are more common.
const SHORT: [&str; 6] =
    ["%y/%m/%d", "%y-%m-%d", "%y.%m.%d", "%y/%m/%d %H:%M:%S", "%y-%m-%d %H:%M:%S", "%y.%m.%d %H:%M:%S"];

/// The most formats that a column is taken to have.
const FORMATS: usize = 4;

/// Values that formats are tried on; more are told from these.
const TRIED: usize = 400;

/// How many of a column's values can only be read with the month first, and how many only with the day first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    month_first: usize,
    day_first: usize,
}

impl Orders {
    pub(crate) fn of<'t>(values: impl Iterator<Item = &'t str>) -> Self {
        let mut orders = Self::default();
        values.for_each(|value| orders.add(value));
        orders
    }

    /// One more value. Most say nothing.
    pub(crate) fn add(&mut self, value: &str) {
        let value = value.trim();
        let by = value.chars().find(|letter| !letter.is_ascii_digit()).unwrap_or(' ');
        let mut parts = value.split(by);
        let number = |part: Option<&str>| {
            part.filter(|part| (1..=2).contains(&part.len())).and_then(|part| part.parse::<u32>().ok())
        };
        let year = |part: &str| part.bytes().take(2).filter(u8::is_ascii_digit).count() == 2;
        match (by, number(parts.next()), number(parts.next()), parts.next().is_some_and(year)) {
            ('.', Some(1..=31), Some(1..=12), true) | ('/' | '-', Some(13..=31), Some(1..=12), true) => {
                self.day_first += 1;
            }
            ('/' | '-', Some(1..=12), Some(13..=31), true) => self.month_first += 1,
            ('/' | '-' | '.', Some(_), Some(_), true) => {}
            _ => match written::open_numbers(value) {
                Some((13..=31, 1..=12)) => self.day_first += 1,
                Some((1..=12, 13..=31)) => self.month_first += 1,
                _ => {}
            },
        }
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self { month_first: self.month_first + other.month_first, day_first: self.day_first + other.day_first }
    }

    /// Which comes first, where some say so and none otherwise.
    pub(crate) fn all(self) -> Option<bool> {
        self.month_first().filter(|_| self.month_first == 0 || self.day_first == 0)
    }

    /// Which comes first, where more values say so than say otherwise.
    pub(crate) fn month_first(self) -> Option<bool> {
        (self.month_first != self.day_first).then_some(self.month_first > self.day_first)
    }
}

fn open(month_first: bool) -> impl Iterator<Item = String> {
    let start = move |rest: &str| {
        let by = &rest[..1];
        if month_first { format!("%m{by}%d{rest}") } else { format!("%d{by}%m{rest}") }
    };
    let patterns = OPEN.iter().flat_map(move |rest| CLOCKS.iter().map(move |clock| format!("{}{clock}", start(rest))));
    let written = [WRITTEN, if month_first { WRITTEN_MONTH_FIRST } else { WRITTEN_DAY_FIRST }];
    patterns.chain(written.map(str::to_owned))
}

/// Whether a format takes the first of two numbers for the month.
pub(crate) fn is_month_first(format: &str) -> bool {
    format.starts_with("%m") || format == WRITTEN_MONTH_FIRST
}

/// The formats that read values, the one of the most first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Formats {
    pub(crate) names: Vec<String>,
    /// Values that they read.
    pub(crate) read: usize,
    /// Values that the first of them reads.
    pub(crate) first: usize,
    /// Whether some of the values could be read with day and month the other way round.
    pub(crate) is_open: bool,
}

/// `order` says which of the open formats may be used; where it is not known, the month is put first.
pub(crate) fn formats(values: &[&str], order: Option<bool>) -> Formats {
    let plain = PLAIN.iter().chain(&POINTS).map(|name| (*name).to_owned());
    let names: Vec<String> = plain.chain(open(order.unwrap_or(true))).collect();
    let probes: Vec<(String, Probe)> =
        names.into_iter().filter_map(|name| Probe::new(&name).map(|probe| (name, probe))).collect();
    let short = SHORT.iter().filter_map(|name| Probe::new(name).map(|probe| ((*name).to_owned(), probe)));
    let short: Vec<(String, Probe)> = short.collect();
    let step = values.len().div_ceil(TRIED).max(1);
    let mut left: Vec<&str> = values.iter().step_by(step).copied().collect();
    let mut chosen: Vec<&(String, Probe)> = Vec::new();
    let mut found = Formats::default();
    while !left.is_empty() && chosen.len() < FORMATS {
        let count = |probe: &Probe| left.iter().filter(|value| probe.reads(value.as_bytes())).count();
        // The first of those that read the most; what reads many forms reads what these leave.
        let most = |is_written: bool| {
            let counts = probes.iter().filter(|probe| probe.0.starts_with(WRITTEN) == is_written);
            let counts = counts.map(|probe| (count(&probe.1), probe)).filter(|(count, _)| *count > 0);
            counts.reduce(|best, next| if next.0 > best.0 { next } else { best })
        };
        let Some((_, best)) = most(false).or_else(|| most(true)) else { break };
        let best = year_first(&left, best, &short).unwrap_or(best);
        found.is_open |= order.is_none() && is_month_first(&best.0);
        left.retain(|value| !best.1.reads(value.as_bytes()));
        chosen.push(best);
    }
    for value in values {
        match chosen.iter().position(|(_, probe)| probe.reads(value.as_bytes())) {
            Some(0) => (found.first, found.read) = (found.first + 1, found.read + 1),
            Some(_) => found.read += 1,
            None => {}
        }
    }
    found.names = chosen.into_iter().map(|(name, _)| name.clone()).collect();
    found
}

/// Years that dates of two-digit years may be apart, and such as no file's are.
const NEAR: u32 = 3;
const FAR: u32 = 10;

/// The format with the year first, where the other one would spread a file over decades: in `24/01/13` and `24/02/28`
/// the last number is a day.
fn year_first<'p>(
    values: &[&str],
    best: &(String, Probe),
    probes: &'p [(String, Probe)],
) -> Option<&'p (String, Probe)> {
    let rest = best.0.strip_prefix("%d").or_else(|| best.0.strip_prefix("%m"))?;
    let mark = rest.chars().next()?;
    let name = |clock: &str| format!("%y{mark}%m{mark}%d{clock}");
    let (_, clock) = rest.split_once("%y")?;
    let other = probes.iter().find(|(known, _)| *known == name(clock))?;
    let read = |value: &&&str| best.1.reads(value.as_bytes()) && other.1.reads(value.as_bytes());
    let number = |value: &str, part: usize| -> Option<u32> {
        let part = value.trim().split([mark, ' ', ',']).nth(part)?;
        part.parse().ok()
    };
    let spread = |part: usize| {
        let all = || values.iter().filter(read).filter_map(|value| number(value, part));
        Some(all().max()? - all().min()?)
    };
    (values.iter().filter(|value| best.1.reads(value.as_bytes())).all(|value| other.1.reads(value.as_bytes()))
        && spread(0)? <= NEAR
        && spread(2)? > FAR)
        .then_some(other)
}

/// The same format with day and month the other way round.
pub(crate) fn turned(format: &str) -> String {
    match format {
        WRITTEN_MONTH_FIRST => return WRITTEN_DAY_FIRST.to_owned(),
        WRITTEN_DAY_FIRST => return WRITTEN_MONTH_FIRST.to_owned(),
        _ => {}
    }
    format.replacen("%m", "%\0", 1).replacen("%d", "%m", 1).replacen("%\0", "%d", 1)
}

/// Whether most values are dates that say nothing of the year.
pub(crate) fn lack_year(values: &[&str]) -> bool {
    values.iter().filter(|value| written::lacks_year(value)).count() * 2 > values.len()
}

/// Which formats a sample of values is in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// These, for more than half of them.
    Formats(Vec<String>),
    /// Two fit alike (03/04/2024), so nothing in the sample tells.
    Either(String, String),
    /// None.
    Nothing,
}

/// Finds the formats of a sample; `order` is what more values than these say of it.
pub(crate) fn sniff(values: &[&str], order: Option<bool>) -> Sniffed {
    let found = formats(values, order);
    match found.names.first() {
        Some(first) if found.read * 2 > values.len() => {
            if found.is_open {
                Sniffed::Either(first.clone(), turned(first))
            } else {
                Sniffed::Formats(found.names)
            }
        }
        _ => Sniffed::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expect: Sniffed) {
        assert_eq!(sniff(values, Orders::of(values.iter().copied()).month_first()), expect, "{values:?}");
    }

    fn in_formats(names: &[&str]) -> Sniffed {
        Sniffed::Formats(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn formats_are_made_out() {
        check(&["2024-01-02", "2024-01-02T03:04:05Z"], in_formats(&["iso"]));
        check(&["01/02/2024", "01/13/2024"], in_formats(&["%m/%d/%Y"]));
        check(&["01/02/2024", "13/02/2024", "oops"], in_formats(&["%d/%m/%Y"]));
        check(&["01/02/2024", "03/04/2024"], Sniffed::Either("%m/%d/%Y".to_owned(), "%d/%m/%Y".to_owned()));
        check(&["31.12.24"], in_formats(&["%d.%m.%y"]));
        check(&["5.1.2024 9:05"], in_formats(&["%d.%m.%Y %H:%M"]));
        check(&["1/25/24"], in_formats(&["%m/%d/%y"]));
        check(&["25-01-2024"], in_formats(&["%d-%m-%Y"]));
        check(&["01/25/2024 02:15 PM"], in_formats(&["%m/%d/%Y %I:%M %p"]));
        check(&["24/01/13", "24/02/28"], in_formats(&["%y/%m/%d"]));
        check(&["24.01.13", "24.02.28"], in_formats(&["%y.%m.%d"]));
        check(&["13/01/24", "28/02/24"], in_formats(&["%d/%m/%y"]));
        check(&["31.11.25", "30.11.25", "29.11.25"], in_formats(&["%d.%m.%y"]));
        check(&["5 Jan 2024", "25 Feb 2024"], in_formats(&["%d %b %Y"]));
        check(&["1717200002"], in_formats(&["epoch-seconds"]));
        check(&["1717200002123"], in_formats(&["epoch-milliseconds"]));
        check(&["20240131"], in_formats(&["%Y%m%d"]));
        check(&["2024.01.31"], in_formats(&["%Y.%m.%d"]));
        check(&["Friday, January 5, 2024"], in_formats(&["%A, %B %d, %Y"]));
        check(&["5. März 2024", "14. Dezember 2024"], in_formats(&["%d %b %Y"]));
        check(&["5 de enero de 2024"], in_formats(&["%d %b %Y"]));
        check(&["05JAN2024"], in_formats(&["%d %b %Y"]));
        check(&["25012024", "5022024"], in_formats(&["written-day-first"]));
        check(&["01252024"], in_formats(&["written-month-first"]));
        let either = Sniffed::Either("written-month-first".to_owned(), "written-day-first".to_owned());
        check(&["01022024", "03042024"], either);
        check(&["Thu 01/25/2024", "Fri 02/02/2024"], in_formats(&["written-month-first"]));
        check(&["25.01.2024, 09:05 Uhr", "02.02.2024 10:05"], in_formats(&["%d.%m.%Y %H:%M", "written"]));
        check(&["1706173500000000"], in_formats(&["epoch-microseconds"]));
        check(&["1706173500000000000"], in_formats(&["epoch-nanoseconds"]));
        check(&["45292", "45293.5"], Sniffed::Nothing);
        check(&["1", "2", "3"], Sniffed::Nothing);
        check(&[], Sniffed::Nothing);
    }

    #[test]
    fn one_date_decides_for_all() {
        let mut values = vec!["05/01/2024"; 1_000];
        assert_eq!(Orders::of(values.iter().copied()).month_first(), None);
        values.push("25/01/2024");
        check(&values, in_formats(&["%d/%m/%Y"]));
        values.push("01/25/2024");
        assert_eq!(Orders::of(values.iter().copied()).month_first(), None);
    }

    #[test]
    fn formats_are_turned() {
        assert_eq!(turned("%m/%d/%Y %H:%M"), "%d/%m/%Y %H:%M");
    }
}
