//! A whole run: learn, score, decide.

use std::path::PathBuf;
use std::sync::Arc;

use crible::{Decider, Engine as Scorer, Model, Pipeline, Scored as Run};
use crible_alert::wire::{self, CSV_HEADER, Source};
use crible_alert::{Alert, Budget, DailyBudget, Severity};
use crible_core::{Batch, Timestamp, TxnId};
use crible_run::{Learning, ReadOnce, Rule, Shown, Streaming, window};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyList;
use rayon::prelude::*;

use crate::columns::{Column, Columns};
use crate::engine::Engine;
use crate::fail::{Failure, value};
use crate::files::{Read, ReadArgs, Transactions, unusable};
use crate::work::{Control, here, run};

/// How to learn, as Python says it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct LearnArgs {
    config: Option<String>,
    detectors: Option<Vec<String>>,
    warm_up: Option<String>,
    seed: Option<u64>,
}

impl LearnArgs {
    pub(crate) fn learning(self) -> PyResult<Learning> {
        let Self { config, detectors, warm_up, seed } = self;
        let specs = detectors.map(|all| all.iter().map(|spec| spec.parse()).collect::<Result<Vec<_>, _>>());
        let detectors = specs.transpose().map_err(value)?;
        let warm_up = warm_up.map(|text| text.parse()).transpose().map_err(value)?;
        Ok(Learning { config, detectors, warm_up, seed })
    }
}

/// Scores of rows in the order in which they were scored.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    /// Of rows that were streamed; of others the batch says it.
    places: Vec<Place>,
    raw: Vec<f64>,
    tail: Vec<f64>,
    severity: Vec<Severity>,
    detectors: Vec<(String, Vec<f64>)>,
}

/// What a row of scores is of.
#[derive(Clone, Copy, Debug)]
struct Place {
    source: crible_core::Source,
    id: TxnId,
    at: Timestamp,
}

impl Place {
    fn of(batch: &Batch, row: usize) -> Self {
        Self { source: batch.source(row), id: batch.ids()[row], at: batch.times()[row] }
    }
}

impl Scores {
    pub(crate) fn push(&mut self, model: &Model, scored: &Run<'_>) {
        if self.detectors.is_empty() {
            self.detectors = model.detectors().map(|name| (name.to_owned(), Vec::new())).collect();
        }
        for row in scored.rows() {
            let score = scored.score(row);
            self.raw.push(score.raw);
            self.tail.push(score.tail);
            self.severity.push(scored.severity(row));
            for ((_, all), &one) in self.detectors.iter_mut().zip(scored.detectors(row)) {
                all.push(one);
            }
        }
    }

    fn push_streamed(&mut self, model: &Model, scored: &Run<'_>, batch: &Batch) {
        self.places.extend(scored.rows().map(|row| Place::of(batch, row)));
        self.push(model, scored);
    }

    fn place(&self, read: &Read, row: usize) -> Place {
        if read.is_streamed { self.places[row] } else { Place::of(&read.import.batch, row) }
    }

    /// The rows in the order of files and rows.
    fn order(&self, read: &Read) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.raw.len()).collect();
        order.sort_unstable_by_key(|&row| self.place(read, row).source);
        order
    }

    /// The columns, in the order of files and rows; on the threads of the pool it is called in.
    pub(crate) fn columns(&self, read: &Read) -> Columns {
        let files = &read.import.files;
        let order = self.order(read);
        let place = |row: &usize| self.place(read, *row);
        let pick = |all: &[f64]| Column::Numbers(order.iter().map(|&row| all[row]).collect());
        let mut columns = Columns::default();
        if files.len() > 1 {
            let name = |row: &usize| files[place(row).source.file as usize].shown.clone();
            columns.push("file", Column::Words(order.iter().map(name).collect()));
        }
        columns.push("row", Column::Integers(order.iter().map(|row| place(row).source.row as i64).collect()));
        columns.push("id", Column::Words(order.par_iter().map(|row| place(row).id.to_string()).collect()));
        columns.push("score", pick(&self.raw));
        columns.push("tail", pick(&self.tail));
        for (name, all) in &self.detectors {
            columns.push(name, pick(all));
        }
        let severity = |row: &usize| self.severity[*row].as_str();
        columns.push("severity", Column::Names(order.iter().map(severity).collect()));
        columns
    }
}

