//! Files and frames of transactions.

use std::path::PathBuf;
use std::sync::Arc;

use crible_core::{EntityId, Truth};
use crible_ingest::{FileReport, Import, Options, Reject, Streamed};
use crible_run::{Learning, Reading};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::columns::{Column, Columns};
use crate::fail::Failure;
use crate::payment::Payment;
use crate::work::{Control, run};

/// Transactions that were read, in order of time, with what became of every row.
#[pyclass(frozen, module = "crible._crible")]
pub(crate) struct Transactions {
    pub(crate) read: Arc<Read>,
}

pub(crate) struct Read {
    /// Its batch is empty where the files were streamed.
    pub(crate) import: Import,
    rejects: Vec<Reject>,
    pub(crate) is_streamed: bool,
}

impl Read {
    /// What became of files that were streamed.
    pub(crate) fn streamed(streamed: Streamed, rejects: Vec<Reject>) -> Self {
        let Streamed { files, errors, notes, key_origin, .. } = streamed;
        let (batch, meaning) = Default::default();
        let import = Import { batch, meaning, files, errors, notes, key_origin };
        Self { import, rejects, is_streamed: true }
    }
}

/// How to read, as Python says it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ReadArgs {
    feed: Option<String>,
    map: Option<String>,
    account: Option<String>,
    presets: Option<PathBuf>,
    key_file: Option<PathBuf>,
    /// As TOML, where it is known by which a model will be learned: it says how far ahead a row may be dated.
    config: Option<String>,
}

impl ReadArgs {
    pub(crate) fn options(self) -> Result<Options, Failure> {
        let Self { feed, map, account, presets, key_file, config } = self;
        if feed.is_some() && map.is_some() {
            return Err(Failure::Value("feed and map are both given: expected one of them".to_owned()));
        }
        let builder = Learning { config, ..Learning::default() }.builder()?;
        let options = Reading { feed, map, account, presets, key_file }.options()?;
        Ok(Options { ahead: builder.config().state.ahead, ..options })
    }
}

/// Reads files, folders, archives and patterns.
#[pyfunction]
#[pyo3(signature = (paths, args, threads, progress))]
pub(crate) fn read(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    args: ReadArgs,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Transactions> {
    let options = args.options().map_err(|failure| failure.raise(py))?;
    run(py, threads, progress, move |control| {
        import(control, |rejects, progress| control.inside(|| crible_ingest::read(&paths, &options, rejects, progress)))
    })
}

/// Reads what would be one file, from memory.
#[pyfunction]
#[pyo3(signature = (name, bytes, args, threads, progress))]
pub(crate) fn read_bytes(
    py: Python<'_>,
    name: PathBuf,
    bytes: Vec<u8>,
    args: ReadArgs,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Transactions> {
    let options = args.options().map_err(|failure| failure.raise(py))?;
    run(py, threads, progress, move |control| {
        import(control, |rejects, progress| {
            control.inside(|| crible_ingest::read_bytes(&name, bytes, &options, rejects, progress))
        })
    })
}

type Rejects<'a> = dyn FnMut(Reject) + Send + 'a;
type Progress<'a> = dyn Fn(crible_ingest::Progress) + Sync + 'a;

fn import(
    control: &Control,
    read: impl FnOnce(&mut Rejects<'_>, &Progress<'_>) -> Result<Import, crible_ingest::Error>,
) -> Result<Transactions, Failure> {
    control.begin("reading");
    let mut rejects = Vec::new();
    let progress = |progress: crible_ingest::Progress| {
        control.check_or_unwind();
        control.reach(progress.bytes_read, progress.bytes_total);
    };
    let import = read(&mut |reject| rejects.push(reject), &progress)?;
    if import.batch.is_empty() {
        return Err(unusable(&import.files, rejects));
    }
    Ok(Transactions { read: Arc::new(Read { import, rejects, is_streamed: false }) })
}

/// Files that held nothing to score.
pub(crate) fn unusable(files: &[FileReport], rejects: Vec<Reject>) -> Failure {
    let sum = |count: fn(&FileReport) -> u64| files.iter().map(count).sum::<u64>();
    let (read, rejected) = (sum(|file| file.read), sum(|file| file.rejected));
    let why = rejects.first().map(|first| format!("; the first: line {}: {}", first.line, first.reason));
    let text = format!(
        "no transaction could be read from {} file(s): {rejected} of {read} rows were rejected{}",
        files.len(),
        why.unwrap_or_default()
    );
    Failure::Unusable { text, first: rejects.into_iter().next().map(Box::new) }
}

#[pymethods]
impl Transactions {
    fn __len__(&self) -> usize {
        self.read.import.batch.len()
    }

    fn __getitem__(&self, row: isize) -> PyResult<Payment> {
        let batch = &self.read.import.batch;
        let at = if row < 0 { row + batch.len() as isize } else { row };
        match usize::try_from(at).ok().filter(|&at| at < batch.len()) {
            Some(at) => Ok(Payment { txn: batch.get(at) }),
            None => {
                let text = format!("row {row} of {} transactions", batch.len());
                Err(pyo3::exceptions::PyIndexError::new_err(text))
            }
        }
    }

    /// The transactions before a time, and those from it on.
    fn split(&self, py: Python<'_>, at: i64) -> PyResult<(Self, Self)> {
        let read = Arc::clone(&self.read);
        run(py, None, None, move |_| {
            let Import { batch, files, key_origin, .. } = &read.import;
            let cut = batch.rows_before(crible_core::Timestamp(at)) as u32;
            let part = |without: Vec<u32>| {
                let import = Import {
                    batch: batch.without(&without),
                    // What rows mean besides is said by rows of the whole.
                    meaning: crible_core::Meaning::default(),
                    files: files.clone(),
                    errors: Vec::new(),
                    notes: Vec::new(),
                    key_origin: key_origin.clone(),
                };
                Self { read: Arc::new(Read { import, rejects: Vec::new(), is_streamed: false }) }
            };
            let rows = batch.len() as u32;
            Ok((part((cut..rows).collect()), part((0..cut).collect())))
        })
    }

    /// The columns.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let read = Arc::clone(&self.read);
        run(py, None, None, move |_| Ok(columns(&read.import)))?.into_list(py)
    }

    /// The rejected rows.
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let all = &self.read.rejects;
        let words = |of: &dyn Fn(&Reject) -> String| Column::Words(all.iter().map(of).collect());
        Columns::default()
            .with("file", words(&|reject| reject.shown.to_string()))
            .with("row", Column::Integers(all.iter().map(|reject| reject.row as i64).collect()))
            .with("line", Column::Integers(all.iter().map(|reject| reject.line as i64).collect()))
            .with("column", words(&|reject| reject.column.clone()))
            .with("value", words(&|reject| reject.value.clone()))
            .with("reason", words(&|reject| reject.reason.clone()))
            .into_list(py)
    }

    /// What became of each file.
    fn files<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for file in &self.read.import.files {
            let one = PyDict::new(py);
            one.set_item("file", &file.shown)?;
            one.set_item("feed", &file.feed)?;
            one.set_item("why", &file.why)?;
            one.set_item("read", file.read)?;
            one.set_item("accepted", file.accepted)?;
            one.set_item("known", file.known)?;
            one.set_item("rejected", file.rejected)?;
            one.set_item("no_transaction", file.no_transaction)?;
            one.set_item("unused_columns", &file.unused_columns)?;
            one.set_item("warnings", &file.warnings)?;
            list.append(one)?;
        }
        Ok(list)
    }

    /// The files that could not be read at all, in words, and what was passed over.
    fn notes(&self) -> Vec<String> {
        let Import { errors, notes, .. } = &self.read.import;
        errors.iter().map(|error| format!("not read: {error}")).chain(notes.iter().cloned()).collect()
    }

    /// Where the key of the pseudonyms came from.
    fn key_origin(&self) -> String {
        self.read.import.key_origin.to_string()
    }

    /// The first time and the last, in microseconds since 1970.
    fn span(&self) -> Option<(i64, i64)> {
        let times = self.read.import.batch.times();
        Some((times.first()?.0, times.last()?.0))
    }
}

