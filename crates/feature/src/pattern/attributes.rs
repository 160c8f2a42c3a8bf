//! Values of the attributes of an account's payments, and how often each occurs.

use std::hash::Hasher;

use hashbrown::HashTable;

use super::{ATTRIBUTES, Payment};
use crate::hash::{IdHasher, IdMap};
use crate::ring::more;

#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) tallies: Vec<Tally>,
    /// Where each value is, once there are so many that looking through them takes longer.
    slots: Option<Box<Slots>>,
    /// Slots of values that came together, one of each attribute, and where each such set is.
    pub(super) sets: Vec<[u32; ATTRIBUTES]>,
    index: HashTable<u32>,
}

/// One value of one attribute in one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    high: u64,
    pub(super) low: u64,
    of: u32,
    pub(super) day: u32,
    pub(super) week: u32,
}

impl Tally {
    pub(super) fn value(self) -> Value {
        (u128::from(self.high) << 64 | u128::from(self.low), self.of)
    }
}

/// A value's bits, and its attribute and direction.
pub(super) type Value = (u128, u32);

/// Where each value is, by its bits, attribute and direction.
type Slots = IdMap<(u64, u64, u32), u32>;

/// Values up to which they are looked through one after the other.
pub(super) const FEW: usize = 32;

impl Attributes {
    fn slot(&mut self, value: Value) -> u32 {
        let key = ((value.0 >> 64) as u64, value.0 as u64, value.1);
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

    /// The slot of a payment's set of values. Those of attributes the feed does not have are all the same.
    pub(super) fn set(&mut self, payment: &Payment, attributes: &[usize]) -> u32 {
        let hash = hash(&payment.values, attributes, payment.is_out);
        let Self { tallies, sets, index, .. } = self;
        // Where there are none of those, the first shows the direction.
        let looked_at = if attributes.is_empty() { &[0] } else { attributes };
        let is_it = |set: &u32| {
            let slots = sets[*set as usize];
            looked_at
                .iter()
                .all(|&of| tallies[slots[of] as usize].value() == (payment.values[of], tag(of, payment.is_out)))
        };
        if let Some(&set) = index.find(hash, is_it) {
            return set;
        }
        let mut slots = [0; ATTRIBUTES];
        for (of, slot) in slots.iter_mut().enumerate() {
            *slot = self.slot((payment.values[of], tag(of, payment.is_out)));
        }
        let set = self.sets.len() as u32;
        if self.sets.len() == self.sets.capacity() {
            self.sets.reserve_exact(more(self.sets.len()));
        }
        self.sets.push(slots);
        let Self { tallies, sets, index, .. } = self;
        let rehash = |set: &u32| {
            let values = sets[*set as usize].map(|slot| tallies[slot as usize].value());
            self::hash(&values.map(|(bits, _)| bits), attributes, values[0].1 == tag(0, true))
        };
        index.insert_unique(hash, set, rehash);
        set
    }

    pub(super) fn bytes(&self) -> usize {
        let slots = |slots: &Slots| size_of_val(slots) + slots.allocation_size();
        self.slots.as_deref().map_or(0, slots)
            + self.tallies.capacity() * size_of::<Tally>()
            + self.sets.capacity() * size_of::<[u32; ATTRIBUTES]>()
            + self.index.allocation_size()
    }
}

fn hash(values: &[u128; ATTRIBUTES], attributes: &[usize], is_out: bool) -> u64 {
    let mut hasher = IdHasher::default();
    for value in attributes.iter().map(|&of| values[of]) {
        hasher.write_u64(value as u64);
        hasher.write_u64((value >> 64) as u64);
    }
    hasher.write_u32(u32::from(is_out));
    hasher.finish()
}

/// An attribute and a direction as one number.
pub(super) fn tag(attribute: usize, is_out: bool) -> u32 {
    attribute as u32 * 2 + u32::from(is_out)
}
