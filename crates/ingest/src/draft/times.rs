//! When: the column or columns, their formats, and which of a date's numbers is the month.

use super::column::Column;
use super::table::Table;
use super::{Guess, Sure};
use crate::value::time::Probe;
use crate::value::time::sniff::{Orders, formats};

/// Names of columns that hold a time zone.
const ZONE_NAMES: [&str; 8] =
    ["time zone", "timezone", "zone", "zeitzone", "fuseau horaire", "zona horaria", "tijdzone", "strefa czasowa"];

/// Names of columns that hold the time of a day.
const CLOCK_NAMES: [&str; 7] = ["time", "uhrzeit", "heure", "hora", "tijd", "czas", "godzina"];

/// Offsets of abbreviations that exports name zones by.
const ZONES: [(&str, &str); 22] = [
    ("PST", "-08:00"),
    ("PDT", "-07:00"),
    ("MST", "-07:00"),
    ("MDT", "-06:00"),
    ("CST", "-06:00"),
    ("CDT", "-05:00"),
    ("EST", "-05:00"),
    ("EDT", "-04:00"),
    ("AKST", "-09:00"),
    ("AKDT", "-08:00"),
    ("HST", "-10:00"),
    ("GMT", "+00:00"),
    ("UTC", "+00:00"),
    ("WET", "+00:00"),
    ("WEST", "+01:00"),
    ("BST", "+01:00"),
    ("CET", "+01:00"),
    ("CEST", "+02:00"),
    ("EET", "+02:00"),
    ("EEST", "+03:00"),
    ("JST", "+09:00"),
    ("AEST", "+10:00"),
];

