//! The command, end to end: real files in, real files out.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

#[path = "cli/feeds.rs"]
mod feeds;

const HANDBOOK: &str = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO";

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv")
}

/// Runs the command in a folder of its own, without a key from the environment.
fn crible(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crible"))
        .current_dir(folder)
        .env_remove("CRIBLE_KEY")
        .env_remove("CRIBLE_PRESETS")
        .args(args)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    text(&fs::read(path).unwrap()).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Forty good Handbook rows of eight customers.
fn handbook_rows() -> Vec<String> {
    (0..40)
        .map(|i| {
            let (day, hour, customer, amount) = (1 + i / 4, 6 + i % 12, 7_700_001 + i % 8, 10 + (i * 7) % 31);
            let terminal = 8_800_001 + i % 5;
            format!("{i},2018-04-{day:02} {hour:02}:00:00,{customer},{terminal},{amount}.50,0,0,0,0")
        })
        .collect()
}

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), bytes).unwrap();
}

fn handbook(rows: &[String]) -> String {
    format!("{HANDBOOK}\n{}\n", rows.join("\n"))
}

#[test]
fn an_export_becomes_ranked_explained_alerts() {
    let folder = TempDir::new().unwrap();
    let file = sample();
    let out = crible(
        &folder,
        &["score", "--all", file.to_str().unwrap(), "--budget", "5/day", "--out", "a", "--scores", "s.csv"],
    );
    let log = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{log}");
    assert!(log.contains("rows read 6516 = accepted 6516 + already known 0 + rejected 0"), "{log}");
    assert!(log.contains("reading") && log.contains("scoring"), "{log}");
    assert!(!folder.path().join("a/rejects.csv").exists());

    let alerts = lines(&folder.path().join("a/alerts.jsonl"));
    assert!(alerts.len() > 100, "{}", alerts.len());
    let mut seen = HashSet::new();
    for alert in &alerts {
        assert_eq!(alert["schema"], "crible.alert/1");
        assert!(alert["rank"].as_u64().unwrap() <= 5);
        assert!(!alert["reasons"].as_array().unwrap().is_empty());
        assert!(alert["source"]["row"].as_u64().unwrap() < 6_516);
        assert_eq!(alert["source"]["file"], file.to_str().unwrap());
        assert!(seen.insert(alert["id"].as_str().unwrap().to_owned()), "an id twice");
    }
    let of_a_day = |a: &Value| (a["account"].to_string(), a["day"].to_string());
    assert_eq!(alerts.iter().map(of_a_day).collect::<HashSet<_>>().len(), alerts.len(), "one an account and day");

    let mut scores = csv::Reader::from_path(folder.path().join("s.csv")).unwrap();
    let header: Vec<_> = scores.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[..5], ["row", "id", "score", "tail", "view_amount"]);
    assert!(header[4..].iter().all(|name| name.starts_with("view_")), "{header:?}");
    let rows: Vec<_> = scores.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 6_516);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row[0].parse::<usize>().unwrap(), i);
        assert!(row.iter().skip(2).all(|x| x.parse::<f64>().unwrap().is_finite()));
    }
    // An alert's row, score and reference are the scores file's.
    let alert = &alerts[0];
    let row = &rows[alert["source"]["row"].as_u64().unwrap() as usize];
    assert_eq!(row[1], *alert["transaction"].as_str().unwrap());
    assert_eq!(row[2].parse::<f64>().unwrap(), alert["score"].as_f64().unwrap());
}

