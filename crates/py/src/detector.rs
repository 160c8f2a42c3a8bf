//! Detectors on matrices and on tables with words and nulls.

use std::sync::{Arc, OnceLock};

use crible_score::calibration::{ScoreTail, threshold};
use crible_score::encode::{Column, Encoder, Table};
use crible_score::ensemble::Ensemble;
use crible_score::{Detector, DetectorSpec, Model, ParamGuard, Snapshot, Value, load, model_names, score_into};
use ndarray::{Array2, ArrayView2};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::fail::{Failure, value};
use crate::work::{here, run_in_pool};

/// Up to so many numbers are scored on the calling thread: handing them over would take longer.
const FEW: usize = 1 << 13;

/// A fitted detector, and how rare its scores are.
#[pyclass(frozen, module = "crible._crible")]
pub(crate) struct Fitted {
    inner: Arc<Inner>,
}

struct Inner {
    model: Box<dyn Model>,
    encoder: Option<Encoder>,
    /// Of the rows of the fit, in their order.
    scores: Vec<f64>,
    /// How rare they are, once somebody asks: it takes longer than a histogram's fit.
    tail: OnceLock<ScoreTail>,
}

/// What a saved detector is called in its bytes, and the version of what is in them.
const NAME: &str = "fitted";
const VERSION: u32 = 1;

/// Bytes of the model, of the encoder where there is one, and the scores of the fit.
type Kept = (Vec<u8>, Option<Vec<u8>>, Vec<f64>);

/// A detector by name, with its parameters.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Spec {
    name: String,
    parameters: Vec<(String, Parameter)>,
    seed: u64,
    /// Of an ensemble.
    members: Option<Vec<String>>,
}

#[derive(FromPyObject)]
enum Parameter {
    Integer(i64),
    Number(f64),
    Word(String),
}

impl Spec {
    fn build(self) -> PyResult<Box<dyn Detector>> {
        let Self { name, parameters, seed, members } = self;
        let mut spec = DetectorSpec::new(&name).map_err(value)?;
        for (parameter, given) in parameters {
            let given = match given {
                Parameter::Integer(value) => Value::Integer(value),
                Parameter::Number(value) => Value::Number(value),
                Parameter::Word(value) => Value::Word(value),
            };
            spec = spec.with(&parameter, given).map_err(value)?;
        }
        let Some(members) = members else { return spec.build(seed).map_err(value) };
        let mut params = Ensemble::params().seed(seed);
        for member in members {
            let member: DetectorSpec = member.parse().map_err(value)?;
            params = params.member(member.build(seed).map_err(value)?);
        }
        Ok(Box::new(params.check().map_err(value)?))
    }
}

/// Columns of a frame: numbers, NaN for a null, or words.
pub(crate) struct Given(Column);

impl<'a, 'py> FromPyObject<'a, 'py> for Given {
    type Error = PyErr;

    fn extract(values: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(numbers) = values.extract::<PyReadonlyArray1<'_, f64>>() {
            return Ok(Self(Column::Numbers(numbers.as_array().to_vec())));
        }
        Ok(Self(Column::Words(values.extract()?)))
    }
}

fn table(columns: Vec<(String, Given)>) -> Result<Table, Failure> {
    Ok(Table::new(columns.into_iter().map(|(name, Given(column))| (name, column)))?)
}

/// Names of all detectors, the ensemble last.
#[pyfunction]
pub(crate) fn detector_names() -> Vec<&'static str> {
    model_names().collect()
}

/// Names of the parameters a detector has.
#[pyfunction]
pub(crate) fn parameters(name: &str) -> PyResult<Vec<String>> {
    // What is refused names them all.
    match DetectorSpec::new(name).map_err(value)?.with("", 0) {
        Err(crible_score::Error::UnknownParameter { known, .. }) => Ok(known.split(", ").map(str::to_owned).collect()),
        _ => Ok(Vec::new()),
    }
}

