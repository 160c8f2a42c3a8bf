//! Files that appear under their name when they are whole.
//!
//! An output is written to a file beside it, which takes its name once all is written: whatever stops a run, a full disk or a
//! signal included, leaves the file that was there. What is no plain file, such as a pipe or a terminal, is written to directly.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use anyhow::{Context, Result, bail};
use tempfile::TempPath;

/// Files beside outputs that are being written: what a signal has to take away.
static UNDER_WAY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn under_way() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file under way.
#[derive(Debug)]
pub(crate) struct Output {
    /// As the user named it.
    path: PathBuf,
    file: File,
    /// The file beside, and the place it takes in the end; none where the file is written to directly.
    beside: Option<(TempPath, PathBuf)>,
    failed: Failure,
}

/// The first error of a writer: whoever writes through a library may be told something else, or nothing.
type Failure = Arc<Mutex<Option<io::Error>>>;

/// Writes to an output. Drop it before [`Output::persist`].
#[derive(Debug)]
pub(crate) struct OutputWriter {
    inner: BufWriter<File>,
    failed: Failure,
}

impl Output {
    /// Begins a file, and makes its folder where that is missing.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let failed = Failure::default();
        // A link stays, and what it leads to is replaced.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = fs::metadata(&place).ok();
        if before.as_ref().is_some_and(|meta| !meta.is_file()) {
            let file = File::options().write(true).open(path)?;
            return Ok(Self { path: path.to_owned(), file, beside: None, failed });
        }
        let folder = match place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder)?;
        remove_when_stopped();
        let mut builder = tempfile::Builder::new();
        builder.prefix(".crible-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Those of the file before; of a new one, what the user's mask leaves.
            builder.permissions(before.map_or_else(|| fs::Permissions::from_mode(0o666), |meta| meta.permissions()));
        }
        let (file, beside) = builder.tempfile_in(folder)?.into_parts();
        under_way().insert(beside.to_path_buf());
        Ok(Self { path: path.to_owned(), file, beside: Some((beside, place)), failed })
    }

    pub(crate) fn writer(&self) -> io::Result<OutputWriter> {
        Ok(OutputWriter { inner: BufWriter::new(self.file.try_clone()?), failed: Arc::clone(&self.failed) })
    }

    /// What writing to the file really failed on, where that is why something else failed.
    pub(crate) fn cause(&self, error: anyhow::Error) -> anyhow::Error {
        self.check().err().map_or(error, anyhow::Error::from)
    }

    /// Whether all was written. Every writer has to be gone.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    /// Lets the file take its name, which it returns. Every writer has to be gone.
    pub(crate) fn persist(mut self) -> Result<PathBuf> {
        let cannot = || format!("cannot write {}", self.path.display());
        self.check().with_context(cannot)?;
        if let Some((beside, place)) = self.beside.take() {
            let name = beside.to_path_buf();
            let renamed = beside.persist(&place);
            under_way().remove(&name);
            renamed.map_err(|error| error.error).with_context(cannot)?;
        }
        Ok(std::mem::take(&mut self.path))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((beside, _)) = self.beside.take() {
            under_way().remove(&*beside);
        }
    }
}

impl Write for OutputWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        written.inspect_err(|error| self.note(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        flushed.inspect_err(|error| self.note(error))
    }
}

impl OutputWriter {
    fn note(&self, error: &io::Error) {
        let same = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(same);
    }
}

impl Drop for OutputWriter {
    /// What is written last may find the disk full, and whoever drops a writer does not ask.
    fn drop(&mut self) {
        if let Err(error) = self.inner.flush() {
            self.note(&error);
        }
    }
}

/// Writes bytes to a file, all or none.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let output = Output::create(path).with_context(cannot)?;
    output.writer().and_then(|mut writer| writer.write_all(bytes)).with_context(cannot)?;
    output.persist().map(drop)
}

/// Takes files under way away when the process is told to stop, then stops as it would have.
fn remove_when_stopped() {
    static STARTED: Once = Once::new();
    #[cfg(unix)]
    STARTED.call_once(|| {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
        // Without it the files under way stay behind, and nothing else is lost.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM, SIGXFSZ]) else { return };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if signal == SIGXFSZ {
                    // A file too large: the write that made it so fails, and says so.
                    continue;
                }
                under_way().iter().for_each(|path| drop(fs::remove_file(path)));
                let _stopped = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
    });
    #[cfg(not(unix))]
    STARTED.call_once(|| {});
}

/// Refuses outputs that would overwrite an input or each other. Each comes with what the user calls it.
pub(crate) fn check(outputs: &[(&str, Option<&Path>)], inputs: &[(&str, &Path)]) -> Result<()> {
    let outputs: Vec<(&str, &Path, PathBuf)> =
        outputs.iter().filter_map(|&(what, path)| Some((what, path?, place(path?)))).collect();
    for (i, (what, path, at)) in outputs.iter().enumerate() {
        if fs::metadata(at).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            // A terminal or a pipe takes whatever comes.
            continue;
        }
        if let Some((input, read)) = inputs.iter().find(|(_, read)| place(read) == *at) {
            bail!("{what} {} would overwrite {input} {}; expected another name", path.display(), read.display());
        }
        if let Some((other, _, _)) = outputs[..i].iter().find(|(.., other)| other == at) {
            bail!("{what} {} is the file of {other}, too; expected another name", path.display());
        }
    }
    Ok(())
}

/// Where a name leads, whether or not the file is there yet.
fn place(path: &Path) -> PathBuf {
    if let Ok(place) = fs::canonicalize(path) {
        return place;
    }
    let (folder, name) = (path.parent(), path.file_name());
    let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    match (folder.and_then(|folder| fs::canonicalize(folder).ok()), name) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/out.csv");
        let names = || fs::read_dir(path.parent().unwrap()).unwrap().count();
        write(&path, b"yesterday").unwrap();
        {
            let output = Output::create(&path).unwrap();
            output.writer().unwrap().write_all(b"half of tod").unwrap();
            assert_eq!(names(), 2);
        }
        assert_eq!((fs::read(&path).unwrap(), names()), (b"yesterday".to_vec(), 1));
        write(&path, b"today").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"today".to_vec(), 1));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.csv"), folder.path().join("link.csv"));
        fs::write(&real, "yesterday").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, b"today").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"today");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn inputs_and_other_outputs_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.csv");
        fs::write(&input, "").unwrap();
        let odd = folder.path().join("./sub/../in.csv");
        fs::create_dir(folder.path().join("sub")).unwrap();
        let (one, other) = (folder.path().join("sub/new.csv"), folder.path().join("sub/../sub/new.csv"));
        let check = |outputs: &[(&str, Option<&Path>)]| {
            check(outputs, &[("the input", &input)]).map_err(|error| error.to_string())
        };
        assert!(check(&[("--out", Some(&odd))]).is_err_and(|error| error.contains("would overwrite the input")));
        let same = check(&[("--out", Some(&one)), ("--scores", Some(&other))]);
        assert!(same.is_err_and(|error| error.contains("is the file of --out, too")));
        assert_eq!(check(&[("--out", Some(&one)), ("--scores", None)]), Ok(()));
        #[cfg(unix)]
        {
            let null = Path::new("/dev/null");
            assert_eq!(check(&[("--out", Some(null)), ("--scores", Some(null))]), Ok(()));
        }
    }
}
