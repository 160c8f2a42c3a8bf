use std::io;
use std::ops::Range;

use crible_core::{Batch, Timestamp, Transaction};
use crible_feature::{Block, FeatureSet};

use crate::answered::Answered;
use crate::saved::KeptEngine;
use crate::scored::{RowBlock, Scored, Scores, blocks, score_blocks};
use crate::{Drift, Error, History, LateCount, Model, Observation};

/// A model and the state of every account and counterparty: what a service embeds.
///
/// [`Engine::observe`] and [`Engine::replay`] are one path: the same transactions give the same verdicts to the bit,
/// one at a time or a million together, on any number of threads.
#[derive(Debug)]
pub struct Engine {
    model: Model,
    features: FeatureSet,
    row: Vec<f32>,
    seen: Vec<f64>,
    parts: Vec<f64>,
    scores: [Scores; 2],
    answered: Answered,
    offset: Vec<u8>,
    drift: Drift,
}

impl Engine {
    pub(crate) fn new(model: Model, features: FeatureSet) -> Self {
        let row = vec![0.0; model.columns().len()];
        let seen = vec![0.0; model.n_inputs()];
        let parts = vec![0.0; model.n_detectors()];
        let answered = Answered::new(model.state().repeats, model.n_detectors());
        let (scores, offset) = Default::default();
        let drift = Drift::new(model.id());
        Self { model, features, row, seen, parts, scores, answered, offset, drift }
    }

    pub(crate) fn into_parts(self) -> (Model, FeatureSet, KeptEngine, Drift) {
        let kept = self.kept();
        (self.model, self.features, kept, self.drift)
    }

    fn kept(&self) -> KeptEngine {
        KeptEngine { offset: self.offset.clone(), answers: self.answered.keep() }
    }

