//! Meaning, not only shape: what is pending, what takes what back, what only moved between accounts of the import, what
//! was a fee, and whether the running balances follow from one another. A pass over the finished batch and what its
//! rows said besides (`Said`); every rule is stated in the README. Its result depends on the rows and their order
//! alone, so not on the order of the files.

mod balance;
mod transfers;
mod twins;
mod undone;
mod words;

use std::collections::HashSet;

use crible_core::{Batch, Coded, Fee, Meaning, Undone};

pub use balance::Gap;
pub(crate) use words::{PENDING, REFUND, REVERSAL, TRANSFER};

/// What rows say besides what they are, in the batch's order. A column that no row fills is absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotations {
    /// Bits: [`PENDING`] and its like.
    pub(crate) marks: Option<Vec<u8>>,
    /// The fee in the amount, signed as it is.
    pub(crate) fee: Option<Vec<i64>>,
    /// Keyed hash of account and the feed's own id; 0 for none.
    pub(crate) own: Option<Vec<u64>>,
    /// The same of the transaction that is taken back.
    pub(crate) original: Option<Vec<u64>>,
    /// The same of the transaction that this one is, now that it is final or put right.
    pub(crate) replaces: Option<Vec<u64>>,
}

/// A batch and what was found in it.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) batch: Batch,
    pub(crate) meaning: Meaning,
    /// For each file, rows that another row says again.
    pub(crate) known: Vec<u64>,
    /// For each file, where its balances do not follow from one another.
    pub(crate) gaps: Vec<Vec<Gap>>,
}

/// What a batch of several files means. `running` says of each file whether its balances are running ones, and
/// `parties` whether any feed names counterparties as it names accounts.
pub(crate) fn settle(batch: Batch, mut said: Annotations, running: &[bool], parties: bool) -> Settled {
    let mut known = vec![0; running.len()];
    let again = twins::find(&batch, &said);
    let batch = if again.is_empty() {
        batch
    } else {
        for &row in &again {
            known[batch.source(row as usize).file as usize] += 1;
        }
        said.without(&again);
        batch.without(&again)
    };
    let marks = Marks::new(&batch, said.marks.as_deref());
    let undone: Vec<Undone> = undone::find(&batch, &said, &marks);
    let taken: HashSet<u32> = undone.iter().flat_map(|undone| [undone.by, undone.row]).collect();
    let transfers = transfers::find(&batch, &marks, &taken, parties);
    let rows = 0..batch.len() as u32;
    let pending = rows.clone().filter(|&row| marks.given(row as usize) & PENDING != 0).collect();
    let fees = said.fee.iter().flat_map(|fee| {
        rows.clone().zip(fee).filter(|(_, minor)| **minor != 0).map(|(row, &minor)| Fee { row, minor })
    });
    let meaning = Meaning::new(pending, undone, &transfers, fees.collect());
    let gaps = balance::find(&batch, running);
    Settled { batch, meaning, known, gaps }
}

impl Annotations {
    /// Takes rows out, which are given in ascending order.
    fn without(&mut self, rows: &[u32]) {
        fn take<T: Copy>(column: &mut Option<Vec<T>>, rows: &[u32]) {
            if let Some(column) = column {
                let mut row = 0;
                column.retain(|_| {
                    row += 1;
                    rows.binary_search(&(row - 1)).is_err()
                });
            }
        }
        take(&mut self.marks, rows);
        take(&mut self.fee, rows);
        for column in [&mut self.own, &mut self.original, &mut self.replaces] {
            take(column, rows);
        }
    }
}

/// What rows are said to be, by their presets and by the feed's own words.
struct Marks<'b> {
    given: Option<&'b [u8]>,
    /// Columns of words, and what each of the words says.
    words: Vec<(&'b Coded, Vec<u8>)>,
}

impl<'b> Marks<'b> {
    fn new(batch: &'b Batch, given: Option<&'b [u8]>) -> Self {
        let columns = [batch.categories(), batch.channels()].into_iter().flatten();
        let words = columns
            .map(|column| (column, column.words().iter().map(|word| words::marks(word.as_str())).collect::<Vec<_>>()))
            .filter(|(_, marks)| marks.iter().any(|&mark| mark != 0))
            .collect();
        Self { given, words }
    }

    /// Whether there is anything to say of any row.
    fn is_empty(&self) -> bool {
        self.given.is_none() && self.words.is_empty()
    }

    /// What the preset says.
    fn given(&self, row: usize) -> u8 {
        self.given.map_or(0, |given| given[row])
    }

    fn of(&self, row: usize) -> u8 {
        self.words.iter().fold(self.given(row), |marks, (column, says)| marks | says[column.at(row)])
    }
}
