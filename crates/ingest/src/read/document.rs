//! One statement or message: its entries, in file order, through the same machinery as the rows of a table.

use crate::build::{Builder, Keys, WHOLE};
use crate::formats::{COLUMNS, Column, Document, Entry};
use crate::mask::Parties;
use crate::plan::Plan;
use crate::rows::Chunk;
use crate::worker::Worker;

/// All of it, and what else there is to say: a document is held whole anyway.
pub(super) fn read(document: &Document, plan: &Plan, keys: &Keys) -> (Vec<Chunk>, Vec<String>) {
    let mut worker = Worker::new(plan.counterparty_domain);
    let mut chunks = Vec::new();
    let warnings = document.read(&mut |entries: &[Entry]| {
        let mut builder = Builder::new(plan, keys, &mut worker);
        for entry in entries {
            match &entry.wrong {
                // A record as a whole has no fields to go by; a word such as a status is none.
                Some(wrong) if wrong.column.is_none() && is_record(&wrong.value) => {
                    builder.reject(entry.line, wrong.value.as_bytes(), wrong.reason.clone());
                }
                Some(wrong) => {
                    let column = wrong.column.map_or(WHOLE, |column| COLUMNS[column as usize]);
                    let mut parties = Parties::default();
                    parties.add(entry.get(Column::Account).as_bytes());
                    let other = entry.get(Column::Counterparty);
                    // What is no transaction, such as an opening balance, stands where a payee would.
                    if other != wrong.value {
                        parties.add(other.as_bytes());
                    }
                    builder.reject_at(column, entry.line, wrong.value.as_bytes(), &wrong.reason, parties);
                }
                None => builder.push(entry, entry.line, &Vec::new),
            }
        }
        // Entries know their lines in the file, so the chunks count none.
        chunks.push(builder.finish(0));
    });
    (chunks, warnings)
}

fn is_record(value: &str) -> bool {
    value.contains(',') && value.bytes().any(|byte| byte.is_ascii_digit())
}
