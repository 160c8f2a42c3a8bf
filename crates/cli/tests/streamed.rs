//! Files read as a stream are scored as files that are held.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv")
}

fn crible(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crible")).current_dir(folder).env_remove("CRIBLE_KEY").args(args).output().unwrap()
}

/// Scores files into a folder; alerts, the scores' lines, and the messages.
fn score(folder: &TempDir, files: &[&str], more: &[&str]) -> (String, Vec<String>, String) {
    let out =
        crible(folder, &[&["score", "--all"], files, &["--out", "out", "--scores", "out/scores.csv"], more].concat());
    let log = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success(), "{log}");
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let scores = read("scores.csv").lines().map(str::to_owned).collect();
    let alerts = read("alerts.jsonl");
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    (alerts, scores, log)
}

/// The sample in three exports that overlap, one of them packed.
fn exports(folder: &TempDir) -> [&'static str; 3] {
    let text = fs::read_to_string(sample()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let part = |rows: std::ops::Range<usize>| format!("{}{}", lines[0], lines[1..][rows].concat());
    fs::write(folder.path().join("a.csv"), part(0..3_000)).unwrap();
    fs::write(folder.path().join("b.csv"), part(2_500..5_000)).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(part(4_000..lines.len() - 1).as_bytes()).unwrap();
    fs::write(folder.path().join("c.csv.gz"), packed.finish().unwrap()).unwrap();
    ["a.csv", "b.csv", "c.csv.gz"]
}

#[test]
fn a_stream_is_scored_to_the_byte_as_what_is_held() {
    let folder = TempDir::new().unwrap();
    let (file, exports) = (sample(), exports(&folder));
    for files in [&[file.to_str().unwrap()][..], &exports] {
        for more in [&["--budget", "5/day"][..], &["--fit-until", "2025-02-01", "--seed", "3"]] {
            let (alerts, mut scores, log) = score(&folder, files, more);
            assert!(alerts.lines().count() > 20, "{log}");
            scores[1..].sort();
            for hold in ["7000", "20000"] {
                for threads in ["1", "2"] {
                    let more = [more, &["--hold", hold, "--threads", threads]].concat();
                    let (streamed, mut in_time, told) = score(&folder, files, &more);
                    assert!(told.contains("counting") && !log.contains("counting"), "{told}");
                    assert!(streamed == alerts, "{files:?} {more:?}");
                    in_time[1..].sort();
                    assert!(in_time == scores, "{files:?} {more:?}");
                    let until_times = |log: &str| log.split("time: ").next().unwrap().to_owned();
                    assert_eq!(until_times(&told), until_times(&log));
                }
            }
        }
    }
}

#[test]
fn scores_stream_into_parquet() {
    use polars_io::SerReader;
    let folder = TempDir::new().unwrap();
    let file = sample();
    let args =
        ["score", "--all", file.to_str().unwrap(), "--hold", "2000", "--out", "out", "--scores", "scores.parquet"];
    assert!(crible(&folder, &args).status.success());
    let scores = fs::File::open(folder.path().join("scores.parquet")).unwrap();
    let frame = polars_io::parquet::read::ParquetReader::new(scores).finish().unwrap();
    assert_eq!(frame.height(), 6_516);
    assert!(frame.get_column_names().iter().any(|name| name.as_str() == "view_amount"));
    let rows: Vec<i64> = frame.column("row").unwrap().i64().unwrap().into_no_null_iter().collect();
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..6_516).collect::<Vec<i64>>());
}

#[test]
fn rows_that_come_too_late_are_told() {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string(sample()).unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    // Newest first, and more rows than are held.
    lines[1..].reverse();
    let mut long = lines.concat();
    while long.len() < 5 << 20 {
        long.push_str(&lines[1..].concat());
    }
    fs::write(folder.path().join("long.csv"), &long).unwrap();
    let out = crible(&folder, &["score", "--all", "long.csv", "--hold", "6000", "--out", "out"]);
    let log = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success(), "{log}");
    assert!(log.contains("too late") && log.contains("out/rejects.csv"), "{log}");
    let rejects = fs::read_to_string(folder.path().join("out/rejects.csv")).unwrap();
    assert!(rejects.contains("it comes too late"), "{}", &rejects[..400]);
}

#[test]
fn a_stream_of_nothing_is_unusable() {
    let folder = TempDir::new().unwrap();
    let header = fs::read_to_string(sample()).unwrap().lines().next().unwrap().to_owned();
    fs::write(folder.path().join("in.csv"), format!("{header}\nnot,a,row\n")).unwrap();
    let out = crible(&folder, &["score", "--all", "in.csv", "--hold", "100", "--out", "out"]);
    let log = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{log}");
    assert!(log.contains("no transaction could be read from 1 file(s): 1 of 1 rows were rejected"), "{log}");
    assert!(!folder.path().join("out/alerts.jsonl").exists());
    assert!(
        fs::read_to_string(folder.path().join("out/rejects.csv")).unwrap().contains("xxx,x,xxx"),
        "of a row that is none its shape is shown"
    );
}
