use std::ops::Range;

use crible_core::{Batch, Has, Timestamp};
use crible_feature::{Block, FeatureSet};
use crible_score::ensemble::Ensemble;
use linfa::ParamGuard;
use ndarray::Array2;
use rayon::prelude::*;

use crate::engine::{BLOCK_ROWS, Held};
use crate::model::{Typical, inputs};
use crate::{DetectorName, Engine, Error, MAX_DETECTORS, Model, Scored};

/// Fewest transactions to learn from.
const MIN_ROWS: usize = 1;

/// Bytes of feature rows that are kept between fitting and scoring one batch unless told otherwise.
const KEPT_BYTES: usize = 400 << 20;

/// How to learn a [`Model`]: which detectors, from how many rows, with which seed.
///
/// The rows a model is fitted on are a stratified sample: the batch is cut into as many equal runs as rows are wanted,
/// and one row is drawn from each. The first thirty days, or the first quarter where a batch is shorter than 120 days,
/// are passed over, since an account's windows are still filling then.
#[derive(Clone, Debug)]
pub struct Builder {
    detectors: Vec<DetectorName>,
    seed: u64,
    fit_rows: usize,
    feature_memory: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self { detectors: DetectorName::ALL.to_vec(), seed: 0, fit_rows: 60_000, feature_memory: KEPT_BYTES }
    }
}

impl Builder {
    /// The detectors to run side by side; all of them unless told.
    #[must_use]
    pub fn detectors(mut self, detectors: &[DetectorName]) -> Self {
        self.detectors = detectors.to_vec();
        self
    }

    /// The seed of everything drawn; 0 unless told.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The most rows to learn from: half to fit the detectors, half to calibrate them; 60,000 unless told.
    #[must_use]
    pub fn fit_rows(mut self, rows: usize) -> Self {
        self.fit_rows = rows;
        self
    }

    /// The most bytes of feature rows [`Builder::fit_replay`] keeps between fitting and scoring; past this it computes
    /// them twice, which takes longer and changes no bit. 400 MiB unless told.
    #[must_use]
    pub fn feature_memory(mut self, bytes: usize) -> Self {
        self.feature_memory = bytes;
        self
    }

    /// Learns from a batch. The engine knows what is usual, and no account's past yet: [`Engine::replay`] the history for
    /// that.
    ///
    /// # Errors
    /// [`Error::TooFew`], [`Error::DetectorCount`], or what every detector failing says.
    pub fn fit(&self, batch: &Batch) -> Result<Engine, Error> {
        self.check()?;
        let sample = self.sample(batch, batch.len())?;
        let mut features = FeatureSet::to_score(batch.has());
        let mut rows = Sample::new(&features);
        let (mut block, mut at) = (Block::default(), 0);
        for range in blocks(batch.len()) {
            let here = at + sample[at..].partition_point(|&row| row < range.end);
            let mut wanted = sample[at..here].iter().copied().peekable();
            features.step_all(batch, range, |row| wanted.next_if_eq(&row).is_some(), &mut block)?;
            (0..block.rows()).for_each(|row| rows.push(&block, row));
            at = here;
        }
        let model = self.learn(batch.has(), rows)?;
        Ok(Engine::new(model, FeatureSet::to_score(batch.has())))
    }

