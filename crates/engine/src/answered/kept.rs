//! Verdicts as they are saved.

use crible_alert::Score;
use serde::{Deserialize, Serialize};

use super::{Answer, shards};
use crate::{Error, MAX_DETECTORS};

/// Verdicts of a model with so many detectors, in order of hour and tag.
#[derive(Debug, Default)]
pub(crate) struct KeptAnswers {
    pub(super) detectors: usize,
    pub(super) answers: Vec<Answer>,
}

impl KeptAnswers {
    pub(super) fn new(detectors: usize, answers: impl Iterator<Item = Answer>) -> Self {
        let mut answers: Vec<Answer> = answers.collect();
        answers.sort_unstable_by_key(Answer::key);
        Self { detectors, answers }
    }

    /// The latest hour of a transaction.
    pub(crate) fn latest(&self) -> i64 {
        self.answers.last().map_or(i64::MIN, |answer| answer.hour.into())
    }

    /// Those of several that remember parts of one stream.
    pub(super) fn join(parts: Vec<Self>) -> Self {
        let detectors = parts.first().map_or(0, |part| part.detectors);
        Self::new(detectors, parts.into_iter().flat_map(|part| part.answers))
    }

    /// Divided by their tags.
    pub(super) fn divide(self, shards: usize) -> Vec<Self> {
        let mut all: Vec<Self> = (0..shards).map(|_| Self { detectors: self.detectors, answers: Vec::new() }).collect();
        self.answers.into_iter().for_each(|answer| all[shards::shard_of(answer.tag)].answers.push(answer));
        all
    }
}

/// The same in columns, from format 7 of states on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Written {
    detectors: u32,
    tags: Vec<[u8; 8]>,
    /// Hours, each from the one before.
    hours: Vec<i64>,
    /// Raw scores and tails.
    scores: Vec<[f64; 2]>,
    /// Which of them have the scores of each detector, each from the one before.
    detailed: Vec<u32>,
    details: Vec<f64>,
}

/// The same up to format 6: tags and times in microseconds, and all numbers of each.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct WrittenV6 {
    /// Raw score, tail, and each detector's score.
    width: u32,
    given: Vec<(u64, i64)>,
    numbers: Vec<f64>,
}

fn unsound() -> Error {
    Error::NotAState("its verdicts are none that were given".to_owned())
}

impl From<&KeptAnswers> for Written {
    fn from(kept: &KeptAnswers) -> Self {
        let mut written = Self { detectors: kept.detectors as u32, ..Self::default() };
        let (mut hour, mut place) = (0, 0);
        for (at, answer) in kept.answers.iter().enumerate() {
            written.tags.push(answer.tag.to_le_bytes());
            written.hours.push(i64::from(answer.hour) - hour);
            hour = answer.hour.into();
            written.scores.push([answer.score.raw, answer.score.tail]);
            if !answer.details.is_empty() {
                written.detailed.push((at - place) as u32);
                place = at;
                written.details.extend_from_slice(&answer.details);
            }
        }
        written
    }
}

impl TryFrom<Written> for KeptAnswers {
    type Error = Error;

    /// # Errors
    /// [`Error::NotAState`] where these are no verdicts that transactions leave.
    fn try_from(written: Written) -> Result<Self, Error> {
        let Written { detectors, tags, hours, scores, detailed, details } = written;
        let detectors = detectors as usize;
        let is_sound = detectors <= MAX_DETECTORS
            && tags.len() == hours.len()
            && tags.len() == scores.len()
            && details.len() == detailed.len().saturating_mul(detectors);
        if !is_sound {
            return Err(unsound());
        }
        let (mut hour, mut answers) = (0i64, Vec::with_capacity(tags.len()));
        for ((tag, later), [raw, tail]) in tags.into_iter().zip(hours).zip(scores) {
            hour = hour.saturating_add(later);
            let hour = i32::try_from(hour).map_err(|_| unsound())?;
            let details = Box::default();
            answers.push(Answer { tag: u64::from_le_bytes(tag), hour, score: Score { raw, tail }, details });
        }
        let mut place = 0usize;
        for (later, numbers) in detailed.iter().zip(details.chunks_exact(detectors.max(1))) {
            place = place.saturating_add(*later as usize);
            let answer = answers.get_mut(place).filter(|answer| answer.details.is_empty());
            answer.ok_or_else(unsound)?.details = numbers.into();
        }
        sound(detectors, answers)
    }
}

impl TryFrom<WrittenV6> for KeptAnswers {
    type Error = Error;

    /// # Errors
    /// [`Error::NotAState`] where these are no verdicts that transactions leave.
    fn try_from(WrittenV6 { width, given, numbers }: WrittenV6) -> Result<Self, Error> {
        let width = width as usize;
        let is_sound = numbers.len() == given.len().saturating_mul(width) && width <= 2 + MAX_DETECTORS;
        if !is_sound || (width < 2 && !given.is_empty()) {
            return Err(unsound());
        }
        let answer = |((tag, at), numbers): (&(u64, i64), &[f64])| Answer {
            tag: *tag,
            hour: super::hour(*at),
            score: Score { raw: numbers[0], tail: numbers[1] },
            details: numbers[2..].into(),
        };
        let answers = given.iter().zip(numbers.chunks_exact(width.max(2))).map(answer);
        let KeptAnswers { detectors, answers } = Self::new(width.saturating_sub(2), answers);
        sound(detectors, answers)
    }
}

/// That each is there once, in order.
fn sound(detectors: usize, answers: Vec<Answer>) -> Result<KeptAnswers, Error> {
    let is_sound = answers.is_sorted_by(|a, b| a.key() < b.key());
    if is_sound { Ok(KeptAnswers { detectors, answers }) } else { Err(unsound()) }
}
