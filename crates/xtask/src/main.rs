//! Repository chores.
//!
//! `cargo xtask test` runs every test the project has; `cargo xtask tidy` checks what clippy can't.

// In tests, what cannot be unwrapped should fail.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod command;
mod deny;
mod outside;
mod postgres;
mod python;
mod sdist;
mod tally;
mod test;
mod tidy;
mod wheel;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask <chore>

  test    every test the project has: format, tidy, clippy, rustdoc, cargo-deny, cargo test, checked, outside, and the
          Python package: its wheel, tests, notebooks and the documentation's site
  checked the tests that need no Polars, with debug assertions, overflow checks and the narrowest vector instructions
  tidy    what clippy can't check: dependency direction, file length, documented presets, …
  python  the Python package alone
  sdist   the Python package from source: pip builds its source distribution in a new environment, and scores with
          it (minutes; no part of `test`)
  outside the README's example in a crate outside the workspace, built and run

Tests on public data sets look for them in the folder CRIBLE_DATA names, and are skipped without it.
";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether the chore found everything in order.
fn run() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::run(&root()?),
        ["checked"] => test::checked(&root()?),
        ["tidy"] => tidy::run(&root()?),
        ["python"] => test::python(&root()?),
        ["sdist"] => sdist::run(&root()?),
        ["outside"] => outside::run(&root()?),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(true)
        }
        _ => bail!("no such chore: {:?}\n\n{USAGE}", arguments.join(" ")),
    }
}

/// The folder of the workspace. Asked for when running and not when compiling: a cached binary may serve another clone.
fn root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
    PathBuf::from(package).join("../..").canonicalize().context("the folder of the workspace")
}
