use std::ops::Range;

use crible_alert::{Ranked, Ranker, Reason, Score};
use crible_core::{Batch, Timestamp, Transaction};
use crible_feature::{Block, FeatureSet};
use rayon::prelude::*;

use crate::answered::Answered;
use crate::builder::blocks;
use crate::saved::KeptEngine;
use crate::{Builder, Error, LateCount, Model, Verdict};

/// Rows whose features are computed together: large enough that an account's state is fetched seldom, small enough that
/// a block's rows stay in reach.
pub(crate) const BLOCK_ROWS: usize = 1 << 18;

/// Rows scored together before they are handed on.
const RUN_ROWS: usize = 1 << 16;

/// Rows scored together by one thread; their columns stay in a core's cache.
const TILE_ROWS: usize = 1_024;

/// A model and the state of every account and counterparty: what a service embeds.
///
/// [`Engine::observe`] and [`Engine::replay`] are one path: the same transactions give the same verdicts to the bit, one
/// at a time or a million together, on any number of threads.
#[derive(Debug)]
pub struct Engine {
    model: Model,
    features: FeatureSet,
    row: Vec<f32>,
    seen: Vec<f64>,
    parts: Vec<f64>,
    scores: [Scores; 2],
    answered: Answered,
    /// Whether the last transaction observed was a repeated one.
    is_repeat: bool,
    offset: Vec<u8>,
}

/// Scores of a run, kept from run to run.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    raw: Vec<f64>,
    tail: Vec<f64>,
    parts: Vec<f64>,
}

impl Scores {
    /// One verdict that was given before.
    fn set(&mut self, verdict: &Verdict) {
        let Score { raw, tail } = verdict.score;
        (self.raw, self.tail, self.parts) = (vec![raw], vec![tail], verdict.detectors().to_vec());
    }

    /// Scores `rows` of a block in the caller's rayon pool.
    pub(crate) fn fill(&mut self, model: &Model, block: &Block, rows: Range<usize>) -> Result<(), Error> {
        let (width, n_parts) = (model.n_inputs(), model.n_detectors());
        self.raw.resize(rows.len(), 0.0);
        self.tail.resize(rows.len(), 0.0);
        self.parts.resize(rows.len() * n_parts, 0.0);
        let tiles = self.raw.par_chunks_mut(TILE_ROWS).zip(self.tail.par_chunks_mut(TILE_ROWS));
        tiles.zip(self.parts.par_chunks_mut(TILE_ROWS * n_parts)).enumerate().try_for_each_init(
            || vec![0.0; TILE_ROWS * width],
            |gathered, (tile, ((raw, tail), parts))| {
                let gathered = &mut gathered[..raw.len() * width];
                model.gather(block.families(), rows.start + tile * TILE_ROWS, raw.len(), gathered);
                model.score_gathered(gathered, parts, raw, tail)
            },
        )
    }
}

/// Features of rows of a batch.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) rows: Range<usize>,
    pub(crate) block: Block,
}

/// Scores all of `held` run by run and shows each run to `visit` while the next is being scored.
pub(crate) fn score_held<E: From<Error>>(
    model: &Model,
    batch: &Batch,
    held: &[Held],
    spare: &mut [Scores; 2],
    visit: &mut impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let runs: Vec<(&Held, Range<usize>)> = held
        .iter()
        .flat_map(|held| {
            let rows = held.block.rows();
            let cut = move |from: usize| from..(from + RUN_ROWS).min(rows);
            (0..rows).step_by(RUN_ROWS).map(move |from| (held, cut(from)))
        })
        .collect();
    let [now, next] = spare;
    let (mut now, mut next) = (now, next);
    if let Some((held, rows)) = runs.first() {
        now.fill(model, &held.block, rows.clone())?;
    }
    for (i, (held, rows)) in runs.iter().enumerate() {
        let scored = Scored {
            batch,
            rows: held.rows.start + rows.start..held.rows.start + rows.end,
            block: &held.block,
            first: rows.start,
            scores: now,
            n_detectors: model.n_detectors(),
            is_repeat: false,
        };
        let mut filled = Ok(());
        rayon::in_place_scope(|scope| {
            if let Some((held, rows)) = runs.get(i + 1) {
                let (next, filled) = (&mut *next, &mut filled);
                scope.spawn(move |_| *filled = next.fill(model, &held.block, rows.clone()));
            }
            visit(model, &scored)
        })?;
        filled?;
        std::mem::swap(&mut now, &mut next);
    }
    Ok(())
}

/// A run of transactions of a batch with their scores and features.
#[derive(Debug)]
pub struct Scored<'a> {
    batch: &'a Batch,
    rows: Range<usize>,
    block: &'a Block,
    /// Row of the block that the first of `rows` is.
    first: usize,
    scores: &'a Scores,
    n_detectors: usize,
    is_repeat: bool,
}

