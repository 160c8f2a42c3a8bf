//! States as they are kept: what cannot be computed from the rest, checked as it is read back.

use crible_core::KeptTransaction;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::hash::IdMap;
use crate::ring::{Event, MAX_SPAN};
use crate::spans::Spans;
use crate::window::Events;

/// Bytes that are no state of this set, or one that cannot be brought together with what is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The bytes do not decode.
    #[error("the state does not decode ({0})")]
    Encoding(String),
    /// The families are not those of the set.
    #[error("the state is about {got}, expected {expected}")]
    Families {
        /// Names of the families in the state.
        got: String,
        /// Names of the set's.
        expected: String,
    },
    /// No transactions leave such hours or spans.
    #[error("the state's clock is one that no transactions leave")]
    Clock,
    /// No transactions are so, or so many, whose time is to be confirmed.
    #[error("the state has transactions to be confirmed which no feed leaves")]
    Provisional,
    /// No transactions leave such a state.
    #[error("entity {entity} of `{family}` is in a state that no transactions leave")]
    Impossible {
        /// The family.
        family: &'static str,
        /// Which of its entities, counted from 0.
        entity: usize,
    },
    /// Both sides have taken transactions of one account.
    #[error("entity {entity} of `{family}` is in both states; expected it in one")]
    InBoth {
        /// The family.
        family: &'static str,
        /// Which of its entities in the state that was to be added, counted from 0.
        entity: usize,
    },
}

/// What there is to know of a state that is read back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saved {
    /// Its format.
    pub(crate) format: u8,
    /// The latest payment it has seen.
    pub(crate) watermark: i64,
    /// The latest that the set it is brought together with has seen.
    pub(crate) here: i64,
    /// The period from which on that set remembers entities.
    pub(crate) from: i64,
}

impl Saved {
    /// The latest payment that either has seen.
    pub(crate) fn latest(self) -> i64 {
        self.watermark.max(self.here)
    }
}

/// Takes what comes next from the bytes of a state.
pub(crate) fn take<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, StateError> {
    let (taken, rest) = postcard::take_from_bytes(bytes).map_err(|error| StateError::Encoding(error.to_string()))?;
    *bytes = rest;
    Ok(taken)
}

/// What a state has besides its families.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) watermark: Option<i64>,
    /// Nothing older than this can be placed, whatever the lateness allows.
    pub(crate) floor: Option<i64>,
    /// The lateness its events are kept for, in microseconds.
    pub(crate) lateness: i64,
    /// The period from which on entities are remembered, where the budget has forgotten any.
    pub(crate) from: Option<i64>,
    /// How far the clock was advanced. This and what follows stand behind the families.
    #[serde(skip)]
    pub(crate) advanced: Option<i64>,
    /// The latest hours with payments.
    #[serde(skip)]
    pub(crate) hours: Vec<i64>,
    /// When it has observed.
    #[serde(skip)]
    pub(crate) observed: Spans,
    /// Transactions whose time is to be confirmed.
    #[serde(skip)]
    pub(crate) provisional: Vec<KeptTransaction>,
}

/// A whole state.
pub(crate) struct Kept {
    pub(crate) head: Head,
    /// Name, and entities in the order of their keys.
    pub(crate) families: Families,
}

type Families = Vec<(String, Vec<u8>)>;

impl Kept {
    pub(crate) fn read(bytes: &[u8], format: u8) -> Result<Self, StateError> {
        let undecoded = |error: postcard::Error| StateError::Encoding(error.to_string());
        let old = |watermark, floor, lateness| Head {
            watermark,
            floor,
            lateness,
            from: None,
            advanced: None,
            hours: Vec::new(),
            // Not saved up to format 5: long ago.
            observed: Spans::ever(watermark),
            // None up to format 6: every payment was taken in at once.
            provisional: Vec::new(),
        };
        let (head, families) = match format {
            1 => {
                let KeptV1 { watermark, families } = postcard::from_bytes(bytes).map_err(undecoded)?;
                (old(watermark, watermark, 0), families)
            }
            2 | 3 => {
                let KeptV3 { watermark, floor, lateness, families } = postcard::from_bytes(bytes).map_err(undecoded)?;
                (old(watermark, floor, lateness), families)
            }
            4 => {
                let KeptV4 { watermark, floor, lateness, families, advanced, hours } =
                    postcard::from_bytes(bytes).map_err(undecoded)?;
                (Head { advanced, hours, ..old(watermark, floor, lateness) }, families)
            }
            5 => {
                let (head, families, advanced, hours): (Head, _, _, _) =
                    postcard::from_bytes(bytes).map_err(undecoded)?;
                let observed = Spans::ever(head.watermark);
                (Head { advanced, hours, observed, ..head }, families)
            }
            _ => {
                let ((head, families, advanced, hours, observed), rest): ((Head, _, _, _, Spans), _) =
                    postcard::take_from_bytes(bytes).map_err(undecoded)?;
                if !observed.is_sound(head.watermark) {
                    return Err(StateError::Clock);
                }
                let provisional = if format > 6 { postcard::from_bytes(rest).map_err(undecoded)? } else { Vec::new() };
                (Head { advanced, hours, observed, provisional, ..head }, families)
            }
        };
        Ok(Self { head, families })
    }
}

/// All families of a set, as format 4 kept them: no budget had to be remembered.
#[derive(Deserialize)]
struct KeptV4 {
    watermark: Option<i64>,
    floor: Option<i64>,
    lateness: i64,
    families: Families,
    advanced: Option<i64>,
    hours: Vec<i64>,
}

