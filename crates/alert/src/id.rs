use std::fmt;
use std::str::FromStr;

use crible_core::TxnId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: expected {digits} hexadecimal digits in lower case")]
pub struct BadId {
    /// The text.
    pub text: String,
    what: &'static str,
    digits: usize,
}

/// Written and read as hexadecimal digits in lower case, all of them, in texts and in serde alike.
macro_rules! hexadecimal {
    ($name:ident, $bits:ty, $digits:literal, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:0", $digits, "x}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                let bits = if text.len() == $digits && text.bytes().all(is_digit) {
                    <$bits>::from_str_radix(text, 16).ok()
                } else {
                    None
                };
                bits.map(Self).ok_or_else(|| BadId { text: text.to_owned(), what: $what, digits: $digits })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hexadecimal!(AlertId, u128, 32, "alert's reference");
hexadecimal!(ModelId, u64, 16, "model's reference");

/// An alert's stable reference. It follows from the transaction alone: whoever receives an alert twice, from a retry,
/// from another run or from another model, knows that it is the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u128);

impl AlertId {
    /// Of a transaction. The map is one to one, so distinct transactions never share an alert's reference.
    pub const fn of(txn: TxnId) -> Self {
        // A receiver keeps these references: the constants may never change. Each step (xor with a constant, xor with a
        // shift, product with an odd number) can be undone, which makes the whole one to one.
        let mut x = txn.0 ^ fnv1a_128(b"review");
        x ^= x >> 67;
        x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        x ^= x >> 59;
        x = x.wrapping_mul(0xd1b5_4a32_d192_ed03_8cb9_2ba7_2f3d_8dd7);
        x ^= x >> 64;
        Self(x)
    }
}

/// FNV-1a of 128 bits (Fowler, Noll, Vo; RFC 9923).
const fn fnv1a_128(bytes: &[u8]) -> u128 {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u128).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        i += 1;
    }
    hash
}

/// Which fitted model raised an alert: a checksum of the model, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(pub u64);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alert_ids_never_change() {
        let check = |txn: u128, expect: &str| {
            assert_eq!(AlertId::of(TxnId(txn)).to_string(), expect);
        };
        check(0, "ca96907e66cb4bee19857b4be510778a");
        check(1, "1dc42d08aa4da67f38ed384d9623982a");
        check(u128::MAX, "219edc7af5dcd82600bcde3dba29e95e");
    }

    #[test]
    fn references_read_back_and_nothing_else_reads() {
        let id = AlertId::of(TxnId(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("00000000c0ffee00".parse(), Ok(ModelId(0xc0ff_ee00)));
        for bad in ["", "c0ffee", "00000000C0FFEE00", "+0000000c0ffee00", "00000000c0ffee0g"] {
            assert!(bad.parse::<ModelId>().is_err_and(|error| error.to_string().contains("16 hexadecimal")), "{bad}");
        }
    }

    #[test]
    fn fnv_of_a_published_vector() {
        // The hash of "foobar" in the test vectors of RFC 9923.
        assert_eq!(fnv1a_128(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    proptest! {
        #[test]
        fn distinct_transactions_get_distinct_alerts(a: u128, bit in 0u32..128) {
            let (a, b) = (TxnId(a), TxnId(a ^ (1 << bit)));
            prop_assert_ne!(AlertId::of(a), AlertId::of(b));
        }
    }
}
