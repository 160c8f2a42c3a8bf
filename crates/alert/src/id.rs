use std::fmt;

use crible_core::TxnId;

/// What an alert is for. One transaction may give one alert a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A person is to look at the transaction.
    Review,
}

impl Purpose {
    /// Its name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
        }
    }
}

/// An alert's stable reference. It follows from the transaction and the purpose alone: whoever receives an alert twice,
/// from a retry, from another run or from another model, can tell that it is the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u128);

impl AlertId {
    /// Of a transaction and a purpose. For one purpose the map is one to one, so distinct transactions never share an
    /// alert's reference.
    pub const fn of(txn: TxnId, purpose: Purpose) -> Self {
        // A receiver keeps these references: the constants may never change. Each step (xor with a constant, xor with a
        // shift, product with an odd number) can be undone, which makes the whole one to one.
        let mut x = txn.0 ^ fnv1a_128(purpose.as_str().as_bytes());
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

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlertId({self})")
    }
}

/// Which fitted model raised an alert: a checksum of the model, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(pub u64);

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alert_ids_never_change() {
        let check = |txn: u128, expect: &str| {
            assert_eq!(AlertId::of(TxnId(txn), Purpose::Review).to_string(), expect);
        };
        check(0, "ca96907e66cb4bee19857b4be510778a");
        check(1, "1dc42d08aa4da67f38ed384d9623982a");
        check(u128::MAX, "219edc7af5dcd82600bcde3dba29e95e");
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
            prop_assert_ne!(AlertId::of(a, Purpose::Review), AlertId::of(b, Purpose::Review));
        }
    }
}
