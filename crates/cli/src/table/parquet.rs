use std::fs::File;
use std::path::Path;

use crible_score::encode;
use polars_core::prelude::{Column, DataType, PolarsError};
use polars_io::SerReader;
use polars_io::parquet::read::ParquetReader;

use super::{Columns, TableError, form};

/// Reads a table in parts of a few columns: what Polars holds of a part, the file's bytes included, goes before the
/// next.
pub(super) fn read(path: &Path) -> Result<Columns, TableError> {
    const PARTS: usize = 16;
    let fault = |error: PolarsError| form(path, error.to_string());
    let open = || {
        let file = File::open(path).map_err(|source| TableError::Io { path: path.to_owned(), source })?;
        Ok::<_, TableError>(ParquetReader::new(file))
    };
    let mut whole = open()?;
    let n_columns = whole.schema().map_err(fault)?.len();
    let metadata = whole.get_metadata().map_err(fault)?;
    let mut columns = Vec::with_capacity(n_columns);
    // Columns are what Polars reads on several threads.
    let at_once = n_columns.div_ceil(PARTS).max(rayon::current_num_threads());
    for first in (0..n_columns).step_by(at_once) {
        let mut part = open()?;
        part.set_metadata(metadata.clone());
        let chosen = (first..n_columns.min(first + at_once)).collect();
        let frame = part.with_projection(Some(chosen)).finish().map_err(fault)?;
        for column in frame.into_columns() {
            columns.push((column.name().to_string(), cells(path, &column)?));
        }
    }
    Ok(columns)
}

fn cells(path: &Path, column: &Column) -> Result<encode::Column, TableError> {
    let unread = |error: PolarsError| form(path, format!("column `{}`: {error}", column.name()));
    let kind = column.dtype();
    if kind.is_primitive_numeric() || kind.is_bool() || kind.is_decimal() {
        let numbers = column.cast(&DataType::Float64).map_err(unread)?;
        let numbers = numbers.f64().map_err(unread)?;
        Ok(encode::Column::Numbers(numbers.iter().map(|x| x.unwrap_or(f64::NAN)).collect()))
    } else {
        let words = column.cast(&DataType::String).map_err(unread)?;
        let words = words.str().map_err(unread)?;
        Ok(encode::Column::Words(words.iter().map(|word| word.map(str::to_owned)).collect()))
    }
}
