//! One set for several threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crible_core::{Timestamp, Transaction};

use crate::feature::Feature;
use crate::owner::{Owner, shard_of};
use crate::saved::SavedFamily;
use crate::set::{FeatureSet, LateCount, Refused, SWEEP_AFTER};
use crate::ticket::{Ticket, TicketLock, Tickets};

/// Shards that entities of one kind are divided into: many more than threads, so that two seldom want the same.
const SHARDS: usize = 64;

/// A [`FeatureSet`] that several threads step, each transaction by the one that takes it.
///
/// Families are divided by whose entities they are about: accounts, counterparties, devices, addresses and categories have so many
/// shards each; what is left, the watch over time and links, is behind a lock. A thread takes that lock, takes a transaction, draws a
/// ticket at each shard it belongs to, and lets go of the lock; then it waits for its turn at the shards. So
/// whatever two transactions share, they come to it in the order in which they were taken, and rows are those of one set that was
/// handed them in this order. Nobody waits with the lock in hand or with a turn, and as all tickets of a transaction are drawn at once, whoever
/// was first is first everywhere: no two wait for each other.
///
/// Where a budget of memory has to be held, nothing is divided: who is forgotten first depends on all.
#[derive(Debug)]
pub struct SharedSet {
    common: Mutex<Common>,
    groups: Vec<Group>,
    /// Of each family in the order of columns: the group it is in, if it is divided, and how many columns it has.
    layout: Vec<(Option<usize>, usize)>,
}

/// What is behind one lock, in cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Common {
    set: FeatureSet,
    /// By group, what has been drawn at each shard.
    tickets: Vec<[Tickets; SHARDS]>,
}

/// Families of one owner, in shards.
#[derive(Debug)]
struct Group {
    owner: Owner,
    shards: Vec<TicketLock<Families>>,
}

/// Families of some entities.
#[derive(Debug, Default)]
struct Families {
    features: Vec<Box<dyn Feature>>,
    unswept: usize,
}

impl FeatureSet {
    /// Hands the state over to a set that several threads can step.
    pub fn share(mut self) -> SharedSet {
        let mut layout = Vec::new();
        let mut divided: Vec<(Owner, Vec<Families>)> = Vec::new();
        let is_divided = self.limits().memory.is_none();
        for feature in std::mem::take(&mut self.features) {
            let width = feature.columns().len();
            let owner = feature.owner().filter(|_| is_divided);
            let Some(owner) = owner else {
                layout.push((None, width));
                self.features.push(feature);
                continue;
            };
            let at = divided.iter().position(|(of, _)| *of == owner).unwrap_or(divided.len());
            if at == divided.len() {
                divided.push((owner, (0..SHARDS).map(|_| Families::default()).collect()));
            }
            layout.push((Some(at), width));
            for (shard, feature) in divided[at].1.iter_mut().zip(feature.divide(SHARDS)) {
                shard.features.push(feature);
            }
        }
        let groups = divided.into_iter().map(|(owner, shards)| {
            let shards = shards.into_iter().map(TicketLock::new).collect();
            Group { owner, shards }
        });
        let groups: Vec<Group> = groups.collect();
        let common = Common { set: self, tickets: vec![[Tickets::default(); SHARDS]; groups.len()] };
        SharedSet { common: Mutex::new(common), groups, layout }
    }
}

impl Families {
    /// Forgets, now and then, of whom no payment at `oldest` or later can read anything.
    fn tidy(&mut self, oldest: i64) {
        self.unswept += 1;
        if self.unswept > SWEEP_AFTER / SHARDS && self.unswept > self.features.iter().map(|f| f.entities()).sum() {
            self.features.iter_mut().for_each(|feature| feature.sweep(oldest));
            self.unswept = 0;
        }
    }
}

