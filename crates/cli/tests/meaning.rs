//! What transactions mean, as the command reports it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const HEADER: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";

#[test]
fn links_are_counted_and_an_alert_says_what_became_of_it() {
    let folder = TempDir::new().unwrap();
    let mut rows: Vec<String> = (0..60)
        .map(|i| {
            format!("t{i},2024-03-{:02}T10:00:00Z,card{},Shop,-{}.10,EUR,food,,,,,,", 1 + i % 28, i % 3, 5 + i % 7)
        })
        .collect();
    rows.push("big,2024-03-28T03:00:00Z,card1,Far Away,-9000.00,EUR,travel,,,,,,".to_owned());
    rows.push("back,2024-03-30T09:00:00Z,card1,Far Away,9000.00,EUR,travel refund,,,,,,".to_owned());
    fs::write(folder.path().join("in.csv"), format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_crible"))
        .current_dir(&folder)
        .env_remove("CRIBLE_KEY")
        .args(["score", "--all", "in.csv"])
        .output()
        .unwrap();
    let log = String::from_utf8(done.stderr).unwrap();
    assert!(log.contains("meaning: 1 refunds linked"), "{log}");
    let alerts: Vec<Value> =
        String::from_utf8(done.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let big = alerts.iter().find(|alert| alert["amount"]["value"] == "-9000.00").unwrap();
    assert_eq!(big["note"], "refunded on 2024-03-30");
    assert!(alerts.iter().any(|alert| alert.get("note").is_none()));
    // The other forms have it, too.
    for name in ["a.csv", "a.parquet"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crible"));
        let done =
            command.current_dir(&folder).env_remove("CRIBLE_KEY").args(["score", "--all", "in.csv", "--out", name]);
        assert!(done.output().unwrap().status.success());
    }
    let mut reader = csv::Reader::from_path(folder.path().join("a.csv")).unwrap();
    let note = reader.headers().unwrap().iter().position(|name| name == "note").unwrap();
    let notes: Vec<String> = reader.records().map(|record| record.unwrap()[note].to_owned()).collect();
    assert_eq!(notes.iter().filter(|note| *note == "refunded on 2024-03-30").count(), 1);
    assert!(notes.iter().any(String::is_empty));
    use polars_io::SerReader;
    let file = fs::File::open(folder.path().join("a.parquet")).unwrap();
    let frame = polars_io::parquet::read::ParquetReader::new(file).finish().unwrap();
    let column = frame.column("note").unwrap();
    let written: Vec<&str> = column.str().unwrap().iter().flatten().collect();
    assert_eq!(written, ["refunded on 2024-03-30"]);
}
