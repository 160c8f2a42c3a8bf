//! `crible feeds` and what is below it.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::{crible, handbook, handbook_rows, text, write};

#[test]
fn one_feed_is_shown_in_full() {
    let folder = TempDir::new().unwrap();
    let out = crible(&folder, &["feeds", "chase-card"]);
    let shown = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0));
    for part in
        ["title", "Chase credit card", "source", "Transaction Date,Post Date", "← Amount", "an outflow is negative"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let toml = text(&crible(&folder, &["feeds", "chase-card", "--toml"]).stdout);
    assert!(toml.starts_with("name = \"chase-card\""), "{toml}");
    let gone = crible(&folder, &["feeds", "chess-card"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(text(&gone.stderr).contains("chess-card"));
}

#[test]
fn a_check_says_what_would_become_of_the_rows() {
    let folder = TempDir::new().unwrap();
    write(&folder, "good.csv", handbook(&handbook_rows()));
    let good = crible(&folder, &["feeds", "check", "good.csv"]);
    let shown = text(&good.stdout);
    assert_eq!(good.status.code(), Some(0), "{shown}{}", text(&good.stderr));
    for part in
        ["handbook", "1.0: its header", "← TX_DATETIME", "read 40 = accepted 40", "2018-04-01T06:00:00Z", "-10.50 XXX"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("77000") && !shown.contains("88000"), "parties are pseudonyms: {shown}");

    let mut rows = handbook_rows();
    for at in [3, 7] {
        rows[at] = rows[at].replace(".50", ".5x");
    }
    rows[5].push_str(",more");
    rows.push(rows[0].clone());
    write(&folder, "bad.csv", handbook(&rows));
    let bad = crible(&folder, &["feeds", "check", "bad.csv", "--rows", "2", "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(told["schema"], "crible.feeds-check/1");
    let file = &told["files"][0];
    assert_eq!((&file["feed"], &file["confidence"]), (&Value::from("handbook"), &Value::from(1.0)));
    let sum = |key: &str| file["rows"][key].as_u64().unwrap();
    assert_eq!(sum("read"), sum("accepted") + sum("known") + sum("rejected"));
    assert_eq!((sum("rejected"), sum("known")), (3, 1));
    assert_eq!(file["first"].as_array().unwrap().len(), 2);
    let worst = &file["rejects"][0];
    assert_eq!((&worst["column"], &worst["count"]), (&Value::from("TX_AMOUNT"), &Value::from(2)));
    assert_eq!(worst["examples"][0]["line"], 5);
    let amount = file["mapping"].as_array().unwrap().iter().find(|field| field["field"] == "amount").unwrap();
    assert_eq!(amount["columns"], serde_json::json!(["TX_AMOUNT"]));

    write(&folder, "odd.csv", "who,what\n1,2\n");
    for files in [vec!["odd.csv"], vec!["good.csv", "odd.csv"], vec!["bad.csv", "gone.csv"]] {
        let out = crible(&folder, &[&["feeds", "check"][..], &files].concat());
        assert_eq!(out.status.code(), Some(2), "{files:?}");
        assert!(text(&out.stdout).contains("not read: "), "{files:?}");
    }
}

#[test]
fn a_draft_becomes_a_preset_of_ones_own() {
    let folder = TempDir::new().unwrap();
    let rows = "When;Konto;Shop;Betrag\n27.06.2024;DE1;Bäckerei;-1.234,50\n28.06.2024;DE2;Kiosk;-2,00\n";
    write(&folder, "bank 42.csv", rows);
    fs::create_dir(folder.path().join("own")).unwrap();
    let new = crible(&folder, &["feeds", "new", "bank 42.csv", "--out", "own/bank.toml"]);
    assert_eq!(new.status.code(), Some(0), "{}", text(&new.stderr));
    assert!(text(&new.stderr).contains("0 to be decided"));
    let twice = crible(&folder, &["feeds", "new", "bank 42.csv", "--out", "own/bank.toml"]);
    assert_eq!(twice.status.code(), Some(1), "a draft does not take the place of a file");
    let listed = text(&crible(&folder, &["feeds", "--presets", "own"]).stdout);
    assert!(listed.lines().any(|line| line.starts_with("bank ")), "{listed}");
    let check = crible(&folder, &["feeds", "check", "bank 42.csv", "--presets", "own"]);
    let shown = text(&check.stdout);
    assert_eq!(check.status.code(), Some(0), "{shown}");
    assert!(shown.contains("-1234.50 XXX") && shown.contains("2024-06-27"), "{shown}");
    // The environment names the folder as well as the option.
    let by_environment = std::process::Command::new(env!("CARGO_BIN_EXE_crible"))
        .current_dir(&folder)
        .env("CRIBLE_PRESETS", "own")
        .args(["feeds", "check", "bank 42.csv"])
        .output()
        .unwrap();
    assert_eq!(by_environment.stdout, check.stdout);
}

#[test]
fn what_a_draft_leaves_open_keeps_it_from_loading() {
    let folder = TempDir::new().unwrap();
    write(&folder, "in.csv", "Date,Account,Amount\n03/04/2024,ada,-5.00\n05/06/2024,ada,-6.00\n");
    fs::create_dir(folder.path().join("own")).unwrap();
    let new = crible(&folder, &["feeds", "new", "in.csv", "--name", "mine", "--out", "own/mine.toml"]);
    assert!(text(&new.stderr).contains("1 to be decided"), "{}", text(&new.stderr));
    let path = folder.path().join("own/mine.toml");
    let check = || crible(&folder, &["feeds", "check", "in.csv", "--presets", "own"]);
    let refused = check();
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("mine.toml:") && told.contains("time.formats") && told.contains("%d/%m/%Y"), "{told}");
    let toml = fs::read_to_string(&path).unwrap();
    let start = toml.find("undecided = [").unwrap();
    let end = start + toml[start..].find("]\n").unwrap() + 2;
    fs::write(&path, format!("{}{}", &toml[..start], &toml[end..])).unwrap();
    let taken = check();
    assert_eq!(taken.status.code(), Some(0), "{}", text(&taken.stderr));
    assert!(text(&taken.stdout).contains("2024-03-04T00:00:00Z"), "the month first, as it was left");
}

#[test]
fn a_broken_preset_names_its_file_line_and_key() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("own")).unwrap();
    write(&folder, "own/a.toml", "name = \"a\"\ntitle = \"A\"\n[account]\ncolunm = \"x\"\n");
    let out = crible(&folder, &["feeds", "--presets", "own"]);
    let told = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{told}");
    assert!(told.contains("a.toml:4: account.colunm"), "{told}");
}

const CARD: &str = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n";

/// A zip archive of stored members.
fn zipped(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut writer, text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_check_reads_what_a_run_reads() {
    let folder = TempDir::new().unwrap();
    let row = "01/05/2024,01/06/2024,CAFE,Food,Sale,-4.50,\n";
    let text_of = format!("{CARD}{row}");
    fs::write(folder.path().join("all.zip"), zipped(&[("a.csv", &text_of), ("b.csv", &text_of)])).unwrap();
    write(&folder, "c1.csv", text_of.clone());
    for (named, files) in [("all.zip", 2), ("c*.csv", 1)] {
        let out = crible(&folder, &["feeds", "check", named, "--json"]);
        assert_eq!(out.status.code(), Some(0), "{named}: {}", text(&out.stderr));
        let told: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(told["files"].as_array().unwrap().len(), files, "{named}");
        assert_eq!(told["files"][0]["feed"], "chase-card", "{named}");
    }
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_crible"))
        .args(["feeds", "check", "-", "--json"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text_of.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&told["files"][0]["feed"], &told["files"][0]["rows"]["accepted"]), (&"chase-card".into(), &1.into()));
}

#[test]
fn no_rows_is_one_answer() {
    let folder = TempDir::new().unwrap();
    write(&folder, "empty.csv", CARD);
    let check = crible(&folder, &["feeds", "check", "empty.csv"]);
    let score = crible(&folder, &["score", "--all", "empty.csv"]);
    assert_eq!((check.status.code(), score.status.code()), (Some(2), Some(2)));
    assert_eq!(text(&check.stderr), text(&score.stderr));
}

#[test]
fn files_of_one_mask_are_told_apart() {
    let folder = TempDir::new().unwrap();
    let names = ["stmt_1234567890.csv", "stmt_9994567890.csv"];
    let rows = |cafe: &str| {
        let row = |day: usize| format!("01/{:02}/2024,01/{:02}/2024,{cafe},Food,Sale,-{day}.50,\n", day, day);
        format!("{CARD}{}bad,01/06/2024,X,Food,Sale,-1.00,\n", (1..20).map(row).collect::<String>())
    };
    write(&folder, names[0], rows("CAFE"));
    write(&folder, names[1], rows("SHOP"));
    let out = crible(&folder, &["score", "--all", names[0], names[1], "--out", "out", "--budget", "5/day"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    // Where standard error is no terminal, it may be a log.
    let said = text(&out.stderr);
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    for written in [read("alerts.jsonl"), read("rejects.csv"), said] {
        assert!(!written.contains("1234567890") && !written.contains("9994567890"), "{written}");
        for masked in ["stmt_*7890.csv (1)", "stmt_*7890.csv (2)"] {
            assert!(written.contains(masked), "{masked}: {written}");
        }
    }
}

#[test]
fn nothing_in_a_file_acts_on_a_terminal_or_in_a_spreadsheet() {
    let folder = TempDir::new().unwrap();
    let acts = "\u{1b}]0;owned\u{7}\u{9b}2J";
    let name = "in\u{1b}[31m.csv";
    let rows = format!(
        "{}01/05/2024,01/06/2024,CAFE,{acts},{acts},-4.50,,{acts}\n=1+1,01/06/2024,X,{acts},Sale,-4.50,,x\n",
        CARD.replace("Memo", &format!("Memo,more{acts}"))
    );
    write(&folder, name, rows);
    for args in [
        &["feeds", "check", name][..],
        &["feeds", "check", name, "--json"],
        &["score", "--all", name],
        &["feeds", "new", name],
    ] {
        let out = crible(&folder, args);
        for shown in [text(&out.stdout), text(&out.stderr)] {
            assert!(!shown.chars().any(|letter| letter.is_control() && letter != '\n'), "{args:?}: {shown:?}");
        }
    }
    let rejects = fs::read_to_string(folder.path().join("crible-rejects.csv")).unwrap();
    assert!(rejects.contains("'=1+1") && !rejects.contains(",=1+1"), "{rejects}");
}

#[test]
fn raw_values_go_to_a_terminal_alone() {
    let folder = TempDir::new().unwrap();
    write(&folder, "a.csv", format!("{CARD}01/05/2024,01/06/2024,CAFE,Food,Sale,-4.50,\n"));
    let out = crible(&folder, &["feeds", "check", "a.csv", "--plain"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(out.stdout.is_empty() && text(&out.stderr).contains("a terminal only"), "{}", text(&out.stderr));
}
