//! What the command does to files: outputs appear whole or not at all, and nothing that is read is overwritten.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const HEADER: &str = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO";

fn export(rows: usize) -> String {
    let row = |i: usize| {
        let (day, hour, customer, amount) = (1 + i / 4 % 28, 6 + i % 12, 7_700_001 + i % 8, 10 + (i * 7) % 31);
        format!("{i},2018-04-{day:02} {hour:02}:00:00,{customer},{},{amount}.50,0,0,0,0\n", 8_800_001 + i % 5)
    };
    format!("{HEADER}\n{}", (0..rows).map(row).collect::<String>())
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crible"));
    command.current_dir(folder).env_remove("CRIBLE_KEY").env_remove("CRIBLE_PRESETS");
    command
}

fn crible(folder: &Path, args: &[&str]) -> Output {
    command(folder).args(args).output().unwrap()
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Names of all files but those that are read.
fn left(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "in.csv" && name != "key").collect();
    names.sort();
    names
}

#[test]
fn nothing_that_is_read_is_overwritten_and_no_output_by_another() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("in.csv"), export(40)).unwrap();
    fs::write(folder.join("key"), "0123456789abcdef0123456789abcdef").unwrap();
    fs::write(folder.join("config.toml"), "seed = 1\n").unwrap();
    fs::write(folder.join("map.toml"), "account = \"CUSTOMER_ID\"\n").unwrap();
    let (new, old) = ("a1".repeat(32), "b2".repeat(32));
    fs::write(folder.join("keys"), format!("# crible keys\n2026 = {new}\n2025 = {old}\n")).unwrap();
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join("data/a.csv"), export(20)).unwrap();
    fs::write(folder.join("table.csv"), "a,b\n1,2\n3,4\n5,9\n").unwrap();
    let before = |name: &str| fs::read(folder.join(name)).unwrap();
    let read: Vec<_> = ["in.csv", "key", "keys", "config.toml", "map.toml", "data/a.csv", "table.csv"]
        .map(|name| (name, before(name)))
        .into();
    let refused = |args: &[&str]| {
        let done = crible(folder, args);
        let log = log(&done);
        assert!(!done.status.success(), "{args:?}");
        assert!(log.contains("would overwrite") || log.contains("is the file of"), "{args:?}: {log}");
        assert!(read.iter().all(|(name, bytes)| before(name) == *bytes), "{args:?}");
    };
    refused(&["score", "--all", "in.csv", "--out", "./in.csv"]);
    refused(&["score", "--all", "in.csv", "--scores", "in.csv"]);
    refused(&["score", "--all", "in.csv", "--rejects", "in.csv"]);
    refused(&["score", "--all", "data", "--scores", "data/a.csv"]);
    refused(&["score", "--all", "d*/*.csv", "--scores", "data/a.csv"]);
    refused(&["score", "--all", "in.csv", "--key-file", "key", "--rejects", "key"]);
    refused(&["score", "--all", "in.csv", "--config", "config.toml", "--rejects", "config.toml"]);
    refused(&["score", "--all", "in.csv", "--map", "map.toml", "--rejects", "map.toml"]);
    refused(&["score", "--all", "in.csv", "--out", "a.csv", "--scores", "a.csv"]);
    refused(&["score", "--all", "in.csv", "--out", "a.csv", "--rejects", "a.csv"]);
    refused(&["score", "--all", "in.csv", "--scores", "crible-rejects.csv"]);
    refused(&["rekey", "--in", "in.csv", "--key-file", "keys", "--out", "keys"]);
    refused(&["detect", "table.csv", "--out", "table.csv"]);
    refused(&["detect", "in.csv", "--fit", "table.csv", "--out", "table.csv"]);
}

