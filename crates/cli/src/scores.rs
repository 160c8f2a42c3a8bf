use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use crible::{Model, Scored};
use crible_core::Batch;
use crible_ingest::{FileReport, cell};
use polars_core::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use polars_io::csv::write::CsvWriter;
use polars_io::parquet::write::{ParquetCompression, ParquetWriter};
use polars_io::{SerWriter, csv, parquet};
use polars_utils::compression::ZstdLevel;

use crate::output::{Output, OutputWriter};

/// The scores file: for every accepted transaction `row` (0-based data row of its file), `id`, `score`, `tail` and each
/// detector's own score; `file` before them where several files were read. In order of file and row.
#[derive(Debug)]
pub(crate) struct Scores {
    path: PathBuf,
    format: Format,
    raw: Vec<f64>,
    tail: Vec<f64>,
    /// One vector a detector.
    detectors: Vec<Vec<f64>>,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Parquet,
    Csv,
}

impl Scores {
    /// # Errors
    /// A name that does not end in `.parquet` or `.csv`.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let format = match path.extension().and_then(|e| e.to_str()) {
            Some("parquet") => Format::Parquet,
            Some("csv") => Format::Csv,
            _ => bail!("--scores {}: expected a file ending in .parquet or .csv", path.display()),
        };
        let (raw, tail, detectors) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { path: path.to_owned(), format, raw, tail, detectors })
    }

    /// Takes a run of scored transactions; runs come in the batch's order.
    pub(crate) fn push(&mut self, model: &Model, scored: &Scored<'_>) {
        self.detectors.resize_with(model.detectors().len(), Vec::new);
        for row in scored.rows() {
            let score = scored.score(row);
            self.raw.push(score.raw);
            self.tail.push(score.tail);
            for (all, &one) in self.detectors.iter_mut().zip(scored.detectors(row)) {
                all.push(one);
            }
        }
    }

    pub(crate) fn write(self, model: &Model, batch: &Batch, files: &[FileReport]) -> Result<Output> {
        let cannot = || format!("cannot write scores to {}", self.path.display());
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_unstable_by_key(|&row| batch.source(row));
        let pick = |all: &[f64]| order.iter().map(|&row| all[row]).collect::<Vec<_>>();
        let numbers = [pick(&self.raw), pick(&self.tail)].into_iter().chain(self.detectors.iter().map(|all| pick(all)));
        let mut frame =
            frame(model, batch, files, &order, numbers, matches!(self.format, Format::Csv)).with_context(cannot)?;
        frame_file(&self.path, matches!(self.format, Format::Parquet), &mut frame).with_context(cannot)
    }

    /// Begins a file that is written run by run, in order of time.
    pub(crate) fn run_by_run(self) -> RunByRun {
        RunByRun { path: self.path, format: self.format, file: None }
    }
}

/// A scores file under way.
pub(crate) struct RunByRun {
    path: PathBuf,
    format: Format,
    file: Option<(Output, Sink)>,
}

enum Sink {
    Parquet(Box<parquet::write::BatchedWriter<OutputWriter>>),
    Csv(Box<csv::write::BatchedWriter<OutputWriter>>),
}

impl RunByRun {
    pub(crate) fn push(
        &mut self,
        model: &Model,
        scored: &Scored<'_>,
        batch: &Batch,
        files: &[FileReport],
    ) -> Result<()> {
        let cannot = || format!("cannot write scores to {}", self.path.display());
        let rows: Vec<usize> = scored.rows().collect();
        let all = |of: &dyn Fn(usize) -> f64| rows.iter().map(|&row| of(row)).collect::<Vec<_>>();
        let detector = |at: usize| all(&|row| scored.detectors(row)[at]);
        let numbers = [all(&|row| scored.score(row).raw), all(&|row| scored.score(row).tail)];
        let numbers = numbers.into_iter().chain((0..model.detectors().len()).map(detector));
        let frame =
            frame(model, batch, files, &rows, numbers, matches!(self.format, Format::Csv)).with_context(cannot)?;
        let (output, sink) = match &mut self.file {
            Some(file) => file,
            none => {
                let output = Output::create(&self.path).with_context(cannot)?;
                let writer = output.writer().with_context(cannot)?;
                let sink = match self.format {
                    Format::Parquet => Sink::Parquet(Box::new(parquet_writer(writer)?.batched(frame.schema())?)),
                    Format::Csv => Sink::Csv(Box::new(CsvWriter::new(writer).batched(frame.schema())?)),
                };
                none.insert((output, sink))
            }
        };
        match sink {
            Sink::Parquet(writer) => writer.write_batch(&frame),
            Sink::Csv(writer) => writer.write_batch(&frame),
        }
        .map_err(|error| output.cause(error.into()))
        .with_context(cannot)
    }

