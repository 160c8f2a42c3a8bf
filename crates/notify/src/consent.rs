//! What a person agreed to, and whether a message may go to them.
//!
//! Everything known about a person is a log of [`Entry`]s. A [`Profile`] is made of its log alone. Consent is given for
//! one medium and one purpose, with time and source. No entry, no message.

mod profile;
mod quiet;

pub use profile::{OpenQuestion, Profile};
pub use quiet::{BadQuiet, Quiet};

use chrono_tz::Tz;
use crible_core::{EntityId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{About, Address, Key, Language, Medium, Purpose, Source};

/// One line of a person's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub record: Record,
}

/// What happened between a person and the bank. Of several about one thing, the latest in the log counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// The person agreed.
    OptedIn {
        /// To be reached this way.
        medium: Medium,
        /// For this.
        purpose: Purpose,
        /// How the bank knows.
        source: Source,
    },
    /// The person no longer agrees.
    Withdrawn {
        /// To this medium; to all of them where there is none.
        medium: Option<Medium>,
        /// For this purpose; for all of them where there is none.
        purpose: Option<Purpose>,
        /// How the bank knows.
        source: Source,
    },
    /// The person wrote STOP: nothing more of any kind, on any medium. No reply takes it back.
    Stopped {
        /// Where they wrote it.
        medium: Medium,
    },
    /// The person can be reached at an address: they proved it with a code, or the bank knows it from elsewhere.
    Linked {
        /// The medium.
        medium: Medium,
        /// The address there.
        address: Address,
        /// How the bank knows.
        source: Source,
    },
    /// The address is no longer theirs.
    Unlinked {
        /// The medium.
        medium: Medium,
    },
    /// The language they read.
    Speaks {
        /// Which.
        language: Language,
    },
    /// Their time zone, by its IANA name.
    Lives {
        /// Such as `Europe/Paris`.
        #[serde(with = "zone_name")]
        zone: Tz,
    },
    /// An account of theirs.
    Holds {
        /// Its pseudonym.
        account: EntityId,
    },
    /// An account that is no longer theirs.
    GaveUp {
        /// Its pseudonym.
        account: EntityId,
    },
    /// A message about an event was let through to be sent.
    Noticed {
        /// The event.
        about: About,
        /// The delivery: another try of it is no further notice.
        key: Key,
        /// The number to answer with where several questions are open.
        number: u8,
    },
    /// The person wrote something.
    Wrote {
        /// Where.
        medium: Medium,
    },
    /// The person answered a question.
    Answered {
        /// The event that was asked about.
        about: About,
        /// Whether the payment was theirs.
        theirs: bool,
    },
}

/// A time zone by its name. `chrono-tz` could do so itself, for whoever turns on its `serde` for the whole workspace.
mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|_| de::Error::custom(format!("no time zone of IANA: `{}`", name.escape_default())))
    }
}

/// What holds for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// At most this many notices about one event, whatever the channels.
    pub notices_an_event: u8,
    /// When nobody is disturbed.
    pub quiet: Option<Quiet>,
    /// The time zone of people of whom none is known.
    pub zone: Tz,
    /// The language of people of whom none is known.
    pub language: Language,
    /// How long a question can be answered, in hours.
    pub answer_within_hours: u16,
}

impl Rules {
    /// Most notices that an event can be configured to have.
    pub const MOST_NOTICES: u8 = 3;
}

impl Default for Rules {
    /// Three notices an event, silence from 21:00 to 08:00 UTC, English, three days to answer.
    fn default() -> Self {
        Self {
            notices_an_event: Self::MOST_NOTICES,
            quiet: Some(Quiet::NIGHT),
            zone: Tz::UTC,
            language: Language::english(),
            answer_within_hours: 72,
        }
    }
}

/// A message that somebody wants to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The way.
    pub medium: Medium,
    /// What for.
    pub purpose: Purpose,
    /// The event it is about.
    pub about: &'a About,
    /// The delivery.
    pub key: &'a Key,
}

/// Whether a message may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Granted(Grant),
    /// Not before this time: it is a quiet hour.
    Later(Timestamp),
    /// It may not.
    Refused(Refusal),
}

/// Where and how a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub address: Address,
    /// In which language.
    pub language: Language,
    /// In which time zone its times are told.
    pub zone: Tz,
    /// The number to answer with, where it is not the only open question.
    pub number: Option<u8>,
    /// When the person last wrote on this medium.
    pub wrote: Option<Timestamp>,
    /// What has to be in the log before the message is sent; `None` where it is there already.
    pub record: Option<Record>,
}

/// Why a message may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No consent for this medium and purpose.
    #[error("not opted in")]
    NotOptedIn,
    /// The person wrote STOP.
    #[error("stopped by the person")]
    Stopped,
    /// No address on this medium.
    #[error("no address")]
    NoAddress,
    /// As many notices of this event as there may be.
    #[error("enough notices of this event")]
    Enough,
    /// The person has answered.
    #[error("already answered")]
    Answered,
}
