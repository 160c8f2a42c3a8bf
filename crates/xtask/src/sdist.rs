//! The Python package from source, as whoever has no wheel for his machine gets it: the source distribution, built by
//! pip in a new environment, and tried.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::python;
use crate::wheel::{LIST, files, maturin};

/// What is asked of what was installed.
const TRIED: &str = "import crible; print(crible.score(crible.simulate(accounts=60, days=40, seed=7)))";

/// Builds the source distribution, installs it, and scores with it; whether all went well.
///
/// # Errors
/// Python cannot be started, or the packages cannot be installed.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let built = std::env::current_exe().context("where this command lies")?;
    let built = built.parent().context("where this command lies")?;
    let list = root.join(LIST);
    let packages = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let builder = python::environment(&packages, &built.join("python-venv"))?;
    let folder = built.join("sdist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let mut pack = maturin(root, &builder);
    if !pack.args(["sdist", "--out"]).arg(&folder).status().context("cannot start maturin")?.success() {
        return Ok(false);
    }
    let place = built.join("sdist-venv");
    // What was installed there before might hide what is missing now.
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| place.display().to_string())?;
    }
    let python = python::environment("numpy\n", &place)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--disable-pip-version-check"]).args(files(&folder, "gz")?);
    // With the profile and the folder of the other builds, Polars is not compiled once more.
    install.env("CARGO_TARGET_DIR", built.parent().context("where targets lie")?).stdin(Stdio::null());
    if !install.status().context("cannot start pip")?.success() {
        return Ok(false);
    }
    let tried = Command::new(&python).args(["-c", TRIED]).current_dir(&folder).stdin(Stdio::null()).status();
    Ok(tried.context("cannot start Python")?.success())
}
