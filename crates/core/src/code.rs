use std::fmt;
use std::hash::Hasher;

use fnv::FnvHasher;

/// A short word from a feed's own vocabulary: a merchant category, a channel, a country. Sixteen bytes, `Copy`, and
/// readable without a dictionary.
///
/// Words of up to 16 bytes are kept as they are. A longer one keeps its first bytes and ends in `~` and four
/// hexadecimal digits of a hash of the whole, so that two long words stay apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Code([u8; 16]);

impl Code {
    /// The empty word: the feed has none here.
    pub const NONE: Self = Self([0; 16]);

    /// A word, trimmed of surrounding blanks.
    pub fn new(word: &str) -> Self {
        let word = word.trim();
        let mut bytes = [0; 16];
        if word.len() <= 16 {
            bytes[..word.len()].copy_from_slice(word.as_bytes());
        } else {
            let mut cut = 11;
            while !word.is_char_boundary(cut) {
                cut -= 1;
            }
            bytes[..cut].copy_from_slice(&word.as_bytes()[..cut]);
            let mut hash = FnvHasher::default();
            hash.write(word.as_bytes());
            let hash = hash.finish();
            let tag = format!("~{:04x}", (hash >> 48) as u16 ^ hash as u16);
            bytes[cut..cut + 5].copy_from_slice(tag.as_bytes());
        }
        Self(bytes)
    }

    /// Whether this is the empty word.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&b| b == 0).unwrap_or(16);
        // `new` copies whole characters only, so the bytes are UTF-8 and the fallback is never taken.
        std::str::from_utf8(&self.0[..length]).unwrap_or("")
    }

    /// The sixteen bytes as a number, for hashing.
    pub const fn bits(self) -> u128 {
        u128::from_le_bytes(self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_are_kept_and_long_ones_told_apart() {
        assert_eq!(Code::new(" grocery_pos ").as_str(), "grocery_pos");
        assert_eq!(Code::new("exactly 16 bytes").as_str(), "exactly 16 bytes");
        let (a, b) = (Code::new("personal services, one"), Code::new("personal services, two"));
        assert_ne!(a, b);
        assert!(a.as_str().starts_with("personal se~"), "{a}");
        assert_eq!(Code::new("éééééééééééé").as_str().chars().next(), Some('é'));
        assert!(Code::new("  ").is_none());
    }
}
