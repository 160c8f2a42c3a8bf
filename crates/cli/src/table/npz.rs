use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use crible_score::encode::Column;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::npy::Npy;
use super::{Columns, LABEL, TableError, form};

/// Names of the matrix and of the labels: those scikit-learn and the public collections of outlier sets use.
const MATRIX: &str = "X";
const LABELS: [&str; 2] = ["y", "label"];

/// Reads a NumPy archive: a matrix `X`, rows × columns, and labels `y`, where there are any.
pub(super) fn read(path: &Path) -> Result<Columns, TableError> {
    let file = File::open(path).map_err(|source| TableError::Io { path: path.to_owned(), source })?;
    let no_archive = |error: zip::result::ZipError| form(path, format!("not a NumPy archive: {error}"));
    let mut archive = ZipArchive::new(file).map_err(no_archive)?;
    let names = archive.file_names().map(|name| name.map(Cow::into_owned));
    let mut names: Vec<String> = names.collect::<Result<_, _>>().map_err(no_archive)?;
    for name in &mut names {
        let bare = name.strip_suffix(".npy").unwrap_or(name).len();
        name.truncate(bare);
    }
    let place = |name: &str| names.iter().position(|known| known == name);
    let Some(at) = place(MATRIX) else {
        return Err(form(path, format!("it has no array `X`, rows × columns, but {}", names.join(", "))));
    };
    let matrix = open(&mut archive, at, MATRIX, path)?;
    let &[n_rows, n_columns] = matrix.shape() else {
        return Err(form(path, "the array `X` has not two dimensions, rows × columns"));
    };
    if n_rows == 0 {
        return Err(form(path, "there is no row"));
    }
    let numbers = matrix.columns(n_rows, n_columns).map_err(|fault| form(path, format!("the array `X` {fault}")))?;
    let named = |(i, column)| (format!("x{i}"), Column::Numbers(column));
    let mut columns: Columns = numbers.into_iter().enumerate().map(named).collect();
    if let Some((name, at)) = LABELS.into_iter().find_map(|name| Some((name, place(name)?))) {
        let labels = open(&mut archive, at, name, path)?;
        // A column of one is a vector too.
        let labels = labels.flat().map_err(|fault| form(path, format!("the array `{name}` {fault}")))?;
        if labels.len() != n_rows {
            let reason = format!("`{name}` has {} labels: expected {n_rows}, one a row of `X`", labels.len());
            return Err(form(path, reason));
        }
        columns.push((LABEL.to_owned(), Column::Numbers(labels)));
    }
    Ok(columns)
}

fn open<'a>(
    archive: &'a mut ZipArchive<File>,
    at: usize,
    name: &str,
    path: &Path,
) -> Result<Npy<ZipFile<'a, File>>, TableError> {
    let entry =
        archive.by_index(at).map_err(|error| form(path, format!("the array `{name}` cannot be read: {error}")))?;
    let size = entry.size();
    Npy::open(entry, size).map_err(|fault| form(path, format!("the array `{name}` {fault}")))
}
