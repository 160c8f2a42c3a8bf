//! The run: files in, one batch out.

mod document;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crible_core::Batch;

use crate::build::Keys;
use crate::error::Error;
use crate::input::Input;
use crate::key::{Key, KeyOrigin, content_digest};
use crate::merge::{FileRows, merge};
use crate::preset::{Mapping, Presets};
use crate::recognise::{self, Found, Layout};
use crate::rows::{Chunk, Fault};

/// What to read, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Take every file for one of this feed, instead of recognising it.
    pub feed: Option<String>,
    /// Read every file by this mapping; it goes before `feed`.
    pub map: Option<Mapping>,
    /// The tenant's key; without one it is made from the files' contents.
    pub key: Option<Key>,
    /// The presets to recognise files by.
    pub presets: Presets,
}

/// What was read.
#[derive(Debug)]
pub struct Import {
    /// The transactions, in order of time and reference. A row's [`crible_core::Source::file`] is an index into `files`.
    pub batch: Batch,
    /// The files read, in order of their paths whatever the order they were given in.
    pub files: Vec<FileReport>,
    /// The files that could not be read at all.
    pub errors: Vec<Error>,
    /// Where the key came from.
    pub key_origin: KeyOrigin,
}

/// What became of one file: `read = accepted + known + rejected`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// The feed it is of.
    pub feed: String,
    /// How that was recognised, and what was sniffed.
    pub why: String,
    /// Rows it has; blank lines and the header are none.
    pub read: u64,
    /// Rows that became transactions.
    pub accepted: u64,
    /// Rows that say again what an accepted one said.
    pub known: u64,
    /// Rows that could not be read.
    pub rejected: u64,
    /// Columns nothing was read from.
    pub unused_columns: Vec<String>,
    /// What else there is to know.
    pub warnings: Vec<String>,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reject {
    /// The file.
    pub file: Arc<Path>,
    /// The row, from 0; the header and blank lines are none.
    pub row: u64,
    /// The line it starts on, from 1; in Parquet the row's number, from 1.
    pub line: u64,
    /// The column, or `(whole row)`.
    pub column: String,
    /// What stands there, at most 200 characters.
    pub value: String,
    /// What is wrong with it, and what was expected.
    pub reason: String,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes read, as the files store them.
    pub bytes_read: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Rows read.
    pub rows: u64,
}

/// Where a run's news goes.
pub(crate) struct Watch<'a> {
    pub(crate) rejects: &'a mut (dyn FnMut(Reject) + Send),
    pub(crate) progress: &'a (dyn Fn(Progress) + Sync),
    pub(crate) bytes_total: u64,
    /// Of the files before the present one.
    pub(crate) bytes_before: u64,
    pub(crate) rows: u64,
}

impl Watch<'_> {
    pub(crate) fn tell(&self, bytes: u64) {
        let bytes_read = (self.bytes_before + bytes).min(self.bytes_total);
        (self.progress)(Progress { bytes_read, bytes_total: self.bytes_total, rows: self.rows });
    }
}

/// A file as it is being read.
pub(crate) struct Tally {
    pub(crate) file: Arc<Path>,
    pub(crate) read: u64,
    pub(crate) rejected: u64,
    /// Lines before the next chunk, the header's included.
    pub(crate) lines: u64,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) warnings: Vec<String>,
}

