//! What is saved, and how it is written.

use serde::Serialize;

use crate::state::Head;

/// What is saved of one family, from one or several of its shards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SavedFamily {
    pub(crate) name: &'static str,
    bytes: Vec<u8>,
    /// Where each entity's bytes begin and end, by the key it is sorted by.
    entities: Vec<([u64; 3], usize, usize)>,
}

impl SavedFamily {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Adds an entity.
    pub(crate) fn push(&mut self, key: [u64; 3], entity: &impl Serialize) {
        let begin = self.bytes.len();
        // Writing plain data to memory has nothing to fail on.
        self.bytes = postcard::to_extend(entity, std::mem::take(&mut self.bytes)).unwrap_or_default();
        self.entities.push((key, begin, self.bytes.len()));
    }

    /// Adds another shard of the family.
    pub(crate) fn append(&mut self, mut shard: Self) {
        let before = self.bytes.len();
        self.name = shard.name;
        self.bytes.append(&mut shard.bytes);
        self.entities.extend(shard.entities.into_iter().map(|(key, begin, end)| (key, before + begin, before + end)));
    }

    /// Its entities in the order of their keys.
    fn sort(&mut self) {
        self.entities.sort_unstable_by_key(|(key, ..)| *key);
    }
}

/// A state as of one moment, to be written.
#[derive(Debug)]
pub struct Snapshot {
    head: Vec<u8>,
    /// How each family begins, and its entities in the order of their keys.
    families: Vec<(Vec<u8>, SavedFamily)>,
    tail: Vec<u8>,
}

impl Snapshot {
    pub(crate) fn new(head: &Head, families: Vec<SavedFamily>) -> Self {
        // Writing plain data to memory has nothing to fail on, here as below.
        let tail = &(head.advanced, &head.hours, &head.observed, &head.provisional);
        let tail = postcard::to_allocvec(tail).unwrap_or_default();
        let head = postcard::to_allocvec(&(head, families.len())).unwrap_or_default();
        let families = families.into_iter().map(|mut family| {
            family.sort();
            (postcard::to_allocvec(&(family.name, family.bytes.len())).unwrap_or_default(), family)
        });
        let families = families.collect();
        Self { head, families, tail }
    }

    /// The bytes, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let families = self.families.iter().flat_map(|(head, family)| {
            let entities = family.entities.iter().map(|&(_, begin, end)| &family.bytes[begin..end]);
            std::iter::once(head.as_slice()).chain(entities)
        });
        std::iter::once(self.head.as_slice()).chain(families).chain([self.tail.as_slice()])
    }

    /// All of them.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.pieces().map(<[u8]>::len).sum());
        self.pieces().for_each(|piece| all.extend_from_slice(piece));
        all
    }
}
