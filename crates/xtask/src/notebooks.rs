//! Notebooks, executed from clean in an environment of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::python;

/// The longest a cell may take, in seconds.
const CELL_SECONDS: &str = "--timeout=300";

/// Executes every notebook; nothing is written back. The command they run is the one built beside this one.
///
/// # Errors
/// Python cannot be started, or the packages cannot be installed.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let folder = root.join("notebooks");
    let built = std::env::current_exe().context("where this command lies")?;
    let built = built.parent().context("where this command lies")?;
    let list = folder.join("requirements.txt");
    let packages = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let python = python::environment(&packages, &built.join("notebooks-venv"))?;
    let command = built.join(format!("crible{}", std::env::consts::EXE_SUFFIX));
    let mut fine = true;
    for notebook in notebooks(&folder)? {
        println!("notebook {}", notebook.display());
        let mut execute = Command::new(python.with_file_name("jupyter-execute"));
        execute.arg(CELL_SECONDS).arg(&notebook);
        execute.env("CRIBLE", &command).env("MPLBACKEND", "agg").stdin(Stdio::null());
        fine &= execute.status().context("cannot start jupyter-execute")?.success();
    }
    Ok(fine)
}

fn notebooks(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "ipynb") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
