//! `crible bench --transactions`: its figures are those of `crible score`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Output};

use crible_eval::metrics::{average_precision, roc_auc};
use crible_eval::panel::split;
use crible_eval::simulate::{Simulated, Simulation};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

fn crible(folder: &TempDir, args: &[&str]) -> Output {
    let out = Command::new(env!("CARGO_BIN_EXE_crible"))
        .current_dir(folder)
        .env_remove("CRIBLE_KEY")
        .env_remove("CRIBLE_PRESETS")
        .args(args)
        .output()
        .unwrap();
    assert!(out.status.success() || args.contains(&"nothing"), "{}", String::from_utf8_lossy(&out.stderr));
    out
}

/// A folder with one set, of which every tenth label is unknown, and its rows.
fn panel(folder: &TempDir) -> Vec<Simulated> {
    let rows: Vec<Simulated> =
        Simulation::builder().accounts(450).days(50).seed(3).fraud_rate(0.01).build().unwrap().collect();
    fs::create_dir(folder.path().join("panel")).unwrap();
    let file = File::create(folder.path().join("panel/small.csv.gz")).unwrap();
    let mut out = GzEncoder::new(file, Compression::fast());
    writeln!(out, "id,time,account,counterparty,amount,category,label").unwrap();
    for row in &rows {
        let label = if row.id.is_multiple_of(10) { String::new() } else { u8::from(row.fraud.is_some()).to_string() };
        let amount = row.amount_minor as f64 / 100.0;
        let (account, party) = (row.account_name(), row.counterparty);
        writeln!(out, "{},{},{account},{party},{amount:.2},{},{label}", row.id, row.at, row.category).unwrap();
    }
    out.finish().unwrap();
    let columns = ["id", "time", "account", "counterparty", "amount", "category", "label"];
    let manifest = json!({"small": {"columns": columns, "cp_is_account": false, "balance": null}});
    fs::write(folder.path().join("panel/manifest.json"), manifest.to_string()).unwrap();
    rows
}

fn bench(folder: &TempDir, more: &[&str]) -> (String, Value) {
    let args = ["bench", "--transactions", "panel", "--sets", "small", "--json", "out.json"];
    let out = crible(folder, &[&args, more].concat());
    let text = String::from_utf8(out.stdout).unwrap();
    (text, serde_json::from_slice(&fs::read(folder.path().join("out.json")).unwrap()).unwrap())
}

