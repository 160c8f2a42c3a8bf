//! One set for several threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crible_core::{EntityId, Timestamp, Transaction};

use crate::set::{FeatureSet, SWEEP_AFTER};
use crate::{Feature, Late, LateCount};

/// Parts that entities of one kind are divided into: many more than threads, so that two seldom want the same.
const PARTS: usize = 64;

/// Whose entities a family is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The account that pays or is paid.
    Account,
    /// Whom it pays or is paid by.
    Counterparty,
    /// The device it pays from.
    Device,
    /// The network address it pays from.
    Address,
    /// What it pays for.
    Category,
}

impl Owner {
    const ALL: [Self; 5] = [Self::Account, Self::Counterparty, Self::Device, Self::Address, Self::Category];

    /// What a transaction's entity is divided by; none where it has no such entity.
    fn of(self, txn: &Transaction) -> Option<u64> {
        match self {
            Self::Account => Some(txn.account.get()),
            Self::Counterparty => txn.counterparty.map(EntityId::get),
            Self::Device => txn.device.map(EntityId::get),
            Self::Address => txn.address.map(EntityId::get),
            Self::Category => {
                let bits = txn.category.bits();
                Some((bits >> 64) as u64 ^ bits as u64)
            }
        }
    }
}

/// A [`FeatureSet`] that several threads step, each transaction by the one that takes it.
///
/// Families are divided by whose entities they are about: accounts, counterparties, devices, addresses and categories have so many parts
/// each, every part behind a lock of its own; what is left, the watch over time and links, is behind one. A thread takes the lock of
/// what is left, takes a transaction, takes the locks of the parts it belongs to, and only then lets go of the first: so whatever
/// two transactions share, they come to it in the order in which they were taken, and rows are those of one set that was handed them
/// in this order. Other parts are worked on meanwhile. Who waits for a part's lock holds the first, so no two wait for each other.
///
/// Where a budget of memory has to be held, nothing is divided: who is forgotten first depends on all.
#[derive(Debug)]
pub struct SharedSet {
    common: Apart<Mutex<FeatureSet>>,
    groups: Vec<Group>,
    /// Of each family in the order of columns: the group it is in, if it is divided, and how many columns it has.
    layout: Vec<(Option<usize>, usize)>,
}

/// Families of one owner, in parts.
#[derive(Debug)]
struct Group {
    owner: Owner,
    parts: Vec<Apart<Mutex<Part>>>,
}

/// Families of some entities.
#[derive(Debug, Default)]
struct Part {
    features: Vec<Box<dyn Feature>>,
    unswept: usize,
}

/// In lines of the cache of its own, so that who takes a lock takes nothing else from another's.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl FeatureSet {
    /// Hands the state over to a set that several threads can step.
    pub fn share(mut self) -> SharedSet {
        let mut layout = Vec::new();
        let mut groups: Vec<Group> = Vec::new();
        let is_divided = self.limits().memory.is_none();
        for feature in std::mem::take(&mut self.features) {
            let width = feature.columns().len();
            let owner = feature.owner().filter(|_| is_divided);
            let Some(owner) = owner else {
                layout.push((None, width));
                self.features.push(feature);
                continue;
            };
            let at = groups.iter().position(|group| group.owner == owner).unwrap_or(groups.len());
            if at == groups.len() {
                groups.push(Group { owner, parts: (0..PARTS).map(|_| Apart::default()).collect() });
            }
            layout.push((Some(at), width));
            let parts =
                groups[at].parts.iter_mut().map(|Apart(part)| part.get_mut().unwrap_or_else(PoisonError::into_inner));
            parts.zip(feature.divide(PARTS)).for_each(|(part, feature)| part.features.push(feature));
        }
        SharedSet { common: Apart(Mutex::new(self)), groups, layout }
    }
}

/// What a lock guards. A panic of a caller's own closure poisons the first before anything is touched, which is then as sound as
/// ever.
fn held<T>(Apart(lock): &Apart<Mutex<T>>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Part {
    /// Forgets, now and then, of whom no payment at `oldest` or later can read anything.
    fn tidy(&mut self, oldest: i64) {
        self.unswept += 1;
        if self.unswept > SWEEP_AFTER / PARTS && self.unswept > self.features.iter().map(|f| f.entities()).sum() {
            self.features.iter_mut().for_each(|feature| feature.sweep(oldest));
            self.unswept = 0;
        }
    }
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
        let oldest = common.oldest();
        let mut parts: [Option<MutexGuard<'_, Part>>; Owner::ALL.len()] = Default::default();
        for (part, group) in parts.iter_mut().zip(&self.groups) {
            *part = group.owner.of(&txn).map(|of| held(&group.parts[part_of(of, PARTS)]));
        }
        self.read(None, common.features.iter_mut(), &txn, out);
        drop(common);
        for (at, part) in parts.iter_mut().enumerate().take(self.groups.len()) {
            match part.take() {
                Some(mut part) => {
                    part.tidy(oldest);
                    self.read(Some(at), part.features.iter_mut(), &txn, out);
                }
                // Of nobody there is nothing to read.
                None => self.read(Some(at), std::iter::empty(), &txn, out),
            }
        }
        Some((txn, Ok(())))
    }

    /// Steps families, which are those of a group or those not divided, in the order of columns; zeros where there are none.
    fn read<'a>(
        &self,
        group: Option<usize>,
        mut families: impl Iterator<Item = &'a mut Box<dyn Feature>>,
        txn: &Transaction,
        out: &mut [f32],
    ) {
        let mut rest = out;
        for &(of, width) in &self.layout {
            let (here, after) = rest.split_at_mut(width);
            rest = after;
            if of == group {
                match families.next() {
                    Some(feature) => feature.step(txn, here),
                    None => here.fill(0.0),
                }
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
        let parts = self.groups.iter().flat_map(|group| &group.parts);
        let bytes = parts.map(|part| held(part).features.iter().map(|f| f.state_bytes()).sum::<usize>());
        held(&self.common).state_bytes() + bytes.sum::<usize>()
    }

    /// As [`FeatureSet::save`], of a moment between two transactions.
    pub fn save(&self) -> Vec<u8> {
        // With the first lock in hand nothing new begins, and each part's lock waits for what is under way.
        let common = held(&self.common);
        let groups: Vec<Vec<_>> = self.groups.iter().map(|group| group.parts.iter().map(held).collect()).collect();
        let mut of_common = 0;
        let mut of_groups = vec![0; groups.len()];
        let families = self.layout.iter().map(|(group, _)| {
            let next = group.map_or(&mut of_common, |group| &mut of_groups[group]);
            let at = *next;
            *next += 1;
            let together: Vec<&dyn Feature> = match group {
                Some(group) => {
                    groups[*group].iter().filter_map(|part| part.features.get(at).map(AsRef::as_ref)).collect()
                }
                None => common.features.get(at).map(AsRef::as_ref).into_iter().collect(),
            };
            together
        });
        common.save_families(families)
    }
}

/// Which of so many parts an entity is in: the high half of its mixed pseudonym, as tables take the low one.
pub(crate) fn part_of(entity: u64, parts: usize) -> usize {
    let mixed = entity.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (mixed as usize * parts) >> 32
}
