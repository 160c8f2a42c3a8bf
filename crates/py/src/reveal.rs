//! The way back from pseudonyms, by the files and the key together.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::columns::{Column, Columns};
use crate::fail::value;
use crate::files::ReadArgs;
use crate::work::run;

/// What pseudonyms and references stand for in files, as columns.
#[pyfunction]
#[pyo3(signature = (pseudonyms, paths, args, threads, progress))]
pub(crate) fn reveal<'py>(
    py: Python<'py>,
    pseudonyms: Vec<String>,
    paths: Vec<PathBuf>,
    args: ReadArgs,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let pseudonyms: Vec<String> = pseudonyms.iter().map(|text| text.to_ascii_lowercase()).collect();
    let fits = |text: &String| matches!(text.len(), 16 | 32) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(at) = pseudonyms.iter().position(|text| !fits(text)) {
        // What is no pseudonym may be an identifier, which must not be said back into a log.
        return Err(value(format!(
            "pseudonyms[{at}] is no pseudonym: expected the 16 hexadecimal digits of one, or the 32 of a transaction"
        )));
    }
    let options = args.options().map_err(|failure| failure.raise(py))?;
    let revealed = run(py, threads, progress, move |control| {
        control.begin("reading");
        let reach = |progress: crible_ingest::Progress| {
            control.check_or_unwind();
            control.reach(progress.bytes_read, progress.bytes_total);
        };
        Ok(control.inside(|| crible_ingest::reveal(&paths, &options, &pseudonyms, &reach))?)
    })?;
    let words = |of: &dyn Fn(&crible_ingest::Revealed) -> String| Column::Words(revealed.iter().map(of).collect());
    Columns::default()
        .with("pseudonym", words(&|one| one.pseudonym.clone()))
        .with("role", words(&|one| one.role.as_str().to_owned()))
        .with("identifier", Column::Nullable(revealed.iter().map(|one| one.identifier.clone()).collect()))
        .with("file", words(&|one| one.file.to_string_lossy().into_owned()))
        .with("row", Column::Integers(revealed.iter().map(|one| one.row as i64).collect()))
        .with("rows", Column::Integers(revealed.iter().map(|one| one.rows as i64).collect()))
        .with("key", words(&|one| one.key.clone()))
        .into_list(py)
}
