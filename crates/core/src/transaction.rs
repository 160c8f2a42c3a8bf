use crate::{Amount, Code, EntityId, Timestamp, TxnId};

/// A place on Earth in whole ten-millionths of a degree (about a centimetre), WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Latitude × 10⁷, −900,000,000 to 900,000,000.
    pub latitude_e7: i32,
    /// Longitude × 10⁷, −1,800,000,000 to 1,800,000,000.
    pub longitude_e7: i32,
}

impl Position {
    /// From degrees; `None` where they are not on Earth (NaN included).
    pub fn from_degrees(latitude: f64, longitude: f64) -> Option<Self> {
        if !((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)) {
            return None;
        }
        Some(Self { latitude_e7: (latitude * 1e7).round() as i32, longitude_e7: (longitude * 1e7).round() as i32 })
    }
}

/// One movement of money on one account: a plain `Copy` row, its money exact, without a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Stable reference.
    pub id: TxnId,
    /// When it happened.
    pub at: Timestamp,
    /// Pseudonym of the account or card it happened on.
    pub account: EntityId,
    /// Pseudonym of the merchant, terminal or payee on the other side, where the feed names one.
    pub counterparty: Option<EntityId>,
    /// Signed amount; an outflow is negative.
    pub amount: Amount,
    /// The account's balance just before, in minor units, where the feed has one.
    pub balance_before: Option<i64>,
    /// How it was made (online, chip, transfer, …), in the feed's words.
    pub channel: Code,
    /// Merchant category or transaction type, in the feed's words.
    pub category: Code,
    /// Country of the counterparty, ISO 3166 where the feed uses it.
    pub country: Code,
    /// Where it happened.
    pub position: Option<Position>,
    /// Pseudonym of the device it was made on, where the feed names one.
    pub device: Option<EntityId>,
    /// Pseudonym of the network address it came from, where the feed names one.
    pub address: Option<EntityId>,
}

impl Transaction {
    /// A transaction of which only the needful is known.
    pub const fn new(id: TxnId, at: Timestamp, account: EntityId, amount: Amount) -> Self {
        Self {
            id,
            at,
            account,
            counterparty: None,
            amount,
            balance_before: None,
            channel: Code::NONE,
            category: Code::NONE,
            country: Code::NONE,
            position: None,
            device: None,
            address: None,
        }
    }

    /// The same with a counterparty.
    #[must_use]
    pub const fn at_counterparty(mut self, counterparty: EntityId) -> Self {
        self.counterparty = Some(counterparty);
        self
    }

    /// The same with a merchant category or transaction type.
    #[must_use]
    pub const fn in_category(mut self, category: Code) -> Self {
        self.category = category;
        self
    }

    /// Whether money left the account. Zero counts as an outflow: an authorisation of nothing is still a use.
    pub const fn is_outflow(&self) -> bool {
        self.amount.minor <= 0
    }
}
