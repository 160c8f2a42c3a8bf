//! One set for several threads.

use std::sync::atomic::{AtomicU64, Ordering};
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
/// Families are divided by whose entities they are about: accounts, counterparties, devices, addresses and categories have so many
/// parts each; what is left, the watch over time and links, is behind a lock. A thread takes that lock, takes a transaction, draws a
/// number for each part it belongs to, and lets go of the lock; then it waits for its turn at one part after the other. So
/// whatever two transactions share, they come to it in the order in which they were taken, and rows are those of one set that was
/// handed them in this order. Nobody waits with the lock in hand, and as all numbers of a transaction are drawn at once, whoever was
/// first is first everywhere: no two wait for each other.
///
/// Where a budget of memory has to be held, nothing is divided: who is forgotten first depends on all.
#[derive(Debug)]
pub struct SharedSet {
    common: Mutex<Common>,
    groups: Vec<Group>,
    /// Of each family in the order of columns: the group it is in, if it is divided, and how many columns it has.
    layout: Vec<(Option<usize>, usize)>,
}

/// What is behind one lock. In lines of the cache of its own, as each part is, so that who takes a lock takes nothing else from another's.
#[derive(Debug)]
#[repr(align(128))]
struct Common {
    set: FeatureSet,
    /// By group, how many numbers have been drawn at each part.
    drawn: Vec<[u64; PARTS]>,
}

/// Families of one owner, in parts.
#[derive(Debug)]
struct Group {
    owner: Owner,
    parts: Vec<Part>,
}

/// Whose turn it is, and whose families these are then: nobody else who has a number takes the lock.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Part {
    turn: AtomicU64,
    families: Mutex<Families>,
}

/// Families of some entities.
#[derive(Debug, Default)]
struct Families {
    features: Vec<Box<dyn Feature>>,
    unswept: usize,
}

/// A number drawn at a part.
struct Turn<'a> {
    part: &'a Part,
    number: u64,
}

impl Part {
    /// Waits until it is the turn of whoever drew `number`.
    fn wait_for(&self, number: u64) {
        /// Turns are short: looking again costs less than being woken.
        const LOOKS: u32 = 256;
        let mut looks = 0;
        while self.turn.load(Ordering::Acquire) != number {
            if looks < LOOKS {
                looks += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

impl Drop for Turn<'_> {
    /// The next one's turn, also where this one was not made use of.
    fn drop(&mut self) {
        self.part.wait_for(self.number);
        self.part.turn.store(self.number + 1, Ordering::Release);
    }
}

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
                groups.push(Group { owner, parts: (0..PARTS).map(|_| Part::default()).collect() });
            }
            layout.push((Some(at), width));
            for (part, feature) in groups[at].parts.iter_mut().zip(feature.divide(PARTS)) {
                part.families.get_mut().unwrap_or_else(PoisonError::into_inner).features.push(feature);
            }
        }
        let common = Common { set: self, drawn: vec![[0; PARTS]; groups.len()] };
        SharedSet { common: Mutex::new(common), groups, layout }
    }
}

/// What a lock guards. A panic of a caller's own closure poisons the first before anything is touched, which is then as sound as
/// ever.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Families {
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
        if let Err(late) = common.set.admit(&txn) {
            return Some((txn, Err(late)));
        }
        let oldest = common.set.oldest();
        let mut turns: [Option<Turn<'_>>; Owner::ALL.len()] = Default::default();
        for ((turn, group), drawn) in turns.iter_mut().zip(&self.groups).zip(&mut common.drawn) {
            *turn = group.owner.of(&txn).map(|of| {
                let part = part_of(of, PARTS);
                drawn[part] += 1;
                Turn { part: &group.parts[part], number: drawn[part] - 1 }
            });
        }
        self.read(None, common.set.features.iter_mut(), &txn, out);
        drop(common);
        for (at, turn) in turns.into_iter().enumerate().take(self.groups.len()) {
            match turn {
                Some(turn) => {
                    turn.part.wait_for(turn.number);
                    let mut families = held(&turn.part.families);
                    families.tidy(oldest);
                    self.read(Some(at), families.features.iter_mut(), &txn, out);
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
        held(&self.common).set.watermark()
    }

    /// As [`FeatureSet::late`].
    pub fn late(&self) -> LateCount {
        held(&self.common).set.late()
    }

    /// As [`FeatureSet::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        let parts = self.groups.iter().flat_map(|group| &group.parts);
        let bytes =
            |part: &Part| -> usize { held(&part.families).features.iter().map(|feature| feature.state_bytes()).sum() };
        held(&self.common).set.state_bytes() + parts.map(bytes).sum::<usize>()
    }

    /// As [`FeatureSet::save`], of a moment between two transactions.
    pub fn save(&self) -> Vec<u8> {
        // With the lock in hand nothing new begins, and each part's turn comes when what is under way has left it.
        let common = held(&self.common);
        let settled = self.groups.iter().zip(&common.drawn).map(|(group, drawn)| -> Vec<MutexGuard<'_, Families>> {
            group.parts.iter().zip(drawn).for_each(|(part, drawn)| part.wait_for(*drawn));
            group.parts.iter().map(|part| held(&part.families)).collect()
        });
        let groups: Vec<_> = settled.collect();
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
                None => common.set.features.get(at).map(AsRef::as_ref).into_iter().collect(),
            };
            together
        });
        common.set.save_families(families)
    }
}

/// Which of so many parts an entity is in: the high half of its mixed pseudonym, as tables take the low one.
pub(crate) fn part_of(entity: u64, parts: usize) -> usize {
    let mixed = entity.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (mixed as usize * parts) >> 32
}
