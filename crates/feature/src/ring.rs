//! Events of one entity, twelve bytes each.

use std::collections::VecDeque;

use crate::chunks::Chunks;

/// One event as an entity remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: i64,
    /// Magnitude in minor units, never negative.
    pub(crate) minor: i64,
    /// The other side's slot in [`Linked`](crate::linked::Linked).
    pub(crate) other: u32,
    /// The marks of the entity's rule: two bits.
    pub(crate) marks: u8,
}

const TIME_BITS: u32 = 46;
const MINOR_BITS: u32 = 27;
const OTHER_BITS: u32 = 21;
const MARK_BITS: u32 = 2;
const _: () = assert!(TIME_BITS + MINOR_BITS + OTHER_BITS + MARK_BITS == 96, "three words of 32 bits");

/// The longest time between the first event of a ring and its last, in microseconds: 814 days.
pub(crate) const MAX_SPAN: i64 = (1 << TIME_BITS) - 1;

/// Stands where the magnitude or the slot is too large for its bits: both are then in [`Ring::large`].
const LARGE: u32 = (1 << MINOR_BITS) - 1;
const MAX_OTHER: u32 = (1 << OTHER_BITS) - 1;

/// Bits of the slot that stand above the time; the others stand above magnitude and marks.
const OTHER_LOW: u32 = 64 - TIME_BITS;

/// Time and low bits of the slot in two words; magnitude, marks and high bits of the slot in the third.
fn pack(time: u64, minor: u32, other: u32, marks: u8) -> [u32; 3] {
    let low = time | u64::from(other) << TIME_BITS;
    let high = minor | u32::from(marks) << MINOR_BITS | other >> OTHER_LOW << (MINOR_BITS + MARK_BITS);
    [low as u32, (low >> 32) as u32, high]
}

fn low(packed: [u32; 3]) -> u64 {
    u64::from(packed[0]) | u64::from(packed[1]) << 32
}

/// Events, oldest first: 46 bits of time since a base, 27 of magnitude (1.3 million major units of two digits), 21 of
/// slot (two million others), two of marks. What does not fit is kept beside it at full width; nothing is rounded.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    packed: Chunks<[u32; 3]>,
    base: i64,
    /// Number of the first event, counted from the first there ever was.
    begun: u32,
    /// Number, magnitude and slot of events that need more bits; mostly none.
    #[expect(
        clippy::box_collection,
        reason = "eight bytes an entity instead of thirty-two, for what hardly any entity has"
    )]
    large: Option<Box<VecDeque<(u32, i64, u32)>>>,
}

/// Numbers of events end here, so that one is left that means none.
const LAST_NUMBER: u32 = u32::MAX - 1;

impl Ring {
    pub(crate) fn len(&self) -> usize {
        self.packed.len()
    }

    /// Number of the first event; those behind it count on from there.
    pub(crate) fn begun(&self) -> u32 {
        self.begun
    }

    fn time(&self, packed: [u32; 3]) -> i64 {
        self.base.wrapping_add((low(packed) & MAX_SPAN as u64) as i64)
    }

