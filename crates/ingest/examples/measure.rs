//! Reads transaction files and says how long it took; with `--against-polars`, also how long Polars' eager CSV reader
//! takes for the columns of the Handbook or Sparkov form, as text and numbers and without any of the meaning.
//!
//! `cargo run --release --example measure -- [--against-polars] FILE…`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crible_ingest::{Key, Options, read};
use polars_io::SerReader;
use polars_io::csv::read::{CsvParseOptions, CsvReadOptions};

#[expect(clippy::disallowed_methods, reason = "how long it took is what is asked for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<PathBuf> = Vec::new();
    let (mut against, mut keyed) = (false, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--against-polars" => against = true,
            "--keyed" => keyed = true,
            file => files.push(file.into()),
        }
    }
    let key = keyed.then(|| Key::from_text("a key for measuring and for nothing else")).transpose()?;
    let options = Options { key, ..Options::default() };
    let mut best = f64::INFINITY;
    for round in 0..5 {
        let start = Instant::now();
        let import = read(&files, &options, &mut |reject| eprintln!("{reject:?}"), &|_| {})?;
        let seconds = start.elapsed().as_secs_f64();
        best = best.min(seconds);
        if round == 0 {
            for file in &import.files {
                println!("{file:#?}");
            }
            println!("{} rows in the batch; peak {}", import.batch.len(), peak());
        }
        println!("crible {seconds:.3} s");
    }
    if against {
        let mut theirs = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            for file in &files {
                let piped = std::fs::read(file)?.iter().take(400).any(|&byte| byte == b'|');
                let (separator, columns): (u8, &[&str]) = if piped {
                    (
                        b'|',
                        &[
                            "cc_num",
                            "trans_num",
                            "unix_time",
                            "category",
                            "amt",
                            "is_fraud",
                            "merchant",
                            "merch_lat",
                            "merch_long",
                        ],
                    )
                } else {
                    (b',', &["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"])
                };
                let frame = CsvReadOptions::default()
                    .with_parse_options(CsvParseOptions::default().with_separator(separator))
                    .with_columns(Some(columns.iter().map(|&name| name.into()).collect::<Arc<[_]>>()))
                    .try_into_reader_with_file_path(Some(file.clone()))?
                    .finish()?;
                assert!(frame.height() > 0);
            }
            let seconds = start.elapsed().as_secs_f64();
            theirs = theirs.min(seconds);
            println!("polars {seconds:.3} s");
        }
        println!("ratio {:.2}; peak with polars {}", theirs / best, peak());
    }
    Ok(())
}

/// The most memory the process has held, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(|| "unknown".to_owned(), |line| line["VmHWM:".len()..].trim().to_owned())
}
