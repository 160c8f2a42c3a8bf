//! What the columns of a file say of how they are written: times, separators of amounts, signs. A preset says how its
//! feed writes them; a file that somebody has saved again may have them in another way, and a mapping leaves them open.

mod amounts;
mod signs;
pub(crate) mod ways;
mod words;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::csv::record::{self, Next};
use crate::csv::{Dialect, parse};
use crate::error::Error;
use crate::input::{Heard, Input};
use crate::plan::Plan;
use crate::preset::Preset;
use crate::value::amount::within_formula;
use crate::value::time::sniff::{Orders, Sniffed, formats, is_month_first, lack_year, sniff, turned};
use crate::value::time::{Memo, Probe};

/// Days as spreadsheets count them.
const SERIAL: &str = "excel-serial";

/// Rows looked at.
const ROWS: usize = 2_000;

/// Told one row after the other; false ends it.
pub(super) type See<'s> = &'s mut dyn FnMut(&[String]) -> bool;

/// What hands every row of a file to whoever looks at it.
pub(super) type Scan<'a> = dyn Fn(&Plan, See<'_>) -> Result<(), Error> + 'a;

/// What tells texts from numbers, by columns.
pub(super) type Texts<'a> = dyn Fn(&[usize]) -> Result<Option<Vec<String>>, Error> + 'a;

/// The first rows of a file, and the way to all others.
pub(super) struct Sample<'a> {
    pub(super) rows: Vec<Vec<String>>,
    /// Whether these are all.
    pub(super) whole: bool,
    /// The texts in some columns, where cells have types: numbers, which have a point before their decimals, are none.
    /// Nothing where all cells are texts.
    pub(super) texts: Box<Texts<'a>>,
    /// Whether the user has said what is said: then nothing is better known.
    pub(super) explicit: bool,
    /// Hands on every row of the file.
    pub(super) scan: Box<Scan<'a>>,
}

/// What was made out, and what somebody has to know.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) described: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// Whether the preset is another one now.
    pub(super) changed: bool,
    /// Whether the sign was made out, and nobody said it.
    pub(super) sign: bool,
}

/// The first rows that have as many fields as they should, and whether there are no others.
pub(super) fn sample(mut text: &[u8], dialect: Dialect, plan: &Plan) -> (Vec<Vec<String>>, bool) {
    let mut rows = Vec::new();
    while rows.len() < ROWS && !text.is_empty() {
        let found = record::next(text, dialect, plan, false);
        let (Next::Line { end } | Next::Quoted { end } | Next::Broken { end, .. }) = found else {
            // The last line of a short file has no line end.
            rows.push(parse::fields(text, dialect));
            text = b"";
            break;
        };
        if !matches!(found, Next::Broken { .. }) {
            rows.push(parse::fields(&text[..end], dialect));
        }
        text = &text[end..];
    }
    retain(&mut rows, plan);
    (rows, text.is_empty())
}

/// Rows that are transactions, as far as their shape and the preset's rules for others tell.
fn retain(rows: &mut Vec<Vec<String>>, plan: &Plan) {
    rows.retain_mut(|row| {
        let last_empty = row.last().is_some_and(String::is_empty);
        let fits = plan.fits(row.len(), last_empty);
        row.truncate(plan.columns.len());
        fits && !plan.skips.iter().any(|(at, skip)| skip.is(row[*at].as_bytes()))
    });
}

/// Hands on all rows of a text, `skip` bytes of which stand before the first.
pub(super) fn scan(input: &Input, dialect: Dialect, skip: u64, plan: &Plan, see: See<'_>) -> Result<(), Error> {
    const STEP: u64 = 1 << 20;
    let io = |source| Error::Io { path: input.path.clone(), source };
    let mut reader = input.utf8(Arc::new(AtomicU64::new(0)), &Arc::new(Heard::default())).map_err(io)?;
    std::io::copy(&mut reader.by_ref().take(skip), &mut std::io::sink()).map_err(io)?;
    let (mut pending, mut ended) = (Vec::new(), false);
    while !ended {
        // What breaks off is told of where the rows are read.
        ended = reader.by_ref().take(STEP).read_to_end(&mut pending).map_or(true, |read| read == 0);
        let Some(read) = rows_of(&pending, ended, dialect, plan, see) else { return Ok(()) };
        pending.drain(..read);
    }
    Ok(())
}

