use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::mask::{mask, shown_path};
use crate::preset::PresetError;
use crible_pseudonym::KeyError;

/// Why a file, or a whole run, could not be read. A row that could not be read is a [`crate::Reject`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The list of inputs was empty.
    #[error("no input: expected at least one file of transactions")]
    NoInput,
    /// The operating system would not hand the file out.
    #[error("{}: cannot be read", shown_path(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it, not even a header.
    #[error("{}: the file is empty; expected a header line or transactions", shown_path(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No preset has this header.
    #[error(
        "{}: no known feed has the header `{header}`{}; name the feed with --feed NAME, or the columns with --map",
        shown_path(path),
        Nearest(nearest)
    )]
    Unrecognised {
        /// The file.
        path: PathBuf,
        /// Its first line, clipped.
        header: String,
        /// The presets that come closest, and what differs.
        nearest: Vec<String>,
    },
    /// More than one preset fits.
    #[error("{}: fits more than one feed equally, {}; decide with --feed NAME", shown_path(path), feeds.join(" and "))]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// The presets that fit.
        feeds: Vec<String>,
    },
    /// The header is one of a known feed and of others too, and the rows do not tell them apart.
    #[error("{}: the header is one that {} has, and that exports of others have too; if it is of it, say so with --feed NAME", shown_path(path), feeds.join(" or "))]
    ByName {
        /// The file.
        path: PathBuf,
        /// The feeds it may be of.
        feeds: Vec<String>,
    },
    /// A feed was asked for by a name that no preset has.
    #[error("there is no feed `{name}`; known feeds: {}", known.join(", "))]
    UnknownFeed {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The file lacks a column that the feed or mapping needs.
    #[error(
        "{}: the feed `{feed}` needs the column `{column}`, but the columns are: {}",
        shown_path(path),
        mask(found)
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The feed or mapping.
        feed: String,
        /// The column it needs.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// The file's values do not say how they are meant.
    #[error("{}: column `{column}` does not tell {what}; {hint}", shown_path(path))]
    Undecided {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What could not be made out.
        what: String,
        /// How to say it.
        hint: String,
    },
    /// A file that is not read for what it could do, or for its size.
    #[error("{}: {reason}", shown_path(path))]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
    /// The Parquet reader could not use the file.
    #[error("{}: cannot be read as Parquet: {}", shown_path(path), mask(reason))]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The Arrow reader could not use the file.
    #[error("{}: cannot be read as Arrow: {}", shown_path(path), mask(reason))]
    Arrow {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A preset or mapping is wrong in itself.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// None of several files could be read.
    #[error("none of the {} files could be read: {}", .0.len(), Each(.0))]
    Nothing(Vec<Error>),
}

impl Error {
    /// The file it is about, where it is one file; what it says begins with [`crate::shown_path`] of it.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::Empty { path }
            | Self::Unrecognised { path, .. }
            | Self::Ambiguous { path, .. }
            | Self::ByName { path, .. }
            | Self::MissingColumn { path, .. }
            | Self::Undecided { path, .. }
            | Self::Refused { path, .. }
            | Self::Parquet { path, .. }
            | Self::Arrow { path, .. } => Some(path),
            Self::NoInput | Self::UnknownFeed { .. } | Self::Preset(_) | Self::Key(_) | Self::Nothing(_) => None,
        }
    }
}

struct Nearest<'a>(&'a [String]);

impl fmt::Display for Nearest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str(", and none is near it"),
            near => write!(f, "; nearest: {}", near.join("; ")),
        }
    }
}

struct Each<'a>(&'a [Error]);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// At most 200 characters of bytes that may be anything, masked, for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    clipped(&mask(&head(bytes)))
}

/// The beginning of bytes that may be anything, as text: more of it than is shown, since masking makes it shorter.
pub(crate) fn head(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]);
    text.trim_end_matches(['\r', '\n']).to_owned()
}

/// Bytes of a value that are looked at, for 200 characters of it to be shown.
const HEAD: usize = 4_096;

/// At most 200 characters of a text.
pub(crate) fn clipped(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
