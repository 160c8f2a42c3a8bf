//! What kind of thing a file holds, by what is in it and not by what it is called.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::head::{self, Head};
use super::{Signature, objects};
use crate::Options;
use crate::error::Error;
use crate::formats::{self, Format};
use crate::input::{Compression, Input, Wrapped, kind};
use crate::parquet;
use crate::workbook;

/// What a file holds.
pub(super) enum Shape {
    /// A table of typed columns.
    Table(parquet::Kind),
    Workbook,
    /// A statement or messages, read by a format of its own.
    Document(Seen, Option<Compression>),
    /// JSON.
    Objects(Option<Compression>),
    /// A table of text.
    Text(Box<Head>, Option<Compression>),
}

/// A format, and what it was known by.
pub(super) type Seen = (&'static dyn Format, Signature, String);

/// What a file holds; what is nothing that can be read is refused and named.
pub(super) fn of(input: &Input, options: &Options) -> Result<Shape, Error> {
    let io = |source| Error::Io { path: input.path.clone(), source };
    let magic = input.magic(16).map_err(io)?;
    workbook::refuse_old(&input.path, &magic)?;
    kind::refuse(&input.path, &magic)?;
    if let Some(kind) = parquet::Kind::of(input, &magic)? {
        return Ok(Shape::Table(kind));
    }
    if magic.starts_with(b"PK") && input.seekable()?.is_workbook() {
        return Ok(Shape::Workbook);
    }
    // What stands alone is taken apart before; only a member of an archive comes here.
    if Wrapped::begins(&magic) {
        let reason = "it is a zip archive within another; expected an archive of files that are none".to_owned();
        return Err(Error::Refused { path: input.path.clone(), reason });
    }
    let compression = Compression::of(&magic);
    if let Some(seen) = format(input, options)? {
        return Ok(Shape::Document(seen, compression));
    }
    if objects::is_json(input) {
        return Ok(Shape::Objects(compression));
    }
    let head = head::read(input)?;
    if let Some(what) = kind::of_text(&String::from_utf8_lossy(&head.bytes[..head.bytes.len().min(4_096)])) {
        return Err(Error::Refused { path: input.path.clone(), reason: format!("it is {what}") });
    }
    Ok(Shape::Text(Box::new(head), compression))
}

/// The format of a file that is no table: the one the user named, or the one it begins like.
fn format(input: &Input, options: &Options) -> Result<Option<Seen>, Error> {
    if options.map.is_some() {
        return Ok(None);
    }
    if let Some(name) = &options.feed {
        let format = options.presets.get(name).and_then(|preset| preset.format);
        return Ok(format.map(|format| (format, Signature::Named, "feed named by the user".to_owned())));
    }
    let io = |source| Error::Io { path: input.path.clone(), source };
    let mut bytes = Vec::new();
    let text = input.text(Arc::new(AtomicU64::new(0))).map_err(io)?;
    // A file that breaks off is told of where its rows are read.
    let _ = text.take(1 << 16).read_to_end(&mut bytes);
    // A user may have put a preset of his own in the place of a format's.
    let format = formats::of(&bytes)
        .filter(|format| options.presets.get(format.name()).is_some_and(|preset| preset.format.is_some()));
    Ok(format.map(|format| {
        (format, Signature::Exact, format!("it begins like {}: {}", format.name(), format.recognised_by()))
    }))
}
