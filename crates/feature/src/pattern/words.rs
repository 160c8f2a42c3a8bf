//! The words an account's payments are told in, and how often each occurs.

use std::hash::Hasher;

use hashbrown::HashTable;

use super::{KINDS, Payment};
use crate::ring::more;
use crate::window::{IdHasher, IdMap};

#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) tallies: Vec<Tally>,
    /// Where each word is, once there are so many that looking through them takes longer.
    slots: Option<Box<Slots>>,
    /// Slots of words that came together, one of each kind, and where each such set is.
    pub(super) sets: Vec<[u32; KINDS]>,
    index: HashTable<u32>,
}

/// One word of one kind in one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    high: u64,
    pub(super) low: u64,
    of: u32,
    pub(super) day: u32,
    pub(super) week: u32,
}

impl Tally {
    pub(super) fn word(self) -> Word {
        (u128::from(self.high) << 64 | u128::from(self.low), self.of)
    }
}

/// A word's bits, and its kind and direction.
pub(super) type Word = (u128, u32);

/// Where each word is, by its bits, kind and direction.
type Slots = IdMap<(u64, u64, u32), u32>;

/// Words up to which they are looked through one after the other.
pub(super) const FEW: usize = 32;

impl Words {
    fn slot(&mut self, word: Word) -> u32 {
        let key = ((word.0 >> 64) as u64, word.0 as u64, word.1);
        let key_of = |tally: &Tally| (tally.high, tally.low, tally.of);
        let found = match &self.slots {
            Some(slots) => slots.get(&key).copied(),
            None => self.tallies.iter().position(|tally| key_of(tally) == key).map(|slot| slot as u32),
        };
        if let Some(slot) = found {
            return slot;
        }
        let slot = self.tallies.len() as u32;
        if self.tallies.len() == self.tallies.capacity() {
            self.tallies.reserve_exact(more(self.tallies.len()));
        }
        self.tallies.push(Tally { high: key.0, low: key.1, of: key.2, day: 0, week: 0 });
        match &mut self.slots {
            Some(slots) => _ = slots.insert(key, slot),
            None if self.tallies.len() > FEW => {
                self.slots = Some(Box::new(self.tallies.iter().map(key_of).zip(0..).collect()));
            }
            None => {}
        }
        slot
    }

    /// The slot of a payment's words. Those of kinds the feed does not have are all the same.
    pub(super) fn set(&mut self, payment: &Payment, kinds: &[usize]) -> u32 {
        let hash = hash(&payment.words, kinds, payment.is_out);
        let Self { tallies, sets, index, .. } = self;
        // Where there are none of those, the first tells the direction.
        let told = if kinds.is_empty() { &[0] } else { kinds };
        let is_it = |set: &u32| {
            let slots = sets[*set as usize];
            told.iter()
                .all(|&kind| tallies[slots[kind] as usize].word() == (payment.words[kind], tag(kind, payment.is_out)))
        };
        if let Some(&set) = index.find(hash, is_it) {
            return set;
        }
        let mut slots = [0; KINDS];
        for (kind, slot) in slots.iter_mut().enumerate() {
            *slot = self.slot((payment.words[kind], tag(kind, payment.is_out)));
        }
        let set = self.sets.len() as u32;
        if self.sets.len() == self.sets.capacity() {
            self.sets.reserve_exact(more(self.sets.len()));
        }
        self.sets.push(slots);
        let Self { tallies, sets, index, .. } = self;
        let rehash = |set: &u32| {
            let words = sets[*set as usize].map(|slot| tallies[slot as usize].word());
            self::hash(&words.map(|(bits, _)| bits), kinds, words[0].1 == tag(0, true))
        };
        index.insert_unique(hash, set, rehash);
        set
    }

    pub(super) fn bytes(&self) -> usize {
        let slots = |slots: &Slots| size_of_val(slots) + slots.allocation_size();
        self.slots.as_deref().map_or(0, slots)
            + self.tallies.capacity() * size_of::<Tally>()
            + self.sets.capacity() * size_of::<[u32; KINDS]>()
            + self.index.allocation_size()
    }
}

fn hash(words: &[u128; KINDS], kinds: &[usize], is_out: bool) -> u64 {
    let mut hasher = IdHasher::default();
    for word in kinds.iter().map(|&kind| words[kind]) {
        hasher.write_u64(word as u64);
        hasher.write_u64((word >> 64) as u64);
    }
    hasher.write_u32(u32::from(is_out));
    hasher.finish()
}

pub(super) fn tag(kind: usize, is_out: bool) -> u32 {
    kind as u32 * 2 + u32::from(is_out)
}
