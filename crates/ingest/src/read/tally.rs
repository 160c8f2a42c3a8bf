//! The accounts of a run: what was read, what was rejected, how far it has come.

use std::path::Path;
use std::sync::Arc;

use crible_core::Timestamp;

use super::{Progress, Reject};
use crate::rows::{Chunk, Fault};

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
    pub(super) read: u64,
    pub(super) rejected: u64,
    /// Of the rejected, those that came too late.
    pub(super) late: u64,
    /// Lines before the next chunk, the header's included.
    lines: u64,
}

impl Tally {
    pub(super) fn new(file: &Path, lines: u64) -> Self {
        Self { file: file.into(), read: 0, rejected: 0, late: 0, lines }
    }

    /// Takes the next chunk in file order: only now is it known which rows and lines it starts at, and which of its rows
    /// are before `from`, up to where rows have been handed on. `when` is the column that tells the time.
    pub(super) fn take(&mut self, chunk: &mut Chunk, from: Option<i64>, when: &str, watch: &mut Watch<'_>) {
        chunk.first_row = self.read;
        let mut faults = std::mem::take(&mut chunk.rejects);
        if let Some(from) = from {
            let told = faults.len();
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
            self.late += (faults.len() - told) as u64;
            faults.sort_by_key(|fault| fault.row);
        }
        self.rejected += faults.len() as u64;
        for Fault { row, line, column, value, reason } in faults {
            (watch.rejects)(Reject {
                file: self.file.clone(),
                row: self.read + u64::from(row),
                line: self.lines + line + 1,
                column,
                value,
                reason,
            });
        }
        self.read += u64::from(chunk.rows);
        self.lines += chunk.lines;
        watch.so_far.rows += u64::from(chunk.rows);
    }
}