/// All families of a set, as formats 2 and 3 kept them: there was no clock but the latest payment.
#[derive(Deserialize)]
struct KeptV3 {
    watermark: Option<i64>,
    floor: Option<i64>,
    lateness: i64,
    families: Families,
}

/// All families of a set, as format 1 kept them: there was no lateness.
#[derive(Deserialize)]
struct KeptV1 {
    watermark: Option<i64>,
    families: Families,
}

/// Events of one entity, without the sums of their windows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptEvents {
    /// Others in the order of their slots: all ever met, or those there are events with in the order of the first.
    pub(crate) others: Vec<u64>,
    first_at: i64,
    /// Microseconds since the event before, minor units, the other side's slot, and marks.
    ring: Vec<(u64, u64, u32, u8)>,
}

/// The same in format 1, which had no marks.
#[derive(Debug, Deserialize)]
pub(crate) struct KeptEventsV1 {
    others: Vec<u64>,
    first_at: i64,
    ring: Vec<(u64, u64, u32)>,
}

impl KeptEventsV1 {
    /// How many others there are.
    pub(crate) fn others(&self) -> usize {
        self.others.len()
    }

    /// The same with the marks `mark` gives an event by its time.
    pub(crate) fn marked(self, mut mark: impl FnMut(i64) -> u8) -> Option<KeptEvents> {
        let Self { others, first_at, ring } = self;
        let mut at = first_at;
        let marked = |(gap, minor, other): (u64, u64, u32)| {
            at = at.checked_add_unsigned(gap)?;
            Some((gap, minor, other, mark(at)))
        };
        Some(KeptEvents { others, first_at, ring: ring.into_iter().map(marked).collect::<Option<_>>()? })
    }
}

impl KeptEvents {
    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    /// The events after `after`; older ones nobody will read.
    pub(crate) fn of<const W: usize, const FROM: usize, const D: usize, const EVER: bool>(
        events: &Events<W, FROM, D, EVER>,
        after: i64,
    ) -> Self {
        let kept: Vec<Event> = events.iter().filter(|event| event.at > after).collect();
        let first_at = kept.first().map_or(0, |event| event.at);
        let mut others = if EVER { events.linked().ids().collect() } else { Vec::new() };
        let mut renamed = IdMap::default();
        let mut before = first_at;
        let ring = kept.iter().map(|event| {
            let gap = event.at.wrapping_sub(before) as u64;
            before = event.at;
            let slot = if EVER {
                event.other
            } else {
                *renamed.entry(event.other).or_insert_with(|| {
                    others.push(events.linked().id(event.other));
                    others.len() as u32 - 1
                })
            };
            // Magnitudes are never negative.
            (gap, event.minor as u64, slot, event.marks)
        });
        let ring = ring.collect();
        Self { others, first_at, ring }
    }

    /// The events, which can be undone for as long as `lateness` allows; `None` where no transactions up to `watermark`
    /// leave them.
    pub(crate) fn revive<const W: usize, const FROM: usize, const D: usize, const EVER: bool>(
        self,
        watermark: i64,
        lateness: i64,
    ) -> Option<Events<W, FROM, D, EVER>> {
        let mut events = Events::default();
        if EVER {
            for (slot, &other) in self.others.iter().enumerate() {
                let (got, is_new) = events.meet(other);
                if !is_new || got as usize != slot {
                    return None;
                }
            }
        }
        for (at, minor, other, marks) in timed(self.first_at, &self.ring)? {
            let id = *self.others.get(other as usize)?;
            let is_far = at.checked_sub(self.first_at).is_none_or(|span| span > MAX_SPAN);
            if at > watermark || is_far || marks > 3 {
                return None;
            }
            let (slot, _) = events.meet(id);
            events.push(at, i64::try_from(minor).ok()?, slot, marks, lateness);
        }
        Some(events)
    }

    /// The events of both in order of time.
    pub(crate) fn join(mut self, other: Self) -> Option<Self> {
        let mut slots: hashbrown::HashMap<u64, u32> = (0..).zip(&self.others).map(|(slot, &id)| (id, slot)).collect();
        let mut renamed = Vec::with_capacity(other.others.len());
        for id in other.others {
            let next = u32::try_from(self.others.len()).ok()?;
            let slot = *slots.entry(id).or_insert(next);
            if slot == next {
                self.others.push(id);
            }
            renamed.push(slot);
        }
        let mut all = timed(self.first_at, &self.ring)?;
        for (at, minor, other, marks) in timed(other.first_at, &other.ring)? {
            all.push((at, minor, *renamed.get(other as usize)?, marks));
        }
        all.sort_by_key(|&(at, ..)| at);
        self.first_at = all.first().map_or(0, |&(at, ..)| at);
        let mut before = self.first_at;
        self.ring.clear();
        for (at, minor, other, marks) in all {
            self.ring.push((at.wrapping_sub(before) as u64, minor, other, marks));
            before = at;
        }
        Some(self)
    }
}

fn timed(first: i64, ring: &[(u64, u64, u32, u8)]) -> Option<Vec<(i64, u64, u32, u8)>> {
    let mut at = first;
    let step = |&(gap, minor, other, marks): &(u64, u64, u32, u8)| {
        at = at.checked_add_unsigned(gap)?;
        Some((at, minor, other, marks))
    };
    ring.iter().map(step).collect()
}
