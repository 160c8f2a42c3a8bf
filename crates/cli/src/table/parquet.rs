use std::fs::File;
use std::path::Path;

use crible_score::encode;
use polars_core::prelude::{Column, DataType};
use polars_io::SerReader;
use polars_io::parquet::read::ParquetReader;

use super::{Columns, TableError, form};

pub(super) fn read(path: &Path) -> Result<Columns, TableError> {
    let file = File::open(path).map_err(|source| TableError::Io { path: path.to_owned(), source })?;
    let frame = ParquetReader::new(file).finish().map_err(|error| form(path, error.to_string()))?;
    let cells = |column: Column| {
        let name = column.name().to_string();
        let unread = |error: polars_core::error::PolarsError| form(path, format!("column `{name}`: {error}"));
        let kind = column.dtype();
        let cells = if kind.is_primitive_numeric() || kind.is_bool() || kind.is_decimal() {
            let numbers = column.cast(&DataType::Float64).map_err(unread)?;
            let numbers = numbers.f64().map_err(unread)?;
            encode::Column::Numbers(numbers.iter().map(|x| x.unwrap_or(f64::NAN)).collect())
        } else {
            let words = column.cast(&DataType::String).map_err(unread)?;
            let words = words.str().map_err(unread)?;
            encode::Column::Words(words.iter().map(|word| word.map(str::to_owned)).collect())
        };
        Ok((name, cells))
    };
    frame.into_columns().into_iter().map(cells).collect()
}
