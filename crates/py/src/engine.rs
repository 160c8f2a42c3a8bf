//! The engine that a service embeds.

use std::sync::{Arc, Mutex, MutexGuard};

use crible::{Engine as Scorer, Model, Observation as Observed, Scored as Run, Shared, Verdict};
use crible_core::{Timestamp, Transaction};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::fail::Failure;
use crate::files::Transactions;
use crate::payment::{Payment, micros};
use crate::score::{LearnArgs, Scores};
use crate::work::{here, run};

/// A reason: feature, text, value, typical value, share.
pub(crate) type Reason = (String, String, Option<f64>, Option<f64>, f64);

/// A model and the state of every account.
#[pyclass(frozen, module = "crible._crible")]
pub(crate) struct Engine {
    /// None once it was shared.
    inner: Arc<Mutex<Option<Scorer>>>,
}

const SHARED: &str = "the engine was shared: use its handles";

fn lock<T>(inner: &Mutex<T>) -> Result<MutexGuard<'_, T>, Failure> {
    // What a panic interrupted may be half done.
    inner.lock().map_err(|_| Failure::Other("an earlier fault left this engine unusable: load it again".to_owned()))
}

fn open(engine: &mut Option<Scorer>) -> Result<&mut Scorer, Failure> {
    engine.as_mut().ok_or_else(|| Failure::Value(SHARED.to_owned()))
}

/// Learns a model, and observes the history where `replay`.
#[pyfunction]
#[pyo3(signature = (transactions, learn, until, replay, threads, progress))]
pub(crate) fn fit(
    py: Python<'_>,
    transactions: &Transactions,
    learn: LearnArgs,
    until: Option<i64>,
    replay: bool,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Engine> {
    let learning = learn.learning()?;
    let read = Arc::clone(&transactions.read);
    let fitted = run(py, threads, progress, move |control| {
        control.begin("learning");
        let builder = learning.builder()?;
        let whole = &read.import.batch;
        let before = until.map(|until| {
            let rows = whole.rows_before(Timestamp(until)) as u32;
            whole.without(&(rows..whole.len() as u32).collect::<Vec<_>>())
        });
        let history = before.as_ref().unwrap_or(whole);
        control.inside(|| {
            let mut engine = builder.fit(history)?;
            if replay {
                control.begin("observing");
                engine.replay(history, |_, scored| {
                    control.check()?;
                    control.reach(scored.rows().end as u64, history.len() as u64);
                    Ok::<_, Failure>(())
                })?;
            }
            Ok(engine)
        })
    })?;
    Ok(Engine::new(fitted))
}

impl Engine {
    pub(crate) fn new(engine: Scorer) -> Self {
        Self { inner: Arc::new(Mutex::new(Some(engine))) }
    }

    /// What `read` says of the engine.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(&mut Scorer) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        here(py, || read(open(&mut *lock(&self.inner)?)?))
    }
}

#[pymethods]
impl Engine {
    /// Observes one payment.
    fn observe(slf: &Bound<'_, Self>, payment: Payment) -> PyResult<Observation> {
        let py = slf.py();
        let seen = slf.get().with(py, |engine| Ok(Seen::of(&engine.observe(&payment.txn)?)))?;
        Ok(Observation { seen, by: By::Engine(slf.clone().unbind()) })
    }

