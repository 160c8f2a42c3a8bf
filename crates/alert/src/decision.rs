use std::borrow::Cow;
use std::fmt;

use crible_core::{Source, Timestamp, Transaction, Undo};

use crate::{Day, ModelId, Reason, Score, Severity};

/// A scored transaction on its way to an alert: everything a policy decides by, and everything an alert shows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Decision {
    /// The transaction.
    pub txn: Transaction,
    /// How strange it is.
    pub score: Score,
    /// How seriously to take it. [`Severity::Low`] for every answer of an engine that has observed too little.
    pub severity: Severity,
    /// What speaks against it, strongest first. Empty until the decision is explained, which is done for alerts alone.
    pub reasons: Vec<Reason>,
    /// Its feature row, in the order of the model's columns.
    pub row: Box<[f32]>,
    /// The model that scored it.
    pub model: ModelId,
    /// Where it was read, if it came from a file.
    pub source: Option<Source>,
    /// What is known by now that the score could not know.
    pub note: Option<Note>,
    /// What it looks like, such as `a card being tested`: what the view of the model says that speaks loudest. Told
    /// together with the reasons.
    pub view: Option<Cow<'static, str>>,
    /// Whether the payment is strange for what it is itself: its amount, whom, where and with what it pays. One that is
    /// not is strange for what the account did around it, and belongs to a story only by its counterparty.
    pub is_own: bool,
}

impl Decision {
    /// A decision that is not explained yet, on a transaction that came from no file.
    pub fn new(txn: &Transaction, score: Score, severity: Severity, row: &[f32], model: ModelId) -> Self {
        Self {
            txn: *txn,
            score,
            severity,
            reasons: Vec::new(),
            row: row.into(),
            model,
            source: None,
            note: None,
            view: None,
            is_own: true,
        }
    }
}

/// What is known of a transaction that its score could not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A later transaction took it back.
    Undone {
        /// How.
        how: Undo,
        /// When.
        at: Timestamp,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undone { how: Undo::Reversal, at } => write!(f, "reversed on {}", Day::of(*at)),
            Self::Undone { how: Undo::Refund, at } => write!(f, "refunded on {}", Day::of(*at)),
        }
    }
}
