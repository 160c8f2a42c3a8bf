use std::path::PathBuf;

use anyhow::{Context, Result};
use crible_ingest::Reject;

use crate::output::{Output, OutputWriter};
use crate::terminal::cells;

/// The rejects file: made with the first rejected row, so that a clean run leaves none behind.
#[derive(Debug)]
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<(Output, csv::Writer<OutputWriter>)>,
    rows: u64,
    failed: Option<anyhow::Error>,
}

impl Rejects {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: None, rows: 0, failed: None }
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
        let (_, writer) = match &mut self.file {
            Some(file) => file,
            none => {
                let output = Output::create(&self.path).with_context(cannot)?;
                let mut writer = csv::Writer::from_writer(output.writer().with_context(cannot)?);
                writer.write_record(["file", "row", "line", "column", "value", "reason"]).with_context(cannot)?;
                none.insert((output, writer))
            }
        };
        let Reject { shown, row, line, column, value, reason, .. } = reject;
        let (row, line) = (row.to_string(), line.to_string());
        writer.write_record(cells([&**shown, &row, &line, column, value, reason])).with_context(cannot)
    }

    /// The file of rejected rows, whole but without its name yet; none where there were none.
    pub(crate) fn finish(self) -> Result<Option<Output>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some((output, mut writer)) = self.file else { return Ok(None) };
        writer.flush().with_context(|| format!("cannot write rejected rows to {}", self.path.display()))?;
        Ok(Some(output))
    }
}
