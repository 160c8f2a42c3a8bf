use std::ops::ControlFlow;

use crible_core::{Batch, Clock, Has, Timestamp, Window};
use crible_feature::{Block, FeatureSet, Limits, PeerSums, Peers, Windows};
use crible_score::DetectorSpec;
use crible_score::ensemble::Ensemble;
use linfa::ParamGuard;
use ndarray::Array2;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

use crate::model::inputs;
use crate::scored::{RowBlock, Scored, blocks};
use crate::scorer::Scorer;
use crate::standardize::Typical;
use crate::{Columns, Config, Engine, Error, MAX_DETECTORS, Model, Rates};

/// Fewest transactions to learn from.
const MIN_ROWS: usize = 1;

/// The share of rows that views' scores are calibrated on, and from how many rows on.
const HELD_OUT: f64 = 0.25;
const ENOUGH_TO_HOLD_OUT: usize = 400;

/// Bytes of feature rows that are kept between fitting and scoring one batch by default.
const KEPT_BYTES: usize = 400 << 20;

/// How to learn a [`Model`]: which detectors, from how many rows, with which seed.
///
/// The rows a model is fitted on are a stratified sample: the batch is cut into as many equal runs as rows are wanted,
/// and one row is drawn from each. The first thirty days, or the first quarter where a batch is shorter than 120 days,
/// are passed over, since an account's windows are still filling then.
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
    feature_memory: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self::from(Config::default())
    }
}

impl From<Config> for Builder {
    fn from(config: Config) -> Self {
        Self { config, feature_memory: KEPT_BYTES }
    }
}

impl Engine {
    /// Settings to learn a model with.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Everything a model depends on besides the data.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The detectors whose ensemble scores; by default those of [`Config::default`].
    #[must_use]
    pub fn detectors(mut self, detectors: &[DetectorSpec]) -> Self {
        self.config.detectors = detectors.to_vec();
        self
    }

    /// Which columns detectors see; [`Columns::default`] changes nothing. The model keeps the choice.
    #[must_use]
    pub fn columns(mut self, columns: Columns) -> Self {
        self.config.columns = columns;
        self
    }

