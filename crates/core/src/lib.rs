//! The vocabulary of Crible: transactions, amounts, timestamps, identifiers, labels and feature columns.
//!
//! No I/O, no data frame, no detector: everything else in the workspace speaks in these types.
//!
//! ```
//! use crible_core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId};
//!
//! let lunch = Transaction::new(
//!     TxnId(7),
//!     Timestamp::from_seconds(1_700_000_000),
//!     EntityId::new(41).ok_or("zero is no entity")?,
//!     Amount::parse("-12.50", Currency::USD)?,
//! )
//! .at_counterparty(EntityId::new(90).ok_or("zero is no entity")?);
//! assert_eq!(lunch.amount.minor, -1250);
//! assert!(lunch.is_outflow());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod amount;
mod batch;
mod clock;
mod code;
mod decision_rows;
mod feature;
mod id;
#[cfg(feature = "serde")]
mod kept;
mod label;
mod meaning;
mod position;
mod schema;
mod text;
mod time;
mod transaction;

pub use amount::{Amount, AmountError, Currency};
pub use batch::{BadColumns, Batch, Coded, Columns, Currencies, Has, OutOfOrder, Source};
pub use clock::Clock;
pub use code::Code;
pub use decision_rows::{BadRow, DecisionRows};
pub use feature::{Column, Scale, Tail, Topic, Unit, Usual};
pub use id::{EntityId, TxnId};
#[cfg(feature = "serde")]
pub use kept::KeptTransaction;
pub use label::{Class, LabelEvent, LabelSource, Labels, Truth};
pub use meaning::{Fee, Meaning, Undo, Undone};
pub use position::Position;
pub use schema::Field;
pub use text::BadText;
pub use time::{BadWindow, Timestamp, Window};
pub use transaction::Transaction;
