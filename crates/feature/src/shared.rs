//! One set for several threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crible_core::{Timestamp, Transaction};

use crate::set::{FeatureSet, SWEEP_AFTER};
use crate::{Feature, Late, LateCount};

/// Parts that accounts are divided into: many more than threads, so that two seldom want the same.
const PARTS: usize = 64;

/// A [`FeatureSet`] that several threads step, each transaction by the one that takes it.
///
/// What belongs to accounts is divided by account, each part behind a lock of its own; what belongs to everybody,
/// counterparties, categories and the watch over time, is behind one. A thread takes the lock of everybody, takes a transaction, reads
/// and absorbs what is everybody's, takes the lock of the account's part, and only then lets go of the first: so whatever two
/// transactions share, they come to it in the order in which they were taken, and rows are those of one set that was handed them in
/// this order. Other accounts' parts are worked on meanwhile.
///
/// Where a budget of memory has to be held, everything is everybody's: who is forgotten first depends on all.
#[derive(Debug)]
pub struct SharedSet {
    common: Mutex<FeatureSet>,
    parts: Vec<Mutex<Part>>,
    /// Of each family in the order of columns: whether it is divided, and how many columns it has.
    layout: Vec<(bool, usize)>,
}

/// Families of some accounts.
#[derive(Debug, Default)]
struct Part {
    features: Vec<Box<dyn Feature>>,
    unswept: usize,
}

impl FeatureSet {
    /// Hands the state over to a set that several threads can step.
    pub fn share(mut self) -> SharedSet {
        let mut layout = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let is_divided = self.limits().memory.is_none();
        for feature in std::mem::take(&mut self.features) {
            let width = feature.columns().len();
            let mut divided = if is_divided { feature.divide(PARTS) } else { vec![feature] };
            layout.push((divided.len() > 1, width));
            if divided.len() > 1 {
                parts.resize_with(PARTS, Part::default);
                parts.iter_mut().zip(divided).for_each(|(part, feature)| part.features.push(feature));
            } else {
                self.features.append(&mut divided);
            }
        }
        SharedSet { common: Mutex::new(self), parts: parts.into_iter().map(Mutex::new).collect(), layout }
    }
}

/// What a lock guards. A panic of a caller's own closure poisons the first before anything is touched, which is then as sound as
/// ever.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedSet {
    /// Takes a transaction from `next`, which no other thread does meanwhile, reads its row into `out` and absorbs it; `None` where
    /// there is none.
    ///
    /// # Panics
    /// Where `out` is not as long as the set has columns.
    pub fn step(
        &self,
        next: impl FnOnce() -> Option<Transaction>,
        out: &mut [f32],
    ) -> Option<(Transaction, Result<(), Late>)> {
        let mut common = held(&self.common);
        let txn = next()?;
        if let Err(late) = common.admit(&txn) {
            return Some((txn, Err(late)));
        }
        self.read(common.features.iter_mut(), false, &txn, out);
        let part = self.parts.get(part_of(txn.account.get(), self.parts.len()));
        if let Some(part) = part {
            let mut part = held(part);
            let oldest = common.oldest();
            drop(common);
            part.unswept += 1;
            if part.unswept > SWEEP_AFTER / PARTS && part.unswept > part.features.iter().map(|f| f.entities()).sum() {
                part.features.iter_mut().for_each(|feature| feature.sweep(oldest));
                part.unswept = 0;
            }
            self.read(part.features.iter_mut(), true, &txn, out);
        }
        Some((txn, Ok(())))
    }

    /// Steps families, which are those divided or those not, in the order of columns.
    fn read<'a>(
        &self,
        mut families: impl Iterator<Item = &'a mut Box<dyn Feature>>,
        divided: bool,
        txn: &Transaction,
        out: &mut [f32],
    ) {
        let mut rest = out;
        for &(is_divided, width) in &self.layout {
            let (here, after) = rest.split_at_mut(width);
            rest = after;
            if is_divided == divided
                && let Some(feature) = families.next()
            {
                feature.step(txn, here);
            }
        }
    }

    /// As [`FeatureSet::watermark`].
    pub fn watermark(&self) -> Option<Timestamp> {
        held(&self.common).watermark()
    }

    /// As [`FeatureSet::late`].
    pub fn late(&self) -> LateCount {
        held(&self.common).late()
    }

    /// As [`FeatureSet::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        let parts = self.parts.iter().map(|part| held(part).features.iter().map(|f| f.state_bytes()).sum::<usize>());
        held(&self.common).state_bytes() + parts.sum::<usize>()
    }

    /// As [`FeatureSet::save`], of a moment between two transactions.
    pub fn save(&self) -> Vec<u8> {
        // With the first lock in hand nothing new begins, and each part's lock waits for what is under way.
        let common = held(&self.common);
        let parts: Vec<_> = self.parts.iter().map(held).collect();
        let (mut of_common, mut of_parts) = (0, 0);
        let families = self.layout.iter().map(|(is_divided, _)| {
            let next = if *is_divided { &mut of_parts } else { &mut of_common };
            let at = *next;
            *next += 1;
            let together: Vec<&dyn Feature> = if *is_divided {
                parts.iter().filter_map(|part| part.features.get(at).map(AsRef::as_ref)).collect()
            } else {
                common.features.get(at).map(AsRef::as_ref).into_iter().collect()
            };
            together
        });
        common.save_families(families)
    }
}

/// Which of so many parts an account is in: the high half of its mixed pseudonym, as tables take the low one.
pub(crate) fn part_of(account: u64, parts: usize) -> usize {
    let mixed = account.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (mixed as usize * parts) >> 32
}
