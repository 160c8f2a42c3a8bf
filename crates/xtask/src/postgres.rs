//! PostgreSQL for the tests of the store: they start a server of their own, and skip where its programs are not there.

use std::path::Path;
use std::process::{Command, Stdio};

/// A server that is there already, for the tests to make databases in.
const SERVER: &str = "CRIBLE_TEST_POSTGRES";

/// Installs Debian's package where that may be done and is needed. Where it cannot be had, the tests say that they skip.
pub(crate) fn provide() {
    if std::env::var_os(SERVER).is_some() || is_installed() {
        return;
    }
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let may = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !may || !run("apt-get", &["--version"]) {
        return;
    }
    println!("installing PostgreSQL for the tests of the store");
    let install = || run("apt-get", &["install", "--yes", "--no-install-recommends", "postgresql-15"]);
    if !install() {
        let _updated = run("apt-get", &["update"]) && install();
    }
}

/// Whether the programs are where the tests look for them.
fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let has = |folder: &Path| folder.join("initdb").exists() && folder.join("postgres").exists();
    std::env::split_paths(&path).any(|folder| has(&folder))
        || debian.into_iter().any(|version| has(&version.path().join("bin")))
}
