use std::fs::File;
use std::path::Path;

use crible_score::encode::Column;
use ndarray::{Array1, Array2, ArrayD};
use ndarray_npy::{NpzReader, ReadNpzError, ReadableElement};

use super::{Columns, LABEL, TableError, form};

/// Names of the matrix and of the labels: those scikit-learn and the public collections of outlier sets use.
const MATRIX: &str = "X";
const LABELS: [&str; 2] = ["y", "label"];

/// Reads a NumPy archive: a matrix `X`, rows × columns, and labels `y`, where there are any.
pub(super) fn read(path: &Path) -> Result<Columns, TableError> {
    let file = File::open(path).map_err(|source| TableError::Io { path: path.to_owned(), source })?;
    let mut archive = NpzReader::new(file).map_err(|error| form(path, format!("not a NumPy archive: {error}")))?;
    let names = archive.names().map_err(|error| form(path, error.to_string()))?;
    let has = |name: &str| names.iter().any(|n| n.trim_end_matches(".npy") == name);
    if !has(MATRIX) {
        return Err(form(path, format!("it has no array `X`, rows × columns, but {}", names.join(", "))));
    }
    let matrix = numbers(&mut archive, MATRIX, path)?;
    let matrix: Array2<f64> =
        matrix.into_dimensionality().map_err(|_| form(path, "the array `X` has not two dimensions, rows × columns"))?;
    let mut columns = Vec::with_capacity(matrix.ncols() + 1);
    for (i, column) in matrix.columns().into_iter().enumerate() {
        columns.push((format!("x{i}"), Column::Numbers(column.to_vec())));
    }
    if let Some(name) = LABELS.into_iter().find(|name| has(name)) {
        let labels = numbers(&mut archive, name, path)?;
        // A column of one is a vector too.
        let labels = Array1::from_iter(labels);
        if labels.len() != matrix.nrows() {
            let reason = format!("`{name}` has {} labels: expected {}, one a row of `X`", labels.len(), matrix.nrows());
            return Err(form(path, reason));
        }
        columns.push((LABEL.to_owned(), Column::Numbers(labels.to_vec())));
    }
    Ok(columns)
}

/// An array of any type of number.
fn numbers(archive: &mut NpzReader<File>, name: &str, path: &Path) -> Result<ArrayD<f64>, TableError> {
    let mut reasons = Vec::new();
    macro_rules! attempt {
        ($($kind:ty: $convert:expr;)*) => {$(
            match array::<$kind>(archive, name) {
                Ok(array) => return Ok(array.mapv($convert)),
                Err(error) => reasons.push(error.to_string()),
            }
        )*};
    }
    attempt! {
        f64: |x| x;
        f32: f64::from;
        i64: |x| x as f64;
        i32: f64::from;
        u8: f64::from;
        i8: f64::from;
        i16: f64::from;
        u16: f64::from;
        u32: f64::from;
        u64: |x| x as f64;
        bool: |x| f64::from(u8::from(x));
    }
    let reason = reasons.first().map_or("", String::as_str);
    Err(form(path, format!("the array `{name}` is not one of numbers: {reason}")))
}

fn array<T: ReadableElement>(archive: &mut NpzReader<File>, name: &str) -> Result<ArrayD<T>, ReadNpzError> {
    archive.by_name(&format!("{name}.npy")).or_else(|_| archive.by_name(name))
}
