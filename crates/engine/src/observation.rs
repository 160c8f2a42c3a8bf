use std::fmt;

use crible_alert::{Reason, Score, Severity};
use crible_core::{Timestamp, Transaction};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::{History, Model};

/// The largest number of detectors one engine runs side by side.
pub const MAX_DETECTORS: usize = 32;

/// A transaction that was just observed: how strange it is, what that rests on, and why.
///
/// It borrows from the engine, so that its reasons can belong to no other transaction. What has to outlive the next one
/// is copied out: [`Observation::verdict`], [`Observation::explain`].
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    model: &'a Model,
    txn: Transaction,
    row: &'a [f32],
    score: Score,
    detectors: &'a [f64],
    /// Since when the engine has observed.
    since: Timestamp,
    history: Option<History>,
}

impl<'a> Observation<'a> {
    pub(crate) fn new(
        model: &'a Model,
        txn: &Transaction,
        row: &'a [f32],
        score: Score,
        detectors: &'a [f64],
        history: History,
    ) -> Self {
        Self { model, txn: *txn, row, score, detectors, since: history.since, history: Some(history) }
    }

    /// Of a transaction that was handed in before; `row` is zeros, and `detectors` were given the first time.
    pub(crate) fn repeat(
        model: &'a Model,
        txn: &Transaction,
        row: &'a [f32],
        score: Score,
        detectors: &'a [f64],
        since: Option<Timestamp>,
    ) -> Self {
        Self { model, txn: *txn, row, score, detectors, since: since.unwrap_or_default(), history: None }
    }

    /// Whether the transaction was handed in before. It then has the verdict of the first time, and neither a row nor
    /// reasons.
    pub fn is_repeat(&self) -> bool {
        self.history.is_none()
    }

    /// Whether the next transactions have to confirm its time before it is taken in: it is the first that an engine
    /// without a state observes, or comes after a long pause while few hours with payments are known. Its verdict
    /// stands. Where the next ones show that it is wrongly dated, it is as if it had never come.
    pub fn is_provisional(&self) -> bool {
        self.history.is_some_and(|history| history.is_provisional)
    }

    /// The transaction.
    pub fn transaction(&self) -> &Transaction {
        &self.txn
    }

    /// The model that scored it.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The combined score and its tail probability.
    pub fn score(&self) -> Score {
        self.score
    }

    /// Whether the engine had observed too little: see [`Engine::is_cold`](crate::Engine::is_cold).
    pub fn is_cold(&self) -> bool {
        self.model.is_cold_at(self.txn.at, self.since)
    }

    /// How seriously to take it: by its tail probability, and [`Severity::Low`] while the engine is cold.
    pub fn severity(&self) -> Severity {
        if self.is_cold() { Severity::Low } else { Severity::of(self.score.tail) }
    }

    /// Each detector's own score, in the order of [`Model::detectors`]: of a view −ln p, and 0 where that is no more than
    /// 2, which adds nothing. None where the transaction was handed in before and they are no longer remembered.
    pub fn detectors(&self) -> &'a [f64] {
        self.detectors
    }

    /// The feature row, in the order of [`Model::columns`].
    pub fn row(&self) -> &'a [f32] {
        self.row
    }

    /// How many payments of its account and at its counterparty were known before it; none where it was handed in
    /// before.
    pub fn history(&self) -> Option<History> {
        self.history
    }

    /// What can be kept and compared, without a heap.
    pub fn verdict(&self) -> Verdict {
        Verdict::new(self)
    }

    /// The `n` strongest reasons, strongest first; fewer where fewer columns speak against the transaction.
    pub fn explain(&self, n: usize) -> Vec<Reason> {
        if self.is_repeat() { Vec::new() } else { self.model.explain(&self.txn, self.row, n) }
    }
}

impl fmt::Display for Observation<'_> {
    /// The transaction's reference and the verdict.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.txn.id, self.verdict())
    }
}

impl Serialize for Observation<'_> {
    /// The transaction, the model, the verdict, and how much history there is.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut observed = to.serialize_struct("Observation", 6)?;
        observed.serialize_field("transaction", &self.txn)?;
        observed.serialize_field("model", &self.model.id().to_string())?;
        observed.serialize_field("verdict", &self.verdict())?;
        observed.serialize_field("history", &self.history)?;
        observed.serialize_field("is_provisional", &self.is_provisional())?;
        observed.serialize_field("is_repeat", &self.is_repeat())?;
        observed.end()
    }
}

/// The engine's answer to one transaction. `Copy` and without a heap, so that giving it allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The combined score and its tail probability.
    pub score: Score,
    /// How seriously to take it.
    pub severity: Severity,
    /// Whether the engine had observed too little, so that the severity is low whatever the score.
    pub is_cold: bool,
    detectors: [f64; MAX_DETECTORS],
    n_detectors: usize,
}

impl Verdict {
    /// # Panics
    /// Where there are more than [`MAX_DETECTORS`], which the builder sees to.
    fn new(observed: &Observation<'_>) -> Self {
        let detectors = observed.detectors;
        let mut all = [0.0; MAX_DETECTORS];
        all[..detectors.len()].copy_from_slice(detectors);
        Self {
            score: observed.score,
            severity: observed.severity(),
            is_cold: observed.is_cold(),
            detectors: all,
            n_detectors: detectors.len(),
        }
    }

    /// Each detector's own score, in the order of [`Model::detectors`](crate::Model::detectors); none of a transaction
    /// that was handed in again after they were forgotten.
    pub fn detectors(&self) -> &[f64] {
        &self.detectors[..self.n_detectors]
    }
}

/// The answer to a transaction, for when it is handed in again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Given {
    pub(crate) score: Score,
    detectors: [f64; MAX_DETECTORS],
    n_detectors: usize,
}

impl Given {
    pub(crate) fn new(score: Score, detectors: &[f64]) -> Self {
        let mut all = [0.0; MAX_DETECTORS];
        all[..detectors.len()].copy_from_slice(detectors);
        Self { score, detectors: all, n_detectors: detectors.len() }
    }

    pub(crate) fn detectors(&self) -> &[f64] {
        &self.detectors[..self.n_detectors]
    }

    /// Copies each detector's own score into `out`: as many as are still remembered.
    pub(crate) fn copy_detectors<'a>(&self, out: &'a mut [f64]) -> &'a [f64] {
        let out = &mut out[..self.n_detectors];
        out.copy_from_slice(self.detectors());
        out
    }
}

impl fmt::Display for Verdict {
    /// `critical, score 9.12 (tail 1.0e-5)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, score {}", self.severity, self.score)?;
        if self.is_cold { f.write_str(", before enough was observed") } else { Ok(()) }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut verdict = to.serialize_struct("Verdict", 5)?;
        verdict.serialize_field("score", &self.score.raw)?;
        verdict.serialize_field("tail", &self.score.tail)?;
        verdict.serialize_field("severity", &self.severity)?;
        verdict.serialize_field("is_cold", &self.is_cold)?;
        verdict.serialize_field("detectors", self.detectors())?;
        verdict.end()
    }
}
