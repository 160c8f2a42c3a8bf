//! Entities of one kind, each with its state, found by key.

use std::hash::Hash;

use crate::hash::hash_of;
use crate::index::Index;
use crate::ledger::{Change, Charge};
use crate::segments::Segments;

/// States by key. Entities are numbered from 0 on without a gap; one that is removed leaves its number to the last.
///
/// Nothing here is ever copied or hashed as a whole, so that no payment waits for it: see [`Segments`] and [`Index`].
#[derive(Debug)]
pub(crate) struct Entities<K, S> {
    index: Index,
    keys: Segments<K>,
    states: Segments<S>,
    /// What each is counted with, where memory is.
    charges: Option<Segments<Charge>>,
}

impl<K: Hash + Eq + Copy, S: Default> Entities<K, S> {
    /// None yet; `counts` is whether they will be counted.
    pub(crate) fn new(counts: bool) -> Self {
        let charges = counts.then(Segments::default);
        Self { index: Index::default(), keys: Segments::default(), states: Segments::default(), charges }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The number of an entity.
    pub(crate) fn find(&self, key: &K) -> Option<u32> {
        self.index.find(hash_of(key), |at| self.keys[at as usize] == *key)
    }

    /// The number of an entity, which is added where there is none.
    pub(crate) fn place(&mut self, key: K) -> u32 {
        let hash = hash_of(&key);
        let Self { index, keys, states, charges } = self;
        if let Some(at) = index.find(hash, |at| keys[at as usize] == key) {
            return at;
        }
        let at = keys.len() as u32;
        keys.push(key);
        states.push(S::default());
        if let Some(charges) = charges {
            charges.push(Charge::NOTHING);
        }
        index.insert(hash, at, |at| hash_of(&keys[at as usize]));
        at
    }

    /// Takes an entity out; the last has its number from then on.
    pub(crate) fn remove(&mut self, at: u32) -> Option<S> {
        let Self { index, keys, states, charges } = self;
        index.remove(hash_of(&keys[at as usize]), at, |at| hash_of(&keys[at as usize]));
        let last = keys.len() as u32 - 1;
        keys.swap_remove(at as usize);
        if at < last {
            index.rename(hash_of(&keys[at as usize]), last, at);
        }
        if let Some(charges) = charges {
            charges.swap_remove(at as usize);
        }
        states.swap_remove(at as usize)
    }

    pub(crate) fn key(&self, at: u32) -> K {
        self.keys[at as usize]
    }

    pub(crate) fn state(&self, at: u32) -> &S {
        &self.states[at as usize]
    }

    pub(crate) fn state_mut(&mut self, at: u32) -> &mut S {
        &mut self.states[at as usize]
    }

    pub(crate) fn states(&self) -> impl Iterator<Item = &S> {
        self.states.iter()
    }

    /// What an entity is counted with.
    pub(crate) fn charge(&self, at: u32) -> Charge {
        self.charges.as_ref().map_or(Charge::NOTHING, |charges| charges[at as usize])
    }

    /// Counts an entity with `after` from now on; `None` where that changes nothing or memory is not counted.
    pub(crate) fn recharge(&mut self, at: u32, after: Charge) -> Option<Change> {
        let charge = &mut self.charges.as_mut()?[at as usize];
        let before = std::mem::replace(charge, after);
        (before != after).then_some([before, after])
    }

    /// All states and charges in segments, to be worked on by several threads; no charges where none are counted.
    pub(crate) fn segments(&mut self) -> (&mut [Vec<S>], &mut [Vec<Charge>]) {
        let charges = self.charges.as_mut().map_or(&mut [][..], Segments::segments_mut);
        (self.states.segments_mut(), charges)
    }

    /// Keys, states and charges, in order.
    pub(crate) fn into_each(self) -> impl Iterator<Item = (K, S, Charge)> {
        let charges = self.charges.into_iter().flat_map(Segments::into_each);
        let charges = charges.chain(std::iter::repeat(Charge::NOTHING));
        self.keys
            .into_each()
            .zip(self.states.into_each())
            .zip(charges)
            .map(|((key, state), charge)| (key, state, charge))
    }

    /// Bytes on the heap, those that states hold elsewhere not among them.
    pub(crate) fn bytes(&self) -> usize {
        let charges = self.charges.as_ref().map_or(0, Segments::bytes);
        self.index.bytes() + self.keys.bytes() + self.states.bytes() + charges
    }

    /// Bytes an entity needs here, however many there are.
    pub(crate) const fn needed() -> usize {
        // The index: five bytes in a table that is about half full, and its part of the table itself.
        size_of::<K>() + size_of::<S>() + size_of::<Charge>() + 12
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Period;

    proptest! {
        /// Whatever comes and goes, each entity is found with its own state and charge.
        #[test]
        fn each_has_its_own(steps in prop::collection::vec((0u64..300, 0u32..4), 1..600)) {
            let mut entities = Entities::<(u64, u32), u64>::new(true);
            let mut plain = BTreeMap::new();
            for (i, (key, what)) in (0u64..).zip(steps) {
                let key = (key, 7);
                if what == 0 {
                    let gone = entities.find(&key).and_then(|at| entities.remove(at));
                    prop_assert_eq!(gone, plain.remove(&key));
                } else {
                    let at = entities.place(key);
                    *entities.state_mut(at) = i;
                    entities.recharge(at, Charge { period: Period::of(0), bytes: i });
                    plain.insert(key, i);
                }
                prop_assert_eq!(entities.len(), plain.len());
            }
            for (key, i) in &plain {
                let at = entities.find(key).unwrap();
                prop_assert_eq!((entities.key(at), *entities.state(at), entities.charge(at).bytes), (*key, *i, *i));
            }
            prop_assert_eq!(entities.states().count(), plain.len());
        }
    }
}
