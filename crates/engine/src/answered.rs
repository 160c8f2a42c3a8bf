//! Verdicts given lately, so that a transaction that is handed in again is answered alike and taken in once.

mod shards;

use std::collections::VecDeque;

use crible_alert::Score;
use crible_core::{Batch, Timestamp, TxnId, Window};
use hashbrown::{HashMap, HashTable};
use serde::{Deserialize, Serialize};

use crate::observation::Given;
use crate::{Error, MAX_DETECTORS, Scored};

pub(crate) use shards::{Answers, Begun, Pending};

/// Verdicts of the latest transactions, by a tag of 64 bits of their references.
///
/// They stand in the order in which they were given, and leave from the front once the clock has passed their retention. A
/// verdict takes 8 bytes a number, 16 for its tag and time, and 12 to 24 in the table, which has room for twice as many: it is then
/// cleaned where it stands.
#[derive(Debug)]
pub(crate) struct Answered {
    retention: Window,
    /// Numbers of a verdict: raw score, tail, and each detector's score.
    width: usize,
    /// Numbers of verdicts, counted from the first there ever was, by their tags.
    index: HashTable<u32>,
    /// Number of the first that is still there.
    begun: u32,
    given: VecDeque<(u64, i64)>,
    numbers: VecDeque<f64>,
    latest: i64,
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
        Self {
            retention,
            width: 2 + detectors,
            index: HashTable::new(),
            begun: 0,
            given: VecDeque::new(),
            numbers: VecDeque::new(),
            latest: i64::MIN,
        }
    }

    /// The verdict that was given of a transaction, where it is remembered.
    pub(crate) fn get(&self, id: TxnId) -> Option<Given> {
        if self.index.is_empty() {
            return None;
        }
        let tag = tag(id);
        let number = self.index.find(tag, |number| self.given[number.wrapping_sub(self.begun) as usize].0 == tag)?;
        let place = number.wrapping_sub(self.begun) as usize;
        let (_, at) = self.given.get(place)?;
        if *at < self.since(Timestamp(self.latest)).0 {
            return None;
        }
        let mut numbers = [0.0; 2 + MAX_DETECTORS];
        let numbers = &mut numbers[..self.width];
        let kept = self.numbers.range(place * self.width..(place + 1) * self.width);
        numbers.iter_mut().zip(kept).for_each(|(number, kept)| *number = *kept);
        Some(Given::new(Score { raw: numbers[0], tail: numbers[1] }, &numbers[2..]))
    }

    /// The earliest time of a transaction that is still remembered once `latest` has been seen.
    pub(crate) fn since(&self, latest: Timestamp) -> Timestamp {
        Timestamp(latest.0.saturating_sub(self.retention.0))
    }

    /// Remembers a verdict, and forgets those past their retention.
    pub(crate) fn put(&mut self, id: TxnId, at: Timestamp, score: Score, detectors: &[f64]) {
        self.latest = self.latest.max(at.0);
        let since = self.since(Timestamp(self.latest)).0;
        while let Some(&(tag, _)) = self.given.front().filter(|(_, at)| *at < since) {
            if let Ok(entry) = self.index.find_entry(tag, |number| *number == self.begun) {
                entry.remove();
            }
            self.given.pop_front();
            self.numbers.drain(..self.width);
            self.begun = self.begun.wrapping_add(1);
        }
        if self.retention.0 > 0 && at.0 >= since {
            self.push(tag(id), at.0, [score.raw, score.tail].into_iter().chain(detectors.iter().copied()));
        }
    }

    fn push(&mut self, tag: u64, at: i64, numbers: impl Iterator<Item = f64>) {
        let Self { index, given, begun, .. } = self;
        let tag_of = |number: &u32| given[number.wrapping_sub(*begun) as usize].0;
        // The first verdict of a transaction is the one that stays.
        if index.find(tag, |number| tag_of(number) == tag).is_some() {
            return;
        }
        if index.capacity() < 2 * (given.len() + 1) {
            index.reserve(given.len() + 4, tag_of);
        }
        index.insert_unique(tag, begun.wrapping_add(given.len() as u32), tag_of);
        self.given.push_back((tag, at));
        self.numbers.extend(numbers);
    }

    /// Bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.index.allocation_size()
            + self.given.capacity() * size_of::<(u64, i64)>()
            + self.numbers.capacity() * size_of::<f64>()
    }

    /// What is kept of several that remember parts of one stream.
    pub(crate) fn keep<'a>(parts: impl Iterator<Item = &'a Self> + Clone) -> KeptAnswers {
        let latest = parts.clone().map(|part| part.latest).max().unwrap_or(i64::MIN);
        let width = parts.clone().map(|part| part.width).next().unwrap_or(2);
        let mut all: Vec<((u64, i64), &Self, usize)> = parts
            .flat_map(|part| part.given.iter().enumerate().map(move |(place, given)| (*given, part, place)))
            .filter(|((_, at), part, _)| *at >= part.since(Timestamp(latest)).0)
            .collect();
        all.sort_unstable_by_key(|((tag, at), ..)| (*at, *tag));
        let numbers = all.iter().flat_map(|(_, part, place)| part.numbers.range(place * width..(place + 1) * width));
        KeptAnswers {
            width: width as u32,
            numbers: numbers.copied().collect(),
            given: all.iter().map(|(given, ..)| *given).collect(),
        }
    }

    /// That what was kept is what transactions leave.
    ///
    /// # Errors
    /// [`Error::NotAState`] where it is not.
    pub(crate) fn check(&self, kept: &KeptAnswers) -> Result<(), Error> {
        let KeptAnswers { width, given, numbers } = kept;
        let is_sound = numbers.len() == given.len().saturating_mul(*width as usize)
            && given.windows(2).all(|pair| (pair[0].1, pair[0].0) < (pair[1].1, pair[1].0));
        if is_sound { Ok(()) } else { Err(Error::NotAState("its verdicts are none that were given".to_owned())) }
    }

    /// Takes in what was kept and has been checked, in order of time. Verdicts of a model with other detectors are passed over.
    pub(crate) fn take_in(&mut self, kept: KeptAnswers) {
        let KeptAnswers { width, given, numbers } = kept;
        let width = width as usize;
        self.latest = self.latest.max(given.last().map_or(i64::MIN, |(_, at)| *at));
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
        let mut repeats: Vec<usize> =
            (0..batch.len()).filter(|&row| !self.index.is_empty() && self.get(ids[row]).is_some()).collect();
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
