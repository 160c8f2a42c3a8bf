//! Names, references and addresses. Each is checked where it is made, also where it is read back.

use std::fmt;
use std::str::FromStr;

use crible_core::EntityId;
use serde::{Deserialize, Serialize};

/// A name or a reference that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{text}`: expected {expected}")]
pub struct BadName {
    /// What it should be.
    pub what: &'static str,
    /// Its beginning; empty for what is private.
    pub text: String,
    /// What that looks like.
    pub expected: &'static str,
}

impl BadName {
    pub(crate) fn new(what: &'static str, text: &str, expected: &'static str) -> Self {
        Self { what, text: text.chars().take(40).flat_map(char::escape_default).collect(), expected }
    }
}

macro_rules! name {
    ($(#[$about:meta])* $name:ident, $what:literal, $expected:literal, $holds:expr) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                let holds: fn(&str) -> bool = $holds;
                if holds(text) { Ok(Self(text.into())) } else { Err(BadName::new($what, text, $expected)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(this: $name) -> Self {
                this.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_word(text: &str, most: usize, others: &[u8]) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || others.contains(&byte);
    (1..=most).contains(&text.len()) && text.bytes().all(allowed)
}

name!(
    /// The name of a configured channel.
    ChannelName, "channel", "1 to 40 of a-z, 0-9, `-` and `_`",
    |text| is_word(text, 40, b"-_")
);
name!(
    /// What a receiver removes duplicates by: every try of one delivery has the same.
    Key, "key", "1 to 200 of a-z, 0-9, `-`, `_`, `.`, `:` and `/`",
    |text| is_word(text, 200, b"-_.:/")
);
name!(
    /// The event that a notice is about, such as an alert: notices are counted by it.
    About, "event", "1 to 64 of a-z, 0-9, `-`, `_` and `:`",
    |text| is_word(text, 64, b"-_:")
);

name!(
    /// A language that messages are written in.
    Language, "language", "a code such as en, fr or fr-ca",
    |text| {
        let letters = |part: &str, least, most| {
            (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        let (language, region) = text.split_once('-').map_or((text, None), |(l, r)| (l, Some(r)));
        letters(language, 2, 3) && region.is_none_or(|region| letters(region, 2, 4))
    }
);

impl Language {
    /// English.
    pub fn english() -> Self {
        Self("en".into())
    }

    /// French.
    pub fn french() -> Self {
        Self("fr".into())
    }

    /// The language without its region.
    pub fn without_region(&self) -> Self {
        Self(self.0.split('-').next().unwrap_or(&self.0).into())
    }
}

/// A person, by pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Person(pub EntityId);

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Person {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = |_| BadName::new("person", text, "16 hexadecimal digits that are not all zero");
        text.parse().map(Self).map_err(bad)
    }
}

/// Where a person is reached on a medium: a telephone number, a mail address, a messenger's number of the person. It is
/// private: it shows in no log and in no error.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(Box<str>);

impl Address {
    /// The text, for whoever sends something there.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let visible = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if (1..=254).contains(&text.len()) && visible {
            return Ok(Self(text.into()));
        }
        Err(BadName::new("address", "", "1 to 254 bytes without blanks"))
    }
}

impl TryFrom<String> for Address {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(this: Address) -> Self {
        this.0.into()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(private)")
    }
}

/// A closed set of words, the same in text and on the wire.
macro_rules! words {
    (
        $(#[$about:meta])*
        $name:ident, $what:literal, $expected:literal,
        $($(#[$doc:meta])* $variant:ident = $word:literal,)+
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                let found = Self::ALL.iter().copied().find(|word| word.as_str() == text);
                found.ok_or_else(|| BadName::new($what, text, $expected))
            }
        }
    };
}

words!(
    /// A way to reach a person.
    Medium, "medium", "sms, whatsapp, messenger or email",
    /// A text message.
    Sms = "sms",
    /// WhatsApp.
    Whatsapp = "whatsapp",
    /// Facebook Messenger.
    Messenger = "messenger",
    /// E-mail.
    Email = "email",
);
words!(
    /// What a person agreed to be written for.
    Purpose, "purpose", "fraud_alert or balance",
    /// Being asked whether a payment was theirs.
    FraudAlert = "fraud_alert",
    /// Being told the balance when they ask for it.
    Balance = "balance",
);
words!(
    /// How the bank came to know what a person wants.
    Source, "source", "form, app, branch, phone, import or reply",
    /// A form the person filled in.
    Form = "form",
    /// The bank's app, or its pages behind a login.
    App = "app",
    /// At a branch.
    Branch = "branch",
    /// On the telephone.
    Phone = "phone",
    /// Another system of the bank, which keeps the proof.
    Import = "import",
    /// An answer to a message.
    Reply = "reply",
);

words!(
    /// Why somebody is told of a case.
    CaseReason, "reason", "new, graver, more or repeat",
    /// There is a case.
    New = "new",
    /// It got graver than was told.
    Graver = "graver",
    /// It got more alerts.
    More = "more",
    /// Nobody has looked at it since.
    Repeat = "repeat",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_when_read_back() {
        for (good, bad) in [("\"hook-1\"", "\"Hook\""), ("\"a\"", "\"\""), ("\"a_b\"", "\"a b\"")] {
            assert!(serde_json::from_str::<ChannelName>(good).is_ok(), "{good}");
            assert!(serde_json::from_str::<ChannelName>(bad).is_err(), "{bad}");
        }
        assert!("alert/00ff/hook/1".parse::<Key>().is_ok());
        assert!("a\nb".parse::<Key>().is_err());
        for (good, bad) in [("en", "e"), ("fr-ca", "fr-"), ("zh-hant", "EN")] {
            assert!(good.parse::<Language>().is_ok() && bad.parse::<Language>().is_err(), "{good} {bad}");
        }
        let error = "A\u{7}".repeat(90).parse::<About>().unwrap_err().to_string();
        assert!(error.len() < 400 && !error.contains('\u{7}'), "{error}");
    }

    #[test]
    fn an_address_shows_nowhere() {
        let address: Address = "+33600000000".parse().unwrap();
        assert_eq!(format!("{address:?}"), "Address(private)");
        let error = "ana two@example.com".parse::<Address>().unwrap_err();
        assert!(!error.to_string().contains("ana"), "{error}");
        assert!("a@b\r\nBcc: c@d".parse::<Address>().is_err());
    }

    #[test]
    fn words_are_the_same_in_text_and_on_the_wire() {
        for purpose in Purpose::ALL {
            assert_eq!(serde_json::to_string(purpose).unwrap(), format!("\"{purpose}\""));
            assert_eq!(purpose.as_str().parse(), Ok(*purpose));
        }
        for source in Source::ALL {
            assert_eq!(serde_json::to_string(source).unwrap(), format!("\"{source}\""));
        }
        for medium in Medium::ALL {
            assert_eq!(serde_json::to_string(medium).unwrap(), format!("\"{medium}\""));
        }
        assert_eq!("telegram".parse::<Medium>().unwrap_err().expected, "sms, whatsapp, messenger or email");
    }
}
