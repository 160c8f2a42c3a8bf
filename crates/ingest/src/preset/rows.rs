//! What a preset says of rows: which are no transactions, and which tell the feed.

use serde::Deserialize;

use super::Place;
use crate::value::text::is_same;

/// Rows that a statement has and that are no transactions: they are rejected, with this as the reason. One of the tests
/// is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Skip {
    pub(crate) column: Place,
    /// The field is one of these, whatever the case.
    #[serde(default)]
    pub(crate) values: Vec<String>,
    /// The field is none of these.
    #[serde(default)]
    pub(crate) other_than: Vec<String>,
    pub(crate) starts_with: Option<String>,
    #[serde(default)]
    pub(crate) empty: bool,
    /// What such a row is.
    pub(crate) reason: String,
}

/// One thing that rows of a feed show and those of others with the same header do not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Evidence {
    pub(crate) column: Place,
    pub(crate) contains: String,
}

/// Rows of which it is known whether money goes out or comes in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Signs {
    #[serde(default)]
    pub(crate) out: Vec<Known>,
    #[serde(default, rename = "in")]
    pub(crate) into: Vec<Known>,
}

/// What such rows show: the field is one of the values, or contains a text, whatever the case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Known {
    pub(crate) column: Place,
    #[serde(default)]
    pub(crate) values: Vec<String>,
    pub(crate) contains: Option<String>,
}

impl Known {
    pub(crate) fn is(&self, field: &str) -> bool {
        let field = field.trim();
        let contains = |text: &String| field.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
        self.values.iter().any(|word| is_same(word.as_bytes(), field.as_bytes()))
            || self.contains.as_ref().is_some_and(contains)
    }
}

impl Skip {
    /// How many of its tests are given.
    pub(super) fn tests(&self) -> usize {
        [!self.values.is_empty(), !self.other_than.is_empty(), self.starts_with.is_some(), self.empty]
            .into_iter()
            .filter(|&given| given)
            .count()
    }

    /// Whether a field's text, without blanks around it, is such a row's.
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        let among = |words: &[String]| words.iter().any(|word| is_same(word.as_bytes(), text));
        let starts = |start: &String| text.get(..start.len()).is_some_and(|head| is_same(head, start.as_bytes()));
        (self.empty && text.is_empty())
            || among(&self.values)
            || (!self.other_than.is_empty() && !among(&self.other_than))
            || self.starts_with.as_ref().is_some_and(starts)
    }
}
