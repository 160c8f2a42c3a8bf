//! Where each entity is, by the hash of its key.

use hashbrown::HashTable;

/// Entities to a table on average: so many are moved when one is divided, whatever the number of all.
const LOAD: usize = 256;

/// A hash table that grows without ever being rehashed as a whole: linear hashing (Litwin 1980).
///
/// It is many small tables. Whenever there are more than [`LOAD`] slots to a table, the next in line is divided in two;
/// whenever there are fewer than half as many, the last two are joined again. Adding or removing a slot hence moves
/// some [`LOAD`] others at most, and whoever meets a new entity never waits for all of them.
#[derive(Debug, Default)]
pub(crate) struct Index {
    tables: Vec<HashTable<u32>>,
    len: usize,
}

impl Index {
    /// The table of a hash, where there are so many. Tables use the highest and the lowest bits of it themselves.
    fn table_of(hash: u64, tables: usize) -> usize {
        let mask = tables.next_power_of_two() - 1;
        let at = (hash >> 20) as usize & mask;
        if at < tables { at } else { at & (mask >> 1) }
    }

    /// The table that a table was divided from.
    fn origin(table: usize) -> usize {
        table & !(1 << table.ilog2())
    }

    /// The slot with this hash that `is_it` accepts.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.tables.is_empty() {
            return None;
        }
        self.tables[Self::table_of(hash, self.tables.len())].find(hash, |&slot| is_it(slot)).copied()
    }

    /// Adds a slot that is not there yet; `rehash` gives the hash of one that is.
    pub(crate) fn insert(&mut self, hash: u64, slot: u32, rehash: impl Fn(u32) -> u64) {
        if self.len >= self.tables.len() * LOAD {
            self.divide(&rehash);
        }
        let table = Self::table_of(hash, self.tables.len());
        self.tables[table].insert_unique(hash, slot, |&slot| rehash(slot));
        self.len += 1;
    }

    fn divide(&mut self, rehash: impl Fn(u32) -> u64) {
        let next = self.tables.len();
        self.tables.push(HashTable::new());
        if next == 0 {
            return;
        }
        let (before, new) = self.tables.split_at_mut(next);
        let from = &mut before[Self::origin(next)];
        let moved = from.extract_if(|&mut slot| Self::table_of(rehash(slot), next + 1) == next);
        moved.for_each(|slot| _ = new[0].insert_unique(rehash(slot), slot, |&slot| rehash(slot)));
        from.shrink_to(from.len() * 3 / 2, |&slot| rehash(slot));
    }

    /// Takes a slot out.
    pub(crate) fn remove(&mut self, hash: u64, slot: u32, rehash: impl Fn(u32) -> u64) {
        let tables = self.tables.len();
        if tables == 0 {
            return;
        }
        if let Ok(found) = self.tables[Self::table_of(hash, tables)].find_entry(hash, |&other| other == slot) {
            found.remove();
            self.len -= 1;
        }
        if tables > 1 && self.len < (tables - 1) * (LOAD / 2) {
            self.join(rehash);
        }
    }

    fn join(&mut self, rehash: impl Fn(u32) -> u64) {
        let Some(last) = self.tables.pop() else { return };
        let origin = Self::origin(self.tables.len());
        let into = &mut self.tables[origin];
        last.into_iter().for_each(|slot| _ = into.insert_unique(rehash(slot), slot, |&slot| rehash(slot)));
    }

    /// An entity has another slot from now on.
    pub(crate) fn rename(&mut self, hash: u64, from: u32, to: u32) {
        let table = Self::table_of(hash, self.tables.len().max(1));
        let table = self.tables.get_mut(table);
        if let Some(found) = table.and_then(|table| table.find_mut(hash, |&slot| slot == from)) {
            *found = to;
        }
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let own = self.tables.capacity() * size_of::<HashTable<u32>>();
        own + self.tables.iter().map(HashTable::allocation_size).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::hash::hash_of;

    /// Keys by slot, found by key; the most keys that were hashed to add or remove one.
    #[derive(Default)]
    struct Counted {
        index: Index,
        keys: Vec<u64>,
        most: usize,
    }

    impl Counted {
        fn change(&mut self, change: impl FnOnce(&mut Index, &dyn Fn(u32) -> u64)) {
            let (hashed, keys) = (Cell::new(0), &self.keys);
            change(&mut self.index, &|slot| {
                hashed.set(hashed.get() + 1);
                hash_of(&keys[slot as usize])
            });
            self.most = self.most.max(hashed.get());
        }

        fn push(&mut self, key: u64) {
            self.keys.push(key);
            let slot = self.keys.len() as u32 - 1;
            self.change(|index, rehash| index.insert(hash_of(&key), slot, rehash));
        }

        fn find(&self, key: u64) -> Option<u32> {
            self.index.find(hash_of(&key), |slot| self.keys[slot as usize] == key)
        }

        fn swap_remove(&mut self, slot: u32) {
            let key = self.keys[slot as usize];
            self.change(|index, rehash| index.remove(hash_of(&key), slot, rehash));
            self.keys.swap_remove(slot as usize);
            if let Some(moved) = self.keys.get(slot as usize) {
                self.index.rename(hash_of(moved), self.keys.len() as u32, slot);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn finds_what_is_there(steps in prop::collection::vec((0u64..2_000, 0usize..2_000), 1..8)) {
            let mut counted = Counted::default();
            let mut next = 0u64;
            for (pushed, removed) in steps {
                (0..pushed).for_each(|n| counted.push((next + n).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
                next += pushed;
                for i in 0..removed.min(counted.keys.len()) {
                    let gone = i * 7_919 % counted.keys.len();
                    let key = counted.keys[gone];
                    counted.swap_remove(gone as u32);
                    prop_assert_eq!(counted.find(key), None);
                }
                let places: HashMap<u64, u32> = counted.keys.iter().copied().zip(0..).collect();
                for (key, slot) in &places {
                    prop_assert_eq!(counted.find(*key), Some(*slot));
                }
                prop_assert_eq!(counted.index.len, counted.keys.len());
                prop_assert!(counted.index.tables.len() <= counted.keys.len() / (LOAD / 2) + 2);
            }
        }
    }

    /// However many there are, one more or less moves no more than a few tables' worth.
    #[test]
    fn growth_is_spread() {
        let mut counted = Counted::default();
        (0..300_000u64).for_each(|n| counted.push(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        assert!(counted.index.bytes() < 300_000 * 16, "{} bytes", counted.index.bytes());
        (0..299_000u32).for_each(|n| counted.swap_remove(n * 31 % counted.keys.len() as u32));
        assert!((LOAD..LOAD * 8).contains(&counted.most), "{} of 300,000 moved at once", counted.most);
        assert!(counted.index.bytes() < 100_000, "{} bytes for a thousand", counted.index.bytes());
    }
}
