//! The beginning of a text: what is looked at to recognise it.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memchr::{memchr, memchr_iter, memmem};

use crate::csv::record::{is_blank, trim_line};
use crate::csv::{Dialect, Limits, MAX_LINE, parse};
use crate::error::{Error, shown};
use crate::formats;
use crate::input::{Heard, Input};
use crate::preset::Preset;

/// The delimiters tried where a preset names none, in the order in which a tie goes.
pub(crate) const DELIMITERS: [u8; 4] = *b",;|\t";

/// Lines among which the header of a file of no known feed is looked for.
const LINES: usize = 12;

/// Text looked at: the longest header there may be, and rows enough to sniff from.
pub(super) const HEAD: usize = MAX_LINE + (1 << 16);

/// The most columns that a table may have; the widest feed that is known has 434.
pub(super) const MAX_COLUMNS: usize = 4_096;

/// The beginning of a text.
#[derive(Debug)]
pub(crate) struct Head {
    pub(super) bytes: Vec<u8>,
    pub(super) terminator: u8,
    /// What parts fields, where that is known.
    pub(super) delimiter: Option<u8>,
    /// Delimiters that blanks and a quote follow.
    pub(super) spaced: Vec<u8>,
    /// The first line that is not blank.
    pub(super) first: Line,
    /// The encoding, where it is not UTF-8.
    pub(super) encoding: Option<&'static str>,
}

/// A line of the beginning, and how many stand before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) before: u64,
    /// How many it is: a name between quotes may go over several.
    pub(super) lines: u64,
}

impl Head {
    /// All of it from the first line on that is not blank.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.first.start..]
    }

    pub(super) fn text(&self, line: Line) -> &[u8] {
        trim_line(&self.bytes[line.start..line.end], self.terminator)
    }

    pub(crate) fn dialect(&self, delimiter: u8) -> Dialect {
        let spaced = self.spaced.contains(&delimiter);
        Dialect { delimiter, terminator: self.terminator, spaced, limits: Limits::default() }
    }

    pub(super) fn fields(&self, line: Line, delimiter: u8) -> Vec<String> {
        parse::fields(self.text(line), self.dialect(delimiter))
    }

    /// The first line that is not blank, from a place in the text on.
    pub(super) fn line_from(&self, mut start: usize, mut before: u64) -> Option<Line> {
        while start < self.bytes.len() {
            let found = memchr(self.terminator, &self.bytes[start..]);
            let line = Line { start, end: found.map_or(self.bytes.len(), |at| start + at + 1), before, lines: 1 };
            if !is_blank(self.text(line), b'\t') {
                return Some(self.closed(line));
            }
            (start, before) = (line.end, before + 1);
        }
        None
    }

    /// The same line with those below it that the quotes opened on it reach to.
    fn closed(&self, line: Line) -> Line {
        const MOST: usize = 5;
        let is_open = |line: &Line| memchr_iter(b'"', &self.bytes[line.start..line.end]).count() % 2 == 1;
        let longer = |line: &Line| {
            let at = memchr(self.terminator, &self.bytes[line.end..])?;
            Some(Line { end: line.end + at + 1, lines: line.lines + 1, ..*line })
        };
        if !is_open(&line) {
            return line;
        }
        std::iter::successors(Some(line), longer).take(MOST).find(|line| !is_open(line)).unwrap_or(line)
    }

    /// The first line for people.
    pub(super) fn shown(&self) -> String {
        match self.delimiter {
            Some(delimiter) => shown(self.fields(self.first, delimiter).join(",").as_bytes()),
            None => shown(self.text(self.first)),
        }
    }

    /// Whether blanks and a quote follow a delimiter in one of the first lines, as in `"a", "b"`.
    fn is_spaced(&self, delimiter: u8) -> bool {
        let is = |line: &[u8]| {
            memmem::find_iter(line, &[delimiter, b' ']).any(|at| line[at + 1..].trim_ascii_start().starts_with(b"\""))
        };
        self.first_lines(LINES).any(|line| is(self.text(line)))
    }

    /// Refuses what no feed begins with and what would take long to compare with all of them.
    fn check(&self) -> Result<(), String> {
        let first = self.text(self.first);
        let columns = DELIMITERS.map(|by| memchr_iter(by, first).count() + 1).into_iter().max().unwrap_or(0);
        if columns > MAX_COLUMNS {
            return Err(format!("its first line has {columns} columns; expected at most {MAX_COLUMNS}"));
        }
        if first.len() > MAX_LINE {
            return Err(format!("its first line is longer than {MAX_LINE} bytes; expected a header or a transaction"));
        }
        Ok(())
    }

    /// The first line, and as many below it as a preset allows above its header.
    pub(super) fn lines(&self, preset: &Preset) -> impl Iterator<Item = Line> {
        self.first_lines(preset.file.preamble + 1)
    }

    pub(super) fn first_lines(&self, lines: usize) -> impl Iterator<Item = Line> {
        let below = |line: &Line| self.line_from(line.end, line.before + line.lines);
        std::iter::successors(Some(self.first), below).take(lines)
    }

    /// The first lines, cut in every way: what a header may be. One that is wider than any table is none.
    pub(super) fn headers(&self) -> Vec<Vec<String>> {
        let delimiters = self.delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let cut = |line| delimiters.iter().map(move |&delimiter| self.fields(line, delimiter));
        self.first_lines(LINES).flat_map(cut).filter(|header| header.len() <= MAX_COLUMNS).collect()
    }
}

