use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

use crible_score::encode::Column;

use super::{Columns, FINITE, TableError, cell, form};

/// Reads a table with a header; the delimiter is the one the header has most of.
pub(super) fn read(path: &Path) -> Result<Columns, TableError> {
    let io = |source| TableError::Io { path: path.to_owned(), source };
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    let mut head = Vec::new();
    std::io::Read::take(&mut file, 1 << 20).read_until(b'\n', &mut head).map_err(io)?;
    file.rewind().map_err(io)?;
    let count = |delimiter: &u8| head.iter().filter(|byte| *byte == delimiter).count();
    // Of equals the comma.
    let delimiter = b"|\t;,".iter().copied().max_by_key(count).unwrap_or(b',');

    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(file);
    let fault = |error: csv::Error| form(path, error.to_string());
    let header = reader.headers().map_err(fault)?;
    let names: Vec<String> = header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    let mut columns: Vec<Growing> = names.iter().map(|_| Growing::default()).collect();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.push(cell);
        }
    }
    let finish = |(name, column): (String, Growing)| column.finish(path, &name).map(|cells| (name, cells));
    names.into_iter().zip(columns).map(finish).collect()
}

/// A column that is one of numbers until a cell is none.
#[derive(Default)]
struct Growing {
    numbers: Vec<f64>,
    /// The cells as they stand, from the first on that is no number.
    words: Option<Vec<Option<String>>>,
    /// The cells before it.
    texts: Vec<Box<str>>,
}

fn is_empty(cell: &str) -> bool {
    matches!(cell, "" | "NA" | "N/A" | "NaN" | "nan" | "null" | "NULL" | "None")
}

impl Growing {
    fn push(&mut self, cell: &str) {
        if let Some(words) = &mut self.words {
            words.push((!is_empty(cell)).then(|| cell.to_owned()));
            return;
        }
        let number = if is_empty(cell) { Ok(f64::NAN) } else { cell.parse::<f64>() };
        match number {
            Ok(number) => {
                self.numbers.push(number);
                self.texts.push(cell.into());
            }
            Err(_) => {
                let texts = std::mem::take(&mut self.texts);
                let mut words: Vec<Option<String>> =
                    texts.into_iter().map(|text| (!is_empty(&text)).then(|| text.into())).collect();
                words.push(Some(cell.to_owned()));
                self.numbers = Vec::new();
                self.words = Some(words);
            }
        }
    }

    fn finish(self, path: &Path, name: &str) -> Result<Column, TableError> {
        if let Some(words) = self.words {
            return Ok(Column::Words(words));
        }
        if let Some(row) = self.numbers.iter().position(|x| x.is_infinite()) {
            return Err(cell(path, row, name, &self.texts[row], FINITE));
        }
        Ok(Column::Numbers(self.numbers))
    }
}
