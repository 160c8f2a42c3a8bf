//! `crible feeds check`: what a file is taken for, and what would become of its rows.

mod json;
mod text;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use crible_core::{EntityId, Transaction};
use crible_ingest::{Error, FileReport, Options, Recognition, Reject};

use crate::args::CheckArgs;
use crate::setup::options;
use crate::unusable::Unusable;

/// Examples of each reason to reject.
const EXAMPLES: usize = 3;
/// Reasons told apart; what else there is counts as others.
const REASONS: usize = 50;

/// Rows that would be rejected, and files that cannot be read, for the exit status.
const REJECTED: u8 = 1;
const UNREADABLE: u8 = 2;

/// What pseudonyms stand for, where that may be shown.
type Plain = BTreeMap<EntityId, String>;

/// One file that can be read.
struct Checked {
    found: Recognition,
    report: FileReport,
    /// The first rows that were accepted, in the order of the file.
    first: Vec<(u64, Transaction)>,
    faults: Faults,
}

pub(super) fn run(args: &CheckArgs) -> Result<ExitCode> {
    let options = options(&args.read)?;
    if args.plain && !io::stdout().is_terminal() {
        bail!("--plain shows accounts and people as the file has them: it writes to a terminal only");
    }
    if args.plain && args.files.iter().any(|file| file == Path::new("-")) {
        bail!("--plain reads files twice, and standard input can be read once; expected files");
    }
    let mut faults: Vec<(std::sync::Arc<Path>, Faults)> = Vec::new();
    let read = crible_ingest::read(
        &args.files,
        &options,
        &mut |reject| match faults.last_mut() {
            Some((file, faults)) if *file == reject.file => faults.push(&reject),
            _ => {
                let mut fresh = Faults::default();
                fresh.push(&reject);
                faults.push((reject.file.clone(), fresh));
            }
        },
        &|_| {},
    );
    let (import, unread) = match read {
        Ok(mut import) => {
            let unread = std::mem::take(&mut import.errors);
            (Some(import), unread)
        }
        Err(Error::Nothing(errors)) => (None, errors),
        Err(error) => (None, vec![error]),
    };
    let mut checked = Vec::new();
    if let Some(import) = import {
        let mut first: Vec<Vec<(u64, Transaction)>> = vec![Vec::new(); import.files.len()];
        for row in 0..import.batch.len() {
            let source = import.batch.source(row);
            keep_first(&mut first[source.file as usize], args.rows, source.row, || import.batch.get(row));
        }
        for (report, first) in import.files.into_iter().zip(first) {
            let at = faults.iter().position(|(file, _)| **file == *report.path);
            let faults = at.map(|at| faults.swap_remove(at).1).unwrap_or_default();
            checked.push(Checked { found: report.recognition.clone(), report, first, faults });
        }
    }
    let plain = if args.plain { plain(args, &options, &checked)? } else { Plain::new() };
    let text = if args.json { json::told(&checked, &unread)? } else { text::told(&checked, &unread, &plain) };
    io::stdout().lock().write_all(text.as_bytes())?;
    // What `crible score` would say of files that hold no transaction.
    if unread.is_empty() && checked.iter().all(|file| file.report.accepted == 0) {
        let reports: Vec<FileReport> = checked.into_iter().map(|file| file.report).collect();
        return Err(Unusable::new(&reports, None).into());
    }
    let rejected = checked.iter().any(|file| file.report.rejected > 0);
    Ok(match (unread.is_empty(), rejected) {
        (false, _) => ExitCode::from(UNREADABLE),
        (true, true) => ExitCode::from(REJECTED),
        (true, false) => ExitCode::SUCCESS,
    })
}

/// What the accounts and counterparties of the first rows are called in the files.
fn plain(args: &CheckArgs, options: &Options, checked: &[Checked]) -> Result<Plain> {
    let rows = checked.iter().flat_map(|file| &file.first);
    let parties = rows.flat_map(|(_, txn)| [Some(txn.account), txn.counterparty]).flatten();
    let names: Vec<String> = parties.map(|party| party.to_string()).collect();
    let revealed = crible_ingest::reveal(&args.files, options, &names, &|_| {})?;
    let named = revealed.into_iter().filter_map(|one| {
        let id = EntityId::new(u64::from_str_radix(&one.pseudonym, 16).ok()?)?;
        Some((id, one.identifier?))
    });
    Ok(named.collect())
}

/// Keeps the few rows that stand first in a file, in order.
fn keep_first(first: &mut Vec<(u64, Transaction)>, few: usize, row: u64, transaction: impl FnOnce() -> Transaction) {
    if first.len() >= few && first.last().is_none_or(|(number, _)| *number < row) {
        return;
    }
    let at = first.partition_point(|(number, _)| *number < row);
    first.insert(at, (row, transaction()));
    first.truncate(few);
}

/// The rejected rows of a file, by column and reason.
#[derive(Default)]
struct Faults {
    reasons: Vec<Fault>,
    others: u64,
}

struct Fault {
    column: String,
    /// What was wrong, the values taken out.
    reason: String,
    count: u64,
    examples: Vec<Example>,
}

struct Example {
    row: u64,
    line: u64,
    value: String,
}

impl Faults {
    fn push(&mut self, reject: &Reject) {
        let reason = without_values(&reject.reason);
        let known = self.reasons.iter().position(|fault| fault.column == reject.column && fault.reason == reason);
        let at = match known {
            Some(at) => at,
            None if self.reasons.len() < REASONS => {
                self.reasons.push(Fault { column: reject.column.clone(), reason, count: 0, examples: Vec::new() });
                self.reasons.len() - 1
            }
            None => {
                self.others += 1;
                return;
            }
        };
        let fault = &mut self.reasons[at];
        fault.count += 1;
        if fault.examples.len() < EXAMPLES {
            fault.examples.push(Example { row: reject.row, line: reject.line, value: reject.value.clone() });
        }
    }

    /// The reasons, the commonest first.
    fn ranked(&self) -> Vec<&Fault> {
        let mut ranked: Vec<&Fault> = self.reasons.iter().collect();
        ranked.sort_by_key(|fault| std::cmp::Reverse(fault.count));
        ranked
    }
}

/// A reason without the values it quotes, so that equal reasons are equal.
fn without_values(reason: &str) -> String {
    let mut parts = reason.split('`');
    let mut told = parts.next().unwrap_or_default().to_owned();
    while let (Some(_), Some(rest)) = (parts.next(), parts.next()) {
        told.push('…');
        told.push_str(rest);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_lose_their_values() {
        assert_eq!(without_values("`4x` is no amount: expected digits"), "… is no amount: expected digits");
        assert_eq!(without_values("expected a time"), "expected a time");
        assert_eq!(without_values("an open ` quote"), "an open ");
    }
}
