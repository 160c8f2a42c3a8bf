//! Parquet and Arrow through Polars: Parquet row group by row group, an Arrow file all at once. Typed values are
//! written out as the text a CSV would hold and then read like it, so that a feed gives the same transactions,
//! references included, in either format.

mod cell;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use polars_core::datatypes::ArrowDataType;
use polars_core::error::PolarsResult;
use polars_core::frame::DataFrame;
use polars_io::SerReader;
use polars_io::ipc::IpcReader;
use polars_io::mmap::MmapBytesReader;
use polars_io::parquet::read::{FileMetadata, ParallelStrategy, ParquetReader};
use rayon::prelude::*;

use crate::build::{Builder, Fields, Keys};
use crate::error::Error;
use crate::input::{Input, Stored};
use crate::plan::Plan;
use crate::preset::Style;
use crate::rows::Chunk;
use crate::worker::Worker;
use cell::Cells;

/// Rows that become one chunk.
const CHUNK: usize = 1 << 15;
/// Rows looked at to make out what a mapping leaves unsaid.
const SAMPLE: usize = 2_000;

/// The most that an Arrow file may hold, since all of it is read at once.
const MAX_ARROW: u64 = 1 << 30;

/// What a file of typed columns is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Parquet,
    Arrow,
}

impl Kind {
    /// By a file's first bytes. Forms of Arrow that are not read are refused.
    pub(crate) fn of(input: &Input, head: &[u8]) -> Result<Option<Self>, Error> {
        let other = match head {
            [b'P', b'A', b'R', b'1', ..] => return Ok(Some(Self::Parquet)),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => return Ok(Some(Self::Arrow)),
            [0xff, 0xff, 0xff, 0xff, ..] => "an Arrow stream",
            [b'F', b'E', b'A', b'1', ..] => "a Feather file of version 1",
            _ => return Ok(None),
        };
        let reason = format!("it is {other}; expected an Arrow file (the IPC file format, Feather version 2)");
        Err(Error::Refused { path: input.path.clone(), reason })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Arrow => "Arrow",
        }
    }
}

/// The shape of a Parquet or Arrow file.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    path: PathBuf,
    kind: Kind,
    stored: Stored,
    columns: Vec<(String, ArrowDataType)>,
    /// First row and number of rows of each row group; an Arrow file is one.
    groups: Vec<(usize, usize)>,
    /// Whether types are read as Parquet has them, whatever the writer says of them besides.
    plain: bool,
}

/// A table's columns and its row groups.
type ShapeOf = (Vec<(String, ArrowDataType)>, Vec<(usize, usize)>);

/// One column of a row group that is read.
struct Column {
    at: usize,
    cells: Cells,
    /// Whether its numbers are written with a comma before the decimals, as texts beside them are.
    comma: bool,
}

/// Rows written out as text: the columns nobody reads stay empty.
struct Written {
    texts: Vec<Vec<u8>>,
}

impl Fields for Written {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        &self.texts[at]
    }
}

impl Table {
    pub(crate) fn open(input: &Input, kind: Kind) -> Result<Self, Error> {
        if kind == Kind::Arrow && input.bytes > MAX_ARROW {
            let reason = format!(
                "it is longer than {} MiB; expected an Arrow file of at most that, or Parquet",
                MAX_ARROW >> 20
            );
            return Err(Error::Refused { path: input.path.clone(), reason });
        }
        let stored = input.seekable()?;
        let (path, columns, groups) = (input.path.clone(), Vec::new(), Vec::new());
        let mut table = Self { path, kind, stored, columns, groups, plain: false };
        let shape = |table: &Self| {
            table.guarded(|table| match kind {
                Kind::Parquet => table.parquet_shape(),
                Kind::Arrow => table.arrow_shape(),
            })
        };
        (table.columns, table.groups) = shape(&table)?;
        // Writers call texts of few words a type of their own; as Parquet has them they are texts.
        if kind == Kind::Parquet && table.columns.iter().any(|(_, dtype)| is_dictionary(dtype)) {
            table.plain = true;
            (table.columns, table.groups) = shape(&table)?;
        }
        Ok(table)
    }

    fn parquet_shape(&self) -> PolarsResult<ShapeOf> {
        let mut reader = self.parquet()?;
        let schema = reader.schema()?;
        let columns = schema.iter().map(|(name, field)| (name.to_string(), field.dtype.clone())).collect();
        let mut first = 0;
        let groups = reader.get_metadata()?.row_groups.iter().map(|group| {
            first += group.num_rows();
            (first - group.num_rows(), group.num_rows())
        });
        Ok((columns, groups.collect()))
    }

