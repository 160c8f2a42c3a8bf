use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ColumnScale;
use crate::ensemble::Combine;
use crate::hbos::Bins;
use crate::knn::Method;
use crate::pca::Components;

/// The value of a detector's parameter, as a configuration holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// One of a few words.
    Word(String),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a.to_bits() == b.to_bits(),
            (Self::Word(a), Self::Word(b)) => a == b,
            _ => false,
        }
    }
}

// Numbers are compared by their bits.
impl Eq for Value {}

impl fmt::Display for Value {
    /// A number has a decimal point or an exponent, so that it is not read back as a whole one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => write!(f, "{value:?}"),
            Self::Word(value) => f.write_str(value),
        }
    }
}

impl Value {
    /// The value that stands in a text: a whole number, a number or a word.
    pub(super) fn parse(text: &str) -> Self {
        match (text.parse(), text.parse()) {
            (Ok(whole), _) => Self::Integer(whole),
            (_, Ok(number)) => Self::Number(number),
            _ => Self::Word(text.to_owned()),
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Word(value.to_owned())
    }
}

/// What a setter takes. Ranges are the setter's detector's to check.
pub(super) trait FromValue: Sized {
    /// What is expected, in words.
    const EXPECTED: &'static str;

    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! whole {
    ($($kind:ty),*) => {$(
        impl FromValue for $kind {
            const EXPECTED: &'static str = "a whole number, 0 or more";

            fn from_value(value: &Value) -> Option<Self> {
                if let Value::Integer(value) = value { (*value).try_into().ok() } else { None }
            }
        }
    )*};
}
whole!(u32, u64, usize);

impl FromValue for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(value) => Some(*value as f64),
            Value::Number(value) => Some(*value),
            Value::Word(_) => None,
        }
    }
}

macro_rules! words {
    ($kind:ty: $expected:literal, $($word:literal => $value:expr),*) => {
        impl FromValue for $kind {
            const EXPECTED: &'static str = $expected;

            fn from_value(value: &Value) -> Option<Self> {
                let Value::Word(word) = value else { return None };
                match word.as_str() {
                    $($word => Some($value),)*
                    _ => None,
                }
            }
        }
    };
}
words!(ColumnScale: "deviations or raw", "deviations" => Self::Deviations, "raw" => Self::Raw);
words!(Method: "largest, mean or median",
    "largest" => Self::Largest, "mean" => Self::Mean, "median" => Self::Median);
words!(Combine: "mean, max, upper_half or upper_middle",
    "mean" => Self::Mean, "max" => Self::Max, "upper_half" => Self::UpperHalf, "upper_middle" => Self::UpperMiddle);
// With the shares of the papers.
words!(Components: "all, major_and_minor or residual",
    "all" => Self::All,
    "major_and_minor" => Self::MajorAndMinor { share: 0.5, below: 0.2 },
    "residual" => Self::Residual { share: 0.5 });

impl FromValue for Bins {
    const EXPECTED: &'static str = "a whole number or birge_rozenholc";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(bins) => (*bins).try_into().ok().map(Self::Fixed),
            Value::Word(word) if word == "birge_rozenholc" => Some(Self::BirgeRozenholc),
            _ => None,
        }
    }
}
