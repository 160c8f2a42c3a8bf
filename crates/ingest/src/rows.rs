//! What a block of a file becomes: rows in columns, and the rows that were rejected.

use std::collections::BTreeMap;

use crible_core::{Code, Currency, EntityId, Truth};
use hashbrown::HashMap;

use crate::mask::mask;
use crate::merge::Gather;
use crate::plan::Plan;

/// An optional field of transactions in the columns of a chunk.
pub(crate) trait Stored: crible_core::Field {
    type Column: Default + std::fmt::Debug;

    /// Drops what only building needs.
    fn seal(_: &mut Self::Column) {}
    /// Makes room for further rows of a column that has any.
    fn make_room(column: &mut Self::Column, more: usize);
    /// Moves the rows of the next chunk behind these.
    fn append(column: &mut Self::Column, next: &mut Self::Column);
    /// The column of a batch.
    fn gather(gather: &mut Gather<'_>, column: impl Fn(&mut Chunk) -> &mut Self::Column) -> Option<Self::Whole>;
}

impl<T: Copy + PartialEq + std::fmt::Debug + Send + Sync + 'static> Stored for Option<T> {
    type Column = Vec<Self>;

    fn make_room(column: &mut Vec<Self>, more: usize) {
        if !column.is_empty() {
            make_room(column, more);
        }
    }

    fn append(column: &mut Vec<Self>, next: &mut Vec<Self>) {
        column.append(next);
    }

    fn gather(gather: &mut Gather<'_>, column: impl Fn(&mut Chunk) -> &mut Vec<Self>) -> Option<Vec<Self>> {
        gather.optional(column)
    }
}

impl Stored for Code {
    type Column = Words;

    fn seal(words: &mut Words) {
        words.index = HashMap::new();
    }

    fn make_room(words: &mut Words, more: usize) {
        if !words.rows.is_empty() {
            make_room(&mut words.rows, more);
        }
    }

    fn append(words: &mut Words, next: &mut Words) {
        words.append(next);
    }

    fn gather(gather: &mut Gather<'_>, column: impl Fn(&mut Chunk) -> &mut Words) -> Option<Self::Whole> {
        gather.words(column)
    }
}

macro_rules! chunk {
    ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => {
        /// Rows of one block, in file order. A column that the feed does not have stays empty.
        #[derive(Debug, Default)]
        pub(crate) struct Chunk {
            /// Hash of all a row says; its lowest bit tells that an id to be trusted is part of it.
            pub(crate) content: Vec<u128>,
            pub(crate) at: Vec<i64>,
            pub(crate) minor: Vec<i64>,
            pub(crate) account: Vec<EntityId>,
            pub(crate) counterparty: Vec<Option<EntityId>>,
            pub(crate) currency: Vec<Currency>,
            $(pub(crate) $column: <$type as Stored>::Column,)*
            pub(crate) truth: Vec<Truth>,
            /// What rows say besides what they are: see [`crate::meaning`].
            pub(crate) marks: Vec<u8>,
            pub(crate) fee: Vec<i64>,
            pub(crate) own: Vec<u64>,
            pub(crate) original: Vec<u64>,
            pub(crate) replaces: Vec<u64>,
            /// Row in the block.
            pub(crate) row: Vec<u32>,
            /// Line in the block, in blocks where that is not the row's number.
            pub(crate) line: Vec<u32>,
            /// Rows and lines the block has, and the file's rows and lines before it.
            pub(crate) rows: u32,
            pub(crate) lines: u64,
            /// Bytes of text that the block has, where it is one of text.
            pub(crate) bytes: u64,
            pub(crate) first_row: u64,
            pub(crate) first_line: u64,
            pub(crate) rejects: Vec<Fault>,
            /// Values of columns that no transaction needs which could not be read, by column.
            pub(crate) odd: BTreeMap<usize, Odd>,
            /// Sums of which digits behind the currency's last were rounded.
            pub(crate) rounded: u64,
            /// Rows that another one says better, and that are not stored.
            pub(crate) known: u64,
            pub(crate) cut: Cut,
            pub(crate) links: Links,
        }

        impl Chunk {
            /// Drops what only building needs.
            pub(crate) fn seal(&mut self) {
                $(<$type as Stored>::seal(&mut self.$column);)*
            }

            /// Moves the rows of the file's next chunk behind these, whose place in the file is known by now. Of the
            /// other one its memory is left. False where these would be more rows than can be counted.
            ///
            /// Room is made for as many rows as are `expected` in all; what they are is only known at the end.
            pub(crate) fn append(&mut self, next: &mut Self, expected: usize) -> bool {
                let rows = next.first_row - self.first_row;
                let lines = next.first_line - self.first_line;
                let fits = |count: u64| u32::try_from(count).is_ok();
                if !fits(rows + u64::from(next.rows)) || !fits(lines + next.lines) {
                    return false;
                }
                let (rows, lines) = (rows as u32, lines as u32);
                let more = expected.saturating_sub(self.row.len());
                make_room(&mut self.row, more);
                make_room(&mut self.content, more);
                make_room(&mut self.at, more);
                make_room(&mut self.minor, more);
                make_room(&mut self.account, more);
                if !self.counterparty.is_empty() {
                    make_room(&mut self.counterparty, more);
                }
                $(<$type as Stored>::make_room(&mut self.$column, more);)*
                if rows != lines || !next.line.is_empty() || !self.line.is_empty() {
                    if self.line.is_empty() {
                        self.line.extend_from_slice(&self.row);
                    }
                    self.line.extend((0..next.row.len()).map(|row| lines.saturating_add(next.line(row) as u32)));
                }
                self.row.extend(next.row.drain(..).map(|row| rows + row));
                next.line.clear();
                self.content.append(&mut next.content);
                self.at.append(&mut next.at);
                self.minor.append(&mut next.minor);
                self.account.append(&mut next.account);
                self.counterparty.append(&mut next.counterparty);
                self.currency.append(&mut next.currency);
                $(<$type as Stored>::append(&mut self.$column, &mut next.$column);)*
                self.truth.append(&mut next.truth);
                self.marks.append(&mut next.marks);
                self.fee.append(&mut next.fee);
                self.own.append(&mut next.own);
                self.original.append(&mut next.original);
                self.replaces.append(&mut next.replaces);
                (self.rows, self.lines) = (rows + next.rows, u64::from(lines) + next.lines);
                (next.rows, next.lines, next.rounded, next.known) = (0, 0, 0, 0);
                (next.cut, next.links) = Default::default();
                true
            }
        }
    };
}