    /// Scores what the builder held; from row `certain` on they are provisional.
    pub(crate) fn score_blocks<E: From<Error>>(
        &mut self,
        batch: &Batch,
        held: &[RowBlock],
        certain: usize,
        visit: &mut impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { model, scores, answered, drift, .. } = self;
        score_blocks(model, batch, held, certain, scores, &mut |model, scored| {
            answered.put_all(batch, scored);
            let warm = scored.rows().filter(|row| !scored.is_cold(*row) && !scored.is_provisional(*row));
            warm.for_each(|row| drift.count(batch.times()[row], scored.score(row).tail));
            visit(model, scored)
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Bytes the state of all accounts and counterparties holds on to.
    pub fn state_bytes(&self) -> usize {
        self.features.state_bytes() + self.answered.bytes()
    }

    /// Keeps the caller's position in its source, such as a position in a log: it is saved with the
    /// state, so that whoever loads one can go on from the transaction after the last that was taken in.
    pub fn set_offset(&mut self, offset: impl Into<Vec<u8>>) {
        self.offset = offset.into();
    }

    /// What [`Engine::set_offset`] kept last, here or before the state was saved; empty where it never did.
    pub fn offset(&self) -> &[u8] {
        &self.offset
    }

    /// Transactions whose time the next ones have to confirm before they are taken in; two at most. They are part of the
    /// state, and move no [watermark](Engine::watermark).
    pub fn provisional(&self) -> impl Iterator<Item = &Transaction> {
        self.features.provisional()
    }

    /// The latest time observed, but for what is provisional.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.features.watermark()
    }

    /// Whether the state has observed too little for the model: a model without state finds everything new and
    /// everybody busy for the first time. While it is cold, scores are what they are, and every severity is
    /// [`Severity::Low`](crible_alert::Severity::Low). Replay a history or load a state to warm it up.
    pub fn is_cold(&self) -> bool {
        self.model.is_cold(self.features.since(), self.features.watermark())
    }

    /// From when on the state has observed enough; none before the first transaction.
    pub fn warm_from(&self) -> Option<Timestamp> {
        let since = self.features.since()?;
        Some(Timestamp(since.0.saturating_add(self.model.warm_up().0)))
    }

    /// Of which rows the engine will have observed too little, before they are taken in.
    fn cold_rows(&self, batch: &Batch, rows: Range<usize>) -> Vec<bool> {
        self.features.cold_rows(&batch.times()[rows], self.model.warm_up())
    }

    /// Sets the time, so that a payment after a long silence is not taken for one dated ahead: a
    /// service with a clock calls this now and then. It changes no score.
    pub fn advance(&mut self, now: Timestamp) {
        self.features.advance(now);
    }

    /// How often transactions scored as high as ordinary ones seldom do, week by week, since the engine has this model.
    /// It is no part of the state, which is the same however late a transaction came: keep it beside, and see
    /// [`Engine::add_drift`].
    pub fn drift(&self) -> &Drift {
        &self.drift
    }

    /// Goes on counting from what an earlier run with this model has counted; counts of another model are left out.
    pub fn add_drift(&mut self, earlier: &Drift) {
        self.drift.add(earlier);
    }

    /// Transactions that came late or early so far, placed and refused.
    pub fn late(&self) -> LateCount {
        self.features.late()
    }

    /// Scores one transaction by what came before it, then remembers it.
    ///
    /// One that was observed before, within [`Limits::repeats`](crate::Limits::repeats), is given the verdict it was
    /// given, and changes nothing: a caller may hand transactions in again. One that comes late, but within the
    /// lateness the model was made with, is placed where it belongs.
    ///
    /// The first transaction of an engine without a state, and one that comes after a long pause while the engine has
    /// seen few hours with payments, is [provisional](Observation::is_provisional): it has a verdict, and is taken in
    /// as soon as the next confirms its time. So a transaction that is wrongly dated changes nothing, be it the first.
    ///
    /// # Errors
    /// [`Error::Late`] where it is later than that, [`Error::Early`] where it is dated ahead of the feed's clock; the
    /// state is then as it was, and the transaction is counted. [`Error::Currency`] where it is in a currency that the
    /// configuration refuses; nothing is counted then.
    pub fn observe(&mut self, txn: &Transaction) -> Result<Observation<'_>, Error> {
        if let Some(given) = self.answered.get(txn.id) {
            self.row.fill(0.0);
            let parts = given.copy_detectors(&mut self.parts);
            let since = self.features.since();
            return Ok(Observation::repeat(&self.model, txn, &self.row, given.score, parts, since));
        }
        self.model.check_currency(txn, self.features.watermark())?;
        self.settle(|features, taken| features.settle(txn, taken))?;
        let history = self.features.step(txn, &mut self.row)?;
        let score = self.model.score_row(&self.row, &mut self.seen, &mut self.parts)?;
        if history.is_repeat {
            self.row.fill(0.0);
            return Ok(Observation::repeat(&self.model, txn, &self.row, score, &self.parts, Some(history.since)));
        }
        if !history.is_provisional {
            self.answered.put(txn.id, txn.at, score, &self.parts);
            if !self.model.is_cold_at(txn.at, history.since) {
                self.drift.count(txn.at, score.tail);
            }
        }
        Ok(Observation::new(&self.model, txn, &self.row, score, &self.parts, history))
    }

    /// Remembers the verdicts of provisional transactions that `settle` takes in.
    fn settle(
        &mut self,
        settle: impl FnOnce(&mut FeatureSet, &mut dyn FnMut(&Transaction, &[f32], History)),
    ) -> Result<(), Error> {
        let Self { model, features, seen, parts, answered, drift, .. } = self;
        let mut all = Ok(());
        settle(features, &mut |txn, row, history| match model.score_row(row, seen, parts) {
            Ok(score) => {
                answered.put(txn.id, txn.at, score, parts);
                if !model.is_cold_at(txn.at, history.since) {
                    drift.count(txn.at, score.tail);
                }
            }
            Err(error) => all = Err(error),
        });
        all
    }

    /// Scores a batch, each transaction by what came before it, and remembers all. Runs in the caller's rayon pool;
    /// `visit` sees each run of scored transactions in order.
    ///
    /// # Errors
    /// [`Error::Late`] where the batch begins before what may still be placed, [`Error::Early`] where it ends with one
    /// or two rows that are dated ahead of all others, [`Error::Currency`], and what `visit` returns. Of the first three
    /// nothing is taken in. What `visit` returns ends the replay after a whole block of rows: the same batch handed in
    /// again goes on from there, and answers what was taken in already as repeated.
    pub fn replay<E: From<Error>>(
        &mut self,
        batch: &Batch,
        mut visit: impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut held = RowBlock { rows: 0..0, block: Block::default(), cold: Vec::new() };
        self.model.check_currencies(batch, self.features.watermark())?;
        let repeats = self.answered.repeats(batch);
        let mut firsts = self.answered.firsts(batch, &repeats);
        // What repeats may be as late as it likes.
        if repeats.is_empty() {
            self.features.check_all(batch, 0..batch.len()).map_err(Error::from)?;
        } else {
            let rows: Vec<u32> = repeats.iter().map(|row| *row as u32).collect();
            let new = batch.without(&rows);
            self.features.check_all(&new, 0..new.len()).map_err(Error::from)?;
        }
        self.settle(|features, taken| {
            let first = (0..).zip(&repeats).take_while(|(row, repeat)| row == *repeat).count();
            features.settle_all(batch, first..batch.len(), taken);
        })?;
        let certain = batch.len() - usize::from(self.features.ends_uncertain(batch.times()));
        let mut from = 0;
        for repeat in repeats.iter().copied().chain([batch.len()]) {
            for range in blocks(repeat - from) {
                let range = from + range.start..from + range.end;
                held.cold = self.cold_rows(batch, range.clone());
                self.features.step_all(batch, range.clone(), |_| true, &mut held.block).map_err(Error::from)?;
                held.rows = range;
                // The features of the block are in the state: its verdicts have to be remembered whatever `visit` says.
                let mut visited = Ok(());
                self.score_blocks(batch, std::slice::from_ref(&held), certain, &mut |model, scored| {
                    firsts.note(batch, scored);
                    if visited.is_ok() {
                        visited = visit(model, scored);
                    }
                    Ok::<(), E>(())
                })?;
                visited?;
            }
            from = repeat + 1;
            if repeat < batch.len()
                && let Some(given) = firsts.of(batch.ids()[repeat])
            {
                let cold = self.cold_rows(batch, repeat..from);
                self.features.blank(1, &mut held.block);
                self.scores[0].set(&given, self.model.n_detectors());
                let scored = Scored::repeat(batch, repeat, &held.block, &cold, &self.scores[0]);
                visit(&self.model, &scored)?;
            }
        }
        Ok(())
    }

    /// The model as bytes that [`Engine::load`] reads on any machine: versioned, checksummed, nothing in it to execute.
    pub fn save(&self) -> Vec<u8> {
        crate::saved::to_bytes(&self.model)
    }

    /// The state of all accounts, counterparties and categories as bytes for [`Engine::load_state`]: versioned,
    /// checksummed, and the same for the same transactions, however they were handed in. Apart from the model, because
    /// it changes with every payment and because it holds pseudonyms and amounts, which a model does not: keep it as
    /// you keep the transactions.
    pub fn save_state(&self) -> Vec<u8> {
        crate::saved::state_to_bytes(&self.kept(), &self.features.snapshot())
    }

    /// Writes what [`Engine::save_state`] gives, without holding it as a whole.
    ///
    /// # Errors
    /// The error of the writer. What it has taken by then is no state that loads.
    pub fn write_state(&self, out: impl io::Write) -> io::Result<()> {
        crate::saved::write_state(&self.kept(), &self.features.snapshot(), out)
    }

    /// Puts a saved model in the place of this engine's, which goes on with its state: what it has observed of accounts
    /// stays. Verdicts that were given stay, too; each detector's own score only where the new model has as many.
    ///
    /// # Errors
    /// [`Error::NotAModel`], and [`Error::State`] where the new model's columns come from other kinds of state than
    /// this one's; model and state are then as they were.
    pub fn replace_model(&mut self, model: &[u8]) -> Result<(), Error> {
        let mut replaced = Self::load(model)?;
        replaced.features.merge(&self.features.save(), FeatureSet::FORMAT)?;
        replaced.answered.take_in(self.answered.keep());
        replaced.offset = std::mem::take(&mut self.offset);
        *self = replaced;
        Ok(())
    }

    /// Puts a saved state in the place of this engine's. The state may have been saved under another model, as long as
    /// both read the same kinds of columns: a model can be replaced without forgetting the accounts.
    ///
    /// # Errors
    /// [`Error::NotAState`] and [`Error::State`]; the state is then as it was.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut features = self.model.features();
        let (kept, body, format) = crate::saved::state_body(bytes)?;
        let mut answered = Answered::new(self.model.state().repeats, self.model.n_detectors());
        features.merge(body, format)?;
        answered.take_in(kept.answers);
        (self.features, self.answered, self.offset) = (features, answered, kept.offset);
        Ok(())
    }