    fn arrow_shape(&self) -> PolarsResult<ShapeOf> {
        let mut reader = IpcReader::new(self.source()?);
        let columns = reader.schema()?.iter().map(|(name, field)| (name.to_string(), field.dtype.clone())).collect();
        // Without a column only the rows are counted.
        let rows = IpcReader::new(self.source()?).with_projection(Some(Vec::new())).finish()?.height();
        Ok((columns, vec![(0, rows)]))
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    fn source(&self) -> PolarsResult<Box<dyn MmapBytesReader>> {
        Ok(match &self.stored {
            Stored::Memory(held) => Box::new(Cursor::new(held.clone())),
            Stored::File(path) => Box::new(File::open(path)?),
            Stored::Spooled(path) => Box::new(File::open(path.as_ref())?),
        })
    }

    fn parquet(&self) -> PolarsResult<ParquetReader<Box<dyn MmapBytesReader>>> {
        let mut reader = ParquetReader::new(self.source()?).read_parallel(ParallelStrategy::None);
        if self.plain {
            let mut metadata = FileMetadata::clone(reader.get_metadata()?);
            metadata.key_value_metadata = None;
            reader.set_metadata(Arc::new(metadata));
        }
        Ok(reader)
    }

    /// Runs a piece of Polars. A damaged file is met with an error or, in places, with a panic; either is the file's
    /// fault and becomes its error.
    fn guarded<T>(&self, run: impl FnOnce(&Self) -> PolarsResult<T>) -> Result<T, Error> {
        let reason = match catch_unwind(AssertUnwindSafe(|| run(self))) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                "the reader gave up on it; the file is damaged or uses a feature that is not supported".to_owned()
            }
        };
        Err(self.wrong(reason))
    }

    fn wrong(&self, reason: String) -> Error {
        match self.kind {
            Kind::Parquet => Error::Parquet { path: self.path.clone(), reason },
            Kind::Arrow => Error::Arrow { path: self.path.clone(), reason },
        }
    }

    /// Texts among rows that were looked at: what stands in those of some columns that hold no numbers, each with its column.
    pub(crate) fn texts(&self, columns: &[usize], rows: &[Vec<String>]) -> Vec<(usize, String)> {
        let columns = columns.iter().filter(|&&at| !is_number(&self.columns[at].1));
        let texts = columns.flat_map(|&at| rows.iter().map(move |row| (at, row[at].clone())));
        texts.filter(|(_, text)| !text.trim().is_empty()).collect()
    }

    /// Whether all of some columns hold numbers, and not texts.
    fn are_numbers(&self, columns: &[usize]) -> bool {
        columns.iter().all(|&at| is_number(&self.columns[at].1))
    }

    /// Fits a plan to the columns' types: what is a number or an instant needs no format.
    pub(crate) fn adapt(&self, plan: &mut Plan) {
        let dtype = |at: usize| &self.columns[at].1;
        if let [time] = plan.time[..]
            && matches!(dtype(time), ArrowDataType::Timestamp(..) | ArrowDataType::Date32 | ArrowDataType::Date64)
            && let Some(clock) = plan.clock.with_format("iso")
        {
            plan.clock = clock;
        }
        if plan.style != Style::Minor && self.are_numbers(&plan.money()) {
            plan.style = Style::Plain;
        }
    }

    fn check_types(&self, used: &[bool]) -> Result<(), Error> {
        for ((name, dtype), _) in self.columns.iter().zip(used).filter(|(_, used)| **used) {
            if !is_number(dtype) && !is_scalar(dtype) {
                return Err(self.wrong(format!(
                    "column `{name}` is of type {dtype:?}; expected numbers, text, truth values, dates or instants"
                )));
            }
        }
        Ok(())
    }

    fn frame(&self, used: &[bool], start: usize, rows: usize) -> Result<DataFrame, Error> {
        let projection = (0..self.columns.len()).filter(|&at| used[at]).collect();
        self.guarded(|table| {
            let mut frame = match table.kind {
                Kind::Parquet => {
                    table.parquet()?.with_projection(Some(projection)).with_slice(Some((start, rows))).finish()?
                }
                Kind::Arrow => IpcReader::new(table.source()?)
                    .with_projection(Some(projection))
                    .with_n_rows(Some(start + rows))
                    .finish()?
                    .slice(start as i64, rows),
            };
            frame.rechunk_mut();
            Ok(frame)
        })
    }

    /// Which columns have to be read. Where every row is an account of its own, all of them tell rows apart.
    fn used(plan: &Plan) -> Vec<bool> {
        if plan.each_row() { vec![true; plan.columns.len()] } else { plan.used() }
    }

    /// The first rows as text, and whether these are all or no other could tell more. `all` reads every column that may
    /// be read, and not only those of the plan.
    pub(crate) fn sample(&self, plan: &Plan, all: bool) -> Result<(Vec<Vec<String>>, bool), Error> {
        let mut used = Self::used(plan);
        if all {
            let may = |(_, dtype): &(String, ArrowDataType)| is_number(dtype) || is_scalar(dtype);
            used.iter_mut().zip(&self.columns).for_each(|(used, column)| *used |= may(column));
        }
        self.check_types(&used)?;
        let rows = self.written(&used, plan, (0, SAMPLE))?;
        let text = |at: &usize| !is_number(&self.columns[*at].1);
        let whole = rows.len() < SAMPLE || !plan.money().iter().chain(&plan.time).any(text);
        Ok((rows, whole))
    }

    /// Hands on all rows as text until it is told to stop.
    pub(crate) fn scan(&self, plan: &Plan, see: &mut dyn FnMut(&[String]) -> bool) -> Result<(), Error> {
        let used = Self::used(plan);
        for &(start, rows) in &self.groups {
            for start in (start..start + rows).step_by(CHUNK) {
                let rows = self.written(&used, plan, (start, CHUNK.min(rows)))?;
                if !rows.iter().all(|row| see(row)) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn written(&self, used: &[bool], plan: &Plan, (start, rows): (usize, usize)) -> Result<Vec<Vec<String>>, Error> {
        let frame = self.frame(used, start, rows)?;
        let cells = self.cells(&frame, used, plan)?;
        let mut written = Written { texts: vec![Vec::new(); used.len()] };
        let text = |row| {
            write_row(&cells, row, &mut written);
            written.texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
        };
        Ok((0..frame.height()).map(text).collect())
    }

    fn cells(&self, frame: &DataFrame, used: &[bool], plan: &Plan) -> Result<Vec<Column>, Error> {
        let money = plan.money();
        let read = (0..used.len()).filter(|&at| used[at]);
        read.zip(frame.columns())
            .map(|(at, column)| {
                let series = column.as_materialized_series();
                let cells = self.guarded(|_| Cells::new(series, money.contains(&at)))?;
                let is_sum = money.contains(&at) && is_number(&self.columns[at].1);
                Ok(Column { at, cells, comma: is_sum && plan.style == Style::MoneyComma })
            })
            .collect()
    }

    /// All rows, in order.
    pub(crate) fn rows(self, plan: Arc<Plan>, keys: Arc<Keys>) -> Result<Rows, Error> {
        let used = Self::used(&plan);
        self.check_types(&used)?;
        Ok(Rows { table: self, plan, keys, used, workers: Mutex::default(), next: 0, ready: VecDeque::new() })
    }
}

/// The rows of a Parquet file, chunk by chunk. As many row groups are held at a time as there are threads.
pub(crate) struct Rows {
    table: Table,
    plan: Arc<Plan>,
    keys: Arc<Keys>,
    used: Vec<bool>,
    workers: Mutex<Vec<Worker>>,
    /// The next row group.
    next: usize,
    ready: VecDeque<Chunk>,
}

impl Rows {
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, Error> {
        while self.ready.is_empty() && self.next < self.table.groups.len() {
            let groups = &self.table.groups[self.next..];
            let groups = &groups[..groups.len().min(rayon::current_num_threads().max(1))];
            let read: Result<Vec<Vec<Chunk>>, Error> = groups.par_iter().map(|&group| self.group(group)).collect();
            self.next += groups.len();
            self.ready.extend(read?.into_iter().flatten());
        }
        Ok(self.ready.pop_front())
    }

    fn group(&self, (start, rows): (usize, usize)) -> Result<Vec<Chunk>, Error> {
        let frame = self.table.frame(&self.used, start, rows)?;
        let cells = self.table.cells(&frame, &self.used, &self.plan)?;
        let starts: Vec<usize> = (0..frame.height()).step_by(CHUNK).collect();
        let chunks = starts.par_iter().map(|&start| {
            let end = frame.height().min(start + CHUNK);
            let spare = lock(&self.workers).pop();
            let mut worker = spare.unwrap_or_else(|| Worker::new(self.plan.counterparty_domain));
            let chunk = build(&cells, start..end, &self.plan, &self.keys, &mut worker);
            lock(&self.workers).push(worker);
            chunk
        });
        Ok(chunks.collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A worker holds nothing that a panic elsewhere could leave half done.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write_row(columns: &[Column], row: usize, written: &mut Written) {
    for Column { at, cells, comma } in columns {
        let text = &mut written.texts[*at];
        text.clear();
        cells.write(row, text);
        if *comma {
            text.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b',');
        }
    }
}

fn build(cells: &[Column], rows: std::ops::Range<usize>, plan: &Plan, keys: &Keys, worker: &mut Worker) -> Chunk {
    let mut builder = Builder::new(plan, keys, worker);
    let mut written = Written { texts: vec![Vec::new(); plan.columns.len()] };
    let lines = rows.len() as u64;
    for (line, row) in rows.enumerate() {
        write_row(cells, row, &mut written);
        builder.push(&written, line as u64, &Vec::new);
    }
    builder.finish(lines)
}

fn is_number(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    matches!(
        dtype,
        A::Int8
            | A::Int16
            | A::Int32
            | A::Int64
            | A::UInt8
            | A::UInt16
            | A::UInt32
            | A::UInt64
            | A::Float32
            | A::Float64
    ) || matches!(dtype, A::Decimal(..) | A::Decimal32(..) | A::Decimal64(..) | A::Decimal256(..))
}

/// Whether it is one of texts each stored once.
fn is_dictionary(dtype: &ArrowDataType) -> bool {
    matches!(dtype, ArrowDataType::Dictionary(..))
}

fn is_scalar(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    matches!(
        dtype,
        A::Null | A::Boolean | A::Utf8 | A::LargeUtf8 | A::Utf8View | A::Date32 | A::Date64 | A::Timestamp(..)
    )
}
