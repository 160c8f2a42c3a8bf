//! Where a record ends, and what its fields are.

use memchr::{memchr, memchr2};

use super::{Dialect, Limits};
use crate::plan::Plan;

/// The next record of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A record of one line without a quote, `end` behind its line end.
    Line { end: usize },
    /// A record with quotes, perhaps of several lines.
    Quoted { end: usize },
    /// The line up to `end` is no record; reading goes on behind it.
    Broken { end: usize, why: Broken },
    /// The text stops before that can be told.
    More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    LongLine,
    Quote,
}

impl Broken {
    pub(crate) fn described(self, limits: Limits) -> String {
        let Limits { line, multi_line, .. } = limits;
        match self {
            Self::LongLine => {
                format!("the line is longer than {line} bytes; expected a transaction")
            }
            Self::Quote => format!(
                "a quote opened on this line closes nowhere that makes a whole row (within {multi_line} bytes); \
                 expected a closing quote, followed by a delimiter or the line's end"
            ),
        }
    }
}

/// Finds the end of the record that `text` starts with. `complete` says that nothing follows the text which could
/// belong to the record.
///
/// A quote left open would swallow what follows up to the next quote. A record over several lines therefore has to be
/// right in every respect (as many fields as the feed has, nothing behind a closing quote but a delimiter or line end,
/// at most 64 KiB); otherwise its first line alone is broken. What is decided depends on the text up to the decision
/// alone, so it is the same wherever a block is cut.
pub(crate) fn next(text: &[u8], dialect: Dialect, plan: &Plan, complete: bool) -> Next {
    let limits = dialect.limits;
    let line_end = match memchr(dialect.terminator, text) {
        Some(at) => at + 1,
        None if complete || text.len() > limits.line => text.len(),
        None => return Next::More,
    };
    if line_end > limits.line {
        return Next::Broken { end: line_end, why: Broken::LongLine };
    }
    if memchr(b'"', &text[..line_end]).is_none() {
        return Next::Line { end: line_end };
    }
    let reach = text.len().min(line_end.max(limits.multi_line));
    let ends = complete && reach == text.len();
    match scan(&text[..reach], ends, dialect, plan.columns.len() + 1, line_end) {
        Scan::End { end, fields, last_empty } => {
            if end <= line_end || plan.fits(fields, last_empty) {
                Next::Quoted { end }
            } else {
                Next::Broken { end: line_end, why: Broken::Quote }
            }
        }
        Scan::Stray => Next::Broken { end: line_end, why: Broken::Quote },
        Scan::Open if complete || reach >= limits.multi_line => Next::Broken { end: line_end, why: Broken::Quote },
        Scan::Open => Next::More,
    }
}

enum Scan {
    End {
        end: usize,
        fields: usize,
        last_empty: bool,
    },
    /// Over several lines and wrong.
    Stray,
    /// The text stops before the record does.
    Open,
}

/// Walks the state machine of csv-core (quotes open a field only at its start; a doubled quote is one; what follows a
/// closing quote belongs to the field), stopping as soon as a record of several lines turns out wrong. `ends` says that
/// the text's end is the file's, where a record may lack its line end.
fn scan(text: &[u8], ends: bool, dialect: Dialect, max_fields: usize, first_line: usize) -> Scan {
    let Dialect { delimiter, terminator, .. } = dialect;
    let mut at = 0;
    let mut fields = 0;
    loop {
        let start = at;
        fields += 1;
        let opens = at + dialect.blanks(&text[at..]);
        if text.get(opens) == Some(&b'"') {
            at = opens + 1;
            loop {
                match memchr(b'"', &text[at..]) {
                    None => return Scan::Open,
                    Some(quote) => at += quote + 1,
                }
                if text.get(at) == Some(&b'"') {
                    at += 1;
                } else {
                    break;
                }
            }
        }
        let closed = at;
        match memchr2(delimiter, terminator, &text[at..]) {
            Some(found) => at += found,
            None if ends => at = text.len(),
            None => return Scan::Open,
        }
        let behind = &text[closed..at];
        let quoted = closed > start;
        let stray = quoted && !(behind.is_empty() || (behind == b"\r" && text.get(at) != Some(&delimiter)));
        if closed > first_line && (stray || fields > max_fields) {
            return Scan::Stray;
        }
        let last_empty = at == start || &text[opens..at] == b"\r" || &text[opens..at] == b"\"\"";
        match text.get(at) {
            Some(&byte) if byte == delimiter => at += 1,
            Some(_) => {
                return Scan::End { end: at + 1, fields, last_empty };
            }
            None => {
                return Scan::End { end: at, fields, last_empty };
            }
        }
    }
}

/// Cuts one record into fields and takes the quotes off.
#[derive(Debug)]
pub(crate) struct Unquoter {
    dialect: Dialect,
    /// A record freed of the blanks before its quotes.
    closed: Vec<u8>,
    reader: csv_core::Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Unquoter {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let reader = csv_core::ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .terminator(csv_core::Terminator::Any(dialect.terminator))
            .build();
        Self { dialect, closed: Vec::new(), reader, bytes: vec![0; 1 << 10], ends: vec![0; 64] }
    }

    /// Copies a record without the blanks between its delimiters and quotes, which csv-core takes for parts of fields.
    fn close_up(&mut self, record: &[u8]) {
        self.closed.clear();
        let mut at = 0;
        while at < record.len() {
            let start = at + self.dialect.blanks(&record[at..]);
            at = start;
            if record[at] == b'"' {
                // A doubled quote closes and opens again, which ends at the same place.
                while let Some(quote) = memchr(b'"', &record[at + 1..]) {
                    at += quote + 2;
                    if record.get(at) != Some(&b'"') {
                        break;
                    }
                }
            }
            let end = memchr(self.dialect.delimiter, &record[at..]).map_or(record.len(), |found| at + found + 1);
            self.closed.extend_from_slice(&record[start..end]);
            at = end;
        }
    }

    /// The fields' text and the end of each in it. The record is one whole record, its line end taken off.
    pub(crate) fn cut(&mut self, record: &[u8]) -> (&[u8], &[usize]) {
        if self.dialect.spaced {
            self.close_up(record);
        }
        let record = if self.dialect.spaced { self.closed.as_slice() } else { record };
        // Taking quotes off never makes a record longer, and it has at most one field more than it has bytes.
        if self.bytes.len() < record.len() {
            self.bytes.resize(record.len(), 0);
        }
        let (mut text, mut used) = (0, 0);
        self.reader.reset();
        let mut input = record;
        loop {
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.bytes[text..], &mut self.ends[used..]);
            input = &input[read..];
            (text, used) = (text + written, used + ended);
            match result {
                csv_core::ReadRecordResult::OutputFull => self.bytes.resize(self.bytes.len() * 2, 0),
                csv_core::ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                // An empty input ends the record.
                csv_core::ReadRecordResult::InputEmpty => input = &[],
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => break,
            }
        }
        (&self.bytes[..text], &self.ends[..used])
    }
}

/// A line without its line end.
pub(crate) fn trim_line(line: &[u8], terminator: u8) -> &[u8] {
    match line.strip_suffix(&[terminator]).unwrap_or(line) {
        [rest @ .., b'\r'] => rest,
        line => line,
    }
}

/// Whether a line has nothing on it. A tab says something where tabs part fields.
pub(crate) fn is_blank(line: &[u8], delimiter: u8) -> bool {
    line.iter().all(|&byte| byte == b' ' || (byte == b'\t' && delimiter != b'\t'))
}