#[test]
fn figures_are_those_of_the_scores() {
    let folder = TempDir::new().unwrap();
    let rows = panel(&folder);
    let (text, json) = bench(&folder, &["--without", "view_shared_device,view_counterparty", "--alerts", "2"]);
    let set = &json["sets"][0];

    // The same by hand.
    let is_fraud = |row: &Simulated| row.fraud.is_some() && !row.id.is_multiple_of(10);
    let (times, frauds): (Vec<_>, Vec<_>) = rows.iter().map(|row| (row.at, is_fraud(row))).unzip();
    let at = split(&times, &frauds).unwrap().to_string();
    let date = at.strip_suffix("T00:00:00Z").unwrap();
    fs::write(
        folder.path().join("map.toml"),
        "name = \"s\"\ntitle = \"s\"\nsource = \"s\"\n[file]\ndelimiter = \",\"\n[account]\ncolumn = \"account\"\n\
         [time]\ncolumn = \"time\"\nformats = [\"iso\"]\nzone = \"UTC\"\n[amount]\ncolumn = \"amount\"\n\
         sign = \"outflow-negative\"\n[currency]\nconstant = \"USD\"\n[counterparty]\ncolumn = \"counterparty\"\n\
         [category]\ncolumn = \"category\"\n",
    )
    .unwrap();
    let args = ["--fit-until", date, "--scores", "s.csv", "--out", "a.jsonl"];
    crible(&folder, &[&["score", "panel/small.csv.gz", "--map", "map.toml"], &args[..]].concat());
    let scores: Vec<f64> = fs::read_to_string(folder.path().join("s.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(2).unwrap().parse().unwrap())
        .collect();
    assert_eq!(scores.len(), rows.len());
    let judged: Vec<usize> =
        (0..rows.len()).filter(|row| rows[*row].at.to_string() >= at && !rows[*row].id.is_multiple_of(10)).collect();
    let of = |row: &usize| (scores[*row], rows[*row].fraud.is_some());
    let (own, truth): (Vec<f64>, Vec<bool>) = judged.iter().map(of).unzip();
    let near = |figure: &Value, want: f64| assert!((figure.as_f64().unwrap() - want).abs() < 1e-12, "{figure} {want}");
    near(&set["roc_auc"], roc_auc(&own, &truth).unwrap());
    near(&set["average_precision"], average_precision(&own, &truth).unwrap());
    // 450 accounts have two places a day, each taken by an account's highest score.
    let mut days: BTreeMap<i64, BTreeMap<u32, (f64, bool)>> = BTreeMap::new();
    for row in &judged {
        let best = days.entry(rows[*row].at.day()).or_default().entry(rows[*row].account).or_insert((f64::MIN, false));
        *best = (best.0.max(scores[*row]), best.1 | rows[*row].fraud.is_some());
    }
    let (mut all, mut found) = (BTreeSet::new(), BTreeSet::new());
    for accounts in days.values() {
        all.extend(accounts.iter().filter(|(_, (_, fraud))| *fraud).map(|(account, _)| *account));
        let mut by_score: Vec<_> = accounts.iter().collect();
        by_score.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
        found.extend(by_score.iter().take(2).filter(|(_, (_, fraud))| *fraud).map(|(account, _)| **account));
    }
    near(&set["recall"], found.len() as f64 / all.len() as f64);
    let lines = fs::read_to_string(folder.path().join("a.jsonl")).unwrap().lines().count();
    assert_eq!(set["alerts"].as_u64(), Some(lines as u64));

    // Six baselines of ours, and the ratio is to the best.
    let baselines = set["baselines"].as_array().unwrap();
    assert_eq!(baselines.len(), 7, "{baselines:?}");
    let best = baselines.iter().map(|one| one["average_precision"].as_f64().unwrap()).fold(0.0, f64::max);
    near(&set["ratio"], set["average_precision"].as_f64().unwrap() / best);
    near(&json["overall"]["worst_ratio"], set["ratio"].as_f64().unwrap());

    // The set has no devices, so without that view nothing changes; without the other it does.
    assert_eq!(set["without"][0]["average_precision"], set["average_precision"]);
    assert_ne!(set["without"][1]["average_precision"], set["average_precision"]);
    assert!(text.contains("− view_counterparty") && text.contains("small: "), "{text}");
    let names: BTreeSet<String> = rows.iter().map(Simulated::account_name).collect();
    assert!(!names.iter().any(|name| text.contains(name.as_str())), "{text}");
}

#[test]
fn baselines_of_the_folder_count_where_there_are_some() {
    let folder = TempDir::new().unwrap();
    panel(&folder);
    let baselines = json!({"small": {"guess": {"auc": 0.5, "ap": 0.25, "recall": 0.5}}, "other": {}});
    fs::write(folder.path().join("panel/baselines.json"), baselines.to_string()).unwrap();
    let (text, json) = bench(&folder, &[]);
    let set = &json["sets"][0];
    assert_eq!(set["baselines"], json!([{"name": "guess", "roc_auc": 0.5, "average_precision": 0.25, "recall": 0.5}]));
    assert_eq!(set["ratio"].as_f64(), set["average_precision"].as_f64().map(|precision| precision / 0.25));
    assert!(text.contains("guess 0.2500"), "{text}");
}

#[test]
fn a_simulated_population_is_measured_without_a_folder() {
    let folder = TempDir::new().unwrap();
    let out = crible(&folder, &["bench", "--transactions", "--sets", "device_farm", "--json", "out.json"]);
    let text = String::from_utf8(out.stdout).unwrap();
    let json: Value = serde_json::from_slice(&fs::read(folder.path().join("out.json")).unwrap()).unwrap();
    assert!(text.contains("device_farm") && text.contains("mean, simulated") && !text.contains("mean  "), "{text}");
    assert_eq!((&json["overall"], json["sets"].as_array().unwrap().len()), (&Value::Null, 1));
    let figure = |of: &Value, name: &str| of[name].as_f64().unwrap();
    let set = &json["sets"][0];
    assert!(figure(set, "roc_auc") > 0.7, "{set}");
    // Neither the amount nor anything else gives the frauds away.
    for one in set["baselines"].as_array().unwrap().iter().chain([set]) {
        assert!(figure(one, "average_precision") < 0.7, "{one}");
    }
}

#[test]
fn names_that_do_not_exist_are_named() {
    let folder = TempDir::new().unwrap();
    panel(&folder);
    let check = |args: &[&str], expect: &str| {
        let out = crible(&folder, &[&["bench", "--transactions", "panel"], args].concat());
        let error = String::from_utf8(out.stderr).unwrap();
        assert!(!out.status.success() && error.contains(expect), "{error}");
    };
    check(&["--sets", "nothing"], "--sets nothing: unknown set; expected some of small, device_farm");
    check(&["--without", "nothing"], "--without nothing: unknown view; expected `each` or one of view_amount");
}
