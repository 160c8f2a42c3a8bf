//! Whose state a transaction belongs to.

use crible_core::{EntityId, Transaction};

/// Whose entities a family is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The account that pays or is paid.
    Account,
    /// Whom it pays or is paid by.
    Counterparty,
    /// The device it pays from.
    Device,
    /// The network address it pays from.
    Address,
    /// What it pays for.
    Category,
}

impl Owner {
    pub(crate) const ALL: [Self; 5] = [Self::Account, Self::Counterparty, Self::Device, Self::Address, Self::Category];

    /// What a transaction's entity is divided by; none where it has no such entity.
    pub(crate) fn of(self, txn: &Transaction) -> Option<u64> {
        match self {
            Self::Account => Some(txn.account.get()),
            Self::Counterparty => txn.counterparty.map(EntityId::get),
            Self::Device => txn.device.map(EntityId::get),
            Self::Address => txn.address.map(EntityId::get),
            Self::Category => {
                let bits = txn.category.bits();
                Some((bits >> 64) as u64 ^ bits as u64)
            }
        }
    }
}

/// Which of so many shards an entity is in: the high half of its mixed pseudonym, as tables take the low one.
pub(crate) fn shard_of(entity: u64, shards: usize) -> usize {
    let mixed = entity.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (mixed as usize * shards) >> 32
}
