//! Zip archives: each member an input of its own, inflated as it is read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::gather::is_member;
use super::{Input, Stored};
use crate::error::Error;

/// Members that an archive may have.
const MAX_MEMBERS: usize = 10_000;

/// Where a member lies in its archive, and what it has to be.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(super) start: u64,
    packed: u64,
    deflated: bool,
    size: u64,
    crc: u32,
}

impl Member {
    /// What it holds, from its archive read from `start` on.
    pub(super) fn read(&self, archive: impl Read + Send + 'static) -> Box<dyn Read + Send> {
        let packed = io::BufReader::with_capacity(1 << 17, archive.take(self.packed));
        let expect = (self.size, self.crc);
        if self.deflated {
            Box::new(Checked { inner: DeflateDecoder::new(packed), crc: Crc::new(), size: 0, expect })
        } else {
            Box::new(Checked { inner: packed, crc: Crc::new(), size: 0, expect })
        }
    }
}

/// Holds a member to the size and checksum that its archive states.
struct Checked<R> {
    inner: R,
    crc: Crc,
    size: u64,
    expect: (u64, u32),
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let wrong = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        self.size += read as u64;
        self.crc.update(&buffer[..read]);
        if self.size > self.expect.0 {
            return wrong("the archive's member is longer than the archive says");
        }
        if read == 0 && !buffer.is_empty() && (self.size, self.crc.sum()) != self.expect {
            return wrong("the archive's member is not what the archive says: its size or checksum differs");
        }
        Ok(read)
    }
}

/// What a file that begins like a zip archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapped {
    /// A spreadsheet, which is a zip archive by the way it is stored.
    Workbook,
    /// Files of any kind.
    Files,
}

impl Wrapped {
    /// Whether a file begins like a zip archive.
    pub(crate) fn begins(head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
    }
}

/// The inputs that a zip archive holds, in its order, or itself where it is a spreadsheet.
pub(super) fn members(input: Input, notes: &mut Vec<String>) -> Result<Vec<Input>, Error> {
    let path = input.path.clone();
    let refused = |reason: String| Error::Refused { path: path.clone(), reason };
    let stored = input.stored.open().map_err(|source| Error::Io { path: path.clone(), source })?;
    let mut archive =
        ZipArchive::new(stored).map_err(|error| refused(format!("it cannot be read as a zip archive: {error}")))?;
    if wrapped(&archive) == Wrapped::Workbook {
        return Ok(vec![input]);
    }
    if let Some(what) = document(&archive) {
        return Err(refused(format!("it is {what}; expected .xlsx, or a CSV export of its table")));
    }
    if archive.len() > MAX_MEMBERS {
        return Err(refused(format!("it has {} members; expected at most {MAX_MEMBERS}", archive.len())));
    }
    let mut inputs = Vec::new();
    let mut odd = Vec::new();
    for at in 0..archive.len() {
        let file = archive.by_index_raw(at).map_err(|error| refused(format!("member {at}: {error}")))?;
        let name = file.name().map_or_else(|_| format!("member-{at}"), |name| name.into_owned());
        if file.is_dir() {
            continue;
        }
        let shown = shown(&path, &name);
        if !is_member(Path::new(&name)) || file.is_symlink() {
            odd.push(shown);
            continue;
        }
        let deflated = match file.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => return Err(refused(format!("{name} is packed by {other}; expected deflate"))),
        };
        if file.encrypted() {
            return Err(refused(format!("{name} is encrypted; expected files that anyone may read")));
        }
        let start = file.data_start().ok_or_else(|| refused(format!("{name} has no place in it")))?;
        let (packed, size, crc) = (file.compressed_size(), file.size(), file.crc32());
        let member = Member { start, packed, deflated, size, crc };
        let name = crate::mask::shown_path(&shown).into();
        inputs.push(Input {
            path: shown,
            shown: name,
            stored: input.stored.clone(),
            member: Some(member),
            bytes: size,
        });
    }
    super::gather::note(&mut odd, notes);
    if inputs.is_empty() {
        return Err(refused("there is no data file in it".to_owned()));
    }
    Ok(inputs)
}

/// What a member is called: the archive's path and its own within it.
fn shown(archive: &Path, name: &str) -> PathBuf {
    let mut shown = archive.as_os_str().to_owned();
    shown.push("/");
    shown.push(name);
    shown.into()
}

fn wrapped<R: Read + io::Seek>(archive: &ZipArchive<R>) -> Wrapped {
    let has = |name| archive.index_for_name(name).is_some();
    if has("[Content_Types].xml") && has("xl/workbook.xml") { Wrapped::Workbook } else { Wrapped::Files }
}

/// Documents that are stored as zip archives and are not read.
fn document<R: Read + io::Seek>(archive: &ZipArchive<R>) -> Option<&'static str> {
    let has = |name| archive.index_for_name(name).is_some();
    let ends = |ending: &str| archive.file_names().flatten().any(|name| name.ends_with(ending));
    if has("mimetype") && has("content.xml") {
        Some("an OpenDocument file (.ods and the like)")
    } else if ends(".iwa") || has("Index.zip") {
        Some("a document of Numbers, Pages or Keynote")
    } else if has("xl/workbook.bin") {
        Some("a binary workbook (.xlsb)")
    } else if has("word/document.xml") || has("ppt/presentation.xml") {
        Some("a document of Word or PowerPoint")
    } else {
        None
    }
}

impl Stored {
    /// Whether these bytes, which begin like a zip archive, are a spreadsheet.
    pub(crate) fn is_workbook(&self) -> bool {
        let archive = self.open().ok().and_then(|stored| ZipArchive::new(stored).ok());
        archive.is_some_and(|archive| wrapped(&archive) == Wrapped::Workbook)
    }
}
