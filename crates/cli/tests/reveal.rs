//! The way back from a pseudonym, and over a change of key.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const HEADER: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";

fn crible(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crible")).current_dir(folder).env_remove("CRIBLE_KEY").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a file of thirty rows of three cards, an older key, and a file of a newer and the older.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let rows: String = (0..30)
        .map(|i| {
            let (day, card, amount) = (1 + i % 28, 41_000_001 + i % 3, 5 + (i * 7) % 31);
            format!("t{i},2024-03-{day:02}T10:00:00Z,{card},Shop {},-{amount}.10,EUR,,,,,,,\n", i % 4)
        })
        .collect();
    fs::write(folder.path().join("in.csv"), format!("{HEADER}\n{rows}")).unwrap();
    let (new, old) = ("0a1b2c3d".repeat(8), "4d5e6f70".repeat(8));
    fs::write(folder.path().join("old.key"), &old).unwrap();
    fs::write(folder.path().join("both.key"), format!("# crible keys\n2026 = {new}\n2025 = {old}\n")).unwrap();
    folder
}

/// The first alert of a run.
fn alerts(folder: &TempDir, key: &[&str]) -> Vec<Value> {
    let done = crible(folder, &[&["score", "--all", "in.csv"], key].concat());
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    text(&done.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn alert(folder: &TempDir, key: &[&str]) -> Value {
    alerts(folder, key).remove(0)
}

fn records(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn the_files_and_the_key_lead_back_whatever_key_it_was() {
    let folder = folder();
    let source = fs::read_to_string(folder.path().join("in.csv")).unwrap();
    let source: Vec<&str> = source.lines().skip(1).collect();
    for (key, made_with) in [(["--key-file", "both.key"], "2026"), (["--key-file", "old.key"], "2025")] {
        let alert = alert(&folder, &key);
        let word = |name: &str| alert[name].as_str().unwrap().to_owned();
        let (account, counterparty, txn) = (word("account"), word("counterparty"), word("transaction"));
        let row = alert["source"]["row"].as_u64().unwrap() as usize;
        let done = crible(
            &folder,
            &["reveal", &account, &counterparty.to_uppercase(), &txn, "--in", "in.csv", "--key-file", "both.key"],
        );
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let told = records(&done.stdout);
        assert_eq!(told.len(), 3, "{told:?}");
        let of = |pseudonym: &str| told.iter().find(|record| record[0] == pseudonym).unwrap();
        let fields: Vec<&str> = source[row].split(',').collect();
        assert_eq!((of(&account)[1].as_str(), of(&account)[2].as_str()), ("account", fields[2]));
        assert_eq!((of(&counterparty)[1].as_str(), of(&counterparty)[2].as_str()), ("counterparty", fields[3]));
        assert_eq!((of(&txn)[1].as_str(), of(&txn)[4].as_str()), ("transaction", row.to_string().as_str()));
        let first = source.iter().position(|line| line.split(',').nth(2) == Some(fields[2])).unwrap();
        assert_eq!((of(&account)[4].clone(), of(&account)[5].as_str()), (first.to_string(), "10"));
        assert!(told.iter().all(|record| record[3] == "in.csv" && record[6] == made_with), "{told:?}");
    }
}

#[test]
fn without_the_key_nothing_is_found() {
    let folder = folder();
    let account = alert(&folder, &["--key-file", "old.key"])["account"].as_str().unwrap().to_owned();
    fs::write(folder.path().join("other.key"), "99".repeat(32)).unwrap();
    for key in [vec!["--key-file", "other.key"], vec![]] {
        let done = crible(&folder, &[&["reveal", &account, "--in", "in.csv"], key.as_slice()].concat());
        assert_eq!((done.status.code(), records(&done.stdout).len()), (Some(1), 0));
        assert!(text(&done.stderr).contains(&account), "{}", text(&done.stderr));
    }
    // Without any key the files are the key: the same files lead back, others do not.
    let account = alert(&folder, &[])["account"].as_str().unwrap().to_owned();
    let done = crible(&folder, &["reveal", &account, "--in", "in.csv"]);
    assert!(records(&done.stdout)[0][2].starts_with("4100000"), "{}", text(&done.stdout));
    fs::write(folder.path().join("more.csv"), format!("{HEADER}\nx,2024-04-01T10:00:00Z,7,Shop,-1,EUR,,,,,,,\n"))
        .unwrap();
    let done = crible(&folder, &["reveal", &account, "--in", "in.csv", "more.csv"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("exactly the files"), "{}", text(&done.stderr));
    // What is no pseudonym is not repeated.
    let done = crible(&folder, &["reveal", "41000001", "--in", "in.csv"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(!text(&done.stderr).contains("41000001"), "{}", text(&done.stderr));
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 5, "nothing is stored: {left:?}");
}

#[test]
fn a_table_leads_from_the_older_key_to_the_newer() {
    let folder = folder();
    let old = alert(&folder, &["--key-file", "old.key"]);
    let new = alerts(&folder, &["--key-file", "both.key"]).into_iter().find(|new| new["source"] == old["source"]);
    let new = new.unwrap();
    let done = crible(&folder, &["rekey", "--in", "in.csv", "--key-file", "both.key"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let table = records(&done.stdout);
    assert_eq!(table.len(), 3 + 4 + 30, "cards, shops and transactions");
    assert!(table.iter().all(|row| row[1] != row[2] && row[3] == "2025" && row[4] == "2026"));
    let translated = |role: &str, old: &str| {
        table.iter().find(|row| row[0] == role && row[1] == old).map(|row| row[2].clone()).unwrap()
    };
    // How strange a transaction is does not depend on the key; which of equals comes first does.
    for (field, role) in [("account", "account"), ("counterparty", "counterparty"), ("transaction", "transaction")] {
        let (old, new) = (old[field].as_str().unwrap(), new[field].as_str().unwrap());
        assert_eq!(translated(role, old), new);
    }
    assert!(!text(&done.stdout).contains("41000001"));
    let refused = crible(&folder, &["rekey", "--in", "in.csv"]);
    assert!(text(&refused.stderr).contains("there is no key"), "{}", text(&refused.stderr));
    let refused = crible(&folder, &["rekey", "--in", "in.csv", "--key-file", "old.key"]);
    assert!(text(&refused.stderr).contains("several keys"), "{}", text(&refused.stderr));
}
