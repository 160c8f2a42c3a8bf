//! Fits a detector with its default parameters on rows from a file, scores the same rows, and reports how long each
//! took: one side of `benches/peers/neighbours.py`.
//!
//! ```text
//! fit_score DETECTOR FILE COLUMNS [SCORES]
//! ```
//! FILE holds little-endian 64-bit numbers, row after row; so does SCORES, which is written.

use std::error::Error;
use std::time::Instant;

use crible_score::optics::Optics;
use crible_score::{ParamGuard, detector, score};
use ndarray::{Array2, ArrayView2};

/// Seconds `run` takes, with what it gives.
#[expect(clippy::disallowed_methods, reason = "a clock is what a measurement needs")]
fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let out = run();
    (out, start.elapsed().as_secs_f64())
}

/// The ordering besides the fit, which scikit-learn's OPTICS has in it.
fn plot(rows: ArrayView2<'_, f64>) -> Result<f64, Box<dyn Error>> {
    let (plot, seconds) =
        timed(|| -> Result<_, crible_score::Error> { Ok(Optics::params().check()?.fit_rows(rows)?.plot()) });
    assert_eq!(plot?.len(), rows.nrows());
    Ok(seconds)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, file, columns, scores_file @ ..] = arguments.as_slice() else {
        return Err("usage: fit_score DETECTOR FILE COLUMNS [SCORES]".into());
    };
    let k: usize = columns.parse()?;
    let bytes = std::fs::read(file)?;
    let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    drop(bytes);
    let rows = Array2::from_shape_vec((values.len() / k, k), values)?;
    if name == "optics_plot" {
        println!("{{\"fit\": {}, \"score\": 0}}", plot(rows.view())?);
        return Ok(());
    }
    let detector = detector(name, 0)?;
    let (model, fit) = timed(|| detector.fit(rows.view()));
    let model = model?;
    let (scores, seconds) = timed(|| score(model.as_ref(), rows.view()));
    let scores = scores?;
    println!("{{\"fit\": {fit}, \"score\": {seconds}}}");
    if let [path] = scores_file {
        std::fs::write(path, scores.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    Ok(())
}