crible_core::optional_fields!(chunk);

/// Makes room for further values, where there is memory for it; nothing of it is used until they are there.
fn make_room<T>(column: &mut Vec<T>, more: usize) {
    if column.capacity() - column.len() < more {
        // Without it the column grows as any does.
        let _ = column.try_reserve_exact(more);
    }
}

/// Values that could not be read and that cost no row.
#[derive(Clone, Debug)]
pub(crate) struct Odd {
    pub(crate) count: u64,
    /// Line of the first of them, from 0 in the block.
    pub(crate) line: u64,
    /// The first of them, masked.
    pub(crate) value: String,
}

impl Odd {
    /// Counts one more value of a column.
    pub(crate) fn note(all: &mut BTreeMap<usize, Self>, column: usize, line: u64, value: &[u8]) {
        let first = || Self { count: 0, line, value: crate::error::shown(value) };
        all.entry(column).or_insert_with(first).count += 1;
    }
}

/// Rows named where numbers of accounts were cut, in all.
const NAMED: usize = 5;

/// Numbers of accounts that a spreadsheet has cut, by column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut(Vec<(usize, u64, Vec<u64>)>);

impl Cut {
    fn more(&mut self, column: usize, count: u64, rows: impl Iterator<Item = u64>) {
        let at = self.0.iter().position(|(known, ..)| *known == column).unwrap_or_else(|| {
            self.0.push((column, 0, Vec::new()));
            self.0.len() - 1
        });
        let (_, all, named) = &mut self.0[at];
        *all += count;
        named.extend(rows);
        named.truncate(NAMED);
    }

    /// One more, in a row of the block.
    pub(crate) fn add(&mut self, column: usize, row: u32) {
        self.more(column, 1, std::iter::once(u64::from(row)));
    }

    /// Those of a chunk that begins at a row.
    pub(crate) fn take(&mut self, other: &Self, first_row: u64) {
        for (column, count, rows) in &other.0 {
            self.more(*column, *count, rows.iter().map(|row| row + first_row));
        }
    }

    /// Columns, how many there are in each, and the first rows.
    pub(crate) fn described(&self) -> impl Iterator<Item = (usize, u64, &[u64])> {
        self.0.iter().map(|(column, count, rows)| (*column, *count, rows.as_slice()))
    }
}

/// How running balances agree with the signs of amounts, from row to row, oldest first and newest first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Links {
    last: Option<(EntityId, i64, i64)>,
    up: Agreement,
    down: Agreement,
}

