//! Every test the project has.
//!
//! The tests run with the release profile and the features of the whole workspace, as `cargo run --release` has them
//! (the rule "one build" of tidy): no dependency is compiled twice. Clippy and rustdoc are the exception, because they
//! read metadata that no build leaves behind; they type-check every dependency once, which is most of what they cost on
//! a cold machine. Clippy covers benches and examples too, so they are not linked just to see whether they compile.
//!
//! Then they run once more with the profile `checked`, which [`checked`] does alone: debug assertions, overflow checks, and the narrowest
//! vector instructions of the processor, which must give the bits that the widest gave. Polars would take its minutes a
//! second time there, so what needs it is left out: the command, the benches, and Parquet in `ingest`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::command::cargo;
use crate::deny;
use crate::outside;
use crate::postgres;
use crate::tally::Tally;
use crate::tidy;
use crate::wheel::Wheel;

/// Where tests look for public data sets.
const DATA: &str = "CRIBLE_DATA";

/// What proptest draws its cases from.
const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";

/// Switches the wider instructions off in `fearless_simd`'s dispatch: what is left is SSE2, which every x86-64
/// processor has. Elsewhere they change nothing.
const NARROW: &str = "--cfg disable_dispatch_avx512 --cfg disable_dispatch_avx2 --cfg disable_dispatch_sse4_2";

/// Goes through all checks, whichever fail, and sums up. The last line is `N passed, N failed`, of cargo's tests and pytest's.
///
/// # Errors
/// Cargo cannot be started, or the repository cannot be read.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let mut tally = Tally::default();
    let mut checks = Checks::default();
    checks.run("format", || status(root, &["fmt", "--all", "--check", "--", "-l"]))?;
    checks.run("tidy", || tidy::run(root))?;
    let clippy = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    checks.run("clippy", || status(root, &clippy))?;
    checks.run("doc", || doc(root))?;
    checks.run("deny", || deny::run(root, &mut tally.skipped))?;
    postgres::provide();
    checks.run("tests", || tests(cargo(root), root, &["--release", "--workspace"], &mut tally))?;
    checks.run("checked", || narrow_tests(root, &mut tally))?;
    checks.run("outside", || outside::run(root))?;
    // After the tests, which built the command.
    wheel(root, &mut checks, &mut tally)?;

    Ok(summed_up(&checks, &tally))
}

/// The tests with debug assertions, overflow checks and the narrowest instructions.
///
/// # Errors
/// Cargo cannot be started.
pub(crate) fn checked(root: &Path) -> Result<bool> {
    let mut tally = Tally::default();
    let mut checks = Checks::default();
    checks.run("checked", || narrow_tests(root, &mut tally))?;
    Ok(summed_up(&checks, &tally))
}

/// The Python package alone.
///
/// # Errors
/// Cargo or Python cannot be started.
pub(crate) fn python(root: &Path) -> Result<bool> {
    let mut tally = Tally::default();
    let mut checks = Checks::default();
    // Its tests compare it to the command.
    checks.run("command", || status(root, &["build", "--release", "--package", "crible-cli"]))?;
    wheel(root, &mut checks, &mut tally)?;
    Ok(summed_up(&checks, &tally))
}

/// Builds the wheel, and runs what is tried with it.
fn wheel(root: &Path, checks: &mut Checks, tally: &mut Tally) -> Result<()> {
    let mut wheel = None;
    checks.run("wheel", || {
        wheel = Wheel::build(root)?;
        Ok(wheel.is_some())
    })?;
    let Some(wheel) = wheel else { return Ok(()) };
    checks.run("pytest", || wheel.test(root, std::env::var_os(DATA).as_deref(), tally))?;
    checks.run("notebooks", || wheel.notebooks(root))?;
    checks.run("site", || wheel.site(root))
}

