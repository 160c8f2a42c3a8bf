//! Public data sets, where the environment variable CRIBLE_DATA names a folder that has them: every row accounted for,
//! detection without labels no worse than it was, and an engine that observes row by row answering as the command does,
//! to the bit.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use std::process::Command;

use crible::core::Timestamp;
use crible::{Engine, Error};
use crible_eval::metrics::average_precision;
use crible_ingest::{Key, Options};
use tempfile::TempDir;

/// Any does, as long as both sides have it.
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn data(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("CRIBLE_DATA").map(|folder| Path::new(&folder).join(name)).filter(|p| p.is_file());
    if found.is_none() {
        eprintln!("skipped: CRIBLE_DATA names no folder with {name}");
    }
    found
}

/// The default ensemble of tables: good on all, and ahead of isolation forests on most halves of them. What was chosen
/// on which sets is in benches/results.
#[test]
fn the_default_ensemble_keeps_the_top_of_the_ranking() {
    let Some(tables) = data("adbench/cardio.parquet").and_then(|file| Some(file.parent()?.to_owned())) else { return };
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("figures.json");
    let bench = Command::new(env!("CARGO_BIN_EXE_crible"))
        .arg("bench")
        .arg(tables)
        .args(["--detectors", "ensemble,isolation_forest", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    assert!(bench.status.success(), "{}", String::from_utf8_lossy(&bench.stderr));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    // Of each table: how far the ensemble is ahead, in ROC AUC and in average precision.
    let figures = |detector: &str, figure: &str| -> Vec<f64> {
        let of_it = report["results"].as_array().unwrap().iter().filter(|cell| cell["detector"] == detector);
        of_it.map(|cell| cell[figure].as_f64().unwrap()).collect()
    };
    let mut lead = Vec::new();
    for (figure, least) in [("roc_auc", 0.82), ("average_precision", 0.43)] {
        let (ours, forest) = (figures("ensemble", figure), figures("isolation_forest", figure));
        assert_eq!((ours.len(), forest.len()), (22, 22));
        let mean = ours.iter().sum::<f64>() / 22.0;
        assert!(mean >= least, "{figure} {mean}");
        lead.push(ours.iter().zip(&forest).map(|(ours, forest)| ours - forest).collect::<Vec<_>>());
    }
    // Halves, eleven of twenty-two, by the upper bits of multiples of an odd number.
    let bits = (1_u32..).map(|i| i.wrapping_mul(2_654_435_761) >> 10);
    let halves: Vec<u32> = bits.filter(|half| half.count_ones() == 11).take(100).collect();
    let ahead = |half: u32, lead: &[f64]| (0..22).filter(|i| half >> i & 1 == 1).map(|i| lead[i]).sum::<f64>() > 0.0;
    let won = halves.iter().filter(|&&half| lead.iter().all(|lead| ahead(half, lead))).count();
    assert!(won >= 98, "ahead in both figures on {won} of {} halves", halves.len());
}

/// Scores by data row, fitted on what lies before `until`.
fn scores(file: &Path, until: &str, expect: &str) -> Vec<f64> {
    let folder = TempDir::new().unwrap();
    let scores = folder.path().join("scores.csv");
    std::fs::write(folder.path().join("key"), KEY).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_crible"))
        .current_dir(&folder)
        .env_remove("CRIBLE_KEY")
        .arg("score")
        .arg(file)
        .args(["--key-file", "key", "--fit-until", until, "--out", "a", "--scores"])
        .arg(&scores)
        .output()
        .unwrap();
    let log = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success(), "{log}");
    assert!(log.contains(expect), "{log}");
    let mut reader = csv::Reader::from_path(scores).unwrap();
    reader.records().map(|r| r.unwrap()[2].parse().unwrap()).collect()
}

/// What a service answers for the same file: an engine with the model learned before `until` observes row after row,
/// and in the middle is replaced by another that gets its model and its state as bytes.
fn observed(file: &Path, until: Timestamp) -> Vec<f64> {
    let options = Options { key: Some(Key::from_text(KEY).unwrap()), ..Options::default() };
    let import = crible_ingest::read(&[file.to_owned()], &options, &mut |_| {}, &|_| {}).unwrap();
    let batch = import.batch;
    let learned = Engine::builder().fit_replay(&batch, Some(until), |_, _| Ok::<_, Error>(())).unwrap();
    let model = learned.save();
    let mut engine = Engine::load(&model).unwrap();
    let mut scores = vec![f64::NAN; batch.len()];
    for row in 0..batch.len() {
        if row == batch.len() / 2 {
            let state = engine.save_state();
            engine = Engine::load(&engine.save()).unwrap();
            engine.load_state(&state).unwrap();
        }
        scores[batch.source(row).row as usize] = engine.observe(&batch.get(row)).unwrap().score().raw;
    }
    scores
}

fn agree(command: &[f64], service: &[f64]) {
    assert_eq!(command.len(), service.len());
    let differ = command.iter().zip(service).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(differ, None, "row, by row of the file");
}

/// The data rows of a file, split at its delimiter.
fn rows(file: &Path, delimiter: char) -> Vec<Vec<String>> {
    let reader = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()));
    reader.lines().skip(1).map(|l| l.unwrap().split(delimiter).map(str::to_owned).collect()).collect()
}

