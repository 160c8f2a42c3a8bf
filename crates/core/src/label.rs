use crate::{Timestamp, TxnId};

/// What was found out about a transaction, and when: a label is visible only from `known_at` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The transaction it is about.
    pub txn: TxnId,
    /// Whether it was fraud.
    pub fraud: bool,
    /// When this became known (a chargeback arrives weeks after the payment).
    pub known_at: Timestamp,
}

/// A feed's own label column, kept beside the transactions and never inside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Truth {
    /// The feed does not say.
    #[default]
    Unknown,
    /// Legitimate.
    Legitimate,
    /// Fraud.
    Fraud,
}
