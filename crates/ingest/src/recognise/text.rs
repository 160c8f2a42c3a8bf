//! Tables of text, such as CSV: whose header they have, and where their rows begin.

use std::path::Path;

use super::bind::settled;
use super::fit::{self, Candidate, Fit, Kind, columns_of};
use super::head::{DELIMITERS, HEAD, Head, Line};
use super::header::Comparer;
use super::sniff::{self, Sample, See};
use super::{Found, Layout, Signature, near, unknown};
use crate::Options;
use crate::csv::{Dialect, parse};
use crate::error::{Error, shown};
use crate::input::{Compression, Input};
use crate::plan::{Columns, Located, Plan};
use crate::preset::{Origin, Preset, Text};
use crate::value::text::fold;

/// Lines among which the header of a feed that the user named is looked for.
const LINES: usize = 12;

pub(super) fn find(
    input: &Input,
    options: &Options,
    head: &Head,
    compression: Option<Compression>,
) -> Result<Found, Error> {
    let Choice { mut preset, fit, plan, signature, why } = choose(&input.path, options, head)?;
    let dialect = head.dialect(fit.delimiter);
    let (skip, skip_lines) = fit.rows(&preset);
    account_above(&mut preset, head, &fit);
    let all_read = head.bytes.len() < HEAD;
    let sample = |plan: &Plan| {
        let (rows, ends) = sniff::sample(&head.bytes[skip..], dialect, plan);
        let scan = move |plan: &Plan, see: See<'_>| sniff::scan(input, dialect, skip as u64, plan, see);
        Ok(Sample {
            rows,
            whole: ends && all_read,
            texts: Box::new(|_| Ok(None)),
            explicit: options.map.is_some(),
            scan: Box::new(scan),
        })
    };
    let (plan, mut why, warnings) = settled(&mut preset, plan, &input.path, options, why, sample)?;
    if let Some(encoding) = head.encoding {
        why = format!("{why}; {encoding}");
    }
    let layout = Layout::Text { dialect, skip: skip as u64, skip_lines, encoding: head.encoding, written: None };
    Ok(Found { preset, plan, layout, signature, why, warnings, compression })
}

/// A preset, where and how the file is one of it, and the plan of its rows.
pub(super) struct Choice {
    pub(super) preset: Preset,
    pub(super) fit: Fit,
    pub(super) plan: Plan,
    pub(super) signature: Signature,
    pub(super) why: String,
}

pub(super) fn choose(path: &Path, options: &Options, head: &Head) -> Result<Choice, Error> {
    if let Some(mapping) = &options.map {
        return named(path, &mapping.0, head, "columns mapped by the user");
    }
    if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(options, name))?;
        return named(path, preset, head, "feed named by the user");
    }
    let mut fits = fit::all(path, options, head)?;
    match fits.len() {
        0 => Err(Error::Unrecognised {
            path: path.to_owned(),
            header: head.shown(),
            nearest: near::nearest(&options.presets, &head.headers()),
        }),
        1 => {
            let Candidate { preset, fit, plan, signature, why } = fits.remove(0);
            Ok(Choice { preset: preset.clone(), fit, plan, signature, why })
        }
        _ => Err(Error::Ambiguous {
            path: path.to_owned(),
            feeds: fits.iter().map(|fit| fit.preset.name().to_owned()).collect(),
        }),
    }
}

/// A feed the user named: its columns have to be there, and the header may otherwise differ.
fn named(path: &Path, preset: &Preset, head: &Head, why: &str) -> Result<Choice, Error> {
    let choice = |fit| {
        let Candidate { fit, plan, signature, .. } = Candidate::new(path, preset, fit)?;
        Ok(Choice { preset: preset.clone(), fit, plan, signature, why: why.to_owned() })
    };
    let candidates = delimiters(preset, head);
    if let Some(fit) = candidates.iter().find_map(|&delimiter| Fit::new(preset, head, delimiter)) {
        return choice(fit);
    }
    // Then the line and the delimiter that find the most of the columns, and among those the one that parts the most.
    // A mapping names columns as the file has them; a feed's may go by other names.
    let comparer = (!preset.is_mapping()).then(|| Comparer::of(preset));
    let columns = |(line, delimiter): (Line, u8)| {
        let names = columns_of(preset, head, line, delimiter);
        let near = comparer.as_ref().and_then(|comparer| comparer.all(&names).pop());
        near.map_or_else(|| names.into(), |near| near.columns)
    };
    let score = |way| {
        let columns: Columns = columns(way);
        let found = preset.places().iter().filter(|(_, place)| columns.find(place) != Located::Nowhere).count();
        (found, columns.names.len())
    };
    // A mapping says nothing of the lines that there may be above the header.
    let lines = head.first_lines(LINES.max(preset.file.preamble + 1));
    let ways = lines.flat_map(|line| candidates.iter().map(move |&delimiter| (line, delimiter)));
    let scored = ways.map(|way| (score(way), way)).reduce(|best, next| if next.0 > best.0 { next } else { best });
    let (line, delimiter) = scored.map_or((head.first, b','), |(_, way)| way);
    if let Some(width) = preset.file.columns
        && head.fields(line, delimiter).len() != width
    {
        return Err(Error::MissingColumn {
            path: path.to_owned(),
            feed: preset.name().to_owned(),
            column: format!("#{width}"),
            found: shown(head.text(line)),
        });
    }
    choice(Fit { delimiter, line, columns: columns((line, delimiter)), kind: Kind::Near })
}

pub(super) fn delimiters(preset: &Preset, head: &Head) -> Vec<u8> {
    match (head.delimiter, preset.file.delimiter) {
        (Some(delimiter), _) => vec![delimiter],
        (None, Some(delimiter)) => vec![delimiter as u8],
        (None, None) => DELIMITERS.to_vec(),
    }
}

/// Takes the account from above the header, where the preset has it there.
pub(super) fn account_above(preset: &mut Preset, head: &Head, fit: &Fit) {
    let above = &head.bytes[..fit.line.start];
    if let Some(account) = preamble_account(preset, above, head.dialect(fit.delimiter)) {
        preset.account = Text { constant: Some(account), ..Text::default() };
    }
}

/// An account that the lines above the header name.
fn preamble_account(preset: &Preset, above: &[u8], dialect: Dialect) -> Option<String> {
    if preset.account.from != Some(Origin::Preamble) {
        return None;
    }
    let beside: Vec<String> = preset.account.beside.iter().map(|word| fold(word)).collect();
    let mut lines = above.split(|&byte| byte == dialect.terminator).map(|line| parse::fields(line, dialect));
    let cell = lines.find_map(|cells| {
        let at = cells.iter().position(|cell| beside.contains(&fold(cell)))?;
        cells.get(at + 1).filter(|cell| !cell.is_empty()).cloned()
    });
    if cell.is_some() {
        return cell;
    }
    let [before, behind] = preset.account.between.as_slice() else { return None };
    let above = std::str::from_utf8(above).ok()?;
    let (_, rest) = above.split_once(before.as_str())?;
    let account = rest.lines().next()?.split_once(behind.as_str())?.0.trim();
    (!account.is_empty()).then(|| account.to_owned())
}
