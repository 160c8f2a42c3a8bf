//! XLSX workbooks. A sheet is written out as delimited text and then goes the way of every CSV: the same headers, lines
//! above them, sniffing, rejects. A line is a row of the sheet, since fields and rows are parted by control characters
//! that XML does not have.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, Xlsx, XlsxError};
use chrono::NaiveDate;
use zip::ZipArchive;

use crate::error::Error;
use crate::input::{Input, MAX_HELD, ReadSeek, Stored};
use crate::plan::Plan;
use crate::preset::{Preset, Style};
use crate::value::number;

/// What parts fields and rows of the text.
pub(crate) const DELIMITER: u8 = 0x1f;
pub(crate) const TERMINATOR: u8 = 0x1e;

/// The most that one sheet's XML may unpack to; it is read as a stream.
const MAX_SHEET: u64 = 512 << 20;
/// Where the number of shared strings has to be stated.
const STATED: u64 = 64 << 10;

/// A workbook that is not made to take memory away.
pub(crate) struct Workbook {
    path: PathBuf,
    stored: Stored,
    /// Names of its sheets of cells.
    pub(crate) sheets: Vec<String>,
}

/// How a sheet is written out once it is known what its columns are.
struct Columns {
    width: usize,
    money: Vec<usize>,
    comma: bool,
    /// The pattern that the feed's CSV writes a date in, where it has one of its own.
    date: Option<String>,
}

/// How a feed's CSV writes a date: the part of its first pattern that has no time of day in it.
fn date_pattern(preset: &Preset) -> Option<String> {
    let pattern = preset.time.formats.first().filter(|format| format.contains('%'))?;
    let date = pattern.split(' ').find(|part| part.contains("%d") && part.contains("%m"))?;
    // A pattern of a date and a time in one column is no date's.
    (date == pattern || !preset.time.columns.is_empty()).then(|| date.to_owned())
}

impl Workbook {
    pub(crate) fn open(input: &Input) -> Result<Self, Error> {
        let mut workbook = Self { path: input.path.clone(), stored: input.seekable()?, sheets: Vec::new() };
        workbook.check()?;
        workbook.sheets = workbook.guarded(|_, xlsx| {
            let sheets = xlsx.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
            Ok(sheets.map(|sheet| sheet.name.clone()).collect())
        })?;
        Ok(workbook)
    }

    fn refused(&self, reason: String) -> Error {
        Error::Refused { path: self.path.clone(), reason }
    }

    /// Refuses what unpacks to more than is good. The sizes are those that the archive states; what is longer than it
    /// states breaks off there.
    fn check(&self) -> Result<(), Error> {
        let stored = self.stored.open().map_err(|source| Error::Io { path: self.path.clone(), source })?;
        let mut archive =
            ZipArchive::new(stored).map_err(|error| self.refused(format!("it is no workbook: {error}")))?;
        let mut parts = 0;
        for at in 0..archive.len() {
            let part = archive.by_index_raw(at).map_err(|error| self.refused(format!("part {at}: {error}")))?;
            let name = part.name().unwrap_or_default();
            if name.contains("worksheets/") {
                if part.size() > MAX_SHEET {
                    let most = MAX_SHEET >> 20;
                    let reason = format!("{name} unpacks to more than {most} MiB; expected at most that, or a CSV");
                    return Err(self.refused(reason));
                }
            } else if name.ends_with(".xml") || name.ends_with(".rels") {
                parts += part.size();
            }
        }
        if parts > MAX_HELD {
            let most = MAX_HELD >> 20;
            let reason =
                format!("what its sheets share unpacks to more than {most} MiB; expected at most that, or a CSV");
            return Err(self.refused(reason));
        }
        let Ok(part) = archive.by_name("xl/sharedStrings.xml") else { return Ok(()) };
        let size = part.size();
        let mut head = Vec::new();
        part.take(STATED).read_to_end(&mut head).map_err(|source| Error::Io { path: self.path.clone(), source })?;
        if stated_strings(&String::from_utf8_lossy(&head), size) {
            return Ok(());
        }
        Err(self.refused("it states more shared strings than it has room for".to_owned()))
    }

