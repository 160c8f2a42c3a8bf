//! States as they are kept: what cannot be computed from the rest, checked as it is read back.

use serde::{Deserialize, Serialize};

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
    /// No transactions leave such a state.
    #[error("entity {entity} of `{family}` is in a state that no transactions leave")]
    Impossible {
        /// The family.
        family: &'static str,
        /// Which of its entities, counted from 0.
        entity: usize,
    },
    /// Both sides have taken transactions of one account.
    #[error("entity {entity} of `{family}` is in both states, and whose windows it has cannot be told")]
    InBoth {
        /// The family.
        family: &'static str,
        /// Which of its entities in the state that was to be added, counted from 0.
        entity: usize,
    },
}

/// All families of a set.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) watermark: Option<i64>,
    /// Name, and entities in the order of their keys.
    pub(crate) families: Vec<(String, Vec<u8>)>,
}

/// Events of one entity, without the sums of their windows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptEvents {
    /// All others ever met, in the order of their slots.
    pub(crate) others: Vec<u64>,
    first_at: i64,
    /// Microseconds since the event before, minor units, and the other side's slot.
    ring: Vec<(u64, u64, u32)>,
}

impl KeptEvents {
    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    pub(crate) fn of<const W: usize, const FROM: usize, const D: usize>(events: &Events<W, FROM, D>) -> Self {
        let first_at = events.iter().next().map_or(0, |event| event.at);
        let mut before = first_at;
        let ring = events.iter().map(|event| {
            let gap = event.at.wrapping_sub(before) as u64;
            before = event.at;
            // Magnitudes are never negative.
            (gap, event.minor as u64, event.other)
        });
        let ring = ring.collect();
        Self { others: events.others(), first_at, ring }
    }

    /// The events; `None` where no transactions up to `watermark` leave them.
    pub(crate) fn revive<const W: usize, const FROM: usize, const D: usize>(
        self,
        watermark: i64,
    ) -> Option<Events<W, FROM, D>> {
        let mut events = Events::default();
        for (slot, &other) in self.others.iter().enumerate() {
            let (got, is_new) = events.meet(other);
            if !is_new || got as usize != slot {
                return None;
            }
        }
        let mut at = self.first_at;
        for (gap, minor, other) in self.ring {
            at = at.checked_add_unsigned(gap)?;
            let minor = i64::try_from(minor).ok()?;
            if at > watermark || other as usize >= self.others.len() {
                return None;
            }
            events.push(at, minor, other);
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
        for (at, minor, other) in timed(other.first_at, &other.ring)? {
            all.push((at, minor, *renamed.get(other as usize)?));
        }
        all.sort_by_key(|&(at, ..)| at);
        self.first_at = all.first().map_or(0, |&(at, ..)| at);
        let mut before = self.first_at;
        self.ring.clear();
        for (at, minor, other) in all {
            self.ring.push((at.wrapping_sub(before) as u64, minor, other));
            before = at;
        }
        Some(self)
    }
}

fn timed(first: i64, ring: &[(u64, u64, u32)]) -> Option<Vec<(i64, u64, u32)>> {
    let mut at = first;
    let step = |&(gap, minor, other): &(u64, u64, u32)| {
        at = at.checked_add_unsigned(gap)?;
        Some((at, minor, other))
    };
    ring.iter().map(step).collect()
}
