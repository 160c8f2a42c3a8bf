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
    done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder), "python3 -m venv")?;
    let mut install = Command::new(&python);
    let list = folder.join("requirements.txt");
    fs::write(&list, packages).with_context(|| format!("cannot write {}", list.display()))?;
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
    done(&mut install, "pip install")?;
    fs::write(&stamp, packages).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
