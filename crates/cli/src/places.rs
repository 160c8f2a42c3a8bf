use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

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
    pub(crate) fn of(out: Option<&Path>, rejects: Option<&Path>) -> Result<Self> {
        let places = Self::by_default(out)?;
        Ok(Self { rejects: rejects.map_or(places.rejects, Path::to_owned), ..places })
    }

    fn by_default(out: Option<&Path>) -> Result<Self> {
        let Some(out) = out else {
            return Ok(Self { alerts: None, rejects: "crible-rejects.csv".into() });
        };
        let ending = out.extension().and_then(|e| e.to_str());
        match ending {
            // A pipe or a terminal takes what comes.
            _ if std::fs::metadata(out).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) => {
                return Ok(Self { alerts: Some(out.to_owned()), rejects: "crible-rejects.csv".into() });
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_is_a_folder_or_a_file_of_three_kinds() {
        let of = |out: &str| Places::of(Some(Path::new(out)), None).map_err(|e| e.to_string());
        let folder = Places { alerts: Some("a/alerts.jsonl".into()), rejects: "a/rejects.csv".into() };
        assert_eq!(of("a"), Ok(folder));
        let folder = Places { alerts: Some("a.d/alerts.jsonl".into()), rejects: "a.d/rejects.csv".into() };
        assert_eq!(of("a.d/"), Ok(folder));
        let file = Places { alerts: Some("a/b.csv".into()), rejects: "a/b.rejects.csv".into() };
        assert_eq!(of("a/b.csv"), Ok(file));
        assert!(of("a/b.xlsx").is_err_and(|e| e.contains("b.xlsx") && e.contains(".parquet")));
        assert_eq!(Places::of(None, None).map(|p| p.alerts).ok(), Some(None));
    }
}