fn narrow_tests(root: &Path, tally: &mut Tally) -> Result<bool> {
    let without_polars = [
        "--workspace",
        "--exclude",
        "crible-cli",
        "--exclude",
        "crible-py",
        "--exclude",
        "crible-benches",
        "--no-default-features",
    ];
    let chosen = [&["--profile", "checked"][..], &without_polars].concat();
    tests(narrow(root), root, &chosen, tally)
}

/// Prints what was skipped, what failed and how long each check took; whether all passed.
fn summed_up(checks: &Checks, tally: &Tally) -> bool {
    println!();
    for reason in &tally.skipped {
        println!("skipped: {reason}");
    }
    for name in &tally.failures {
        println!("failed: {name}");
    }
    if tally.ignored > 0 {
        println!("{} ignored", tally.ignored);
    }
    for (name, passed, took) in &checks.done {
        println!("{name:<9} {:<6} {:>7.1} s", if *passed { "ok" } else { "FAILED" }, took.as_secs_f64());
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    checks.done.iter().all(|(_, passed, _)| *passed)
}

#[derive(Default)]
struct Checks {
    done: Vec<(&'static str, bool, Duration)>,
}

impl Checks {
    fn run(&mut self, name: &'static str, check: impl FnOnce() -> Result<bool>) -> Result<()> {
        println!("== {name}");
        let start = now();
        let passed = check().with_context(|| format!("check {name}"))?;
        self.done.push((name, passed, now().duration_since(start)));
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "durations are shown to a person; no result depends on them")]
fn now() -> Instant {
    Instant::now()
}

fn status(root: &Path, arguments: &[&str]) -> Result<bool> {
    let status = cargo(root).args(arguments).stdin(Stdio::null()).status().context("cannot start cargo")?;
    Ok(status.success())
}

/// Documentation without a warning, links to private items and broken ones among them.
fn doc(root: &Path) -> Result<bool> {
    let mut command = cargo(root);
    command.args(["doc", "--release", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings");
    Ok(command.stdin(Stdio::null()).status().context("cannot start cargo")?.success())
}

/// Cargo that builds for the narrowest vector instructions.
fn narrow(root: &Path) -> Command {
    let mut command = cargo(root);
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{given} {NARROW}").trim());
    command
}

/// Runs the tests of the packages chosen.
fn tests(mut command: Command, root: &Path, chosen: &[&str], tally: &mut Tally) -> Result<bool> {
    command.arg("test").args(chosen).args(["--no-fail-fast", "--", "--show-output"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    if let Some(data) = std::env::var_os(DATA) {
        command.env(DATA, absolute(root, &data));
    }
    // Properties are tried on the same cases on every machine; set the variable to see others.
    if std::env::var_os(PROPTEST_SEED).is_none() {
        command.env(PROPTEST_SEED, "20261124");
    }
    let mut child = command.spawn().context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut shown = std::io::stdout().lock();
    // What a test prints may be any bytes, and one that is no text must not cost the results after it.
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read what cargo prints")?;
        let line = String::from_utf8_lossy(&line);
        if tally.line(line.trim_end_matches('\r')) {
            writeln!(shown, "{line}").context("cannot print")?;
        }
    }
    Ok(child.wait().context("cannot wait for cargo")?.success())
}

/// Tests run in the folder of their package, where a relative path would lead elsewhere.
fn absolute(root: &Path, folder: &OsStr) -> PathBuf {
    root.join(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_found_from_every_package() {
        let root = Path::new("/clone");
        assert_eq!(absolute(root, OsStr::new("../data")), Path::new("/clone/../data"));
        assert_eq!(absolute(root, OsStr::new("/data")), Path::new("/data"));
    }

    #[test]
    fn one_failed_check_does_not_stop_the_others() {
        let mut checks = Checks::default();
        for (name, passes) in [("a", false), ("b", true)] {
            checks.run(name, || Ok(passes)).unwrap();
        }
        assert_eq!(
            checks.done.iter().map(|(name, passed, _)| (*name, *passed)).collect::<Vec<_>>(),
            [("a", false), ("b", true)]
        );
    }
}
