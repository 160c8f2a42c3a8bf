//! One file under way, whatever it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::vec::IntoIter;

use super::run::goes_back;
use super::tally::{Tally, Watch};
use super::text::Text;
use super::{FileReport, Options, document};
use crate::build::Keys;
use crate::error::Error;
use crate::input::Input;
use crate::json;
use crate::mask::mask;
use crate::merge::Astray;
use crate::parquet;
use crate::plan::Plan;
use crate::recognise::{self, Found, Layout, Recognition};
use crate::rows::Chunk;
use crate::seek::Seek;
use crible_pseudonym::Key;

/// A file that was recognised, its rows handed out chunk by chunk.
pub(super) struct File {
    input: Input,
    pub(super) plan: Arc<Plan>,
    pub(super) keys: Arc<Keys>,
    reader: Reader,
    /// The chunk that opening read: a file that cannot be read shows by then.
    first: Option<Chunk>,
    recognition: Recognition,
    /// The encoding that the feed was recognised in, where it is not UTF-8.
    encoding: Option<&'static str>,
    later: Later,
    is_document: bool,
    warnings: Vec<String>,
    tally: Tally,
    /// Bytes read of it, and how many of them were told of.
    bytes: Arc<AtomicU64>,
    reported: u64,
    /// Bytes of text that rows were made of.
    parsed: u64,
}

/// What all files say later of transactions, and the number of this one.
pub(super) type Later = (Arc<json::Revisions>, usize);

enum Reader {
    Text(Box<Text>),
    Objects(Box<json::Rows>),
    Table(Box<parquet::Rows>),
    Document(IntoIter<Chunk>),
}

impl File {
    /// Recognises a file and reads its first chunk.
    pub(super) fn open(
        input: Input,
        options: &Options,
        key: &Key,
        seek: Option<Arc<Seek>>,
        later: Later,
    ) -> Result<Self, Error> {
        let found = recognise::find(&input, options)?;
        let recognition = found.recognition();
        let Found { plan, layout, mut warnings, .. } = found;
        let keys = Arc::new(Keys::new(key, &plan.feed, seek));
        let plan = Arc::new(plan);
        let bytes = Arc::new(AtomicU64::new(0));
        let mut lines = 0;
        let is_document = matches!(layout, Layout::Document(_));
        let mut encoding = None;
        let mut reader = match layout {
            Layout::Text { dialect, skip, skip_lines, encoding: known, written } => {
                (lines, encoding) = (skip_lines, known);
                let from = written.as_ref().unwrap_or(&input);
                let text = Text::open(from, dialect, skip, plan.clone(), keys.clone(), bytes.clone());
                let text = text.map_err(|source| Error::Io { path: input.path.clone(), source })?;
                Reader::Text(Box::new(text))
            }
            Layout::Objects(objects) => Reader::Objects(Box::new(objects.rows(
                &input,
                plan.clone(),
                keys.clone(),
                bytes.clone(),
                later.clone(),
            )?)),
            Layout::Document(document) => {
                let (chunks, more) = document::read(&document, &plan, &keys);
                warnings.extend(more);
                Reader::Document(chunks.into_iter())
            }
            Layout::Parquet(table) => Reader::Table(Box::new(table.rows(plan.clone(), keys.clone())?)),
        };
        let first = reader.next(0)?;
        let tally = Tally::new(&input, lines);
        let reported = 0;
        Ok(Self {
            input,
            plan,
            keys,
            reader,
            first,
            recognition,
            encoding,
            later,
            is_document,
            warnings,
            tally,
            bytes,
            reported,
            parsed: 0,
        })
    }

    /// The next chunk that has rows, those before `from` told as rejected; nothing at the end.
    /// Reads `ahead` of it where others of the pool have time.
    pub(super) fn next(&mut self, from: Option<i64>, ahead: usize, watch: &mut Watch<'_>) -> Option<Chunk> {
        let when = time_column(&self.plan);
        loop {
            let next = match self.first.take() {
                None => self.reader.next(ahead),
                first => Ok(first),
            };
            // What was read before an error stands.
            let next = next.unwrap_or_else(|error| {
                self.warnings.push(format!("the file was read in part: {error}"));
                None
            });
            let Some(mut chunk) = next else {
                self.end(watch);
                return None;
            };
            self.tally.take(&mut chunk, from, when, watch);
            self.parsed += chunk.bytes;
            let bytes = self.bytes.load(Ordering::Relaxed);
            watch.read(bytes - self.reported);
            self.reported = bytes;
            if !chunk.at.is_empty() {
                return Some(chunk);
            }
        }
    }

    /// About how many rows it will have in all, by how long it is and what it had so far. A size that an archive states
    /// is no measure.
    pub(super) fn expected(&self) -> usize {
        const MOST: u128 = 1 << 27;
        let bytes = if self.input.is_member() { 0 } else { self.input.bytes };
        let rows = u128::from(self.tally.read) * u128::from(bytes) / u128::from(self.parsed.max(1));
        (rows + rows / 64).min(MOST) as usize
    }