    /// Observes all of a batch; its scores as columns.
    #[pyo3(signature = (transactions, threads, progress))]
    fn replay<'py>(
        &self,
        py: Python<'py>,
        transactions: &Transactions,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (inner, read) = (Arc::clone(&self.inner), Arc::clone(&transactions.read));
        let columns = run(py, threads, progress, move |control| {
            control.begin("observing");
            let mut scores = Scores::default();
            let batch = &read.import.batch;
            let mut engine = lock(&inner)?;
            // Until here nothing was taken in. From here on all is, whoever still waits: what lies in between could not be
            // gone on from.
            control.check()?;
            let engine = open(&mut engine)?;
            control.inside(|| {
                engine.replay(batch, |model: &Model, scored: &Run<'_>| {
                    control.reach(scored.rows().end as u64, batch.len() as u64);
                    scores.push(model, scored);
                    Ok::<_, Failure>(())
                })
            })?;
            Ok(control.inside(|| scores.columns(&read)))
        })?;
        columns.into_list(py)
    }

    /// The model as bytes.
    fn save<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.with(py, |engine| Ok(engine.save()))?))
    }

    /// The state as bytes.
    fn save_state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.with(py, |engine| Ok(engine.save_state()))?))
    }

    /// An engine with a saved model and no state.
    #[staticmethod]
    fn load(py: Python<'_>, model: &[u8]) -> PyResult<Self> {
        here(py, || Ok(Self::new(Scorer::load(model)?)))
    }

    /// Puts a saved state in the place of this one.
    fn load_state(&self, py: Python<'_>, state: &[u8]) -> PyResult<()> {
        self.with(py, |engine| Ok(engine.load_state(state)?))
    }

    /// Puts a saved model in the place of this one.
    fn replace_model(&self, py: Python<'_>, model: &[u8]) -> PyResult<()> {
        self.with(py, |engine| Ok(engine.replace_model(model)?))
    }

    /// Takes in the state of an engine that saw other accounts.
    fn merge(&self, py: Python<'_>, state: &[u8]) -> PyResult<()> {
        self.with(py, |engine| Ok(engine.merge(state)?))
    }

    /// Sets the time.
    fn advance(&self, py: Python<'_>, now: &Bound<'_, PyAny>) -> PyResult<()> {
        let now = Timestamp(micros(now)?);
        self.with(py, |engine| {
            engine.advance(now);
            Ok(())
        })
    }

    /// A handle for a thread; the engine itself is not usable afterwards.
    fn share(&self, py: Python<'_>) -> PyResult<Handle> {
        here(py, || {
            let engine = lock(&self.inner)?.take();
            let shared = engine.ok_or_else(|| Failure::Value(SHARED.to_owned()))?.share();
            Ok(Handle { inner: Mutex::new(shared) })
        })
    }

    #[getter]
    fn is_cold(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |engine| Ok(engine.is_cold()))
    }

    #[getter]
    fn state_bytes(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |engine| Ok(engine.state_bytes()))
    }

    /// The latest time observed, in microseconds since 1970.
    #[getter]
    fn watermark(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        self.with(py, |engine| Ok(engine.watermark().map(|at| at.0)))
    }

    #[getter]
    fn detectors(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |engine| Ok(engine.model().detectors().map(str::to_owned).collect()))
    }

    #[getter]
    fn columns(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |engine| Ok(engine.model().columns().iter().map(|column| column.name.to_string()).collect()))
    }

    #[getter]
    fn model_id(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |engine| Ok(engine.model().id().to_string()))
    }

    /// Names and reasons of detectors that could not be fitted.
    #[getter]
    fn skipped(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let owned = |(name, reason): (&str, &str)| (name.to_owned(), reason.to_owned());
        self.with(py, |engine| Ok(engine.model().skipped().map(owned).collect()))
    }

    /// How often scores were as high as they seldom should be, week by week, in words.
    fn drift(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |engine| Ok(engine.drift().to_string()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let told = self.with(py, |engine| Ok(format!("<crible.Engine, {}>", engine.model())));
        told.or_else(|_| Ok(format!("<crible.Engine: {SHARED}>")))
    }
}

/// A handle of a shared engine, one for each thread.
#[pyclass(frozen, module = "crible._crible")]
pub(crate) struct Handle {
    inner: Mutex<Shared>,
}

#[pymethods]
impl Handle {
    /// Observes one payment.
    fn observe(slf: &Bound<'_, Self>, payment: Payment) -> PyResult<Observation> {
        let handle = slf.get();
        let seen = here(slf.py(), || Ok(Seen::of(&lock(&handle.inner)?.observe(&payment.txn)?)))?;
        Ok(Observation { seen, by: By::Handle(slf.clone().unbind()) })
    }

    /// A handle for another thread.
    fn clone(&self, py: Python<'_>) -> PyResult<Self> {
        here(py, || Ok(Self { inner: Mutex::new(lock(&self.inner)?.clone()) }))
    }

    /// The state as bytes, of one moment between two payments.
    fn save_state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = here(py, || Ok(lock(&self.inner)?.save_state()))?;
        Ok(PyBytes::new(py, &state))
    }

    /// Puts a saved state in the place of this one, for all handles.
    fn load_state(&self, py: Python<'_>, state: &[u8]) -> PyResult<()> {
        here(py, || Ok(lock(&self.inner)?.load_state(state)?))
    }

    /// Puts a saved model in the place of this one, for all handles.
    fn replace_model(&self, py: Python<'_>, model: &[u8]) -> PyResult<()> {
        here(py, || Ok(lock(&self.inner)?.replace_model(model)?))
    }

    #[getter]
    fn is_cold(&self, py: Python<'_>) -> PyResult<bool> {
        here(py, || Ok(lock(&self.inner)?.is_cold()))
    }
}

