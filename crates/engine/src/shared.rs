use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use crible_alert::Score;
use crible_core::{Timestamp, Transaction};
use crible_feature::{FeatureSet, SharedSet};

use crate::answered::{Answers, Begun, Pending};
use crate::observation::Given;
use crate::saved::{KeptEngine, from_bytes};
use crate::{Drift, Engine, Error, History, LateCount, Model, Observation};

/// An engine for several threads: one handle each, cloned from [`Engine::share`].
///
/// What belongs to accounts, counterparties, devices, addresses and categories is divided into 64 shards each. A
/// payment takes one ticket for each shard it belongs to, and has its turn there when all earlier tickets have been
/// used. So windows are exact whatever thread an entity's payments come on. What two payments have in common is read
/// and absorbed one after the other; all else, scoring and explaining included, runs in parallel. Links by shared
/// devices hang together across accounts: they are behind one lock.
///
/// **Order.** Transactions take effect in the order in which the handles get hold of that lock: while it holds the
/// lock, a transaction takes all of its tickets. So whatever two transactions share, they come to it in this order, and
/// every verdict is, to the bit, that of one [`Engine`] which observed them in this order. Where the order matters, as
/// it does for transactions that would otherwise be [`Error::Late`], let the handles take from one queue with
/// [`Shared::observe_next`]: the queue's order is then the state's, on any number of threads.
///
/// **Replacing.** Model and state are replaced between two transactions, for all handles at once.
#[derive(Debug)]
pub struct Shared {
    all: Arc<All>,
    own: Own,
}

/// What handles have in common.
#[derive(Debug)]
struct All {
    /// Read by whoever observes; written to where something takes its place, or where a save begins.
    live: RwLock<Live>,
    /// One save or replacement at a time.
    changing: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Live {
    model: Arc<Model>,
    features: Arc<SharedSet>,
    answers: Arc<Answers>,
}

/// What a handle has for itself.
#[derive(Debug)]
struct Own {
    /// The model it scored with last.
    model: Arc<Model>,
    row: Vec<f32>,
    seen: Vec<f64>,
    parts: Vec<f64>,
}

/// What a handle has just observed; the rest stands in its row and parts.
struct Seen {
    score: Score,
    /// How many parts there are: none that are no longer remembered.
    n_parts: usize,
    /// None of a transaction that was handed in before.
    history: Option<History>,
    since: Option<Timestamp>,
}

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self { all: Arc::clone(&self.all), own: Own::new(Arc::clone(&self.own.model)) }
    }
}