/// When a row's transaction happened.
#[derive(Debug)]
pub(super) struct When {
    pub(super) columns: Guess<Vec<usize>>,
    pub(super) how: How,
    /// The column that names each row's zone, and the offsets of those it names.
    pub(super) zone: Option<(usize, Vec<(String, &'static str)>)>,
}

#[derive(Debug)]
pub(super) enum How {
    Formats(Guess<Vec<String>>),
    /// Small whole numbers: something is counted, and nothing says what or since when.
    Steps(Guess<()>),
}

/// Whether values are times of a day without a date.
fn is_clock(value: &str) -> bool {
    let parts: Vec<&str> = value.split(':').collect();
    (2..=3).contains(&parts.len())
        && parts.iter().all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn zone_of(columns: &[Column]) -> Option<(usize, Vec<(String, &'static str)>)> {
    let column = columns.iter().find(|c| ZONE_NAMES.iter().any(|name| c.is(name)) && c.is_few)?;
    let offset =
        |name: &String| ZONES.iter().find(|(known, _)| known == name).map(|(_, offset)| (name.clone(), *offset));
    let known: Vec<_> = column.distinct.iter().filter_map(offset).collect();
    let is_place = |name: &&String| name.contains('/');
    let all = known.len() + column.distinct.iter().filter(is_place).count();
    (all * 2 > column.distinct.len()).then_some((column.at, known))
}

/// How well a column's name says that it is the time of the transaction.
fn rank(column: &Column) -> i32 {
    let mut rank = 0;
    for (word, points) in [
        ("timestamp", 6),
        ("datetime", 6),
        ("time", 4),
        ("date", 4),
        ("datum", 4),
        ("created", 4),
        ("when", 4),
        ("buchungstag", 5),
        ("buchungsdatum", 5),
        ("booking", 1),
        ("fecha", 4),
        ("data", 3),
        ("transaction", 1),
        ("trans", 1),
        ("tx", 1),
        ("started", 1),
        ("authorized", -2),
        ("completed", -1),
        ("available", -3),
        ("value", -1),
        ("due", -3),
        ("birth", -9),
        ("dob", -9),
        ("expiry", -9),
    ] {
        if column.has(word) {
            rank += points;
        }
    }
    rank
}

pub(super) fn find(table: &Table, columns: &[Column]) -> Option<When> {
    if let Some(found) = parts(table, columns) {
        return Some(found);
    }
    // What all dates of the file say of the order holds for each of them.
    let mut orders = Orders::default();
    let mut candidates: Vec<&Column> = Vec::new();
    for column in columns.iter().filter(|column| column.filled() > 0.3) {
        let values: Vec<&str> = column.values.iter().map(String::as_str).collect();
        let most = [true, false].map(|first| formats(&values, Some(first)).read).into_iter().max().unwrap_or(0);
        if most * 2 > column.values.len() {
            orders = orders.and(Orders::of(values.iter().copied()));
            candidates.push(column);
        }
    }
    let order = orders.month_first();
    // The first of those whose names say the most.
    let best = candidates.into_iter().reduce(|best, next| if rank(next) > rank(best) { next } else { best });
    let Some(column) = best else { return steps(columns) };
    let clock = columns
        .iter()
        .find(|c| c.has_any(&CLOCK_NAMES) && c.at != column.at && c.filled() > 0.5 && c.share(is_clock) > 0.9);
    let places = match clock {
        Some(clock) => vec![column.at, clock.at],
        None => vec![column.at],
    };
    let values = joined(table, &places);
    let found = formats(&values.iter().map(String::as_str).collect::<Vec<_>>(), order);
    let why = match rank(column) {
        ..=0 => Guess::new(places, Sure::Guess, "its values are times, though its name does not say so"),
        _ => Guess::new(places, Sure::Likely, "named and written like one"),
    };
    let first = values.first().map_or("", String::as_str);
    let open = |name: &String| {
        name.starts_with("%m/") || name.starts_with("%d/") || name.starts_with("%m-") || name.starts_with("%d-")
    };
    let formats = match (order, found.is_open) {
        (None, true) => Guess::new(
            found.names,
            Sure::Undecided,
            format!("`{first}` reads with the month first and with the day first, and so does every date of the file"),
        ),
        (Some(first), _) if found.names.iter().any(open) => {
            let which = if first { "month" } else { "day" };
            Guess::new(found.names, Sure::Certain, format!("dates of the file read with the {which} first only"))
        }
        _ => Guess::new(found.names, Sure::Certain, format!("`{first}` reads in no other way")),
    };
    let zone = zone_of(columns);
    Some(When { columns: why, how: How::Formats(formats), zone })
}

fn joined(table: &Table, places: &[usize]) -> Vec<String> {
    let join = |row: &Vec<String>| places.iter().map(|&at| row[at].as_str()).collect::<Vec<_>>().join(" ");
    let rows = table.rows.iter().filter(|row| places.iter().all(|&at| !row[at].is_empty()));
    rows.map(join).collect()
}

/// A year, a month, a day and perhaps a time, a column each.
fn parts(table: &Table, columns: &[Column]) -> Option<When> {
    let named = |name: &str| columns.iter().find(|column| column.is(name) && column.filled() > 0.5);
    let (year, month, day) = (named("year")?, named("month")?, named("day")?);
    let clock = named("time").filter(|column| column.share(is_clock) > 0.9);
    let mut places = vec![year.at, month.at, day.at];
    let mut format = "%Y %m %d".to_owned();
    if let Some(clock) = clock {
        places.push(clock.at);
        let seconds = clock.share(|value| value.matches(':').count() == 2) > 0.5;
        format.push_str(if seconds { " %H:%M:%S" } else { " %H:%M" });
    }
    let probe = Probe::new(&format)?;
    let values = joined(table, &places);
    let read = values.iter().filter(|value| probe.reads(value.as_bytes())).count();
    (read * 2 > values.len()).then(|| When {
        columns: Guess::new(places, Sure::Likely, "named year, month and day"),
        how: How::Formats(Guess::new(vec![format], Sure::Certain, "a column each")),
        zone: zone_of(columns),
    })
}

/// A column that counts.
fn steps(columns: &[Column]) -> Option<When> {
    let number = |value: &str| value.parse::<f64>().is_ok_and(|number| number.fract() == 0.0 && number >= 0.0);
    let named = |column: &&Column| {
        (column.has_any(&["step", "time", "day", "hour", "month"]) || column.holds("transaction dt"))
            && column.share(number) > 0.95
    };
    let column = columns.iter().find(named)?;
    let why = "whole numbers that count something since some instant";
    Some(When {
        columns: Guess::new(vec![column.at], Sure::Likely, "named like a time"),
        how: How::Steps(Guess::new((), Sure::Undecided, why)),
        zone: None,
    })
}
