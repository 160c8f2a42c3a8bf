//! One build: what `cargo run` compiles, and what the wheel's build does, has the features it has in the whole
//! workspace, tests and benches included. A dependency whose features differ would be compiled twice, and everything
//! above it: in our case Polars, which takes minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Finding;
use crate::command::cargo;

/// What is built alone: the default members, which are the command, and the wheel.
const ALONE: [(&str, &[&str]); 2] = [("the command", &[]), ("the wheel", &["--package", "crible-py"])];

/// Compares what is built alone, without its tests, to the workspace with all of its tests.
///
/// # Errors
/// Cargo cannot be started, or cannot resolve the dependencies.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let workspace = tree(root, &["--workspace", "--edges", "normal,build,dev"])?;
    let mut findings = Vec::new();
    for (what, chosen) in ALONE {
        let alone = tree(root, &[chosen, &["--edges", "normal,build"]].concat())?;
        findings
            .extend(differing(&workspace, &alone, what).into_iter().map(|what| Finding::new("Cargo.toml", None, what)));
    }
    Ok(findings)
}

/// A line `package|features` for every package.
fn tree(root: &Path, which: &[&str]) -> Result<String> {
    let mut command = cargo(root);
    command.args(["tree", "--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"]).args(which);
    let output = command.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn differing(workspace: &str, alone: &str, what: &str) -> Vec<String> {
    let mut features: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (package, of_it) in workspace.lines().filter_map(|line| line.split_once('|')) {
        features.entry(package).or_default().insert(of_it);
    }
    let mut findings: Vec<String> = alone
        .lines()
        .filter_map(|line| line.split_once('|'))
        // A package of ours, which is named with its folder, takes seconds; nothing of others is built on it.
        .filter(|(package, _)| !package.contains('('))
        .filter(|(package, ours)| features.get(package).is_some_and(|theirs| !theirs.contains(ours)))
        .map(|(package, ours)| {
            let theirs = features[package].iter().copied().collect::<Vec<_>>().join(" or ");
            format!(
                "{package} is compiled twice: with the features [{ours}] for {what} and [{theirs}] for the workspace; \
                 let crates/workspace-hack depend on it with the same"
            )
        })
        .collect();
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_features() {
        assert!(differing("a v1|std\nb v1|\nb v1|alloc\nc v2|x\n", "a v1|std\na v1|std\nb v1|\n", "it").is_empty());
    }

    #[test]
    fn packages_of_ours_may_have_features_for_tests() {
        assert!(differing("a v1 (/here/a)|drive\n", "a v1 (/here/a)|\n", "it").is_empty());
    }

    #[test]
    fn features_that_differ_are_named_once() {
        let [finding] = &differing("a v1|alloc,std\n", "a v1|std\na v1|std\n", "it")[..] else { panic!("one finding") };
        assert!(finding.starts_with("a v1 is compiled twice: with the features [std] for it and [alloc,std]"));
    }
}
