//! Verdicts given lately, so that a transaction that is handed in again is answered alike and taken in once.

mod index;
mod log;
mod shards;

use crible_alert::Score;
use crible_core::{Batch, Timestamp, TxnId, Window};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::observation::Given;
use crate::{Error, MAX_DETECTORS, Scored};

use index::Index;
use log::{Entry, Log};
pub(crate) use shards::{Answers, Begun, Pending};

/// Verdicts of the latest transactions, by a tag of 64 bits of their references.
///
/// They stand in the order in which they were given, and leave from the front once the clock has passed their
/// retention. A verdict takes 8 bytes a number, 16 for its tag and time, and 16 to 48 in the index. Nothing that grows
/// is copied as a whole.
#[derive(Debug)]
pub(crate) struct Answered {
    retention: Window,
    /// Numbers of a verdict: raw score, tail, and each detector's score.
    width: usize,
    /// Numbers of verdicts, counted from the first there ever was, by their tags.
    index: Index,
    /// Number of the first that is still there.
    begun: u32,
    log: Log,
    latest: i64,
    /// Until which number they are to be saved: none before it is forgotten meanwhile.
    held: Option<u32>,
}

/// Tags are mixed already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plain(u64);

impl std::hash::Hasher for Plain {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, tag: u64) {
        self.0 = tag;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl std::hash::BuildHasher for Plain {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

/// Verdicts as they are kept: tags, times and numbers, in order of time and tag.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct KeptAnswers {
    width: u32,
    given: Vec<(u64, i64)>,
    numbers: Vec<f64>,
}

impl KeptAnswers {
    /// That what was kept is what transactions leave.
    ///
    /// # Errors
    /// [`Error::NotAState`] where it is not.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Self { width, given, numbers } = self;
        let is_sound = numbers.len() == given.len().saturating_mul(*width as usize)
            && given.windows(2).all(|pair| (pair[0].1, pair[0].0) < (pair[1].1, pair[1].0));
        if is_sound { Ok(()) } else { Err(Error::NotAState("its verdicts are none that were given".to_owned())) }
    }

    /// The latest time of a transaction.
    pub(crate) fn latest(&self) -> i64 {
        self.given.last().map_or(i64::MIN, |(_, at)| *at)
    }

    /// In order of time and tag.
    fn new(width: usize, entries: impl Iterator<Item = (u64, i64, impl Iterator<Item = f64>)>) -> Self {
        let (mut given, mut numbers) = (Vec::new(), Vec::new());
        for (tag, at, of) in entries {
            given.push((tag, at));
            numbers.extend(of);
        }
        Self { width: width as u32, given, numbers }.sorted()
    }

    /// Those of several that remember parts of one stream.
    pub(crate) fn join(parts: Vec<Self>) -> Self {
        let width = parts.first().map_or(2, |part| part.width);
        let (mut given, mut numbers) = (Vec::new(), Vec::new());
        for mut part in parts {
            given.append(&mut part.given);
            numbers.append(&mut part.numbers);
        }
        Self { width, given, numbers }.sorted()
    }

    fn sorted(self) -> Self {
        let width = self.width as usize;
        let mut order: Vec<(i64, u64, usize)> =
            self.given.iter().enumerate().map(|(place, (tag, at))| (*at, *tag, place)).collect();
        order.sort_unstable();
        let numbers = order.iter().flat_map(|(.., place)| &self.numbers[place * width..(place + 1) * width]);
        let numbers = numbers.copied().collect();
        Self { width: self.width, numbers, given: order.iter().map(|(at, tag, _)| (*tag, *at)).collect() }
    }

    /// Divided by their tags.
    fn divide(self, shards: usize) -> Vec<Self> {
        let width = self.width as usize;
        let mut all: Vec<Self> = (0..shards).map(|_| Self { width: self.width, ..Self::default() }).collect();
        for (given, numbers) in self.given.iter().zip(self.numbers.chunks_exact(width.max(1))) {
            let shard = &mut all[shards::shard_of(given.0)];
            shard.given.push(*given);
            shard.numbers.extend_from_slice(numbers);
        }
        all
    }
}

