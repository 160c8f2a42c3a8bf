//! Files too large to be held are read once to count, once to learn and once to score, each time as a stream. The
//! model, the scores and the alerts are those that holding them would give, but for rows too far out of order, which
//! are rejected.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crible::{Builder, Engine, Model, Pipeline, Scored};
use crible_alert::{Alert, Policy};
use crible_core::{Batch, Timestamp};
use crible_ingest::{FileReport, Options, Progress, Reject, Streamed, Window};

/// More text than this is not held.
const HELD_BYTES: u64 = 512 << 20;

/// What text a stored byte stands for, about: transactions pack well.
const PACKED: u64 = 8;

/// The window to stream files through, where that is what they are to be: because so many rows are to be held,
/// `hold`, or because there is more text in them than 512 MiB.
pub fn window(files: &[PathBuf], hold: Option<u32>) -> Option<Window> {
    match hold {
        Some(rows) => Some(Window { rows: rows as usize }),
        None if pipe(files).is_some() => None,
        None => {
            let bytes = crible_ingest::files(files).iter().map(|file| text(file)).fold(0, u64::saturating_add);
            (bytes > HELD_BYTES).then(Window::default)
        }
    }
}

/// What can be read only once, where there is such a thing among the inputs. A name that leads nowhere may be a
/// pattern.
fn pipe(files: &[PathBuf]) -> Option<&PathBuf> {
    let lasts = |file: &PathBuf| fs::metadata(file).map_or(true, |meta| meta.is_file() || meta.is_dir());
    files.iter().find(|file| file.as_os_str() == "-" || !lasts(file))
}

/// The bytes of text in a file, about.
fn text(path: &Path) -> u64 {
    let Ok(meta) = fs::metadata(path) else { return 0 };
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz" | "zst" | "zip" | "parquet" | "xlsx") => meta.len().saturating_mul(PACKED),
        _ => meta.len(),
    }
}

/// An input that can be read once, where it would have to be read three times.
#[derive(Debug, thiserror::Error)]
#[error("{} can be read once, and a stream is read three times; expected files", .0.display())]
pub struct ReadOnce(PathBuf);

/// Whoever watches a run: is told which stage it is in and how far that has come.
pub trait Watch: Sync {
    /// A stage begins, and the one before it has ended.
    fn begin(&self, stage: &'static str);

    /// The stage has come so far. Any thread may say so.
    fn reach(&self, progress: Progress);
}

/// Files that are read as a stream, as often as it takes.
#[derive(Debug)]
pub struct Streaming<'a> {
    files: &'a [PathBuf],
    options: Options,
    window: Window,
}

impl<'a> Streaming<'a> {
    /// Reads the files through the window.
    ///
    /// # Errors
    /// [`ReadOnce`] where one of them is a pipe.
    pub fn new(files: &'a [PathBuf], options: Options, window: Window) -> Result<Self, ReadOnce> {
        match pipe(files) {
            Some(pipe) => Err(ReadOnce(pipe.clone())),
            None => Ok(Self { files, options, window }),
        }
    }

    /// Learns from what is before `until`, in two passes. Files that hold no transaction teach nothing: there is then
    /// no engine.
    ///
    /// # Errors
    /// The files cannot be read, or too little is in them.
    pub fn learn<E: From<crible::Error> + From<crible_ingest::Error>>(
        &mut self,
        builder: &Builder,
        until: Option<Timestamp>,
        watch: &dyn Watch,
    ) -> Result<Option<Engine>, E> {
        let mut names = ["counting", "learning"].into_iter();
        let mut any = true;
        let progress = |progress: Progress| watch.reach(progress);
        let engine =
            builder.fit_passes(until, |visit: &mut dyn FnMut(&Batch) -> Result<ControlFlow<()>, crible::Error>| {
                watch.begin(names.next().unwrap_or("reading"));
                let mut ignore = |_| {};
                let mut stream = crible_ingest::stream(self.files, &self.options, self.window, &mut ignore, &progress)?;
                let key = stream.key().clone();
                any = false;
                for batch in &mut stream {
                    any = true;
                    if visit(&batch)?.is_break() {
                        break;
                    }
                }
                drop(stream);
                // The next pass need not make it again.
                self.options.key = Some(key);
                Ok::<_, E>(())
            });
        match engine {
            Err(_) if !any => Ok(None),
            engine => engine.map(Some),
        }
    }

    /// Scores all in one pass: `visit` is handed each run with its batch, the files so far and the alerts that it
    /// settles. Without a pipeline the files are only read. What became of them is returned; `rejects` is told of
    /// every row rejected.
    ///
    /// # Errors
    /// The files cannot be read, or what `visit` returns.
    pub fn score<P: Policy, E: From<crible::Error> + From<crible_ingest::Error>>(
        &self,
        mut pipeline: Option<&mut Pipeline<P>>,
        watch: &dyn Watch,
        rejects: &mut (dyn FnMut(Reject) + Send),
        mut visit: impl FnMut(&Batch, &[FileReport], &Model, &Scored<'_>, Vec<Alert>) -> Result<(), E>,
    ) -> Result<Streamed, E> {
        watch.begin("scoring");
        let progress = |progress: Progress| watch.reach(progress);
        let mut stream = crible_ingest::stream(self.files, &self.options, self.window, rejects, &progress)?;
        let files = stream.files();
        for batch in &mut stream {
            if let Some(pipeline) = &mut pipeline {
                pipeline.replay(&batch, None, |model, scored, raised| visit(&batch, &files, model, scored, raised))?;
            }
        }
        Ok(stream.finish())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Files too large to be held are streamed however they are named: one by one, by folder, or by a pattern no shell
    /// expanded.
    #[test]
    fn large_files_are_streamed_however_they_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let window = |name: &str| window(&[folder.path().join(name)], None);
        fs::write(folder.path().join("small.csv"), "a").unwrap();
        assert!(window("*.csv").is_none() && window("").is_none());
        // It has the length without taking the room.
        let large = folder.path().join("large.csv");
        fs::File::create(&large).unwrap().set_len(HELD_BYTES).unwrap();
        for name in ["large.csv", "", "*.csv", "l?rge.csv", "[kl]arge.csv"] {
            assert!(window(name).is_some() == (name != "large.csv" && !name.contains(['?', '['])), "{name}");
        }
        fs::File::options().append(true).open(&large).unwrap().set_len(HELD_BYTES + 1).unwrap();
        for name in ["large.csv", "", "*.csv", "l?rge.csv", "[kl]arge.csv"] {
            assert!(window(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_pipe_is_held_unless_asked_and_then_refused() {
        let files = [PathBuf::from("-")];
        assert!(window(&files, None).is_none());
        let window = window(&files, Some(7)).unwrap();
        assert_eq!(window.rows, 7);
        let error = Streaming::new(&files, Options::default(), window).unwrap_err();
        assert!(error.to_string().starts_with("- can be read once"), "{error}");
    }
}