impl All {
    fn live(&self) -> RwLockReadGuard<'_, Live> {
        // What is under this lock is replaced as a whole.
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Own {
    fn new(model: Arc<Model>) -> Self {
        let row = vec![0.0; model.columns().len()];
        let seen = vec![0.0; model.n_inputs()];
        let parts = vec![0.0; model.n_detectors()];
        Self { model, row, seen, parts }
    }

    /// Goes on with the model of all.
    fn follow(&mut self, live: &Live) {
        if !Arc::ptr_eq(&self.model, &live.model) {
            *self = Self::new(Arc::clone(&live.model));
        }
    }

    fn observe(&mut self, live: &Live, txn: &Transaction) -> Result<Seen, Error> {
        self.check_currency(live, txn)?;
        let pending = loop {
            match live.answers.begin(txn) {
                Begun::Known(given) => return Ok(self.repeat(live, &given)),
                Begun::First(pending) => break pending,
                Begun::Busy => std::thread::yield_now(),
            }
        };
        let Self { model, row, seen, parts } = self;
        let taken = taken(model, live, seen, parts);
        match live.features.step(|| Some(*txn), row, taken) {
            Ok(Some((_, read))) => self.score(pending, txn.at, read?),
            // Not reached: there is a transaction to take, and the set is open.
            _ => self.score(pending, txn.at, History::default()),
        }
    }

    fn check_currency(&self, live: &Live, txn: &Transaction) -> Result<(), Error> {
        if !self.model.refuses_others {
            return Ok(());
        }
        self.model.check_currency(txn, live.features.watermark())
    }

    fn observe_next(
        &mut self,
        live: &Live,
        next: impl FnOnce() -> Option<Transaction>,
    ) -> Option<(Transaction, Result<Seen, Error>)> {
        let (mut first, mut repeated) = (None, None);
        let Self { model, row, seen, parts } = self;
        let take = || {
            let txn = next()?;
            if model.check_currency(&txn, None).is_err() {
                // Refused below, where no lock is held.
                repeated = Some(txn);
                return None;
            }
            match live.answers.begin(&txn) {
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
        let taken = taken(model, live, seen, parts);
        let stepped = live.features.step(take, row, taken).ok().flatten();
        match (stepped, first, repeated) {
            (Some((txn, read)), Some(pending), _) => {
                let seen = read.map_err(Error::from).and_then(|history| self.score(pending, txn.at, history));
                Some((txn, seen))
            }
            (_, _, Some(txn)) => Some((txn, self.observe(live, &txn))),
            _ => None,
        }
    }

    fn score(&mut self, pending: Pending<'_>, at: Timestamp, history: History) -> Result<Seen, Error> {
        let score = self.model.score_row(&self.row, &mut self.seen, &mut self.parts)?;
        let n_parts = self.parts.len();
        if history.is_repeat {
            self.row.fill(0.0);
            return Ok(Seen { score, n_parts, history: None, since: Some(history.since) });
        }
        if !history.is_provisional {
            let is_cold = self.model.is_cold_at(at, history.since);
            pending.settle(&Given::new(score, &self.parts), is_cold);
        }
        Ok(Seen { score, n_parts, history: Some(history), since: None })
    }

    /// The answer to a transaction the first time.
    fn repeat(&mut self, live: &Live, given: &Given) -> Seen {
        self.row.fill(0.0);
        let n_parts = given.copy_detectors(&mut self.parts).len();
        Seen { score: given.score, n_parts, history: None, since: live.features.since() }
    }

    fn observation(&self, txn: &Transaction, seen: Seen) -> Observation<'_> {
        let Self { model, row, .. } = self;
        let parts = &self.parts[..seen.n_parts];
        match seen.history {
            Some(history) => Observation::new(model, txn, row, seen.score, parts, history),
            None => Observation::repeat(model, txn, row, seen.score, parts, seen.since),
        }
    }
}

/// Remembers the verdicts of provisional transactions that are taken in.
fn taken<'a>(
    model: &'a Model,
    live: &'a Live,
    seen: &'a mut [f64],
    parts: &'a mut [f64],
) -> impl FnMut(&Transaction, &[f32], History) + 'a {
    move |txn, row, history| {
        // There is none where its row cannot be scored, and none then for the handle's own either.
        if let (Begun::First(pending), Ok(score)) = (live.answers.begin(txn), model.score_row(row, seen, parts)) {
            pending.settle(&Given::new(score, parts), model.is_cold_at(txn.at, history.since));
        }
    }
}

impl Shared {
    /// The model this handle scored with last: another handle may have replaced it since.
    pub fn model(&self) -> &Model {
        &self.own.model
    }

