//! Ties in time are broken by file and row: neither the key nor a compressed copy changes a score.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crible::{Engine, Error};
use crible_core::{Source, Timestamp};
use crible_eval::simulate::{CSV_HEADER, Simulation};
use crible_ingest::{Key, Options};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Scores of some files by file and row.
fn scores(files: &[PathBuf], key: &str) -> Vec<(Source, Timestamp, [u64; 2])> {
    let options = Options { key: Some(Key::from_text(key).unwrap()), ..Options::default() };
    let import = crible_ingest::read(files, &options, &mut |reject| panic!("{reject:?}"), &|_| {}).unwrap();
    let mut all = Vec::new();
    let builder = Engine::builder().fit_rows(2_000);
    let engine = builder.fit_replay(&import.batch, None, |_, scored| {
        all.extend(scored.rows().map(|row| {
            let score = scored.score(row);
            (import.batch.source(row), import.batch.times()[row], [score.raw.to_bits(), score.tail.to_bits()])
        }));
        Ok::<_, Error>(())
    });
    engine.unwrap();
    all
}

/// Two files that know days alone, and share one.
fn files(folder: &Path, seed: u64) -> [PathBuf; 2] {
    let simulation = Simulation::builder().accounts(40).days(60).seed(seed).fraud_rate(0.02).build().unwrap();
    let mut rows: Vec<String> = Vec::new();
    for row in simulation {
        let mut line = Vec::new();
        row.write_csv_line(&mut line);
        let line = String::from_utf8(line).unwrap();
        let fields: Vec<String> = line.trim_end().split(',').enumerate().map(|(at, field)| day(at, field)).collect();
        rows.push(fields.join(","));
    }
    let middle = rows.len() / 2;
    [("b.csv", &rows[..middle]), ("a.csv", &rows[middle..])].map(|(name, rows)| {
        let path = folder.join(name);
        std::fs::write(&path, format!("{}\n{}\n", CSV_HEADER, rows.join("\n"))).unwrap();
        path
    })
}

/// A time's day.
fn day(_: usize, field: &str) -> String {
    match field.split_once('T') {
        Some((day, _)) if day.len() == 10 && day.as_bytes()[4] == b'-' => format!("{day}T00:00:00Z"),
        _ => field.to_owned(),
    }
}

#[test]
fn neither_key_nor_compression_changes_a_score() {
    for seed in [1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let plain = files(folder.path(), seed);
        let want = scores(&plain, "the first key of this test, thirty-two letters");
        let ties = want.windows(2).filter(|pair| pair[0].1 == pair[1].1).count();
        assert!(ties * 2 > want.len(), "{ties} of {} rows share their time with the one before", want.len());
        let other = scores(&plain, "another key of this test, with as many letters");
        let at = want.iter().zip(&other).position(|(a, b)| a != b);
        assert_eq!((at, other.len()), (None, want.len()), "another key, seed {seed}");
        let packed = plain.clone().map(|path| {
            let packed = PathBuf::from(format!("{}.gz", path.display()));
            let mut out = GzEncoder::new(std::fs::File::create(&packed).unwrap(), Compression::fast());
            out.write_all(&std::fs::read(&path).unwrap()).unwrap();
            out.finish().unwrap();
            packed
        });
        let packed = scores(&packed, "the first key of this test, thirty-two letters");
        assert_eq!(want.iter().zip(&packed).position(|(a, b)| a != b), None, "compressed, seed {seed}");
    }
}
