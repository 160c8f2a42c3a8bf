//! Files as one stream of batches in order, in memory that does not grow with them.

use std::path::PathBuf;

use crible_core::Batch;

use super::run::{Run, ahead};
use super::{FileReport, Options, Progress, Reject};
use crate::error::Error;
use crate::input::gather;
use crible_pseudonym::{Key, KeyOrigin};

/// The most files that are all opened at once. Of more, each is looked into for when it begins, and opened when the
/// stream gets there.
const OPEN: usize = 16;

/// Rows that agree on a time: see [`crible_core::Clock`].
const AGREEING: usize = 3;

/// How much a [`Stream`] holds at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The most rows that wait to be put into order, about 100 bytes each.
    ///
    /// A row comes too late, and is rejected, if it is older than what has been handed on by then. That takes a quarter
    /// of the window at least of rows that are not older and were read before it. A file that is newest first, as
    /// exports of banks often are, is held whole; all of its rows are in time where it has no more of them than the
    /// window.
    ///
    /// Rows of one instant are held together even if they are more.
    pub rows: usize,
}

impl Default for Window {
    /// Two million rows.
    fn default() -> Self {
        Self { rows: 1 << 21 }
    }
}

/// The transactions of files as batches, one after the other in order of time, then file and row: an iterator.
///
/// Together they are the batch that [`crate::read`] makes, but for rows that come too late (see [`Window`]). Memory is
/// that of the window, of two batches of up to half of it, and of a few blocks of every file that the stream is within.
pub struct Stream<'a> {
    run: Run<'a>,
    lanes: Vec<Lane>,
    window: usize,
    /// Rows to hold before anything is handed on.
    due: usize,
}

/// What a whole stream came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Streamed {
    /// The files, as in [`crate::Import::files`].
    pub files: Vec<FileReport>,
    /// The files that could not be read at all.
    pub errors: Vec<Error>,
    /// What was passed over in folders and archives.
    pub notes: Vec<String>,
    /// Where the key came from.
    pub key_origin: KeyOrigin,
}

/// How far a file has come.
#[derive(Clone, Copy, Debug)]
enum Lane {
    /// Not opened yet; it begins here.
    Closed(i64),
    /// Its last chunk stands here.
    Open(i64),
    Done,
}

impl Lane {
    fn position(self) -> Option<i64> {
        match self {
            Self::Closed(at) | Self::Open(at) => Some(at),
            Self::Done => None,
        }
    }
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("lanes", &self.lanes).field("window", &self.window).finish_non_exhaustive()
    }
}

/// Opens files to be read as one [`Stream`]. Work is spread over the rayon pool this and the stream are used in.
///
/// `rejects` is told every row that is rejected, each file's in order; `progress` is called now and then.
///
/// # Errors
/// As [`crate::read`].
pub fn stream<'a>(
    inputs: &[PathBuf],
    options: &'a Options,
    window: Window,
    rejects: &'a mut (dyn FnMut(Reject) + Send),
    progress: &'a (dyn Fn(Progress) + Sync),
) -> Result<Stream<'a>, Error> {
    if inputs.is_empty() {
        return Err(Error::NoInput);
    }
    let (mut run, inputs) = Run::begin(gather(inputs), options, None, false, rejects, progress)?;
    let mut lanes = Vec::new();
    let all = inputs.len() <= OPEN;
    for input in inputs {
        if let Some(number) = run.open(input) {
            let file = &mut run.files[number];
            lanes.push(if all { Lane::Open(file.begins()) } else { Lane::Closed(file.close(ahead(1))) });
        }
    }
    run.check()?;
    let window = window.rows.max(4);
    Ok(Stream { run, lanes, window, due: window / 2 })
}

impl Stream<'_> {
    /// The files, in order of their paths: a row's [`crible_core::Source::file`] is an index into them. Counts are
    /// those of the rows read so far.
    pub fn files(&self) -> Vec<FileReport> {
        self.run.reports()
    }

    /// The key that pseudonyms are made with: handed on as [`Options::key`], it spares a second run over the same files
    /// from making it of their contents again.
    pub fn key(&self) -> &Key {
        &self.run.key
    }

    /// The accounts, once there is no further batch.
    pub fn finish(self) -> Streamed {
        let (files, key_origin) = (self.run.reports(), self.run.key.origin().clone());
        Streamed { files, errors: self.run.errors, notes: self.run.notes, key_origin }
    }

    /// Reads on in the file that is furthest behind. Whether there was one.
    fn pull(&mut self) -> bool {
        let lanes = self.lanes.iter().enumerate().filter_map(|(file, lane)| Some((lane.position()?, file)));
        let Some((_, file)) = lanes.min() else {
            return false;
        };
        if let Lane::Closed(_) = self.lanes[file] {
            self.run.files[file].reopen(self.run.options, &self.run.key);
        }
        let open = self.lanes.iter().filter(|lane| matches!(lane, Lane::Open(_))).count();
        self.lanes[file] = self.run.pull(file, open).map_or(Lane::Done, Lane::Open);
        true
    }

    /// Takes what is ripe, if anything is: with files to come the older half of what is held, as far as no file is
    /// behind.
    fn ripe(&mut self) -> Option<Batch> {
        let rows = self.run.waiting.rows();
        let behind = self.lanes.iter().filter_map(|lane| lane.position()).min();
        if behind.is_some() && rows < self.due {
            return None;
        }
        let wanted = behind.map_or(self.window / 4, |_| rows / 2);
        // The last rows stay together, so that it shows which of them are dated ahead.
        if behind.is_none() && rows <= wanted + AGREEING {
            return (rows > 0).then(|| self.run.take(None).0);
        }
        let (first, until) = split(self.run.waiting.times(), wanted);
        let until = match behind {
            None => until,
            Some(behind) if until.min(behind) > first => until.min(behind),
            // The window is full, so whatever the file that is behind still holds will be late.
            Some(_) if rows >= self.window && until > first.saturating_add(1) => until,
            Some(_) => {
                self.due = rows + self.window / 8;
                return None;
            }
        };
        let batch = self.run.take((until > first).then_some(until)).0;
        self.due = (self.window / 2).max(self.run.waiting.rows() + self.window / 8);
        Some(batch)
    }
}

impl Iterator for Stream<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        loop {
            match self.ripe() {
                // All of it was known.
                Some(batch) if batch.is_empty() => {}
                Some(batch) => return Some(batch),
                None if self.pull() => {}
                None if self.run.waiting.rows() == 0 => return None,
                None => {}
            }
        }
    }
}

/// The earliest of some times, and the one before which about `wanted` of them lie: some do, since rows of one instant
/// stay together.
fn split(mut times: Vec<i64>, wanted: usize) -> (i64, i64) {
    let (_, &mut until, _) = times.select_nth_unstable(wanted);
    let first = times.iter().copied().min().unwrap_or(until);
    (first, until.max(first.saturating_add(1)))
}
