//! What clippy can't check. One rule, one file; each takes text and gives findings.

mod docs;
mod features;
mod layers;
mod length;
mod marks;
mod notebooks;
mod paths;
mod tree;

use std::fmt;
use std::path::Path;

use anyhow::Result;

use tree::{Manifest, SourceFile};

/// Something a rule objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// File, from the folder of the workspace.
    path: String,
    /// From 1; none where the whole file is meant.
    line: Option<usize>,
    what: String,
    /// A warning is shown and no more.
    warning: bool,
}

impl Finding {
    fn new(path: &str, line: impl Into<Option<usize>>, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: line.into(), what: what.into(), warning: false }
    }

    fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.warning { "warning" } else { "error" }, self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Whether the repository is tidy; lists what isn't.
///
/// # Errors
/// The repository cannot be read, or cargo cannot be started.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let files = tree::read(root)?;
    let mut findings = features::check(root)?;
    let manifests = tree::manifests(&files)?;
    findings.extend(check(&files, &manifests));
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| !finding.warning).count();
    println!("tidy: {} files, {errors} errors, {} warnings", files.len(), findings.len() - errors);
    Ok(errors == 0)
}

/// All rules that need nothing but text.
fn check(files: &[SourceFile], manifests: &[Manifest]) -> Vec<Finding> {
    let mut findings = layers::check(manifests);
    findings.extend(docs::readmes(files, manifests));
    findings.extend(docs::presets(files));
    for file in files {
        findings.extend(length::check(file));
        findings.extend(marks::check(file));
        findings.extend(notebooks::check(file));
        findings.extend(paths::check(file));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_its_place() {
        assert_eq!(Finding::new("a.rs", 3, "too strange").to_string(), "error: a.rs:3: too strange");
        assert_eq!(Finding::new("a.rs", None, "too long").warning().to_string(), "warning: a.rs: too long");
    }

    #[test]
    fn every_rule_is_asked() {
        let long = "// line\n".repeat(901);
        let manifest = "[package]\nname = \"stray\"\n[dependencies]\npolars-core = \"1\"\n";
        let files = [
            SourceFile::new("Cargo.toml", "[workspace.dependencies]"),
            SourceFile::new("crates/stray/Cargo.toml", manifest),
            SourceFile::new("crates/stray/src/long.rs", &long),
            SourceFile::new("crates/stray/src/lib.rs", "fn f() { todo!() } // see /home/ann/notes"),
            SourceFile::new("crates/ingest/README.md", "# feeds"),
            SourceFile::new("crates/ingest/presets/acme.toml", "name = \"acme\""),
        ];
        let findings = check(&files, &tree::manifests(&files).unwrap());
        let paths: Vec<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "crates/stray/Cargo.toml", // in no layer
                "crates/stray/README.md",
                "crates/ingest/presets/acme.toml",
                "crates/stray/src/long.rs",
                "crates/stray/src/lib.rs", // unfinished
                "crates/stray/src/lib.rs", // path
            ]
        );
    }
}
