//! What Rust takes for what `peers/python.py` asks of the package: `cargo bench --bench beside_python -- THREADS TABLE`
//! or `-- THREADS PAYMENTS KEY MODEL STATE`.
//!
//! It waits for lines on its input and answers each with the seconds that it took, so that both sides work in turn,
//! each in a process that is warm and has its data in memory:
//!
//! * `rows NAME` and `columns NAME` fit the detector of that name with its defaults on all rows of the table (the array
//!   `X` of an .npz file) and score them, with the rows or the columns one after the other in memory;
//! * `replay` has the engine of the saved model and state observe all payments of the file, and keeps each score;
//!   `kept` keeps what the package returns: the row, the id in words, score, tail and each detector's own score.

#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::fs::{self, File};
use std::io::{BufRead, Write, stdin, stdout};
use std::path::PathBuf;
use std::time::Instant;

use crible::Engine;
use crible_ingest::{Key, Options};
use ndarray::{Array2, ArrayView2, ShapeBuilder};
use ndarray_npy::NpzReader;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some(threads) = arguments.first() {
        rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    }
    match arguments[..] {
        [_, table] => {
            let by_row: Array2<f64> = NpzReader::new(File::open(table)?)?.by_name("X")?;
            let mut by_column = Array2::zeros(by_row.dim().f());
            by_column.assign(&by_row);
            answer(|asked| match asked.split_once(' ') {
                Some(("rows", name)) => fit_and_score(name, by_row.view()),
                Some(("columns", name)) => fit_and_score(name, by_column.view()),
                _ => Err(format!("expected `rows NAME` or `columns NAME`, got `{asked}`").into()),
            })
        }
        [_, payments, key, model, state] => {
            let options = Options { key: Some(Key::from_file(key.as_ref())?), ..Options::default() };
            let import = crible_ingest::read(&[PathBuf::from(payments)], &options, &mut |_| (), &|_| ())?;
            let (model, state) = (fs::read(model)?, fs::read(state)?);
            answer(|asked| {
                let mut engine = Engine::load(&model)?;
                engine.load_state(&state)?;
                let detectors = if asked == "kept" { engine.model().detectors().len() } else { 0 };
                let payments = import.batch.len();
                let began = Instant::now();
                let mut numbers: Vec<Vec<f64>> = (0..2 + detectors).map(|_| Vec::with_capacity(payments)).collect();
                engine.replay(&import.batch, |_, scored| {
                    for row in scored.rows() {
                        let score = scored.score(row);
                        let own = scored.detectors(row).iter().take(detectors).copied();
                        let all = [score.raw, score.tail].into_iter().chain(own);
                        numbers.iter_mut().zip(all).for_each(|(to, number)| to.push(number));
                    }
                    Ok::<_, Failure>(())
                })?;
                let mut ids: Vec<(u64, String)> = Vec::new();
                if detectors > 0 {
                    let written = import.batch.ids().iter().enumerate();
                    ids.extend(written.map(|(row, id)| (import.batch.source(row).row, id.to_string())));
                }
                let took = began.elapsed().as_secs_f64();
                std::hint::black_box((numbers, ids));
                Ok(took)
            })
        }
        _ => Err("usage: beside_python THREADS TABLE, or THREADS PAYMENTS KEY MODEL STATE".into()),
    }
}

/// Answers each line with the seconds that it took.
fn answer(mut seconds: impl FnMut(&str) -> Result<f64, Failure>) -> Result<(), Failure> {
    for line in stdin().lock().lines() {
        writeln!(stdout(), "{}", seconds(&line?)?)?;
        stdout().flush()?;
    }
    Ok(())
}

fn fit_and_score(name: &str, rows: ArrayView2<'_, f64>) -> Result<f64, Failure> {
    let detector = crible_score::detector(name, 0)?;
    let began = Instant::now();
    let model = detector.fit(rows)?;
    let scores = crible_score::score(model.as_ref(), rows)?;
    let took = began.elapsed().as_secs_f64();
    std::hint::black_box(scores);
    Ok(took)
}