    /// Runs the reader. A damaged workbook is met with an error or, in places, with a panic; either is the file's
    /// fault.
    fn guarded<T>(
        &self,
        run: impl FnOnce(&Self, &mut Xlsx<Box<dyn ReadSeek>>) -> Result<T, XlsxError>,
    ) -> Result<T, Error> {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let stored = self.stored.open().map_err(XlsxError::Io)?;
            run(self, &mut Xlsx::new(stored)?)
        }));
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.refused(format!("it cannot be read as a workbook: {error}"))),
            Err(_) => Err(self.refused("the reader gave up on it; the workbook is damaged".to_owned())),
        }
    }

    /// The beginning of a sheet as text, to recognise it by: whole rows of at least `most` bytes, where it has them,
    /// and whether that is all of it.
    pub(crate) fn head(&self, sheet: &str, most: usize) -> Result<(Vec<u8>, bool), Error> {
        self.write(sheet, None, most)
    }

    /// All of a sheet as text, its numbers as the plan has them read.
    pub(crate) fn text(&self, sheet: &str, preset: &Preset, plan: &Plan) -> Result<Vec<u8>, Error> {
        let comma = plan.style == Style::MoneyComma;
        let date = date_pattern(preset);
        let columns = Columns { width: plan.columns.len(), money: plan.money(), comma, date };
        let most = MAX_HELD as usize;
        let (text, whole) = self.write(sheet, Some(&columns), most)?;
        if whole {
            return Ok(text);
        }
        let reason = format!("its sheet `{sheet}` holds more than {} MiB of text; expected at most that", most >> 20);
        Err(self.refused(reason))
    }

    /// The first texts that some columns have from a row on, and no numbers.
    pub(crate) fn texts(&self, sheet: &str, from: u64, columns: &[usize]) -> Result<Vec<String>, Error> {
        self.guarded(|_, xlsx| {
            let mut cells = xlsx.worksheet_cells_reader(sheet)?;
            let mut texts = Vec::new();
            while let Some(cell) = cells.next_cell()? {
                let (row, column) = cell.get_position();
                if u64::from(row) >= from + TEXTS {
                    break;
                }
                let text = match cell.get_value() {
                    DataRef::String(text) => text.trim(),
                    DataRef::SharedString(text) => text.trim(),
                    _ => "",
                };
                if !text.is_empty() && u64::from(row) >= from && columns.contains(&(column as usize)) {
                    texts.push(text.to_owned());
                }
            }
            Ok(texts)
        })
    }

    /// Writes rows until `most` bytes are written; whether the sheet ended before.
    fn write(&self, sheet: &str, columns: Option<&Columns>, most: usize) -> Result<(Vec<u8>, bool), Error> {
        self.guarded(|_, xlsx| {
            let mut cells = xlsx.worksheet_cells_reader(sheet)?;
            let mut writer = Writer { columns, out: Vec::new(), row: Vec::new(), number: 0, widest: 0 };
            while let Some(cell) = cells.next_cell()? {
                let (row, column) = cell.get_position();
                if row < writer.number || column as usize >= MAX_COLUMNS {
                    return Err(XlsxError::Unexpected("cells in the order of their rows, and at most 4096 columns"));
                }
                while writer.number < row {
                    writer.end_row();
                }
                writer.cell(column as usize, cell.get_value());
                if writer.out.len() > most {
                    return Ok((writer.out, false));
                }
            }
            writer.end_row();
            let whole = writer.out.len() <= most;
            Ok((writer.out, whole))
        })
    }
}

/// Rows among which they are looked for.
const TEXTS: u64 = 2_000;

/// The most columns of a sheet that are read.
const MAX_COLUMNS: usize = 4_096;

/// Whether a table of shared strings has room for as many as it says it has: their number is believed when memory is
/// set aside for them.
fn stated_strings(head: &str, size: u64) -> bool {
    let Some(start) = head.find("sst").filter(|&at| head[at..].contains('>')) else { return false };
    let stated = head[..].match_indices("uniqueCount").map(|(at, word)| {
        let digits = head[at + word.len()..].trim_start_matches([' ', '=', '"', '\'', '\t', '\r', '\n']);
        let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse::<u64>().unwrap_or(0)
    });
    // No string takes less than five bytes, `<si/>`; digits that no number holds state none.
    start < head.len() && stated.max().unwrap_or(0) <= size / 5 + 1
}

struct Writer<'a> {
    columns: Option<&'a Columns>,
    out: Vec<u8>,
    /// Fields of the present row, each as it is written.
    row: Vec<Vec<u8>>,
    number: u32,
    /// Fields of the widest of the first rows, to which later ones are filled up.
    widest: usize,
}

