//! The accounts of a run: what was read, what was rejected, how far it has come.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crible_core::Timestamp;

use super::{Progress, Reject};
use crate::input::Input;
use crate::merge::Astray;
use crate::rows::{Agreement, Chunk, Cut, Fault, Links, Odd};

/// Where a run's news goes.
pub(super) struct Watch<'a> {
    rejects: &'a mut (dyn FnMut(Reject) + Send),
    progress: &'a (dyn Fn(Progress) + Sync),
    so_far: Progress,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        rejects: &'a mut (dyn FnMut(Reject) + Send),
        progress: &'a (dyn Fn(Progress) + Sync),
        bytes_total: u64,
    ) -> Self {
        let so_far = Progress { bytes_read: 0, bytes_total, rows: 0 };
        progress(so_far);
        Self { rejects, progress, so_far }
    }

    /// So many more bytes were read.
    pub(super) fn read(&mut self, bytes: u64) {
        self.so_far.bytes_read = (self.so_far.bytes_read + bytes).min(self.so_far.bytes_total);
        (self.progress)(self.so_far);
    }
}

/// One file's.
pub(super) struct Tally {
    file: Arc<Path>,
    shown: Arc<str>,
    pub(super) read: u64,
    pub(super) rejected: u64,
    /// Of the rejected, those that came too late.
    pub(super) late: u64,
    /// Of the rejected, those that are no transactions.
    pub(super) no_transaction: u64,
    /// Of the rejected, those whose time lies far from that of all others.
    pub(super) astray: u64,
    /// Rows that another one says better.
    pub(super) known: u64,
    /// Lines before the next chunk, the header's included.
    lines: u64,
    /// Values of columns that no transaction needs which could not be read, by column.
    odd: BTreeMap<usize, Odd>,
    /// Sums that were rounded.
    rounded: u64,
    cut: Cut,
    links: Links,
}

impl Tally {
    pub(super) fn new(input: &Input, lines: u64) -> Self {
        Self {
            file: input.path.as_path().into(),
            shown: input.shown.clone(),
            read: 0,
            rejected: 0,
            late: 0,
            no_transaction: 0,
            astray: 0,
            known: 0,
            lines,
            odd: BTreeMap::new(),
            rounded: 0,
            cut: Cut::default(),
            links: Links::default(),
        }
    }

    /// What could not be read of columns that no transaction needs, in words.
    pub(super) fn odd(&self, columns: &[String]) -> impl Iterator<Item = String> {
        self.odd.iter().map(|(&column, Odd { count, line, value })| {
            let name = columns.get(column).map_or("", String::as_str);
            let (values, verb) =
                if *count == 1 { ("1 value".to_owned(), "counts") } else { (format!("{count} values"), "count") };
            format!("column `{name}`: {values} could not be read and {verb} as unknown (the first, on line {line}: `{value}`)")
        })
    }

    /// Rejects a row that was read whole, for its time.
    pub(super) fn reject_astray(&mut self, row: &Astray, when: &str, watch: &mut Watch<'_>) {
        let Astray { at, nearest, is_ahead, .. } = row;
        let side = if *is_ahead { "ahead of" } else { "before" };
        let days = at.0.abs_diff(nearest.0) / Timestamp::DAY as u64;
        self.rejected += 1;
        self.astray += 1;
        (watch.rejects)(Reject {
            file: self.file.clone(),
            shown: self.shown.clone(),
            row: row.row,
            line: row.line + 1,
            column: when.to_owned(),
            value: at.to_string(),
            reason: format!("it is dated {days} days {side} all others, the nearest of which is of {nearest}"),
        });
    }

    /// What was not read to the letter, in words; `columns` are the names of the file's.
    pub(super) fn described(&self, columns: &[String]) -> Vec<String> {
        let mut described = Vec::new();
        if self.rounded > 0 {
            described.push(format!(
                "amounts with more digits than their currency has were rounded, half to even: {}",
                self.rounded
            ));
        }
        for (column, count, rows) in self.cut.described() {
            let name = columns.get(column).map_or("", String::as_str);
            let rows = rows.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            described.push(format!(
                "column `{name}`: numbers that a spreadsheet has cut, such as 0.00000E+00: {count}, the first in rows {rows}; \
                 different accounts may count as one. Export the file again, and open it in no spreadsheet before"
            ));
        }
        let Agreement { right, wrong } = self.links.agreement();
        if wrong > 0 && wrong * 4 >= right + wrong {
            described.push(format!(
                "running balances contradict the signs of {wrong} of {} amounts: money that came in may count as spent",
                right + wrong
            ));
        }
        described
    }

    /// Takes the next chunk in file order: only now is it known which rows and lines it starts at, and which of its
    /// rows are before `from`, up to where rows have been handed on. `when` is the column that tells the time.
    pub(super) fn take(&mut self, chunk: &mut Chunk, from: Option<i64>, when: &str, watch: &mut Watch<'_>) {
        (chunk.first_row, chunk.first_line) = (self.read, self.lines);
        let mut faults = std::mem::take(&mut chunk.rejects);
        if let Some(from) = from {
            let described = faults.len();
            let late = chunk.at.iter().enumerate().filter(|&(_, &at)| at < from);
            faults.extend(late.map(|(row, &at)| Fault {
                row: chunk.row[row],
                line: chunk.line(row),
                column: when.to_owned(),
                value: Timestamp(at).to_string(),
                reason: format!(
                    "it comes too late: what happened before {} has been handed on; expected rows in order of time, or \
                     not as far out of it",
                    Timestamp(from)
                ),
            }));
            self.late += (faults.len() - described) as u64;
            faults.sort_by_key(|fault| fault.row);
        }
        self.rejected += faults.len() as u64;
        self.no_transaction += faults.iter().filter(|fault| fault.is_no_transaction()).count() as u64;
        for Fault { row, line, column, value, reason } in faults {
            (watch.rejects)(Reject {
                file: self.file.clone(),
                shown: self.shown.clone(),
                row: self.read + u64::from(row),
                line: self.lines + line + 1,
                column,
                value,
                reason,
            });
        }
        for (column, odd) in std::mem::take(&mut chunk.odd) {
            let first = Odd { count: 0, line: self.lines + odd.line + 1, value: odd.value };
            self.odd.entry(column).or_insert(first).count += odd.count;
        }
        self.rounded += chunk.rounded;
        self.known += chunk.known;
        self.cut.take(&chunk.cut, self.read);
        self.links.take(&chunk.links);
        self.read += u64::from(chunk.rows);
        self.lines += chunk.lines;
        watch.so_far.rows += u64::from(chunk.rows);
    }
}
