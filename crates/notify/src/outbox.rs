//! What has to be sent, and what became of it.
//!
//! A delivery is a row that is written in the transaction that makes it necessary. The [`courier`](crate::Courier)
//! takes rows that are due, tries them, and writes down what came of it. A row that is taken has a lease: if the
//! process dies, the lease ends and the row is tried again, with the same key. So every delivery is tried at least
//! once, and a receiver that removes duplicates by key has it once.

mod breaker;
mod bucket;
mod health;
mod memory;
mod schedule;

pub use breaker::{Allowed, Breaker, BreakerSettings};
pub use bucket::{Bucket, Rate};
pub use health::{Disabled, Health};
pub use memory::{Memory, Row};
pub use schedule::{Failure, Kind, MOST_ATTEMPTS, next_try};

use std::error::Error;
use std::future::Future;

use crible_core::Timestamp;

use crate::{About, ChannelName, Key, Person};

/// A delivery to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// One that is there already is not written again.
    pub key: Key,
    /// Where it goes.
    pub channel: ChannelName,
    /// Whom it goes to, where it goes to a customer.
    pub person: Option<Person>,
    /// What it is about.
    pub about: About,
    /// The [`Notice`](crate::message::Notice) in JSON. What is in it about a person is for that person alone.
    pub body: String,
    /// Not before this time.
    pub due: Timestamp,
}

/// A delivery that was taken to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its row.
    pub id: u64,
    /// How often it was taken: who settles it says so, and is not heard where somebody else has taken it since.
    pub claims: u32,
    /// What receivers know it by.
    pub key: Key,
    /// Whom it goes to, where it goes to a customer.
    pub person: Option<Person>,
    /// What it is about.
    pub about: About,
    /// The notice in JSON.
    pub body: String,
    /// Tries that are finished.
    pub attempts: u32,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It will be tried.
    Pending,
    /// The receiver has it.
    Sent,
    /// It was given up. It stays, and can be sent again.
    Dead,
    /// The person must not get it.
    Withheld,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Dead, Self::Withheld];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Withheld => "withheld",
        }
    }
}

/// What became of a delivery that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its row.
    pub id: u64,
    /// Of the taking that this is about.
    pub claims: u32,
    /// What it is now.
    pub state: State,
    /// Tries that are finished.
    pub attempts: u32,
    /// When it is tried next, where it is pending.
    pub due: Timestamp,
    /// What went wrong. It names no person.
    pub why: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// All that one transaction writes down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What became of deliveries.
    pub settled: Vec<Settled>,
    /// Deliveries that follow from it.
    pub drafts: Vec<Draft>,
    /// How the channel is, where that has changed.
    pub health: Option<(ChannelName, Health)>,
}

/// Where deliveries are kept. The store implements it; [`Memory`] serves tests.
pub trait Outbox: Send + Sync + 'static {
    /// What can go wrong.
    type Error: Error + Send + Sync + 'static;

    /// Takes up to `most` deliveries of a channel that are pending, due, and taken by nobody whose lease still holds at
    /// `now`; those that were due first come first. Their lease ends at `until`.
    fn claim(
        &self,
        channel: &ChannelName,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Delivery>, Self::Error>> + Send;

    /// Writes down what became of them, all or nothing, and ends their leases. What was taken again meanwhile stays as
    /// it is.
    fn settle(&self, settlement: Settlement) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// When the next delivery of a channel is due: the earliest due time, or end of a lease, among pending ones.
    fn next_due(&self, channel: &ChannelName) -> impl Future<Output = Result<Option<Timestamp>, Self::Error>> + Send;

    /// How a channel is; well where nothing was ever written about it.
    fn health(&self, channel: &ChannelName) -> impl Future<Output = Result<Health, Self::Error>> + Send;
}
