//! Whether a file is one of a preset, by its header and, where several presets share it, by its rows.

use std::path::Path;

use crible_core::Currency;

use super::head::{self, Head, Line};
use super::header::{Comparer, MARGIN, Near, own};
use super::text::delimiters;
use super::{Signature, sniff};
use crate::Options;
use crate::error::Error;
use crate::plan::{Columns, Located, Plan};
use crate::preset::{Like, Preset, Style};
use crate::value::amount;
use crate::value::time::sniff::{Orders, Sniffed, sniff as formats_of};
use crate::value::time::{Clock, Memo};

/// Lines among which a header is looked for that only means what a feed's does.
const LINES: usize = 20;

/// The columns a file has.
pub(super) fn columns_of(preset: &Preset, head: &Head, line: Line, delimiter: u8) -> Vec<String> {
    if let Some(width) = preset.file.columns {
        return numbered(width);
    }
    let mut names = head.fields(line, delimiter);
    if preset.file.trailing_empty
        && names.last().is_some_and(String::is_empty)
        && preset.forms().all(|header| header.len() < names.len() || header.last() != names.last())
    {
        names.pop();
    }
    names
}

fn numbered(width: usize) -> Vec<String> {
    (1..=width).map(|at| format!("#{at}")).collect()
}

/// How much a fit says, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The exact header or shape.
    Exact,
    /// The columns, among others.
    Among,
    /// A header that means the same.
    Near,
    /// A header that others have too.
    Shared,
}

/// Where and how a file is one of a preset.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    pub(super) delimiter: u8,
    /// The header, or the first row where there is none.
    pub(super) line: Line,
    pub(super) columns: Columns,
    pub(super) kind: Kind,
}

impl Fit {
    pub(super) fn new(preset: &Preset, head: &Head, delimiter: u8) -> Option<Self> {
        let file = &preset.file;
        if let Some(width) = file.columns {
            let fields = head.fields(head.first, delimiter);
            let columns = numbered(width).into();
            let fit = Self { delimiter, line: head.first, columns, kind: Kind::Exact };
            return fits_shape(preset, &fields, width).then_some(fit);
        }
        head.lines(preset).find_map(|line| {
            let names = columns_of(preset, head, line, delimiter);
            let kind = if file.headers.contains(&names) {
                Kind::Exact
            } else if !file.has.is_empty() && file.has.iter().all(|name| names.contains(name)) {
                Kind::Among
            } else if file.by_name.contains(&names) {
                Kind::Shared
            } else {
                return None;
            };
            Some(Self { delimiter, line, columns: own(preset, names), kind })
        })
    }

    /// Bytes and lines before the first row.
    pub(super) fn rows(&self, preset: &Preset) -> (usize, u64) {
        match preset.file.columns {
            None => (self.line.end, self.line.before + self.line.lines),
            Some(_) => (self.line.start, self.line.before),
        }
    }
}

/// A preset that a file may be one of, the plan of its rows, and what that rests on.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'p> {
    pub(super) preset: &'p Preset,
    pub(super) fit: Fit,
    pub(super) plan: Plan,
    pub(super) signature: Signature,
    pub(super) why: String,
}

impl<'p> Candidate<'p> {
    /// A candidate whose evidence is still to be looked at.
    pub(super) fn new(path: &Path, preset: &'p Preset, fit: Fit) -> Result<Self, Error> {
        let plan = Plan::new(preset, path, fit.columns.clone())?;
        Ok(Self { preset, fit, plan, signature: Signature::Named, why: String::new() })
    }

    /// The first rows, as its plan has them.
    fn rows(&self, head: &Head) -> Vec<Vec<String>> {
        let (skip, _) = self.fit.rows(self.preset);
        sniff::sample(&head.bytes[skip..], head.dialect(self.fit.delimiter), &self.plan).0
    }

    fn shows(&self, head: &Head) -> bool {
        self.preset.file.evidence.is_empty() || shows(self.preset, &self.plan, &self.rows(head))
    }
}