    /// Takes in a state that another engine saved which has seen other accounts. Every window is afterwards what it
    /// would be had this engine seen all transactions in order of time, the windows of counterparties and categories
    /// included. The offset stays this engine's.
    ///
    /// # Errors
    /// [`Error::NotAState`], and [`Error::State`] where an account is in both; the state is then as it was.
    pub fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let (kept, body, format) = crate::saved::state_body(state)?;
        let mut other = self.model.features();
        other.merge(body, format)?;
        let [here, there] = [self.watermark(), other.watermark()];
        self.settle(|features, taken| {
            // What each side has seen confirms what is provisional on the other.
            here.iter().for_each(|here| other.confirm_until(*here, &mut *taken));
            there.iter().for_each(|there| features.confirm_until(*there, &mut *taken));
        })?;
        self.features.merge(&other.save(), FeatureSet::FORMAT)?;
        self.answered.take_in(kept.answers);
        Ok(())
    }

    /// An engine with a saved model and no state.
    ///
    /// # Errors
    /// [`Error::NotAModel`], or [`Error::Score`] where a detector within is damaged; both name what is wrong with the
    /// bytes.
    pub fn load(bytes: &[u8]) -> Result<Self, Error> {
        let model = crate::saved::from_bytes(bytes)?;
        let features = model.features();
        Ok(Self::new(model, features))
    }
}