    /// Learns from the transactions before `until` (from all where there is none) and scores all of them, from an empty
    /// state: [`Builder::fit`] and [`Engine::replay`] in one, to the same bits, with the features computed once where
    /// memory allows. `visit` sees each run of scored transactions in order. Which columns there are is learned from
    /// before `until`, too: a feed that starts to name positions later is scored without them.
    ///
    /// # Errors
    /// As [`Builder::fit`], and what `visit` returns.
    pub fn fit_replay<E: From<Error>>(
        &self,
        batch: &Batch,
        until: Option<Timestamp>,
        mut visit: impl FnMut(&Model, &Scored<'_>) -> Result<(), E>,
    ) -> Result<Engine, E> {
        self.check()?;
        let before = until.map_or(batch.len(), |until| batch.rows_before(until));
        let sample = self.sample(batch, before)?;
        let has = batch.has_before(before);
        let mut features = FeatureSet::to_score(has);
        let mut rows = Sample::new(&features);
        let row_bytes = features.columns().len() * size_of::<f32>();
        let keep = batch.len().saturating_mul(row_bytes) <= self.feature_memory;
        let mut kept = Vec::new();
        let (mut block, mut at) = (Block::default(), 0);
        let last = if keep { batch.len() } else { before };
        for range in blocks(last) {
            let here = at + sample[at..].partition_point(|&row| row < range.end);
            let wanted = &sample[at..here];
            if keep {
                let mut fresh = Block::default();
                features.step_all(batch, range.clone(), |_| true, &mut fresh).map_err(Error::from)?;
                wanted.iter().for_each(|row| rows.push(&fresh, row - range.start));
                kept.push(Held { rows: range, block: fresh });
            } else {
                let mut wanted = wanted.iter().copied().peekable();
                let drawn = |row| wanted.next_if_eq(&row).is_some();
                features.step_all(batch, range, drawn, &mut block).map_err(Error::from)?;
                (0..block.rows()).for_each(|row| rows.push(&block, row));
            }
            at = here;
        }
        let model = self.learn(has, rows)?;
        if !keep {
            let mut engine = Engine::new(model, FeatureSet::to_score(has));
            engine.replay(batch, visit)?;
            return Ok(engine);
        }
        let mut engine = Engine::new(model, features);
        engine.score_held(batch, &kept, &mut visit)?;
        Ok(engine)
    }

    fn check(&self) -> Result<(), Error> {
        match self.detectors.len() {
            1..=MAX_DETECTORS => Ok(()),
            got => Err(Error::DetectorCount { got }),
        }
    }

    /// Rows to learn from among the first `rows` of a batch, in order.
    fn sample(&self, batch: &Batch, rows: usize) -> Result<Vec<usize>, Error> {
        if rows < MIN_ROWS {
            return Err(Error::TooFew { got: rows, needed: MIN_ROWS });
        }
        let times = &batch.times()[..rows];
        let span = times[rows - 1].0.saturating_sub(times[0].0);
        let warm = times[0].0.saturating_add((span / 4).min(30 * Timestamp::DAY));
        let first = times.partition_point(|t| t.0 < warm);
        // A history that sits in its first quarter alone is learned from whole.
        let first = if rows - first < rows / 2 { 0 } else { first };
        let (from, wanted) = (first, self.fit_rows.clamp(MIN_ROWS, rows - first));
        let run = |i: usize| from + ((rows - from) as u128 * i as u128 / wanted as u128) as usize;
        Ok((0..wanted)
            .map(|i| {
                let (start, end) = (run(i), run(i + 1).max(run(i) + 1));
                start + (mix(self.seed ^ i as u64) % (end - start) as u64) as usize
            })
            .collect())
    }

    fn learn(&self, has: Has, sample: Sample) -> Result<Model, Error> {
        let set = FeatureSet::to_score(has);
        let columns = set.columns();
        let usual: Vec<Typical> =
            columns.par_iter().enumerate().map(|(c, column)| Typical::of(column.tail, &mut sample.column(c))).collect();
        let inputs = inputs(columns);
        let lenses: Vec<_> = inputs.iter().map(|&column| usual[column].lens(columns[column].tail)).collect();
        let seen = |(row, i): (usize, usize)| lenses[i].see(sample.get(row, inputs[i]));
        let rows = Array2::from_shape_fn((sample.rows, inputs.len()), seen);
        let mut params = Ensemble::params().seed(mix(self.seed));
        for (i, detector) in self.detectors.iter().enumerate() {
            params = params.member(detector.build(mix(self.seed ^ (i as u64 + 1) << 32))?);
        }
        let ensemble = params.check()?.fit_rows(rows.view())?;
        Ok(Model::new(has, usual, ensemble))
    }
}

/// Feature rows to learn from.
#[derive(Debug)]
struct Sample {
    width: usize,
    rows: usize,
    numbers: Vec<f32>,
}

impl Sample {
    fn new(features: &FeatureSet) -> Self {
        Self { width: features.columns().len(), rows: 0, numbers: Vec::new() }
    }

    fn push(&mut self, block: &Block, row: usize) {
        let at = self.numbers.len();
        self.numbers.resize(at + self.width, 0.0);
        block.copy_row(row, &mut self.numbers[at..]);
        self.rows += 1;
    }

    fn get(&self, row: usize, column: usize) -> f32 {
        self.numbers[row * self.width + column]
    }

    fn column(&self, column: usize) -> Vec<f32> {
        (0..self.rows).map(|row| self.get(row, column)).collect()
    }
}

/// Runs of rows that are worked off together.
pub(crate) fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(BLOCK_ROWS).map(move |start| start..(start + BLOCK_ROWS).min(rows))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a well-mixed number from a counter.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
