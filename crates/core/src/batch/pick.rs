use super::{Batch, Coded};

impl Coded {
    /// Which of the words row `row` has.
    ///
    /// # Panics
    /// Where `row` is not below the number of rows.
    pub fn at(&self, row: usize) -> usize {
        self.rows[row] as usize
    }
}

impl Batch {
    /// The column of categories, where any row has one.
    pub fn categories(&self) -> Option<&Coded> {
        self.category.as_ref()
    }

    /// The column of channels, where any row has one.
    pub fn channels(&self) -> Option<&Coded> {
        self.channel.as_ref()
    }

    /// The same without some rows, which are given in ascending order.
    #[must_use]
    pub fn without(&self, rows: &[u32]) -> Self {
        let mut rest = Self::with_capacity(self.len().saturating_sub(rows.len()));
        let mut next = rows.iter().copied().peekable();
        for row in 0..self.len() {
            if next.peek() == Some(&(row as u32)) {
                next.next();
                continue;
            }
            rest.push_unchecked(&self.get(row), self.source(row), self.truth(row));
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use crate::{Amount, Batch, Code, Currency, EntityId, Timestamp, Transaction, TxnId};

    #[test]
    fn rows_are_left_out_and_words_found() {
        let account = EntityId::from_pseudorandom(7);
        let words = ["", "food", "", "fuel", "food"].map(Code::new);
        let txn = |i: usize| {
            let amount = Amount::new(-(i as i64), Currency::EUR);
            Transaction::new(TxnId(i as u128), Timestamp(i as i64), account, amount).in_category(words[i])
        };
        let batch = Batch::from_transactions((0..5).map(txn));
        let rest = batch.without(&[0, 3]);
        assert_eq!(rest.iter().collect::<Vec<_>>(), [1, 2, 4].map(txn));
        assert_eq!(rest.source(2), batch.source(4));
        let categories =
            rest.categories().map(|coded| (0..3).map(|row| coded.words()[coded.at(row)]).collect::<Vec<_>>());
        assert_eq!(categories, Some(vec![words[1], words[2], words[4]]));
        assert!(batch.channels().is_none());
        assert_eq!(batch.without(&[]), batch);
    }
}