#[test]
fn handbook() {
    let Some(file) = data("handbook_dev.csv.gz") else {
        return;
    };
    let scores = scores(&file, "2018-08-08", "handbook");
    agree(&scores, &observed(&file, Timestamp::from_civil(2018, 8, 8, 0, 0, 0, 0).unwrap()));
    let rows = rows(&file, ',');
    assert_eq!(scores.len(), rows.len());
    // The handbook's protocol: a week to test, cards already known to be compromised left out of it.
    let day = |r: &[String]| r[6].parse::<i64>().unwrap();
    let fraud = |r: &[String]| r[7] == "1";
    let train = 115;
    let mut known: HashSet<&str> =
        rows.iter().filter(|r| (train..train + 7).contains(&day(r)) && fraud(r)).map(|r| r[2].as_str()).collect();
    let (mut score, mut truth) = (Vec::new(), Vec::new());
    for d in 0..7 {
        known.extend(rows.iter().filter(|r| day(r) == train + 6 + d && fraud(r)).map(|r| r[2].as_str()));
        for (i, r) in
            rows.iter().enumerate().filter(|(_, r)| day(r) == train + 14 + d && !known.contains(r[2].as_str()))
        {
            score.push(scores[i]);
            truth.push(fraud(r));
        }
    }
    assert_eq!((score.len(), truth.iter().filter(|t| **t).count()), (58_264, 385));
    let ap = average_precision(&score, &truth).unwrap();
    assert!(ap >= 0.19, "average precision {ap}");
}

#[test]
fn sparkov() {
    let Some(file) = data("sparkov_dev.psv.gz") else {
        return;
    };
    let scores = scores(&file, "2025-03-02", "sparkov-generator");
    agree(&scores, &observed(&file, Timestamp::from_civil(2025, 3, 2, 0, 0, 0, 0).unwrap()));
    let rows = rows(&file, '|');
    assert_eq!(scores.len(), rows.len());
    let time = |r: &[String]| r[19].parse::<i64>().unwrap();
    let first = rows.iter().map(|r| time(r)).min().unwrap();
    let day = |r: &[String]| (time(r) - first) / 86_400;
    let last = rows.iter().map(|r| day(r)).max().unwrap();
    let test: Vec<usize> = (0..rows.len()).filter(|&i| day(&rows[i]) >= last - 90).collect();
    let score: Vec<f64> = test.iter().map(|&i| scores[i]).collect();
    let truth: Vec<bool> = test.iter().map(|&i| rows[i][22] == "1").collect();
    let ap = average_precision(&score, &truth).unwrap();
    assert!(ap >= 0.75, "average precision {ap}");
}
