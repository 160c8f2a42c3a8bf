use std::ops::Range;

use crible_core::{Batch, Column, Has, Timestamp, Transaction, TxnId, Usual};
use rayon::prelude::*;

use crate::Feature;
use crate::account::AccountBehaviour;
use crate::category::CategoryBehaviour;
use crate::counterparty::CounterpartyBehaviour;
use crate::family::Family;
use crate::pattern::PatternBehaviour;
use crate::state::{Kept, StateError};

/// Marks a row that is absorbed without being read.
pub(crate) const UNWANTED: u32 = u32::MAX;

/// All families of one engine, and the watch over the order of time.
#[derive(Debug)]
pub struct FeatureSet {
    features: Vec<Box<dyn Feature>>,
    columns: Vec<Column>,
    watermark: Option<Timestamp>,
}

/// A transaction older than one already taken in: its windows have moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transaction {txn} at {at} is late: {watermark} has been seen already, and transactions come in order of time")]
pub struct Late {
    /// The late transaction.
    pub txn: TxnId,
    /// Its time.
    pub at: Timestamp,
    /// The latest time seen.
    pub watermark: Timestamp,
}

/// One family's rows of a batch.
#[derive(Debug, Default)]
pub struct Rows {
    /// Rows × columns, in the order the family worked them off.
    pub(crate) numbers: Vec<f32>,
    /// Where in `numbers` each row stands.
    pub(crate) place: Vec<u32>,
    pub(crate) width: usize,
}

impl Rows {
    pub(crate) fn reset(&mut self, rows: usize, width: usize) {
        self.width = width;
        self.numbers.resize(rows * width, 0.0);
        self.place.resize(rows, 0);
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row `row`, one number a column.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        let at = self.place[row] as usize * self.width;
        &self.numbers[at..at + self.width]
    }
}

/// Feature rows of a run of transactions. It is scratch: hand the same one in again and nothing is allocated.
#[derive(Debug, Default)]
pub struct Block {
    rows: usize,
    wanted: Vec<u32>,
    families: Vec<Rows>,
}

impl Block {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The families' rows, in the order of their columns.
    pub fn families(&self) -> &[Rows] {
        &self.families
    }