impl SharedSet {
    /// A panic of a caller's own closure poisons the lock before anything is touched, which is then as sound as ever.
    fn common(&self) -> MutexGuard<'_, Common> {
        self.common.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a transaction from `next`, which no other thread does meanwhile, reads its row into `out` and absorbs it; `None` where
    /// there is none.
    ///
    /// # Panics
    /// Where `out` is not as long as the set has columns.
    pub fn step(
        &self,
        next: impl FnOnce() -> Option<Transaction>,
        out: &mut [f32],
    ) -> Option<(Transaction, Result<(), Refused>)> {
        let mut common = self.common();
        let txn = next()?;
        if let Err(refused) = common.set.admit(&txn) {
            return Some((txn, Err(refused)));
        }
        let oldest = common.set.oldest();
        let mut tickets: [Option<Ticket<'_, Families>>; Owner::ALL.len()] = Default::default();
        for ((ticket, group), drawn) in tickets.iter_mut().zip(&self.groups).zip(&mut common.tickets) {
            *ticket = group.owner.of(&txn).map(|of| {
                let shard = shard_of(of, SHARDS);
                drawn[shard].draw(&group.shards[shard])
            });
        }
        self.read(None, common.set.features.iter_mut(), &txn, out);
        drop(common);
        for (group, ticket) in tickets.iter().enumerate().take(self.groups.len()) {
            if ticket.is_none() {
                // Of nobody there is nothing to read.
                self.read(Some(group), std::iter::empty(), &txn, out);
            }
        }
        // Shards where it is this transaction's turn come first; where there is none, it waits for one.
        let is_served = |ticket: &Option<Ticket<'_, _>>| ticket.as_ref().is_some_and(Ticket::is_served);
        while let Some(group) = tickets.iter().position(is_served).or(tickets.iter().position(Option::is_some)) {
            if let Some(ticket) = tickets[group].take() {
                ticket.with(|families| {
                    families.tidy(oldest);
                    self.read(Some(group), families.features.iter_mut(), &txn, out);
                });
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

    /// As [`FeatureSet::advance`].
    pub fn advance(&self, now: Timestamp) {
        self.common().set.advance(now);
    }

    /// As [`FeatureSet::watermark`].
    pub fn watermark(&self) -> Option<Timestamp> {
        self.common().set.watermark()
    }

    /// As [`FeatureSet::late`].
    pub fn late(&self) -> LateCount {
        self.common().set.late()
    }

    /// As [`FeatureSet::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        let shards = self.groups.iter().flat_map(|group| &group.shards);
        let bytes =
            |families: &mut Families| families.features.iter().map(|feature| feature.state_bytes()).sum::<usize>();
        let divided: usize = shards.map(|shard| shard.between(bytes)).sum();
        self.common().set.state_bytes() + divided
    }

    /// As [`FeatureSet::save`], of a moment between two transactions.
    pub fn save(&self) -> Vec<u8> {
        // With the lock in hand nothing new begins, and each shard is settled when what is under way has left it.
        let common = self.common();
        let oldest = common.set.oldest();
        let mut saved: Vec<Vec<SavedFamily>> = vec![Vec::new(); self.groups.len()];
        for ((group, tickets), saved) in self.groups.iter().zip(&common.tickets).zip(&mut saved) {
            for (shard, tickets) in group.shards.iter().zip(tickets) {
                shard.settled(*tickets, |families| {
                    saved.resize_with(families.features.len(), SavedFamily::default);
                    families
                        .features
                        .iter()
                        .zip(saved.iter_mut())
                        .for_each(|(feature, saved)| saved.add(&**feature, oldest));
                });
            }
        }
        let mut saved: Vec<_> = saved.into_iter().map(Vec::into_iter).collect();
        let mut of_common = common.set.features.iter();
        let families = self.layout.iter().filter_map(|(group, _)| match group {
            Some(group) => saved[*group].next(),
            None => of_common.next().map(|feature| SavedFamily::of(&**feature, oldest)),
        });
        let families = families.collect();
        common.set.saved_with(families)
    }
}