impl Scored<'_> {
    /// Which rows of the batch these are.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The score of row `row` of the batch.
    ///
    /// # Panics
    /// Where [`Scored::rows`] does not hold `row`; so do the others.
    pub fn score(&self, row: usize) -> Score {
        let at = row - self.rows.start;
        Score { raw: self.scores.raw[at], tail: self.scores.tail[at] }
    }

    /// Each detector's own score.
    pub fn detectors(&self, row: usize) -> &[f64] {
        let at = (row - self.rows.start) * self.n_detectors;
        &self.scores.parts[at..at + self.n_detectors]
    }

    /// Whether these are transactions that were handed in before: their scores are those of the first time, their feature rows
    /// zeros, and they are not ranked again.
    pub fn is_repeat(&self) -> bool {
        self.is_repeat
    }

    /// The feature row, for [`Model::explain`].
    pub fn features(&self, row: usize) -> Box<[f32]> {
        let width = self.block.families().iter().map(|f| f.width()).sum();
        let mut out = vec![0.0; width].into_boxed_slice();
        self.block.copy_row(self.first + row - self.rows.start, &mut out);
        out
    }

    /// Offers all of them to a ranker, each with its feature row; returns the winners of the days that closed.
    ///
    /// # Errors
    /// As [`Ranker::offer`].
    pub fn rank(&self, ranker: &mut Ranker<Box<[f32]>>) -> Result<Vec<Ranked<Box<[f32]>>>, crible_alert::RankError> {
        self.rank_with(ranker, |row| self.features(row))
    }

    /// The same with what `payload` makes of a row's number, which is called for those alone that may win.
    ///
    /// # Errors
    /// As [`Ranker::offer`].
    pub fn rank_with<P>(
        &self,
        ranker: &mut Ranker<P>,
        payload: impl Fn(usize) -> P,
    ) -> Result<Vec<Ranked<P>>, crible_alert::RankError> {
        let mut closed = Vec::new();
        if self.is_repeat {
            return Ok(closed);
        }
        let times = &self.batch.times()[self.rows()];
        for (row, (&at, &raw)) in self.rows().zip(times.iter().zip(&self.scores.raw)) {
            // Nearly every row ends here, before it has been put together from its columns.
            if !ranker.may_admit(at, raw) {
                continue;
            }
            closed.extend(ranker.offer(&self.batch.get(row), self.score(row), || payload(row))?);
        }
        Ok(closed)
    }
}

impl Engine {
    pub(crate) fn new(model: Model, features: FeatureSet) -> Self {
        let row = vec![0.0; model.columns().len()];
        let seen = vec![0.0; model.n_inputs()];
        let parts = vec![0.0; model.n_detectors()];
        let answered = Answered::new(model.state().repeats, model.n_detectors());
        let (scores, is_repeat, offset) = Default::default();
        Self { model, features, row, seen, parts, scores, answered, is_repeat, offset }
    }

    pub(crate) fn into_parts(self) -> (Model, FeatureSet, KeptEngine) {
        let kept = self.kept();
        (self.model, self.features, kept)
    }

    fn kept(&self) -> KeptEngine {
        KeptEngine { offset: self.offset.clone(), answers: Answered::keep(std::iter::once(&self.answered)) }
    }

