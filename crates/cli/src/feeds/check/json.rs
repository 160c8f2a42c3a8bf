//! For a machine.

use anyhow::Result;
use crible_ingest::Error;
use serde::Serialize;

use super::{Checked, Example, Fault};
use crate::terminal::json;

/// The form below. It changes with every change that is no addition.
const SCHEMA: &str = "crible.feeds-check/1";

#[derive(Serialize)]
struct Told<'a> {
    schema: &'static str,
    files: Vec<File<'a>>,
    unread: Vec<String>,
}

#[derive(Serialize)]
struct File<'a> {
    file: String,
    feed: &'a str,
    title: &'a str,
    confidence: f64,
    reason: &'a str,
    compression: Option<String>,
    delimiter: Option<char>,
    columns: &'a [String],
    unused_columns: &'a [String],
    mapping: Vec<Field<'a>>,
    rows: Rows,
    first: Vec<Row>,
    rejects: Vec<Rejects<'a>>,
    rejects_of_other_reasons: u64,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Field<'a> {
    field: &'static str,
    columns: &'a [String],
    how: &'a str,
}

#[derive(Serialize)]
struct Rows {
    read: u64,
    accepted: u64,
    known: u64,
    rejected: u64,
    /// Of those rejected.
    no_transaction: u64,
}

/// A row as it is read; parties are pseudonyms.
#[derive(Serialize)]
struct Row {
    row: u64,
    time: String,
    account: String,
    counterparty: Option<String>,
    amount: String,
    currency: String,
    category: Option<String>,
    channel: Option<String>,
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

#[derive(Serialize)]
struct Rejects<'a> {
    column: &'a str,
    reason: &'a str,
    count: u64,
    examples: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    row: u64,
    line: u64,
    value: &'a str,
}

pub(super) fn told(checked: &[Checked], unread: &[Error]) -> Result<String> {
    let files = checked.iter().map(file).collect();
    let unread = unread.iter().map(ToString::to_string).collect();
    let text = serde_json::to_string_pretty(&Told { schema: SCHEMA, files, unread })?;
    Ok(format!("{}\n", json(&text)))
}

fn file(file: &Checked) -> File<'_> {
    let Checked { found, report, first, faults } = file;
    let word = |word: &str| (!word.is_empty()).then(|| word.to_owned());
    File {
        file: report.shown.clone(),
        feed: &found.feed,
        title: &found.title,
        confidence: found.signature.confidence(),
        reason: &found.why,
        compression: found.compression.map(|compression| format!("{compression:?}").to_lowercase()),
        delimiter: found.delimiter,
        columns: &found.columns,
        unused_columns: &report.unused_columns,
        mapping: found.mapping.iter().map(|m| Field { field: m.field, columns: &m.columns, how: &m.how }).collect(),
        rows: Rows {
            read: report.read,
            accepted: report.accepted,
            known: report.known,
            rejected: report.rejected,
            no_transaction: report.no_transaction,
        },
        first: first
            .iter()
            .map(|(row, txn)| Row {
                row: *row,
                time: txn.at.to_string(),
                account: txn.account.to_string(),
                counterparty: txn.counterparty.map(|other| other.to_string()),
                amount: txn.amount.to_string(),
                currency: txn.amount.currency.to_string(),
                category: word(txn.category.as_str()),
                channel: word(txn.channel.as_str()),
                country: word(txn.country.as_str()),
                device: txn.device.map(|device| device.to_string()),
                address: txn.address.map(|address| address.to_string()),
            })
            .collect(),
        rejects: faults.ranked().into_iter().map(rejects).collect(),
        rejects_of_other_reasons: faults.others,
        warnings: &report.warnings,
    }
}

fn rejects(fault: &Fault) -> Rejects<'_> {
    let Fault { column, reason, count, examples } = fault;
    let examples = examples.iter().map(|Example { row, line, value }| Place { row: *row, line: *line, value });
    Rejects { column, reason, count: *count, examples: examples.collect() }
}