#[test]
fn a_run_that_fails_leaves_what_was_there() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("in.csv"), export(40)).unwrap();
    fs::write(folder.join("empty.csv"), format!("{HEADER}\n")).unwrap();
    for name in ["a.jsonl", "s.parquet", "a.rejects.csv"] {
        fs::write(folder.join(name), "yesterday").unwrap();
    }
    let yesterday = || {
        ["a.jsonl", "s.parquet", "a.rejects.csv"]
            .iter()
            .all(|name| fs::read_to_string(folder.join(name)).unwrap() == "yesterday")
    };
    let done = crible(folder, &["score", "--all", "empty.csv", "--out", "a.jsonl", "--scores", "s.parquet"]);
    assert_eq!(done.status.code(), Some(2));
    // Scores cannot be written, so alerts do not appear either.
    fs::create_dir(folder.join("taken.csv")).unwrap();
    let done = crible(folder, &["score", "--all", "in.csv", "--out", "a.jsonl", "--scores", "taken.csv"]);
    assert_eq!(done.status.code(), Some(1), "{}", log(&done));
    assert!(yesterday());
    assert_eq!(left(folder), ["a.jsonl", "a.rejects.csv", "empty.csv", "s.parquet", "taken.csv"]);
    let done = crible(folder, &["score", "--all", "in.csv", "--out", "a.jsonl", "--scores", "s.parquet"]);
    assert!(done.status.success(), "{}", log(&done));
    assert_ne!(fs::read(folder.join("a.jsonl")).unwrap(), b"yesterday");
    assert!(fs::read(folder.join("s.parquet")).unwrap().starts_with(b"PAR1"));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;
    use std::os::unix::process::ExitStatusExt;
    use std::time::Duration;

    use super::*;

    /// A device that is always full stands for a disk that is: every write to it fails with that error, in every form.
    #[test]
    fn a_full_disk_is_an_error() {
        if !Path::new("/dev/full").exists() {
            return;
        }
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        fs::write(folder.join("in.csv"), export(40)).unwrap();
        fs::write(folder.join("bad.csv"), format!("{}nothing,of,this\n", export(40))).unwrap();
        fs::write(folder.join("table.csv"), "a,b\n1,2\n3,4\n5,9\n").unwrap();
        for name in ["full.csv", "full.jsonl", "full.parquet"] {
            symlink("/dev/full", folder.join(name)).unwrap();
        }
        for args in [
            &["score", "--all", "in.csv", "--out", "full.jsonl"][..],
            &["score", "--all", "in.csv", "--out", "full.csv"],
            &["score", "--all", "in.csv", "--out", "full.parquet"],
            &["score", "--all", "in.csv", "--out", "a.jsonl", "--scores", "full.csv"],
            &["score", "--all", "in.csv", "--out", "a.jsonl", "--scores", "full.parquet"],
            &["score", "--all", "in.csv", "--out", "a.jsonl", "--scores", "full.csv", "--hold", "10"],
            &["score", "--all", "in.csv", "--out", "a.jsonl", "--scores", "full.parquet", "--hold", "10"],
            &["score", "--all", "bad.csv", "--out", "a.jsonl", "--rejects", "full.csv"],
            &["simulate", "--accounts", "3", "--days", "3", "--out", "full.csv"],
            &["detect", "table.csv", "--out", "full.csv"],
            &["detect", "table.csv", "--out", "full.parquet"],
        ] {
            let done = crible(folder, args);
            assert_eq!(done.status.code(), Some(1), "{args:?}: {}", log(&done));
            assert!(log(&done).contains("No space left"), "{args:?}: {}", log(&done));
            assert!(!folder.join("a.jsonl").exists(), "{args:?}");
        }
    }

    /// A file that grows past what the user may write ends in an error, with the file before in its place.
    #[test]
    fn a_file_too_large_leaves_the_one_before() {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        fs::write(folder.join("s.csv"), "yesterday").unwrap();
        let line = format!(
            "ulimit -f 64; exec {} simulate --accounts 200 --days 60 --out s.csv",
            env!("CARGO_BIN_EXE_crible")
        );
        let done = Command::new("sh").current_dir(folder).args(["-c", &line]).output().unwrap();
        assert!(!done.status.success());
        assert_eq!(fs::read(folder.join("s.csv")).unwrap(), b"yesterday");
        assert_eq!(left(folder), ["s.csv"], "{}", log(&done));
    }

    /// Asked to stop in the middle of a file, the command takes away what it has begun.
    #[test]
    fn a_signal_leaves_the_file_before_and_nothing_else() {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        fs::write(folder.join("s.csv"), "yesterday").unwrap();
        for signal in ["TERM", "INT", "HUP"] {
            let args = ["simulate", "--accounts", "200000", "--days", "365", "--out", "s.csv"];
            let mut running = command(folder).args(args).spawn().unwrap();
            for _ in 0..600 {
                if left(folder).len() > 1 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(left(folder).len(), 2, "a file beside is under way");
            let kill = Command::new("kill").args([&format!("-{signal}"), &running.id().to_string()]).status();
            assert!(kill.unwrap().success());
            let status = running.wait().unwrap();
            assert!(status.signal().is_some(), "{signal}: {status}");
            assert_eq!(left(folder), ["s.csv"]);
            assert_eq!(fs::read(folder.join("s.csv")).unwrap(), b"yesterday");
        }
    }

    #[test]
    fn what_is_no_file_is_written_to_as_it_is() {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        fs::write(folder.join("in.csv"), export(40)).unwrap();
        let done = crible(folder, &["score", "--all", "in.csv", "--out", "/dev/stdout"]);
        assert!(done.status.success(), "{}", log(&done));
        let plain = crible(folder, &["score", "--all", "in.csv"]);
        assert!(!plain.stdout.is_empty() && plain.stdout == done.stdout);
        assert!(Path::new("/dev/stdout").exists());
    }
}
