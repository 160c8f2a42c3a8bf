//! One statement or message: its entries, in file order, through the same machinery as the rows of a table.

use crate::build::{Builder, Keys, WHOLE};
use crate::formats::{COLUMNS, Document, Entry};
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
                Some(wrong) => {
                    let column = wrong.column.map_or(WHOLE, |column| COLUMNS[column as usize]);
                    builder.reject_at(column, entry.line, wrong.value.as_bytes(), wrong.reason.clone());
                }
                None => builder.push(entry, entry.line, &Vec::new),
            }
        }
        // Entries know their lines in the file, so the chunks count none.
        chunks.push(builder.finish(0));
    });
    (chunks, warnings)
}
