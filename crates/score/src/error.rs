//! What can go wrong, with the value, the place and what was expected.

use std::fmt;

/// Everything this crate can refuse.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A matrix or a list of scores holds NaN or an infinity. Rows and columns count from 0.
    #[error("row {row}, column {column}: expected a finite number, got {value}")]
    NotFinite {
        /// Row of the first such value.
        row: usize,
        /// Its column.
        column: usize,
        /// The value itself.
        value: f64,
    },
    /// The matrix has another width than the model was fitted on.
    #[error("expected {expected} columns, as in the fit, got {got}")]
    Columns {
        /// Columns of the matrix.
        got: usize,
        /// Columns of the fit.
        expected: usize,
    },
    /// An output slice does not have the length its rows ask for.
    #[error("{what}: expected {expected} values, got {got}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length asked for.
        expected: usize,
    },
    /// There is too little to fit on.
    #[error("{what}: expected at least {needed}, got {got}")]
    TooFew {
        /// What is counted ("rows", "columns", "scores", "members").
        what: &'static str,
        /// How many there were.
        got: usize,
        /// How many it takes.
        needed: usize,
    },
    /// There is more than the detector can address.
    #[error("{what}: expected at most {limit}, got {got}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there were.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A parameter is out of its range. NaN is out of every range.
    #[error("{detector}: parameter `{name}` is {value}, expected {expected}")]
    Parameter {
        /// Detector the parameter belongs to.
        detector: &'static str,
        /// Name of the parameter, as its setter is called.
        name: &'static str,
        /// The value as given.
        value: String,
        /// The range, in words.
        expected: &'static str,
    },
    /// There is no detector of that name.
    #[error("there is no detector `{name}`: expected one of {known}")]
    UnknownDetector {
        /// The name as given.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A detector has no parameter of that name.
    #[error("{detector} has no parameter `{name}`: expected one of {known}")]
    UnknownParameter {
        /// The detector.
        detector: &'static str,
        /// The name as given.
        name: String,
        /// Those it has.
        known: String,
    },
    /// A table does not fit together, or not with the one an encoder was fitted on.
    #[error("column `{column}`: expected {expected}, got {got}")]
    Table {
        /// Name of the column.
        column: String,
        /// What was expected.
        expected: String,
        /// What there is.
        got: String,
    },
    /// Bytes are not a snapshot, or not one this version reads.
    #[error("snapshot: {0}")]
    Snapshot(#[from] SnapshotError),
    /// Every member of an ensemble failed; the members and their errors, in order.
    #[error("no member of the ensemble could be fitted: {}", Listed(.0))]
    NoMember(Vec<(String, Error)>),
    /// An error of linfa itself; its `Fit` trait asks for the conversion.
    #[error("linfa")]
    Linfa(#[from] linfa::Error),
}

impl Error {
    /// Shorthand for [`Error::Parameter`].
    pub fn parameter(
        detector: &'static str,
        name: &'static str,
        value: impl fmt::Display,
        expected: &'static str,
    ) -> Self {
        Self::Parameter { detector, name, value: value.to_string(), expected }
    }

    /// Shorthand for [`Error::Table`].
    pub(crate) fn table(column: &str, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self::Table { column: column.to_owned(), expected: expected.to_string(), got: got.to_string() }
    }
}

/// Why bytes were refused as a [`Snapshot`](crate::Snapshot).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The first bytes are not ours.
    #[error("expected the bytes {expected:02x?} at the start, got {got:02x?}")]
    Magic {
        /// What stood there, at most eight bytes.
        got: Vec<u8>,
        /// What should.
        expected: [u8; 8],
    },
    /// The container's layout is of another version.
    #[error("container format {got}, this version reads {expected}")]
    Format {
        /// Version found.
        got: u16,
        /// Version read.
        expected: u16,
    },
    /// The bytes end early, or go on after the end.
    #[error("expected {expected} bytes, got {got}")]
    Length {
        /// Bytes given.
        got: u64,
        /// Bytes the header announces.
        expected: u64,
    },
    /// The checksum differs: the bytes were damaged.
    #[error("checksum {got:08x}, expected {expected:08x}: the bytes are damaged")]
    Checksum {
        /// CRC-32 of the bytes given.
        got: u32,
        /// CRC-32 stored with them.
        expected: u32,
    },
    /// No model of this name is known.
    #[error("no model is called `{0}`")]
    UnknownModel(String),
    /// The snapshot holds another model than asked for.
    #[error("holds a `{got}`, expected a `{expected}`")]
    Model {
        /// Model in the snapshot.
        got: String,
        /// Model asked for.
        expected: &'static str,
    },
    /// The model's own layout is of another version.
    #[error("`{model}` version {got}, this version reads {expected}")]
    Version {
        /// Name of the model.
        model: &'static str,
        /// Version found.
        got: u32,
        /// Version read.
        expected: u32,
    },
    /// The body cannot be decoded.
    #[error("`{model}`: the body cannot be decoded")]
    Decode {
        /// Name of the model.
        model: &'static str,
        /// The decoder's error.
        #[source]
        source: postcard::Error,
    },
    /// The body decodes to something no fit produces.
    #[error("`{model}`: {what}")]
    Invalid {
        /// Name of the model.
        model: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl SnapshotError {
    /// Shorthand for [`SnapshotError::Invalid`], as an [`Error`].
    pub(crate) fn invalid(model: &'static str, what: impl Into<String>) -> Error {
        Error::Snapshot(Self::Invalid { model, what: what.into() })
    }
}

struct Listed<'a>(&'a [(String, Error)]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, error)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "; " };
            write!(f, "{comma}{name}: {error}")?;
        }
        Ok(())
    }
}