impl Writer<'_> {
    fn cell(&mut self, column: usize, value: &DataRef<'_>) {
        if self.row.len() <= column {
            self.row.resize(column + 1, Vec::new());
        }
        let money = self.columns.is_some_and(|columns| columns.money.contains(&column));
        let comma = money && self.columns.is_some_and(|columns| columns.comma);
        let field = &mut self.row[column];
        field.clear();
        match value {
            DataRef::Empty => {}
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => quoted(text, field),
            DataRef::SharedString(text) => quoted(text, field),
            DataRef::Int(number) => field.extend(number.to_string().bytes()),
            // Writing to a vector does not fail.
            DataRef::Float(value) => drop(number::write(*value, money, field)),
            // A sum that is a truth value is none, and not one.
            DataRef::Bool(truth) if money => field.extend(truth.to_string().bytes()),
            // As Parquet's truth values are written.
            DataRef::Bool(truth) => field.push(b'0' + u8::from(*truth)),
            DataRef::DateTime(at) => {
                let pattern = self.columns.and_then(|columns| columns.date.as_deref());
                field.extend(instant(at, pattern).bytes());
            }
            DataRef::Error(error) => field.extend(error.to_string().bytes()),
        }
        if comma && matches!(value, DataRef::Float(_) | DataRef::Int(_)) {
            field.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b',');
        }
    }

    /// Writes the row. A sheet does not store the empty cells at a row's end, and may store some behind it.
    fn end_row(&mut self) {
        let used = self.row.iter().rposition(|field| !field.is_empty()).map_or(0, |at| at + 1);
        if used > 0 {
            let width = match self.columns {
                Some(columns) => columns.width,
                None => self.widest,
            };
            if self.number < FIRST {
                self.widest = self.widest.max(used);
            }
            for at in 0..used.max(width) {
                if at > 0 {
                    self.out.push(DELIMITER);
                }
                self.out.extend(self.row.get(at).into_iter().filter(|_| at < used).flatten());
            }
        }
        self.out.push(TERMINATOR);
        self.row.iter_mut().for_each(Vec::clear);
        self.number += 1;
    }
}

/// Rows among which the header is.
const FIRST: u32 = 16;

/// A text as a field: in quotes where it would not come back without them.
fn quoted(text: &str, field: &mut Vec<u8>) {
    let special = |byte: u8| matches!(byte, b'"' | DELIMITER | TERMINATOR);
    if !text.bytes().any(special) && !text.ends_with('\r') {
        return field.extend(text.bytes());
    }
    field.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            field.push(b'"');
        }
        field.push(byte);
    }
    field.push(b'"');
}

/// An instant as ISO 8601 has it: a date, a date and a time, or a time of day alone. A date alone may have a pattern.
fn instant(at: &ExcelDateTime, pattern: Option<&str>) -> String {
    let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
    let fraction = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    let time = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
    if (0.0..1.0).contains(&at.as_f64()) {
        time
    } else if (hour, minute, second, milli) == (0, 0, 0, 0) {
        let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
        match (date, pattern) {
            (Some(date), Some(pattern)) => date.format(pattern).to_string(),
            _ => format!("{year:04}-{month:02}-{day:02}"),
        }
    } else {
        format!("{year:04}-{month:02}-{day:02} {time}")
    }
}

/// Whether a file begins like the workbooks of before 2007, or like one that needs a password.
pub(crate) fn refuse_old(path: &Path, head: &[u8]) -> Result<(), Error> {
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let reason =
            "it is a workbook of before 2007 or one that needs a password; expected .xlsx without one, or a CSV";
        return Err(Error::Refused { path: path.to_owned(), reason: reason.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_strings_have_to_have_room() {
        let check = |head: &str, size: u64, expect: bool| assert_eq!(stated_strings(head, size), expect, "{head}");
        check("<?xml version=\"1.0\"?><sst count=\"3\" uniqueCount=\"3\"><si>", 200, true);
        check("<sst uniqueCount='40'><si/>", 200, true);
        check("<sst uniqueCount='42'><si/>", 200, false);
        check("<x:sst uniqueCount = \"999999999999\">", 1 << 20, false);
        check("<sst uniqueCount=\"99999999999999999999999999\">", 1 << 20, true);
        check("<sst>", 5, true);
        check("<sst uniqueCount=\"1\"", 100, false);
        check("", 0, false);
    }

    #[test]
    fn fields_come_back() {
        let check = |text: &str, expect: &str| {
            let mut field = Vec::new();
            quoted(text, &mut field);
            assert_eq!(field, expect.as_bytes());
        };
        check("two\nlines, all well", "two\nlines, all well");
        check("a \"b\"", "\"a \"\"b\"\"\"");
        check("\u{1e}", "\"\u{1e}\"");
        check("end\r", "\"end\r\"");
    }

    #[test]
    fn dates_are_written_as_iso_8601() {
        use calamine::ExcelDateTimeType::DateTime;
        let check =
            |value: f64, expect: &str| assert_eq!(instant(&ExcelDateTime::new(value, DateTime, false), None), expect);
        check(45_470.0, "2024-06-27");
        check(45_470.586_238_425_9, "2024-06-27 14:04:11");
        check(0.586_238_425_9, "14:04:11");
        check(45_470.000_005_787, "2024-06-27 00:00:00.500");
        let june = ExcelDateTime::new(45_470.0, DateTime, false);
        assert_eq!(instant(&june, Some("%m/%d/%Y")), "06/27/2024");
    }
}
