//! What a family of columns is made of: one kind of entity, its state, and its columns.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use crible_core::{Column, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::owner::Owner;

/// One kind of entity: whose state a transaction belongs to, what of it matters there, and what is read.
pub(crate) trait Rule: fmt::Debug + Clone + Send + Sync + 'static {
    type Key: Hash + Ord + Copy + fmt::Debug + Send + Serialize + DeserializeOwned;
    /// What the rule needs of a transaction; small, because a batch's are sorted by entity.
    type Input: Copy + Default + fmt::Debug + Send + Sync;
    type State: Default + fmt::Debug + Send + Sync;
    /// What columns are computed from: a payment, and the state as it was before it.
    type Reading<'a>;
    /// A state without what can be computed from the rest.
    type Kept: Serialize + DeserializeOwned;
    /// The same in formats 1 and 2; of a family that did not change since, the same type.
    type V1: DeserializeOwned;
    type V2: DeserializeOwned;

    /// Whether an entity that has not paid for long begins anew; those that have nothing but windows need not.
    const FORGETS: bool;

    /// Whose entities these are.
    fn owner(&self) -> Owner;
    /// What of the key the owner is.
    fn owner_of(key: Self::Key) -> u64;
    /// The key as numbers of the same order.
    fn sort_key(key: Self::Key) -> [u64; 3];

    /// The columns, each with the function that computes it.
    fn columns(&self) -> Columns<Self>;
    /// Whose state it is, and the input; `None` reads zeros and leaves no trace.
    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Self::Input)>;
    /// In saved states.
    fn name(&self) -> &'static str;
    /// When the payment was.
    fn at(input: &Self::Input) -> i64;
    /// Fills the row from the state, where there is one to fill, then absorbs.
    fn step(&self, state: &mut Self::State, input: &Self::Input, reach: &Reach, row: Option<Row<'_, Self>>);
    /// How many payments were known before the one that [`Rule::step`] has just taken in.
    fn known_before(&self, _state: &Self::State) -> u32 {
        0
    }
    /// When the last payment was; after going back it may be so long ago that this is no longer known.
    fn last_at(&self, state: &Self::State) -> Option<i64>;
    /// When the first payment was that is still known; none where there has been no payment.
    fn first_at(&self, state: &Self::State) -> Option<i64>;
    /// Goes back to when only payments up to the time of `late` had been; those after it, oldest first.
    fn rewind(&self, state: &mut Self::State, late: &Self::Input) -> Vec<Self::Input>;
    /// Lets go of what no payment at `now` or later would read.
    fn trim(&self, state: &mut Self::State, now: i64, reach: &Reach);
    /// Whether there is nothing left that a payment at `now` or later would read.
    fn is_over(&self, state: &Self::State, now: i64, reach: &Reach) -> bool;
    /// How long after its last payment there is nothing left of an entity, in microseconds.
    fn span(&self, reach: &Reach) -> i64 {
        reach.forget
    }
    /// Bytes a state holds on the heap.
    fn heap_bytes(&self, state: &Self::State) -> usize;
    /// Bytes its content needs there, as of its last payment: the same however late its payments came, and whatever has
    /// been given back. So what is kept for late payments alone does not count.
    fn needed_bytes(&self, state: &Self::State) -> usize;
    /// What is kept of a state for payments at `now` and later.
    fn keep(&self, state: &Self::State, now: i64, reach: &Reach) -> Self::Kept;
    /// What format 1 kept, in terms of format 2; `None` where no transactions leave it.
    fn upgrade_v1(&self, old: Self::V1) -> Option<Self::V2>;
    /// What format 2 kept, in today's terms, of a state whose latest payment was at `watermark`.
    fn upgrade_v2(&self, old: Self::V2, watermark: i64) -> Option<Self::Kept>;
    /// The state that was kept; `None` where no transactions up to `watermark` leave it.
    fn revive(&self, kept: Self::Kept, watermark: i64, reach: &Reach) -> Option<Self::State>;
    /// What is kept of the sessions after both sides' transactions, which are of different accounts; `None` where it
    /// cannot be known.
    fn join(&self, _a: Vec<Self::Kept>, _b: Vec<Self::Kept>, _reach: &Reach) -> Option<Vec<Self::Kept>> {
        None
    }
}

/// How far back states reach, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// How much older than the latest payment another may be.
    pub(crate) lateness: i64,
    /// How long after its last payment an entity is forgotten.
    pub(crate) forget: i64,
    /// Whether what entities need is counted.
    pub(crate) counts: bool,
}

/// Computes one column.
type Compute<R> = Arc<dyn for<'a, 'b> Fn(&'b <R as Rule>::Reading<'a>) -> f64 + Send + Sync>;

/// The columns of a rule, each with the function that computes it. Rows have them in the order they are added.
pub(crate) struct Columns<R: Rule>(Vec<(Column, Compute<R>)>);

impl<R: Rule> Columns<R> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a column. `compute` is not called where nobody wants the column.
    pub(crate) fn add(
        &mut self,
        column: Column,
        compute: impl for<'a, 'b> Fn(&'b R::Reading<'a>) -> f64 + Send + Sync + 'static,
    ) {
        self.0.push((column, Arc::new(compute)));
    }

    /// Those that `keep` accepts, apart from how they are computed.
    pub(crate) fn keeping(self, keep: &dyn Fn(&Column) -> bool) -> (Vec<Column>, Computed<R>) {
        let (columns, computed) = self.0.into_iter().filter(|(column, _)| keep(column)).unzip::<_, _, _, Vec<_>>();
        (columns, Computed(computed.into()))
    }
}

/// How each kept column of a rule is computed.
pub(crate) struct Computed<R: Rule>(Arc<[Compute<R>]>);

impl<R: Rule> Clone for Computed<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Rule> fmt::Debug for Computed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} columns", self.0.len())
    }
}

impl<R: Rule> Computed<R> {
    /// A row to fill, with as many numbers as there are columns.
    pub(crate) fn row<'a>(&'a self, out: &'a mut [f32]) -> Row<'a, R> {
        Row { out, columns: &self.0 }
    }
}

/// One row, which is yet to be filled.
pub(crate) struct Row<'a, R: Rule> {
    out: &'a mut [f32],
    columns: &'a [Compute<R>],
}

impl<R: Rule> Row<'_, R> {
    /// Computes every column from what there is to read.
    pub(crate) fn fill(self, reading: &R::Reading<'_>) {
        for (out, compute) in self.out.iter_mut().zip(self.columns) {
            *out = compute(reading) as f32;
        }
    }
}
