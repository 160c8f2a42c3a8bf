//! A digest of what a file holds, which the key is made of where the user has none.

use std::io::{self, Read};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Bytes hashed at a time: leaves of a two-level tree, so that both cores can work on one file.
const LEAF: usize = 1 << 20;

/// SHA-256 over the SHA-256 of each mebibyte.
pub(super) fn content_digest(mut reader: impl Read) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new_with_prefix(b"crible contents v1\0");
    let mut buffer = Vec::new();
    let span = LEAF * 2 * rayon::current_num_threads();
    loop {
        buffer.clear();
        let read = reader.by_ref().take(span as u64).read_to_end(&mut buffer)?;
        let leaves: Vec<_> = buffer.par_chunks(LEAF).map(Sha256::digest).collect();
        for leaf in &leaves {
            hash.update(leaf);
        }
        if read < span {
            return Ok(hash.finalize().into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_digest_does_not_depend_on_the_number_of_threads() {
        let bytes: Vec<u8> = (0..5 * LEAF + 17).map(|i| ((i * i) >> 7) as u8).collect();
        let digest = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| content_digest(&bytes[..]).unwrap())
        };
        assert_eq!(digest(1), digest(3));
        assert_ne!(digest(1), content_digest(&bytes[1..]).unwrap());
    }
}
