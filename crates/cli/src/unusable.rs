use std::path::PathBuf;

use crible_ingest::FileReport;

/// The files were read, and held nothing to score.
#[derive(Debug, thiserror::Error)]
#[error("no transaction could be read from {files} file(s): {rejected} of {read} rows were rejected{}", Where(.rejects))]
pub(crate) struct Unusable {
    files: usize,
    read: u64,
    rejected: u64,
    rejects: Option<PathBuf>,
}

impl Unusable {
    pub(crate) fn new(files: &[FileReport], rejects: Option<PathBuf>) -> Self {
        let sum = |count: fn(&FileReport) -> u64| files.iter().map(count).sum();
        Self { files: files.len(), read: sum(|f| f.read), rejected: sum(|f| f.rejected), rejects }
    }
}

struct Where<'a>(&'a Option<PathBuf>);

impl std::fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(path) => write!(f, ", see {}", path.display()),
            None => Ok(()),
        }
    }
}

/// Something that the command needs was not said, neither on the command line nor in the environment.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unsaid(pub(crate) &'static str);
