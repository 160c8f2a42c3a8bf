//! Whether a file is one of a preset, by its header and, where several presets share it, by its rows.

use std::path::Path;

use crible_core::Currency;

use super::{Head, Line, Signature, delimiters, sniff};
use crate::Options;
use crate::error::Error;
use crate::plan::{Amounts, Plan};
use crate::preset::{Like, Place, Preset, Style};
use crate::value::amount;
use crate::value::time::{Clock, Memo};

/// The columns a file has.
#[derive(Clone, Debug)]
pub(super) enum Header {
    Names(Vec<String>),
    None(usize),
}

impl Header {
    pub(super) fn of(preset: &Preset, head: &Head, line: Line, delimiter: u8) -> Self {
        if let Some(width) = preset.file.columns {
            return Self::None(width);
        }
        let mut names = head.fields(line, delimiter);
        if preset.file.trailing_empty
            && names.last().is_some_and(String::is_empty)
            && preset.forms().all(|header| header.len() < names.len() || header.last() != names.last())
        {
            names.pop();
        }
        Self::Names(names)
    }

    pub(super) fn columns(&self) -> Vec<String> {
        match self {
            Self::Names(names) => names.clone(),
            Self::None(width) => (1..=*width).map(|at| format!("#{at}")).collect(),
        }
    }
}

/// How much a fit says, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The exact header or shape.
    Exact,
    /// The columns, among others.
    Among,
    /// A header that others have too.
    Shared,
}

/// Where and how a file is one of a preset.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    pub(super) delimiter: u8,
    /// The header, or the first row where there is none.
    pub(super) line: Line,
    pub(super) header: Header,
    pub(super) kind: Kind,
}

impl Fit {
    pub(super) fn new(preset: &Preset, head: &Head, delimiter: u8) -> Option<Self> {
        let file = &preset.file;
        if let Some(width) = file.columns {
            let fields = head.fields(head.first, delimiter);
            return fits_shape(preset, &fields, width).then_some(Self {
                delimiter,
                line: head.first,
                header: Header::None(width),
                kind: Kind::Exact,
            });
        }
        head.lines(preset).find_map(|line| {
            let header = Header::of(preset, head, line, delimiter);
            let Header::Names(names) = &header else { return None };
            let kind = if file.headers.contains(names) {
                Kind::Exact
            } else if !file.has.is_empty() && file.has.iter().all(|name| names.contains(name)) {
                Kind::Among
            } else if file.by_name.contains(names) {
                Kind::Shared
            } else {
                return None;
            };
            Some(Self { delimiter, line, header, kind })
        })
    }

    /// Bytes and lines before the first row.
    pub(super) fn rows(&self, preset: &Preset) -> (usize, u64) {
        match preset.file.columns {
            None => (self.line.end, self.line.before + 1),
            Some(_) => (self.line.start, self.line.before),
        }
    }
}

/// The presets a file is one of, and what that rests on. More than one where nothing tells them apart.
pub(super) fn all<'p>(
    path: &Path,
    options: &'p Options,
    head: &Head,
) -> Result<Vec<(&'p Preset, Fit, Signature)>, Error> {
    let mut fits: Vec<(&Preset, Fit)> = Vec::new();
    for preset in options.presets.iter() {
        // One preset fits once, whatever the delimiter.
        fits.extend(delimiters(preset, head).into_iter().find_map(|by| Some((preset, Fit::new(preset, head, by)?))));
    }
    let best = fits.iter().map(|(_, fit)| fit.kind).filter(|kind| *kind != Kind::Shared).min();
    fits.retain(|(_, fit)| best.is_none_or(|best| fit.kind == best || fit.kind == Kind::Shared));
    let mut sure = Vec::new();
    for (preset, fit) in &fits {
        if fit.kind != Kind::Shared && shows_in(path, preset, fit, head)? {
            sure.push((*preset, fit.clone()));
        }
    }
    if sure.is_empty() && !fits.is_empty() {
        let feeds = fits.iter().map(|(preset, _)| preset.name().to_owned()).collect();
        return Err(Error::ByName { path: path.to_owned(), feeds });
    }
    if let [(preset, fit)] = sure.as_slice() {
        let signature = match fit.kind {
            _ if !preset.file.evidence.is_empty() => Signature::Evidence,
            Kind::Among => Signature::Columns,
            _ if preset.file.columns.is_some() => Signature::Shape,
            _ => Signature::Exact,
        };
        return Ok(vec![(preset, fit.clone(), signature)]);
    }
    let mut read = Vec::with_capacity(sure.len());
    for (preset, fit) in &sure {
        let (plan, rows) = sample(path, preset, fit, head)?;
        read.push(readable(&plan, &rows));
    }
    let most = read.iter().copied().max();
    let kept = sure.into_iter().zip(read).filter(|(_, rows)| Some(*rows) == most);
    Ok(kept.map(|((preset, fit), _)| (preset, fit, Signature::Readable)).collect())
}

fn sample(path: &Path, preset: &Preset, fit: &Fit, head: &Head) -> Result<(Plan, Vec<Vec<String>>), Error> {
    let plan = Plan::new(preset, path, fit.header.columns())?;
    let (skip, _) = fit.rows(preset);
    let rows = sniff::sample(&head.bytes[skip..], head.dialect(fit.delimiter), &plan);
    Ok((plan, rows))
}

fn shows_in(path: &Path, preset: &Preset, fit: &Fit, head: &Head) -> Result<bool, Error> {
    if preset.file.evidence.is_empty() {
        return Ok(true);
    }
    let (plan, rows) = sample(path, preset, fit, head)?;
    Ok(shows(preset, &plan, &rows))
}

/// Whether the rows show what those of this feed alone do.
pub(super) fn shows(preset: &Preset, plan: &Plan, rows: &[Vec<String>]) -> bool {
    preset.file.evidence.is_empty()
        || preset.file.evidence.iter().any(|evidence| {
            let at = match &evidence.column {
                Place::At(at) => Some(*at),
                Place::Named(name) => plan.columns.iter().position(|column| column == name),
            };
            at.is_some_and(|at| {
                rows.iter().any(|row| row.get(at).is_some_and(|text| text.contains(&evidence.contains)))
            })
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
        let amounts = match &plan.amount {
            Amounts::Signed { at, .. } => vec![*at],
            Amounts::Pair { debit, credit } => vec![*debit, *credit],
        };
        let money = |at: usize| {
            row[at].is_empty() || amount::read_rounded(row[at].as_bytes(), plan.style, Currency::NONE).is_ok()
        };
        (plan.clock.is_open() || read.is_some()) && amounts.into_iter().all(money)
    };
    rows.iter().filter(|row| reads(row)).count()
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
