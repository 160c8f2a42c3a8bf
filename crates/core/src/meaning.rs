use crate::Amount;

/// How one transaction takes another one back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undo {
    /// As if it had not been: a returned debit, a chargeback, a corrected booking.
    Reversal,
    /// Money back for what was bought.
    Refund,
}

/// A transaction that takes back an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undone {
    /// Row of the one that takes back.
    pub by: u32,
    /// Row of the one that is taken back.
    pub row: u32,
    /// How.
    pub how: Undo,
}

/// Money that left with a transaction and is no part of what was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fee {
    /// The row.
    pub row: u32,
    /// In minor units of the row's currency, signed as amounts are: a fee that was charged is negative.
    pub minor: i64,
}

/// What transactions mean, and how they belong together, as far as a feed describes it: annotations of a batch, by its
/// rows. It holds only rows that have an annotation, so that transactions stay small and a feed without any
/// of this costs nothing.
///
/// Links look forward: a payment knows that it was taken back a week later. Nothing that scores may read that; it is
/// for whoever is shown an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    pending: Vec<u32>,
    /// In order of the row that takes back.
    undone: Vec<Undone>,
    /// Places in `undone`, in order of the row that is taken back.
    by_row: Vec<u32>,
    /// Out and in, and again in and out, in order of the first.
    transfers: Vec<(u32, u32)>,
    fees: Vec<Fee>,
}

impl Meaning {
    /// From rows in any order; each transfer is given once. A row is taken back, takes back and is transferred at most
    /// once: of several the first in order counts.
    pub fn new(mut pending: Vec<u32>, mut undone: Vec<Undone>, transfers: &[(u32, u32)], mut fees: Vec<Fee>) -> Self {
        pending.sort_unstable();
        pending.dedup();
        undone.sort_unstable();
        undone.dedup_by_key(|undone| undone.by);
        let mut by_row: Vec<u32> = (0..undone.len() as u32).collect();
        by_row.sort_by_key(|&at| undone[at as usize].row);
        let mut transfers: Vec<(u32, u32)> = transfers.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
        transfers.sort_unstable();
        transfers.dedup_by_key(|pair| pair.0);
        fees.sort_unstable();
        Self { pending, undone, by_row, transfers, fees }
    }

    /// Whether row `row` is not final yet.
    pub fn is_pending(&self, row: usize) -> bool {
        self.pending.binary_search(&(row as u32)).is_ok()
    }

    /// The earlier transaction that row `row` takes back.
    pub fn undoes(&self, row: usize) -> Option<Undone> {
        let at = self.undone.binary_search_by_key(&(row as u32), |undone| undone.by).ok()?;
        Some(self.undone[at])
    }

    /// The later transaction that takes row `row` back.
    pub fn undone(&self, row: usize) -> Option<Undone> {
        let of = |at: &u32| self.undone[*at as usize].row;
        let at = self.by_row.partition_point(|at| of(at) < row as u32);
        let at = self.by_row.get(at).filter(|at| of(at) == row as u32)?;
        Some(self.undone[*at as usize])
    }

    /// The other side of a transfer between two accounts of the batch.
    pub fn transfer(&self, row: usize) -> Option<usize> {
        let at = self.transfers.binary_search_by_key(&(row as u32), |pair| pair.0).ok()?;
        Some(self.transfers[at].1 as usize)
    }

    /// The fee in row `row`'s amount, in minor units; 0 where there is none or the feed does not state it.
    pub fn fee(&self, row: usize) -> i64 {
        match self.fees.binary_search_by_key(&(row as u32), |fee| fee.row) {
            Ok(at) => self.fees[at].minor,
            Err(_) => 0,
        }
    }

    /// What was paid without the fee: principal and fee make up `amount`, which is row `row`'s and what left in all.
    pub fn principal(&self, row: usize, amount: Amount) -> Amount {
        Amount::new(amount.minor.saturating_sub(self.fee(row)), amount.currency)
    }

    /// Rows that are pending.
    pub fn pending(&self) -> &[u32] {
        &self.pending
    }

    /// Transactions taken back, in order of the rows that do.
    pub fn all_undone(&self) -> &[Undone] {
        &self.undone
    }

    /// Transfers between accounts of the batch.
    pub fn n_transfers(&self) -> usize {
        self.transfers.len() / 2
    }

    /// Fees, in order of their rows.
    pub fn fees(&self) -> &[Fee] {
        &self.fees
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn rows_are_found_from_either_side() {
        let undone = |by, row, how| Undone { by, row, how };
        let links = vec![undone(9, 2, Undo::Refund), undone(5, 4, Undo::Reversal)];
        let meaning = Meaning::new(vec![7, 1, 7], links, &[(6, 3)], vec![Fee { row: 8, minor: -50 }]);
        assert_eq!(meaning.pending(), [1, 7]);
        assert!(meaning.is_pending(7) && !meaning.is_pending(2));
        assert_eq!(meaning.undoes(9), Some(undone(9, 2, Undo::Refund)));
        assert_eq!(meaning.undone(4), Some(undone(5, 4, Undo::Reversal)));
        assert_eq!((meaning.undoes(2), meaning.undone(9)), (None, None));
        assert_eq!((meaning.transfer(3), meaning.transfer(6), meaning.transfer(4)), (Some(6), Some(3), None));
        assert_eq!(meaning.n_transfers(), 1);
        let amount = Amount::new(-1_050, Currency::USD);
        assert_eq!((meaning.fee(8), meaning.principal(8, amount).minor), (-50, -1_000));
        assert_eq!(meaning.principal(1, amount), amount);
        assert_eq!(Meaning::default().undone(0), None);
    }
}
