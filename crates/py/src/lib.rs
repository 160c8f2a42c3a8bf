//! The compiled half of the Python package `crible`: its functions and classes, thin over the crates that compute. What
//! a user sees of them, and their documentation, is in `python/crible`.

mod columns;
mod detector;
mod engine;
mod fail;
mod files;
mod payment;
mod reveal;
mod score;
mod simulate;
mod work;

use pyo3::prelude::*;

/// The compiled half of `crible`.
#[pymodule]
mod _crible {
    #[pymodule_export]
    use crate::detector::{Fitted, detector_names, fit_matrix, fit_table, parameters};
    #[pymodule_export]
    use crate::engine::{Engine, Handle, Observation, fit};
    #[pymodule_export]
    use crate::fail::{CribleError, InternalError};
    #[pymodule_export]
    use crate::files::{Transactions, read, read_bytes};
    #[pymodule_export]
    use crate::payment::{Key, Payment};
    #[pymodule_export]
    use crate::reveal::reveal;
    #[pymodule_export]
    use crate::score::{Scored, score, score_streamed, streams};
    #[pymodule_export]
    use crate::simulate::{scenarios, simulate};
    #[pymodule_export]
    use crate::work::panic;

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Where an error knows no place, it says so.
        let error = module.getattr("CribleError")?;
        for place in ["file", "line", "column", "value"] {
            error.setattr(place, module.py().None())?;
        }
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
