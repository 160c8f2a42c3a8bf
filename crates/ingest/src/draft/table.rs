//! Where in a text the table is: its delimiter, its header, its rows.

use crible_core::Currency;

use crate::csv::parse;
use crate::csv::record::{is_blank, trim_line};
use crate::error::Error;
use crate::input::Input;
use crate::preset::Style;
use crate::recognise::{DELIMITERS, Head, text_head};
use crate::value::amount;
use crate::value::time::Probe;

/// Records looked at.
const RECORDS: usize = 1_000;
/// Records among which the header is looked for.
const ABOVE: usize = 16;
/// Lines that one record may have.
const LINES: usize = 64;

/// A table, and how it stands in its file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) delimiter: u8,
    /// The header; positions for names where there is none.
    pub(super) names: Vec<String>,
    pub(super) has_header: bool,
    /// The records above the header.
    pub(super) above: Vec<String>,
    /// Whether rows end in one delimiter too many.
    pub(super) trailing_empty: bool,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) file_name: String,
}

impl Table {
    pub(super) fn of(input: &Input) -> Result<Self, Error> {
        let head = text_head(input)?;
        let none = |reason: &str| Error::Refused { path: input.path.clone(), reason: reason.to_owned() };
        let file_name = input.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let ways = DELIMITERS.iter().filter_map(|&delimiter| Self::cut(&head, delimiter, &file_name));
        // The delimiter that makes the most fields of whole rows.
        let best = ways.max_by_key(|table| (table.rows.len() * table.names.len(), table.names.len()));
        best.ok_or_else(|| none("no table of at least two columns is to be found in it; expected a header and rows"))
    }

    fn cut(head: &Head, delimiter: u8, file_name: &str) -> Option<Self> {
        let records = records(head, delimiter);
        let width = |at: usize| records[at].fields.len();
        // How many records below a place are as wide as it, or wider by an empty field.
        let below = |at: usize, trailing: bool| {
            let fits = |record: &&Record| {
                let fields = &record.fields;
                fields.len() == width(at)
                    || (trailing && fields.len() == width(at) + 1 && fields.last().is_some_and(String::is_empty))
            };
            records[at + 1..].iter().filter(fits).count()
        };
        let whole = |at: usize, trailing: bool| {
            let rest = records.len() - at - 1;
            rest > 0 && below(at, trailing) * 5 >= rest * 4
        };
        let looked = 0..records.len().min(ABOVE);
        let header = looked
            .clone()
            .find(|&at| width(at) > 1 && is_header(&records[at].fields) && (whole(at, false) || whole(at, true)));
        let (at, has_header) = match header {
            Some(at) => (at, true),
            None if !records.is_empty() && width(0) > 1 && (whole(0, false) || records.len() == 1) => (0, false),
            None => return None,
        };
        let trailing_empty = !whole(at, false) && whole(at, true);
        let mut names = match has_header {
            true => records[at].fields.clone(),
            false => (1..=width(at)).map(|at| format!("#{at}")).collect(),
        };
        // A header that ends in a delimiter as its rows do.
        let mut trailing_empty = trailing_empty;
        let last_is_empty = |record: &Record| record.fields.last().is_some_and(String::is_empty);
        if has_header && names.last().is_some_and(String::is_empty) && records[at + 1..].iter().all(last_is_empty) {
            names.pop();
            trailing_empty = true;
        }
        let above = records[..at].iter().map(|record| record.text.clone()).collect();
        let first = if has_header { at + 1 } else { at };
        let mut rows: Vec<Vec<String>> = records.into_iter().skip(first).map(|record| record.fields).collect();
        for row in &mut rows {
            if trailing_empty && row.len() == names.len() + 1 && row.last().is_some_and(String::is_empty) {
                row.pop();
            }
        }
        rows.retain(|row| row.len() == names.len());
        if rows.is_empty() {
            return None;
        }
        let file_name = file_name.to_owned();
        Some(Self { delimiter, names, has_header, above, trailing_empty, rows, file_name })
    }

    pub(super) fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |row| row[column].as_str())
    }
}

struct Record {
    text: String,
    fields: Vec<String>,
}

/// The first records: lines, and as many of them as it takes to close a quote.
fn records(head: &Head, delimiter: u8) -> Vec<Record> {
    let dialect = head.dialect(delimiter);
    let terminator = dialect.terminator;
    let mut rest = head.rest();
    let mut records = Vec::new();
    while !rest.is_empty() && records.len() < RECORDS {
        let line = memchr::memchr(terminator, rest).map_or(rest.len(), |at| at + 1);
        let quotes = |end: usize| memchr::memchr_iter(b'"', &rest[..end]).count();
        let mut end = line;
        let mut lines = 1;
        while quotes(end) % 2 == 1 && lines < LINES && end < rest.len() {
            end += memchr::memchr(terminator, &rest[end..]).map_or(rest.len() - end, |at| at + 1);
            lines += 1;
        }
        if quotes(end) % 2 == 1 {
            end = line;
        }
        let text = trim_line(&rest[..end], terminator);
        if !is_blank(text, delimiter) {
            let text_lossy = String::from_utf8_lossy(text).into_owned();
            records.push(Record { text: text_lossy, fields: parse::fields(&rest[..end], dialect) });
        }
        rest = &rest[end..];
    }
    records
}

/// Whether a record names columns: most of its fields say something, no two the same, and none is a date or an amount.
fn is_header(fields: &[String]) -> bool {
    let named: Vec<&String> = fields.iter().filter(|field| !field.is_empty()).collect();
    let iso = Probe::new("iso");
    let is_value = |field: &&String| {
        let bytes = field.as_bytes();
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let styles = [Style::Money, Style::MoneyComma];
        (digits * 2 > bytes.len() && !bytes[0].is_ascii_alphabetic())
            || iso.as_ref().is_some_and(|probe| probe.reads(bytes))
            || styles.iter().any(|&style| amount::read(bytes, style, Currency::NONE).is_ok())
    };
    named.len() >= 2 && named.len() * 5 >= fields.len() * 3 && !named.iter().any(is_value)
}