    /// The file, whole but without its name yet; none where there was nothing to score.
    pub(crate) fn finish(self) -> Result<Option<Output>> {
        let cannot = || format!("cannot write scores to {}", self.path.display());
        let Some((output, sink)) = self.file else { return Ok(None) };
        let finished = match sink {
            Sink::Parquet(writer) => writer.finish().map(drop),
            Sink::Csv(mut writer) => writer.finish(),
        };
        finished.map_err(|error| output.cause(error.into())).with_context(cannot)?;
        output.check().with_context(cannot)?;
        Ok(Some(output))
    }
}

/// Rows of a batch with their scores; `numbers` are the columns behind the reference: score, tail, each detector's.
fn frame(
    model: &Model,
    batch: &Batch,
    files: &[FileReport],
    rows: &[usize],
    numbers: impl Iterator<Item = Vec<f64>>,
    for_csv: bool,
) -> PolarsResult<DataFrame> {
    let column = |name: &str, series: Series| Column::from(series.with_name(name.into()));
    let mut columns = Vec::new();
    if files.len() > 1 {
        let names: Vec<String> =
            files.iter().map(|f| if for_csv { cell(&f.shown).into_owned() } else { f.shown.clone() }).collect();
        let file = |&row: &usize| names.get(batch.source(row).file as usize).map(String::as_str);
        columns.push(column("file", rows.iter().map(file).collect::<Series>()));
    }
    let in_file: Vec<i64> = rows.iter().map(|&row| batch.source(row).row as i64).collect();
    columns.push(column("row", Series::new("".into(), in_file)));
    let ids: Vec<String> = rows.iter().map(|&row| batch.ids()[row].to_string()).collect();
    columns.push(column("id", Series::new("".into(), ids)));
    let names = ["score", "tail"].into_iter().chain(model.detectors());
    columns.extend(names.zip(numbers).map(|(name, numbers)| column(name, Series::new("".into(), numbers))));
    DataFrame::new(rows.len(), columns)
}

/// Scores and references hardly repeat: more effort than the least makes a file no smaller.
fn parquet_writer<W: Write>(file: W) -> PolarsResult<ParquetWriter<W>> {
    let level = ZstdLevel::try_new(1)?;
    Ok(ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(Some(level))))
}

/// Writes a frame as Parquet or as CSV, all or nothing, making the folder where it is missing.
pub(crate) fn write_frame(path: &Path, parquet: bool, frame: &mut DataFrame) -> Result<()> {
    frame_file(path, parquet, frame)?.persist().map(drop)
}

/// The file of a frame, whole but without its name yet.
fn frame_file(path: &Path, parquet: bool, frame: &mut DataFrame) -> Result<Output> {
    let output = Output::create(path)?;
    let mut writer = output.writer()?;
    let written = if parquet {
        parquet_into(&mut writer, frame)
    } else {
        CsvWriter::new(&mut writer).finish(frame).and_then(|()| Ok(writer.flush()?)).map_err(Into::into)
    };
    written.map_err(|error| output.cause(error))?;
    Ok(output)
}

/// Writes a frame as Parquet.
pub(crate) fn parquet_into(writer: &mut OutputWriter, frame: &mut DataFrame) -> Result<()> {
    parquet_writer(&mut *writer)?.finish(frame)?;
    Ok(writer.flush()?)
}
