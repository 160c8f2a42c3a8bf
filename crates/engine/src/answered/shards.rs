//! Verdicts given lately, for several threads.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crible_core::{Timestamp, Transaction, TxnId};

use super::{Answered, tag};
use crate::Model;
use crate::observation::Given;
use crate::saved::KeptEngine;

/// Many more than threads, so that two seldom want the same.
const SHARDS: usize = 64;

/// What handles of one engine remember together.
#[derive(Debug)]
pub(crate) struct Answers {
    /// Held by whoever observes, and by whoever saves alone: what is saved is of one moment between two transactions.
    gate: RwLock<()>,
    shards: Vec<Mutex<Shard>>,
    offset: Mutex<Vec<u8>>,
}

#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    answered: Answered,
    /// Tags of transactions that handles are observing.
    pending: Vec<u64>,
}

/// What there is to know of a transaction before it is observed.
pub(crate) enum Begun<'a> {
    /// It was observed before.
    Known(Box<Given>),
    /// It was not; it is now being observed.
    First(Pending<'a>),
    /// Another handle is observing it.
    Busy,
}

/// A transaction that is being observed; where there is no verdict in the end, it is as if it had not been handed in.
pub(crate) struct Pending<'a> {
    shard: &'a Mutex<Shard>,
    id: TxnId,
    at: Timestamp,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks is left half done by a panic.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answers {
    pub(crate) fn new(model: &Model, kept: KeptEngine) -> Self {
        let KeptEngine { offset, answers } = kept;
        let shard = |_| {
            let answered = Answered::new(model.state().repeats, model.detectors().len());
            Mutex::new(Shard { answered, pending: Vec::new() })
        };
        let mut all =
            Self { gate: RwLock::new(()), shards: (0..SHARDS).map(shard).collect(), offset: Mutex::new(offset) };
        for (shard, part) in all.shards.iter_mut().zip(answers.divide(SHARDS)) {
            shard.get_mut().unwrap_or_else(PoisonError::into_inner).answered.take_in(part);
        }
        all
    }

    /// While this is held, no state is saved.
    pub(crate) fn open(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, txn: &Transaction) -> Begun<'_> {
        let tag = tag(txn.id);
        let lock = &self.shards[shard_of(tag)];
        let mut shard = held(lock);
        if let Some(verdict) = shard.answered.get(txn.id) {
            return Begun::Known(Box::new(verdict));
        }
        if shard.pending.contains(&tag) {
            return Begun::Busy;
        }
        shard.pending.push(tag);
        Begun::First(Pending { shard: lock, id: txn.id, at: txn.at })
    }

    /// Calls `save` while no transaction is under way, with what is remembered.
    pub(crate) fn with_closed<T>(&self, save: impl FnOnce(KeptEngine) -> T) -> T {
        let _closed = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let shards: Vec<_> = self.shards.iter().map(held).collect();
        let answers = Answered::keep(shards.iter().map(|shard| &shard.answered));
        save(KeptEngine { offset: self.offset(), answers })
    }

    pub(crate) fn set_offset(&self, offset: Vec<u8>) {
        *held(&self.offset) = offset;
    }

    pub(crate) fn offset(&self) -> Vec<u8> {
        held(&self.offset).clone()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| held(shard).answered.bytes()).sum()
    }
}

impl Pending<'_> {
    /// Remembers the verdict that was given.
    pub(crate) fn settle(self, verdict: &Given) {
        held(self.shard).answered.put(self.id, self.at, verdict.score, verdict.detectors());
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let tag = tag(self.id);
        held(self.shard).pending.retain(|pending| *pending != tag);
    }
}

pub(super) fn shard_of(tag: u64) -> usize {
    (tag >> 58) as usize
}