    /// Copies row `row` into `out`, all columns in the set's order.
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`] or `out` is not as long as the set has columns.
    pub fn copy_row(&self, row: usize, out: &mut [f32]) {
        let mut rest = out;
        for family in &self.families {
            let (here, after) = rest.split_at_mut(family.width);
            here.copy_from_slice(family.row(row));
            rest = after;
        }
    }
}

impl FeatureSet {
    /// All columns a feed can feed: what it lacks is left out, never filled in.
    pub fn new(has: Has) -> Self {
        Self::keeping(has, &|_| true)
    }

    /// Of those, the columns detectors see and the ones they are shown with: what scoring and explaining takes.
    pub fn to_score(has: Has) -> Self {
        Self::scoring(has, |column| column.input)
    }

    /// The same where detectors see the columns that `seen` says yes to.
    pub fn scoring(has: Has, seen: impl Fn(&Column) -> bool) -> Self {
        let all = Self::new(has).columns;
        let shown = |name: &str| {
            all.iter().filter(|c| seen(c)).flat_map(|c| [&c.shown, &c.typical]).any(|usual| match usual {
                Usual::Column(other) => other == name,
                _ => false,
            })
        };
        let mut set = Self::keeping(has, &|column| seen(column) || shown(&column.name));
        set.columns.iter_mut().for_each(|column| column.input = seen(column));
        set
    }

    /// Columns of these names alone, those that the feed cannot feed left out: what a model was learned from.
    pub fn of(has: Has, names: &[&str]) -> Self {
        Self::keeping(has, &|column| names.contains(&column.name.as_ref()))
    }

    fn keeping(has: Has, keep: &dyn Fn(&Column) -> bool) -> Self {
        let account = AccountBehaviour::new(has.counterparty, has.position, has.balance);
        let mut features: Vec<Box<dyn Feature>> = vec![Box::new(Family::new(account, keep))];
        if has.counterparty {
            features.push(Box::new(Family::new(CounterpartyBehaviour::new(), keep)));
        }
        if has.category {
            features.push(Box::new(Family::new(CategoryBehaviour, keep)));
        }
        let words = [has.channel, has.category, has.country];
        features.push(Box::new(Family::new(PatternBehaviour::new(words), keep)));
        features.retain(|feature| !feature.columns().is_empty());
        let columns = features.iter().flat_map(|f| f.columns().to_vec()).collect();
        Self { features, columns, watermark: None }
    }

    /// What a set over a feed without this would leave out, in words.
    pub fn left_out(has: Has) -> Vec<&'static str> {
        [
            (has.counterparty, "counterparties: new and many payees, traffic and usual amounts at a counterparty"),
            (has.category, "categories: the amount against its category"),
            (has.position, "positions: distance and speed from the last payment"),
            (has.balance, "balances: the share of the balance a payment takes"),
        ]
        .into_iter()
        .filter_map(|(there, what)| (!there).then_some(what))
        .collect()
    }

    /// All columns, family after family.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The latest time taken in.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// Bytes all states hold on to.
    pub fn state_bytes(&self) -> usize {
        self.features.iter().map(|f| f.state_bytes()).sum()
    }

    /// The state as bytes: the same for the same transactions, however they were handed in.
    pub fn save(&self) -> Vec<u8> {
        let families = self.features.iter().map(|f| (f.name().to_owned(), f.save())).collect();
        let kept = Kept { watermark: self.watermark.map(|at| at.0), families };
        // Writing plain data to memory has nothing to fail on.
        postcard::to_allocvec(&kept).unwrap_or_default()
    }

    /// Takes in what [`FeatureSet::save`] gave, of transactions of other accounts: afterwards every window, those of
    /// counterparties and categories included, is what it would be had one set seen them all. A set that has seen nothing
    /// becomes the one that was saved.
    ///
    /// # Errors
    /// [`StateError`]; the state is then as it was.
    pub fn merge(&mut self, saved: &[u8]) -> Result<(), StateError> {
        let kept: Kept = postcard::from_bytes(saved).map_err(|error| StateError::Encoding(error.to_string()))?;
        let names = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
        let got = names(&mut kept.families.iter().map(|(name, _)| name.as_str()));
        let expected = names(&mut self.features.iter().map(|f| f.name()));
        if got != expected {
            return Err(StateError::Families { got, expected });
        }
        let watermark = self.watermark.max(kept.watermark.map(Timestamp));
        let pairs = self.features.iter_mut().zip(&kept.families);
        let staged: Result<Vec<()>, StateError> =
            pairs.map(|(feature, (_, bytes))| feature.stage(bytes, watermark.map(|at| at.0))).collect();
        self.features.iter_mut().for_each(|feature| feature.commit(staged.is_ok()));
        staged?;
        self.watermark = watermark;
        Ok(())
    }

    /// Reads one transaction's row into `out`, then absorbs it.
    ///
    /// # Errors
    /// [`Late`] where it is older than one before it; the state is then as it was.
    ///
    /// # Panics
    /// Where `out` is not as long as [`FeatureSet::columns`].
    pub fn step(&mut self, txn: &Transaction, out: &mut [f32]) -> Result<(), Late> {
        self.in_order(txn)?;
        let mut rest = out;
        for feature in &mut self.features {
            let (here, after) = rest.split_at_mut(feature.columns().len());
            feature.step(txn, here);
            rest = after;
        }
        Ok(())
    }

    /// The same for rows of a batch: reads those `wanted` says yes to into `block`, absorbs all. Runs in the caller's rayon pool.
    /// Larger runs are faster: an entity's state is fetched once a run.
    ///
    /// # Errors
    /// [`Late`] where the first is older than one taken in before; nothing is then taken in.
    ///
    /// # Panics
    /// Where the batch has no such rows.
    pub fn step_all(
        &mut self,
        batch: &Batch,
        rows: Range<usize>,
        mut wanted: impl FnMut(usize) -> bool,
        block: &mut Block,
    ) -> Result<(), Late> {
        if let Some(first) = rows.clone().next() {
            // A batch is in order within.
            self.in_order(&batch.get(first))?;
            self.watermark = Some(batch.times()[rows.end - 1]);
        }
        block.wanted.clear();
        block.rows = 0;
        for row in rows.clone() {
            let number = if wanted(row) { block.rows as u32 } else { UNWANTED };
            block.rows += usize::from(number != UNWANTED);
            block.wanted.push(number);
        }
        block.families.resize_with(self.features.len(), Rows::default);
        let (wanted, count) = (&block.wanted, block.rows);
        self.features.par_iter_mut().zip(&mut block.families).for_each(|(feature, out)| {
            out.reset(count, feature.columns().len());
            feature.step_all(batch, rows.clone(), wanted, out);
        });
        Ok(())
    }

    fn in_order(&mut self, txn: &Transaction) -> Result<(), Late> {
        match self.watermark {
            Some(watermark) if txn.at < watermark => Err(Late { txn: txn.id, at: txn.at, watermark }),
            _ => {
                self.watermark = Some(txn.at);
                Ok(())
            }
        }
    }
}
