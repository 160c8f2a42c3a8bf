use std::fmt;
use std::ops::Range;

use crible_core::{Batch, Column, Transaction};

use crate::ledger::{Ledger, Period};
use crate::owner::Owner;
use crate::rows::Rows;
use crate::saved::SavedFamily;
use crate::state::{Saved, StateError};

/// What is left of the past as of a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The earliest time that a transaction still to come may have.
    pub(crate) oldest: i64,
    /// Entities that last paid before this are forgotten, for the budget of memory.
    pub(crate) from: Period,
}

/// The rest of a save, which needs no family any more.
pub(crate) type Finish = Box<dyn FnOnce() -> SavedFamily + Send>;

/// A family of columns computed from one kind of state.
///
/// There is one way in: [`Feature::step`], which reads, then absorbs. What it reads is therefore what came strictly
/// before, in a batch and in a stream alike. Callers hand transactions over in order of time; [`FeatureSet`] sees to
/// it.
///
/// Numbers are 32 bits wide: seven digits are more than any behaviour has, and half the memory is twice the speed. What
/// needs all digits, such as the amount shown to a person, is taken from the transaction.
pub(crate) trait Feature: fmt::Debug + Send {
    /// The columns [`Feature::step`] fills, in order.
    fn columns(&self) -> &[Column];
    /// Reads the state as it was before `txn` into `out` (one number a column, always finite), then absorbs `txn`.
    /// Returns how many payments of the entity were known before it; 0 where the family does not count them.
    fn step(&mut self, txn: &Transaction, moment: Moment, out: &mut [f32]) -> u32;
    /// Reads the same, and absorbs nothing. `txn` is of after all that were absorbed.
    fn peek(&self, txn: &Transaction, moment: Moment, out: &mut [f32]) -> u32;
    /// The same as [`Feature::step`] for rows of a batch, to the same bits: the `i`th of them is read into row `wanted[i]` of `out`, which
    /// has been made large enough; those marked `u32::MAX` are absorbed without being read. All come in order of time.
    fn step_all(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32], moment: Moment, out: &mut Rows);
    /// Its name in saved states.
    fn name(&self) -> &'static str;
    /// Whose entities it is about; none where these hang together.
    fn owner(&self) -> Option<Owner>;
    /// The same family in so many shards, each with the owners that are in it; itself alone where it has none.
    fn divide(self: Box<Self>, shards: usize) -> Vec<Box<dyn Feature>>;
    /// Each entity as payments that are still to come may read it: bytes that depend on nothing but the transactions
    /// taken in.
    fn saved(&self, moment: Moment) -> SavedFamily;
    /// Begins to save the family as it is now, which costs little, while it goes on; until [`Feature::finish_save`]
    /// nothing is swept.
    fn begin_save(&mut self, moment: Moment);
    /// Saves so many entities more; whether all are.
    fn save_some(&mut self, entities: usize) -> bool;
    /// What was saved, once [`Feature::save_some`] has returned that this is all.
    fn finish_save(&mut self) -> Finish;
    /// Reads a saved state that is to be brought together with this one; nothing changes before [`Feature::commit`].
    ///
    /// # Errors
    /// [`StateError`]; what was read is then forgotten.
    fn stage(&mut self, bytes: &[u8], saved: Saved) -> Result<(), StateError>;
    /// Takes in what was staged, or forgets it.
    fn commit(&mut self, take: bool);
    /// Bytes the state holds on to.
    fn state_bytes(&self) -> usize;
    /// Number of entities.
    fn entities(&self) -> usize;
    /// How long after its last payment there is nothing left of an entity, in microseconds.
    fn span(&self) -> i64;
    /// Enters in `ledger` how what entities need has changed since the last time; where memory is counted.
    fn deliver(&mut self, ledger: &mut Ledger);
    /// Looks at a few entities for each of so many payments, and gives back the memory of those of which no payment can
    /// read anything any more; it changes no number.
    fn sweep(&mut self, payments: usize, moment: Moment);
}
