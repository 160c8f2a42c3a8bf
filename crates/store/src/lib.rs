#![doc = include_str!("../README.md")]

mod address;
mod backup;
mod cases;
mod counters;
mod desk;
mod erase;
mod error;
mod intake;
mod key;
mod keys;
mod log;
mod notices;
mod outbox;
mod points;
mod records;
mod schema;
mod sql;
mod store;
mod streams;

pub use cases::{CaseFilter, CaseRow, Shown};
pub use erase::Erased;
pub use error::Error;
pub use intake::{CURRENT, Intake, Kept, Taken, check_inhibition, kind};
pub use key::StoreKey;
pub use log::{Broken, LogEntry, Verified};
pub use notices::DueNotice;
pub use outbox::{Delivery, DeliveryState, NewDelivery, Settled};
pub use store::{Reader, Store, Txn};
pub use streams::{Append, Entry};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_cross_threads() {
        fn check<T: Send + Sync>() {}
        check::<Store>();
        check::<StoreKey>();
        check::<Error>();
        check::<Delivery>();
        check::<LogEntry>();
        check::<CaseRow>();
        // A transaction moves to another thread, and is used by one at a time.
        fn moves<T: Send>() {}
        moves::<Reader>();
        moves::<Txn>();
    }
}
