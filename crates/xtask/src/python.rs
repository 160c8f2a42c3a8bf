//! Environments of Python packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The Python of an environment with these packages, one a line. It is made anew when the list changes.
///
/// # Errors
/// Python cannot be started, or the packages cannot be installed.
pub(crate) fn environment(packages: &str, folder: &Path) -> Result<PathBuf> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let stamp = folder.join("installed.txt");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == packages) {
        return Ok(python);
    }
    let done = |command: &mut Command, what: &str| -> Result<()> {
        let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {what}"))?;
        if status.success() { Ok(()) } else { bail!("{what} failed: {status}") }
    };
    let interpreter = interpreter()?;
    done(Command::new(interpreter).args(["-m", "venv", "--clear"]).arg(folder), "python3 -m venv")?;
    let mut install = Command::new(&python);
    let list = folder.join("requirements.txt");
    fs::write(&list, packages).with_context(|| format!("cannot write {}", list.display()))?;
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
    done(&mut install, "pip install")?;
    fs::write(&stamp, packages).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}

/// The least Python that the packages run with.
const LEAST: &str = "3.11";

/// A Python that is new enough.
fn interpreter() -> Result<&'static str> {
    let is_enough = |name: &&str| {
        let asked = "import sys, venv; sys.exit(sys.version_info < (3, 11))";
        let status = Command::new(name).args(["-c", asked]).stdin(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let found = ["python3.11", "python3", "python"].into_iter().find(is_enough);
    found.with_context(|| format!("Python {LEAST} or later with its module venv is missing: install it, and try again"))
}