impl Tally {
    /// Takes the next chunk in file order: only now is it known which rows and lines it starts at.
    pub(crate) fn take(&mut self, mut chunk: Chunk, watch: &mut Watch<'_>) {
        chunk.first_row = self.read;
        self.rejected += chunk.rejects.len() as u64;
        for Fault { row, line, column, value, reason } in std::mem::take(&mut chunk.rejects) {
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
        watch.rows += u64::from(chunk.rows);
        if !chunk.at.is_empty() {
            self.chunks.push(chunk);
        }
    }
}

/// Reads files into one batch. Work is spread over the rayon pool this is called in.
///
/// `rejects` is told every row that could not be read, file by file in order; `progress` is called now and then. The
/// result depends on the files, not on the order in which they are named. A file that cannot be read at all is an entry
/// of [`Import::errors`].
///
/// # Errors
/// [`Error`] where no file could be read, or the options contradict themselves.
pub fn read(
    inputs: &[PathBuf],
    options: &Options,
    rejects: &mut (dyn FnMut(Reject) + Send),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Import, Error> {
    if inputs.is_empty() {
        return Err(Error::NoInput);
    }
    if let (None, Some(name)) = (&options.map, &options.feed)
        && options.presets.get(name).is_none()
    {
        let known = options.presets.iter().map(|preset| preset.name().to_owned()).collect();
        return Err(Error::UnknownFeed { name: name.clone(), known });
    }
    let mut paths = inputs.to_vec();
    paths.sort();
    let mut errors = Vec::new();
    let mut open = Vec::new();
    for path in paths {
        match Input::new(&path) {
            Ok(input) => open.push(input),
            Err(source) => errors.push(Error::Io { path, source }),
        }
    }
    let key = match &options.key {
        Some(key) => key.clone(),
        None => contents_key(&mut open, &mut errors),
    };
    let bytes_total = open.iter().map(|input| input.bytes).sum();
    let mut watch = Watch { rejects, progress, bytes_total, bytes_before: 0, rows: 0 };
    watch.tell(0);
    let mut reports = Vec::new();
    let mut files = Vec::new();
    for input in &open {
        match one(input, options, &key, &mut watch) {
            Ok((report, rows)) => {
                reports.push(report);
                files.push(rows);
            }
            Err(error) => errors.push(error),
        }
        watch.bytes_before += input.bytes;
        watch.tell(0);
    }
    if reports.is_empty() {
        return Err(if errors.len() == 1 { errors.remove(0) } else { Error::Nothing(errors) });
    }
    let (batch, known) = merge(files);
    for (report, known) in reports.iter_mut().zip(known) {
        report.known = known;
        report.accepted = report.read - report.rejected - known;
    }
    Ok(Import { batch, files: reports, errors, key_origin: key.origin().clone() })
}

/// A key from what the files hold. One that cannot be read to its end leaves the run here.
fn contents_key(open: &mut Vec<Input>, errors: &mut Vec<Error>) -> Key {
    let mut digests = Vec::new();
    open.retain(|input| match input.raw().and_then(content_digest) {
        Ok(digest) => {
            digests.push(digest);
            true
        }
        Err(source) => {
            errors.push(Error::Io { path: input.path.clone(), source });
            false
        }
    });
    Key::from_contents(digests)
}

fn one(input: &Input, options: &Options, key: &Key, watch: &mut Watch<'_>) -> Result<(FileReport, FileRows), Error> {
    let Found { plan, layout, why, .. } = recognise::find(input, options)?;
    let keys = Keys::new(key, &plan.feed);
    let mut tally = Tally {
        file: input.path.as_path().into(),
        read: 0,
        rejected: 0,
        lines: 0,
        chunks: Vec::new(),
        warnings: Vec::new(),
    };
    let is_document = matches!(layout, Layout::Document(_));
    match layout {
        Layout::Text { dialect, skip, skip_lines } => {
            tally.lines = skip_lines;
            text::read(input, dialect, skip, &plan, &keys, &mut tally, watch)?;
        }
        Layout::Document(ref document) => document::read(document, &plan, &keys, &mut tally, watch),
        Layout::Parquet(ref table) => {
            let read = table.read(&plan, &keys, &mut |chunks| {
                for chunk in chunks {
                    tally.take(chunk, watch);
                }
                watch.tell(0);
            });
            match read {
                // As with a text that breaks off: what was read before stands.
                Err(error) if tally.read > 0 => tally.warnings.push(format!("the file was read in part: {error}")),
                read => read?,
            }
        }
    }
    if tally.read == 0 {
        let nothing = if is_document { "there is no transaction in it" } else { "there is a header and no row" };
        tally.warnings.push(nothing.to_owned());
    } else if tally.rejected == tally.read {
        tally.warnings.push("every row was rejected".to_owned());
    }
    let used = plan.used();
    // A format's columns are ours: the file has none that could go unread.
    let unused = plan.columns.iter().zip(used).filter(|(_, used)| !used && !is_document).map(|(name, _)| name.clone());
    let report = FileReport {
        path: input.path.clone(),
        feed: plan.feed.clone(),
        why,
        read: tally.read,
        accepted: 0,
        known: 0,
        rejected: tally.rejected,
        unused_columns: unused.collect(),
        warnings: tally.warnings,
    };
    Ok((report, FileRows::new(&plan, keys.references, tally.chunks)))
}
