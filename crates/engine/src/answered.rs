//! Verdicts given lately, so that a transaction that is handed in again is answered alike and taken in once.

mod index;
mod kept;
mod log;
mod shards;

use crible_alert::Score;
use crible_core::{Batch, Timestamp, TxnId, Window};
use hashbrown::HashMap;

use crate::Scored;
use crate::observation::Given;

use index::Index;
pub(crate) use kept::{KeptAnswers, Written, WrittenV6};
use log::{Log, number, words};
pub(crate) use shards::{Answers, Begun, Pending};

/// How long each detector's own score is remembered, where verdicts are remembered for longer.
const DETAILED: Window = Window(2 * Window::DAY.0);

/// Verdicts of the latest transactions, by a tag of 64 bits of their references.
///
/// They stand in the order in which they were given, and leave from the front once the clock has passed their
/// retention, by full hours. A verdict takes 28 bytes and 11 to 16 in the index; of the last two days each detector's
/// score takes 8 more. Nothing that grows is copied as a whole.
#[derive(Debug)]
pub(crate) struct Answered {
    /// How many hours verdicts are remembered.
    retention: i64,
    /// How many hours each detector's score is.
    detailed: i64,
    /// Numbers of detectors.
    detectors: usize,
    /// Numbers of verdicts, counted from the first there ever was, by their tags.
    index: Index,
    /// Number of the first that is still there.
    begun: u32,
    /// Tag, hour, raw score and tail.
    log: Log,
    /// Each detector's scores, of the latest of these; no numbers where they are unknown.
    details: Log,
    /// The latest hour.
    latest: i64,
    /// Until which number they are to be saved: none before it is forgotten meanwhile.
    held: Option<u32>,
}

/// A verdict that was given.
#[derive(Debug)]
pub(crate) struct Answer {
    tag: u64,
    /// Hour of its transaction.
    hour: i32,
    score: Score,
    /// Each detector's score; none where they are forgotten.
    details: Box<[f64]>,
}

impl Answer {
    fn key(&self) -> (i32, u64) {
        (self.hour, self.tag)
    }
}