/// Balances that moved by an amount, and by the opposite of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) right: u64,
    pub(crate) wrong: u64,
}

impl Agreement {
    fn add(&mut self, moved: i64, minor: i64) {
        if moved != 0 && moved == minor {
            self.right += 1;
        } else if moved != 0 && moved.checked_neg() == Some(minor) {
            self.wrong += 1;
        }
    }

    fn all(self) -> u64 {
        self.right + self.wrong
    }
}

impl Links {
    /// The next row, with its balance before it.
    pub(crate) fn add(&mut self, account: EntityId, before: i64, minor: i64) {
        let after = before.saturating_add(minor);
        if let Some((known, last, amount)) = self.last
            && known == account
        {
            let moved = after.saturating_sub(last);
            self.up.add(moved, minor);
            self.down.add(moved.saturating_neg(), amount);
        }
        self.last = Some((account, after, minor));
    }

    /// Those of the next chunk, too.
    pub(crate) fn take(&mut self, other: &Self) {
        for (all, more) in [(&mut self.up, other.up), (&mut self.down, other.down)] {
            all.right += more.right;
            all.wrong += more.wrong;
        }
    }

    /// The agreement in the direction in which more balances follow from amounts.
    pub(crate) fn agreement(&self) -> Agreement {
        if (self.up.all(), self.up.right) >= (self.down.all(), self.down.right) { self.up } else { self.down }
    }
}

/// A row that could not be read, counted from the start of its block.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) row: u32,
    pub(crate) line: u64,
    pub(crate) column: String,
    pub(crate) value: String,
    pub(crate) reason: String,
}

/// What reasons begin with where a row is no transaction: a balance, a total, a heading, something pending.
pub(crate) const NO_TRANSACTION: &str = "no transaction: ";

impl Fault {
    pub(crate) fn is_no_transaction(&self) -> bool {
        self.reason.starts_with(NO_TRANSACTION)
    }
}

/// A column of words, each stored once.
#[derive(Debug, Default)]
pub(crate) struct Words {
    index: HashMap<Box<[u8]>, u32>,
    words: Vec<Code>,
    rows: Vec<u32>,
}

impl Chunk {
    /// An empty chunk with room for about as many rows in every column that `plan` fills.
    pub(crate) fn with_capacity(plan: &Plan, rows: usize) -> Self {
        let rows = rows + rows / 16;
        let optional = |has: bool| if has { rows } else { 0 };
        Self {
            content: Vec::with_capacity(rows),
            at: Vec::with_capacity(rows),
            minor: Vec::with_capacity(rows),
            account: Vec::with_capacity(rows),
            row: Vec::with_capacity(rows),
            counterparty: Vec::with_capacity(optional(plan.counterparty.is_some())),
            truth: Vec::with_capacity(optional(plan.label.is_some())),
            ..Self::default()
        }
    }

    /// Notes the row and line of the next row to be stored.
    pub(crate) fn place(&mut self, line: u64) {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        if line != self.rows || !self.line.is_empty() {
            if self.line.is_empty() {
                self.line.extend_from_slice(&self.row);
            }
            self.line.push(line);
        }
        self.row.push(self.rows);
    }

    /// The line a stored row stands on, from 0 in the block.
    pub(crate) fn line(&self, row: usize) -> u64 {
        u64::from(self.line.get(row).copied().unwrap_or(self.row[row]))
    }
}

impl Words {
    pub(crate) fn push(&mut self, word: &[u8]) {
        let at = match self.index.get(word) {
            Some(&at) => at,
            None => {
                let at = self.words.len() as u32;
                // Rows that are no UTF-8 have been rejected before.
                self.words.push(Code::new(&mask(&String::from_utf8_lossy(word))));
                self.index.insert(word.into(), at);
                at
            }
        };
        self.rows.push(at);
    }

    fn append(&mut self, next: &mut Self) {
        let start = self.words.len() as u32;
        self.words.append(&mut next.words);
        self.rows.extend(next.rows.drain(..).map(|at| start + at));
    }

    /// The distinct words; of chunks that were joined, those of each.
    pub(crate) fn words(&self) -> &[Code] {
        &self.words
    }

    /// Which of them a row has.
    pub(crate) fn at(&self, row: usize) -> u32 {
        self.rows[row]
    }

    /// Which of them each row has.
    pub(crate) fn into_rows(self) -> Vec<u32> {
        self.rows
    }
}
