use std::borrow::Cow;
use std::fmt;

use crible_core::{Amount, Source, Timestamp, Transaction, TxnId, Unit};

use crate::{AlertId, Day, Decision};

/// Why a transaction stands out: one column of its feature row, in numbers and in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The column's name.
    pub column: Cow<'static, str>,
    /// Unit of `value` and `typical`.
    pub unit: Unit,
    /// The number the transaction has there, on the feature's own scale. Money is in major units.
    pub value: f64,
    /// The number that would have been usual, where there is something to compare with. Always finite.
    pub typical: Option<f64>,
    /// How much of the score this column accounts for, 0 to 1.
    pub share: f64,
    /// The sentence for a person.
    pub text: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A transaction that deserves a look, with its place in its day and what speaks against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Stable reference to dedupe by.
    pub id: AlertId,
    /// The UTC day it counts for: the transaction's, or the first one that was still open where it came later than
    /// that.
    pub day: Day,
    /// Place among the alerts of its day, from 1.
    pub rank: u32,
    /// The transaction, its score, and what speaks against it.
    pub decision: Decision,
    /// All payments of the story, this transaction among them, in order of time; empty where it is the only one.
    pub payments: Vec<Payment>,
}

/// A payment that belongs to the story of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its reference.
    pub id: TxnId,
    /// When it happened.
    pub at: Timestamp,
    /// How much, signed.
    pub amount: Amount,
    /// Where it was read, if it came from a file.
    pub source: Option<Source>,
}

impl Payment {
    /// The payment that was decided about.
    pub fn of(decision: &Decision) -> Self {
        let Transaction { id, at, amount, .. } = decision.txn;
        Self { id, at, amount, source: decision.source }
    }
}

impl Alert {
    /// An alert on a decision about one payment.
    pub fn new(day: Day, rank: u32, decision: Decision) -> Self {
        Self { id: AlertId::of(decision.txn.id), day, rank, decision, payments: Vec::new() }
    }
}

impl fmt::Display for Alert {
    /// One line: when, how much, on which account, how seriously, and why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { txn, severity, reasons, .. } = &self.decision;
        write!(f, "{} {} {} account {} {severity}", txn.at, txn.amount, txn.amount.currency, txn.account)?;
        for (i, reason) in reasons.iter().enumerate() {
            write!(f, "{}{reason}", if i == 0 { ": " } else { "; " })?;
        }
        match self.payments.len() {
            0 | 1 => Ok(()),
            n => write!(f, "; {n} payments"),
        }
    }
}
