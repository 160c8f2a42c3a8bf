use crible_core::{Currency, Timestamp, Transaction, TxnId};
use crible_feature::{Early, Late, Refused};

/// Why the engine cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Too few transactions to learn what is usual.
    #[error("{got} transactions are too few to fit on: expected at least {needed}")]
    TooFew {
        /// Transactions there are.
        got: usize,
        /// Transactions it takes.
        needed: usize,
    },
    /// More detectors than an engine can hold, or none.
    #[error("{got} detectors asked for: expected 1 to {}", crate::MAX_DETECTORS)]
    DetectorCount {
        /// Detectors asked for.
        got: usize,
    },
    /// A configuration that makes no sense.
    #[error("configuration: {0}")]
    Config(String),
    /// A transaction older than may still be placed.
    #[error(
        "transaction {txn} at {at} is late: {watermark} has been seen already, and nothing before {oldest} can be \
         placed"
    )]
    Late {
        /// The late transaction.
        txn: TxnId,
        /// Its time.
        at: Timestamp,
        /// The latest time seen.
        watermark: Timestamp,
        /// The earliest time that would not have been late.
        oldest: Timestamp,
    },
    /// A transaction dated ahead of the feed's clock: see [`crible_core::Clock`].
    #[error("transaction {txn} at {at} is early: the latest seen is of {watermark}, expected nothing after {latest}")]
    Early {
        /// The early transaction.
        txn: TxnId,
        /// Its time.
        at: Timestamp,
        /// The latest time seen.
        watermark: Timestamp,
        /// The latest time that would not have been early.
        latest: Timestamp,
    },
    /// A transaction in a currency that is not in the table of rates, where such are refused: see
    /// [`Rates`](crate::Rates).
    #[error("transaction {txn} at {at} is in {currency}, expected one of {expected}")]
    Currency {
        /// The transaction.
        txn: TxnId,
        /// Its time.
        at: Timestamp,
        /// Its currency.
        currency: Currency,
        /// Those in the table.
        expected: String,
        /// The latest time seen.
        watermark: Option<Timestamp>,
    },
    /// A detector or the ensemble failed.
    #[error(transparent)]
    Score(#[from] crible_score::Error),
    /// Bytes that are no saved model.
    #[error("this is no saved model: {0}")]
    NotAModel(String),
    /// A saved state could not be read.
    #[error("the state cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// Bytes that are no saved state.
    #[error("this is no saved state: {0}")]
    NotAState(String),
    /// A policy cannot take in a score or what was saved.
    #[error(transparent)]
    Policy(#[from] crible_alert::PolicyError),
    /// A state that cannot be taken in.
    #[error(transparent)]
    State(#[from] crible_feature::StateError),
}

impl Error {
    /// Of a transaction in none of the currencies that were expected.
    pub(crate) fn currency(
        txn: &Transaction,
        expected: impl Iterator<Item = Currency>,
        watermark: Option<Timestamp>,
    ) -> Self {
        let expected: Vec<String> = expected.map(|currency| currency.to_string()).collect();
        let (expected, currency) = (expected.join(", "), txn.amount.currency);
        Self::Currency { txn: txn.id, at: txn.at, currency, expected, watermark }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Late(Late { txn, at, watermark, oldest }) => Self::Late { txn, at, watermark, oldest },
            Refused::Early(Early { txn, at, watermark, latest }) => Self::Early { txn, at, watermark, latest },
        }
    }
}
