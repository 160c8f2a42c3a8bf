//! Cargo, called from within `cargo run`.

use std::path::Path;
use std::process::Command;

/// Cargo in the folder of the workspace, without what `cargo run` sets for xtask itself: a build script that looked at
/// it would be run again, and what follows from it built again.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}
