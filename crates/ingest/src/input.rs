//! Opening inputs: files, pipes, and what compression wraps them.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

/// One input. What is no regular file (a pipe) is read into memory, since inputs are read more than once: to find the
/// key, to recognise the feed, and for the rows.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    held: Option<Arc<[u8]>>,
    pub(crate) bytes: u64,
}

impl Input {
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let meta = std::fs::metadata(path)?;
        if meta.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; expected a file"));
        }
        if meta.is_file() {
            // Opened here already, so that a file nobody may read is found before any work is done.
            File::open(path)?;
            return Ok(Self { path: path.to_owned(), held: None, bytes: meta.len() });
        }
        let mut held = Vec::new();
        File::open(path)?.read_to_end(&mut held)?;
        Ok(Self { path: path.to_owned(), bytes: held.len() as u64, held: Some(held.into()) })
    }

    /// What was made of a file; it goes by the file's name.
    pub(crate) fn made(path: &Path, bytes: Vec<u8>) -> Self {
        Self { path: path.to_owned(), bytes: bytes.len() as u64, held: Some(bytes.into()) }
    }

    /// The bytes as they are stored.
    pub(crate) fn raw(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.held {
            Some(held) => Box::new(Cursor::new(held.clone())),
            None => Box::new(File::open(&self.path)?),
        })
    }

    /// The bytes of a pipe, where it is one.
    #[cfg_attr(not(feature = "polars"), expect(dead_code, reason = "only Parquet is read from where it lies"))]
    pub(crate) fn held(&self) -> Option<&Arc<[u8]>> {
        self.held.as_ref()
    }

    /// The text inside, compression taken off; `counter` follows the stored bytes read.
    pub(crate) fn text(&self, counter: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let mut raw = Counting { inner: self.raw()?, counter };
        let mut magic = [0; 4];
        let mut held = 0;
        while held < magic.len() {
            match raw.read(&mut magic[held..])? {
                0 => break,
                read => held += read,
            }
        }
        let whole = Cursor::new(magic[..held].to_vec()).chain(raw);
        Ok(match Compression::of(&magic[..held]) {
            None => Box::new(whole),
            Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(1 << 17, whole))),
            Some(Compression::Zstandard) => Box::new(zstd::stream::read::Decoder::new(whole)?),
        })
    }
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