/// What a run came to.
#[pyclass(frozen, module = "crible._crible")]
pub(crate) struct Scored {
    read: Arc<Read>,
    alerts: Vec<wire::Alert>,
    scores: Arc<Scores>,
    #[pyo3(get)]
    engine: Py<Engine>,
}

struct Ran {
    alerts: Vec<wire::Alert>,
    scores: Scores,
    engine: Scorer,
}

/// Learns, scores and decides about transactions.
#[pyfunction]
#[pyo3(signature = (transactions, learn, until, budget, min_severity, all, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn score(
    py: Python<'_>,
    transactions: &Transactions,
    learn: LearnArgs,
    until: Option<i64>,
    budget: &str,
    min_severity: Option<&str>,
    all: bool,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Scored> {
    let learning = learn.learning()?;
    let (rule, budget) = chosen(budget, min_severity, all)?;
    let read = Arc::clone(&transactions.read);
    let kept = Arc::clone(&read);
    let ran = run(py, threads, progress, move |control| {
        control.inside(|| decide(&kept, &learning, until, budget, rule, control))
    })?;
    let Ran { alerts, scores, engine } = ran;
    Ok(Scored { read, alerts, scores: Arc::new(scores), engine: Py::new(py, Engine::new(engine))? })
}

/// Which alerts are raised, and how many a day.
fn chosen(budget: &str, min_severity: Option<&str>, all: bool) -> PyResult<(Rule, Budget)> {
    let budget = budget.parse().map_err(value)?;
    let rule = match min_severity.map(str::parse).transpose().map_err(value)? {
        Some(_) if all => return Err(value("min_severity and all are both given: expected one of them")),
        Some(severity) => Rule::AtLeast(severity),
        None if all => Rule::All,
        None => Rule::Earned,
    };
    Ok((rule, budget))
}

/// Whether files are too large to be held, or are not to be held whole.
#[pyfunction]
#[pyo3(signature = (paths, hold))]
pub(crate) fn streams(py: Python<'_>, paths: Vec<PathBuf>, hold: Option<u32>) -> PyResult<bool> {
    here(py, || Ok(window(&paths, hold).is_some()))
}

/// Learns, scores and decides about files that are not held: they are read three times.
#[pyfunction]
#[pyo3(signature = (paths, args, hold, learn, until, budget, min_severity, all, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn score_streamed(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    args: ReadArgs,
    hold: Option<u32>,
    learn: LearnArgs,
    until: Option<i64>,
    budget: &str,
    min_severity: Option<&str>,
    all: bool,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Scored> {
    let learning = learn.learning()?;
    let (rule, budget) = chosen(budget, min_severity, all)?;
    let options = args.options().map_err(|failure| failure.raise(py))?;
    let (read, ran) = run(py, threads, progress, move |control| {
        control.inside(|| {
            let builder = learning.builder()?;
            let window = window(&paths, hold).unwrap_or_default();
            let wrong = |error: ReadOnce| Failure::Value(format!("hold: {error}"));
            let mut streaming = Streaming::new(&paths, options, window).map_err(wrong)?;
            let engine = streaming.learn::<Failure>(&builder, until.map(Timestamp), control)?;
            let policy = rule.policy(DailyBudget::new(budget));
            let mut pipeline = engine.map(|engine| Pipeline::new(engine, policy));
            let (mut scores, mut shown, mut rejects) = (Scores::default(), Shown::new(rule), Vec::new());
            let mut reject = |reject| rejects.push(reject);
            let done =
                streaming.score(pipeline.as_mut(), control, &mut reject, |batch, _, model, scored, raised| {
                    control.check()?;
                    shown.judge(model, scored, batch);
                    scores.push_streamed(model, scored, batch);
                    shown.take(raised);
                    Ok::<_, Failure>(())
                })?;
            let Some(mut pipeline) = pipeline else { return Err(unusable(&done.files, rejects)) };
            shown.take(pipeline.finish());
            let (raised, _) = shown.finish();
            let read = Read::streamed(done, rejects);
            let alerts = raised.iter().map(|alert| wire::Alert::new(alert, source(&read, alert))).collect();
            Ok((Arc::new(read), Ran { alerts, scores, engine: pipeline.into_engine() }))
        })
    })?;
    let Ran { alerts, scores, engine } = ran;
    Ok(Scored { read, alerts, scores: Arc::new(scores), engine: Py::new(py, Engine::new(engine))? })
}

