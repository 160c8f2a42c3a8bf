//! From the fields of a record to a row.

mod none;
mod row;
mod source;
mod store;
mod sums;

use std::sync::Arc;

use crible_pseudonym::{Key, Pseudonyms, References};

use crate::error::{clipped, head};
use crate::mask::{Parties, mask, shape};
use crate::plan::Plan;
use crate::rows::{Chunk, Fault, NO_TRANSACTION, Odd};
use crate::seek::Seek;
use crate::value::amount::within_formula;
use crate::value::text;
use crate::worker::Worker;

/// The fields of one record.
pub(crate) trait Fields {
    fn len(&self) -> usize;
    /// Field `at`, which is below `len`.
    fn get(&self, at: usize) -> &[u8];
}

/// The fields of a row that was looked at.
pub(crate) struct Texts<'r>(pub(crate) &'r [String]);

impl Fields for Texts<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        self.0[at].as_bytes()
    }
}

/// Fields freed of the `="…"` around them.
struct Within<'f, F>(&'f F);

impl<F: Fields> Fields for Within<'_, F> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        within_formula(self.0.get(at))
    }
}

/// What the rows of a file are made with.
pub(crate) struct Keys {
    pub(crate) pseudonyms: Pseudonyms,
    pub(crate) references: References,
    seek: Option<Arc<Seek>>,
}

impl Keys {
    pub(crate) fn new(key: &Key, feed: &str, seek: Option<Arc<Seek>>) -> Self {
        Self { pseudonyms: Pseudonyms::new(key), references: key.references(feed), seek }
    }
}

/// Why a record is no row.
pub(crate) struct Problem {
    column: Option<usize>,
    value: Vec<u8>,
    reason: String,
}

/// The column named where a record is rejected as a whole.
pub(crate) const WHOLE: &str = "(whole row)";

pub(crate) use sums::Sums;

/// Fills a chunk.
pub(crate) struct Builder<'a> {
    pub(crate) plan: &'a Plan,
    keys: &'a Keys,
    worker: &'a mut Worker,
    chunk: Chunk,
    /// The line of the row under way.
    line: u64,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(plan: &'a Plan, keys: &'a Keys, worker: &'a mut Worker) -> Self {
        let chunk = worker.chunk.take().unwrap_or_else(|| Chunk::with_capacity(plan, worker.rows));
        Self { plan, keys, worker, chunk, line: 0 }
    }

    /// The chunk, complete.
    pub(crate) fn finish(self, lines: u64) -> Chunk {
        let mut chunk = self.chunk;
        chunk.lines = lines;
        chunk.seal();
        self.worker.rows = chunk.at.len();
        chunk
    }

    /// Takes a record, or rejects it. `line` is the line it starts on, from 0 in the block.
    pub(crate) fn push(&mut self, fields: &impl Fields, line: u64, whole: &dyn Fn() -> Vec<u8>) {
        let width = fields.len();
        let last_empty = width > 0 && fields.get(width - 1).is_empty();
        if !self.plan.fits(width, last_empty) {
            let expected = self.plan.columns.len();
            let reason = match none::reason(self.plan, fields) {
                Some(what) => format!("{NO_TRANSACTION}{what}"),
                None => format!("the row has {width} fields; expected {expected}"),
            };
            self.reject(line, &whole(), reason);
            return;
        }
        self.line = line;
        if self.plan.formulas {
            self.take(&Within(fields), line);
        } else {
            self.take(fields, line);
        }
    }

    /// Takes a record of as many fields as the feed has.
    fn take(&mut self, fields: &impl Fields, line: u64) {
        let row = match none::remark(self.plan, fields) {
            Some(at) => {
                let reason = format!("{NO_TRANSACTION}a line of totals or balances");
                Err(problem(Some(at), fields.get(at).trim_ascii(), &reason))
            }
            None => self.row(fields),
        };
        match row {
            Ok(row) => self.store(&row, fields, line),
            Err(problem) => {
                let reason = match none::reason(self.plan, fields) {
                    Some(what) if !problem.reason.starts_with(NO_TRANSACTION) => format!("{NO_TRANSACTION}{what}"),
                    _ => problem.reason,
                };
                let column = problem.column.and_then(|at| self.plan.columns.get(at));
                let mut parties = Parties::default();
                for &at in &self.plan.parties {
                    // What is wrong with a party's own column is to be seen there.
                    if Some(at) != problem.column {
                        parties.add(fields.get(at).trim_ascii());
                    }
                }
                let fault = Fault {
                    row: self.chunk.rows,
                    line,
                    column: column.map_or_else(|| WHOLE.to_owned(), Clone::clone),
                    value: parties.shown(&head(&problem.value)),
                    reason: parties.mask(&reason),
                };
                self.chunk.rejects.push(fault);
            }
        }
        self.chunk.rows += 1;
    }

    /// Rejects a record as a whole. What its fields mean is not known, so its shape is all that is shown.
    pub(crate) fn reject(&mut self, line: u64, value: &[u8], reason: String) {
        let value = clipped(&shape(&head(value)));
        self.fault(WHOLE, line, value, mask(&reason).into_owned());
    }

    /// Rejects a record for what stands in a column; `parties` are those it names.
    pub(crate) fn reject_at(&mut self, column: &str, line: u64, value: &[u8], reason: &str, mut parties: Parties<'_>) {
        let (value, reason) = (parties.shown(&head(value)), parties.mask(reason));
        self.fault(column, line, value, reason);
    }

    /// Counts a value that could not be read, of a column that no transaction needs.
    #[cold]
    fn odd(&mut self, column: usize, value: &[u8]) {
        Odd::note(&mut self.chunk.odd, column, self.line, value);
    }

    /// Takes a record that another one says better.
    pub(crate) fn known(&mut self) {
        self.chunk.known += 1;
        self.chunk.rows += 1;
    }

    fn fault(&mut self, column: &str, line: u64, value: String, reason: String) {
        let (row, column) = (self.chunk.rows, column.to_owned());
        self.chunk.rejects.push(Fault { row, line, column, value, reason });
        self.chunk.rows += 1;
    }
}

/// Whether a field is one of a preset's words, whatever the case.
fn is_among(field: &[u8], words: &[Vec<u8>]) -> bool {
    let word = field.trim_ascii();
    words.iter().any(|known| text::is_same(known, word))
}

#[cold]
fn problem(column: Option<usize>, value: &[u8], reason: &str) -> Box<Problem> {
    Box::new(Problem { column, value: value.to_vec(), reason: reason.to_owned() })
}