/// Fits on a matrix, which is read where it lies.
#[pyfunction]
#[pyo3(signature = (spec, rows, threads))]
pub(crate) fn fit_matrix(
    py: Python<'_>,
    spec: Spec,
    rows: Py<PyArray2<f64>>,
    threads: Option<usize>,
) -> PyResult<Fitted> {
    let detector = spec.build()?;
    run_in_pool(py, threads, move || with_rows(rows, |rows| fit(detector.as_ref(), rows, None)))
}

/// Fits on a table with words and nulls.
#[pyfunction]
#[pyo3(signature = (spec, columns, threads))]
pub(crate) fn fit_table(
    py: Python<'_>,
    spec: Spec,
    columns: Vec<(String, Given)>,
    threads: Option<usize>,
) -> PyResult<Fitted> {
    let detector = spec.build()?;
    run_in_pool(py, threads, move || {
        let table = table(columns)?;
        let encoder = Encoder::fit(&table)?;
        let rows = encoder.encode_owned(table)?.rows;
        fit(detector.as_ref(), rows.view(), Some(encoder))
    })
}

/// Shows an array's own memory to work that needs no interpreter. The array lives as long as that takes, and nobody may
/// write to it through NumPy's bookkeeping meanwhile.
fn with_rows<T: Send>(
    rows: Py<PyArray2<f64>>,
    work: impl FnOnce(ArrayView2<'_, f64>) -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    Python::attach(|py| {
        let rows = rows
            .bind(py)
            .try_readonly()
            .map_err(|error| Failure::Value(format!("the array is being written to: {error}")))?;
        let view = rows.as_array();
        py.detach(|| work(view))
    })
}

fn fit(detector: &dyn Detector, rows: ArrayView2<'_, f64>, encoder: Option<Encoder>) -> Result<Fitted, Failure> {
    let model = detector.fit(rows)?;
    let mut scores = vec![0.0; rows.nrows()];
    score_into(model.as_ref(), rows, &mut scores)?;
    Ok(Fitted { inner: Arc::new(Inner { model, encoder, scores, tail: OnceLock::new() }) })
}

impl Inner {
    fn tail(&self) -> Result<&ScoreTail, Failure> {
        match self.tail.get() {
            Some(tail) => Ok(tail),
            None => {
                let tail = ScoreTail::fit(&self.scores)?;
                Ok(self.tail.get_or_init(|| tail))
            }
        }
    }

    fn encode(&self, columns: Vec<(String, Given)>) -> Result<Array2<f64>, Failure> {
        let no_table = || Failure::Value("the detector was fitted on a matrix: expected a matrix".to_owned());
        Ok(self.encoder.as_ref().ok_or_else(no_table)?.encode_owned(table(columns)?)?.rows)
    }

    /// Contributions of the columns of the fit to the score of each row.
    fn explain(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, Failure> {
        // Refuses what cannot be scored.
        crible_score::score(self.model.as_ref(), rows)?;
        let width = self.encoder.as_ref().map_or(rows.ncols(), |encoder| encoder.table_names().count());
        let mut all = Array2::zeros((rows.nrows(), width));
        let mut of_matrix = vec![0.0; rows.ncols()];
        for (row, mut to) in rows.outer_iter().zip(all.outer_iter_mut()) {
            self.model.explain_row(row, &mut of_matrix);
            match (&self.encoder, to.as_slice_mut()) {
                (Some(encoder), Some(to)) => encoder.fold(&of_matrix, to),
                _ => to.iter_mut().zip(&of_matrix).for_each(|(to, x)| *to = *x),
            }
        }
        Ok(all)
    }
}

#[pymethods]
impl Fitted {
    /// Scores of the rows of a matrix.
    #[pyo3(signature = (rows, threads))]
    fn score<'py>(
        &self,
        py: Python<'py>,
        rows: Bound<'py, PyArray2<f64>>,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let inner = Arc::clone(&self.inner);
        let scores = if rows.len() <= FEW {
            let rows = rows.readonly();
            let view = rows.as_array();
            here(py, || Ok(crible_score::score(inner.model.as_ref(), view)?))?
        } else {
            let rows = rows.unbind();
            run_in_pool(py, threads, move || {
                with_rows(rows, |rows| Ok(crible_score::score(inner.model.as_ref(), rows)?))
            })?
        };
        Ok(scores.into_pyarray(py))
    }

