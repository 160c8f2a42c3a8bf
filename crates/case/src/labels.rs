//! What silences, inhibitions and lists go by.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Facts;

/// What an alert can be matched by. One that an alert lacks is absent, and absent is equal to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Label {
    /// The account's pseudonym.
    Account,
    /// The other side's.
    Counterparty,
    /// What the account is linked with.
    Ring,
    /// ISO 4217 code.
    Currency,
    /// `low`, `medium`, `high` or `critical`.
    Severity,
    /// What it looks like, such as `a card being tested`.
    LooksLike,
    /// The feed that it was read from.
    Feed,
}

impl Label {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Account, Self::Counterparty, Self::Ring, Self::Currency, Self::Severity, Self::LooksLike, Self::Feed];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Counterparty => "counterparty",
            Self::Ring => "ring",
            Self::Currency => "currency",
            Self::Severity => "severity",
            Self::LooksLike => "looks_like",
            Self::Feed => "feed",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The labels of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<Label, String>);

impl Labels {
    /// Those of an alert.
    pub fn of(facts: &Facts) -> Self {
        let alert = facts.alert();
        let all = [
            (Label::Account, Some(facts.account().to_string())),
            (Label::Counterparty, facts.counterparty().map(|party| party.to_string())),
            (Label::Ring, facts.ring().map(|ring| ring.to_string())),
            (Label::Currency, Some(alert.amount.currency.clone())),
            (Label::Severity, Some(facts.severity().as_str().to_owned())),
            (Label::LooksLike, alert.looks_like.clone()),
            (Label::Feed, alert.source.as_ref().map(|source| source.feed.clone())),
        ];
        let there = all.into_iter().filter_map(|(label, value)| Some((label, value.filter(|text| !text.is_empty())?)));
        Self(there.collect())
    }

    /// The value of a label.
    pub fn get(&self, label: Label) -> Option<&str> {
        self.0.get(&label).map(String::as_str)
    }

    /// Whether both have these labels, with the same values. What both lack is not equal.
    pub fn agree(&self, other: &Self, on: &[Label]) -> bool {
        on.iter().all(|&label| self.get(label).is_some() && self.get(label) == other.get(label))
    }
}

/// Labels and the values that they must have: `account=000000000000beef,severity=low`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher(BTreeMap<Label, String>);

/// A text that matches nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` matches no alerts: expected LABEL=VALUE, several with commas between; labels are account, counterparty, \
     ring, currency, severity, looks_like and feed"
)]
pub struct BadMatcher(pub String);

impl Matcher {
    /// Whether an alert has all of it.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(label, value)| labels.get(*label) == Some(value))
    }
}

impl FromStr for Matcher {
    type Err = BadMatcher;

    fn from_str(text: &str) -> Result<Self, BadMatcher> {
        let bad = || BadMatcher(text.chars().take(80).flat_map(char::escape_default).collect());
        let mut all = BTreeMap::new();
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(bad)?;
            let label = Label::ALL.into_iter().find(|label| label.as_str() == name.trim()).ok_or_else(bad)?;
            let value = value.trim();
            if value.is_empty() || value.chars().any(char::is_control) || all.insert(label, value.to_owned()).is_some()
            {
                return Err(bad());
            }
        }
        Ok(Self(all))
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (label, value)) in self.0.iter().enumerate() {
            write!(f, "{}{label}={value}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Matcher {
    type Error = BadMatcher;

    fn try_from(text: String) -> Result<Self, BadMatcher> {
        text.parse()
    }
}

impl From<Matcher> for String {
    fn from(matcher: Matcher) -> Self {
        matcher.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_read_back_and_nothing_else_reads() {
        for good in ["severity=low", "account=000000000000beef,looks_like=a card being tested"] {
            let matcher: Matcher = good.parse().unwrap();
            assert_eq!(matcher.to_string(), good);
            let json = serde_json::to_string(&matcher).unwrap();
            assert_eq!(serde_json::from_str::<Matcher>(&json).unwrap(), matcher);
        }
        for bad in ["", "severity", "severity=", "colour=red", "severity=low,severity=high", "feed=a\nb", ","] {
            assert!(bad.parse::<Matcher>().is_err(), "{bad:?}");
            assert!(serde_json::from_value::<Matcher>(bad.into()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_both_lack_is_not_equal() {
        let labels = |pairs: &[(Label, &str)]| Labels(pairs.iter().map(|(l, v)| (*l, (*v).to_owned())).collect());
        let (one, same) = (labels(&[(Label::Account, "a")]), labels(&[(Label::Account, "a"), (Label::Feed, "x")]));
        assert!(one.agree(&same, &[Label::Account]));
        assert!(!one.agree(&same, &[Label::Account, Label::Feed]));
        assert!(!one.agree(&one, &[Label::Ring]), "both lack it");
        assert!(one.agree(&labels(&[]), &[]));
    }
}