    /// Takes the memory of a chunk for one to come.
    pub(super) fn reuse(&mut self, chunk: Chunk) {
        if let Reader::Text(text) = &self.reader {
            text.reuse(chunk);
        }
    }

    pub(super) fn reject_astray(&mut self, row: &Astray, watch: &mut Watch<'_>) {
        self.tally.reject_astray(row, time_column(&self.plan), watch);
    }

    /// When its rows begin: the earliest of the first chunk, or as early as can be where that goes back in time.
    pub(super) fn begins(&self) -> i64 {
        let first = self.first.as_ref().filter(|first| !goes_back(&first.at));
        first.and_then(earliest).unwrap_or(i64::MIN)
    }

    /// Lets go of the file until [`File::reopen`]; returns when its rows begin. One that goes back in time is read to
    /// its end for that.
    pub(super) fn close(&mut self, ahead: usize) -> i64 {
        let mut begins = self.first.as_ref().and_then(earliest);
        if self.first.take().is_some_and(|first| goes_back(&first.at)) {
            while let Ok(Some(chunk)) = self.reader.next(ahead) {
                begins = begins.into_iter().chain(earliest(&chunk)).min();
            }
        }
        self.reader = Reader::none();
        begins.unwrap_or(i64::MIN)
    }

    pub(super) fn reopen(&mut self, options: &Options, key: &Key) {
        match Self::open(self.input.clone(), options, key, None, self.later.clone()) {
            Ok(Self { reader, first, bytes, .. }) => (self.reader, self.first, self.bytes) = (reader, first, bytes),
            Err(error) => self.warnings.push(format!("the file could be opened once, and then no more: {error}")),
        }
    }

    fn end(&mut self, watch: &mut Watch<'_>) {
        match &self.reader {
            Reader::Text(text) => {
                let broke = text.broke().map(|reason| format!("the file breaks off before its end: {reason}"));
                // What only came to light below the lines that the feed was recognised by.
                let encoding = text.encoding().filter(|_| self.encoding.is_none()).map(str::to_owned);
                self.warnings.extend(broke.into_iter().chain(encoding));
            }
            Reader::Objects(rows) => self.warnings.extend(rows.described()),
            Reader::Table(_) | Reader::Document(_) => {}
        }
        self.reader = Reader::none();
        if self.tally.read == 0 {
            let nothing =
                if self.is_document { "there is no transaction in it" } else { "there is a header and no row" };
            self.warnings.push(nothing.to_owned());
        } else if self.tally.no_transaction == self.tally.read {
            self.warnings.push("no row is a transaction".to_owned());
        } else if self.tally.rejected == self.tally.read {
            self.warnings.push("every row was rejected".to_owned());
        }
        watch.read(self.input.bytes.saturating_sub(self.reported));
    }

    /// What became of it, `known` of its rows having been known.
    pub(super) fn report(&self, known: u64) -> FileReport {
        let Tally { read, rejected, no_transaction, late, astray, known: better, .. } = self.tally;
        let known = known + better;
        let used = self.plan.used();
        let mut warnings: Vec<String> = self.warnings.iter().map(|warning| mask(warning).into_owned()).collect();
        warnings.extend(self.tally.odd(&self.plan.columns));
        warnings.extend(self.tally.described(&self.plan.columns).iter().map(|text| mask(text).into_owned()));
        if late > 0 {
            warnings.push(format!(
                "{late} rows were rejected for coming too late: sort the file by time, or hold more rows at a time"
            ));
        }
        if astray > 0 {
            warnings.push(format!("rows rejected for being dated far from all others: {astray}"));
        }
        let unused = self.plan.columns.iter().zip(used).filter(|(_, used)| !used);
        FileReport {
            path: self.input.path.clone(),
            shown: self.input.shown.to_string(),
            feed: self.plan.feed.clone(),
            why: self.recognition.why.clone(),
            recognition: self.recognition.clone(),
            read,
            accepted: read - rejected - known,
            known,
            rejected,
            no_transaction,
            late,
            gaps: Vec::new(),
            // A format's columns are ours: the file has none that could go unread. One that was taken to have a header
            // may have none.
            unused_columns: unused.filter(|_| !self.is_document).map(|(name, _)| mask(name).into_owned()).collect(),
            warnings,
        }
    }
}

/// The column that tells the time.
fn time_column(plan: &Plan) -> &str {
    plan.time.first().and_then(|&at| plan.columns.get(at)).map_or("", String::as_str)
}

fn earliest(chunk: &Chunk) -> Option<i64> {
    chunk.at.iter().copied().min()
}

impl Reader {
    fn none() -> Self {
        Self::Document(Vec::new().into_iter())
    }

    fn next(&mut self, ahead: usize) -> Result<Option<Chunk>, Error> {
        match self {
            Self::Text(text) => Ok(text.next(ahead)),
            Self::Objects(rows) => Ok(rows.next()),
            Self::Table(rows) => rows.next(),
            Self::Document(chunks) => Ok(chunks.next()),
        }
    }
}