impl Answered {
    /// None yet, of a model with so many detectors.
    pub(crate) fn new(retention: Window, detectors: usize) -> Self {
        let width = 2 + detectors;
        let (index, log) = (Index::default(), Log::new(width));
        Self { retention, width, index, begun: 0, log, latest: i64::MIN, held: None }
    }

    fn entry(&self, number: u32) -> Option<Entry<'_>> {
        self.log.get(number.wrapping_sub(self.begun) as usize)
    }

    /// The verdict that was given of a transaction, where it is remembered.
    pub(crate) fn get(&self, id: TxnId) -> Option<Given> {
        if self.index.len() == 0 {
            return None;
        }
        let entry = self.entry(self.find(tag(id))?)?;
        let mut numbers = [0.0; 2 + MAX_DETECTORS];
        numbers.iter_mut().zip(entry.numbers()).for_each(|(number, kept)| *number = kept);
        Some(Given::new(Score { raw: numbers[0], tail: numbers[1] }, &numbers[2..self.width]))
    }

    fn find(&self, tag: u64) -> Option<u32> {
        let since = self.since(Timestamp(self.latest)).0;
        self.index.find(tag, |number| self.entry(number).is_some_and(|entry| entry.tag() == tag && entry.at() >= since))
    }

    /// The earliest time of a transaction that is still remembered once `latest` has been seen.
    pub(crate) fn since(&self, latest: Timestamp) -> Timestamp {
        Timestamp(latest.0.saturating_sub(self.retention.0))
    }

    /// The time that others who remember parts of the same stream have seen.
    pub(crate) fn advance(&mut self, latest: i64) {
        self.latest = self.latest.max(latest);
    }

    /// Remembers a verdict, and forgets those past their retention: two for each that comes, so that nobody waits for
    /// many.
    pub(crate) fn put(&mut self, id: TxnId, at: Timestamp, score: Score, detectors: &[f64]) {
        self.advance(at.0);
        let since = self.since(Timestamp(self.latest)).0;
        for _ in 0..2 {
            let Some(first) = self.log.get(0).filter(|first| first.at() < since && self.held.is_none()) else { break };
            self.index.remove_first(first.tag(), self.begun);
            self.log.pop();
            self.begun = self.begun.wrapping_add(1);
        }
        if self.retention.0 > 0 && at.0 >= since {
            self.push(tag(id), at.0, [score.raw, score.tail].into_iter().chain(detectors.iter().copied()));
        }
    }

    fn push(&mut self, tag: u64, at: i64, numbers: impl Iterator<Item = f64>) {
        // The first verdict of a transaction is the one that stays.
        if self.find(tag).is_some() {
            return;
        }
        let number = self.begun.wrapping_add(self.log.len() as u32);
        self.log.push(tag, at, numbers);
        let Self { index, log, begun, .. } = self;
        let tag_of = |number: u32| log.get(number.wrapping_sub(*begun) as usize).map_or(0, |entry| entry.tag());
        index.insert(tag, number, *begun, tag_of);
    }

    /// Bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes() + self.log.bytes()
    }

    /// Holds on to what is there now, to be saved with [`Answered::held`].
    pub(crate) fn hold(&mut self) {
        self.held = Some(self.begun.wrapping_add(self.log.len() as u32));
    }

    /// What was held on to, as of then, where `latest` was the latest time of all parts.
    pub(crate) fn held(&mut self, latest: i64) -> KeptAnswers {
        let places = match self.held.take() {
            Some(until) => until.wrapping_sub(self.begun) as usize,
            None => self.log.len(),
        };
        self.kept(places, latest)
    }

    /// The first `places` that were still remembered at `latest`, in order of time and tag.
    fn kept(&self, places: usize, latest: i64) -> KeptAnswers {
        let since = self.since(Timestamp(latest)).0;
        let entries = (0..places).filter_map(|place| self.log.get(place)).filter(|entry| entry.at() >= since);
        KeptAnswers::new(self.width, entries.map(|entry| (entry.tag(), entry.at(), entry.numbers())))
    }

    /// All that is remembered.
    pub(crate) fn keep(&self) -> KeptAnswers {
        self.kept(self.log.len(), self.latest)
    }

    /// Takes in what was kept and has been checked, in order of time. Verdicts of a model with other detectors are
    /// passed over.
    pub(crate) fn take_in(&mut self, kept: KeptAnswers) {
        let latest = kept.latest();
        let KeptAnswers { width, given, numbers } = kept;
        let width = width as usize;
        self.latest = self.latest.max(latest);
        if width == self.width {
            let since = self.since(Timestamp(self.latest)).0;
            for ((tag, at), numbers) in given.iter().zip(numbers.chunks_exact(width)) {
                if *at >= since {
                    self.push(*tag, *at, numbers.iter().copied());
                }
            }
        }
    }

    /// Remembers the verdicts of a run of a batch, as far as they will be remembered once all of it has been seen.
    pub(crate) fn put_all(&mut self, batch: &Batch, scored: &Scored<'_>) {
        let Some(last) = batch.times().last().filter(|_| self.retention.0 > 0) else { return };
        let since = self.since(*last);
        let rows = scored.rows();
        let first = rows.start + batch.times()[rows.clone()].partition_point(|at| *at < since);
        for row in first..rows.end {
            self.put(batch.ids()[row], batch.times()[row], scored.score(row), scored.detectors(row));
        }
    }

    /// The verdicts of transactions that repeat, by their tags; none of those that are still to come.
    pub(crate) fn firsts(&self, batch: &Batch, repeats: &[usize]) -> Firsts {
        let of = |row: &usize| (tag(batch.ids()[*row]), self.get(batch.ids()[*row]));
        Firsts(repeats.iter().map(of).collect())
    }

    /// Rows of a batch that were handed in before: with earlier ones, or in the same instant of the batch.
    pub(crate) fn repeats(&self, batch: &Batch) -> Vec<usize> {
        if self.retention.0 == 0 {
            return Vec::new();
        }
        let (ids, times) = (batch.ids(), batch.times());
        let mut repeats: Vec<usize> = (0..batch.len()).filter(|&row| self.get(ids[row]).is_some()).collect();
        let mut seen = HashMap::<u64, (), Plain>::default();
        for instant in times.chunk_by(|a, b| a == b).scan(0, |at, instant| {
            *at += instant.len();
            Some(*at - instant.len()..*at)
        }) {
            if instant.len() == 1 {
                continue;
            }
            seen.clear();
            repeats.extend(instant.filter(|&row| seen.insert(tag(ids[row]), ()).is_some()));
        }
        repeats.sort_unstable();
        repeats.dedup();
        repeats
    }
}

/// Verdicts of transactions that repeat within one batch.
#[derive(Debug)]
pub(crate) struct Firsts(HashMap<u64, Option<Given>, Plain>);

impl Firsts {
    /// Takes note of the verdicts among these that are asked for later.
    pub(crate) fn note(&mut self, batch: &Batch, scored: &Scored<'_>) {
        if self.0.is_empty() {
            return;
        }
        for row in scored.rows() {
            if let Some(verdict @ None) = self.0.get_mut(&tag(batch.ids()[row])) {
                *verdict = Some(Given::new(scored.score(row), scored.detectors(row)));
            }
        }
    }

    pub(crate) fn of(&self, id: TxnId) -> Option<Given> {
        *self.0.get(&tag(id))?
    }
}

/// 64 mixed bits of a reference.
pub(crate) fn tag(id: TxnId) -> u64 {
    let x = (id.0 >> 64) as u64 ^ (id.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ (x >> 32)
}
