use std::str::FromStr;

use crible_alert::{Severity, wire};
use crible_core::{Amount, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{BadName, CaseReason, ChannelName};

/// What somebody is told: the body of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// A customer is asked whether a payment was theirs.
    Question(Question),
    /// An analyst gets an alert with its reasons.
    Alert {
        /// As it is on the wire.
        alert: Box<wire::Alert>,
        /// The case it is in.
        case: Option<u64>,
    },
    /// An analyst is told of a case.
    Case(CaseNotice),
    /// Whoever runs this is told that a channel was disabled.
    Trouble {
        /// Which.
        channel: ChannelName,
        /// Why.
        why: String,
    },
}

/// What an analyst is told of a case: what it is when it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseNotice {
    /// Its number.
    pub case: u64,
    /// Which notice about it this is, from 1.
    pub notice: u32,
    /// Why somebody is told.
    pub reason: CaseReason,
    /// The gravest of its alerts'.
    pub severity: Severity,
    /// Who works on it.
    pub owner: Option<String>,
    /// How many alerts it has.
    pub alerts: u64,
    /// How many of them nobody has looked at.
    pub unseen: u64,
    /// What its payments move, such as `412.00 USD`, one for each currency.
    pub at_risk: Vec<String>,
    /// The gravest alert that nobody has looked at.
    pub alert: Box<wire::Alert>,
}

/// All that a customer is told of a payment. There is no room in it for a score, a reason or an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// How much; its sign does not matter.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
    /// The last digits of the card or the account, where they are known.
    pub last_digits: Option<LastDigits>,
    /// The merchant's name as the customer knows it, where it is known.
    pub merchant: Option<String>,
}

/// The last two to four digits of a card or an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LastDigits(Box<str>);

impl LastDigits {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LastDigits {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        if (2..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(text.into()));
        }
        // What was given may be a whole card number.
        Err(BadName::new("last digits", "", "two to four digits"))
    }
}

impl TryFrom<String> for LastDigits {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<LastDigits> for String {
    fn from(this: LastDigits) -> Self {
        this.0.into()
    }
}

impl Question {
    /// The question about an alert. What the alert does not hold, because it holds pseudonyms, comes from whoever has
    /// it.
    ///
    /// # Errors
    /// The alert's amount or time is none.
    pub fn about(
        alert: &wire::Alert,
        last_digits: Option<LastDigits>,
        merchant: Option<String>,
    ) -> Result<Self, BadName> {
        let amount = &alert.amount;
        let read = amount.currency.parse().ok().and_then(|currency| Amount::parse(&amount.value, currency).ok());
        let amount = read.ok_or_else(|| BadName::new("amount", &amount.value, "a decimal number and its currency"))?;
        let at = alert.at.parse().map_err(|_| BadName::new("time", &alert.at, "RFC 3339"))?;
        Ok(Self { amount, at, last_digits, merchant })
    }
}
