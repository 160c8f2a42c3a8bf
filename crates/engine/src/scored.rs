use std::ops::Range;

use crible_alert::{Score, Severity};
use crible_core::Batch;
use crible_feature::Block;
use rayon::prelude::*;

use crate::observation::Given;
use crate::{Error, Model};

/// Rows whose features are computed together: large enough that an account's state is fetched seldom, small enough that
/// a block's rows stay in reach.
const BLOCK_ROWS: usize = 1 << 18;

/// Rows scored together before they are handed on.
const RUN_ROWS: usize = 1 << 16;

/// Rows scored together by one thread; their columns stay in a core's cache.
const TILE_ROWS: usize = 1_024;

/// Runs of rows whose features are computed together.
pub(crate) fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(BLOCK_ROWS).map(move |start| start..(start + BLOCK_ROWS).min(rows))
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
    pub(crate) fn set(&mut self, given: &Given, n_detectors: usize) {
        let Score { raw, tail } = given.score;
        (self.raw, self.tail, self.parts) = (vec![raw], vec![tail], given.detectors().to_vec());
        self.parts.resize(n_detectors, f64::NAN);
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
pub(crate) struct RowBlock {
    pub(crate) rows: Range<usize>,
    pub(crate) block: Block,
    /// Of which rows the engine had observed too little.
    pub(crate) cold: Vec<bool>,
}

/// Scores all of `held` run by run and shows each run to `visit` while the next is being scored. Rows of the batch from
/// `certain` on are provisional.
pub(crate) fn score_blocks<E: From<Error>>(
    model: &Model,
    batch: &Batch,
    held: &[RowBlock],
    certain: usize,
    spare: &mut [Scores; 2],
    visit: &mut impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let runs: Vec<(&RowBlock, Range<usize>)> = held
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
            cold: &held.cold[rows.clone()],
            rows: held.rows.start + rows.start..held.rows.start + rows.end,
            block: &held.block,
            first: rows.start,
            scores: now,
            n_detectors: model.n_detectors(),
            is_repeat: false,
            certain,
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
    cold: &'a [bool],
    rows: Range<usize>,
    block: &'a Block,
    /// Row of the block that the first of `rows` is.
    first: usize,
    scores: &'a Scores,
    n_detectors: usize,
    is_repeat: bool,
    /// From this row of the batch on they are provisional.
    certain: usize,
}

impl<'a> Scored<'a> {
    /// Row `row` of a batch, which was handed in before; `block` is one row of zeros.
    pub(crate) fn repeat(batch: &'a Batch, row: usize, block: &'a Block, cold: &'a [bool], scores: &'a Scores) -> Self {
        let n_detectors = scores.parts.len();
        Self {
            batch,
            cold,
            rows: row..row + 1,
            block,
            first: 0,
            scores,
            n_detectors,
            is_repeat: true,
            certain: batch.len(),
        }
    }

    /// The batch they are rows of.
    pub(crate) fn batch(&self) -> &Batch {
        self.batch
    }

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

    /// Whether the engine had observed too little for row `row`: see [`Engine::is_cold`](crate::Engine::is_cold).
    pub fn is_cold(&self, row: usize) -> bool {
        self.cold[row - self.rows.start]
    }

    /// Whether row `row` is [provisional](crate::Observation::is_provisional): at most the last of a batch is.
    pub fn is_provisional(&self, row: usize) -> bool {
        row >= self.certain
    }

    /// The rows of the batch that are not.
    pub(crate) fn certain(&self) -> usize {
        self.certain
    }

    /// How seriously to take row `row`: by its tail probability, and [`Severity::Low`] while the engine is cold.
    pub fn severity(&self, row: usize) -> Severity {
        if self.is_cold(row) { Severity::Low } else { Severity::of(self.score(row).tail) }
    }

    /// Each detector's own score: no numbers where the row was handed in before and they are no longer remembered.
    pub fn detectors(&self, row: usize) -> &[f64] {
        let at = (row - self.rows.start) * self.n_detectors;
        &self.scores.parts[at..at + self.n_detectors]
    }

    /// Whether these are transactions that were handed in before: their scores are those of the first time, their
    /// feature rows zeros, and they are not decided about again.
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
}
