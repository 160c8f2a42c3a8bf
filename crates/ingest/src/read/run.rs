//! What reading whole and reading as a stream share: the files, and their rows that wait to be put into order.

use std::sync::Arc;

use crible_core::Batch;
use crible_pseudonym::Key;

use super::digest::content_digest;
use super::file::File;
use super::tally::Watch;
use super::{FileReport, Options, Progress, Reject};
use crate::error::Error;
use crate::input::{Gathered, Input};
use crate::json::{Arrays, Revisions};
use crate::meaning::Annotations;
use crate::merge::Waiting;
use crate::seek::Seek;

pub(super) struct Run<'a> {
    pub(super) options: &'a Options,
    pub(super) key: Key,
    /// Whose identifiers are being looked for, where any are.
    seek: Option<Arc<Seek>>,
    /// Those that were recognised and whose first rows could be read.
    pub(super) files: Vec<File>,
    pub(super) errors: Vec<Error>,
    /// What was passed over in folders and archives.
    pub(super) notes: Vec<String>,
    pub(super) waiting: Waiting,
    pub(super) watch: Watch<'a>,
    revisions: Arc<Revisions>,
    /// Inputs opened so far, those that could not be read among them.
    opened: usize,
}

impl<'a> Run<'a> {
    /// The run, and its inputs in order of their paths, none opened yet. `at_once` says that all rows will be taken
    /// together.
    pub(super) fn begin(
        gathered: Gathered,
        options: &'a Options,
        seek: Option<Arc<Seek>>,
        at_once: bool,
        rejects: &'a mut (dyn FnMut(Reject) + Send),
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Result<(Self, Vec<Input>), Error> {
        if let (None, Some(name)) = (&options.map, &options.feed)
            && options.presets.get(name).is_none()
        {
            let known = options.presets.iter().map(|preset| preset.name().to_owned()).collect();
            return Err(Error::UnknownFeed { name: name.clone(), known });
        }
        let Gathered { mut inputs, notes, mut errors, .. } = gathered;
        let key = match &options.key {
            Some(key) => key.clone(),
            None => contents_key(&mut inputs, &mut errors),
        };
        let bytes_total = inputs.iter().map(|input| input.bytes).sum();
        let watch = Watch::new(rejects, progress, bytes_total);
        let waiting = Waiting::new(options.ahead, at_once);
        let arrays = Arrays::of(options.presets.iter().chain(options.map.iter().map(|map| &map.0)));
        let mut revisions = Revisions::default();
        for (number, input) in inputs.iter().enumerate() {
            revisions.read(input, number, &arrays);
        }
        let (files, revisions, opened) = (Vec::new(), Arc::new(revisions), 0);
        Ok((Self { options, key, seek, files, errors, notes, waiting, watch, revisions, opened }, inputs))
    }

    /// Opens an input; the number of its file, where it can be read.
    pub(super) fn open(&mut self, input: Input) -> Option<usize> {
        let bytes = input.bytes;
        self.opened += 1;
        let later = (self.revisions.clone(), self.opened - 1);
        match File::open(input, self.options, &self.key, self.seek.clone(), later) {
            Ok(file) => {
                self.waiting.add_file(&file.plan, file.keys.references);
                self.files.push(file);
                Some(self.files.len() - 1)
            }
            Err(error) => {
                self.errors.push(error);
                self.watch.read(bytes);
                None
            }
        }
    }

    /// Reads the next chunk of a file, one of so many that are read in turn. Its place in time, or nothing where the
    /// file has ended.
    pub(super) fn pull(&mut self, file: usize, in_turn: usize) -> Option<i64> {
        let chunk = self.files[file].next(self.waiting.from(), ahead(in_turn), &mut self.watch)?;
        let position = position(&chunk.at);
        if let Some(spare) = self.waiting.push(file as u32, chunk, self.files[file].expected()) {
            self.files[file].reuse(spare);
        }
        Some(position)
    }

    /// Takes all rows before an instant, or all that are left; those astray are rejected.
    pub(super) fn take(&mut self, until: Option<i64>) -> (Batch, Annotations) {
        let taken = self.waiting.take(until);
        for row in self.waiting.astray() {
            self.files[row.file].reject_astray(&row, &mut self.watch);
        }
        taken
    }

    /// Refuses a run none of whose files can be read.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        match (self.files.len(), self.errors.len()) {
            (1.., _) => Ok(()),
            (0, 1) => Err(self.errors.remove(0)),
            _ => Err(Error::Nothing(std::mem::take(&mut self.errors))),
        }
    }

    pub(super) fn reports(&self) -> Vec<FileReport> {
        self.files.iter().enumerate().map(|(file, open)| open.report(self.waiting.known(file))).collect()
    }
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

/// Blocks to be parsed ahead of each of so many files: enough to keep the pool busy, of many files no more than of one.
pub(super) fn ahead(files: usize) -> usize {
    (2 * rayon::current_num_threads()).div_ceil(files.max(1))
}

/// Rows of a chunk that are looked at to tell where in time it stands.
const PROBES: usize = 9;

fn probes(times: &[i64]) -> impl Iterator<Item = i64> {
    (0..PROBES).filter_map(|probe| times.get(probe * times.len().saturating_sub(1) / (PROBES - 1)).copied())
}

/// Where in time a chunk stands, whatever single rows of it say. One that goes back in time stands before everything:
/// the rest of its file is older, and has to be read before anything is handed on.
fn position(times: &[i64]) -> i64 {
    if goes_back(times) {
        return i64::MIN;
    }
    let mut probes: Vec<i64> = probes(times).collect();
    probes.sort_unstable();
    probes.get(PROBES / 2).copied().unwrap_or(i64::MIN)
}

/// Whether rows are newest first.
pub(super) fn goes_back(times: &[i64]) -> bool {
    let steps = || probes(times).zip(probes(times).skip(1));
    steps().filter(|(a, b)| a > b).count() > steps().filter(|(a, b)| a < b).count()
}