/// The same of a text that is held.
pub(super) fn scan_text(text: &[u8], dialect: Dialect, plan: &Plan, see: See<'_>) {
    let _ = rows_of(text, true, dialect, plan, see);
}

/// Hands on the whole rows that a text begins with, and returns how many bytes they are; nothing where that was enough.
fn rows_of(text: &[u8], ended: bool, dialect: Dialect, plan: &Plan, see: See<'_>) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let found = record::next(&text[at..], dialect, plan, ended);
        let (Next::Line { end } | Next::Quoted { end } | Next::Broken { end, .. }) = found else { break };
        let mut rows = vec![parse::fields(&text[at..at + end], dialect)];
        retain(&mut rows, plan);
        if !matches!(found, Next::Broken { .. })
            && let Some(row) = rows.first()
            && !see(row)
        {
            return None;
        }
        at += end;
    }
    Some(at)
}

/// Makes out what the preset leaves open, and what the file has in another way than the preset says; preset and plan
/// are then those of the file.
pub(super) fn settle(
    preset: &mut Preset,
    plan: &mut Plan,
    path: &Path,
    mut sample: Sample<'_>,
) -> Result<Settled, Error> {
    let mut found = Settled::default();
    let formula = |cell: &String| cell.starts_with("=\"");
    if sample.rows.iter().flatten().any(formula) {
        preset.file.formulas = true;
        found.changed = true;
        found.described.push("cells are freed of =\"…\"".to_owned());
        for cell in sample.rows.iter_mut().flatten() {
            *cell = String::from_utf8_lossy(within_formula(cell.as_bytes())).into_owned();
        }
    }
    times(preset, plan, path, &sample, &mut found)?;
    amounts::settle(preset, plan, path, &sample, &mut found)?;
    words::extend(preset, plan, &sample, &mut found);
    words::states(preset, plan, &sample, &mut found);
    // Signs are compared as they would be read.
    if found.changed {
        plan.settle(preset, path)?;
    }
    if plan.balance.is_none() || !signs::check(preset, plan, path, &sample, &mut found)? {
        words::check(preset, plan, &sample, &mut found);
    }
    if found.changed {
        plan.settle(preset, path)?;
    }
    Ok(found)
}

fn undecided(path: &Path, plan: &Plan, column: usize, what: String, hint: String) -> Error {
    Error::Undecided { path: path.to_owned(), column: plan.columns[column].clone(), what, hint }
}

fn list(words: &[String]) -> String {
    words.iter().map(|word| crate::error::shown(word.as_bytes())).collect::<Vec<_>>().join(" or ")
}

fn joined(plan: &Plan, row: &[String]) -> String {
    let parts: Vec<&str> = plan.time.iter().map(|&at| row[at].trim()).collect();
    parts.join(" ").trim().to_owned()
}

