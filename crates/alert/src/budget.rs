use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many alerts somebody can look at in a day; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Budget {
    per_day: NonZeroU32,
}

/// Why something is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// A budget of nothing.
    #[error("a budget of `{0}` alerts would show none: expected at least 1 a day, such as `100/day`")]
    Zero(String),
    /// Not a whole number, or not a number a day.
    #[error("`{0}` is not a budget: expected a whole number of alerts a day, such as `100/day` or `100`")]
    NotABudget(String),
    /// More than 32 bits hold.
    #[error("a budget of `{0}` is too large: expected at most 4294967295 alerts a day")]
    TooLarge(String),
}

impl Budget {
    /// A budget of `per_day` alerts a UTC day.
    ///
    /// # Errors
    /// [`BudgetError::Zero`] for 0.
    pub fn new(per_day: u32) -> Result<Self, BudgetError> {
        match NonZeroU32::new(per_day) {
            Some(per_day) => Ok(Self { per_day }),
            None => Err(BudgetError::Zero(per_day.to_string())),
        }
    }

    /// Alerts a UTC day.
    pub const fn per_day(self) -> u32 {
        self.per_day.get()
    }
}

impl FromStr for Budget {
    type Err = BudgetError;

    /// Reads `100/day` or `100`, blanks allowed around either part.
    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let fault = || BudgetError::NotABudget(text.to_owned());
        let number = match text.split_once('/') {
            None => text.trim(),
            Some((number, unit)) if unit.trim().eq_ignore_ascii_case("day") => number.trim(),
            Some(_) => return Err(fault()),
        };
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(fault());
        }
        // Digits only, so what does not parse does not fit.
        let per_day: u32 = number.parse().map_err(|_| BudgetError::TooLarge(text.to_owned()))?;
        Self::new(per_day).map_err(|_| BudgetError::Zero(text.to_owned()))
    }
}

impl Serialize for Budget {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/day", self.per_day)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn reads_or_says_why_not() {
        let check = |text: &str, expect: Result<u32, BudgetError>| {
            assert_eq!(text.parse::<Budget>().map(Budget::per_day), expect, "{text:?}");
        };
        check("100/day", Ok(100));
        check("100", Ok(100));
        check(" 7 / Day ", Ok(7));
        check("4294967295/day", Ok(u32::MAX));
        for zero in ["0", "0/day", "000"] {
            check(zero, Err(BudgetError::Zero(zero.to_owned())));
        }
        check("4294967296", Err(BudgetError::TooLarge("4294967296".to_owned())));
        for bad in ["", "/day", "ten", "-1", "+1", "1.5/day", "1e3", "100/week", "100/", "100 day", "NaN", "1/day/day"]
        {
            check(bad, Err(BudgetError::NotABudget(bad.to_owned())));
        }
    }

    #[test]
    fn errors_name_the_value_and_what_was_expected() {
        insta::assert_snapshot!(
            "5/hour".parse::<Budget>().unwrap_err(),
            @"`5/hour` is not a budget: expected a whole number of alerts a day, such as `100/day` or `100`"
        );
        insta::assert_snapshot!(
            Budget::new(0).unwrap_err(),
            @"a budget of `0` alerts would show none: expected at least 1 a day, such as `100/day`"
        );
        assert_eq!("12/day".parse::<Budget>().unwrap().to_string(), "12/day");
    }
}