/// What was realised of each tail, by week, is what `--scores` says of the same rows, held and streamed alike.
#[test]
fn drift_counts_what_the_scores_say() {
    let folder = TempDir::new().unwrap();
    let file = sample();
    for (name, more) in [("held", &[][..]), ("streamed", &["--hold", "1000"][..])] {
        let (json, table, scores) = (format!("{name}.json"), format!("{name}.txt"), format!("{name}.csv"));
        for (drift, scores) in [(&json, &scores), (&table, &format!("{name}-again.csv"))] {
            let args = ["score", file.to_str().unwrap(), "--out", name, "--drift", drift, "--scores", scores];
            let out = crible(&folder, &[&args[..], more].concat());
            assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        }
        let drift: Value = serde_json::from_slice(&std::fs::read(folder.path().join(&json)).unwrap()).unwrap();
        let weeks = drift["weeks"].as_array().unwrap();
        let scored: u64 = weeks.iter().map(|week| week["scored"].as_u64().unwrap()).sum();
        let realised = |i: usize| weeks.iter().map(|week| week["realised"][i].as_u64().unwrap()).sum::<u64>();
        let mut scores = csv::Reader::from_path(folder.path().join(&scores)).unwrap();
        let tails: Vec<f64> = scores.records().map(|row| row.unwrap()[3].parse().unwrap()).collect();
        assert!(weeks.len() > 2 && scored > 1_000 && scored < tails.len() as u64, "{scored} in {} weeks", weeks.len());
        // The sample is in order of time, and what is left out are its first days.
        let warm = &tails[tails.len() - scored as usize..];
        for (i, nominal) in [0.1, 1e-2, 1e-3, 1e-4].into_iter().enumerate() {
            assert_eq!(realised(i), warm.iter().filter(|tail| **tail <= nominal).count() as u64, "{nominal}");
        }
        let table = std::fs::read_to_string(folder.path().join(&table)).unwrap();
        assert_eq!(table.lines().count(), weeks.len() + 1, "{table}");
    }
    let same = |end: &str| {
        ["held", "streamed"].map(|name| std::fs::read(folder.path().join(format!("{name}.{end}"))).unwrap())
    };
    for end in ["json", "txt"] {
        let [held, streamed] = same(end);
        assert!(held == streamed, "{end}");
    }
    let out = crible(&folder, &["score", file.to_str().unwrap(), "--drift", "s.csv", "--scores", "s.csv"]);
    let log = text(&out.stderr);
    assert!(out.status.code() == Some(1) && log.contains("--drift s.csv is the file of --scores, too"), "{log}");
}

