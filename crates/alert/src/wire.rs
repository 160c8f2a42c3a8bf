//! An alert as others receive it: one JSON object a line, or one CSV record.
//!
//! The JSON has a schema, `schema/alert.schema.json` beside this crate's manifest; [`SCHEMA`] names its version and is
//! the object's first field. Fields stand in a fixed order. Identifiers are pseudonyms in hexadecimal, money a decimal
//! string, floats the shortest decimal that reads back as the same bits (read them with a parser that rounds
//! correctly). Within a version, fields may be added and none changes its meaning: a reader has to skip what it does
//! not know.

mod csv;

pub use csv::{CSV_HEADER, csv_record};

use serde::{Deserialize, Serialize};

use crate::{AlertId, Decision, ModelId, Severity};

/// Name and version of the format.
pub const SCHEMA: &str = "crible.alert/1";

/// An alert on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// [`SCHEMA`].
    pub schema: String,
    /// Stable reference to dedupe by: 32 hexadecimal digits.
    pub id: AlertId,
    /// The transaction's reference: 32 hexadecimal digits.
    pub transaction: String,
    /// Pseudonym of the account: 16 hexadecimal digits.
    pub account: String,
    /// Pseudonym of the other side, or null.
    pub counterparty: Option<String>,
    /// When it happened, RFC 3339 in UTC.
    pub at: String,
    /// How much, signed: an outflow is negative.
    pub amount: Amount,
    /// The model's score: higher is stranger.
    pub score: f64,
    /// Chance that a normal transaction scores at least this high.
    pub tail: f64,
    /// How seriously to take it.
    pub severity: Severity,
    /// Place among the alerts of its day, from 1.
    pub rank: u32,
    /// The UTC day it counts for, `2024-06-01`: the transaction's, or the first one still open where it came later than
    /// that.
    pub day: String,
    /// What speaks against it, strongest first.
    pub reasons: Vec<Reason>,
    /// What it looks like, such as `a card being tested`; absent where the model has no words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<String>,
    /// Pseudonym of the device that was used, by which accounts are linked; absent where the feed has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<String>,
    /// The model that says so: 16 hexadecimal digits.
    pub model: ModelId,
    /// Where its owner can look it up; null where it came from no file.
    pub source: Option<Source>,
    /// The payments of the story, where there are several, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    /// What is known by now that the score could not know, such as a later refund; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Money on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Exact decimal number in major units, such as `-412.00`.
    pub value: String,
    /// ISO 4217 code.
    pub currency: String,
}

/// One payment of a story on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The transaction's reference: 32 hexadecimal digits.
    pub transaction: String,
    /// When it happened, RFC 3339 in UTC.
    pub at: String,
    /// How much, signed.
    pub amount: Amount,
    /// Data row, from 0; null where it came from no file.
    pub row: Option<u64>,
}

/// A reason on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Name of the feature.
    pub feature: String,
    /// The sentence for a person.
    pub text: String,
    /// The number the transaction has there; null where there is none.
    pub value: Option<f64>,
    /// The number that would have been usual; null where there is nothing to compare with.
    pub typical: Option<f64>,
    /// How much of the score it accounts for, 0 to 1.
    pub share: f64,
}

/// Where a transaction was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the feed format.
    pub feed: String,
    /// The file.
    pub file: String,
    /// Data row in that file, from 0: the header, a preamble and blank lines do not count.
    pub row: u64,
}

/// Why an alert cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A number JSON has no word for.
    #[error("alert {id}: {field} is {value}, expected a finite number")]
    NotFinite {
        /// The alert.
        id: AlertId,
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// Another format, or another version of this one.
    #[error("schema `{found}`: expected `{SCHEMA}`")]
    Schema {
        /// The content of the line.
        found: String,
    },
    /// Not an alert in JSON.
    #[error("not an alert in JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Alert {
    /// An alert for the wire. `source` is where its owner can look it up.
    pub fn new(alert: &crate::Alert, source: Option<Source>) -> Self {
        let Decision { txn, score, severity, reasons, model, note, view, .. } = &alert.decision;
        Self {
            schema: SCHEMA.to_owned(),
            id: alert.id,
            transaction: txn.id.to_string(),
            account: txn.account.to_string(),
            counterparty: txn.counterparty.map(|party| party.to_string()),
            at: txn.at.to_string(),
            amount: Amount::from(txn.amount),
            score: score.raw,
            tail: score.tail,
            severity: *severity,
            rank: alert.rank,
            day: alert.day.to_string(),
            reasons: reasons.iter().map(Reason::from).collect(),
            looks_like: view.as_deref().map(str::to_owned),
            ring: txn.device.map(|device| device.to_string()),
            model: *model,
            source,
            payments: alert.payments.iter().map(Payment::from).collect(),
            note: note.map(|note| note.to_string()),
        }
    }

    /// One line of JSON, without the line's end.
    ///
    /// # Errors
    /// [`WireError::NotFinite`] where a score or a share is NaN or infinite.
    pub fn to_line(&self) -> Result<String, WireError> {
        let shares = self.reasons.iter().map(|reason| ("share", reason.share));
        for (field, value) in [("score", self.score), ("tail", self.tail)].into_iter().chain(shares) {
            if !value.is_finite() {
                return Err(WireError::NotFinite { id: self.id, field, value });
            }
        }
        Ok(serde_json::to_string(self)?)
    }

    /// Reads one line of JSON.
    ///
    /// # Errors
    /// [`WireError::Schema`] for another format or version, [`WireError::Json`] for anything else that is no alert.
    pub fn from_line(line: &str) -> Result<Self, WireError> {
        /// Read first, so that a later version is distinguished from a broken line.
        #[derive(Deserialize)]
        struct Envelope {
            schema: String,
        }
        let Envelope { schema } = serde_json::from_str(line)?;
        if schema != SCHEMA {
            return Err(WireError::Schema { found: schema });
        }
        Ok(serde_json::from_str(line)?)
    }
}

impl From<crible_core::Amount> for Amount {
    fn from(amount: crible_core::Amount) -> Self {
        Self { value: amount.to_string(), currency: amount.currency.to_string() }
    }
}

impl From<&crate::Payment> for Payment {
    fn from(payment: &crate::Payment) -> Self {
        Self {
            transaction: payment.id.to_string(),
            at: payment.at.to_string(),
            amount: payment.amount.into(),
            row: payment.source.map(|source| source.row),
        }
    }
}

impl From<&crate::Reason> for Reason {
    fn from(reason: &crate::Reason) -> Self {
        Self {
            feature: reason.column.to_string(),
            text: reason.text.clone(),
            value: Some(reason.value).filter(|value| value.is_finite()),
            typical: reason.typical.filter(|typical| typical.is_finite()),
            share: reason.share,
        }
    }
}