/// What is kept of an observation.
struct Seen {
    txn: Transaction,
    verdict: Verdict,
    row: Box<[f32]>,
    model: crible_alert::ModelId,
    is_repeat: bool,
    is_provisional: bool,
}

impl Seen {
    fn of(observed: &Observed<'_>) -> Self {
        let (txn, model) = (*observed.transaction(), observed.model());
        let is_repeat = observed.is_repeat();
        Self {
            txn,
            verdict: observed.verdict(),
            row: observed.row().into(),
            model: model.id(),
            is_repeat,
            is_provisional: observed.is_provisional(),
        }
    }
}

/// Who observed.
enum By {
    Engine(Py<Engine>),
    Handle(Py<Handle>),
}

/// A payment that was observed: how strange it is, and why.
///
/// `score` is higher for what is stranger, and `tail` the probability that an ordinary payment scores as high, on
/// which `severity` rests. `detectors` has each detector's own score, in the order of `Engine.detectors`, and `row`
/// the numbers that they saw, in the order of `Engine.columns`. `is_cold` says that the engine has observed too
/// little to judge, `is_repeat` that the payment was observed before, and `is_provisional` that its time is not
/// confirmed yet.
///
/// Examples
/// --------
/// >>> import crible
/// >>> history = crible.read(crible.simulate(accounts=40, days=40, seed=5))
/// >>> past, today = history.split("2025-02-05")
/// >>> observed = crible.Engine.fit(past).observe(today[0])
/// >>> 0 < observed.tail <= 1, len(observed.explain(2)) <= 2, observed.is_repeat
/// (True, True, False)
#[pyclass(frozen, module = "crible._crible")]
pub(crate) struct Observation {
    seen: Seen,
    by: By,
}

impl Observation {
    /// What the model that scored it says of it.
    fn ask<T: Send>(&self, py: Python<'_>, ask: impl FnOnce(&Model, &Seen) -> T + Send) -> PyResult<T> {
        let seen = &self.seen;
        let checked = |model: &Model| {
            let replaced = || Failure::Other("the model was replaced since: its reasons are gone".to_owned());
            if model.id() == seen.model { Ok(ask(model, seen)) } else { Err(replaced()) }
        };
        match &self.by {
            By::Engine(engine) => engine.get().with(py, |engine| checked(engine.model())),
            By::Handle(handle) => {
                let handle = handle.get();
                here(py, || checked(lock(&handle.inner)?.model()))
            }
        }
    }
}

#[pymethods]
impl Observation {
    #[getter]
    fn payment(&self) -> Payment {
        Payment { txn: self.seen.txn }
    }

    #[getter]
    fn score(&self) -> f64 {
        self.seen.verdict.score.raw
    }

    #[getter]
    fn tail(&self) -> f64 {
        self.seen.verdict.score.tail
    }

    #[getter]
    fn severity(&self) -> &'static str {
        self.seen.verdict.severity.as_str()
    }

    #[getter]
    fn is_cold(&self) -> bool {
        self.seen.verdict.is_cold
    }

    #[getter]
    fn is_repeat(&self) -> bool {
        self.seen.is_repeat
    }

    #[getter]
    fn is_provisional(&self) -> bool {
        self.seen.is_provisional
    }

    /// Each detector's own score.
    #[getter]
    fn detectors(&self) -> Vec<f64> {
        self.seen.verdict.detectors().to_vec()
    }

    /// The feature row.
    #[getter]
    fn row(&self) -> Vec<f32> {
        self.seen.row.to_vec()
    }

    /// The strongest reasons, strongest first; none of a payment that was observed before.
    #[pyo3(signature = (n=3))]
    fn explain<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Bound<'py, PyAny>> {
        let finite = |number: f64| Some(number).filter(|number| number.is_finite());
        let told = |model: &Model, seen: &Seen| -> Vec<Reason> {
            let reasons = model.explain(&seen.txn, &seen.row, n).into_iter();
            reasons.map(|r| (r.column.into_owned(), r.text, finite(r.value), r.typical, r.share)).collect()
        };
        let reasons = if self.seen.is_repeat { Vec::new() } else { self.ask(py, told)? };
        py.import("crible._reasons")?.getattr("Reasons")?.call1((reasons,))
    }

    /// What it looks like, such as "a card being tested".
    #[getter]
    fn looks_like(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        if self.seen.is_repeat {
            return Ok(None);
        }
        self.ask(py, |model, seen| model.looks_like(&seen.txn, &seen.row))
    }

    fn __repr__(&self) -> String {
        format!("<crible.Observation of {}: {}>", self.seen.txn.id, self.seen.verdict)
    }
}