    /// Scores of the rows of a table.
    #[pyo3(signature = (columns, threads))]
    fn score_table<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<(String, Given)>,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let inner = Arc::clone(&self.inner);
        let scores = run_in_pool(py, threads, move || {
            let rows = inner.encode(columns)?;
            Ok(crible_score::score(inner.model.as_ref(), rows.view())?)
        })?;
        Ok(scores.into_pyarray(py))
    }

    /// What each column contributes to the score of each row of a matrix.
    fn explain<'py>(&self, py: Python<'py>, rows: Py<PyArray2<f64>>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let inner = Arc::clone(&self.inner);
        let all = run_in_pool(py, None, move || with_rows(rows, |rows| inner.explain(rows)))?;
        Ok(all.into_pyarray(py))
    }

    /// The same for a table.
    fn explain_table<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<(String, Given)>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let inner = Arc::clone(&self.inner);
        let all = run_in_pool(py, None, move || {
            let rows = inner.encode(columns)?;
            inner.explain(rows.view())
        })?;
        Ok(all.into_pyarray(py))
    }

    /// The probability that a row of the fit scores as high, for each score.
    fn tail<'py>(&self, py: Python<'py>, scores: PyReadonlyArray1<'py, f64>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (view, inner) = (scores.as_array(), &self.inner);
        let all: Vec<f64> = here(py, || {
            let tail = inner.tail()?;
            Ok(view.iter().map(|&score| tail.probability(score)).collect())
        })?;
        Ok(all.into_pyarray(py))
    }

    /// The score above which a share of the rows of the fit lie.
    fn threshold(&self, py: Python<'_>, contamination: f64) -> PyResult<f64> {
        let inner = &self.inner;
        here(py, || Ok(threshold(&inner.scores, contamination)?))
    }

    /// Scores of the rows of the fit.
    fn scores<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.inner.scores.clone().into_pyarray(py)
    }

    /// Names of the columns of the fit, where it was a table.
    #[getter]
    fn columns(&self) -> Option<Vec<String>> {
        self.inner.encoder.as_ref().map(|encoder| encoder.table_names().map(str::to_owned).collect())
    }

    /// How many columns the fit had.
    #[getter]
    fn width(&self) -> usize {
        let Inner { model, encoder, .. } = &*self.inner;
        encoder.as_ref().map_or_else(|| model.n_columns(), |encoder| encoder.table_names().count())
    }

    /// Whether the table of the fit was all numbers and no nulls, so that a matrix says the same.
    #[getter]
    fn is_plain(&self) -> bool {
        self.inner.encoder.as_ref().is_none_or(Encoder::is_plain)
    }

    /// Versioned bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let Inner { model, encoder, scores, .. } = &*self.inner;
        let encoder = encoder.as_ref().map(|encoder| encoder.snapshot().to_bytes());
        let kept: Kept = (model.snapshot().to_bytes(), encoder, scores.clone());
        PyBytes::new(py, &Snapshot::new(NAME, VERSION, &kept).to_bytes())
    }

    /// What `to_bytes` wrote.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        here(py, || {
            let (model, encoder, scores): Kept = Snapshot::from_bytes(bytes)?.decode(NAME, VERSION)?;
            let model = load(&Snapshot::from_bytes(&model)?)?;
            let encoder = match encoder {
                Some(bytes) => Some(Encoder::from_snapshot(&Snapshot::from_bytes(&bytes)?)?),
                None => None,
            };
            if encoder.as_ref().is_some_and(|encoder| encoder.n_columns() != model.n_columns()) {
                return Err(Failure::Other("this is no saved detector: its table and its model differ".to_owned()));
            }
            // Looked at now, so that what is no number is refused here.
            let tail = OnceLock::from(ScoreTail::fit(&scores)?);
            Ok(Self { inner: Arc::new(Inner { model, encoder, scores, tail }) })
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let load = slf.get_type().getattr("from_bytes")?;
        Ok((load, (slf.get().to_bytes(slf.py()),)))
    }
}