fn times(preset: &mut Preset, plan: &Plan, path: &Path, sample: &Sample<'_>, found: &mut Settled) -> Result<(), Error> {
    if plan.clock.counts() || (sample.explicit && !plan.clock.is_open()) {
        return Ok(());
    }
    let mut joined_all: Vec<String> =
        sample.rows.iter().map(|row| joined(plan, row)).filter(|text| !text.is_empty()).collect();
    // A line of totals has a word there.
    if joined_all.iter().any(|text| text.contains(char::is_numeric)) {
        joined_all.retain(|text| text.contains(char::is_numeric));
    }
    let texts: Vec<&str> = joined_all.iter().map(String::as_str).collect();
    let is_open = plan.clock.is_open();
    let mut memo = Memo::default();
    let reads = texts.iter().filter(|text| !is_open && plan.clock.read(text.as_bytes(), &mut memo).is_some()).count();
    let exact = !is_open && reads == texts.len();
    if exact && !plan.clock.is_turnable() {
        return Ok(());
    }
    // Numbers of this size are many things, so only a column that is known to hold times is read as days of a
    // spreadsheet.
    if reads == 0
        && !texts.is_empty()
        && Probe::new(SERIAL).is_some_and(|probe| texts.iter().all(|text| probe.reads(text.as_bytes())))
    {
        found.described.push("times read as the days that spreadsheets count".to_owned());
        preset.time.formats = vec![SERIAL.to_owned()];
        found.changed = true;
        return Ok(());
    }
    let mut orders = Orders::of(texts.iter().copied());
    let turnable = plan.clock.is_turnable() || formats(&texts, None).is_open;
    if turnable && orders.month_first().is_none() && !sample.whole {
        (sample.scan)(plan, &mut |row| {
            orders.add(&joined(plan, row));
            orders.month_first().is_none()
        })?;
    }
    let order = orders.month_first().or_else(|| if turnable { beside(plan, &sample.rows, &texts) } else { None });
    let column = plan.time.first().copied().unwrap_or(0);
    if is_open {
        let names = match sniff(&texts, order) {
            Sniffed::Formats(names) => names,
            // Without a row there is nothing to read, so any format will do.
            _ if texts.is_empty() => vec!["iso".to_owned()],
            Sniffed::Either(first, second) => {
                let hint = format!("give time-format={first} or time-format={second}");
                return Err(undecided(path, plan, column, "which of its numbers is the month".to_owned(), hint));
            }
            Sniffed::Nothing if lack_year(&texts) => {
                let hint = format!(
                    "its dates are such as `{}`; write the year to them, or export the file with whole dates",
                    crate::error::shown(texts[0].as_bytes())
                );
                return Err(undecided(path, plan, column, "the year of its dates".to_owned(), hint));
            }
            Sniffed::Nothing => {
                let first = crate::error::shown(texts.first().map_or("", |text| text).as_bytes());
                let hint = format!("give its time-format as a strftime pattern (its first value is `{first}`)");
                return Err(undecided(path, plan, column, "its format".to_owned(), hint));
            }
        };
        found.described.push(format!("times read as {}", names.join(" or ")));
        preset.time.formats = names;
        found.changed = true;
        return Ok(());
    }
    let declared = declared_order(&preset.time.formats);
    let other = formats(&texts, order.or(declared));
    let other_order = exact && order.is_some() && declared.is_some() && order != declared;
    if !other_order && (exact || other.first <= reads) {
        return Ok(());
    }
    let Some(first) = other.names.first().cloned() else { return Ok(()) };
    // Dates that are parted in another way than the feed does were written by somebody else, who may put the day first.
    let by = |format: &str| format.as_bytes().get(2).copied();
    let by_numbers =
        first.starts_with("%d/%m") || first.starts_with("%d-%m") || turned(&first) != first && first.starts_with('w');
    let is_turnable = is_month_first(&first) || by_numbers;
    let known = preset.time.formats.iter().any(|format| by(format) == by(&first) && declared.is_some());
    if order.is_none() && is_turnable && !known {
        let what = "which of its numbers is the month, since the feed writes dates in another way".to_owned();
        let hint = format!("read it with --map and time-format={first} or time-format={}", turned(&first));
        return Err(undecided(path, plan, column, what, hint));
    }
    let date = |format: &str| format.split([' ', ',']).next().unwrap_or_default().to_owned();
    let names: Vec<String> = other.names.into_iter().filter(|name| date(name) == date(&first)).collect();
    found.described.push(format!("times read as {}, unlike the feed's own", names.join(" or ")));
    preset.time.formats = names;
    found.changed = true;
    Ok(())
}

/// Whether the month comes first in other dates of the rows, which are parted by the same mark: who writes one date so
/// writes all of them so.
fn beside(plan: &Plan, rows: &[Vec<String>], texts: &[&str]) -> Option<bool> {
    let mark = |text: &str| text.trim().chars().find(|letter| !letter.is_ascii_digit());
    let own = texts.first().and_then(|text| mark(text))?;
    let others = (0..plan.columns.len()).filter(|at| !plan.time.contains(at));
    let dates = others.flat_map(|at| rows.iter().map(move |row| row[at].as_str()));
    Orders::of(dates.filter(|date| mark(date) == Some(own))).all()
}

/// Whether a feed's dates have the month first, where they have it first or second.
fn declared_order(formats: &[String]) -> Option<bool> {
    formats.iter().find_map(|format| match format.as_bytes() {
        [b'%', b'm', b'/' | b'-', ..] => Some(true),
        [b'%', b'd', b'/' | b'-' | b'.', ..] => Some(false),
        _ => None,
    })
}
