//! The conversation: what people write back.
//!
//! Yes and no answer the question that is open. STOP ends all messages. A balance is told to whoever linked their
//! address with a one-time code and agreed to it. Anything else gets a short help. An answer is evidence, not
//! authentication: nothing is done to an account because of it.

mod code;
mod conversation;
mod server;
mod words;

pub(crate) use code::live as live_code;
pub use code::{Code, CodeEntry, MOST_TRIES, VALID_SECONDS};
pub use conversation::{Cases, Conversation, Exchange, Incoming, TalkError};
pub use server::{router, serve};
pub use words::{Meaning, Said, understand};