fn decide(
    read: &Read,
    learning: &Learning,
    until: Option<i64>,
    budget: Budget,
    rule: Rule,
    control: &Control,
) -> Result<Ran, Failure> {
    let batch = &read.import.batch;
    let builder = learning.builder()?;
    let (mut scores, mut shown) = (Scores::default(), Shown::new(rule));
    let decider = Decider::new(rule.policy(DailyBudget::new(budget)));
    control.begin("learning");
    let mut is_learning = true;
    let visit = |model: &Model, scored: &Run<'_>, raised: Vec<Alert>| {
        if std::mem::take(&mut is_learning) {
            control.begin("scoring");
        }
        control.check()?;
        control.reach(scored.rows().end as u64, batch.len() as u64);
        shown.judge(model, scored, batch);
        scores.push(model, scored);
        shown.take(raised);
        Ok::<_, Failure>(())
    };
    let until = until.map(Timestamp);
    let mut pipeline = Pipeline::fit_replay(&builder, decider, batch, Some(&read.import.meaning), until, visit)?;
    shown.take(pipeline.finish());
    let (raised, _) = shown.finish();
    let alerts = raised.iter().map(|alert| wire::Alert::new(alert, source(read, alert))).collect();
    Ok(Ran { alerts, scores, engine: pipeline.into_engine() })
}

/// Where an owner of the files finds the payment.
fn source(read: &Read, alert: &Alert) -> Option<Source> {
    alert.decision.source.map(|source| {
        let report = &read.import.files[source.file as usize];
        Source { feed: report.feed.clone(), file: report.shown.clone(), row: source.row }
    })
}

#[pymethods]
impl Scored {
    /// The alerts as columns: those of the command's CSV and Parquet.
    fn alerts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let alerts = &self.alerts;
        let records: Vec<[String; CSV_HEADER.len()]> = alerts.iter().map(wire::csv_record).collect();
        let mut columns = Columns::default();
        for (i, &name) in CSV_HEADER.iter().enumerate() {
            let column = match name {
                "score" => Column::Numbers(alerts.iter().map(|alert| alert.score).collect()),
                "tail" => Column::Numbers(alerts.iter().map(|alert| alert.tail).collect()),
                "rank" => Column::Integers(alerts.iter().map(|alert| alert.rank.into()).collect()),
                "row" => {
                    let row = |alert: &wire::Alert| alert.source.as_ref().map_or(-1, |source| source.row as i64);
                    Column::Integers(alerts.iter().map(row).collect())
                }
                "payments" => Column::Integers(alerts.iter().map(|alert| alert.payments.len().max(1) as i64).collect()),
                "looks_like" => Column::Nullable(alerts.iter().map(|alert| alert.looks_like.clone()).collect()),
                "note" => Column::Nullable(alerts.iter().map(|alert| alert.note.clone()).collect()),
                _ => Column::Words(records.iter().map(|record| record[i].clone()).collect()),
            };
            columns.push(name, column);
        }
        columns.into_list(py)
    }

    /// The alerts as lines of JSON.
    fn lines(&self) -> PyResult<Vec<String>> {
        self.alerts.iter().map(|alert| alert.to_line().map_err(value)).collect()
    }

    /// Reasons of the alert in a row: (feature, text, value, typical, share).
    fn reasons(&self, alert: usize) -> Option<Vec<crate::engine::Reason>> {
        let one = self.alerts.get(alert)?;
        let told = |r: &wire::Reason| (r.feature.clone(), r.text.clone(), r.value, r.typical, r.share);
        Some(one.reasons.iter().map(told).collect())
    }

    /// Every transaction's scores as columns, in the order of files and rows.
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let (read, scores) = (Arc::clone(&self.read), Arc::clone(&self.scores));
        run(py, None, None, move |control| Ok(control.inside(|| scores.columns(&read))))?.into_list(py)
    }

    /// The times of the transactions, in microseconds since 1970, in the order of `scores`.
    fn times<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let times = self.scores.order(&self.read).into_iter().map(|row| self.scores.place(&self.read, row).at.0);
        times.collect::<Vec<_>>().into_pyarray(py)
    }

    fn __len__(&self) -> usize {
        self.scores.raw.len()
    }

    /// What became of the files. Where they were streamed, it holds no transactions.
    #[getter]
    fn transactions(&self) -> Transactions {
        Transactions { read: Arc::clone(&self.read) }
    }

    #[getter]
    fn is_streamed(&self) -> bool {
        self.read.is_streamed
    }
}
