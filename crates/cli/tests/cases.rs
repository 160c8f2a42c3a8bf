//! Alerts become cases, and people work on them: the command on a store, end to end.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Runs the command in a folder of its own, as `ana`.
fn crible(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crible"))
        .current_dir(folder)
        .env_remove("CRIBLE_KEY")
        .env_remove("CRIBLE_PRESETS")
        .env_remove("CRIBLE_STORE_KEY")
        .env("CRIBLE_STORE", "alerts.db")
        .env("CRIBLE_USER", "ana")
        .args(args)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What it says, where it succeeds.
fn said(folder: &TempDir, args: &[&str]) -> String {
    let output = crible(folder, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What it complains of, where it fails with this exit status.
fn refused(folder: &TempDir, args: &[&str], status: i32) -> String {
    let output = crible(folder, args);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {complaint}");
    complaint
}

fn list(folder: &TempDir, more: &[&str]) -> Vec<Value> {
    let listed = said(folder, &[&["cases", "list", "--json", "--limit", "1000"][..], more].concat());
    listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn show(folder: &TempDir, case: &str) -> Value {
    serde_json::from_str(&said(folder, &["cases", "show", case, "--json"])).unwrap()
}

/// A store with the cases of the sample.
fn scored() -> TempDir {
    let folder = TempDir::new().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv");
    let file = sample.to_str().unwrap();
    let output = crible(
        &folder,
        &["score", "--all", "--budget", "2/day", file, "--out", "alerts.jsonl", "--store", "alerts.db"],
    );
    let log = text(&output.stderr);
    assert!(output.status.success() && log.contains("cases: ") && log.contains("alerts.db.key"), "{log}");
    folder
}

#[test]
fn an_export_becomes_cases_that_people_work_on() {
    let folder = scored();
    let alerts: Vec<Value> = fs::read_to_string(folder.path().join("alerts.jsonl"))
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let cases = list(&folder, &[]);
    let held: u64 = cases.iter().map(|case| case["alerts"].as_u64().unwrap()).sum();
    assert_eq!(held, alerts.len() as u64, "every alert is in one case");
    assert!(cases.len() > 10 && cases.len() < alerts.len(), "{} cases of {} alerts", cases.len(), alerts.len());
    let ranks =
        |case: &Value| ["low", "medium", "high", "critical"].iter().position(|s| case["severity"] == *s).unwrap();
    assert!(cases.is_sorted_by(|a, b| ranks(a) >= ranks(b)), "the gravest first");
    let page = said(&folder, &["cases", "list", "--limit", "3"]);
    assert!(page.lines().count() == 5 && page.contains(&format!("1 to 3 of {} cases", cases.len())), "{page}");

    // Scored again, nothing is new.
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv");
    let again =
        crible(&folder, &["score", "--all", "--budget", "2/day", sample.to_str().unwrap(), "--out", "again.jsonl"]);
    assert!(text(&again.stderr).contains(&format!("cases: 0 opened, 0 alerts joined one, {held} alerts were known")));

    let several = cases.iter().find(|case| case["alerts"].as_u64().unwrap() > 1).unwrap();
    let case = several["case"].to_string();
    let before = show(&folder, &case);
    said(&folder, &["cases", "close", &case, "--as", "fraud", "--note", "called, card blocked"]);
    let closed = show(&folder, &case);
    assert_eq!((&closed["status"], &closed["owner"]), (&"closed".into(), &"ana".into()));
    assert!(closed["labels"].as_array().unwrap().iter().all(|label| label["class"] == "fraud"));
    let page = said(&folder, &["cases", "show", &case]);
    assert!(page.contains("closed as fraud by ana") && page.contains("wrote: called, card blocked"), "{page}");
    assert!(said(&folder, &["cases", "labels"]).lines().count() >= 2);
    assert_eq!(list(&folder, &["--status", "closed"]).len(), 1);

    // Undoing is exact: but for the history, it is the case that it was.
    said(&folder, &["cases", "undo", &case]);
    let mut undone = show(&folder, &case);
    assert_eq!(undone["history"].as_array().unwrap().len(), before["history"].as_array().unwrap().len() + 2);
    undone["history"] = before["history"].clone();
    assert_eq!(undone, before);
    assert!(said(&folder, &["cases", "labels"]).is_empty());

    let alert = before["alerts"][0]["id"].as_str().unwrap();
    said(&folder, &["cases", "split", &case, alert]);
    assert_eq!(list(&folder, &[]).len(), cases.len() + 1);
    let new = list(&folder, &[]).iter().map(|case| case["case"].as_u64().unwrap()).max().unwrap().to_string();
    assert!(text(&crible(&folder, &["alerts", "show", alert]).stderr).contains(&format!("case {new}")));
    said(&folder, &["cases", "merge", &new, "--into", &case, "--by", "ben"]);
    assert_eq!(show(&folder, &case)["owner"], "ben");

    // In bulk, what others own is left alone, and all of it can be taken back.
    let others: Vec<String> =
        cases.iter().map(|case| case["case"].to_string()).filter(|id| *id != case).take(3).collect();
    let on: Vec<&str> = others.iter().map(String::as_str).chain([case.as_str()]).collect();
    let complaint = refused(&folder, &[&["cases", "close", "--as", "legitimate"][..], &on[..]].concat(), 1);
    assert!(complaint.contains(&format!("case {case}: left alone: ben works on it")), "{complaint}");
    assert_eq!(list(&folder, &["--status", "closed"]).len(), 3);
    let bulk =
        complaint.lines().find_map(|line| line.strip_prefix("to take all of it back: crible cases undo --bulk "));
    said(&folder, &["cases", "undo", "--bulk", bulk.unwrap()]);
    assert_eq!(list(&folder, &["--status", "closed"]).len(), 0);

    assert!(said(&folder, &["audit", "verify"]).contains("entries, all as they were written"));
    assert!(said(&folder, &["audit", "list", "--limit", "5"]).lines().count() == 5);
}

#[test]
fn closing_above_an_amount_takes_two() {
    let folder = scored();
    fs::write(folder.path().join("settings.toml"), "four_eyes = [\"0.01 USD\"]\n").unwrap();
    said(&folder, &["cases", "settings", "settings.toml"]);
    assert!(said(&folder, &["cases", "settings"]).contains("0.01 USD"));
    said(&folder, &["cases", "close", "1", "--as", "fraud"]);
    assert_eq!(show(&folder, "1")["status"], "assigned");
    assert!(refused(&folder, &["cases", "confirm", "1"], 1).contains("somebody else has to confirm"));
    said(&folder, &["cases", "confirm", "1", "--by", "ben"]);
    assert_eq!(show(&folder, "1")["status"], "closed");
    fs::write(folder.path().join("settings.toml"), "four_eyes = [\"much\"]\n").unwrap();
    assert!(refused(&folder, &["cases", "settings", "settings.toml"], 2).contains("four_eyes"));
}

#[test]
fn rules_silences_and_lists_are_set_and_tried() {
    let folder = scored();
    let rules = "[[rule]]\nname = \"all\"\nwhen = \"amount < 1000000.0\"\nthen = \"tag\"\ntag = \"seen\"\n\n\
                 [[rule]]\nname = \"none\"\nwhen = \"amount > 1000000.0\"\nthen = \"hold\"\n";
    fs::write(folder.path().join("rules.toml"), rules).unwrap();
    let alerts = fs::read_to_string(folder.path().join("alerts.jsonl")).unwrap();
    let tried = said(&folder, &["rules", "test", "rules.toml"]);
    let n = alerts.lines().count();
    assert!(tried.contains(&format!("of {n} alerts:\n{n:>8} all (tag)\n{:>8} none (hold)", 0)), "{tried}");
    assert!(list(&folder, &["--tag", "seen"]).is_empty(), "a trial changes nothing");
    said(&folder, &["rules", "load", "rules.toml"]);
    for bad in ["amount >", "price > 1.0", "amount"] {
        let text = format!("[[rule]]\nname = \"bad\"\nwhen = \"{bad}\"\nthen = \"hold\"\n");
        fs::write(folder.path().join("bad.toml"), text).unwrap();
        for command in ["test", "load"] {
            assert!(refused(&folder, &["rules", command, "bad.toml"], 2).contains("rule `bad`"));
        }
    }
    // What comes from elsewhere goes the same way.
    let mut alert: Value = serde_json::from_str(alerts.lines().next().unwrap()).unwrap();
    for (n, account) in [(1, "000000000000beef"), (2, "000000000000cafe"), (3, "000000000000f00d")] {
        alert["id"] = format!("{n:032x}").into();
        alert["account"] = account.into();
        alert["counterparty"] = format!("{n:016x}").into();
        alert["severity"] = "medium".into();
        fs::write(folder.path().join(format!("{n}.jsonl")), format!("{alert}\n")).unwrap();
    }
    said(&folder, &["silence", "add", "account=000000000000beef", "--for", "2h", "--why", "travels"]);
    said(&folder, &["lists", "allow", "000000000000cafe", "--why", "payroll"]);
    said(&folder, &["lists", "block", "000000000000f00d", "--for", "1d", "--why", "mule"]);
    assert!(said(&folder, &["silence", "list"]).contains("account=000000000000beef (travels)"));
    assert_eq!(said(&folder, &["lists", "show"]).lines().count(), 2);
    let output = crible(&folder, &["alerts", "import", "1.jsonl", "2.jsonl", "3.jsonl"]);
    let told: Vec<bool> = text(&output.stderr).lines().map(|line| line.contains("nobody is to be told of 1")).collect();
    assert_eq!(told, [true, true, false]);
    let tagged = list(&folder, &["--tag", "seen"]);
    let severities: Vec<&str> = tagged.iter().map(|case| case["severity"].as_str().unwrap()).collect();
    assert_eq!(severities, ["critical", "medium", "low"]);
    assert!(said(&folder, &["rules", "show"]).starts_with("# held 3 times"));
    let set = ["inhibit", "set", "graver", "--source", "severity=critical", "--target", "severity=medium", "--equal"];
    assert!(refused(&folder, &[&set[..], &["currency"]].concat(), 2).contains("an inhibition needs an equal account"));
    refused(&folder, &[&set[..], &["colour"]].concat(), 2);
    said(&folder, &[&set[..], &["account"]].concat());
    assert!(said(&folder, &["inhibit", "list"]).contains("severity=critical keeps back severity=medium"));
    for (n, severity) in [(4, "critical"), (5, "medium")] {
        alert["id"] = format!("{n:032x}").into();
        alert["account"] = "0000000000000dad".into();
        alert["severity"] = severity.into();
        fs::write(folder.path().join(format!("{n}.jsonl")), format!("{alert}\n")).unwrap();
    }
    let output = crible(&folder, &["alerts", "import", "4.jsonl", "5.jsonl"]);
    let told: Vec<bool> = text(&output.stderr).lines().map(|line| line.contains("nobody is to be told of 1")).collect();
    assert_eq!(told, [false, true]);
    said(&folder, &["inhibit", "remove", "graver"]);
    refused(&folder, &["inhibit", "remove", "graver"], 1);
    said(&folder, &["silence", "end", "1"]);
    assert!(said(&folder, &["silence", "list"]).is_empty());
    refused(&folder, &["silence", "end", "1"], 1);
    refused(&folder, &["silence", "add", "colour=red", "--for", "2h", "--why", "x"], 2);
    refused(&folder, &["silence", "add", "severity=low", "--for", "91d", "--why", "x"], 2);
    fs::write(folder.path().join("odd.jsonl"), "{\"schema\":\"crible.alert/9\"}\n").unwrap();
    assert!(refused(&folder, &["alerts", "import", "odd.jsonl"], 2).contains("odd.jsonl, line 1"));
}

#[test]
fn a_store_is_backed_up_restored_and_refused() {
    let folder = scored();
    said(&folder, &["backup", "backup.jsonl"]);
    assert!(refused(&folder, &["backup", "backup.jsonl"], 2).contains("backup.jsonl"));
    fs::copy(folder.path().join("alerts.db.key"), folder.path().join("copy.db.key")).unwrap();
    said(&folder, &["restore", "backup.jsonl", "--store", "copy.db"]);
    assert_eq!(
        said(&folder, &["cases", "list", "--json", "--store", "copy.db"]),
        said(&folder, &["cases", "list", "--json"])
    );
    assert!(refused(&folder, &["restore", "backup.jsonl", "--store", "copy.db"], 2).contains("is not empty"));

    fs::write(folder.path().join("other.key"), "ab".repeat(32)).unwrap();
    assert!(refused(&folder, &["cases", "list", "--store-key", "other.key"], 2).contains("another key"));
    assert!(refused(&folder, &["cases", "list", "--store", "none.db"], 2).contains("there is no store at none.db"));
    assert!(!folder.path().join("none.db").exists());
    assert!(refused(&folder, &["cases", "list", "--store", "http://x"], 2).contains("is no address of a store"));
    if cfg!(target_os = "linux") {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv");
        let score = ["score", sample.to_str().unwrap(), "--out", "none.jsonl", "--store", "/proc/alerts.db"];
        assert!(refused(&folder, &score, 2).contains("/proc/alerts.db.key"), "a folder that nobody may write to");
        assert!(!folder.path().join("none.jsonl").exists());
    }
    let mut nobody = Command::new(env!("CARGO_BIN_EXE_crible"));
    let unset = ["CRIBLE_STORE", "CRIBLE_USER", "USER", "LOGNAME", "USERNAME"];
    for name in unset {
        nobody.env_remove(name);
    }
    let output =
        nobody.current_dir(&folder).args(["cases", "close", "1", "--as", "fraud", "--store", "alerts.db"]).output();
    let output = output.unwrap();
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("--by USER"), "{}", text(&output.stderr));
    let mut nowhere = Command::new(env!("CARGO_BIN_EXE_crible"));
    let output = nowhere.env_remove("CRIBLE_STORE").args(["cases", "list"]).output().unwrap();
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("--store URL"));
    assert!(refused(&folder, &["cases", "list", "--store", "postgres://h/d"], 2).contains("--store-key FILE"));
    fs::remove_file(folder.path().join("alerts.db.key")).unwrap();
    let complaint = refused(&folder, &["cases", "list"], 2);
    assert!(complaint.contains("alerts.db.key"), "{complaint}");
    // Nor does a run make a new key for a store that has one.
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv");
    assert!(refused(&folder, &["score", sample.to_str().unwrap()], 2).contains("alerts.db.key"));
}

#[test]
fn nobody_finds_an_account_in_the_store() {
    let folder = scored();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv");
    let mut rows = csv::Reader::from_path(sample).unwrap();
    let header = rows.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|field| field == name);
    let columns: Vec<usize> =
        ["account", "counterparty", "customer", "merchant"].into_iter().filter_map(column).collect();
    assert!(!columns.is_empty(), "{header:?}");
    let mut raw: Vec<String> = Vec::new();
    for row in rows.records().map(Result::unwrap) {
        raw.extend(columns.iter().map(|column| row[*column].to_owned()).filter(|text| text.len() > 6));
    }
    raw.sort();
    raw.dedup();
    said(&folder, &["backup", "backup.jsonl"]);
    let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    for path in files.filter(|path| path.is_file()) {
        let bytes = fs::read(&path).unwrap();
        let kept = String::from_utf8_lossy(&bytes);
        let found = raw.iter().find(|text| kept.contains(text.as_str()));
        assert_eq!(found, None, "{}", path.display());
    }
}

/// A farm of accounts on one device is one case, and its page says so.
#[test]
fn accounts_that_used_one_device_are_one_case() {
    let folder = TempDir::new().unwrap();
    let sample = ["--accounts", "400", "--days", "60", "--scenario", "device_farm", "--seed", "5", "--out", "farm.csv"];
    said(&folder, &[&["simulate"][..], &sample].concat());
    said(&folder, &["score", "--min-severity", "medium", "farm.csv", "--out", "alerts.jsonl"]);
    let of_several = |case: &Value| case["accounts"].as_u64().unwrap() > 1;
    let joined_by_a_device = |case: &Value| {
        let shown = show(&folder, &case["case"].to_string());
        let alerts = shown["alerts"].as_array().unwrap().clone();
        let pairs = alerts.iter().flat_map(|a| alerts.iter().map(move |b| (a, b)));
        pairs.into_iter().any(|(a, b)| a["ring"].is_string() && a["ring"] == b["ring"] && a["account"] != b["account"])
    };
    let joined = list(&folder, &[]).into_iter().filter(of_several).find(joined_by_a_device);
    let joined = joined.expect("a case of accounts that used one device");
    said(&folder, &["report", "page.html"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains(&format!("Case {}: ", joined["case"])) && page.contains("class=\"device\""));
}
