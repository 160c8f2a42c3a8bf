//! Columns of results on their way to Python: numbers as NumPy arrays that take the memory over, words as lists.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

/// A column of a result.
#[derive(Debug)]
pub(crate) enum Column {
    Numbers(Vec<f64>),
    Integers(Vec<i64>),
    /// Microseconds since 1970, UTC.
    Times(Vec<i64>),
    Flags(Vec<bool>),
    Words(Vec<String>),
    /// Words of which there are few: each is one object in Python.
    Names(Vec<&'static str>),
    Nullable(Vec<Option<String>>),
}

/// Named columns of one length.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<(String, Column)>);

impl Columns {
    pub(crate) fn with(mut self, name: &str, column: Column) -> Self {
        self.0.push((name.to_owned(), column));
        self
    }

    pub(crate) fn push(&mut self, name: &str, column: Column) {
        self.0.push((name.to_owned(), column));
    }

    /// A list of (name, kind, values), of which `Table` makes itself.
    pub(crate) fn into_list(self, py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
        let list = PyList::empty(py);
        for (name, column) in self.0 {
            let (kind, values) = column.into_values(py)?;
            list.append(PyTuple::new(
                py,
                [name.into_pyobject(py)?.into_any(), kind.into_pyobject(py)?.into_any(), values],
            )?)?;
        }
        Ok(list)
    }
}

impl Column {
    fn into_values(self, py: Python<'_>) -> PyResult<(&'static str, Bound<'_, PyAny>)> {
        fn array<T: numpy::Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyAny> {
            let array: Bound<'_, PyArray1<T>> = values.into_pyarray(py);
            array.into_any()
        }
        Ok(match self {
            Self::Numbers(values) => ("number", array(py, values)),
            Self::Integers(values) => ("integer", array(py, values)),
            Self::Times(values) => ("time", array(py, values)),
            Self::Flags(values) => ("flag", array(py, values)),
            Self::Words(words) => ("word", PyList::new(py, words)?.into_any()),
            Self::Names(names) => {
                let mut known: Vec<(&str, Bound<'_, PyString>)> = Vec::new();
                let name = |name: &&'static str| match known.iter().find(|(one, _)| one == name) {
                    Some((_, object)) => object.clone(),
                    None => {
                        known.push((name, PyString::new(py, name)));
                        known[known.len() - 1].1.clone()
                    }
                };
                ("word", PyList::new(py, names.iter().map(name))?.into_any())
            }
            Self::Nullable(words) => ("word", PyList::new(py, words)?.into_any()),
        })
    }
}
