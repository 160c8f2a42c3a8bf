mod columns;
mod has;
mod pick;

use std::collections::HashMap;

pub use columns::{BadColumns, Columns, Currencies};
pub use has::Has;

use crate::schema::Kept;
use crate::{Amount, Code, Currency, EntityId, Timestamp, Transaction, Truth, TxnId};

/// Where a transaction was read: an index into the run's list of files, and the 0-based data row there (the header,
/// a preamble and blank lines do not count).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Source {
    /// Index of the file in the run.
    pub file: u32,
    /// Data row in that file, from 0.
    pub row: u64,
}

/// A column of words, each stored once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coded {
    words: Vec<Code>,
    index: HashMap<Code, u32>,
    rows: Vec<u32>,
}

impl Coded {
    /// So many rows without a word.
    pub(crate) fn absent(rows: usize) -> Self {
        let mut column = Self::default();
        (0..rows).for_each(|_| column.push(Code::NONE));
        column
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn any_before(&self, end: usize) -> bool {
        self.rows[..end].iter().any(|&at| !self.words[at as usize].is_none())
    }

    pub(crate) fn push(&mut self, word: Code) {
        let next = self.words.len() as u32;
        let at = *self.index.entry(word).or_insert(next);
        if at == next {
            self.words.push(word);
        }
        self.rows.push(at);
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Code {
        self.words[self.rows[row] as usize]
    }

    /// A column from its distinct words and, for each row, which of them it has. The words are put into order of first
    /// appearance; those no row has are left out.
    ///
    /// # Panics
    /// Where a row's number is not below the number of words.
    pub fn from_parts(words: &[Code], mut rows: Vec<u32>) -> Self {
        let mut column = Self::default();
        let mut renamed = vec![u32::MAX; words.len()];
        for row in &mut rows {
            let at = &mut renamed[*row as usize];
            if *at == u32::MAX {
                let next = column.words.len() as u32;
                let word = words[*row as usize];
                *at = *column.index.entry(word).or_insert(next);
                if *at == next {
                    column.words.push(word);
                }
            }
            *row = *at;
        }
        column.rows = rows;
        column
    }

    /// The distinct words, in order of first appearance.
    pub fn words(&self) -> &[Code] {
        &self.words
    }
}

/// A column that takes no memory until a row has a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Optional<T> {
    rows: Option<Vec<T>>,
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self { rows: None }
    }
}

impl<T: Copy + PartialEq> Optional<T> {
    pub(crate) fn from_rows(rows: Option<Vec<T>>, absent: T) -> Self {
        Self { rows: rows.filter(|rows| rows.iter().any(|&row| row != absent)) }
    }

    pub(crate) fn push(&mut self, value: T, absent: T, before: usize) {
        match &mut self.rows {
            Some(rows) => rows.push(value),
            None if value == absent => {}
            rows @ None => {
                let mut fresh = vec![absent; before];
                fresh.push(value);
                *rows = Some(fresh);
            }
        }
    }

    #[inline]
    pub(crate) fn get(&self, row: usize, absent: T) -> T {
        self.rows.as_ref().map_or(absent, |rows| rows[row])
    }

    pub(crate) fn is_filled(&self) -> bool {
        self.rows.is_some()
    }

    pub(crate) fn any_before(&self, end: usize, absent: T) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows[..end].iter().any(|&value| value != absent))
    }
}

macro_rules! batch {
    ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => {
        /// Transactions in columns, with what a feed adds to them: where each was read and its own label.
        ///
        /// A column no row fills takes no memory. Rows stand in order of time, and rows of one instant in the order in
        /// which they came in: everything reads them in this order. [`Batch::push`] refuses a row that would break it.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Batch {
            id: Vec<TxnId>,
            at: Vec<Timestamp>,
            account: Vec<EntityId>,
            minor: Vec<i64>,
            source: Vec<Source>,
            currency: Optional<Currency>,
            first_currency: Option<Currency>,
            truth: Optional<Truth>,
            counterparty: Optional<Option<EntityId>>,
            $($name: <$type as Kept>::Column,)*
        }

        impl Batch {
            fn push_unchecked(&mut self, txn: &Transaction, source: Source, truth: Truth) {
                let before = self.id.len();
                self.id.push(txn.id);
                self.at.push(txn.at);
                self.account.push(txn.account);
                self.minor.push(txn.amount.minor);
                self.source.push(source);
                let first = *self.first_currency.get_or_insert(txn.amount.currency);
                self.currency.push(txn.amount.currency, first, before);
                self.truth.push(truth, Truth::Unknown, before);
                self.counterparty.push(txn.counterparty, None, before);
                $(Kept::push(&mut self.$name, txn.$name, before);)*
            }

            /// Row `row` as a transaction.
            ///
            /// # Panics
            /// Where `row` is not below [`Batch::len`].
            // Inlined, so that who reads two fields of a row does not fetch the other eleven.
            #[inline]
            pub fn get(&self, row: usize) -> Transaction {
                Transaction {
                    id: self.id[row],
                    at: self.at[row],
                    account: self.account[row],
                    amount: self.amount(row),
                    counterparty: self.counterparty.get(row, None),
                    $($name: <$type as Kept>::get(&self.$name, row),)*
                }
            }

            /// Which optional columns any row fills.
            pub fn has(&self) -> Has {
                Has {
                    counterparty: self.counterparty.is_filled(),
                    $($column: <$type as Kept>::is_filled(&self.$name),)*
                }
            }

            /// Which optional columns any of the first `rows` rows fills: what could be known of a feed before the rest
            /// came.
            pub fn has_before(&self, rows: usize) -> Has {
                let rows = rows.min(self.len());
                Has {
                    counterparty: self.counterparty.any_before(rows, None),
                    $($column: <$type as Kept>::is_filled_before(&self.$name, rows),)*
                }
            }
        }
    };
}