    /// Views that are left out, by name ([`Config::known_views`]): to see what the others find without them.
    #[must_use]
    pub fn without_views(mut self, names: &[&str]) -> Self {
        self.config.without_views = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Lengths of the windows columns look at. The model keeps the choice.
    #[must_use]
    pub fn windows(mut self, windows: Windows) -> Self {
        self.config.windows = windows;
        self
    }

    /// What the state is held within. The model keeps the choice.
    #[must_use]
    pub fn state(mut self, limits: Limits) -> Self {
        self.config.state = limits;
        self
    }

    /// What currencies are worth. The model keeps the choice.
    #[must_use]
    pub fn rates(mut self, rates: Rates) -> Self {
        self.config.rates = rates;
        self
    }

    /// How long a history is observed before alerts mean anything, at most; 14 days by default, a quarter of the history where that
    /// is less. What comes before has severity low.
    #[must_use]
    pub fn warm_up(mut self, most: Window) -> Self {
        self.config.warm_up = most;
        self
    }

    /// The seed of everything drawn; 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The most rows to learn from, in part to fit detectors, in part to calibrate them; 60,000 by default, of which
    /// views take 20,000.
    #[must_use]
    pub fn fit_rows(mut self, rows: usize) -> Self {
        self.config.fit_rows = rows;
        self
    }

    /// The most bytes of feature rows [`Builder::fit_replay`] keeps between fitting and scoring; past this it computes
    /// them twice, which takes longer and changes no bit. 400 MiB by default.
    #[must_use]
    pub fn feature_memory(mut self, bytes: usize) -> Self {
        self.feature_memory = bytes;
        self
    }

    /// Learns from a batch. The engine knows what is usual, and no account's past yet: [`Engine::replay`] the history
    /// for that.
    ///
    /// # Errors
    /// [`Error::TooFew`], [`Error::DetectorCount`], [`Error::Early`] where the last one or two rows are dated ahead of
    /// all others, [`Error::Currency`], or what every detector failing says.
    pub fn fit(&self, batch: &Batch) -> Result<Engine, Error> {
        self.check()?;
        self.check_currencies(batch)?;
        let sample = self.sample(batch, batch.len(), false)?;
        let peers = self.peers(batch, batch.len());
        let mut features = self.config.features(batch.has(), &peers);
        let mut rows = Sample::new(&features);
        let (mut block, mut at) = (Block::default(), 0);
        for range in blocks(batch.len()) {
            let here = at + sample[at..].partition_point(|&row| row < range.end);
            let mut wanted = sample[at..here].iter().copied().peekable();
            features.step_all(batch, range, |row| wanted.next_if_eq(&row).is_some(), &mut block)?;
            (0..block.rows()).for_each(|row| rows.push(&block, row));
            at = here;
        }
        let model = self.learn(batch.has(), peers, self.warm_up_of(batch.times()), rows, false)?;
        let features = model.features();
        Ok(Engine::new(model, features))
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
        self.check_currencies(batch)?;
        let before = until.map_or(batch.len(), |until| batch.rows_before(until));
        let sample = self.sample(batch, before, until.is_none())?;
        let has = batch.has_before(before);
        let peers = self.peers(batch, before);
        let mut features = self.config.features(has, &peers);
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
                // How long windows filled is known before the model is.
                let cold = features.cold_rows(&batch.times()[range.clone()], self.warm_up_of(&batch.times()[..before]));
                features.step_all(batch, range.clone(), |_| true, &mut fresh).map_err(Error::from)?;
                wanted.iter().for_each(|row| rows.push(&fresh, row - range.start));
                kept.push(RowBlock { rows: range, block: fresh, cold });
            } else {
                let mut wanted = wanted.iter().copied().peekable();
                let drawn = |row| wanted.next_if_eq(&row).is_some();
                features.step_all(batch, range, drawn, &mut block).map_err(Error::from)?;
                (0..block.rows()).for_each(|row| rows.push(&block, row));
            }
            at = here;
        }
        let model = self.learn(has, peers, self.warm_up_of(&batch.times()[..before]), rows, until.is_none())?;
        if !keep {
            let features = model.features();
            let mut engine = Engine::new(model, features);
            engine.replay(batch, visit)?;
            return Ok(engine);
        }
        let mut engine = Engine::new(model, features);
        let certain = batch.len() - engine.provisional().count();
        engine.score_blocks(batch, &kept, certain, &mut visit)?;
        Ok(engine)
    }

    /// Learns what [`Builder::fit`] does of a history too long to be held: `pass` hands its batches, in order, to the
    /// visitor it is given, and stops early where that says so. It is called twice, and has to hand out the same
    /// transactions both times, in batches of any size. As with [`Builder::fit_replay`], only what lies before `until`
    /// is learned from, and the model is the same to the bit.
    ///
    /// # Errors
    /// As [`Builder::fit`], and what `pass` returns.
    pub fn fit_passes<E: From<Error>>(
        &self,
        until: Option<Timestamp>,
        mut pass: impl FnMut(&mut dyn FnMut(&Batch) -> Result<ControlFlow<()>, Error>) -> Result<(), E>,
    ) -> Result<Engine, E> {
        self.check()?;
        let before = |batch: &Batch| until.map_or(batch.len(), |until| batch.rows_before(until));
        let go_on = |batch: &Batch| {
            if before(batch) < batch.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (mut all, mut has, mut ends, mut sums) = (0, Has::default(), None, PeerSums::default());
        pass(&mut |batch| {
            self.check_currencies(batch)?;
            let (rows, mut strays) = (before(batch), 0);
            if let Some(last) = rows.checked_sub(1) {
                let (first, _) = ends.unwrap_or_else(|| {
                    strays = self.strays(&batch.times()[..rows]);
                    let first = batch.times()[strays];
                    (first, first)
                });
                ends = Some((first, batch.times()[last]));
            }
            (all, has) = (all + rows, has.or(batch.has_before(rows)));
            sums.add(batch, strays..rows);
            Ok(go_on(batch))
        })?;
        let Some((first, last)) = ends else {
            return Err(Error::TooFew { got: 0, needed: MIN_ROWS }.into());
        };
        let warm = self.warm(first, last);
        let peers = sums.means_at(&self.config.rates.of);
        let mut features = self.config.features(has, &peers);
        let mut rows = Sample::new(&features);
        // Learned from whole, until it shows that what comes once windows have filled is enough.
        let later = self.later_half(all, until.is_none());
        let mut sample = self.draw(later.unwrap_or(0), all);
        let (mut block, mut at, mut seen, mut is_warm) = (Block::default(), 0, 0, later.is_some());
        pass(&mut |batch| {
            let end = before(batch);
            let cold = batch.times()[..end].partition_point(|&at| at < warm);
            if !is_warm && cold < end {
                is_warm = true;
                if let from @ 1.. = learned_from(seen + cold, all) {
                    (rows, sample, at) = (Sample::new(&features), self.draw(from, all), 0);
                }
            }
            for range in blocks(end) {
                let here = at + sample[at..].partition_point(|&row| row < seen + range.end);
                let mut wanted = sample[at..here].iter().map(|row| row - seen).peekable();
                features.step_all(batch, range, |row| wanted.next_if_eq(&row).is_some(), &mut block)?;
                (0..block.rows()).for_each(|row| rows.push(&block, row));
                at = here;
            }
            seen += end;
            Ok(go_on(batch))
        })?;
        let model = self.learn(has, peers, self.warm_up_between(first, last), rows, until.is_none())?;
        let features = model.features();
        Ok(Engine::new(model, features))
    }

    /// How many rows, one or two at most, are dated far before the history.
    fn strays(&self, times: &[Timestamp]) -> usize {
        Clock::strays_before(self.config.state.ahead, times)
    }

    /// When a history begins, whatever rows are dated far before it.
    fn first_of(&self, times: &[Timestamp]) -> Timestamp {
        times[self.strays(times)]
    }

    /// What payments are on average in the first `rows` of a batch, but for those dated far before the rest.
    fn peers(&self, batch: &Batch, rows: usize) -> Peers {
        let mut sums = PeerSums::default();
        sums.add(batch, self.strays(&batch.times()[..rows])..rows);
        sums.means_at(&self.config.rates.of)
    }

    /// How long windows fill before learning starts, in a history with these times.
    fn warm_up_of(&self, times: &[Timestamp]) -> Window {
        times.last().map_or(Window(0), |last| self.warm_up_between(self.first_of(times), *last))
    }

    fn check(&self) -> Result<(), Error> {
        self.config.check()?;
        match self.config.detectors.len() {
            1..=MAX_DETECTORS => Ok(()),
            got => Err(Error::DetectorCount { got }),
        }
    }

    /// That no payment is in a currency that the configuration refuses.
    fn check_currencies(&self, batch: &Batch) -> Result<(), Error> {
        let Rates { of, refuse_others } = &self.config.rates;
        let refused = (0..batch.len()).find(|&row| *refuse_others && !of.contains_key(&batch.amount(row).currency));
        match refused {
            Some(row) => Err(Error::currency(&batch.get(row), of.keys().copied(), None)),
            None => Ok(()),
        }
    }

    /// Rows to learn from among the first `rows` of a batch, in order.
    fn sample(&self, batch: &Batch, rows: usize, at_once: bool) -> Result<Vec<usize>, Error> {
        if rows < MIN_ROWS {
            return Err(Error::TooFew { got: rows, needed: MIN_ROWS });
        }
        let times = &batch.times()[..rows];
        if let Some(from) = self.later_half(rows, at_once) {
            return Ok(self.draw(from, rows));
        }
        let warm = self.warm(self.first_of(times), times[rows - 1]);
        Ok(self.draw(learned_from(times.partition_point(|&at| at < warm), rows), rows))
    }

    /// The row views are learned from, where they are not scored at once: in the first half of a history everything is
    /// new.
    fn later_half(&self, rows: usize, at_once: bool) -> Option<usize> {
        (self.config.is_views() && !at_once).then_some(rows / 2)
    }

    /// When enough of a history that begins and ends here has been observed.
    fn warm(&self, first: Timestamp, last: Timestamp) -> Timestamp {
        Timestamp(first.0.saturating_add(self.warm_up_between(first, last).0))
    }

    /// How long a history that begins and ends here has to be observed before it is learned from.
    fn warm_up_between(&self, first: Timestamp, last: Timestamp) -> Window {
        let most = if self.config.is_views() { self.config.warm_up } else { Window::MONTH };
        Window(last.0.saturating_sub(first.0) / 4).min(most)
    }

    /// One row of each of as many equal runs of `from..rows` as rows are wanted.
    fn draw(&self, from: usize, rows: usize) -> Vec<usize> {
        let most = if self.config.is_views() { crate::views::MOST_ROWS } else { usize::MAX };
        let wanted = self.config.fit_rows.min(most).clamp(MIN_ROWS, rows - from);
        let run = |i: usize| from + ((rows - from) as u128 * i as u128 / wanted as u128) as usize;
        (0..wanted)
            .map(|i| {
                let (start, end) = (run(i), run(i + 1).max(run(i) + 1));
                start + (mix(self.config.seed ^ i as u64) % (end - start) as u64) as usize
            })
            .collect()
    }

    /// Learns from rows in order of time, which are scored at once or before others are.
    fn learn(&self, has: Has, peers: Peers, warm_up: Window, sample: Sample, at_once: bool) -> Result<Model, Error> {
        let set = self.config.features(has, &peers);
        let columns = set.columns();
        let usual: Vec<Typical> =
            columns.par_iter().enumerate().map(|(c, column)| Typical::of(column, &mut sample.column(c))).collect();
        let inputs = inputs(columns);
        if self.config.is_views() {
            let rows =
                Array2::from_shape_fn((sample.rows, inputs.len()), |(row, i)| f64::from(sample.get(row, inputs[i])));
            let seen: Vec<_> = inputs.iter().map(|&input| &columns[input]).collect();
            let params = crate::views::params(&seen, &self.config, mix(self.config.seed))?;
            // What is scored at once is calibrated on what there is; else on what came last, as what comes next will be
            // scored.
            let held_out = if at_once || sample.rows < ENOUGH_TO_HOLD_OUT { 0.0 } else { HELD_OUT };
            let views = Scorer::Views(params.held_out(held_out).check()?.fit_rows(rows.view())?);
            let model = Model::new(has, self.config.settings(peers), warm_up, columns.to_vec(), usual, views);
            return Ok(model.refusing_others(self.config.rates.refuse_others));
        }
        let standardizers: Vec<_> =
            inputs.iter().map(|&column| usual[column].standardizer(columns[column].tail)).collect();
        let seen = |(row, i): (usize, usize)| standardizers[i].standardize(sample.get(row, inputs[i]));
        let rows = Array2::from_shape_fn((sample.rows, inputs.len()), seen);
        let mut params = Ensemble::params().seed(mix(self.config.seed));
        for (i, detector) in self.config.detectors.iter().enumerate() {
            params = params.member(detector.build(mix(self.config.seed ^ (i as u64 + 1) << 32))?);
        }
        let ensemble = params.check()?.fit_rows(rows.view())?;
        let scorer = Scorer::Ensemble(ensemble);
        let model = Model::new(has, self.config.settings(peers), warm_up, columns.to_vec(), usual, scorer);
        Ok(model.refusing_others(self.config.rates.refuse_others))
    }
}

/// The row that learning starts from, `cold` of all rows being from before windows have filled. A history that sits in
/// its first quarter alone is learned from whole.
fn learned_from(cold: usize, rows: usize) -> usize {
    if rows - cold < rows / 2 { 0 } else { cold }
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

/// A well-mixed number from a counter: the first number of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(x: u64) -> u64 {
    SplitMix64::seed_from_u64(x).next_u64()
}