    /// Settings to learn a model with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Scores what the builder held.
    pub(crate) fn score_held<E: From<Error>>(
        &mut self,
        batch: &Batch,
        held: &[Held],
        visit: &mut impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { model, scores, answered, .. } = self;
        score_held(model, batch, held, scores, &mut |model, scored| {
            answered.put_all(batch, scored);
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

    /// Keeps what tells where in its source the caller has got to, such as a position in a log: it is saved with the state, so
    /// that whoever loads one can go on from the transaction after the last that was taken in.
    pub fn set_offset(&mut self, offset: impl Into<Vec<u8>>) {
        self.offset = offset.into();
    }

    /// What [`Engine::set_offset`] kept last, here or before the state was saved; empty where it never did.
    pub fn offset(&self) -> &[u8] {
        &self.offset
    }

    /// The latest time observed.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.features.watermark()
    }

    /// Tells the engine what time it is, so that a payment after a long silence is not taken for one dated ahead: a service with a
    /// clock calls this now and then. It changes no score.
    pub fn advance(&mut self, now: Timestamp) {
        self.features.advance(now);
    }

    /// Transactions that came late or early so far, placed and refused.
    pub fn late(&self) -> LateCount {
        self.features.late()
    }

    /// Scores one transaction by what came before it, then remembers it. One that was observed before, within [`crate::Limits::repeats`], is
    /// given the verdict it was given, and changes nothing: a caller may hand transactions in again. One that comes late, but within the lateness the model
    /// was made with, is placed where it belongs.
    ///
    /// # Errors
    /// [`Error::Late`] where it is later than that, [`Error::Early`] where it is dated ahead of the feed's clock; the state is then as
    /// it was, and the transaction is counted.
    pub fn observe(&mut self, txn: &Transaction) -> Result<Verdict, Error> {
        if let Some(verdict) = self.answered.get(txn.id) {
            self.is_repeat = true;
            return Ok(verdict);
        }
        self.features.step(txn, &mut self.row)?;
        self.is_repeat = false;
        let verdict = self.model.score_row(&self.row, &mut self.seen, &mut self.parts)?;
        self.answered.put(txn.id, txn.at, verdict.score, verdict.detectors());
        Ok(verdict)
    }

    /// The `n` strongest reasons for the verdict [`Engine::observe`] gave last; `txn` is the transaction it was about. None where it
    /// was a repeated one: its reasons were those of the first time.
    pub fn explain_last(&self, txn: &Transaction, n: usize) -> Vec<Reason> {
        if self.is_repeat { Vec::new() } else { self.model.explain(txn, &self.row, n) }
    }

    /// Scores a batch, each transaction by what came before it, and remembers all. Runs in the caller's rayon pool;
    /// `visit` sees each run of scored transactions in order.
    ///
    /// # Errors
    /// [`Error::Late`] where the batch begins before what may still be placed, [`Error::Early`] where it ends with one or two rows
    /// that are dated ahead of all others, and what `visit` returns. Of the first two nothing is taken in.
    pub fn replay<E: From<Error>>(
        &mut self,
        batch: &Batch,
        mut visit: impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut held = Held { rows: 0..0, block: Block::default() };
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
        let mut from = 0;
        for repeat in repeats.iter().copied().chain([batch.len()]) {
            for range in blocks(repeat - from) {
                let range = from + range.start..from + range.end;
                self.features.step_all(batch, range.clone(), |_| true, &mut held.block).map_err(Error::from)?;
                held.rows = range;
                self.score_held(batch, std::slice::from_ref(&held), &mut |model, scored| {
                    firsts.note(batch, scored);
                    visit(model, scored)
                })?;
            }
            from = repeat + 1;
            if repeat < batch.len()
                && let Some(verdict) = firsts.of(batch.ids()[repeat])
            {
                self.features.blank(1, &mut held.block);
                self.scores[0].set(&verdict);
                let scored = Scored {
                    batch,
                    rows: repeat..from,
                    block: &held.block,
                    first: 0,
                    scores: &self.scores[0],
                    n_detectors: verdict.detectors().len(),
                    is_repeat: true,
                };
                visit(&self.model, &scored)?;
            }
        }
        Ok(())
    }

    /// The model as bytes that [`Engine::load`] reads on any machine: versioned, checksummed, nothing in it to execute.
    pub fn save(&self) -> Vec<u8> {
        crate::saved::to_bytes(&self.model)
    }

    /// The state of all accounts, counterparties and categories as bytes for [`Engine::load_state`]: versioned, checksummed,
    /// and the same for the same transactions, however they were handed in. Apart from the model, because it changes with every
    /// payment and because it holds pseudonyms and amounts, which a model does not: keep it as you keep the transactions.
    pub fn save_state(&self) -> Vec<u8> {
        crate::saved::state_to_bytes(&self.kept(), &self.features.save())
    }

    /// Puts a saved state in the place of this engine's. The state may have been saved under another model, as long as both
    /// read the same kinds of columns: a model can be replaced without forgetting the accounts.
    ///
    /// # Errors
    /// [`Error::NotAState`] and [`Error::State`]; the state is then as it was.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut features = self.model.features();
        let (kept, body, format) = crate::saved::state_body(bytes)?;
        let mut answered = Answered::new(self.model.state().repeats, self.model.n_detectors());
        let KeptEngine { offset, answers } = kept;
        answered.check(&answers)?;
        features.merge(body, format)?;
        answered.take_in(answers);
        (self.features, self.answered, self.offset) = (features, answered, offset);
        Ok(())
    }

    /// Takes in a state that another engine saved which has seen other accounts. Every window is afterwards what it would be
    /// had this engine seen all transactions in order of time, the windows of counterparties and categories included. The offset
    /// stays this engine's.
    ///
    /// # Errors
    /// [`Error::NotAState`], and [`Error::State`] where an account is in both; the state is then as it was.
    pub fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let (kept, body, format) = crate::saved::state_body(state)?;
        self.answered.check(&kept.answers)?;
        self.features.merge(body, format)?;
        self.answered.take_in(kept.answers);
        Ok(())
    }

    /// An engine with a saved model and no state.
    ///
    /// # Errors
    /// [`Error::NotAModel`], or [`Error::Score`] where a detector within is damaged; both say what is wrong with the bytes.
    pub fn load(bytes: &[u8]) -> Result<Self, Error> {
        let model = crate::saved::from_bytes(bytes)?;
        let features = model.features();
        Ok(Self::new(model, features))
    }
}
