//! Reads transaction files and reports how long it took and how much memory.
//!
//! `cargo run --release --example measure -- [--keyed] [--stream] [--against-polars] [--rounds N] FILE…`
//!
//! `--stream` hands out batch after batch instead of one. With `--against-polars`, Polars' eager CSV reader takes
//! turns, with the columns of the Handbook or Sparkov form that we read, as text and numbers and without any of the
//! meaning.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crible_ingest::{Key, Options, Window, read, stream};
use polars_io::SerReader;
use polars_io::csv::read::{CsvParseOptions, CsvReadOptions};

type Done<T> = Result<T, Box<dyn std::error::Error>>;

const HANDBOOK: &[&str] = &["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"];
const SPARKOV: &[&str] =
    &["cc_num", "trans_num", "unix_time", "category", "amt", "is_fraud", "merchant", "merch_lat", "merch_long"];

fn main() -> Done<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    let (mut against, mut keyed, mut streams, mut rounds) = (false, false, false, 5);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--against-polars" => against = true,
            "--keyed" => keyed = true,
            "--stream" => streams = true,
            "--rounds" => rounds = arguments.next().ok_or("--rounds: expected a number")?.parse()?,
            file => files.push(file.into()),
        }
    }
    let key = keyed.then(|| Key::from_text("a key for measuring and for nothing else")).transpose()?;
    let options = Options { key, ..Options::default() };
    let run = |told: bool| if streams { streamed(&files, &options, told) } else { whole(&files, &options, told) };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        ours.push(timed(|| run(round == 0))?);
        println!("crible {:.3} s", ours[round]);
        if against {
            theirs.push(timed(|| files.iter().try_for_each(|file| polars(file)))?);
            println!("polars {:.3} s", theirs[round]);
        }
    }
    if against {
        let mut ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        println!("crible / polars: median {:.2}, {least:.2} to {most:.2}", ratios[ratios.len() / 2]);
    }
    println!("peak {}", peak());
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how long it took is what is asked for")]
fn timed(run: impl FnOnce() -> Done<()>) -> Done<f64> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed().as_secs_f64())
}

fn whole(files: &[PathBuf], options: &Options, told: bool) -> Done<()> {
    let import = read(files, options, &mut |reject| eprintln!("{reject:?}"), &|_| {})?;
    if told {
        println!("{:#?}\n{} rows in the batch; peak {}", import.files, import.batch.len(), peak());
    }
    Ok(())
}

fn streamed(files: &[PathBuf], options: &Options, told: bool) -> Done<()> {
    let mut reject = |reject| eprintln!("{reject:?}");
    let mut stream = stream(files, options, Window::default(), &mut reject, &|_| {})?;
    let (mut batches, mut rows) = (0, 0);
    for batch in &mut stream {
        batches += 1;
        rows += batch.len();
    }
    let done = stream.finish();
    if told {
        println!("{:#?}\n{rows} rows in {batches} batches; peak {}", done.files, peak());
    }
    Ok(())
}

fn polars(file: &Path) -> Done<()> {
    let piped = std::io::BufRead::lines(std::io::BufReader::new(std::fs::File::open(file)?))
        .next()
        .is_some_and(|line| line.is_ok_and(|line| line.contains('|')));
    let (separator, columns) = if piped { (b'|', SPARKOV) } else { (b',', HANDBOOK) };
    let frame = CsvReadOptions::default()
        .with_parse_options(CsvParseOptions::default().with_separator(separator))
        .with_columns(Some(columns.iter().map(|&name| name.into()).collect::<Arc<[_]>>()))
        .try_into_reader_with_file_path(Some(file.to_owned()))?
        .finish()?;
    assert!(frame.height() > 0);
    Ok(())
}

/// The most memory the process has held, where the system reports it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(|| "unknown".to_owned(), |line| line["VmHWM:".len()..].trim().to_owned())
}
