use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use crible_alert::wire::{Alert, CSV_HEADER, Source, csv_record};
use crible_ingest::FileReport;
use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};

use crate::output::{Output, OutputWriter};
use crate::scores::parquet_into;
use crate::terminal::{cells, json};

/// Where alerts go, in which form, and how many of each severity there were.
pub(crate) struct Alerts {
    output: Option<Output>,
    sink: Sink,
    /// By severity.
    counts: [u64; 4],
}

enum Sink {
    Lines(Box<dyn Write>),
    Csv(Box<csv::Writer<OutputWriter>>),
    /// Parquet is written in one piece at the end.
    Parquet(Vec<Alert>, OutputWriter),
}

impl Alerts {
    /// A file by its ending; standard output where there is none.
    pub(crate) fn open(path: Option<PathBuf>) -> Result<Self> {
        let counts = [0; 4];
        let Some(path) = path else {
            return Ok(Self { output: None, sink: Sink::Lines(Box::new(BufWriter::new(io::stdout()))), counts });
        };
        let (output, sink) = Self::file(&path).with_context(|| format!("cannot write alerts to {}", path.display()))?;
        Ok(Self { output: Some(output), sink, counts })
    }

    fn file(path: &Path) -> Result<(Output, Sink)> {
        let output = Output::create(path)?;
        let writer = output.writer()?;
        let sink = match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => {
                let mut writer = csv::Writer::from_writer(writer);
                writer.write_record(CSV_HEADER)?;
                Sink::Csv(Box::new(writer))
            }
            Some("parquet") => Sink::Parquet(Vec::new(), writer),
            _ => Sink::Lines(Box::new(writer)),
        };
        Ok((output, sink))
    }

    /// Counts alerts that somebody else shows.
    pub(crate) fn count(&mut self, alerts: &[crible_alert::Alert]) {
        alerts.iter().for_each(|alert| self.counts[alert.decision.severity as usize] += 1);
    }

    /// Takes alerts on transactions of these files.
    pub(crate) fn take(&mut self, alerts: &[crible_alert::Alert], files: &[FileReport]) -> Result<()> {
        self.count(alerts);
        for alert in alerts {
            self.push(on_the_wire(alert, files)).context("cannot write alerts")?;
        }
        Ok(())
    }

    fn push(&mut self, alert: Alert) -> Result<()> {
        match &mut self.sink {
            Sink::Lines(out) => writeln!(out, "{}", json(&alert.to_line()?))?,
            Sink::Csv(writer) => writer.write_record(cells(csv_record(&alert).iter().map(String::as_str)))?,
            Sink::Parquet(alerts, _) => alerts.push(alert),
        }
        Ok(())
    }

    /// Writes out what is held back; returns the file, where there is one, and how many alerts of each severity there were.
    pub(crate) fn finish(self) -> Result<(Option<Output>, [u64; 4])> {
        let written = match self.sink {
            Sink::Lines(mut out) => out.flush().map_err(Into::into),
            Sink::Csv(mut writer) => writer.flush().map_err(Into::into),
            Sink::Parquet(alerts, mut writer) => {
                frame(&alerts).and_then(|mut frame| parquet_into(&mut writer, &mut frame))
            }
        };
        let because = |error| match &self.output {
            Some(output) => output.cause(error),
            None => error,
        };
        written.map_err(because).context("cannot write alerts")?;
        Ok((self.output, self.counts))
    }
}

/// An alert on a transaction of these files, as others receive it.
pub(crate) fn on_the_wire(alert: &crible_alert::Alert, files: &[FileReport]) -> Alert {
    let source = alert.decision.source.map(|source| {
        let report = &files[source.file as usize];
        Source { feed: report.feed.clone(), file: report.shown.clone(), row: source.row }
    });
    Alert::new(alert, source)
}

/// Alerts as a frame with the columns of the CSV form, numbers as numbers.
fn frame(alerts: &[Alert]) -> Result<DataFrame> {
    let records: Vec<[String; CSV_HEADER.len()]> = alerts.iter().map(csv_record).collect();
    let columns = CSV_HEADER.iter().enumerate().map(|(i, &name)| {
        let series = match name {
            "score" => Series::new(name.into(), alerts.iter().map(|a| a.score).collect::<Vec<_>>()),
            "tail" => Series::new(name.into(), alerts.iter().map(|a| a.tail).collect::<Vec<_>>()),
            "rank" => Series::new(name.into(), alerts.iter().map(|a| a.rank).collect::<Vec<_>>()),
            "row" => {
                let row = |a: &Alert| a.source.as_ref().map(|s| s.row as i64);
                Series::new(name.into(), alerts.iter().map(row).collect::<Vec<_>>())
            }
            "looks_like" => {
                Series::new(name.into(), alerts.iter().map(|a| a.looks_like.as_deref()).collect::<Vec<_>>())
            }
            "payments" => {
                let payments = |a: &Alert| a.payments.len().max(1) as u32;
                Series::new(name.into(), alerts.iter().map(payments).collect::<Vec<_>>())
            }
            "note" => Series::new(name.into(), alerts.iter().map(|a| a.note.as_deref()).collect::<Vec<_>>()),
            _ => Series::new(name.into(), records.iter().map(|r| r[i].as_str()).collect::<Vec<_>>()),
        };
        Column::from(series)
    });
    Ok(DataFrame::new(alerts.len(), columns.collect())?)
}
