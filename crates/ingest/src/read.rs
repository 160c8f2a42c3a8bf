//! The run: files in, batches out.

mod digest;
mod document;
mod file;
mod overlap;
mod run;
mod stream;
mod tally;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crible_core::{Batch, Meaning};

use crate::error::Error;
use crate::input::{Gathered, gather, gather_bytes};
use crate::meaning::{self, Gap, Settled};
use crate::plan::Owner;
use crate::preset::{Mapping, Presets, When};
use crate::recognise::Recognition;
use crate::seek::Seek;
use crible_pseudonym::{Domain, Key, KeyOrigin};
use run::Run;
pub use stream::{Stream, Streamed, Window, stream};

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Take every file for one of this feed, instead of recognising it.
    pub feed: Option<String>,
    /// Read every file by this mapping; it goes before `feed`.
    pub map: Option<Mapping>,
    /// The tenant's key; without one it is made from the files' contents.
    pub key: Option<Key>,
    /// The presets to recognise files by.
    pub presets: Presets,
    /// How far ahead of all others a row may be dated, where the feed's rhythm does not allow more: see
    /// [`crible_core::Clock`]. What lies as far before all others is rejected, too.
    pub ahead: crible_core::Window,
    /// The account of files that name none; without it they are named after the file.
    pub account: Option<Owner>,
}

impl Default for Options {
    fn default() -> Self {
        let (feed, map, key, presets, account) = Default::default();
        Self { feed, map, key, presets, ahead: crible_core::Window::DAY, account }
    }
}

/// What was read.
#[derive(Debug)]
pub struct Import {
    /// The transactions, in order of time; those of one instant by file and row. A row's [`crible_core::Source::file`]
    /// is an index into `files`.
    pub batch: Batch,
    /// What they mean besides, by rows of the batch.
    pub meaning: Meaning,
    /// The files read, in order of their paths whatever the order they were given in.
    pub files: Vec<FileReport>,
    /// The files that could not be read at all.
    pub errors: Vec<Error>,
    /// What was passed over in folders and archives.
    pub notes: Vec<String>,
    /// Where the key came from.
    pub key_origin: KeyOrigin,
}

/// What became of one file: `read = accepted + known + rejected`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// The file as it may be shown where others read it: numbers that may be an account's are masked, and no two files
    /// of a run are shown alike.
    pub shown: String,
    /// The feed it is of: the name that references are made under.
    pub feed: String,
    /// How it was recognised, and what was sniffed.
    pub why: String,
    /// The same and more: which column becomes what.
    pub recognition: Recognition,
    /// Rows it has; blank lines and the header are none.
    pub read: u64,
    /// Rows that became transactions.
    pub accepted: u64,
    /// Rows that say again what an accepted one said.
    pub known: u64,
    /// Rows that could not be read, or came too late.
    pub rejected: u64,
    /// Of those, the ones that are no transactions: balances, totals, headings, entries that are pending. Their reasons
    /// begin so.
    pub no_transaction: u64,
    /// Of those rejected, the ones that came too late, which only a stream has.
    pub late: u64,
    /// Columns nothing was read from.
    pub unused_columns: Vec<String>,
    /// Where its running balances do not follow from one another; a stream does not look.
    pub gaps: Vec<Gap>,
    /// What else there is to know.
    pub warnings: Vec<String>,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reject {
    /// The file.
    pub file: Arc<Path>,
    /// The file as [`FileReport::shown`] has it.
    pub shown: Arc<str>,
    /// The row, from 0; the header and blank lines are none.
    pub row: u64,
    /// The line it starts on, from 1; in Parquet the row's number, from 1.
    pub line: u64,
    /// The column, or `(whole row)`.
    pub column: String,
    /// What stands there, at most 200 characters and masked; of a row rejected as a whole its shape, digits as 0 and
    /// letters as x. What it says exactly stands in the file, at this line.
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

/// Reads files into one batch. Work is spread over the rayon pool this is called in.
///
/// An input is a file, a folder (its data files and those of the folders in it), a pattern such as `exports/*.csv`
/// where no file is called that, a zip archive (its data files), or `-` for standard input.
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
    read_seeking(inputs, options, None, rejects, progress)
}

/// Reads what would be one file, from memory. It goes by `name`, whose ending says nothing: the format is recognised by
/// the bytes.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(
    name: &Path,
    bytes: Vec<u8>,
    options: &Options,
    rejects: &mut (dyn FnMut(Reject) + Send),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Import, Error> {
    read_gathered(gather_bytes(name, bytes), options, None, rejects, progress)
}

/// The same, taking note of the identifiers that are looked for.
pub(crate) fn read_seeking(
    inputs: &[PathBuf],
    options: &Options,
    seek: Option<Arc<Seek>>,
    rejects: &mut (dyn FnMut(Reject) + Send),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Import, Error> {
    if inputs.is_empty() {
        return Err(Error::NoInput);
    }
    read_gathered(gather(inputs), options, seek, rejects, progress)
}

fn read_gathered(
    gathered: Gathered,
    options: &Options,
    seek: Option<Arc<Seek>>,
    rejects: &mut (dyn FnMut(Reject) + Send),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Import, Error> {
    let (mut run, inputs) = Run::begin(gathered, options, seek, true, rejects, progress)?;
    for input in inputs {
        if let Some(file) = run.open(input) {
            while run.pull(file, 1).is_some() {}
        }
    }
    run.check()?;
    let (batch, said) = run.take(None);
    let running: Vec<bool> = run.files.iter().map(|file| matches!(file.plan.balance, Some((_, When::After)))).collect();
    let parties = run.files.iter().any(|file| file.plan.counterparty_domain == Domain::Party);
    let Settled { batch, meaning, known, gaps } = meaning::settle(batch, said, &running, parties);
    let mut files = run.reports();
    for ((report, again), gaps) in files.iter_mut().zip(known).zip(gaps) {
        report.known += again;
        report.accepted -= again;
        report.gaps = gaps;
    }
    let named = run.files.iter().map(|file| file.plan.named_by_file.then_some(file.plan.feed.as_str()));
    overlap::warn(&batch, &named.collect::<Vec<_>>(), &mut files);
    let key_origin = run.key.origin().clone();
    Ok(Import { batch, meaning, files, errors: run.errors, notes: run.notes, key_origin })
}
