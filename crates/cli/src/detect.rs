//! `crible detect`: how strange each row of a table is.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use crible_ingest::{cell, plain};
use crible_score::calibration::{HeldOut, ScoreTail, held_out_rows};
use crible_score::encode::{self, Encoder};
use crible_score::ensemble::Ensemble;
use crible_score::{Detector, Model, ParamGuard, score};
use ndarray::{ArrayView1, ArrayView2};
use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};
use polars_io::SerWriter;
use polars_io::csv::write::CsvWriter;
use rayon::prelude::*;

use crate::args::DetectArgs;
use crate::progress::Stages;
use crate::scores::write_frame;
use crate::setup::use_threads;
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
    let mut read = vec![("the table", args.table.as_path())];
    read.extend(args.fit.as_deref().map(|fit| ("the table", fit)));
    crate::output::check(&[("--out", args.out.as_deref())], &read)?;
    let detectors: Vec<Box<dyn Detector>> =
        args.detectors.iter().map(|spec| spec.build(args.seed)).collect::<Result<_, _>>()?;
    let mut stages = Stages::default();

    let stage = stages.begin("reading");
    let table = Table::read(&args.table)?;
    let usual = args.fit.as_deref().map(|path| Usual::read(path, args.seed)).transpose()?;
    let encoder = Encoder::fit(usual.as_ref().map_or(&table.inputs, |usual| &usual.fit))?;
    let encode = |path: &Path, table| encoder.encode_owned(table).with_context(|| path.display().to_string());
    let encoded = encode(&table.path, table.inputs)?;
    for (name, nulls) in encoder.table_names().zip(&encoded.unforeseen_nulls).filter(|(_, nulls)| **nulls > 0) {
        eprintln!("warning: {nulls} empty cell(s) of `{name}`, of which the fit has none, are taken for its median");
    }
    let rows = encoded.rows;
    let usual = match usual {
        Some(Usual { path, fit, held_out }) => Some((encode(&path, fit)?.rows, encode(&path, held_out)?.rows)),
        None => None,
    };
    stages.end(stage);

    let stage = stages.begin("detecting");
    let detected = match usual {
        Some((fit, held_out)) => elsewhere(detectors, fit.view(), held_out.view(), rows.view(), args.seed),
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

/// A table of usual rows: those to fit on, and those held out to calibrate on.
struct Usual {
    path: PathBuf,
    fit: encode::Table,
    held_out: encode::Table,
}

impl Usual {
    fn read(path: &Path, seed: u64) -> Result<Self> {
        let Table { path, inputs, .. } = Table::read(path)?;
        let chosen = held_out_rows(inputs.n_rows(), seed).with_context(|| path.display().to_string())?;
        let (fit, held_out) = inputs.split(&chosen)?;
        Ok(Self { path, fit, held_out })
    }
}

/// What was fitted: a detector, or the ensemble of several.
enum Fitted {
    One(Box<dyn Model>),
    Several(Box<Ensemble>),
}

impl Fitted {
    fn fit(mut detectors: Vec<Box<dyn Detector>>, rows: ArrayView2<'_, f64>, seed: u64) -> Result<Self> {
        if detectors.len() == 1
            && let Some(one) = detectors.pop()
        {
            return Ok(Self::One(one.fit(rows)?));
        }
        let params = detectors.into_iter().fold(Ensemble::params().seed(seed), |params, d| params.member(d));
        let ensemble = params.check()?.fit_rows(rows)?;
        for left_out in ensemble.skipped() {
            eprintln!("warning: the detector {} was left out: {}", left_out.name, left_out.reason);
        }
        Ok(Self::Several(Box::new(ensemble)))
    }

    fn model(&self) -> &dyn Model {
        match self {
            Self::One(model) => model.as_ref(),
            Self::Several(ensemble) => ensemble.as_ref(),
        }
    }

    /// What it says of rows, with the probability that `tail` gives each score, or without one that it has itself.
    fn detect(self, rows: ArrayView2<'_, f64>, tail: Option<&HeldOut>) -> Result<Detected> {
        match self {
            Self::One(model) => {
                let score = score(model.as_ref(), rows)?.to_vec();
                let tail = match tail {
                    Some(held_out) => score.iter().map(|&s| held_out.probability(s)).collect(),
                    // How rare a score is among the rows themselves.
                    None => {
                        let among = ScoreTail::fit(&score)?;
                        score.iter().map(|&s| among.probability(s)).collect()
                    }
                };
                Ok(Detected { model, score, tail, parts: vec![] })
            }
            Self::Several(ensemble) => {
                let (n, members) = (rows.nrows(), ensemble.n_members());
                let (mut all, mut raw, mut own) = (vec![0.0; n * members], vec![0.0; n], vec![0.0; n]);
                ensemble.score_parts(rows, &mut all, &mut raw, &mut own)?;
                let part = |m: usize| all.iter().skip(m).step_by(members).copied().collect();
                let parts = ensemble.names().enumerate().map(|(m, name)| (name, part(m))).collect();
                let tail = tail.map_or(own, |held_out| raw.iter().map(|&s| held_out.probability(s)).collect());
                Ok(Detected { model: ensemble, score: raw, tail, parts })
            }
        }
    }
}

/// Scores the rows a model was fitted on; a probability is that among them.
fn within(detectors: Vec<Box<dyn Detector>>, rows: ArrayView2<'_, f64>, seed: u64) -> Result<Detected> {
    Fitted::fit(detectors, rows, seed)?.detect(rows, None)
}

/// Fits on rows of another table and calibrates on others of it, which no fit has seen: a row like them then has a
/// probability of at most 0.01 once in a hundred.
fn elsewhere(
    detectors: Vec<Box<dyn Detector>>,
    fit: ArrayView2<'_, f64>,
    held_out: ArrayView2<'_, f64>,
    rows: ArrayView2<'_, f64>,
    seed: u64,
) -> Result<Detected> {
    let fitted = Fitted::fit(detectors, fit, seed)?;
    let tail = HeldOut::fit(&score(fitted.model(), held_out)?.to_vec())?;
    fitted.detect(rows, Some(&tail))
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
    let named = order.iter().take(n).map(|&column| format!("{} {:.3}", names[column], by_column[column]));
    named.collect::<Vec<_>>().join("; ")
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
    // A reason begins with a column's name, which may be anything.
    let safe = |reason: String| if parquet == Some(true) { reason } else { cell(&plain(&reason)).into_owned() };
    let reasons: Option<Vec<String>> = reasons.map(|reasons| reasons.into_iter().map(safe).collect());
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
