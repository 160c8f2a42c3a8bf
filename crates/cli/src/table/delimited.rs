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
    let first = reader.position().clone();
    let mut columns: Vec<Growing> = names.iter().map(|_| Growing::default()).collect();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.push(cell);
        }
    }
    // Words found late are read from the first on. To keep every number's text in case one follows takes many times
    // the memory that the numbers take.
    let late: Vec<usize> = (0..columns.len()).filter(|&j| matches!(columns[j], Growing::Late)).collect();
    if !late.is_empty() {
        late.iter().for_each(|&j| columns[j] = Growing::Words(Vec::new()));
        reader.seek(first).map_err(fault)?;
        while reader.read_record(&mut record).map_err(fault)? {
            late.iter().for_each(|&j| columns[j].push(&record[j]));
        }
    }
    let finish = |(name, column): (String, Growing)| column.finish(path, &name).map(|cells| (name, cells));
    names.into_iter().zip(columns).map(finish).collect()
}

/// A column that is one of numbers until a cell is none.
enum Growing {
    Numbers {
        numbers: Vec<f64>,
        /// The first cell that is infinite, as it stands, and its row.
        infinite: Option<(usize, String)>,
    },
    Words(Vec<Option<String>>),
    /// A column of words that begins like one of numbers; its cells are not kept.
    Late,
}

impl Default for Growing {
    fn default() -> Self {
        Self::Numbers { numbers: Vec::new(), infinite: None }
    }
}

fn is_empty(cell: &str) -> bool {
    matches!(cell, "" | "NA" | "N/A" | "NaN" | "nan" | "null" | "NULL" | "None")
}

impl Growing {
    fn push(&mut self, cell: &str) {
        match self {
            Self::Numbers { numbers, infinite } => {
                let number = if is_empty(cell) { Ok(f64::NAN) } else { cell.parse::<f64>() };
                match number {
                    Ok(number) => {
                        if number.is_infinite() && infinite.is_none() {
                            *infinite = Some((numbers.len(), cell.to_owned()));
                        }
                        numbers.push(number);
                    }
                    Err(_) if numbers.is_empty() => *self = Self::Words(vec![Some(cell.to_owned())]),
                    Err(_) => *self = Self::Late,
                }
            }
            Self::Words(words) => words.push((!is_empty(cell)).then(|| cell.to_owned())),
            Self::Late => {}
        }
    }

    fn finish(self, path: &Path, name: &str) -> Result<Column, TableError> {
        match self {
            Self::Numbers { infinite: Some((row, text)), .. } => Err(cell(path, row, name, text, FINITE)),
            Self::Numbers { numbers, .. } => Ok(Column::Numbers(numbers)),
            Self::Words(words) => Ok(Column::Words(words)),
            Self::Late => Ok(Column::Words(Vec::new())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_column_may_turn_out_to_be_words_at_any_row() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, "number,early,late,last\n1,a,007,\nNA,2,,1e3\n3,,b,2\n4,c,4.50,x\n").unwrap();
        let words = |words: [&str; 4]| Column::Words(words.map(|w| (!w.is_empty()).then(|| w.to_owned())).to_vec());
        let columns = read(&path).unwrap();
        assert_eq!(
            columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["number", "early", "late", "last"]
        );
        let Column::Numbers(numbers) = &columns[0].1 else { panic!("{columns:?}") };
        assert!(numbers[1].is_nan() && [numbers[0], numbers[2], numbers[3]] == [1.0, 3.0, 4.0]);
        assert_eq!(columns[1].1, words(["a", "2", "", "c"]));
        assert_eq!(columns[2].1, words(["007", "", "b", "4.50"]));
        assert_eq!(columns[3].1, words(["", "1e3", "2", "x"]));
    }
}