    /// As [`Engine::observe`]. Where another handle is just observing the same transaction, its verdict is waited for.
    ///
    /// # Errors
    /// [`Error::Late`] where it is later than the model allows and [`Error::Early`] where it is dated ahead, whichever
    /// handle observed what came before; the state is then as it was.
    pub fn observe(&mut self, txn: &Transaction) -> Result<Observation<'_>, Error> {
        let live = self.all.live();
        self.own.follow(&live);
        let seen = self.own.observe(&live, txn)?;
        Ok(self.own.observation(txn, seen))
    }

    /// Takes the next transaction from `next`, which no other handle does meanwhile, and observes it; `None` where
    /// there is none. `next` should not wait: all handles would wait with it.
    pub fn observe_next(
        &mut self,
        next: impl FnOnce() -> Option<Transaction>,
    ) -> Option<(Transaction, Result<Observation<'_>, Error>)> {
        let live = self.all.live();
        self.own.follow(&live);
        let (txn, seen) = self.own.observe_next(&live, next)?;
        Some((txn, seen.map(|seen| self.own.observation(&txn, seen))))
    }

    /// As [`Engine::set_offset`], of all handles. It is saved as it is at the moment of the state, so who keeps both
    /// together sets it while no handle observes what it speaks of.
    pub fn set_offset(&self, offset: impl Into<Vec<u8>>) {
        self.all.live().answers.set_offset(offset.into());
    }

    /// As [`Engine::offset`].
    pub fn offset(&self) -> Vec<u8> {
        self.all.live().answers.offset()
    }

    /// As [`Engine::watermark`], of all handles.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.all.live().features.watermark()
    }

    /// As [`Engine::is_cold`], of all handles.
    pub fn is_cold(&self) -> bool {
        let live = self.all.live();
        live.model.is_cold(live.features.since(), live.features.watermark())
    }

    /// As [`Engine::drift`], of all handles.
    pub fn drift(&self) -> Drift {
        self.all.live().answers.drift()
    }

    /// As [`Engine::add_drift`], of all handles.
    pub fn add_drift(&self, earlier: &Drift) {
        self.all.live().answers.add_drift(earlier);
    }

    /// As [`Engine::advance`], of all handles.
    pub fn advance(&self, now: Timestamp) {
        self.all.live().features.advance(now);
    }

    /// As [`Engine::late`], of all handles.
    pub fn late(&self) -> LateCount {
        self.all.live().features.late()
    }

    /// As [`Engine::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        let live = self.all.live();
        live.features.state_bytes() + live.answers.bytes()
    }

    /// As [`Engine::save_state`]: of one moment between two transactions. Transactions wait until those under way are
    /// finished, and go on while the state is put together; none waits for more than some dozens of entities.
    pub fn save_state(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to memory has nothing to fail on.
        let _written = self.write_state(&mut bytes);
        bytes
    }

    /// Writes what [`Shared::save_state`] gives, piece by piece and while transactions go on.
    ///
    /// # Errors
    /// The error of the writer. What it has taken by then is no state that loads.
    pub fn write_state(&self, out: impl io::Write) -> io::Result<()> {
        let one_at_a_time = self.all.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = self.all.live.write().unwrap_or_else(PoisonError::into_inner);
        let Live { features, answers, .. } = closed.clone();
        let (features, holding) = (features.begin_save(), answers.begin_save());
        drop(closed);
        let (features, kept) = (features.finish(), answers.finish_save(holding));
        drop(one_at_a_time);
        crate::saved::write_state(&kept, &features, out)
    }

    /// As [`Engine::load_state`], for all handles.
    ///
    /// # Errors
    /// As [`Engine::load_state`]; the state is then as it was.
    pub fn load_state(&self, bytes: &[u8]) -> Result<(), Error> {
        let _one_at_a_time = self.all.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let model = Arc::clone(&self.all.live().model);
        let mut features = model.features();
        let (kept, body, format) = crate::saved::state_body(bytes)?;
        features.merge(body, format)?;
        let drift = self.drift();
        let answers = Arc::new(Answers::new(&model, drift, kept.offset, kept.answers));
        let loaded = Live { model, features: Arc::new(features.share()), answers };
        *self.all.live.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// As [`Engine::replace_model`], for all handles. Transactions wait while the state is carried over to the new
    /// model, which takes as long as saving and loading it.
    ///
    /// # Errors
    /// As [`Engine::replace_model`]; model and state are then as they were.
    pub fn replace_model(&self, model: &[u8]) -> Result<(), Error> {
        let model = from_bytes(model)?;
        let _one_at_a_time = self.all.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut live = self.all.live.write().unwrap_or_else(PoisonError::into_inner);
        let mut features = model.features();
        features.merge(&live.features.save(), FeatureSet::FORMAT)?;
        let KeptEngine { offset, answers } = live.answers.finish_save(live.answers.begin_save());
        let answers = Arc::new(Answers::new(&model, Drift::new(model.id()), offset, answers));
        *live = Live { model: Arc::new(model), features: Arc::new(features.share()), answers };
        Ok(())
    }
}

impl Engine {
    /// A handle for a thread; clone it for the others.
    pub fn share(self) -> Shared {
        let (model, features, kept, drift) = self.into_parts();
        let answers = Arc::new(Answers::new(&model, drift, kept.offset, kept.answers));
        let own = Own::new(Arc::new(model));
        let live = Live { model: Arc::clone(&own.model), features: Arc::new(features.share()), answers };
        Shared { all: Arc::new(All { live: RwLock::new(live), changing: Mutex::new(()) }), own }
    }
}
