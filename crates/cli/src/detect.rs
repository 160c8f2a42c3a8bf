//! `crible detect`: how strange each row of a table is.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use crible_score::calibration::Tail;
use crible_score::encode::Encoder;
use crible_score::ensemble::Ensemble;
use crible_score::{Detector, Model, ParamGuard, score};
use ndarray::{ArrayView1, ArrayView2};
use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};
use polars_io::SerWriter;
use polars_io::csv::write::CsvWriter;
use rayon::prelude::*;

use crate::args::DetectArgs;
use crate::progress::Stages;
use crate::score::use_threads;
use crate::scores::write_frame;
use crate::table::Table;

/// What the detectors say of every row.
struct Detected {
    model: Box<dyn Model>,
    score: Vec<f64>,
    tail: Vec<f64>,
    /// Each detector's own score, where there are several.
    parts: Vec<(&'static str, Vec<f64>)>,
}

pub(crate) fn run(args: &DetectArgs) -> Result<()> {
    use_threads(args.threads)?;
    let ending = args.out.as_deref().map(ending).transpose()?;
    let detectors: Vec<Box<dyn Detector>> =
        args.detectors.iter().map(|spec| spec.build(args.seed)).collect::<Result<_, _>>()?;
    let mut stages = Stages::default();

    let stage = stages.begin("reading");
    let table = Table::read(&args.table)?;
    let usual = args.fit.as_deref().map(Table::read).transpose()?;
    let encoder = Encoder::fit(&usual.as_ref().unwrap_or(&table).inputs)?;
    let encode = |table: Table| encoder.encode_owned(table.inputs).with_context(|| table.path.display().to_string());
    let encoded = encode(table)?;
    for (name, nulls) in encoder.table_names().zip(&encoded.unforeseen_nulls).filter(|(_, nulls)| **nulls > 0) {
        eprintln!("warning: {nulls} empty cell(s) of `{name}`, of which the fit has none, are taken for its median");
    }
    let rows = encoded.rows;
    let usual = usual.map(encode).transpose()?.map(|encoded| encoded.rows);
    stages.end(stage);

    let stage = stages.begin("detecting");
    let detected = match usual {
        Some(usual) => elsewhere(detectors, usual.view(), rows.view(), args.seed),
        None => within(detectors, rows.view(), args.seed),
    };
    let detected = detected.with_context(|| args.table.display().to_string())?;
    stages.end(stage);

    let reasons = (args.explain > 0).then(|| {
        let explain = |row| reasons(detected.model.as_ref(), &encoder, row, usize::from(args.explain));
        rows.outer_iter().into_par_iter().map(explain).collect::<Vec<String>>()
    });
    write(args.out.as_deref(), ending, detected, reasons)
}

/// Scores the rows a model was fitted on; among them it also says how rare each score is.
fn within(mut detectors: Vec<Box<dyn Detector>>, rows: ArrayView2<'_, f64>, seed: u64) -> Result<Detected> {
    let single = if detectors.len() == 1 { detectors.pop() } else { None };
    let Some(single) = single else {
        return parts_of(several(detectors, rows, seed)?, rows);
    };
    let model = single.fit(rows)?;
    let scores = score(model.as_ref(), rows)?.to_vec();
    let reference = Tail::fit(&scores)?;
    let tail = scores.iter().map(|&s| reference.probability(s)).collect();
    Ok(Detected { model, score: scores, tail, parts: vec![] })
}

/// Fits on the rows of another table, calibrated on a part of them that was held out.
fn elsewhere(
    detectors: Vec<Box<dyn Detector>>,
    usual: ArrayView2<'_, f64>,
    rows: ArrayView2<'_, f64>,
    seed: u64,
) -> Result<Detected> {
    // An ensemble is no member of an ensemble, and is calibrated on held-out rows by itself.
    if let [one] = detectors.as_slice()
        && one.name() == "ensemble"
    {
        let model = one.fit(usual)?;
        let reference = Tail::fit(&score(model.as_ref(), usual)?.to_vec())?;
        let scores = score(model.as_ref(), rows)?.to_vec();
        let tail = scores.iter().map(|&s| reference.probability(s)).collect();
        return Ok(Detected { model, score: scores, tail, parts: vec![] });
    }
    parts_of(several(detectors, usual, seed)?, rows)
}

fn several(detectors: Vec<Box<dyn Detector>>, rows: ArrayView2<'_, f64>, seed: u64) -> Result<Ensemble> {
    let params = detectors.into_iter().fold(Ensemble::params().seed(seed), |params, d| params.member(d));
    Ok(params.check()?.fit_rows(rows)?)
}

fn parts_of(ensemble: Ensemble, rows: ArrayView2<'_, f64>) -> Result<Detected> {
    for left_out in ensemble.skipped() {
        eprintln!("warning: the detector {} was left out: {}", left_out.name, left_out.reason);
    }
    let (n, members) = (rows.nrows(), ensemble.n_members());
    let (mut all, mut raw, mut tail) = (vec![0.0; n * members], vec![0.0; n], vec![0.0; n]);
    ensemble.score_parts(rows, &mut all, &mut raw, &mut tail)?;
    let part = |m: usize| all.iter().skip(m).step_by(members).copied().collect();
    let parts = ensemble.names().enumerate().map(|(m, name)| (name, part(m))).collect();
    Ok(Detected { model: Box::new(ensemble), score: raw, tail, parts })
}

/// The columns of the table that contribute most to the score of a row, with what they contribute.
fn reasons(model: &dyn Model, encoder: &Encoder, row: ArrayView1<'_, f64>, n: usize) -> String {
    let mut contributions = vec![0.0; row.len()];
    model.explain_row(row, &mut contributions);
    let names: Vec<&str> = encoder.table_names().collect();
    let mut by_column = vec![0.0; names.len()];
    encoder.fold(&contributions, &mut by_column);
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| by_column[b].total_cmp(&by_column[a]));
    let told = order.iter().take(n).map(|&column| format!("{} {:.3}", names[column], by_column[column]));
    told.collect::<Vec<_>>().join("; ")
}

/// Whether scores are written as Parquet.
fn ending(out: &Path) -> Result<bool> {
    match out.extension().and_then(|e| e.to_str()) {
        Some("parquet") => Ok(true),
        Some("csv") => Ok(false),
        _ => bail!("--out {}: expected a file ending in .parquet or .csv", out.display()),
    }
}

fn write(out: Option<&Path>, parquet: Option<bool>, detected: Detected, reasons: Option<Vec<String>>) -> Result<()> {
    let Detected { score, tail, parts, .. } = detected;
    let column = |name: &str, values: Vec<f64>| Column::from(Series::new(name.into(), values));
    let n = score.len();
    let rows: Vec<i64> = (0..n as i64).collect();
    let mut columns = vec![Column::from(Series::new("row".into(), rows)), column("score", score), column("tail", tail)];
    columns.extend(parts.into_iter().map(|(name, scores)| column(name, scores)));
    columns.extend(reasons.map(|reasons| Column::from(Series::new("reasons".into(), reasons))));
    let mut frame = DataFrame::new(n, columns)?;
    match out {
        Some(path) => {
            let cannot = || format!("cannot write scores to {}", path.display());
            write_frame(path, parquet == Some(true), &mut frame).with_context(cannot)
        }
        None => {
            let mut text = Vec::new();
            CsvWriter::new(&mut text).finish(&mut frame)?;
            let mut stdout = BufWriter::new(io::stdout().lock());
            stdout.write_all(&text)?;
            Ok(stdout.flush()?)
        }
    }
}
