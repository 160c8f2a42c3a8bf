//! The Python package: its wheel, built with the profile and the target folder of everything else, and what is run with
//! it: its tests, the notebooks, and the build of the documentation's site.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::command::cargo;
use crate::python;
use crate::tally::Tally;

/// Packages of the environment, one a line.
pub(crate) const LIST: &str = "crates/py/tests/requirements.txt";

/// An environment with the wheel in it.
pub(crate) struct Wheel {
    /// Its Python.
    python: PathBuf,
    /// The command built beside this one.
    command: PathBuf,
}

impl Wheel {
    /// Builds the wheel and installs it where all it is tried with is; nothing where it could not be built.
    ///
    /// # Errors
    /// Python cannot be started, or the packages cannot be installed.
    pub(crate) fn build(root: &Path) -> Result<Option<Self>> {
        let built = std::env::current_exe().context("where this command lies")?;
        let built = built.parent().context("where this command lies")?;
        let list = root.join(LIST);
        let packages = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let python = python::environment(&packages, &built.join("python-venv"))?;
        let wheels = built.join("wheels");
        if wheels.exists() {
            fs::remove_dir_all(&wheels).with_context(|| wheels.display().to_string())?;
        }
        // The release profile and the folder of the other builds: nothing is compiled twice.
        let mut maturin = maturin(root, &python);
        maturin.args(["build", "--release", "--locked", "--compatibility", "linux", "--interpreter"]).arg(&python);
        maturin.arg("--out").arg(&wheels).env("CARGO_TARGET_DIR", built.parent().context("where targets lie")?);
        if !maturin.status().context("cannot start maturin")?.success() {
            return Ok(None);
        }
        let mut install = Command::new(&python);
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--force-reinstall",
            "--no-deps",
        ]);
        install.args(files(&wheels, "whl")?).stdin(Stdio::null());
        let is_installed = install.status().context("cannot start pip")?.success();
        let command = built.join(format!("crible{}", std::env::consts::EXE_SUFFIX));
        Ok(is_installed.then_some(Self { python, command }))
    }

    /// A program of the environment, in the folder of the package, that finds the command and opens no window.
    fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.python.with_file_name(name));
        program.env("CRIBLE", &self.command).env("MPLBACKEND", "agg").stdin(Stdio::null());
        program
    }

    /// Runs the package's tests, the examples of docstrings among them.
    ///
    /// # Errors
    /// pytest cannot be started.
    pub(crate) fn test(&self, root: &Path, data: Option<&OsStr>, tally: &mut Tally) -> Result<bool> {
        let mut pytest = self.program("pytest");
        pytest.args(["-rs", "--no-header", "-p", "no:cacheprovider"]).current_dir(root.join("crates/py"));
        if let Some(data) = data {
            pytest.env("CRIBLE_DATA", root.join(data));
        }
        let output = pytest.stderr(Stdio::inherit()).output().context("cannot start pytest")?;
        let said = String::from_utf8_lossy(&output.stdout);
        print!("{said}");
        let (passed, failed) = counts(&said);
        (tally.passed, tally.failed) = (tally.passed + passed, tally.failed + failed);
        tally.skipped.extend(skipped(&said));
        Ok(output.status.success())
    }

    /// Executes every notebook from clean; nothing is written back.
    ///
    /// # Errors
    /// The notebooks cannot be listed, or Jupyter cannot be started.
    pub(crate) fn notebooks(&self, root: &Path) -> Result<bool> {
        let mut fine = true;
        for notebook in files(&root.join("notebooks"), "ipynb")? {
            println!("notebook {}", notebook.display());
            let mut execute = self.program("jupyter-execute");
            fine &=
                execute.arg(CELL_SECONDS).arg(&notebook).status().context("cannot start jupyter-execute")?.success();
        }
        Ok(fine)
    }

    /// Builds the documentation's site; whatever it warns of fails it.
    ///
    /// # Errors
    /// mkdocs cannot be started.
    pub(crate) fn site(&self, root: &Path) -> Result<bool> {
        let place = self.command.with_file_name("site");
        let mut mkdocs = self.program("mkdocs");
        mkdocs.args(["build", "--strict", "--quiet", "--site-dir"]).arg(&place).current_dir(root);
        // What comes after it is news about another program.
        mkdocs.env("NO_MKDOCS_2_WARNING", "1");
        Ok(mkdocs.status().context("cannot start mkdocs")?.success())
    }
}

/// maturin of an environment, in the folder of the package, without what `cargo run` sets for xtask itself.
pub(crate) fn maturin(root: &Path, python: &Path) -> Command {
    let mut maturin = Command::new(python.with_file_name("maturin"));
    maturin.current_dir(root.join("crates/py")).stdin(Stdio::null());
    for (name, _) in cargo(root).get_envs().filter(|(_, value)| value.is_none()) {
        maturin.env_remove(name);
    }
    maturin
}

/// The longest a cell may take, in seconds.
const CELL_SECONDS: &str = "--timeout=300";

/// Files of a folder with an ending, in order.
pub(crate) fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// How many tests passed and failed, by pytest's last line: `2 failed, 140 passed, 1 skipped in 60.1s`. What could not
/// be collected has failed.
fn counts(said: &str) -> (u64, u64) {
    let last = said.lines().rev().find(|line| is_last(line)).unwrap_or("");
    let words: Vec<&str> = last.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let count = |what: &[&str]| {
        let named = words.windows(2).filter(|pair| what.contains(&pair[1]));
        named.filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
    };
    (count(&["passed"]), count(&["failed", "error", "errors"]))
}

/// Whether a line closes a run.
fn is_last(line: &str) -> bool {
    line.contains(" in ") && ["passed", "failed", "error"].iter().any(|what| line.contains(what))
}

/// Why tests were skipped, by pytest's lines `SKIPPED [1] tests/a.py:9: reason`.
fn skipped(said: &str) -> BTreeSet<String> {
    let reason = |line: &str| Some(line.strip_prefix("SKIPPED ")?.split_once(": ")?.1.to_owned());
    said.lines().filter_map(reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pytest_s_last_line_is_counted() {
        assert_eq!(counts("....\n140 passed in 60.12s\n"), (140, 0));
        assert_eq!(counts("2 failed, 140 passed, 1 skipped, 3 warnings in 60.12s (0:01:00)\n"), (140, 2));
        assert_eq!(counts("F\n1 error in 0.10s\n"), (0, 1));
        assert_eq!(counts(""), (0, 0));
    }

    #[test]
    fn reasons_of_skips_are_told() {
        let said = "x\nSKIPPED [2] tests/conftest.py:41: CRIBLE_DATA names: no folder\n1 passed, 2 skipped in 1.0s";
        assert_eq!(skipped(said).into_iter().collect::<Vec<_>>(), ["CRIBLE_DATA names: no folder"]);
    }
}