/// The presets a file is one of. More than one where nothing tells them apart.
pub(super) fn all<'p>(path: &Path, options: &'p Options, head: &Head) -> Result<Vec<Candidate<'p>>, Error> {
    let mut fits: Vec<(&Preset, Fit)> = Vec::new();
    for preset in options.presets.iter() {
        // One preset fits once, whatever the delimiter.
        fits.extend(delimiters(preset, head).into_iter().find_map(|by| Some((preset, Fit::new(preset, head, by)?))));
    }
    if fits.is_empty() {
        return near(path, options, head);
    }
    let best = fits.iter().map(|(_, fit)| fit.kind).filter(|kind| *kind != Kind::Shared).min();
    fits.retain(|(_, fit)| best.is_none_or(|best| fit.kind == best || fit.kind == Kind::Shared));
    let feeds: Vec<String> = fits.iter().map(|(preset, _)| preset.name().to_owned()).collect();
    let mut sure = Vec::new();
    for (preset, fit) in fits.into_iter().filter(|(_, fit)| fit.kind != Kind::Shared) {
        let candidate = Candidate::new(path, preset, fit)?;
        if candidate.shows(head) {
            sure.push(candidate);
        }
    }
    if sure.is_empty() {
        return Err(Error::ByName { path: path.to_owned(), feeds });
    }
    let alone = sure.len() == 1;
    for candidate in &mut sure {
        let Candidate { preset, fit, .. } = candidate;
        candidate.signature = match fit.kind {
            _ if !alone => Signature::Readable,
            _ if !preset.file.evidence.is_empty() => Signature::Evidence,
            Kind::Among => Signature::Columns,
            _ if preset.file.columns.is_some() => Signature::Shape,
            _ => Signature::Exact,
        };
        candidate.why = exactly(preset, fit, candidate.signature);
    }
    Ok(if alone { sure } else { most_readable(sure, head) })
}

fn exactly(preset: &Preset, fit: &Fit, signature: Signature) -> String {
    let (name, columns) = (preset.name(), fit.columns.names.len());
    let why = match fit.kind {
        _ if preset.file.columns.is_some() => format!("no header, and its first row is one of {name}"),
        Kind::Among => format!("among its {columns} columns are those of {name}"),
        _ => format!("its header is that of {name} ({columns} columns)"),
    };
    match signature {
        Signature::Evidence => format!("{why}, and so are its rows"),
        Signature::Readable => format!("{why}, and it reads more of its rows than any other feed that has them"),
        _ => why,
    }
}

/// The presets whose header means what one of the first lines says.
fn near<'p>(path: &Path, options: &'p Options, head: &Head) -> Result<Vec<Candidate<'p>>, Error> {
    let comparer = Comparer::new(&options.presets);
    let mut found: Vec<(Near<'p>, Fit)> = Vec::new();
    let ways = head.delimiter.map_or(head::DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    for line in head.first_lines(LINES) {
        for &delimiter in &ways {
            let mut names = head.fields(line, delimiter);
            if names.len() < 3 || names.len() > head::MAX_COLUMNS {
                continue;
            }
            let (bare, full) = (names.iter().rposition(|name| !name.is_empty()).map_or(0, |at| at + 1), names.len());
            for near in comparer.near(&names, true) {
                let fit = |columns| Fit { delimiter, line, columns, kind: Kind::Near };
                found.push((near.clone(), fit(near.columns)));
            }
            // A header with a delimiter too many, whose rows have it, too, or not.
            if bare + 1 == full {
                names.truncate(bare);
                for near in comparer.near(&names, true).into_iter().filter(|near| near.preset.file.trailing_empty) {
                    found.retain(|(known, fit)| {
                        known.preset.name() != near.preset.name() || fit.line.start != line.start
                    });
                    let fit = |columns| Fit { delimiter, line, columns, kind: Kind::Near };
                    found.push((near.clone(), fit(near.columns)));
                }
            }
        }
    }
    let mut kept: Vec<(Near<'p>, Candidate<'p>)> = Vec::new();
    for (near, fit) in found {
        // Without a column that every transaction needs, a file is none of the feed.
        let Ok(mut candidate) = Candidate::new(path, near.preset, fit) else { continue };
        let rows = candidate.rows(head);
        if !shows(near.preset, &candidate.plan, &rows) || !is_likely(&candidate.plan, &rows) {
            continue;
        }
        candidate.signature = Signature::Near(near.differs.confidence(near.nearness));
        candidate.why = format!("its header means that of {}: {}", near.preset.name(), near.differs.described());
        match kept.iter_mut().find(|(known, _)| known.preset.name() == near.preset.name()) {
            Some(known) if known.0.nearness < near.nearness => *known = (near, candidate),
            Some(_) => {}
            None => kept.push((near, candidate)),
        }
    }
    let kept = nearest(kept);
    Ok(if kept.len() < 2 { kept } else { most_readable(kept, head) })
}

/// Those that come nearest. What lacks nothing and adds nothing goes before everything else.
pub(super) fn nearest<T>(mut near: Vec<(Near<'_>, T)>) -> Vec<T> {
    if near.iter().any(|(near, _)| near.differs.is_complete()) {
        near.retain(|(near, _)| near.differs.is_complete());
    }
    let most = near.iter().map(|(near, _)| near.nearness).fold(0.0, f64::max);
    near.into_iter().filter(|(near, _)| near.nearness >= most - MARGIN).map(|(_, kept)| kept).collect()
}

/// The candidates that read the most of the first rows.
fn most_readable<'p>(candidates: Vec<Candidate<'p>>, head: &Head) -> Vec<Candidate<'p>> {
    let read: Vec<usize> = candidates.iter().map(|one| readable(&one.plan, &one.rows(head))).collect();
    let most = read.iter().copied().max();
    candidates.into_iter().zip(read).filter(|(_, rows)| Some(*rows) == most).map(|(kept, _)| kept).collect()
}

