//! Invented transactions.

use crible_core::Timestamp;
use crible_eval::simulate::{Scenario, Simulated, Simulation};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::columns::{Column, Columns};
use crate::fail::{Failure, value};
use crate::work::run;

/// Rows between two looks at whether anybody still waits.
const TURN: usize = 1 << 14;

/// Names of all kinds of fraud.
#[pyfunction]
pub(crate) fn scenarios() -> Vec<&'static str> {
    Scenario::ALL.map(Scenario::as_str).to_vec()
}

/// A population's transactions, labelled, as columns.
#[pyfunction]
#[pyo3(signature = (accounts, days, start, fraud_rate, scenarios, seed, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    accounts: u32,
    days: u32,
    start: Option<i64>,
    fraud_rate: f64,
    scenarios: Option<Vec<String>>,
    seed: u64,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let mut builder = Simulation::builder().accounts(accounts).days(days).seed(seed).fraud_rate(fraud_rate);
    if let Some(start) = start {
        builder = builder.start(Timestamp(start));
    }
    if let Some(names) = scenarios {
        let scenarios: Vec<Scenario> =
            names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(value)?;
        builder = builder.scenarios(&scenarios);
    }
    let simulation = builder.build().map_err(value)?;
    let columns = run(py, threads, progress, move |control| {
        control.begin("simulating");
        let mut rows: Vec<Simulated> = Vec::new();
        for row in simulation {
            if rows.len().is_multiple_of(TURN) {
                control.check()?;
            }
            rows.push(row);
        }
        Ok::<_, Failure>(columns(&rows))
    })?;
    columns.into_list(py)
}

/// The columns that `crible simulate` writes, and the kind of fraud besides.
fn columns(rows: &[Simulated]) -> Columns {
    fn words(rows: &[Simulated], of: impl Fn(&Simulated) -> String) -> Column {
        Column::Words(rows.iter().map(of).collect())
    }
    let major = |of: fn(&Simulated) -> i64| Column::Numbers(rows.iter().map(|row| of(row) as f64 / 100.0).collect());
    let degrees = |of: fn(&Simulated) -> Option<i32>| {
        Column::Numbers(rows.iter().map(|row| of(row).map_or(f64::NAN, |e7| f64::from(e7) / 1e7)).collect())
    };
    let mut columns = Columns::default()
        .with("id", words(rows, |row| format!("T{:09}", row.id)))
        .with("time", Column::Times(rows.iter().map(|row| row.at.0).collect()))
        .with("account", words(rows, Simulated::account_name))
        .with("counterparty", words(rows, |row| row.counterparty.to_string()))
        .with("amount", major(|row| row.amount_minor))
        .with("currency", words(rows, |_| Simulated::CURRENCY.to_string()))
        .with("category", words(rows, |row| row.category.to_owned()))
        .with("channel", words(rows, |row| row.channel.to_owned()))
        .with("country", words(rows, |row| row.country.to_owned()))
        .with("latitude", degrees(|row| row.position.map(|at| at.latitude_e7())))
        .with("longitude", degrees(|row| row.position.map(|at| at.longitude_e7())));
    if rows.iter().any(|row| row.device.is_some()) {
        let device = |row: &Simulated| row.device.flatten().map(|device| device.to_string());
        columns.push("device", Column::Nullable(rows.iter().map(device).collect()));
    }
    columns
        .with("balance", major(|row| row.balance_after))
        .with("fraud", Column::Integers(rows.iter().map(|row| row.fraud.is_some().into()).collect()))
        .with(
            "scenario",
            Column::Nullable(rows.iter().map(|row| row.fraud.map(|kind| kind.as_str().to_owned())).collect()),
        )
}
