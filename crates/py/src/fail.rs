//! From what goes wrong below to the exceptions that a Python user expects.

use std::any::Any;
use std::io;
use std::path::Path;

use crible_ingest::{KeyError, PresetError, Reject};
use crible_run::BadSetting;
use crible_score::error::SnapshotError;
use pyo3::exceptions::{PyException, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::{create_exception, intern};

create_exception!(
    crible,
    CribleError,
    PyException,
    "What Crible cannot do. `file`, `line`, `column` and `value` say where, each `None` where it is not known."
);
create_exception!(crible, InternalError, CribleError, "A fault of Crible's own. Please report it, with the text.");

/// Why work ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller no longer waits.
    Stopped,
    /// A value that makes no sense.
    Value(String),
    /// Something else that was asked for and cannot be had.
    Other(String),
    /// No row of the files could be used.
    Unusable {
        text: String,
        first: Option<Box<Reject>>,
    },
    Setting(BadSetting),
    Ingest(crible_ingest::Error),
    Engine(crible::Error),
    Score(crible_score::Error),
    Io(io::Error),
    Python(PyErr),
}

macro_rules! from {
    ($($variant:ident: $of:ty),*) => {$(
        impl From<$of> for Failure {
            fn from(error: $of) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}
from!(
    Setting: BadSetting,
    Ingest: crible_ingest::Error,
    Engine: crible::Error,
    Score: crible_score::Error,
    Io: io::Error,
    Python: PyErr
);

/// A value that makes no sense, in the words of whoever refused it.
pub(crate) fn value(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// An error and what caused it, on one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Where something went wrong.
#[derive(Default)]
struct Place<'a> {
    file: Option<&'a Path>,
    line: Option<u64>,
    column: Option<&'a str>,
    value: Option<&'a str>,
}

fn placed(py: Python<'_>, text: String, place: Place<'_>) -> PyErr {
    let error = CribleError::new_err(text);
    let instance = error.value(py);
    let file = place.file.map(|file| file.to_string_lossy().into_owned());
    let set = instance
        .setattr(intern!(py, "file"), file)
        .and_then(|()| instance.setattr(intern!(py, "line"), place.line))
        .and_then(|()| instance.setattr(intern!(py, "column"), place.column))
        .and_then(|()| instance.setattr(intern!(py, "value"), place.value));
    set.map_or_else(|failed| failed, |()| error)
}

/// An error of the system as Python has it: `FileNotFoundError` and the others by their numbers.
fn system(error: &io::Error, path: Option<&Path>) -> PyErr {
    let text = error.to_string();
    // Python writes the number itself.
    let text = text.split(" (os error ").next().unwrap_or_default().to_owned();
    match (error.raw_os_error(), path.map(Path::to_string_lossy)) {
        (Some(number), Some(path)) => PyOSError::new_err((number, text, path.into_owned())),
        (Some(number), None) => PyOSError::new_err((number, text)),
        (None, _) => PyOSError::new_err(text),
    }
}

fn ingest(py: Python<'_>, error: &crible_ingest::Error) -> PyErr {
    use crible_ingest::Error;
    match error {
        Error::Io { path, source } => system(source, Some(path)),
        Error::NoInput | Error::UnknownFeed { .. } => value(error),
        Error::Nothing(all) if all.iter().all(|one| matches!(one, Error::Io { .. })) && !all.is_empty() => {
            ingest(py, &all[0])
        }
        Error::Preset(preset) => setting(py, preset),
        Error::MissingColumn { column, .. } | Error::Undecided { column, .. } => {
            placed(py, told(error), Place { file: error.path(), column: Some(column), ..Place::default() })
        }
        Error::Unrecognised { header, .. } => placed(
            py,
            told(error),
            Place { file: error.path(), line: Some(1), value: Some(header), ..Place::default() },
        ),
        _ => placed(py, told(error), Place { file: error.path(), ..Place::default() }),
    }
}

/// What is wrong with a setting: a file that is not there, or a value.
pub(crate) fn setting(py: Python<'_>, error: &(dyn std::error::Error + Send + Sync + 'static)) -> PyErr {
    let error: &(dyn std::error::Error + 'static) = error;
    if let Some(PresetError::Io { path, source }) = error.downcast_ref() {
        return system(source, Some(path));
    }
    if let Some(KeyError::Unreadable { path, source }) = error.downcast_ref() {
        return system(source, Some(path));
    }
    if let Some(PresetError::Value { value, key, .. }) = error.downcast_ref() {
        return placed(py, told(error), Place { column: Some(key), value: Some(value), ..Place::default() });
    }
    value(told(error))
}

fn score(error: &crible_score::Error) -> PyErr {
    match error {
        crible_score::Error::Snapshot(snapshot) => bytes(snapshot),
        _ => value(told(error)),
    }
}

fn bytes(error: &SnapshotError) -> PyErr {
    CribleError::new_err(format!("this is no saved detector: {}", told(error)))
}

fn engine(error: &crible::Error) -> PyErr {
    use crible::Error;
    match error {
        Error::TooFew { .. } | Error::DetectorCount { .. } | Error::Config(_) => value(told(error)),
        Error::Score(error) => score(error),
        _ => CribleError::new_err(told(error)),
    }
}

impl Failure {
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            // Whoever stopped it has another error in hand.
            Self::Stopped => CribleError::new_err("the work was stopped"),
            Self::Value(text) => PyValueError::new_err(text),
            Self::Other(text) => CribleError::new_err(text),
            Self::Unusable { text, first } => {
                let place = first.as_ref().map(|reject| Place {
                    file: Some(&reject.file),
                    line: Some(reject.line),
                    column: Some(&reject.column),
                    value: Some(&reject.value),
                });
                placed(py, text, place.unwrap_or_default())
            }
            Self::Setting(wrong) => {
                let cause = setting(py, wrong.source.as_ref());
                let text = format!("{}: {}", wrong.setting, cause.value(py));
                if cause.is_instance_of::<PyOSError>(py) { cause } else { PyErr::from_type(cause.get_type(py), text) }
            }
            Self::Ingest(error) => ingest(py, &error),
            Self::Engine(error) => engine(&error),
            Self::Score(error) => score(&error),
            Self::Io(error) => system(&error, None),
            Self::Python(error) => error,
        }
    }
}

/// What a panic said, as an exception that asks for a report.
pub(crate) fn panicked(payload: &(dyn Any + Send)) -> PyErr {
    let said = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let said = said.unwrap_or("no text");
    InternalError::new_err(format!(
        "a fault of Crible's own: {said}. Please report it, with what you did, at {}/issues",
        env!("CARGO_PKG_REPOSITORY")
    ))
}