fn columns(import: &Import) -> Columns {
    let Import { batch, files, meaning, .. } = import;
    let has = batch.has();
    let rows = 0..batch.len();
    let all = || rows.clone().map(|row| batch.get(row));
    let ids = |of: &dyn Fn(usize) -> Option<EntityId>| {
        Column::Nullable(rows.clone().map(|row| of(row).map(|id| id.to_string())).collect())
    };
    let mut columns = Columns::default()
        .with("id", Column::Words(batch.ids().iter().map(ToString::to_string).collect()))
        .with("time", Column::Times(batch.times().iter().map(|at| at.0).collect()))
        .with("account", Column::Words(batch.accounts().iter().map(ToString::to_string).collect()))
        .with("amount", Column::Numbers(all().map(|txn| txn.amount.major()).collect()))
        .with("amount_minor", Column::Integers(all().map(|txn| txn.amount.minor).collect()))
        .with("currency", Column::Words(all().map(|txn| txn.amount.currency.to_string()).collect()));
    if has.counterparty {
        columns.push("counterparty", ids(&|row| batch.get(row).counterparty));
    }
    let mut words = |is_there: bool, name: &str, of: &dyn Fn(usize) -> crible_core::Code| {
        if is_there {
            let word = |row| Some(of(row)).filter(|code| !code.is_none()).map(|code| code.to_string());
            columns.push(name, Column::Nullable(rows.clone().map(word).collect()));
        }
    };
    words(has.category, "category", &|row| batch.get(row).category);
    words(has.channel, "channel", &|row| batch.get(row).channel);
    words(has.country, "country", &|row| batch.get(row).country);
    if has.device {
        columns.push("device", ids(&|row| batch.get(row).device));
    }
    if has.address {
        columns.push("address", ids(&|row| batch.get(row).address));
    }
    if has.position {
        let degrees = |e7: Option<i32>| e7.map_or(f64::NAN, |e7| f64::from(e7) / 1e7);
        let latitude = all().map(|txn| degrees(txn.position.map(|at| at.latitude_e7())));
        columns.push("latitude", Column::Numbers(latitude.collect()));
        let longitude = all().map(|txn| degrees(txn.position.map(|at| at.longitude_e7())));
        columns.push("longitude", Column::Numbers(longitude.collect()));
    }
    if batch.has_truth() {
        let label = |row| match batch.truth(row) {
            Truth::Unknown => f64::NAN,
            truth => f64::from(u8::from(truth == Truth::Fraud)),
        };
        columns.push("label", Column::Numbers(rows.clone().map(label).collect()));
    }
    if !meaning.pending().is_empty() {
        columns.push("pending", Column::Flags(rows.clone().map(|row| meaning.is_pending(row)).collect()));
    }
    let file = |row| files.get(batch.source(row).file as usize).map(|file| file.shown.clone());
    columns.push("file", Column::Nullable(rows.clone().map(file).collect()));
    columns.push("row", Column::Integers(rows.clone().map(|row| batch.source(row).row as i64).collect()));
    columns
}