pub(super) fn read(input: &Input) -> Result<Head, Error> {
    let path = || input.path.clone();
    let mut bytes = Vec::new();
    let heard = Arc::new(Heard::default());
    let text = input.utf8(Arc::new(AtomicU64::new(0)), &heard);
    let read = text.and_then(|text| text.take(HEAD as u64).read_to_end(&mut bytes));
    // A file that breaks off later may well begin with good rows.
    if let Err(source) = read
        && bytes.is_empty()
    {
        return Err(Error::Io { path: path(), source });
    }
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let terminator = if memchr(b'\n', &bytes).is_none() && memchr(b'\r', &bytes).is_some() { b'\r' } else { b'\n' };
    let nowhere = Line { start, end: start, before: 0, lines: 1 };
    let spaced = Vec::new();
    let mut head = Head { bytes, terminator, delimiter: None, spaced, first: nowhere, encoding: heard.described() };
    head.first = head.line_from(start, 0).ok_or_else(|| Error::Empty { path: path() })?;
    // Excel's own first line, which only says what parts the fields.
    if let Some(delimiter) = separator(head.text(head.first)) {
        head.delimiter = Some(delimiter);
        let first = head.first;
        head.first = head.line_from(first.end, first.before + 1).ok_or_else(|| Error::Empty { path: path() })?;
    }
    head.check().map_err(|reason| Error::Refused { path: path(), reason })?;
    head.spaced = DELIMITERS.into_iter().chain(head.delimiter).filter(|&by| head.is_spaced(by)).collect();
    Ok(head)
}

/// What parts the fields by a line such as `sep=;`.
fn separator(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii_start();
    let line = line.strip_prefix(b"\"").map_or(line, |inner| inner.strip_suffix(b"\"").unwrap_or(inner));
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] if DELIMITERS.contains(delimiter) => Some(*delimiter),
        _ => None,
    }
}

/// The beginning of a file that has to be a text and no statement.
pub(crate) fn text_head(input: &Input) -> Result<Head, Error> {
    let head = read(input)?;
    let path = input.path.clone();
    if head.bytes.starts_with(b"PAR1") {
        let reason = "it is Parquet; expected a table of text, such as a CSV export".to_owned();
        return Err(Error::Refused { path, reason });
    }
    match formats::of(&head.bytes) {
        Some(format) => Err(Error::Refused {
            path,
            reason: format!("it is a statement that the feed {} reads; expected a table of text", format.name()),
        }),
        None => Ok(head),
    }
}
