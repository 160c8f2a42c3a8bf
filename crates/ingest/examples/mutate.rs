//! Drives every parser over mutations of the committed corpora: `mutate INPUTS [PARSER…]`, INPUTS for each parser.
//!
//! The same seed makes the same inputs on every machine. An input that breaks a promise is written to the folder for
//! temporary files, and the run ends with status 1.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "../tests/it/mutator.rs"]
mod mutator;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crible_ingest::drive::{drive, parsers};
use mutator::{Chance, Mutation};

const SEED: u64 = 20_261_125;
/// Longer than any input takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer inputs only take longer.
const LONGEST: usize = 4_096;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let inputs: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let named: Vec<String> = args.collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut failed = 0;
    println!("| parser | inputs | bytes | broken | inputs a second | slowest | peak memory of the run |");
    println!("|---|---|---|---|---|---|---|");
    for parser in parsers() {
        if !named.is_empty() && !named.iter().any(|name| name == parser) {
            continue;
        }
        let corpus = corpus(parser);
        let (bytes, broken, slowest) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (corpus, bytes, broken, slowest) = (&corpus, &bytes, &broken, &slowest);
                scope.spawn(move || {
                    for number in (thread..inputs).step_by(threads as usize) {
                        let input = input(corpus, number);
                        bytes.fetch_add(input.len() as u64, Ordering::Relaxed);
                        let begin = Instant::now();
                        let driven = catch_unwind(AssertUnwindSafe(|| drive(parser, &input)));
                        slowest.fetch_max(begin.elapsed().as_micros() as u64, Ordering::Relaxed);
                        // A machine may stand still for as long; an input that is slow is so again.
                        let is_slow = begin.elapsed() > PATIENCE && {
                            let begin = Instant::now();
                            drop(catch_unwind(AssertUnwindSafe(|| drive(parser, &input))));
                            begin.elapsed() > PATIENCE
                        };
                        if driven.is_err() || is_slow {
                            // The first few are enough.
                            if broken.fetch_add(1, Ordering::Relaxed) >= 8 {
                                continue;
                            }
                            let path = std::env::temp_dir().join(format!("mutate-{parser}-{number}"));
                            std::fs::write(&path, &input).expect("the folder for temporary files takes one more");
                            eprintln!("broken by {}", path.display());
                        }
                    }
                });
            }
        });
        let rate = inputs as f64 / start.elapsed().as_secs_f64();
        let slowest = Duration::from_micros(slowest.into_inner());
        let (bytes, broken) = (bytes.into_inner(), broken.into_inner());
        failed += broken;
        println!("| {parser} | {inputs} | {bytes} | {broken} | {rate:.0} | {slowest:.1?} | {} |", peak());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The committed inputs of a parser.
fn corpus(parser: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(parser);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!corpus.is_empty(), "{} is empty", folder.display());
    corpus
}

/// The input of a number: one of the corpus, or two joined, changed in up to eight ways.
fn input(corpus: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut chance = Chance::new(SEED ^ number.wrapping_mul(0xd134_2543_de82_ef95));
    let pick = |chance: &mut Chance| &corpus[chance.below(corpus.len() as u64) as usize];
    let mut input = pick(&mut chance).clone();
    if chance.below(8) == 0 {
        let other = pick(&mut chance);
        let cut = chance.below(input.len() as u64 + 1) as usize;
        let from = chance.below(other.len() as u64 + 1) as usize;
        input.truncate(cut);
        input.extend_from_slice(&other[from..]);
    }
    for _ in 0..1 + chance.below(8) {
        Mutation::random(&mut chance).apply(&mut input);
    }
    input.truncate(LONGEST);
    input
}

/// The most memory that the run has held, as Linux reports it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|number| number.trim().parse::<u64>().ok());
    kilobytes.map_or_else(|| "-".to_owned(), |kilobytes| format!("{} MiB", kilobytes >> 10))
}
