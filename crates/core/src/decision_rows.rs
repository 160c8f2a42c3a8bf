//! Feature rows as they were when decisions were made, for learning from labels that come weeks later.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Class, Labels, Timestamp, Transaction, TxnId, Window};

/// Feature rows by transaction, kept for as long as labels may come: opt in by recording a row with each decision.
///
/// A model that learns from labels has to learn from what was known at the decision, and a row computed again later is
/// another one.
#[derive(Clone, Debug)]
pub struct DecisionRows {
    width: usize,
    retention: Window,
    rows: BTreeMap<TxnId, (Timestamp, Box<[f32]>)>,
    by_time: BTreeSet<(Timestamp, TxnId)>,
}

/// A row that has not as many columns as the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row of transaction {transaction} has {got} columns; expected {expected}")]
pub struct BadRow {
    /// The transaction.
    pub transaction: TxnId,
    /// Columns of its row.
    pub got: usize,
    /// Columns of the others.
    pub expected: usize,
}

impl DecisionRows {
    /// A store of rows of `width` columns, each kept for `retention` after its transaction.
    pub fn new(width: usize, retention: Window) -> Self {
        Self { width, retention, rows: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Keeps the row of a decision. The first row of a transaction stays: a repeated one changes nothing. Rows older
    /// than the retention are let go of.
    ///
    /// # Errors
    /// [`BadRow`] where the row has not as many columns as the store.
    pub fn record(&mut self, txn: &Transaction, row: &[f32]) -> Result<(), BadRow> {
        if row.len() != self.width {
            return Err(BadRow { transaction: txn.id, got: row.len(), expected: self.width });
        }
        if let std::collections::btree_map::Entry::Vacant(entry) = self.rows.entry(txn.id) {
            entry.insert((txn.at, row.into()));
            self.by_time.insert((txn.at, txn.id));
        }
        let latest = self.by_time.last().map_or(txn.at, |(at, _)| *at);
        self.forget_before(Timestamp(latest.0.saturating_sub(self.retention.0)));
        Ok(())
    }

    /// Lets go of rows of transactions before `at`.
    pub fn forget_before(&mut self, at: Timestamp) {
        while let Some((_, id)) = self.by_time.first().copied().filter(|(time, _)| *time < at) {
            self.by_time.pop_first();
            self.rows.remove(&id);
        }
    }

    /// The row of a transaction.
    pub fn row(&self, transaction: TxnId) -> Option<&[f32]> {
        self.rows.get(&transaction).map(|(_, row)| &**row)
    }

    /// Rows whose labels are known at `now`, in order of time: transaction, row and class.
    pub fn labelled<'a>(
        &'a self,
        labels: &'a Labels,
        now: Timestamp,
    ) -> impl Iterator<Item = (TxnId, &'a [f32], Class)> {
        self.by_time.iter().filter_map(move |&(_, id)| Some((id, self.row(id)?, labels.as_of(id, now)?.class)))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{Amount, Currency, EntityId, LabelEvent, LabelSource};
    use proptest::prelude::*;

    fn txn(id: u128, at: i64) -> Transaction {
        Transaction::new(TxnId(id), Timestamp(at), EntityId::from_pseudorandom(1), Amount::new(-1, Currency::EUR))
    }

    proptest! {
        /// What is learned from is the row of the decision, of those labels alone that are known by then.
        #[test]
        fn rows_wait_for_their_labels(
            seen in prop::collection::vec((0u128..30, 0i64..100), 0..60),
            labels in prop::collection::vec((0u128..30, 0i64..200, any::<bool>()), 0..40),
            now in 0i64..200,
            retention in 0i64..120,
        ) {
            let mut rows = DecisionRows::new(2, Window(retention));
            for &(id, at) in &seen {
                rows.record(&txn(id, at), &[id as f32, at as f32]).unwrap();
            }
            let mut known = Labels::default();
            known.extend(labels.iter().map(|&(id, at, fraud)| LabelEvent {
                transaction: TxnId(id),
                class: if fraud { Class::Fraud } else { Class::Legitimate },
                known_at: Timestamp(at),
                source: LabelSource::Analyst,
            }));
            for (id, row, _) in rows.labelled(&known, Timestamp(now)) {
                prop_assert!(labels.iter().any(|&(of, at, _)| TxnId(of) == id && at <= now));
                prop_assert_eq!(row[0], id.0 as f32);
            }
            let (first, last) = (rows.by_time.first(), rows.by_time.last());
            prop_assert!(first.zip(last).is_none_or(|(first, last)| last.0.0 - first.0.0 <= retention));
            prop_assert_eq!(rows.is_empty(), seen.is_empty());
            prop_assert_eq!(rows.len(), rows.by_time.len());
        }
    }

    #[test]
    fn a_repeated_row_changes_nothing_and_a_narrow_one_is_refused() {
        let mut rows = DecisionRows::new(1, Window::DAY);
        rows.record(&txn(1, 0), &[1.0]).unwrap();
        rows.record(&txn(1, 5), &[2.0]).unwrap();
        assert_eq!(rows.row(TxnId(1)), Some(&[1.0][..]));
        let error = rows.record(&txn(2, 0), &[]).unwrap_err();
        assert_eq!((error.got, error.expected), (0, 1));
        rows.record(&txn(3, Timestamp::DAY + 1), &[3.0]).unwrap();
        assert_eq!((rows.len(), rows.row(TxnId(1))), (1, None));
    }
}
