//! One block to one chunk.

use std::cell::RefCell;

use hashbrown::HashMap;
use memchr::memchr;

use super::Dialect;
use super::blocks::Piece;
use super::cuts::Cuts;
use super::record::{self, Next, Unquoter, is_blank, trim_line};
use crate::build::{Builder, Fields, Keys};
use crate::plan::Plan;
use crate::rows::Chunk;
use crate::worker::Worker;

/// A line without quotes, cut at its delimiters.
struct Line<'b> {
    text: &'b [u8],
    ends: &'b [u32],
}

impl Fields for Line<'_> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize + 1 };
        &self.text[start..self.ends[at] as usize]
    }
}

/// A record that quotes were taken off.
struct Unquoted<'b> {
    text: &'b [u8],
    ends: &'b [usize],
}

impl Fields for Unquoted<'_> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }
}

pub(crate) fn parse(piece: &Piece, dialect: Dialect, plan: &Plan, keys: &Keys, worker: &mut Worker) -> Chunk {
    let mut builder = Builder::new(plan, keys, worker);
    let lines = match piece {
        Piece::Records { bytes, quoted } => {
            let utf8 = std::str::from_utf8(bytes).is_ok();
            let mut text = Text { bytes, dialect, utf8, ends: Vec::with_capacity(plan.columns.len() + 2), line: 0 };
            if *quoted {
                text.quoted(&mut builder)
            } else {
                text.lines(&mut builder)
            }
            text.line
        }
        Piece::Overlong { head } => {
            builder.reject(0, head, record::Broken::LongLine.described(dialect.limits));
            1
        }
        Piece::Cut { head } => {
            builder.reject(0, head, "the file breaks off in this row; expected the rest of it".to_owned());
            1
        }
    };
    let mut chunk = builder.finish(lines);
    chunk.bytes = piece.len() as u64;
    chunk
}

struct Text<'b> {
    bytes: &'b [u8],
    dialect: Dialect,
    utf8: bool,
    ends: Vec<u32>,
    line: u64,
}

impl Text<'_> {
    /// Without a quote, lines are records: one search finds delimiters and line ends alike.
    fn lines(&mut self, builder: &mut Builder<'_>) {
        let Dialect { delimiter, terminator, .. } = self.dialect;
        let bytes = self.bytes;
        let mut start = 0;
        self.ends.clear();
        let stop = (!bytes.ends_with(&[terminator])).then_some(bytes.len());
        for at in Cuts::new(delimiter, terminator, bytes).chain(stop) {
            if at < bytes.len() && bytes[at] != terminator {
                self.ends.push((at - start) as u32);
                continue;
            }
            let line = trim_line(&bytes[start..at], terminator);
            if self.ends.is_empty() && is_blank(line, delimiter) {
                self.line += 1;
                start = at + 1;
                continue;
            }
            self.ends.push(line.len() as u32);
            self.record(builder, line);
            self.ends.clear();
            start = at + 1;
        }
    }

    /// One line, its fields' ends known.
    fn record(&mut self, builder: &mut Builder<'_>, line: &[u8]) {
        if line.len() > self.dialect.limits.line {
            builder.reject(self.line, line, record::Broken::LongLine.described(self.dialect.limits));
        } else if !self.utf8 && std::str::from_utf8(line).is_err() {
            builder.reject(self.line, line, NO_UTF8.to_owned());
        } else {
            builder.push(&Line { text: line, ends: &self.ends }, self.line, &|| line.to_vec());
        }
        self.line += 1;
    }

    fn quoted(&mut self, builder: &mut Builder<'_>) {
        let Dialect { delimiter, terminator, .. } = self.dialect;
        let mut unquoter = Unquoter::new(self.dialect);
        let mut rest = self.bytes;
        while !rest.is_empty() {
            // The block was cut where a record ends, so what does not end in it is none.
            let found = record::next(rest, self.dialect, builder.plan, true);
            let end = match found {
                Next::Line { end } | Next::Quoted { end } | Next::Broken { end, .. } => end,
                Next::More => rest.len(),
            };
            let (whole, tail) = rest.split_at(end);
            rest = tail;
            let line = trim_line(whole, terminator);
            match found {
                Next::Line { .. } if is_blank(line, delimiter) => self.line += 1,
                Next::Line { .. } => {
                    self.ends.clear();
                    let cuts = memchr::memchr_iter(delimiter, line).chain([line.len()]);
                    self.ends.extend(cuts.map(|at| at as u32));
                    self.record(builder, line);
                }
                Next::Quoted { .. } => {
                    if !self.utf8 && std::str::from_utf8(line).is_err() {
                        builder.reject(self.line, line, NO_UTF8.to_owned());
                    } else {
                        let (text, ends) = unquoter.cut(line);
                        builder.push(&Unquoted { text, ends }, self.line, &|| line.to_vec());
                    }
                    let breaks = memchr::memchr_iter(terminator, &whole[..whole.len() - 1]).count();
                    self.line += 1 + breaks as u64;
                }
                Next::Broken { why, .. } => {
                    builder.reject(self.line, line, why.described(self.dialect.limits));
                    self.line += 1;
                }
                Next::More => {}
            }
        }
    }
}

const NO_UTF8: &str = "the row is not UTF-8; expected UTF-8 (save or export the file as UTF-8)";

/// The fields of one line alone, for headers and first rows.
pub(crate) fn fields(record: &[u8], dialect: Dialect) -> Vec<String> {
    let line = trim_line(record, dialect.terminator);
    let owned = |field: &[u8]| String::from_utf8_lossy(field).trim().to_owned();
    if memchr(b'"', line).is_none() {
        return line.split(|&byte| byte == dialect.delimiter).map(owned).collect();
    }
    thread_local! {
        // By what parts fields and lines: making one takes many times as long as what it does here.
        static UNQUOTERS: RefCell<HashMap<(u8, u8, bool), Unquoter>> = RefCell::default();
    }
    UNQUOTERS.with_borrow_mut(|unquoters| {
        let by = (dialect.delimiter, dialect.terminator, dialect.spaced);
        let unquoter = unquoters.entry(by).or_insert_with(|| Unquoter::new(dialect));
        let (text, ends) = unquoter.cut(line);
        let fields = Unquoted { text, ends };
        (0..fields.len()).map(|at| owned(fields.get(at))).collect()
    })
}
