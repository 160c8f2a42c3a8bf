use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use crible::{Model, Scored};
use crible_core::Batch;
use crible_ingest::FileReport;
use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};
use polars_io::SerWriter;
use polars_io::csv::write::CsvWriter;
use polars_io::parquet::write::ParquetWriter;

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
        let column = |name: &str, series: Series| Column::from(series.with_name(name.into()));

        let mut columns = Vec::new();
        if files.len() > 1 {
            let names: Vec<String> = files.iter().map(|f| f.path.display().to_string()).collect();
            let file = |&row: &usize| names.get(batch.source(row).file as usize).map(String::as_str);
            columns.push(column("file", order.iter().map(file).collect::<Series>()));
        }
        let rows: Vec<i64> = order.iter().map(|&row| batch.source(row).row as i64).collect();
        columns.push(column("row", Series::new("".into(), rows)));
        let ids: Vec<String> = order.iter().map(|&row| batch.ids()[row].to_string()).collect();
        columns.push(column("id", Series::new("".into(), ids)));
        columns.push(column("score", Series::new("".into(), pick(&self.raw))));
        columns.push(column("tail", Series::new("".into(), pick(&self.tail))));
        for (name, scores) in model.detectors().zip(&self.detectors) {
            columns.push(column(name, Series::new("".into(), pick(scores))));
        }
        let mut frame = DataFrame::new(order.len(), columns).with_context(cannot)?;
        write_frame(&self.path, matches!(self.format, Format::Parquet), &mut frame).with_context(cannot)?;
        Ok(self.path)
    }
}

/// Writes a frame as Parquet or as CSV, making the folder where it is missing.
pub(crate) fn write_frame(path: &Path, parquet: bool, frame: &mut DataFrame) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = BufWriter::new(File::create(path)?);
    if parquet {
        ParquetWriter::new(file).finish(frame)?;
    } else {
        CsvWriter::new(file).finish(frame)?;
    }
    Ok(())
}
