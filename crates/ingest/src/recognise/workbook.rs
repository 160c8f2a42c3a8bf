//! Workbooks: the first sheet whose header is known. A date in a cell is one whatever the feed's CSV writes.

use memchr::memchr_iter;

use super::bind::settled;
use super::head::{HEAD, Head, Line};
use super::sniff::{self, Sample};
use super::text::{Choice, account_above, choose};
use super::{Found, Layout};
use crate::Options;
use crate::error::Error;
use crate::input::{Input, MAX_HELD};
use crate::plan::Plan;
use crate::workbook::{DELIMITER, TERMINATOR, Workbook};

pub(super) fn typed(options: &Options) -> Options {
    let map = options.map.as_ref().map(crate::Mapping::typed);
    Options { map, presets: options.presets.typed(), ..options.clone() }
}

/// The first sheet with a header that is known, or with the columns that the user named.
pub(super) fn find(input: &Input, options: &Options) -> Result<Found, Error> {
    let workbook = Workbook::open(input)?;
    let options = typed(options);
    let mut first = None;
    for sheet in &workbook.sheets {
        match find_sheet(input, &options, &workbook, sheet) {
            Ok(found) => return Ok(found),
            // What another sheet may have instead.
            Err(error @ (Error::Empty { .. } | Error::Unrecognised { .. } | Error::MissingColumn { .. })) => {
                let empty = matches!(first, None | Some(Error::Empty { .. }));
                first = if empty { Some(error) } else { first };
            }
            Err(error) => return Err(error),
        }
    }
    Err(first.unwrap_or_else(|| Error::Empty { path: input.path.clone() }))
}

fn find_sheet(input: &Input, options: &Options, workbook: &Workbook, sheet: &str) -> Result<Found, Error> {
    let path = &input.path;
    let nowhere = Line { start: 0, end: 0, before: 0, lines: 1 };
    let (bytes, all_read) = workbook.head(sheet, HEAD)?;
    let (terminator, delimiter) = (TERMINATOR, Some(DELIMITER));
    let mut head = Head { bytes, terminator, delimiter, spaced: Vec::new(), first: nowhere, encoding: None };
    head.first = head.line_from(0, 0).ok_or_else(|| Error::Empty { path: path.clone() })?;
    let Choice { mut preset, fit, plan, signature, why } = choose(path, options, &head)?;
    let dialect = head.dialect(DELIMITER);
    let (skip, skip_lines) = fit.rows(&preset);
    let why = format!("sheet `{sheet}`: {why}");
    account_above(&mut preset, &head, &fit);
    let explicit = options.map.is_some();
    let sample = |plan: &Plan| {
        let (rows, ends) = sniff::sample(&head.bytes[skip..], dialect, plan);
        let scan = move |plan: &Plan, see: sniff::See<'_>| {
            let (text, _) = workbook.head(sheet, MAX_HELD as usize)?;
            sniff::scan_text(&text[skip..], dialect, plan, see);
            Ok(())
        };
        let texts = Box::new(|columns: &[usize]| workbook.texts(sheet, skip_lines, columns).map(Some));
        Ok(Sample { rows, whole: ends && all_read, texts, explicit, scan: Box::new(scan) })
    };
    let (plan, why, warnings) = settled(&mut preset, plan, path, options, why, sample)?;
    let text = workbook.text(sheet, &preset, &plan)?;
    // The header may be written with other fields behind it than where it was recognised, and always on the same line.
    let ends = memchr_iter(TERMINATOR, &text).nth((skip_lines as usize).wrapping_sub(1));
    let skip = ends.filter(|_| skip_lines > 0).map_or(0, |at| at as u64 + 1);
    let written = Some(Input::made(path, text));
    let layout = Layout::Text { dialect, skip, skip_lines, encoding: None, written };
    Ok(Found { preset, plan, layout, signature, why, warnings, compression: None })
}
