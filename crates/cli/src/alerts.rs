use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use crible_alert::wire::{Alert, CSV_HEADER, csv_record};
use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};

use crate::scores::write_frame;
use crate::terminal::{cells, json};

/// Where alerts go, in which form.
pub(crate) struct Alerts {
    path: Option<PathBuf>,
    sink: Sink,
}

enum Sink {
    Lines(Box<dyn Write>),
    Csv(Box<csv::Writer<BufWriter<File>>>),
    /// Parquet is written in one piece at the end.
    Parquet(Vec<Alert>),
}

/// The files a run writes, from what `--out` says.
#[derive(Debug, PartialEq)]
pub(crate) struct Places {
    /// Standard output where there is none.
    pub(crate) alerts: Option<PathBuf>,
    pub(crate) rejects: PathBuf,
}

impl Places {
    /// A name with one of the three endings is a file, with rejects beside it; one without an ending, or with a slash at
    /// its end, is a folder.
    pub(crate) fn of(out: Option<&Path>) -> Result<Self> {
        let Some(out) = out else {
            return Ok(Self { alerts: None, rejects: "crible-rejects.csv".into() });
        };
        let ending = out.extension().and_then(|e| e.to_str());
        match ending {
            _ if out.is_dir() || out.as_os_str().as_encoded_bytes().ends_with(b"/") => {}
            Some("jsonl" | "csv" | "parquet") => {
                return Ok(Self { alerts: Some(out.to_owned()), rejects: out.with_extension("rejects.csv") });
            }
            None => {}
            Some(_) => {
                bail!("--out {}: expected a folder, or a file ending in .jsonl, .csv or .parquet", out.display())
            }
        }
        Ok(Self { alerts: Some(out.join("alerts.jsonl")), rejects: out.join("rejects.csv") })
    }
}

impl Alerts {
    pub(crate) fn open(path: Option<PathBuf>) -> Result<Self> {
        let sink = match &path {
            None => Sink::Lines(Box::new(BufWriter::new(io::stdout()))),
            Some(path) => {
                let cannot = || format!("cannot write alerts to {}", path.display());
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).with_context(cannot)?;
                }
                let file = BufWriter::new(File::create(path).with_context(cannot)?);
                match path.extension().and_then(|e| e.to_str()) {
                    Some("csv") => {
                        let mut writer = csv::Writer::from_writer(file);
                        writer.write_record(CSV_HEADER).with_context(cannot)?;
                        Sink::Csv(Box::new(writer))
                    }
                    Some("parquet") => Sink::Parquet(Vec::new()),
                    _ => Sink::Lines(Box::new(file)),
                }
            }
        };
        Ok(Self { path, sink })
    }

    pub(crate) fn push(&mut self, alert: Alert) -> Result<()> {
        match &mut self.sink {
            Sink::Lines(out) => writeln!(out, "{}", json(&alert.to_line()?)).context("cannot write alerts")?,
            Sink::Csv(writer) => writer
                .write_record(cells(csv_record(&alert).iter().map(String::as_str)))
                .context("cannot write alerts")?,
            Sink::Parquet(alerts) => alerts.push(alert),
        }
        Ok(())
    }

    /// Writes out what is held back; returns the file, where there is one.
    pub(crate) fn finish(self) -> Result<Option<PathBuf>> {
        match (self.sink, &self.path) {
            (Sink::Lines(mut out), _) => out.flush().context("cannot write alerts")?,
            (Sink::Csv(mut writer), _) => writer.flush().context("cannot write alerts")?,
            (Sink::Parquet(alerts), Some(path)) => {
                let mut frame = frame(&alerts)?;
                write_frame(path, true, &mut frame)
                    .with_context(|| format!("cannot write alerts to {}", path.display()))?;
            }
            (Sink::Parquet(_), None) => {}
        }
        Ok(self.path)
    }
}

/// Alerts as a frame with the columns of the CSV form, numbers as numbers.
fn frame(alerts: &[Alert]) -> Result<DataFrame> {
    let records: Vec<[String; CSV_HEADER.len()]> = alerts.iter().map(csv_record).collect();
    let columns = CSV_HEADER.iter().enumerate().map(|(i, &name)| {
        let series = match name {
            "score" => Series::new(name.into(), alerts.iter().map(|a| a.score).collect::<Vec<_>>()),
            "tail" => Series::new(name.into(), alerts.iter().map(|a| a.tail).collect::<Vec<_>>()),
            "rank" => Series::new(name.into(), alerts.iter().map(|a| a.rank).collect::<Vec<_>>()),
            "row" | "source_row" => {
                let row = |a: &Alert| a.source.as_ref().map(|s| s.row as i64);
                Series::new(name.into(), alerts.iter().map(row).collect::<Vec<_>>())
            }
            _ => Series::new(name.into(), records.iter().map(|r| r[i].as_str()).collect::<Vec<_>>()),
        };
        Column::from(series)
    });
    Ok(DataFrame::new(alerts.len(), columns.collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_is_a_folder_or_a_file_of_three_kinds() {
        let of = |out: &str| Places::of(Some(Path::new(out))).map_err(|e| e.to_string());
        let folder = Places { alerts: Some("a/alerts.jsonl".into()), rejects: "a/rejects.csv".into() };
        assert_eq!(of("a"), Ok(folder));
        let folder = Places { alerts: Some("a.d/alerts.jsonl".into()), rejects: "a.d/rejects.csv".into() };
        assert_eq!(of("a.d/"), Ok(folder));
        let file = Places { alerts: Some("a/b.csv".into()), rejects: "a/b.rejects.csv".into() };
        assert_eq!(of("a/b.csv"), Ok(file));
        assert!(of("a/b.xlsx").is_err_and(|e| e.contains("b.xlsx") && e.contains(".parquet")));
        assert_eq!(Places::of(None).map(|p| p.alerts).ok(), Some(None));
    }
}
