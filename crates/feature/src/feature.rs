use std::fmt;
use std::ops::Range;

use crible_core::{Batch, Column, Transaction};

use crate::owner::Owner;
use crate::rows::Rows;
use crate::state::{Saved, StateError};

/// A family of columns computed from one kind of state.
///
/// There is one way in: [`Feature::step`], which reads, then absorbs. What it reads is therefore what came strictly
/// before, in a batch and in a stream alike. Callers hand transactions over in order of time; [`FeatureSet`] sees to
/// it.
///
/// Numbers are 32 bits wide: seven digits are more than any behaviour has, and half the memory is twice the speed. What
/// needs all digits, such as the amount shown to a person, is taken from the transaction.
pub trait Feature: fmt::Debug + Send {
    /// The columns [`Feature::step`] fills, in order.
    fn columns(&self) -> &[Column];
    /// Reads the state as it was before `txn` into `out` (one number a column, always finite), then absorbs `txn`.
    fn step(&mut self, txn: &Transaction, out: &mut [f32]);
    /// The same for rows of a batch, to the same bits: the `i`th of them is read into row `wanted[i]` of `out`, which
    /// has been made large enough; those marked `u32::MAX` are absorbed without being read.
    fn step_all(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32], out: &mut Rows);
    /// Its name in saved states.
    fn name(&self) -> &'static str;
    /// Whose entities it is about; none where these hang together.
    fn owner(&self) -> Option<Owner>;
    /// The same family in so many, each with the owners that are its part; itself alone where it has none.
    fn divide(self: Box<Self>, parts: usize) -> Vec<Box<dyn Feature>>;
    /// Each entity as payments at `now` and later may read it, as bytes that depend on nothing but the transactions
    /// taken in, and the key it is sorted by.
    fn save_entities(&self, now: i64) -> Vec<([u64; 3], Vec<u8>)>;
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
    /// Gives back the memory of entities of which no payment at `now` or later can read anything; it changes no number.
    fn sweep(&mut self, now: i64);
    /// Bytes the state's content needs: the same for the same transactions, whatever room lists were given on the way.
    fn needed_bytes(&self) -> u64;
    /// When each entity last paid and the bytes it needs, the one that paid least recently first.
    fn oldest_first(&self) -> Vec<(i64, u64)>;
    /// Forgets the first `count` of [`Feature::oldest_first`].
    fn forget_oldest(&mut self, count: usize);
}
