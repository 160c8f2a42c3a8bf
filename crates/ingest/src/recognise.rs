//! Which feed a file is of, and how it is read: the one way from an opened file to a plan. `shape` says what the file
//! holds. `text`, `workbook`, `objects`, `table` and `document` look for candidates, by `fit` and `header`: presets, each
//! with the plan of its rows and with what that rests on. One is left, or the file is refused. `bind` completes its plan by
//! what the user says, and by what `sniff` makes out of how the columns are written.

mod bind;
mod document;
mod fit;
mod head;
mod header;
mod near;
mod objects;
mod shape;
mod signature;
mod sniff;
mod table;
mod text;
mod workbook;

use std::path::Path;

use crate::Options;
use crate::csv::Dialect;
use crate::error::Error;
use crate::formats::Document;
use crate::input::{Compression, Input, gather};
use crate::json::Objects;
use crate::parquet;
use crate::plan::{Mapped, Plan};
use crate::preset::Preset;
pub(crate) use head::{DELIMITERS, Head, text_head};
use shape::Shape;
pub use signature::Signature;
pub(crate) use sniff::ways;

/// What a file was recognised as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recognition {
    /// Name of the feed.
    pub feed: String,
    /// What the feed is, in a few words.
    pub title: String,
    /// What that rests on; [`Signature::confidence`] is a number of it.
    pub signature: Signature,
    /// How it was recognised, and what was sniffed.
    pub why: String,
    /// Which column becomes what, and how.
    pub mapping: Vec<Mapped>,
    /// The file's columns, in order; positions for names where it has no header.
    pub columns: Vec<String>,
    /// What parts the fields of a text; nothing for other tables and for statements.
    pub delimiter: Option<char>,
    /// What the file is wrapped in.
    pub compression: Option<Compression>,
}

/// Which feed a file is of, without reading its rows.
///
/// # Errors
/// [`Error`] where the file cannot be read, no preset fits it or more than one does, or the mapping or feed asked for
/// does not fit it.
pub fn recognise(path: &Path, options: &Options) -> Result<Recognition, Error> {
    let mut gathered = gather(&[path.to_owned()]);
    let found = match (gathered.inputs.as_slice(), gathered.errors.pop()) {
        ([input], None) => find(input, options)?,
        (_, Some(error)) => return Err(error),
        (inputs, None) => {
            let reason = format!("it stands for {} files; expected one", inputs.len());
            return Err(Error::Refused { path: path.to_owned(), reason });
        }
    };
    Ok(found.recognition())
}

/// A file ready to be read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) preset: Preset,
    pub(crate) plan: Plan,
    pub(crate) layout: Layout,
    pub(crate) signature: Signature,
    pub(crate) why: String,
    /// What was read otherwise than the feed says, where that may be wrong.
    pub(crate) warnings: Vec<String>,
    compression: Option<Compression>,
}

impl Found {
    /// The same for people.
    pub(crate) fn recognition(&self) -> Recognition {
        Recognition {
            feed: self.preset.name().to_owned(),
            title: self.preset.title().to_owned(),
            signature: self.signature,
            why: self.why.clone(),
            mapping: self.plan.described(&self.preset),
            columns: self.plan.columns.clone(),
            delimiter: match self.layout {
                Layout::Text { dialect, written: None, .. } => Some(char::from(dialect.delimiter)),
                _ => None,
            },
            compression: self.compression,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Layout {
    Text {
        dialect: Dialect,
        /// Bytes and lines before the first row.
        skip: u64,
        skip_lines: u64,
        /// The encoding of the beginning, where it is not UTF-8.
        encoding: Option<&'static str>,
        /// The text, where it is not the file's own but was written of it.
        written: Option<Input>,
    },
    Objects(Objects),
    Parquet(parquet::Table),
    Document(Document),
}

/// Recognises a file: what it holds, whose it is, and the plan that its rows are read by.
pub(crate) fn find(input: &Input, options: &Options) -> Result<Found, Error> {
    match shape::of(input, options)? {
        Shape::Table(kind) => table::find(input, options, kind),
        Shape::Workbook => workbook::find(input, options),
        Shape::Document(seen, compression) => document::find(input, options, seen, compression),
        Shape::Objects(compression) => objects::find(input, options, compression),
        Shape::Text(head, compression) => text::find(input, options, &head, compression),
    }
}

fn unknown(options: &Options, name: &str) -> Error {
    Error::UnknownFeed {
        name: name.to_owned(),
        known: options.presets.iter().map(|preset| preset.name().to_owned()).collect(),
    }
}
