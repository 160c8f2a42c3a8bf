use std::sync::Arc;

use crible_alert::Score;
use crible_core::{Timestamp, Transaction};
use crible_feature::SharedSet;

use crate::answered::{Answers, Begun, Pending};
use crate::observation::Given;
use crate::{Engine, Error, History, LateCount, Model, Observation};

/// An engine for several threads: one handle each, cloned from [`Engine::share`].
///
/// What belongs to accounts, counterparties, devices, addresses and categories is divided into 64 shards each. A payment takes one ticket
/// for each shard it belongs to, and has its turn there when all earlier tickets have been used. So windows are exact whatever thread an
/// entity's payments come on. What two payments have in common is read and absorbed one after the other; all else, scoring and explaining
/// included, runs in parallel. Links by shared devices hang together across accounts: they are behind one lock.
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
    answers: Arc<Answers>,
}

/// What a handle has just observed; the rest stands in its row and parts.
struct Seen {
    score: Score,
    /// None of a transaction that was handed in before.
    history: Option<History>,
}

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.features), Arc::clone(&self.model), Arc::clone(&self.answers))
    }
}

impl Shared {
    pub(crate) fn new(features: Arc<SharedSet>, model: Arc<Model>, answers: Arc<Answers>) -> Self {
        let row = vec![0.0; model.columns().len()];
        let seen = vec![0.0; model.n_inputs()];
        let parts = vec![0.0; model.n_detectors()];
        Self { features, model, row, seen, parts, answers }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// As [`Engine::observe`]. Where another handle is just observing the same transaction, its verdict is waited for.
    ///
    /// # Errors
    /// [`Error::Late`] where it is later than the model allows and [`Error::Early`] where it is dated ahead, whichever handle observed what
    /// came before; the state is then as it was.
    pub fn observe(&mut self, txn: &Transaction) -> Result<Observation<'_>, Error> {
        let answers = Arc::clone(&self.answers);
        let _open = answers.open();
        let since = self.observe_open(&answers, txn)?;
        Ok(self.observation(txn, since))
    }

    /// The same while the state is not being saved.
    fn observe_open(&mut self, answers: &Answers, txn: &Transaction) -> Result<Seen, Error> {
        let pending = loop {
            match answers.begin(txn) {
                Begun::Known(given) => return Ok(self.repeat(&given)),
                Begun::First(pending) => break pending,
                Begun::Busy => std::thread::yield_now(),
            }
        };
        match self.features.step(|| Some(*txn), &mut self.row) {
            Ok(Some((_, read))) => self.score(pending, read?),
            // Not reached: there is a transaction to take, and the set is open.
            _ => self.score(pending, History::default()),
        }
    }

    /// Takes the next transaction from `next`, which no other handle does meanwhile, and observes it; `None` where there is none.
    /// `next` should not wait: all handles would wait with it.
    pub fn observe_next(
        &mut self,
        next: impl FnOnce() -> Option<Transaction>,
    ) -> Option<(Transaction, Result<Observation<'_>, Error>)> {
        let answers = Arc::clone(&self.answers);
        let _open = answers.open();
        let (mut first, mut repeated) = (None, None);
        let take = || {
            let txn = next()?;
            match answers.begin(&txn) {
                Begun::First(pending) => {
                    first = Some(pending);
                    Some(txn)
                }
                // Not to be waited for here, where all handles would wait.
                Begun::Known(_) | Begun::Busy => {
                    repeated = Some(txn);
                    None
                }
            }
        };
        let stepped = self.features.step(take, &mut self.row).ok().flatten();
        match (stepped, first, repeated) {
            (Some((txn, read)), Some(pending), _) => {
                let seen = read.map_err(Error::from).and_then(|history| self.score(pending, history));
                Some((txn, seen.map(|seen| self.observation(&txn, seen))))
            }
            (_, _, Some(txn)) => {
                let seen = self.observe_open(&answers, &txn);
                Some((txn, seen.map(|seen| self.observation(&txn, seen))))
            }
            _ => None,
        }
    }

    fn score(&mut self, pending: Pending<'_>, history: History) -> Result<Seen, Error> {
        let score = self.model.score_row(&self.row, &mut self.seen, &mut self.parts)?;
        pending.settle(&Given::new(score, &self.parts));
        Ok(Seen { score, history: Some(history) })
    }

    /// What was said of a transaction the first time.
    fn repeat(&mut self, given: &Given) -> Seen {
        self.row.fill(0.0);
        self.parts.copy_from_slice(given.detectors());
        Seen { score: given.score, history: None }
    }

    fn observation(&self, txn: &Transaction, seen: Seen) -> Observation<'_> {
        let Self { model, row, parts, .. } = self;
        match seen.history {
            Some(history) => Observation::new(model, txn, row, seen.score, parts, history),
            None => Observation::repeat(model, txn, row, seen.score, parts, self.features.since()),
        }
    }

    /// As [`Engine::set_offset`], of all handles. It is saved as it is at the moment of the state, so who keeps both together sets it
    /// while no handle observes what it speaks of.
    pub fn set_offset(&self, offset: impl Into<Vec<u8>>) {
        self.answers.set_offset(offset.into());
    }

    /// As [`Engine::offset`].
    pub fn offset(&self) -> Vec<u8> {
        self.answers.offset()
    }

    /// As [`Engine::watermark`], of all handles.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.features.watermark()
    }

    /// As [`Engine::advance`], of all handles.
    pub fn advance(&self, now: Timestamp) {
        self.features.advance(now);
    }

    /// As [`Engine::late`], of all handles.
    pub fn late(&self) -> LateCount {
        self.features.late()
    }

    /// As [`Engine::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        self.features.state_bytes() + self.answers.bytes()
    }

    /// As [`Engine::save_state`]: of one moment between two transactions.
    pub fn save_state(&self) -> Vec<u8> {
        self.answers.with_closed(|kept| crate::saved::state_to_bytes(&kept, &self.features.save()))
    }
}

impl Engine {
    /// A handle for a thread; clone it for the others.
    pub fn share(self) -> Shared {
        let (model, features, kept) = self.into_parts();
        let answers = Answers::new(&model, kept);
        Shared::new(Arc::new(features.share()), Arc::new(model), Arc::new(answers))
    }
}