/// Whether the rows show what those of this feed alone do.
pub(super) fn shows(preset: &Preset, plan: &Plan, rows: &[Vec<String>]) -> bool {
    preset.file.evidence.is_empty()
        || preset.file.evidence.iter().any(|evidence| match plan.binding.find(&evidence.column) {
            Located::At(at) => rows.iter().any(|row| row.get(at).is_some_and(|text| text.contains(&evidence.contains))),
            _ => false,
        })
}

/// How many of the first rows have a time and amounts as the preset has them: what tells feeds of one header apart that
/// write dates or decimals in different ways.
pub(super) fn readable(plan: &Plan, rows: &[Vec<String>]) -> usize {
    let mut memo = Memo::default();
    let mut reads = |row: &Vec<String>| {
        let time = plan.time.iter().map(|&at| row[at].as_str()).collect::<Vec<_>>().join(" ");
        let time = time.trim().as_bytes();
        let read = match plan.zone {
            Some(zone) => plan.clock.read_in(time, row[zone].as_bytes(), &mut memo),
            None => plan.clock.read(time, &mut memo),
        };
        let money =
            |at: usize| row[at].is_empty() || amount::read(row[at].as_bytes(), plan.style, Currency::NONE).is_ok();
        (plan.clock.is_open() || read.is_some()) && plan.amounts().into_iter().all(money)
    };
    rows.iter().filter(|row| reads(row)).count()
}

/// Whether most of the first rows have a time and an amount where a feed has them, written in whatever way.
pub(super) fn is_likely(plan: &Plan, rows: &[Vec<String>]) -> bool {
    let joined = |row: &Vec<String>| plan.time.iter().map(|&at| row[at].as_str()).collect::<Vec<_>>().join(" ");
    let times: Vec<String> = rows.iter().map(joined).filter(|time| !time.trim().is_empty()).collect();
    let mut memo = Memo::default();
    let read = times.iter().filter(|time| plan.clock.read(time.trim().as_bytes(), &mut memo).is_some()).count();
    let texts: Vec<&str> = times.iter().map(|time| time.trim()).collect();
    let order = || Orders::of(texts.iter().copied()).month_first();
    if read * 2 < times.len() && matches!(formats_of(&texts, order()), Sniffed::Nothing) {
        return false;
    }
    let texts: Vec<&str> = plan
        .amounts()
        .iter()
        .flat_map(|&at| rows.iter().map(move |row| row[at].as_str()))
        .filter(|text| !text.is_empty())
        .collect();
    let reads =
        |style| texts.iter().filter(|text| amount::read(text.as_bytes(), style, Currency::NONE).is_ok()).count();
    [Style::Money, Style::MoneyComma].into_iter().any(|style| reads(style) * 2 >= texts.len())
}

fn fits_shape(preset: &Preset, fields: &[String], width: usize) -> bool {
    if preset.file.check.is_empty() || fields.len() != width {
        return false;
    }
    let Ok(clock) = Clock::new(&preset.time) else {
        return false;
    };
    preset.file.check.iter().all(|check| {
        let field = &fields[check.column];
        match (&check.equals, check.like) {
            (Some(text), _) => field == text,
            (None, Some(Like::Time)) => clock.read(field.as_bytes(), &mut Memo::default()).is_some(),
            (None, _) => {
                let style = preset.amount.format.unwrap_or(Style::Plain);
                amount::read(field.as_bytes(), style, Currency::NONE).is_ok()
            }
        }
    })
}
