//! Who an entity has dealt with.

use crate::hash::hash_of;
use crate::index::Index;
use crate::ring::{more, roomy};

/// No event.
const NONE: u32 = u32::MAX;

/// Up to so many others are looked for one after the other: their table would take more than they do.
const FEW: usize = 32;

/// An other: the two halves of its id, and the number of the last event with it.
#[derive(Clone, Copy, Debug)]
struct Met([u32; 3]);

impl Met {
    fn new(id: u64) -> Self {
        Self([id as u32, (id >> 32) as u32, NONE])
    }

    fn id(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 32
    }

    fn last(self) -> u32 {
        self.0[2]
    }
}

/// The others of one entity, each in a slot of its own, and the number of the last event with each that is still in the
/// ring.
///
/// That number is all it takes to count different others in a window: an event that leaves takes its other along where
/// it is the last with it, and one that arrives brings a new other where the last with it has left. `EVER` is whether
/// others are remembered whose events have all gone; where not, their slots are given to new ones.
#[derive(Debug)]
pub(crate) struct Linked<const EVER: bool> {
    met: Vec<Met>,
    index: Option<Box<Index>>,
    /// A slot nobody has, where its id would be the next such.
    free: u32,
    n_free: u32,
}

impl<const EVER: bool> Default for Linked<EVER> {
    fn default() -> Self {
        Self { met: Vec::new(), index: None, free: NONE, n_free: 0 }
    }
}

fn hash(id: u64) -> u64 {
    hash_of(&id)
}

impl<const EVER: bool> Linked<EVER> {
    /// Slots, those nobody has included.
    pub(crate) fn len(&self) -> usize {
        self.met.len()
    }

    /// The id in a slot.
    pub(crate) fn id(&self, slot: u32) -> u64 {
        self.met[slot as usize].id()
    }

    /// The id in each slot.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        self.met.iter().map(|met| met.id())
    }

    fn find(&self, id: u64) -> Option<u32> {
        match &self.index {
            Some(index) => index.find(hash(id), |slot| self.id(slot) == id),
            None => {
                let is_it = |met: &Met| met.id() == id && (EVER || met.last() != NONE);
                self.met.iter().position(is_it).map(|slot| slot as u32)
            }
        }
    }

    /// The slot of an other, and whether it is new. One that is new has to be part of the next event.
    pub(crate) fn meet(&mut self, id: u64) -> (u32, bool) {
        if let Some(slot) = self.find(id) {
            return (slot, false);
        }
        let slot = if self.free == NONE {
            let len = self.met.len();
            if len == self.met.capacity() {
                self.met.reserve_exact(more(len));
            }
            self.met.push(Met::new(id));
            len as u32
        } else {
            let slot = self.free;
            self.free = self.id(slot) as u32;
            self.n_free -= 1;
            self.met[slot as usize] = Met::new(id);
            slot
        };
        let met = &self.met;
        let rehash = |slot: u32| hash(met[slot as usize].id());
        match &mut self.index {
            Some(index) => index.insert(hash(id), slot, rehash),
            None if met.len() > FEW => {
                // The new one came last: had a slot been free, it would have that.
                let mut index = Index::default();
                let is_taken = |at: &u32| EVER || *at == slot || met[*at as usize].last() != NONE;
                (0..met.len() as u32).filter(is_taken).for_each(|slot| {
                    index.insert(rehash(slot), slot, rehash);
                });
                self.index = Some(Box::new(index));
            }
            None => {}
        }
        (slot, true)
    }

    /// Number of the last event with the other in `slot`; `None` where all have left the ring.
    pub(crate) fn last(&self, slot: u32) -> Option<u32> {
        Some(self.met[slot as usize].last()).filter(|last| *last != NONE)
    }

    pub(crate) fn set_last(&mut self, slot: u32, number: u32) {
        self.met[slot as usize].0[2] = number;
    }

    /// Numbers of all events have gone down.
    pub(crate) fn renumber(&mut self, by: u32) {
        self.met.iter_mut().filter(|met| met.last() != NONE).for_each(|met| met.0[2] -= by);
    }

    /// Event `number`, with the other in `slot`, has left the ring.
    pub(crate) fn leave(&mut self, slot: u32, number: u32) {
        if self.last(slot) != Some(number) {
            return;
        }
        self.set_last(slot, NONE);
        if !EVER {
            self.free(slot);
        }
    }

    /// Takes back the last event with the other in `slot`: `before` is the number of the one before it that is still in
    /// the ring, and `was_first` is whether the other was new with it.
    pub(crate) fn take_back(&mut self, slot: u32, before: Option<u32>, was_first: bool) {
        match before {
            Some(before) => self.set_last(slot, before),
            None if EVER => {
                self.set_last(slot, NONE);
                // Who was new last has the last slot; in a state that was forged it may be otherwise.
                if was_first && slot as usize + 1 == self.met.len() {
                    self.forget(slot);
                    self.met.pop();
                }
            }
            None => self.free(slot),
        }
    }

    /// Takes the other in `slot` out of the index.
    fn forget(&mut self, slot: u32) {
        let Self { met, index, .. } = self;
        if let Some(index) = index {
            index.remove(hash(met[slot as usize].id()), slot, |slot| hash(met[slot as usize].id()));
        }
    }

    /// Gives a slot to whoever is new next.
    fn free(&mut self, slot: u32) {
        self.forget(slot);
        self.met[slot as usize] = Met::new(u64::from(self.free));
        self.free = slot;
        self.n_free += 1;
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let index = |index: &Index| size_of_val(index) + index.bytes();
        self.met.capacity() * size_of::<Met>() + self.index.as_deref().map_or(0, index)
    }

    /// Bytes on the heap that so many need, however they came to be there.
    pub(crate) fn needed(len: usize) -> usize {
        // A table is half to seven eighths full.
        let index = if len > FEW { len * 16 / 7 * (size_of::<u32>() + 1) + 64 } else { 0 };
        roomy(len) * size_of::<Met>() + index
    }
}
