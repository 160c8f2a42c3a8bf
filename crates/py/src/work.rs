//! Work beside the interpreter: without its lock, in threads of ours, stopped by Ctrl-C.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crible_ingest::Progress;
use crible_run::Watch;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::fail::{CribleError, Failure, panicked, value};

/// How often the interpreter is asked whether a signal came, and told how far the work is.
const TURN: Duration = Duration::from_millis(40);

/// Pools by process and number of threads; 0 is one thread for each processor. A child of a fork has none of its
/// parent's threads, so it makes pools of its own.
type Pools = HashMap<(u32, usize), Arc<ThreadPool>>;

static POOLS: Mutex<Option<Pools>> = Mutex::new(None);

pub(crate) fn pool(threads: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    if threads == Some(0) {
        return Err(value("threads is 0: expected at least 1, or None for one for each processor"));
    }
    let key = (std::process::id(), threads.unwrap_or(0));
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let pools = pools.get_or_insert_default();
    if let Some(pool) = pools.get(&key) {
        return Ok(Arc::clone(pool));
    }
    let pool = ThreadPoolBuilder::new().num_threads(key.1).thread_name(|n| format!("crible-{n}")).build();
    let pool = Arc::new(pool.map_err(|error| CribleError::new_err(format!("cannot start threads: {error}")))?);
    pools.insert(key, Arc::clone(&pool));
    Ok(pool)
}

/// Where work has its threads, how far it has come, and whether anybody still waits for it.
#[derive(Debug)]
pub(crate) struct Control {
    pool: Arc<ThreadPool>,
    stop: AtomicBool,
    stage: Mutex<&'static str>,
    done: AtomicU64,
    all: AtomicU64,
}

/// What unwinds a reader whose caller no longer waits.
struct Stop;

impl Control {
    fn new(pool: Arc<ThreadPool>) -> Self {
        let (stop, stage, done, all) = Default::default();
        Self { pool, stop, stage, done, all }
    }

    /// Does a part of the work in the pool's threads. Whoever takes a lock does so outside: a thread of the pool that waits
    /// for others does other work meanwhile, which may want the same lock.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    pub(crate) fn begin(&self, stage: &'static str) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.reach(0, 0);
    }

    pub(crate) fn reach(&self, done: u64, all: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.all.store(all, Ordering::Relaxed);
    }

    /// Ends the work where nobody waits for it any more.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) { Err(Failure::Stopped) } else { Ok(()) }
    }

    /// The same where an error cannot be handed on: the work unwinds, and nothing of it is kept.
    pub(crate) fn check_or_unwind(&self) {
        if self.check().is_err() {
            resume_unwind(Box::new(Stop));
        }
    }

    fn tell(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) -> PyResult<()> {
        let Some(progress) = progress else { return Ok(()) };
        let stage = *self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, all) = (self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed));
        progress.call1(py, (stage, done, all)).map(drop)
    }
}

impl Watch for Control {
    fn begin(&self, stage: &'static str) {
        Self::begin(self, stage);
    }

    fn reach(&self, progress: Progress) {
        self.check_or_unwind();
        Self::reach(self, progress.bytes_read, progress.bytes_total);
    }
}

/// Where the result of work is handed over.
type Handed<T> = (Mutex<Option<Result<T, PyErr>>>, Condvar);

/// Does work in a thread of its own, without the interpreter's lock. Ctrl-C, and an error of `progress`, end the wait at once; the
/// work then ends where it next looks, and what it did until then stays done.
///
/// # Errors
/// What the work failed with, what a signal's handler raised, or that it panicked.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Control) -> Result<T, Failure> + Send + 'static,
) -> PyResult<T> {
    let control = Arc::new(Control::new(pool(threads)?));
    let (job, handed) = job(&control, work);
    let thread = std::thread::Builder::new().name("crible".to_owned());
    thread.spawn(job).map_err(|error| CribleError::new_err(format!("cannot start a thread: {error}")))?;
    wait(py, &control, &handed, progress.as_ref())
}

/// The same for work that takes no lock of ours: the pool's threads do it, and none is started for it, which takes
/// longer than a fit of a small table.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_in_pool<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> PyResult<T> {
    let control = Arc::new(Control::new(pool(threads)?));
    let (job, handed) = job(&control, |_| work());
    control.pool.spawn(job);
    wait(py, &control, &handed, None)
}

/// Work that hands its result over, whatever becomes of it, and where it will be.
fn job<T: Send + 'static>(
    control: &Arc<Control>,
    work: impl FnOnce(&Control) -> Result<T, Failure> + Send + 'static,
) -> (impl FnOnce() + Send + 'static, Arc<Handed<T>>) {
    let handed: Arc<Handed<T>> = Arc::default();
    let (watched, to) = (Arc::clone(control), Arc::clone(&handed));
    let job = move || {
        let done = match catch_unwind(AssertUnwindSafe(|| work(&watched))) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(failure)) => Python::attach(|py| Err(failure.raise(py))),
            Err(payload) if payload.is::<Stop>() => Python::attach(|py| Err(Failure::Stopped.raise(py))),
            Err(payload) => Err(panicked(payload.as_ref())),
        };
        *to.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        to.1.notify_one();
    };
    (job, handed)
}

/// Waits for what a job hands over.
fn wait<T: Send>(py: Python<'_>, control: &Control, handed: &Handed<T>, progress: Option<&Py<PyAny>>) -> PyResult<T> {
    loop {
        let done = py.detach(|| {
            let (place, ready) = handed;
            let place = place.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = ready.wait_timeout_while(place, TURN, |done| done.is_none());
            waited.unwrap_or_else(PoisonError::into_inner).0.take()
        });
        if let Some(done) = done {
            return done;
        }
        if let Err(error) = py.check_signals().and_then(|()| control.tell(py, progress)) {
            control.stop.store(true, Ordering::Relaxed);
            return Err(error);
        }
    }
}

/// Does work that takes microseconds on the calling thread, without the interpreter's lock.
pub(crate) fn here<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Failure> + Send) -> PyResult<T> {
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(done) => done.map_err(|failure| failure.raise(py)),
        Err(payload) => Err(panicked(payload.as_ref())),
    }
}

/// Panics, in a pool or on the calling thread, so that a test can see what becomes of it.
#[pyfunction]
#[pyo3(name = "_panic")]
pub(crate) fn panic(py: Python<'_>, in_pool: bool) -> PyResult<()> {
    #[expect(clippy::panic, reason = "what this is for")]
    let work = || -> Result<(), Failure> { panic!("a panic on purpose") };
    if in_pool { run(py, None, None, move |_| work()) } else { here(py, work) }
}
