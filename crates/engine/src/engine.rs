use std::ops::Range;

use crible_alert::{Ranked, Ranker, Reason, Score};
use crible_core::{Batch, Transaction};
use crible_feature::{Block, FeatureSet};
use rayon::prelude::*;

use crate::builder::blocks;
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
}

/// Scores of a run, kept from run to run.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    raw: Vec<f64>,
    tail: Vec<f64>,
    parts: Vec<f64>,
}

impl Scores {
    /// Scores `rows` of a block in the caller's rayon pool.
    pub(crate) fn fill(&mut self, model: &Model, block: &Block, rows: Range<usize>) -> Result<(), Error> {
        let (width, n_parts) = (model.n_inputs(), model.detectors().len());
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
            n_detectors: model.detectors().len(),
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
        let parts = vec![0.0; model.detectors().len()];
        Self { model, features, row, seen, parts, scores: Default::default() }
    }

    pub(crate) fn into_parts(self) -> (Model, FeatureSet) {
        (self.model, self.features)
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
        score_held(&self.model, batch, held, &mut self.scores, visit)
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Bytes the state of all accounts and counterparties holds on to.
    pub fn state_bytes(&self) -> usize {
        self.features.state_bytes()
    }

    /// Transactions that came late so far, placed and refused.
    pub fn late(&self) -> LateCount {
        self.features.late()
    }

    /// Scores one transaction by what came before it, then remembers it. One that comes late, but within the lateness the model
    /// was made with, is placed where it belongs.
    ///
    /// # Errors
    /// [`Error::Late`] where it is later than that; the state is then as it was, and the transaction is counted.
    pub fn observe(&mut self, txn: &Transaction) -> Result<Verdict, Error> {
        self.features.step(txn, &mut self.row)?;
        self.model.score_row(&self.row, &mut self.seen, &mut self.parts)
    }

    /// The `n` strongest reasons for the verdict [`Engine::observe`] gave last; `txn` is the transaction it was about.
    pub fn explain_last(&self, txn: &Transaction, n: usize) -> Vec<Reason> {
        self.model.explain(txn, &self.row, n)
    }

    /// Scores a batch, each transaction by what came before it, and remembers all. Runs in the caller's rayon pool;
    /// `visit` sees each run of scored transactions in order.
    ///
    /// # Errors
    /// [`Error::Late`] where the batch begins before what may still be placed, and what `visit` returns.
    pub fn replay<E: From<Error>>(
        &mut self,
        batch: &Batch,
        mut visit: impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut held = Held { rows: 0..0, block: Block::default() };
        for range in blocks(batch.len()) {
            self.features.step_all(batch, range.clone(), |_| true, &mut held.block).map_err(Error::from)?;
            held.rows = range;
            score_held(&self.model, batch, std::slice::from_ref(&held), &mut self.scores, &mut visit)?;
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
        crate::saved::state_to_bytes(&self.features.save())
    }

    /// Puts a saved state in the place of this engine's. The state may have been saved under another model, as long as both
    /// read the same kinds of columns: a model can be replaced without forgetting the accounts.
    ///
    /// # Errors
    /// [`Error::NotAState`] and [`Error::State`]; the state is then as it was.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut features = self.model.features();
        let (body, format) = crate::saved::state_body(bytes)?;
        features.merge(body, format)?;
        self.features = features;
        Ok(())
    }

    /// Takes in a state that another engine saved which has seen other accounts. Every window is afterwards what it would be
    /// had this engine seen all transactions in order of time, the windows of counterparties and categories included.
    ///
    /// # Errors
    /// [`Error::NotAState`], and [`Error::State`] where an account is in both; the state is then as it was.
    pub fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let (body, format) = crate::saved::state_body(state)?;
        Ok(self.features.merge(body, format)?)
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
