//! Transactions in saved states.

use serde::{Deserialize, Serialize};

use crate::{Amount, Code, Currency, EntityId, Position, Timestamp, Transaction, TxnId};

/// A transaction in a saved state. The layout is written down here, apart from the type that is worked with: that may
/// change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptTransaction {
    id: u128,
    at: i64,
    account: u64,
    counterparty: Option<u64>,
    minor: i64,
    currency: String,
    balance_before: Option<i64>,
    channel: String,
    category: String,
    country: String,
    /// Latitude and longitude.
    position: Option<(i32, i32)>,
    device: Option<u64>,
    address: Option<u64>,
}

impl KeptTransaction {
    /// What is kept of a transaction: all of it.
    pub fn of(txn: &Transaction) -> Self {
        Self {
            id: txn.id.0,
            at: txn.at.0,
            account: txn.account.get(),
            counterparty: txn.counterparty.map(EntityId::get),
            minor: txn.amount.minor,
            currency: txn.amount.currency.to_string(),
            balance_before: txn.balance_before,
            channel: txn.channel.to_string(),
            category: txn.category.to_string(),
            country: txn.country.to_string(),
            position: txn.position.map(|position| (position.latitude_e7(), position.longitude_e7())),
            device: txn.device.map(EntityId::get),
            address: txn.address.map(EntityId::get),
        }
    }

    /// The transaction that was kept; `None` where none leaves this.
    pub fn revive(self) -> Option<Transaction> {
        let entity = |bits: Option<u64>| bits.map_or(Some(None), |bits| EntityId::new(bits).map(Some));
        let word = |word: String| Some(Code::new(&word)).filter(|code| code.as_str() == word);
        let amount = Amount::new(self.minor, Currency::new(self.currency.as_bytes())?);
        let mut txn = Transaction::new(TxnId(self.id), Timestamp(self.at), EntityId::new(self.account)?, amount);
        txn.counterparty = entity(self.counterparty)?;
        txn.balance_before = self.balance_before;
        (txn.channel, txn.category, txn.country) = (word(self.channel)?, word(self.category)?, word(self.country)?);
        txn.position = match self.position {
            Some((latitude_e7, longitude_e7)) => Some(Position::from_e7(latitude_e7, longitude_e7)?),
            None => None,
        };
        (txn.device, txn.address) = (entity(self.device)?, entity(self.address)?);
        Some(txn)
    }
}
