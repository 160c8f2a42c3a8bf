//! What a feed says of transactions besides what they are.

use serde::Deserialize;

use super::{Inflow, Place};

/// Rows by the words in one of their columns, whatever the case; and columns with ids of other rows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Meaning {
    /// Not final yet.
    pub(crate) pending: Option<Inflow>,
    /// Takes an earlier one back, as if it had not been.
    pub(crate) reversal: Option<Inflow>,
    /// Gives back money of an earlier one.
    pub(crate) refund: Option<Inflow>,
    /// Moves money between accounts.
    pub(crate) transfer: Option<Inflow>,
    /// The id of the transaction that is taken back.
    pub(crate) original: Option<Place>,
    /// The id under which the transaction stood while it was pending, or before it was put right.
    pub(crate) replaces: Option<Place>,
}

impl Meaning {
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        let words = [&self.pending, &self.reversal, &self.refund, &self.transfer];
        let words = words.into_iter().flatten().map(|words| &words.column);
        words.chain(&self.original).chain(&self.replaces)
    }
}
