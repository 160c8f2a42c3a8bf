//! Inputs: files, pipes, members of archives, what compression wraps them, and what their text is encoded in.

mod archive;
mod gather;
pub(crate) mod kind;
mod utf8;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use tempfile::TempPath;

use crate::error::Error;
use archive::Member;
pub(crate) use archive::Wrapped;
pub use gather::files;
pub(crate) use gather::{Gathered, gather, gather_bytes};
pub(crate) use utf8::{Heard, older, wide};

/// Of a pipe, what is held in memory; what is longer waits in a temporary file that only its owner may read.
const HELD: u64 = 64 << 20;

/// The most that is held of a file that has to be read here and there and does not lie on a disk as it is.
pub(crate) const MAX_HELD: u64 = 256 << 20;

/// What standard input is shown as.
const STDIN: &str = "<stdin>";

/// One input. Inputs are read more than once (to find the key, to recognise the feed, and for the rows), so what can
/// only be read once is kept.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// The file, or how it is named to people: `<stdin>`, `archive.zip/member.csv`.
    pub(crate) path: PathBuf,
    /// How it may be shown: no two inputs of a run alike.
    pub(crate) shown: Arc<str>,
    stored: Stored,
    member: Option<Member>,
    pub(crate) bytes: u64,
}

/// Where bytes lie.
#[derive(Clone, Debug)]
pub(crate) enum Stored {
    File(PathBuf),
    Memory(Arc<[u8]>),
    /// A temporary file, gone with the last of its users.
    Spooled(Arc<TempPath>),
}

/// What can be read here and there.
pub(crate) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

impl Stored {
    pub(crate) fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(match self {
            Self::Memory(held) => Box::new(Cursor::new(held.clone())),
            Self::File(path) => Box::new(File::open(path)?),
            Self::Spooled(path) => Box::new(File::open(path.as_ref())?),
        })
    }
}

impl Input {
    /// A file or a pipe.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        let meta = std::fs::metadata(path)?;
        if meta.is_file() {
            // Opened here already, so that a file nobody may read is found before any work is done.
            File::open(path)?;
            let stored = Stored::File(path.to_owned());
            return Ok(Self { path: path.to_owned(), shown: shown(path), stored, member: None, bytes: meta.len() });
        }
        Self::pipe(path, File::open(path)?)
    }

    /// What was made of a file; it goes by the file's name.
    pub(crate) fn made(path: &Path, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            shown: shown(path),
            bytes: bytes.len() as u64,
            stored: Stored::Memory(bytes.into()),
            member: None,
        }
    }

    /// What can be read only once.
    fn pipe(path: &Path, mut from: impl Read) -> io::Result<Self> {
        let mut held = Vec::new();
        from.by_ref().take(HELD).read_to_end(&mut held)?;
        let mut bytes = held.len() as u64;
        let stored = if bytes < HELD {
            Stored::Memory(held.into())
        } else {
            let mut file = tempfile::NamedTempFile::new()?;
            io::copy(&mut held.as_slice(), &mut file)?;
            drop(held);
            bytes += io::copy(&mut from, &mut file)?;
            Stored::Spooled(Arc::new(file.into_temp_path()))
        };
        Ok(Self { path: path.to_owned(), shown: shown(path), stored, member: None, bytes })
    }

    /// The bytes as they are stored.
    pub(crate) fn raw(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut stored = self.stored.open()?;
        Ok(match &self.member {
            None => Box::new(stored),
            Some(member) => {
                stored.seek(SeekFrom::Start(member.start))?;
                member.read(stored)
            }
        })
    }

    /// The first bytes as they are stored, as many as there are.
    pub(crate) fn magic(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut magic = Vec::new();
        self.raw()?.take(most).read_to_end(&mut magic)?;
        Ok(magic)
    }

    /// The bytes as something that can be read here and there. What is wrapped is held for it, up to a limit.
    pub(crate) fn seekable(&self) -> Result<Stored, Error> {
        if self.member.is_none() {
            return Ok(self.stored.clone());
        }
        self.hold(MAX_HELD)
    }

    /// The bytes in memory, at most so many.
    fn hold(&self, most: u64) -> Result<Stored, Error> {
        let io = |source| Error::Io { path: self.path.clone(), source };
        let mut held = Vec::new();
        self.raw().map_err(io)?.take(most + 1).read_to_end(&mut held).map_err(io)?;
        if held.len() as u64 > most {
            let reason = format!(
                "it holds more than {} MiB within an archive; expected at most that (unpack the archive to read it)",
                most >> 20
            );
            return Err(Error::Refused { path: self.path.clone(), reason });
        }
        Ok(Stored::Memory(held.into()))
    }

    /// Whether it lies in an archive.
    pub(crate) fn is_member(&self) -> bool {
        self.member.is_some()
    }

    /// A member of an archive as an input of its own, held in memory of at most so many bytes.
    fn unwrapped(&self, most: u64) -> Result<Self, Error> {
        Ok(Self { stored: self.hold(most)?, member: None, ..self.clone() })
    }

    /// Bytes that are in memory for it.
    fn held(&self) -> u64 {
        if let Stored::Memory(held) = &self.stored { held.len() as u64 } else { 0 }
    }

    /// The bytes inside, compression taken off; `counter` follows the stored bytes read.
    pub(crate) fn text(&self, counter: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let mut raw = Counting { inner: self.raw()?, counter };
        let mut magic = Vec::new();
        raw.by_ref().take(4).read_to_end(&mut magic)?;
        let compression = Compression::of(&magic);
        let whole = Cursor::new(magic).chain(raw);
        Ok(match compression {
            None => Box::new(whole),
            Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(1 << 17, whole))),
            Some(Compression::Zstandard) => Box::new(zstd::stream::read::Decoder::new(whole)?),
        })
    }

    /// The text inside as UTF-8, whatever it is encoded in; `heard` is told what that was.
    pub(crate) fn utf8(&self, counter: Arc<AtomicU64>, heard: &Arc<Heard>) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(utf8::Utf8::new(self.text(counter)?, heard.clone())))
    }
}

fn shown(path: &Path) -> Arc<str> {
    crate::mask::shown_path(path).into()
}

/// What a file is wrapped in, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (RFC 1952), of one member or several.
    Gzip,
    /// Zstandard (RFC 8878), of one frame or several.
    Zstandard,
}

impl Compression {
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstandard),
            _ => None,
        }
    }
}

struct Counting<R> {
    inner: R,
    counter: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.counter.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_long_pipe_waits_in_a_file_that_goes_with_it() {
        let length = HELD + 1_000;
        let input = Input::pipe(Path::new(STDIN), io::repeat(b'x').take(length)).unwrap();
        // Nothing of the test holds on to the file besides the input.
        let path = match &input.stored {
            Stored::Spooled(path) => path.to_path_buf(),
            other => panic!("{other:?}"),
        };
        assert_eq!((input.bytes, path.metadata().unwrap().len()), (length, length));
        assert_eq!(io::copy(&mut input.raw().unwrap(), &mut io::sink()).unwrap(), length);
        assert_eq!(io::copy(&mut input.raw().unwrap(), &mut io::sink()).unwrap(), length, "a second time");
        drop(input);
        assert!(!path.exists());
        let short = Input::pipe(Path::new(STDIN), &b"short"[..]).unwrap();
        assert!(matches!(&short.stored, Stored::Memory(held) if **held == *b"short"));
    }
}
