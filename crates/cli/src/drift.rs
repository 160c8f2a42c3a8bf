//! How far realised tails are from what the model promises, week by week, as a file.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use crible::Drift;

use crate::output::Output;

/// A file under way.
#[derive(Debug)]
pub(crate) struct DriftFile {
    output: Output,
    is_json: bool,
    name: String,
}

impl DriftFile {
    /// Begins a file: JSON where its name ends in `.json`, else a table.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let output = Output::create(path).with_context(|| format!("cannot write {name}"))?;
        let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        Ok(Self { output, is_json, name })
    }

    /// Writes what an engine has counted; the file has still to take its name.
    pub(crate) fn write(self, drift: &Drift) -> Result<Output> {
        let text = match self.is_json {
            true => serde_json::to_string_pretty(drift)? + "\n",
            false => drift.to_string(),
        };
        let written = self.output.writer().and_then(|mut writer| writer.write_all(text.as_bytes()));
        // The writer is gone: what it wrote last is known, too.
        written.and_then(|()| self.output.check()).with_context(|| format!("cannot write {}", self.name))?;
        Ok(self.output)
    }
}
