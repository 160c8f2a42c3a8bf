//! The example of the engine's README, pasted into a crate of its own outside the workspace, built and run: what
//! somebody who embeds the engine does first. A doc test does not show that it builds there, with the dependencies that
//! a reader would add.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::command::cargo;

/// Builds and runs it; whether both went well.
///
/// # Errors
/// The README has no example, or cargo cannot be started.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let readme = root.join("crates/engine/README.md");
    let text = fs::read_to_string(&readme).with_context(|| readme.display().to_string())?;
    let example = example(&text).with_context(|| format!("{} has no example with a main", readme.display()))?;
    // Beside the workspace's own builds, so that what others have compiled is used again.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    let folder = target.join("outside");
    fs::create_dir_all(folder.join("src")).with_context(|| folder.display().to_string())?;
    fs::write(folder.join("src/main.rs"), example)?;
    fs::write(folder.join("Cargo.toml"), manifest(root))?;
    // The versions that the workspace was tested with; nothing has to be asked of a registry.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let mut command = cargo(root);
    command.current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target")).args(["run", "--release", "--quiet"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    // A verdict, and a reason a line.
    let is_explained = said.lines().count() > 1;
    ensure!(!output.status.success() || is_explained, "the example ran and gave no reason: {said}");
    Ok(output.status.success())
}

/// The first Rust block with a `main`.
fn example(readme: &str) -> Option<&str> {
    let blocks = readme.split("```rust\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    blocks.into_iter().find(|block| block.contains("fn main()"))
}

/// A package of its own: it depends on the engine and on nothing else, and is no member of the workspace.
fn manifest(root: &Path) -> String {
    let engine = root.join("crates/engine");
    format!(
        "[package]\nname = \"outside\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [workspace]\n\n[dependencies]\ncrible = {{ path = {engine:?} }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_block_with_a_main() {
        let readme = "text\n```rust\nlet a = 1;\n```\n```toml\nfn main() {}\n```\n```rust\nfn main() {}\n```\nend";
        assert_eq!(example(readme), Some("fn main() {}"));
        assert_eq!(example("nothing"), None);
    }
}
