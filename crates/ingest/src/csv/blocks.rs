//! A text in blocks that end where a record ends.

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::Dialect;
use super::record::{self, Next};
use crate::plan::Plan;

/// A piece of a file.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Whole records; the last one of a file may lack its line end.
    Records { bytes: Vec<u8>, quoted: bool },
    /// A line too long to be held; its first bytes.
    Overlong { head: Vec<u8> },
    /// What was left when the input broke off in the middle of a record.
    Cut { head: Vec<u8> },
}

pub(crate) struct Blocks<R> {
    reader: R,
    dialect: Dialect,
    plan: Arc<Plan>,
    carry: Vec<u8>,
    ended: bool,
    /// Why the input broke off before its end.
    broke: Option<String>,
}

impl Piece {
    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        let (Self::Records { bytes: held, .. } | Self::Overlong { head: held } | Self::Cut { head: held }) = self;
        held.len()
    }

    /// Its memory, for the next one.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Records { bytes, .. } => bytes,
            Self::Overlong { head } | Self::Cut { head } => head,
        }
    }
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(reader: R, dialect: Dialect, plan: Arc<Plan>) -> Self {
        Self { reader, dialect, plan, carry: Vec::new(), ended: false, broke: None }
    }

    /// Why the input broke off before its end, if it did.
    pub(crate) fn broke(&self) -> Option<&str> {
        self.broke.as_deref()
    }

    /// Reads until `buffer` holds `goal` bytes or the input ends; `filled` of those that it has are kept. What memory
    /// it has beyond is overwritten and not cleared before.
    fn fill(&mut self, buffer: &mut Vec<u8>, mut filled: usize, goal: usize) {
        const FIRST: usize = 64 << 10;
        buffer.truncate(goal.max(filled));
        while !self.ended && filled < goal {
            if filled == buffer.len() {
                // A short file takes little.
                buffer.resize((2 * filled).max(FIRST).min(goal), 0);
            }
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => self.ended = true,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // What was read before the error stands in the buffer.
                Err(error) => {
                    self.ended = true;
                    self.broke = Some(error.to_string());
                }
            }
        }
        buffer.truncate(filled);
    }

    /// The next piece, in the memory of a spare one where there is one.
    pub(crate) fn next(&mut self, spare: Option<Vec<u8>>) -> Option<Piece> {
        let mut buffer = spare.unwrap_or_default();
        let kept = self.carry.len();
        buffer.resize(buffer.len().max(kept), 0);
        buffer[..kept].copy_from_slice(&self.carry);
        self.carry.clear();
        self.fill(&mut buffer, kept, self.dialect.limits.block);
        if buffer.is_empty() {
            return None;
        }
        let quoted = memchr(b'"', &buffer).is_some();
        let complete = self.ended && self.broke.is_none();
        let whole_lines = |buffer: &[u8]| memrchr(self.dialect.terminator, buffer).map_or(0, |at| at + 1);
        let end = match (quoted, complete) {
            (_, true) => buffer.len(),
            (false, _) => whole_lines(&buffer),
            (true, _) => match self.whole_records(&buffer) {
                // The input broke off between quotes: the lines that are whole may still be rows.
                0 if self.ended => whole_lines(&buffer),
                end => end,
            },
        };
        if end > 0 {
            self.carry.extend_from_slice(&buffer[end..]);
            buffer.truncate(end);
            return Some(Piece::Records { bytes: buffer, quoted });
        }
        // The buffer starts with a record that does not end in it.
        if self.ended {
            return Some(Piece::Cut { head: buffer });
        }
        let head = buffer[..buffer.len().min(1_000)].to_vec();
        self.skip_line(buffer);
        Some(Piece::Overlong { head })
    }

    fn whole_records(&self, buffer: &[u8]) -> usize {
        let mut at = 0;
        while at < buffer.len() {
            match record::next(&buffer[at..], self.dialect, &self.plan, false) {
                Next::Line { end } | Next::Quoted { end } => at += end,
                Next::Broken { end, .. } if buffer[at + end - 1] == self.dialect.terminator => at += end,
                Next::Broken { .. } | Next::More => break,
            }
        }
        at
    }

    /// Drops the rest of a line that began long ago, keeping nothing of it.
    fn skip_line(&mut self, mut buffer: Vec<u8>) {
        loop {
            if let Some(at) = memchr(self.dialect.terminator, &buffer) {
                self.carry.extend_from_slice(&buffer[at + 1..]);
                return;
            }
            self.fill(&mut buffer, 0, self.dialect.limits.block);
            if buffer.is_empty() {
                return;
            }
        }
    }
}
