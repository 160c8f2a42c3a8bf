//! One statement or message: its entries, in file order, through the same machinery as the rows of a table.

use super::{Tally, Watch};
use crate::build::{Builder, Keys, WHOLE};
use crate::formats::{COLUMNS, Document, Entry};
use crate::plan::Plan;
use crate::worker::Worker;

pub(super) fn read(document: &Document, plan: &Plan, keys: &Keys, tally: &mut Tally, watch: &mut Watch<'_>) {
    let mut worker = Worker::new(plan.counterparty_domain);
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
        tally.take(builder.finish(0), watch);
    });
    tally.warnings.extend(warnings);
}
