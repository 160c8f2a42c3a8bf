//! Where verdicts stand, by their tags.

/// Numbers moved from the smaller table for each that is added, while one grows.
const MOVED: u32 = 4;

/// Numbers of verdicts by their tags.
///
/// Two open tables with linear probing (Knuth, volume 3, 6.4, algorithms L and R). Where the first is three quarters full,
/// one of half as much again takes its place, and its entries are moved a few at a time: whoever adds one never waits for all of
/// them. What is taken out leaves no mark, so that a table never has to be cleaned.
///
/// A number is found by its tag, and every number in the tables is one of `begun..end`, in the order in which they were
/// added.
#[derive(Debug, Default)]
pub(super) struct Index {
    now: Table,
    /// What is still to be moved.
    before: Table,
    /// The next number to be moved, if it is still there.
    next: u32,
}

/// Half of a tag and a number in a slot; zero where it is free.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<u64>,
    len: usize,
}

/// Half of a tag, which is never zero.
fn half(tag: u64) -> u64 {
    tag & 0xffff_ffff | 1
}

impl Table {
    /// Where a slot is looked for first: halves of tags are spread evenly over a table of any length.
    fn home(&self, slot: u64) -> usize {
        (((slot >> 32) * self.slots.len() as u64) >> 32) as usize
    }

    fn after(&self, place: usize) -> usize {
        if place + 1 == self.slots.len() { 0 } else { place + 1 }
    }

    fn find(&self, tag: u64, is_it: impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        if self.len == 0 {
            return None;
        }
        let half = half(tag);
        let mut place = self.home(half << 32);
        // A table is never full, so that every search ends at a free slot.
        while self.slots[place] != 0 {
            let (other, number) = (self.slots[place] >> 32, self.slots[place] as u32);
            if other == half && is_it(number) {
                return Some((place, number));
            }
            place = self.after(place);
        }
        None
    }

    fn insert(&mut self, tag: u64, number: u32) {
        let slot = half(tag) << 32 | u64::from(number);
        let mut place = self.home(slot);
        while self.slots[place] != 0 {
            place = self.after(place);
        }
        self.slots[place] = slot;
        self.len += 1;
    }

    /// Frees a place, and closes the gap in whatever was put behind it.
    fn remove(&mut self, mut gap: usize) {
        let mut place = gap;
        loop {
            place = self.after(place);
            let slot = self.slots[place];
            if slot == 0 {
                break;
            }
            let home = self.home(slot);
            let stays = if gap < place { gap < home && home <= place } else { gap < home || home <= place };
            if !stays {
                self.slots[gap] = slot;
                gap = place;
            }
        }
        self.slots[gap] = 0;
        self.len -= 1;
    }
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.now.len + self.before.len
    }

    /// The number with this tag, that `is_it` accepts.
    pub(super) fn find(&self, tag: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let found = self.now.find(tag, &is_it).or_else(|| self.before.find(tag, &is_it));
        found.map(|(_, number)| number)
    }

    /// Adds a number that is not there. `tag_of` gives the tag of one that is.
    pub(super) fn insert(&mut self, tag: u64, number: u32, begun: u32, tag_of: impl Fn(u32) -> u64) {
        if 4 * (self.len() + 1) > 3 * self.now.slots.len() {
            // Not reached with anything left to move: until a table that is half full is three quarters full, half as
            // many are added as there were, and four are moved for each.
            self.move_some(u32::MAX, &tag_of);
            let slots = vec![0; (2 * (self.len() + 1)).max(64)];
            self.before = std::mem::replace(&mut self.now, Table { slots, len: 0 });
            self.next = begun;
        }
        self.now.insert(tag, number);
        self.move_some(MOVED, &tag_of);
    }

    fn move_some(&mut self, most: u32, tag_of: impl Fn(u32) -> u64) {
        for _ in 0..most {
            if self.before.len == 0 {
                if !self.before.slots.is_empty() {
                    self.before = Table::default();
                }
                return;
            }
            let (number, tag) = (self.next, tag_of(self.next));
            if let Some((place, _)) = self.before.find(tag, |other| other == number) {
                self.before.remove(place);
                self.now.insert(tag, number);
            }
            self.next = number.wrapping_add(1);
        }
    }

    /// Takes out the first number, `begun`.
    pub(super) fn remove_first(&mut self, tag: u64, begun: u32) {
        if let Some((place, _)) = self.before.find(tag, |number| number == begun) {
            self.before.remove(place);
        } else if let Some((place, _)) = self.now.find(tag, |number| number == begun) {
            self.now.remove(place);
        }
        if self.next == begun {
            self.next = begun.wrapping_add(1);
        }
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        (self.now.slots.capacity() + self.before.slots.capacity()) * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is there is found, and what is not is not, while numbers come at the end and go in front; tags are
        /// close together, and numbers begin anew after the largest.
        #[test]
        fn finds_what_is_there(steps in prop::collection::vec((0u32..300, 0u32..300, 0u64..4), 1..20)) {
            let (mut index, mut tags, mut begun) = (Index::default(), VecDeque::new(), u32::MAX - 200);
            let mut next_tag = 0u64;
            for (added, removed, near) in steps {
                for _ in 0..added {
                    // Few homes, many to each.
                    next_tag += 1;
                    let tag = (next_tag << 32) | ((next_tag % (7 + 40 * near)) << 1);
                    let number = begun.wrapping_add(tags.len() as u32);
                    let all = &tags;
                    let tag_of = |number: u32| -> u64 {
                        let place = number.wrapping_sub(begun) as usize;
                        all.get(place).copied().unwrap_or(tag)
                    };
                    index.insert(tag, number, begun, tag_of);
                    tags.push_back(tag);
                }
                for _ in 0..removed.min(tags.len() as u32) {
                    index.remove_first(tags[0], begun);
                    tags.pop_front();
                    begun = begun.wrapping_add(1);
                }
                prop_assert_eq!(index.len(), tags.len());
                let tag_of = |number: u32| tags.get(number.wrapping_sub(begun) as usize).copied();
                for (place, tag) in tags.iter().enumerate() {
                    let number = index.find(*tag, |number| tag_of(number) == Some(*tag));
                    prop_assert_eq!(number, Some(begun.wrapping_add(place as u32)));
                    prop_assert_eq!(index.find(tag ^ 1 << 60, |number| tag_of(number) == Some(tag ^ 1 << 60)), None);
                }
            }
        }
    }

    /// No insertion moves more than a few entries.
    #[test]
    fn growth_is_spread() {
        let mut index = Index::default();
        let tag = |number: u32| u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for number in 0..200_000 {
            let left = index.before.len;
            index.insert(tag(number), number, 0, tag);
            let is_new = index.before.len > left;
            assert!(is_new || left - index.before.len <= MOVED as usize);
            assert!(!is_new || left == 0, "a table grew before the last had been moved");
        }
    }
}
