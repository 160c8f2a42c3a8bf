use std::sync::Arc;

use crible_alert::Reason;
use crible_core::Transaction;
use crible_feature::SharedSet;

use crate::{Engine, Error, LateCount, Model, Verdict};

/// An engine for several threads: one handle each, cloned from [`Engine::share`].
///
/// What belongs to accounts, counterparties, devices, addresses and categories is divided into 64 shards each. A payment takes one ticket
/// for each shard it belongs to, and has its turn there when all earlier tickets have been used. So windows are exact whatever thread an
/// entity's payments come on. What two payments have in common is read and absorbed one after the other; all else, scoring and explaining
/// included, runs in parallel. Links by shared devices hang together across accounts: they are behind one lock, and so is everything where a
/// budget of memory has to be held.
///
/// **Order.** Transactions take effect in the order in which the handles get hold of that lock: while it holds the lock, a transaction
/// takes all of its tickets. So whatever two transactions share, they come to it in this order, and every verdict is, to the bit,
/// that of one [`Engine`] which observed them in this order. Where the order matters, as it does for transactions that
/// would otherwise be [`Error::Late`], let the handles take from one queue with [`Shared::observe_next`]: the queue's order is
/// then the state's, on any number of threads.
#[derive(Debug)]
pub struct Shared {
    features: Arc<SharedSet>,
    model: Arc<Model>,
    row: Vec<f32>,
    seen: Vec<f64>,
    parts: Vec<f64>,
}

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.features), Arc::clone(&self.model))
    }
}

impl Shared {
    pub(crate) fn new(features: Arc<SharedSet>, model: Arc<Model>) -> Self {
        let row = vec![0.0; model.columns().len()];
        let seen = vec![0.0; model.n_inputs()];
        let parts = vec![0.0; model.detectors().len()];
        Self { features, model, row, seen, parts }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// As [`Engine::observe`].
    ///
    /// # Errors
    /// [`Error::Late`] where it is later than the model allows, whichever handle observed what came before; the state is then as it was.
    pub fn observe(&mut self, txn: &Transaction) -> Result<Verdict, Error> {
        match self.features.step(|| Some(*txn), &mut self.row) {
            Some((_, Err(late))) => Err(late.into()),
            _ => self.score(),
        }
    }

    /// Takes the next transaction from `next`, which no other handle does meanwhile, and observes it; `None` where there is none.
    /// `next` should not wait: all handles would wait with it.
    pub fn observe_next(
        &mut self,
        next: impl FnOnce() -> Option<Transaction>,
    ) -> Option<(Transaction, Result<Verdict, Error>)> {
        let (txn, read) = self.features.step(next, &mut self.row)?;
        Some((txn, read.map_err(Error::from).and_then(|()| self.score())))
    }

    fn score(&mut self) -> Result<Verdict, Error> {
        self.model.score_row(&self.row, &mut self.seen, &mut self.parts)
    }

    /// As [`Engine::explain_last`], of what this handle observed last.
    pub fn explain_last(&self, txn: &Transaction, n: usize) -> Vec<Reason> {
        self.model.explain(txn, &self.row, n)
    }

    /// As [`Engine::late`], of all handles.
    pub fn late(&self) -> LateCount {
        self.features.late()
    }

    /// As [`Engine::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        self.features.state_bytes()
    }

    /// As [`Engine::save_state`]: of one moment between two transactions.
    pub fn save_state(&self) -> Vec<u8> {
        crate::saved::state_to_bytes(&self.features.save())
    }
}

impl Engine {
    /// A handle for a thread; clone it for the others.
    pub fn share(self) -> Shared {
        let (model, features) = self.into_parts();
        Shared::new(Arc::new(features.share()), Arc::new(model))
    }
}