crate::optional_fields!(batch);

/// A row that would stand before its predecessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transaction {id} at {at} comes before the batch's last, at {last}; expected rows in order of time")]
pub struct OutOfOrder {
    /// The row's reference.
    pub id: TxnId,
    /// Its time.
    pub at: Timestamp,
    /// The time of the row before it.
    pub last: Timestamp,
}

impl Batch {
    /// An empty batch with room for `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            id: Vec::with_capacity(rows),
            at: Vec::with_capacity(rows),
            account: Vec::with_capacity(rows),
            minor: Vec::with_capacity(rows),
            source: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// A batch of transactions that came from no file, sorted by time; those of one instant stay in the order given.
    pub fn from_transactions(transactions: impl IntoIterator<Item = Transaction>) -> Self {
        let mut rows: Vec<_> = transactions.into_iter().collect();
        rows.sort_by_key(|txn| txn.at);
        let mut batch = Self::with_capacity(rows.len());
        for (row, txn) in rows.iter().enumerate() {
            batch.push_unchecked(txn, Source { file: 0, row: row as u64 }, Truth::Unknown);
        }
        batch
    }

    /// Adds a row at the end.
    ///
    /// # Errors
    /// [`OutOfOrder`] where it is earlier than the last one.
    pub fn push(&mut self, txn: &Transaction, source: Source, truth: Truth) -> Result<(), OutOfOrder> {
        if let Some(&last) = self.at.last().filter(|last| txn.at < **last) {
            return Err(OutOfOrder { id: txn.id, at: txn.at, last });
        }
        self.push_unchecked(txn, source, truth);
        Ok(())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// The amount of row `row`.
    ///
    /// # Panics
    /// As [`Batch::get`].
    #[inline]
    pub fn amount(&self, row: usize) -> Amount {
        let currency = self.first_currency.unwrap_or(Currency::NONE);
        Amount::new(self.minor[row], self.currency.get(row, currency))
    }

    /// All rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Transaction> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Times, in order.
    pub fn times(&self) -> &[Timestamp] {
        &self.at
    }

    /// References, row by row.
    pub fn ids(&self) -> &[TxnId] {
        &self.id
    }

    /// Accounts, row by row.
    pub fn accounts(&self) -> &[EntityId] {
        &self.account
    }

    /// Where row `row` was read.
    pub fn source(&self, row: usize) -> Source {
        self.source[row]
    }

    /// The feed's own label of row `row`.
    pub fn truth(&self, row: usize) -> Truth {
        self.truth.get(row, Truth::Unknown)
    }

    /// Whether any row has a label.
    pub fn has_truth(&self) -> bool {
        self.truth.is_filled()
    }

    /// Number of leading rows strictly before `at`.
    pub fn rows_before(&self, at: Timestamp) -> usize {
        self.at.partition_point(|&t| t < at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Position;

    fn txn(id: u128, at: i64) -> Transaction {
        let account = EntityId::new(1 + (id % 3) as u64).unwrap();
        Transaction::new(TxnId(id), Timestamp(at), account, Amount::new(-(id as i64), Currency::USD))
    }

    #[test]
    fn a_row_comes_back_as_it_went_in() {
        let mut rows: Vec<_> = (0..20).map(|i| txn(i, 1_000 * (i as i64 / 4))).collect();
        rows[7] = rows[7].in_category(Code::new("travel"));
        rows[9].amount.currency = Currency::EUR;
        rows[11].balance_before = Some(-4);
        rows[12].device = EntityId::new(5);
        rows[13].address = EntityId::new(6);
        rows[13].position = Position::from_degrees(48.85, 2.35);
        rows[15] = rows[15].at_counterparty(EntityId::new(77).unwrap());
        let mut batch = Batch::with_capacity(4);
        for (i, row) in rows.iter().enumerate() {
            let truth = if i == 12 { Truth::Fraud } else { Truth::Unknown };
            batch.push(row, Source { file: 2, row: i as u64 }, truth).unwrap();
        }
        assert_eq!(batch.iter().collect::<Vec<_>>(), rows);
        assert_eq!(batch.truth(12), Truth::Fraud);
        assert_eq!(batch.truth(3), Truth::Unknown);
        assert_eq!(batch.source(5), Source { file: 2, row: 5 });
        assert_eq!(batch.rows_before(Timestamp(2_000)), 8);
        let none = Has::default();
        assert_eq!((batch.has_before(0), batch.has_before(7)), (none, none));
        assert_eq!(batch.has_before(8), Has { category: true, ..none });
        assert_eq!(batch.has_before(12), Has { category: true, balance: true, ..none });
        assert_eq!(batch.has_before(99), batch.has());
    }

    #[test]
    fn order_is_time_then_arrival() {
        let mut batch = Batch::default();
        batch.push(&txn(5, 10), Source::default(), Truth::Unknown).unwrap();
        batch.push(&txn(6, 10), Source::default(), Truth::Unknown).unwrap();
        batch.push(&txn(4, 10), Source::default(), Truth::Unknown).unwrap();
        assert!(batch.push(&txn(9, 9), Source::default(), Truth::Unknown).is_err());
        let sorted = Batch::from_transactions([txn(3, 30), txn(2, 20), txn(1, 30)]);
        assert_eq!(sorted.ids(), [TxnId(2), TxnId(3), TxnId(1)]);
    }
}
