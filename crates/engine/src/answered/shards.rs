//! Verdicts given lately, for several threads.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crible_alert::ModelId;
use crible_core::{Timestamp, Transaction, TxnId};

use super::{Answered, KeptAnswers, hour, tag};
use crate::observation::Given;
use crate::saved::KeptEngine;
use crate::{Drift, Model};

/// Many more than threads, so that two seldom want the same.
const SHARDS: usize = 64;

/// What handles of one engine remember together.
#[derive(Debug)]
pub(crate) struct Answers {
    model: ModelId,
    shards: Vec<Mutex<Shard>>,
    /// The latest hour.
    latest: AtomicI64,
    offset: Mutex<Vec<u8>>,
}

#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    answered: Answered,
    drift: Drift,
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
    answers: &'a Answers,
    id: TxnId,
    at: Timestamp,
}

/// What is being saved, as of one moment.
pub(crate) struct Holding {
    latest: i64,
    offset: Vec<u8>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks is left half done by a panic.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answers {
    /// Of an engine with this model, and what was kept.
    pub(crate) fn new(model: &Model, drift: Drift, offset: Vec<u8>, answers: KeptAnswers) -> Self {
        let latest = AtomicI64::new(answers.latest());
        let parts = answers.divide(SHARDS).into_iter();
        let mut drift = Some(drift);
        let shard = |part| {
            let mut answered = Answered::new(model.state().repeats, model.detectors().len());
            answered.take_in(part);
            // What was counted before stands in one of them.
            let drift = drift.take().unwrap_or_else(|| Drift::new(model.id()));
            Mutex::new(Shard { answered, drift, pending: Vec::new() })
        };
        Self { model: model.id(), shards: parts.map(shard).collect(), latest, offset: Mutex::new(offset) }
    }

    pub(crate) fn begin(&self, txn: &Transaction) -> Begun<'_> {
        let tag = tag(txn.id);
        let mut shard = held(&self.shards[shard_of(tag)]);
        shard.answered.advance(self.latest.load(Ordering::Relaxed));
        if let Some(verdict) = shard.answered.get(txn.id) {
            return Begun::Known(Box::new(verdict));
        }
        if shard.pending.contains(&tag) {
            return Begun::Busy;
        }
        shard.pending.push(tag);
        Begun::First(Pending { answers: self, id: txn.id, at: txn.at })
    }

    /// Holds on to all there is, for [`Answers::finish_save`]. Nobody may be observing.
    pub(crate) fn begin_save(&self) -> Holding {
        self.shards.iter().for_each(|shard| held(shard).answered.hold());
        Holding { latest: self.latest.load(Ordering::Relaxed), offset: self.offset() }
    }

    /// What was held on to, shard by shard, while transactions go on.
    pub(crate) fn finish_save(&self, holding: Holding) -> KeptEngine {
        let Holding { latest, offset } = holding;
        let answers = self.shards.iter().map(|shard| held(shard).answered.held(latest)).collect();
        KeptEngine { offset, answers: KeptAnswers::join(answers) }
    }

    /// What all have counted together.
    pub(crate) fn drift(&self) -> Drift {
        let mut all = Drift::new(self.model);
        self.shards.iter().for_each(|shard| all.add(&held(shard).drift));
        all
    }

    /// Adds what an earlier run has counted.
    pub(crate) fn add_drift(&self, earlier: &Drift) {
        if let Some(shard) = self.shards.first() {
            held(shard).drift.add(earlier);
        }
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
    /// Remembers the verdict that was given, and counts it where it means anything.
    pub(crate) fn settle(self, verdict: &Given, is_cold: bool) {
        self.answers.latest.fetch_max(hour(self.at.0).into(), Ordering::Relaxed);
        let mut shard = held(&self.answers.shards[shard_of(tag(self.id))]);
        shard.answered.put(self.id, self.at, verdict.score, verdict.detectors());
        if !is_cold {
            shard.drift.count(self.at, verdict.score.tail);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let tag = tag(self.id);
        held(&self.answers.shards[shard_of(tag)]).pending.retain(|pending| *pending != tag);
    }
}

pub(super) fn shard_of(tag: u64) -> usize {
    (tag >> 58) as usize
}
