//! Maps keyed by pseudonyms.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher};

use hashbrown::HashMap;

/// Hashes an identifier that is pseudorandom already, or a small number in a test.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, x: u32) {
        self.write_u64(u64::from(x));
    }

    fn write_u64(&mut self, x: u64) {
        self.0 = (self.0.rotate_left(29) ^ x).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // The table picks its bucket by the low bits and its tag by the high ones: give both the well-mixed half.
        self.0 ^ (self.0 >> 32)
    }
}

/// The hash of a key.
pub(crate) fn hash_of(key: &impl Hash) -> u64 {
    BuildHasherDefault::<IdHasher>::default().hash_one(key)
}

pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;
