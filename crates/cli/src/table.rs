//! Tables of any kind, for detectors rather than for feeds: Parquet, CSV and NumPy archives.

mod delimited;
mod npy;
mod npz;
mod parquet;

use std::path::{Path, PathBuf};

use crible_score::encode::{self, Column};

/// A table, its label set apart.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) path: PathBuf,
    pub(crate) inputs: encode::Table,
    /// The column `label` (or `y` of an archive), where there is one; never an input.
    anomalies: Option<Vec<bool>>,
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: {reason}", path.display())]
    Form { path: PathBuf, reason: String },
    /// A cell that does not fit; `row` counts from 0 below the header.
    #[error("{}: row {row}, column `{column}`: expected {expected}, got `{value}`", path.display())]
    Cell { path: PathBuf, row: usize, column: String, value: String, expected: &'static str },
    /// What the columns are put together from does not fit together.
    #[error("{}: {source}", path.display())]
    Columns { path: PathBuf, source: crible_score::Error },
}

/// The column that says which rows are anomalies.
const LABEL: &str = "label";

const A_LABEL: &str = "a label, 1 or 0, or true or false";
const FINITE: &str = "a finite number, or an empty cell";

impl Table {
    /// Reads a file by its ending.
    pub(crate) fn read(path: &Path) -> Result<Self, TableError> {
        let columns = match path.extension().and_then(|e| e.to_str()) {
            Some("parquet") => parquet::read(path)?,
            Some("csv" | "tsv" | "psv" | "txt") => delimited::read(path)?,
            Some("npz") => npz::read(path)?,
            _ => return Err(form(path, "expected a file ending in .parquet, .csv, .tsv, .psv, .txt or .npz")),
        };
        let mut anomalies = None;
        let mut inputs = Vec::with_capacity(columns.len());
        for (name, column) in columns {
            if name == LABEL {
                anomalies = Some(labels(path, &column)?);
                continue;
            }
            if let Column::Numbers(numbers) = &column
                && let Some(row) = numbers.iter().position(|x| x.is_infinite())
            {
                return Err(cell(path, row, &name, numbers[row], FINITE));
            }
            inputs.push((name, column));
        }
        if inputs.is_empty() {
            return Err(form(path, "there is no column besides the label"));
        }
        let whole = encode::Table::new(inputs);
        let inputs = whole.map_err(|source| TableError::Columns { path: path.to_owned(), source })?;
        if inputs.n_rows() == 0 {
            return Err(form(path, "there is no row"));
        }
        Ok(Self { path: path.to_owned(), inputs, anomalies })
    }

    /// What the file is called, without its ending.
    pub(crate) fn name(&self) -> String {
        self.path.file_stem().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// What detectors are measured by: the inputs, and labels that call some rows anomalies and some not.
    pub(crate) fn labelled(self) -> Result<(encode::Table, Vec<bool>), TableError> {
        let Some(anomalies) = self.anomalies else {
            return Err(form(&self.path, "there is no column `label`"));
        };
        match anomalies.iter().filter(|&&anomaly| anomaly).count() {
            0 => Err(form(&self.path, "no row is labelled as an anomaly")),
            n if n == anomalies.len() => Err(form(&self.path, "every row is labelled as an anomaly")),
            _ => Ok((self.inputs, anomalies)),
        }
    }
}

type Columns = Vec<(String, Column)>;

fn form(path: &Path, reason: impl Into<String>) -> TableError {
    TableError::Form { path: path.to_owned(), reason: reason.into() }
}

fn cell(path: &Path, row: usize, column: &str, value: impl ToString, expected: &'static str) -> TableError {
    TableError::Cell { path: path.to_owned(), row, column: column.to_owned(), value: value.to_string(), expected }
}

fn labels(path: &Path, column: &Column) -> Result<Vec<bool>, TableError> {
    let number = |(row, &x): (usize, &f64)| match x {
        0.0 => Ok(false),
        1.0 => Ok(true),
        other => Err(cell(path, row, LABEL, if other.is_nan() { String::new() } else { other.to_string() }, A_LABEL)),
    };
    let word = |(row, word): (usize, &Option<String>)| match word.as_deref() {
        Some("1" | "true" | "True" | "TRUE") => Ok(true),
        Some("0" | "false" | "False" | "FALSE") => Ok(false),
        other => Err(cell(path, row, LABEL, other.unwrap_or_default(), A_LABEL)),
    };
    match column {
        Column::Numbers(numbers) => numbers.iter().enumerate().map(number).collect(),
        Column::Words(words) => words.iter().enumerate().map(word).collect(),
    }
}