    #[inline]
    fn unpack(&self, packed: [u32; 3], number: u32) -> Event {
        #[cfg(test)]
        work::add();
        let at = self.time(packed);
        let high = packed[2];
        let minor = high & LARGE;
        let marks = (high >> MINOR_BITS & ((1 << MARK_BITS) - 1)) as u8;
        if minor == LARGE
            && let Some(large) = &self.large
            && let Ok(found) = large.binary_search_by_key(&number, |&(number, ..)| number)
            && let Some(&(_, minor, other)) = large.get(found)
        {
            return Event { at, minor, other, marks };
        }
        let other = (low(packed) >> TIME_BITS) as u32 | high >> (MINOR_BITS + MARK_BITS) << OTHER_LOW;
        Event { at, minor: i64::from(minor), other, marks }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Event> {
        self.packed.get(index).map(|packed| self.unpack(packed, self.begun + index as u32))
    }

    /// Event `index`, where it was at `bound` or before.
    #[inline]
    pub(crate) fn get_until(&self, index: usize, bound: i64) -> Option<Event> {
        let packed = self.packed.get(index)?;
        (self.time(packed) <= bound).then(|| self.unpack(packed, self.begun + index as u32))
    }

    /// Event `index`, where it was after `bound`.
    pub(crate) fn get_after(&self, index: usize, bound: i64) -> Option<Event> {
        let packed = self.packed.get(index)?;
        (self.time(packed) > bound).then(|| self.unpack(packed, self.begun + index as u32))
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Event> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The largest magnitude of the last `n` events; 0 where there are none.
    pub(crate) fn largest_of_last(&self, n: usize) -> i64 {
        #[cfg(test)]
        (0..n.min(self.len())).for_each(|_| work::add());
        let minor = |packed: &[u32; 3]| packed[2] & LARGE;
        let largest = self.packed.last(n).map(|events| events.iter().map(minor).fold(0, u32::max)).fold(0, u32::max);
        if largest < LARGE {
            return largest.into();
        }
        self.iter().rev().take(n).map(|event| event.minor).max().unwrap_or(0)
    }

    /// Adds an event that is not older than the last, and not [`MAX_SPAN`] younger than the first. `renumber` is given
    /// by how much the numbers of all events go down, which is once in four thousand million.
    pub(crate) fn push(&mut self, event: Event, renumber: impl FnOnce(u32)) {
        let Event { at, minor, other, marks } = event;
        if self.packed.len() == 0 {
            self.base = at;
        } else if at.wrapping_sub(self.base) > MAX_SPAN {
            self.rebase();
        }
        if self.begun as usize + self.packed.len() >= LAST_NUMBER as usize {
            renumber(self.begun);
            self.large.iter_mut().flat_map(|large| large.iter_mut()).for_each(|(number, ..)| *number -= self.begun);
            self.begun = 0;
        }
        let mut small = (minor as u32, other);
        if minor >= i64::from(LARGE) || other > MAX_OTHER {
            small = (LARGE, 0);
            let number = self.begun + self.packed.len() as u32;
            self.large.get_or_insert_default().push_back((number, minor, other));
        }
        let time = at.wrapping_sub(self.base).clamp(0, MAX_SPAN) as u64;
        self.packed.push(pack(time, small.0, small.1, marks));
    }

    /// Counts time from the first event on again.
    fn rebase(&mut self) {
        let Some(first) = self.get(0) else { return };
        let gone = first.at.wrapping_sub(self.base) as u64;
        for packed in self.packed.iter_mut() {
            let low = low(*packed) - gone;
            (packed[0], packed[1]) = (low as u32, (low >> 32) as u32);
        }
        self.base = first.at;
    }

    /// Lets go of the first event where it was at `bound` or before: its other and number.
    pub(crate) fn pop_first(&mut self, bound: i64) -> Option<(u32, u32)> {
        let number = self.begun;
        let other = self.get_until(0, bound)?.other;
        self.packed.pop();
        self.begun += 1;
        if let Some(large) = &mut self.large {
            while large.pop_front_if(|(number, ..)| *number < self.begun).is_some() {}
            if large.is_empty() {
                self.large = None;
            }
        }
        Some((other, number))
    }

    /// Takes back the last event where it was after `bound`.
    pub(crate) fn pop_last(&mut self, bound: i64) -> Option<Event> {
        let index = self.len().checked_sub(1)?;
        let event = self.get_after(index, bound)?;
        self.packed.pop_last();
        if let Some(large) = &mut self.large {
            let number = self.begun + index as u32;
            large.pop_back_if(|(of, ..)| *of == number);
            if large.is_empty() {
                self.large = None;
            }
        }
        Some(event)
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let large =
            |large: &VecDeque<(u32, i64, u32)>| size_of_val(large) + large.capacity() * size_of::<(u32, i64, u32)>();
        self.packed.bytes() + self.large.as_deref().map_or(0, large)
    }

    /// Bytes its events from the `from`th on need, however they came to be there.
    pub(crate) fn needed(&self, from: usize) -> usize {
        let first = self.begun + from as u32;
        let large = self.large.as_ref().map_or(0, |large| large.len() - large.partition_point(|(at, ..)| *at < first));
        Chunks::<[u32; 3]>::needed(self.len() - from) + large * 2 * size_of::<(u32, i64, u32)>()
    }
}

/// Counts the events that are looked at, so that tests know what something costs.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local! {
        static EVENTS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn add() {
        EVENTS.set(EVENTS.get() + 1);
    }

    /// How many events `run` looks at.
    pub(crate) fn of(run: impl FnOnce()) -> usize {
        let before = EVENTS.get();
        run();
        EVENTS.get() - before
    }
}

/// By how many elements a list of `len` grows: an eighth is copied often enough to matter little, and wastes little.
pub(crate) fn more(len: usize) -> usize {
    len / 8 + 4
}

/// The most elements a list of `len` that grows by [`more`] has room for.
pub(crate) fn roomy(len: usize) -> usize {
    len + more(len)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn events() -> impl Strategy<Value = Vec<(i64, i64, u32, u8, usize, usize)>> {
        let step = prop_oneof![0i64..10, 0..MAX_SPAN / 3, Just(0)];
        let minor = prop_oneof![0i64..1_000, Just(i64::from(LARGE) - 1), Just(i64::from(LARGE)), Just(i64::MAX)];
        let other = prop_oneof![0u32..9, Just(MAX_OTHER), Just(MAX_OTHER + 1), Just(u32::MAX - 1)];
        prop::collection::vec((step, minor, other, 0u8..4, 0usize..3, 0usize..3), 1..60)
    }

    proptest! {
        /// Whatever goes in comes out, over any number of bases and with numbers that run out on the way.
        #[test]
        fn holds_what_it_was_given(rows in events(), begun in prop_oneof![Just(0), LAST_NUMBER - 40..LAST_NUMBER]) {
            let mut ring = Ring { begun, ..Ring::default() };
            let mut plain: VecDeque<Event> = VecDeque::new();
            let mut at = -5_000_000;
            for (step, minor, other, marks, drop, taken_back) in rows {
                at += step;
                let old = plain.iter().take_while(|event| at - event.at > MAX_SPAN).count();
                let drop = (old + drop).min(plain.len());
                for gone in plain.drain(..drop) {
                    prop_assert_eq!(ring.pop_first(gone.at - 1), None);
                    let (other, number) = ring.pop_first(gone.at).unwrap();
                    prop_assert_eq!((other, number + 1), (gone.other, ring.begun()));
                }
                let event = Event { at, minor, other, marks };
                let mut lowered = None;
                let before = ring.begun;
                ring.push(event, |by| lowered = Some(by));
                plain.push_back(event);
                prop_assert_eq!(ring.begun, before - lowered.unwrap_or(0));
                for _ in 0..taken_back {
                    prop_assert_eq!(ring.pop_last(plain.back().map_or(0, |event| event.at)), None);
                    prop_assert_eq!(ring.pop_last(i64::MIN), plain.pop_back());
                }
                at = plain.back().map_or(at, |event| event.at);
                prop_assert_eq!(ring.iter().collect::<VecDeque<_>>(), plain.clone());
                for n in [0, 1, 17, 64, usize::MAX] {
                    let largest = plain.iter().rev().take(n).map(|event| event.minor).max();
                    prop_assert_eq!(ring.largest_of_last(n), largest.unwrap_or(0));
                }
                prop_assert_eq!(plain.len().checked_sub(1).and_then(|last| ring.get(last)), plain.back().copied());
                prop_assert!(ring.needed(0) >= 12 * plain.len() && ring.needed(plain.len()) < 12 * (plain.len() + 64));
            }
        }
    }
}
