use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A case's number. Numbers ascend, and none is given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub u64);

/// An operation's number: its place among everything that happened, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub u64);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A word or a text that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{text}`: expected {expected}")]
pub struct BadWord {
    /// What it should be.
    pub what: &'static str,
    /// Its beginning.
    pub text: String,
    /// What that looks like.
    pub expected: &'static str,
}

/// Checked when made, also where it is read back.
macro_rules! checked {
    ($(#[$about:meta])* $name:ident, $what:literal, $expected:literal, $holds:expr) => {
        $(#[$about])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadWord;

            fn from_str(text: &str) -> Result<Self, BadWord> {
                let holds: fn(&str) -> bool = $holds;
                if holds(text) {
                    return Ok(Self(text.into()));
                }
                let text = text.chars().take(40).flat_map(char::escape_default).collect();
                Err(BadWord { what: $what, text, expected: $expected })
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadWord;

            fn try_from(text: String) -> Result<Self, BadWord> {
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

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

checked!(
    /// Who works on cases: the name they are known by in the bank's own directory.
    User, "user", "1 to 64 characters without blanks at the ends and without control characters",
    |text| is_line(text, 64)
);
checked!(
    /// A word to find cases by.
    Tag, "tag", "1 to 40 of a-z, 0-9, `-`, `_` and `:`",
    |text| (1..=40).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_:".contains(&b))
);
checked!(
    /// What a person wrote about a case.
    Text, "note", "1 to 4,000 characters, none of them a control character but the end of line and the tabulator",
    |text| !text.trim().is_empty()
        && text.chars().count() <= 4_000
        && text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t')
);

fn is_line(text: &str, most: usize) -> bool {
    let chars = text.chars().count();
    (1..=most).contains(&chars) && text.trim() == text && !text.chars().any(char::is_control)
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Crible itself, because an alert came.
    Engine,
    /// The customer, who was asked. What a customer says is evidence and closes nothing.
    Customer,
    /// Somebody who works on cases.
    Person(User),
}

impl Actor {
    /// Somebody who works on cases.
    pub fn person(&self) -> Option<&User> {
        match self {
            Self::Person(user) => Some(user),
            Self::Engine | Self::Customer => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine => f.write_str("engine"),
            Self::Customer => f.write_str("customer"),
            Self::Person(user) => write!(f, "{user}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_checked_when_made_and_when_read() {
        for good in ["ana", "Ana B.", "ana@bank.example"] {
            assert_eq!(good.parse::<User>().unwrap().as_str(), good);
        }
        for bad in ["", " ana", "a\nb", &"x".repeat(65)] {
            assert!(bad.parse::<User>().is_err(), "{bad:?}");
            assert!(serde_json::from_value::<User>(bad.into()).is_err(), "{bad:?}");
        }
        assert!("card-testing".parse::<Tag>().is_ok() && "Card testing".parse::<Tag>().is_err());
        assert!("called,\nno answer".parse::<Text>().is_ok());
        for bad in [" \n", "bell \u{7}", &"x".repeat(4_001)] {
            assert!(bad.parse::<Text>().is_err(), "{bad:?}");
        }
        let error = "\u{1b}[2J".parse::<User>().unwrap_err().to_string();
        assert!(error.starts_with(r"user `\u{1b}[2J`: expected 1 to 64"), "{error}");
    }
}
