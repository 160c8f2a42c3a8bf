#![doc = include_str!("../README.md")]

pub mod channel;
mod clock;
pub mod config;
pub mod consent;
mod courier;
pub mod logs;
pub mod message;
mod name;
pub mod outbox;
pub mod people;
pub mod talk;

pub use clock::{Clock, SystemClock};
pub use courier::{Courier, CourierError, Route, Settings, Tally};
pub use logs::Logs;
pub use name::{About, Address, BadName, CaseReason, ChannelName, Key, Language, Medium, Person, Purpose, Source};
pub use outbox::Outbox;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_cross_threads() {
        fn check<T: Send + Sync>() {}
        check::<Courier<outbox::Memory, logs::Shelf, SystemClock>>();
        check::<talk::Conversation<logs::Shelf, SystemClock>>();
        check::<config::Config>();
        check::<message::Wording>();
        check::<consent::Profile>();
        check::<channel::Webhook>();
        check::<channel::Slack>();
        check::<channel::Email>();
        check::<channel::Messenger>();
        check::<channel::Lines>();
        check::<CourierError>();
        check::<talk::TalkError>();
    }
}
