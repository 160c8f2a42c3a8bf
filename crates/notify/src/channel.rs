//! Ways to somebody.
//!
//! A [`Channel`] is one method. It may take its time: it is called on a thread of its own, and has to end within its
//! own time-outs. A status of 200 to 299 alone is success.

mod address;
mod cloud_event;
mod email;
mod http;
mod lines;
mod messenger;
mod secret;
mod signature;
mod slack;
mod webhook;

pub use address::{BadNetwork, Network, is_public};
pub use cloud_event::{CloudEvents, MOST_BYTES};
pub use email::{BadEmail, Email, EmailSettings, Encryption};
pub use http::{BadUrl, Http, HttpSettings};
pub use lines::Lines;
pub use messenger::{Messenger, Template as MessengerTemplate};
pub use secret::{BadSecret, Secret};
pub use signature::{BadSignature, HEADERS, Signer, TOLERANCE_SECONDS, Verifier};
pub use slack::Slack;
pub use webhook::Webhook;

use std::fmt;

use crible_alert::wire;
use crible_core::Timestamp;

use crate::message::CaseNotice;
use crate::outbox::Failure;
use crate::{Address, Key, Medium};

/// A way to somebody.
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// Sends a message, or says why not. The same key may come again: where the receiver can be told, it is.
    ///
    /// # Errors
    /// What went wrong, and what follows from it.
    fn send(&self, letter: &Letter) -> Result<(), Failure>;
}

/// A message that is ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// What receivers remove duplicates by.
    pub key: Key,
    /// Now.
    pub at: Timestamp,
    /// Whom it goes to, where it goes to a customer.
    pub to: Option<Recipient>,
    /// In a line.
    pub subject: String,
    /// In full.
    pub text: String,
    /// The language of both.
    pub language: crate::Language,
    /// What machines read.
    pub content: Content,
}

/// Whom a message goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The way.
    pub medium: Medium,
    /// Where.
    pub address: Address,
    /// When they last wrote there.
    pub wrote: Option<Timestamp>,
}

/// What a message is about, for machines.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A customer's message: there is nothing in it but its text.
    Message,
    /// An alert.
    Alert {
        /// As it is on the wire.
        alert: Box<wire::Alert>,
        /// The case it is in.
        case: Option<u64>,
    },
    /// A case.
    Case(Box<CaseNotice>),
    /// A channel was disabled.
    Trouble,
}
