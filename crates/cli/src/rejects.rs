use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use anyhow::{Context, Result};
use crible_ingest::Reject;

use crate::terminal::cells;

/// The rejects file: made with the first rejected row, so that a clean run leaves none behind.
#[derive(Debug)]
pub(crate) struct Rejects {
    path: PathBuf,
    writer: Option<csv::Writer<BufWriter<File>>>,
    rows: u64,
    failed: Option<anyhow::Error>,
}

impl Rejects {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, writer: None, rows: 0, failed: None }
    }

    /// Takes a rejected row. The first failure to write is kept for [`Rejects::finish`]; reading goes on.
    pub(crate) fn push(&mut self, reject: &Reject) {
        self.rows += 1;
        if self.failed.is_none()
            && let Err(error) = self.write(reject)
        {
            self.failed = Some(error);
        }
    }

    fn write(&mut self, reject: &Reject) -> Result<()> {
        let cannot = || format!("cannot write rejected rows to {}", self.path.display());
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                if let Some(folder) = self.path.parent() {
                    std::fs::create_dir_all(folder).with_context(cannot)?;
                }
                let file = File::create(&self.path).with_context(cannot)?;
                let writer = none.insert(csv::Writer::from_writer(BufWriter::new(file)));
                writer.write_record(["file", "row", "line", "column", "value", "reason"]).with_context(cannot)?;
                writer
            }
        };
        let Reject { shown, row, line, column, value, reason, .. } = reject;
        let (row, line) = (row.to_string(), line.to_string());
        let record = [&**shown, &row, &line, column, value, reason];
        writer.write_record(cells(record)).with_context(cannot)
    }

    /// Where rejected rows were written, if there were any.
    pub(crate) fn finish(mut self) -> Result<Option<PathBuf>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match &mut self.writer {
            Some(writer) => {
                writer.flush().with_context(|| format!("cannot write rejected rows to {}", self.path.display()))?;
                Ok(Some(self.path))
            }
            None => Ok(None),
        }
    }
}
