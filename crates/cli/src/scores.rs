use std::fs::File;
use std::io::{BufWriter, Write};
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

    pub(crate) fn write(self, model: &Model, batch: &Batch, files: &[FileReport]) -> Result<PathBuf> {
        let cannot = || format!("cannot write scores to {}", self.path.display());
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_unstable_by_key(|&row| batch.source(row));
        let pick = |all: &[f64]| order.iter().map(|&row| all[row]).collect::<Vec<_>>();
        let numbers = [pick(&self.raw), pick(&self.tail)].into_iter().chain(self.detectors.iter().map(|all| pick(all)));
        let mut frame =
            frame(model, batch, files, &order, numbers, matches!(self.format, Format::Csv)).with_context(cannot)?;
        write_frame(&self.path, matches!(self.format, Format::Parquet), &mut frame).with_context(cannot)?;
        Ok(self.path)
    }

    /// Begins a file that is written run by run, in order of time.
    pub(crate) fn run_by_run(self) -> RunByRun {
        RunByRun { path: self.path, format: self.format, sink: None }
    }
}

/// A scores file under way.
pub(crate) struct RunByRun {
    path: PathBuf,
    format: Format,
    sink: Option<Sink>,
}

enum Sink {
    Parquet(Box<parquet::write::BatchedWriter<BufWriter<File>>>),
    Csv(Box<csv::write::BatchedWriter<BufWriter<File>>>),
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
        let sink = match &mut self.sink {
            Some(sink) => sink,
            none => {
                let file = create(&self.path).with_context(cannot)?;
                none.insert(match self.format {
                    Format::Parquet => Sink::Parquet(Box::new(parquet_writer(file)?.batched(frame.schema())?)),
                    Format::Csv => Sink::Csv(Box::new(CsvWriter::new(file).batched(frame.schema())?)),
                })
            }
        };
        match sink {
            Sink::Parquet(writer) => writer.write_batch(&frame),
            Sink::Csv(writer) => writer.write_batch(&frame),
        }
        .with_context(cannot)
    }

    pub(crate) fn finish(self) -> Result<()> {
        let cannot = || format!("cannot write scores to {}", self.path.display());
        match self.sink {
            None => Ok(()),
            Some(Sink::Parquet(writer)) => writer.finish().map(|_| ()).with_context(cannot),
            Some(Sink::Csv(mut writer)) => writer.finish().with_context(cannot),
        }
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

/// Writes a frame as Parquet or as CSV, making the folder where it is missing.
pub(crate) fn write_frame(path: &Path, parquet: bool, frame: &mut DataFrame) -> Result<()> {
    let file = create(path)?;
    if parquet {
        parquet_writer(file)?.finish(frame)?;
    } else {
        CsvWriter::new(file).finish(frame)?;
    }
    Ok(())
}

fn create(path: &Path) -> std::io::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(BufWriter::new(File::create(path)?))
}
