use std::borrow::Cow;

use crible_core::{Amount, EntityId, Timestamp, Topic, TxnId, Unit};

use crate::{AlertId, ModelId, Score, Severity};

/// Why a transaction stands out: one column of its feature row, in numbers and in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The column's name.
    pub column: Cow<'static, str>,
    /// What it speaks of.
    pub topic: Topic,
    /// Unit of `value` and `typical`.
    pub unit: Unit,
    /// The number the transaction has there, on the feature's own scale.
    pub value: f64,
    /// The number that would have been usual, where there is something to compare with. Always finite.
    pub typical: Option<f64>,
    /// How much of the score this column accounts for, 0 to 1.
    pub share: f64,
    /// The sentence for a person.
    pub text: String,
}

/// A transaction that deserves a look, with its place in its day and what speaks against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Stable reference to dedupe by.
    pub id: AlertId,
    /// The transaction.
    pub txn: TxnId,
    /// The account it happened on.
    pub account: EntityId,
    /// The other side, where the feed names one.
    pub counterparty: Option<EntityId>,
    /// When it happened.
    pub at: Timestamp,
    /// Signed amount; an outflow is negative.
    pub amount: Amount,
    /// How strange it is.
    pub score: Score,
    /// How seriously to take it.
    pub severity: Severity,
    /// Place among the alerts of its UTC day, from 1.
    pub rank: u32,
    /// What speaks against it, strongest first.
    pub reasons: Vec<Reason>,
    /// The model that says so.
    pub model: ModelId,
}