/// The hour of a time. Those before the year 242,000 B.C. and after A.D. 246,000 are one each.
fn hour(at: i64) -> i32 {
    at.div_euclid(Window::HOUR.0).clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

fn tag_in(row: &[u32]) -> u64 {
    number(&row[..2])
}

fn hour_in(row: &[u32]) -> i64 {
    row[2].cast_signed().into()
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

impl Answered {
    /// None yet, of a model with so many detectors.
    pub(crate) fn new(retention: Window, detectors: usize) -> Self {
        let of = Window::HOUR.0;
        let hours = |window: Window| window.0.div_euclid(of) + i64::from(window.0.rem_euclid(of) > 0);
        Self {
            retention: hours(retention),
            detailed: hours(retention.min(DETAILED)),
            detectors,
            index: Index::default(),
            begun: 0,
            log: Log::new(7),
            details: Log::new(2 * detectors),
            latest: i64::MIN,
            held: None,
        }
    }

    fn row(&self, number: u32) -> Option<&[u32]> {
        self.log.get(number.wrapping_sub(self.begun) as usize)
    }

    /// The verdict at a place of the log.
    fn answer(&self, place: usize, detailed_since: i64) -> Option<Answer> {
        let row = self.log.get(place)?;
        let mut details = Box::default();
        if hour_in(row) >= detailed_since
            && let Some(place) = (place + self.details.len()).checked_sub(self.log.len())
            && let Some(numbers) = self.details.get(place)
        {
            let numbers = numbers.chunks_exact(2).map(|words| f64::from_bits(number(words)));
            let numbers: Box<[f64]> = numbers.collect();
            if numbers.iter().all(|number| !number.is_nan()) {
                details = numbers;
            }
        }
        let score = Score { raw: f64::from_bits(number(&row[3..5])), tail: f64::from_bits(number(&row[5..7])) };
        Some(Answer { tag: tag_in(row), hour: row[2].cast_signed(), score, details })
    }

    /// The verdict that was given of a transaction, where it is remembered.
    pub(crate) fn get(&self, id: TxnId) -> Option<Given> {
        let number = self.find(tag(id))?;
        let Answer { score, details, .. } =
            self.answer(number.wrapping_sub(self.begun) as usize, self.latest.saturating_sub(self.detailed))?;
        Some(Given::new(score, &details))
    }

    fn find(&self, tag: u64) -> Option<u32> {
        if self.index.len() == 0 {
            return None;
        }
        let since = self.latest.saturating_sub(self.retention);
        self.index.find(tag, |number| self.row(number).is_some_and(|row| tag_in(row) == tag && hour_in(row) >= since))
    }

    /// The hour that others who remember parts of the same stream have seen.
    fn advance(&mut self, latest: i64) {
        self.latest = self.latest.max(latest);
    }

    /// Remembers a verdict, and forgets those past their retention: two for each that comes, so that nobody waits for
    /// many.
    pub(crate) fn put(&mut self, id: TxnId, at: Timestamp, score: Score, detectors: &[f64]) {
        let hour = hour(at.0);
        self.advance(hour.into());
        let since = self.latest.saturating_sub(self.retention);
        let detailed_since = self.latest.saturating_sub(self.detailed);
        for _ in 0..if self.held.is_none() { 2 } else { 0 } {
            let detailed = self.log.len().saturating_sub(self.details.len());
            if self.details.len() > 0 && self.log.get(detailed).is_some_and(|row| hour_in(row) < detailed_since) {
                self.details.pop();
            }
            if let Some(first) = self.log.get(0).filter(|first| hour_in(first) < since) {
                self.index.remove_first(tag_in(first), self.begun);
                if self.details.len() == self.log.len() {
                    self.details.pop();
                }
                self.log.pop();
                self.begun = self.begun.wrapping_add(1);
            }
        }
        if self.retention > 0 && i64::from(hour) >= since {
            let is_detailed = i64::from(hour) >= detailed_since;
            self.push(tag(id), hour, score, if is_detailed { detectors } else { &[] });
        }
    }

    fn push(&mut self, tag: u64, hour: i32, score: Score, detectors: &[f64]) {
        // The first verdict of a transaction is the one that stays.
        if self.find(tag).is_some() {
            return;
        }
        let [a, b] = words(tag);
        let ([c, d], [e, f]) = (words(score.raw.to_bits()), words(score.tail.to_bits()));
        let number = self.begun.wrapping_add(self.log.len() as u32);
        self.log.push([a, b, hour.cast_unsigned(), c, d, e, f].into_iter());
        // All after the first that has numbers have a place for them.
        if self.details.len() > 0 || !detectors.is_empty() {
            let unknown = std::iter::repeat_n(f64::NAN, self.detectors - detectors.len());
            let numbers = detectors.iter().copied().chain(unknown);
            self.details.push(numbers.flat_map(|number| words(number.to_bits())));
        }
        let Self { index, log, begun, .. } = self;
        let tag_of = |number: u32| log.get(number.wrapping_sub(*begun) as usize).map_or(0, tag_in);
        index.insert(tag, number, *begun, tag_of);
    }

    /// Bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes() + self.log.bytes() + self.details.bytes()
    }

    /// Holds on to what is there now, to be saved with [`Answered::held`].
    pub(crate) fn hold(&mut self) {
        self.held = Some(self.begun.wrapping_add(self.log.len() as u32));
    }

    /// What was held on to, as of then, where `latest` was the latest hour of all parts.
    fn held(&mut self, latest: i64) -> KeptAnswers {
        let places = match self.held.take() {
            Some(until) => until.wrapping_sub(self.begun) as usize,
            None => self.log.len(),
        };
        self.kept(places, latest)
    }

    /// The first `places` that were still remembered at `latest`.
    fn kept(&self, places: usize, latest: i64) -> KeptAnswers {
        let since = latest.saturating_sub(self.retention);
        let detailed_since = latest.saturating_sub(self.detailed);
        let answers = (0..places).filter_map(|place| self.answer(place, detailed_since));
        KeptAnswers::new(self.detectors, answers.filter(|answer| i64::from(answer.hour) >= since))
    }

    /// All that is remembered.
    pub(crate) fn keep(&self) -> KeptAnswers {
        self.kept(self.log.len(), self.latest)
    }

    /// Takes in what was kept. Of a model with other detectors their own scores are passed over.
    pub(crate) fn take_in(&mut self, kept: KeptAnswers) {
        self.advance(kept.latest());
        let since = self.latest.saturating_sub(self.retention);
        let is_alike = kept.detectors == self.detectors;
        for Answer { tag, hour, score, details } in kept.answers {
            if self.retention > 0 && i64::from(hour) >= since {
                self.push(tag, hour, score, if is_alike { &details } else { &[] });
            }
        }
    }

    /// Remembers the verdicts of a run of a batch, as far as they will be remembered once all of it has been seen.
    pub(crate) fn put_all(&mut self, batch: &Batch, scored: &Scored<'_>) {
        let certain = scored.certain();
        let Some(last) = batch.times()[..certain].last().filter(|_| self.retention > 0) else { return };
        let since = |hours: i64| i64::from(hour(last.0)).max(self.latest).saturating_sub(hours);
        let (since, detailed) = (since(self.retention), since(self.detailed));
        let rows = scored.rows();
        let first = rows.start + batch.times()[rows.clone()].partition_point(|at| i64::from(hour(at.0)) < since);
        for row in first..rows.end.min(certain) {
            let at = batch.times()[row];
            let is_detailed = i64::from(hour(at.0)) >= detailed;
            self.put(batch.ids()[row], at, scored.score(row), if is_detailed { scored.detectors(row) } else { &[] });
        }
    }

    /// The verdicts of transactions that repeat, by their tags; none of those that are still to come.
    pub(crate) fn firsts(&self, batch: &Batch, repeats: &[usize]) -> Firsts {
        let of = |row: &usize| (tag(batch.ids()[*row]), self.get(batch.ids()[*row]));
        Firsts(repeats.iter().map(of).collect())
    }

    /// Rows of a batch that were handed in before: with earlier ones, or in the same instant of the batch.
    pub(crate) fn repeats(&self, batch: &Batch) -> Vec<usize> {
        if self.retention == 0 {
            return Vec::new();
        }
        let (ids, times) = (batch.ids(), batch.times());
        let mut repeats: Vec<usize> = (0..batch.len()).filter(|&row| self.find(tag(ids[row])).is_some()).collect();
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
