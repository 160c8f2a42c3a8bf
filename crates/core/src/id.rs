use std::fmt;
use std::num::NonZeroU64;

/// A keyed pseudonym of an account, card, person, merchant or terminal.
///
/// The first 64 bits of an HMAC made where the feed is read: equal identifiers under one key give equal pseudonyms,
/// and nobody without the key can go back. Zero is kept free so that `Option<EntityId>` takes eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(NonZeroU64);

impl EntityId {
    /// An identifier from its bits; `None` for zero, which stands for "no entity".
    pub const fn new(bits: u64) -> Option<Self> {
        match NonZeroU64::new(bits) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// An identifier from pseudorandom bits. The one value that is not allowed, zero, becomes one:
    /// a chance of 2⁻⁶⁴ that two entities meet, on top of the birthday bound the width sets anyway.
    pub const fn from_pseudorandom(bits: u64) -> Self {
        match NonZeroU64::new(bits) {
            Some(bits) => Self(bits),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// The bits.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityId({self})")
    }
}

/// A transaction's stable reference: a keyed hash of what the transaction is, so that reading the same export twice
/// gives the same references, and two different rows never share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxnId(pub u128);

impl fmt::Display for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TxnId({self})")
    }
}