/// Columns chosen in TOML change the scores, held and streamed alike; a name that is none ends the run before it
/// writes.
#[test]
fn columns_are_chosen_in_a_file() {
    let folder = TempDir::new().unwrap();
    let file = sample();
    write(&folder, "more.toml", "[columns]\nadd = [\"account_equal_amounts_7d\"]\ndrop = [\"amount\"]\n");
    write(&folder, "wrong.toml", "[columns]\nadd = [\"amuont\"]\n");
    for (out, more) in
        [("a", &[][..]), ("b", &["--config", "more.toml"]), ("c", &["--config", "more.toml", "--hold", "3000"])]
    {
        let scores = format!("{out}.csv");
        let args = [&["score", "--all", file.to_str().unwrap(), "--out", out, "--scores", &scores], more].concat();
        let run = crible(&folder, &args);
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    }
    // A stream's scores are in order of time.
    let read = |name: &str| {
        let mut lines: Vec<_> = text(&fs::read(folder.path().join(name)).unwrap()).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_ne!(read("a.csv"), read("b.csv"));
    assert!(read("b.csv") == read("c.csv"));

    let run = crible(&folder, &["score", "--all", file.to_str().unwrap(), "--config", "wrong.toml", "--out", "d"]);
    let log = text(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{log}");
    assert!(log.contains("wrong.toml") && log.contains("not scored: `amuont`"), "{log}");
    assert!(!folder.path().join("d").exists());
}

/// Contract 7, through the whole command.
#[test]
fn runs_and_thread_counts_agree_to_the_byte() {
    let folder = TempDir::new().unwrap();
    let file = sample();
    for (out, threads) in [("a", "1"), ("b", "2"), ("c", "2"), ("d", "5")] {
        let scores = format!("{out}/scores.parquet");
        let args = ["score", "--all", file.to_str().unwrap(), "--threads", threads, "--out", out, "--scores", &scores];
        assert_eq!(crible(&folder, &args).status.code(), Some(0));
    }
    for name in ["alerts.jsonl", "scores.parquet"] {
        let read = |out: &str| fs::read(folder.path().join(out).join(name)).unwrap();
        assert!(read("a") == read("b") && read("b") == read("c") && read("c") == read("d"), "{name}");
    }
    let other = ["score", "--all", file.to_str().unwrap(), "--seed", "1", "--out", "e"];
    assert_eq!(crible(&folder, &other).status.code(), Some(0));
    let read = |out: &str| fs::read(folder.path().join(out).join("alerts.jsonl")).unwrap();
    assert_ne!(read("a"), read("e"), "a seed that changes nothing");
}

/// Contract 6: no identifier of the input stands in an output, and another key gives other pseudonyms.
#[test]
fn outputs_hold_no_identifier_of_the_input() {
    let folder = TempDir::new().unwrap();
    write(&folder, "in.csv", handbook(&handbook_rows()));
    let (one, two) = ("1f2e3d4c".repeat(8), "5b6a7988".repeat(8));
    for (out, key) in [("a", &one), ("b", &one), ("c", &two)] {
        let scores = format!("{out}/scores.csv");
        let run = Command::new(env!("CARGO_BIN_EXE_crible"))
            .current_dir(&folder)
            .env("CRIBLE_KEY", key)
            .args(["score", "--all", "in.csv", "--out", out, "--scores", &scores])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
        let all = [
            text(&run.stdout),
            text(&run.stderr),
            text(&fs::read(folder.path().join(out).join("alerts.jsonl")).unwrap()),
            text(&fs::read(folder.path().join(scores)).unwrap()),
        ]
        .concat();
        for id in (7_700_001..7_700_009).chain(8_800_001..8_800_006) {
            assert!(!all.contains(&id.to_string()), "{id} leaked");
        }
        assert!(!all.contains(key.as_str()), "the key leaked");
    }
    let accounts = |out: &str| {
        let alerts = lines(&folder.path().join(out).join("alerts.jsonl"));
        alerts.iter().map(|a| a["account"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(accounts("a"), accounts("b"));
    assert_ne!(accounts("a"), accounts("c"));
}

/// Contract 5: every broken row is reported, the good ones are read.
#[test]
fn broken_rows_are_rejected_and_the_good_ones_scored() {
    let folder = TempDir::new().unwrap();
    let mut rows: Vec<Vec<u8>> = handbook_rows().into_iter().map(String::into_bytes).collect();
    let good = rows.len();
    rows.insert(3, b"900,2018-04-01 09:00:00,7700001".to_vec());
    rows.insert(8, b"901,2018-02-30 09:00:00,7700001,8800001,12.00,0,0,0,0".to_vec());
    rows.insert(13, b"902,2018-04-03 09:00:00,7700001,8800001,twelve,0,0,0,0".to_vec());
    // No UTF-8, so the file is read as Windows-1252, which every byte has a meaning in: another customer.
    rows.insert(17, b"903,2018-04-03 09:00:00,77\xff0001,8800001,12.00,0,0,0,0".to_vec());
    rows.insert(21, b"904,2018-04-03 09:00:00,7700001,8800001,12.00,0,0,0,0,surplus".to_vec());
    rows.insert(25, b"905,2018-04-03 09:00:00,,8800001,12.00,0,0,0,0".to_vec());
    let mut file = format!("{HANDBOOK}\n").into_bytes();
    file.extend(rows.join(&b'\n'));
    write(&folder, "in.csv", file);

    let out = crible(&folder, &["score", "--all", "in.csv", "--out", "alerts.jsonl"]);
    let log = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{log}");
    assert!(log.contains(&format!("rows read 46 = accepted {} + already known 0 + rejected 5", good + 1)), "{log}");
    assert!(log.contains("not UTF-8; read as Windows-1252"), "{log}");
    assert!(log.contains("warning: rejected rows are in alerts.rejects.csv"), "{log}");
    assert!(!lines(&folder.path().join("alerts.jsonl")).is_empty());

    let mut rejects = csv::Reader::from_path(folder.path().join("alerts.rejects.csv")).unwrap();
    let header: Vec<_> = rejects.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header, ["file", "row", "line", "column", "value", "reason"]);
    let rejects: Vec<_> = rejects.records().map(Result::unwrap).collect();
    let told = |row: u64| rejects.iter().find(|r| r[1].parse() == Ok(row)).unwrap_or_else(|| panic!("row {row}"));
    for row in [3, 8, 13, 21, 25] {
        assert_eq!(told(row)[2].parse::<u64>().unwrap(), row + 2, "a header line, and lines count from 1");
        assert!(!told(row)[5].is_empty());
    }
    assert_eq!((&told(8)[3], &told(8)[4]), ("TX_DATETIME", "2018-02-30 09:00:00"));
    assert_eq!((&told(13)[3], &told(13)[4]), ("TX_AMOUNT", "twelve"));
    assert_eq!(&told(25)[3], "CUSTOMER_ID");
}

#[test]
fn a_truncated_gzip_gives_what_came_before_the_cut() {
    let folder = TempDir::new().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Enough, and varied enough, for several deflate blocks.
    let rows: Vec<String> = (0..20_000u64)
        .map(|i| {
            let noise = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            format!(
                "{i},2018-04-{:02} 10:{:02}:{:02},{},{},{}.25,0,0,0,0",
                1 + i / 1_000,
                i / 60 % 60,
                i % 60,
                noise % 50,
                noise % 97,
                noise % 400
            )
        })
        .collect();
    gzip.write_all(handbook(&rows).as_bytes()).unwrap();
    let whole = gzip.finish().unwrap();
    write(&folder, "in.csv.gz", &whole[..whole.len() / 2]);
    let out = crible(&folder, &["score", "--all", "in.csv.gz", "--out", "a"]);
    let log = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{log}");
    assert!(log.contains("warning"), "{log}");
    assert!(!lines(&folder.path().join("a/alerts.jsonl")).is_empty());
}

#[test]
fn what_cannot_be_read_is_status_2_and_says_why() {
    let folder = TempDir::new().unwrap();
    write(&folder, "prose.csv", "dear,diary\ntoday,nothing\n");
    write(&folder, "empty.csv", "");
    write(&folder, "header.csv", format!("{HANDBOOK}\n"));
    write(&folder, "bad.csv", format!("{HANDBOOK}\nx,y,z\n"));
    write(&folder, "noise.parquet", b"PAR1 and then nothing of the kind PAR1");
    let check = |args: &[&str], expect: &[&str]| {
        let out = crible(&folder, args);
        let log = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {log}");
        assert!(expect.iter().all(|e| log.contains(e)), "{args:?}: {log}");
        assert!(!log.contains("panicked"), "{log}");
    };
    check(&["score", "--all", "prose.csv"], &["prose.csv", "dear,diary"]);
    check(&["score", "--all", "empty.csv"], &["empty.csv"]);
    check(&["score", "--all", "header.csv"], &["no transaction"]);
    check(&["score", "--all", "bad.csv"], &["1 of 1 rows were rejected", "crible-rejects.csv"]);
    check(&["score", "--all", "noise.parquet"], &["noise.parquet"]);
    check(&["score", "--all", "absent.csv"], &["absent.csv"]);
    check(&["score", "--all", "header.csv", "--feed", "nobank"], &["nobank", "handbook"]);
    check(&["score", "--all", "header.csv", "--budget", "0/day"], &["0/day"]);
    check(&["score", "--all", "header.csv", "--detectors", "ecod,crystal_ball"], &["crystal_ball", "isolation_forest"]);
    check(&["score", "--all", "header.csv", "--fit-until", "2018-13-01"], &["2018-13-01"]);
}

#[test]
fn one_good_file_among_bad_ones_is_scored() {
    let folder = TempDir::new().unwrap();
    write(&folder, "good.csv", handbook(&handbook_rows()));
    write(&folder, "prose.csv", "dear,diary\ntoday,nothing\n");
    let out = crible(&folder, &["score", "--all", "good.csv", "prose.csv", "--out", "a"]);
    let log = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{log}");
    assert!(log.contains("warning: not read") && log.contains("prose.csv"), "{log}");
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let folder = TempDir::new().unwrap();
    write(&folder, "a.csv", handbook(&handbook_rows()));
    write(&folder, "b.csv", handbook(&handbook_rows()));
    let run = |files: &[&str], out: &str| {
        let args = [&["score", "--all"], files, &["--out", out]].concat();
        let done = crible(&folder, &args);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        text(&done.stderr)
    };
    run(&["a.csv"], "once.jsonl");
    let log = run(&["a.csv", "b.csv"], "twice.jsonl");
    assert!(log.contains("already known 40"), "{log}");
    let plain = |name: &str| {
        lines(&folder.path().join(name))
            .iter()
            .map(|a| (a["transaction"].to_string(), a["score"].to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(plain("once.jsonl"), plain("twice.jsonl"));
}

#[test]
fn any_table_is_read_through_a_mapping() {
    let folder = TempDir::new().unwrap();
    let rows: String =
        (0..30).map(|i| format!("2024-03-{:02}T10:00:00Z;card{};{}.10\n", 1 + i % 28, i % 3, 5 + i)).collect();
    write(&folder, "in.csv", format!("when;who;how much\n{rows}"));
    let map = "time=when,account=who,amount=how much,sign=outflow-positive";
    let out = crible(&folder, &["score", "--all", "in.csv", "--map", map]);
    let log = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{log}");
    assert!(log.contains("accepted 30"), "{log}");
    assert!(log.contains("left out"), "{log}");
    let first: Value = serde_json::from_str(text(&out.stdout).lines().next().unwrap()).unwrap();
    assert!(first["amount"]["value"].as_str().unwrap().starts_with('-'), "an outflow");
}

#[test]
fn alerts_come_as_lines_csv_and_parquet() {
    let folder = TempDir::new().unwrap();
    write(&folder, "in.csv", handbook(&handbook_rows()));
    for name in ["a.jsonl", "a.csv", "a.parquet"] {
        assert_eq!(crible(&folder, &["score", "--all", "in.csv", "--out", name]).status.code(), Some(0));
    }
    let many = lines(&folder.path().join("a.jsonl")).len();
    let records =
        csv::Reader::from_path(folder.path().join("a.csv")).unwrap().into_records().map(Result::unwrap).count();
    assert_eq!(records, many);
    use polars_io::SerReader;
    let file = fs::File::open(folder.path().join("a.parquet")).unwrap();
    let frame = polars_io::parquet::read::ParquetReader::new(file).finish().unwrap();
    assert_eq!(frame.height(), many);
    assert_eq!(crible(&folder, &["score", "--all", "in.csv", "--out", "a.xlsx"]).status.code(), Some(1));
}

#[test]
fn one_row_is_enough_to_answer() {
    let folder = TempDir::new().unwrap();
    for n in [1, 2, 3, 9] {
        write(&folder, "in.csv", handbook(&handbook_rows()[..n]));
        let out = crible(&folder, &["score", "--all", "in.csv", "--out", "a.jsonl"]);
        assert_eq!(out.status.code(), Some(0), "{n} rows: {}", text(&out.stderr));
    }
}

#[test]
fn the_demo_ends_in_alerts_with_reasons() {
    let folder = TempDir::new().unwrap();
    let out = crible(&folder, &["demo", "--accounts", "150", "--days", "45"]);
    let shown = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(shown.contains(" 1. ") && shown.contains(" 5. "), "{shown}");
    assert!(
        ["stolen card", "account takeover", "card testing"].iter().any(|kind| shown.contains(&format!("[{kind}]"))),
        "{shown}"
    );
    assert!(shown.contains("average precision"), "{shown}");
    let tables: Vec<&str> = shown.lines().filter(|line| line.starts_with("all  ")).collect();
    assert_eq!(tables.len(), 2, "frauds by kind and alerts by look: {shown}");
    // Both count the alerts that are on frauds.
    let last = |line: &str, nth: usize| line.split_whitespace().rev().nth(nth).unwrap().to_owned();
    assert_eq!(last(tables[0], 0), last(tables[1], 1), "{shown}");
}

#[test]
fn a_scenario_is_simulated_by_name_and_read_with_its_devices() {
    let folder = TempDir::new().unwrap();
    let args =
        ["simulate", "--accounts", "120", "--days", "40", "--scenario", "device_farm,bust-out", "--out", "s.csv"];
    let out = crible(&folder, &args);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let out = crible(&folder, &["score", "s.csv", "--out", "a.jsonl", "--scores", "s.parquet"]);
    let log = text(&out.stderr);
    assert!(log.contains("s.csv: crible (") && log.contains("rejected 0"), "{log}");
    assert!(!log.contains("has no device"), "{log}");
    let out = crible(&folder, &["simulate", "--scenario", "bustout"]);
    let error = text(&out.stderr);
    assert!(out.status.code() == Some(2) && error.contains("`bustout`") && error.contains("bust_out"), "{error}");
}

#[test]
fn simulate_writes_the_committed_sample() {
    let folder = TempDir::new().unwrap();
    let args = ["simulate", "--accounts", "60", "--days", "60", "--seed", "7", "--out", "s.csv"];
    assert_eq!(crible(&folder, &args).status.code(), Some(0));
    assert!(fs::read(folder.path().join("s.csv")).unwrap() == fs::read(sample()).unwrap());
}

#[test]
fn feeds_are_listed_with_what_they_are() {
    let folder = TempDir::new().unwrap();
    let shown = text(&crible(&folder, &["feeds"]).stdout);
    for preset in crible_ingest::feeds() {
        let line = shown.lines().find(|line| line.split(' ').next() == Some(preset.name()));
        let line = line.unwrap_or_else(|| panic!("{} is not listed", preset.name()));
        assert!(
            line.contains(preset.kind()) && line.contains(preset.title()) && line.ends_with(preset.source()),
            "{line}"
        );
    }
}

#[test]
fn standard_input_is_an_input() {
    let folder = TempDir::new().unwrap();
    let export = handbook(&handbook_rows());
    let run = |packed: &[u8]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_crible"))
            .current_dir(&folder)
            .env_remove("CRIBLE_KEY")
            .args(["score", "--all", "-", "--out", "a.jsonl"])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(packed).unwrap();
        let out = child.wait_with_output().unwrap();
        let log = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(0), "{log}");
        assert!(log.contains("<stdin>: handbook"), "{log}");
        assert!(log.contains("rows read 40 = accepted 40 + already known 0 + rejected 0"), "{log}");
        let alerts = lines(&folder.path().join("a.jsonl"));
        assert!(alerts.iter().all(|alert| alert["source"]["file"] == "<stdin>"));
        alerts.len()
    };
    let plain = run(export.as_bytes());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(export.as_bytes()).unwrap();
    assert_eq!(run(&encoder.finish().unwrap()), plain);
}
