use std::fmt;

use crible_core::Timestamp;
use serde::Serialize;

use crate::owner::Owner;

/// How much was known of a transaction's account and counterparty before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct History {
    /// Payments of the account in this currency and direction, since it was first met or began anew.
    pub account: u32,
    /// Payments at the counterparty within its longest window, in this currency and direction; 0 where there is none.
    pub counterparty: u32,
    /// The time of the first transaction that the state has observed: windows hold nothing from before.
    pub since: Timestamp,
    /// Whether the next transactions have to confirm its time before it is taken in.
    pub is_provisional: bool,
    /// Whether it was provisional before already, and was handed in again.
    pub is_repeat: bool,
}

impl History {
    /// Takes in what a family of this owner knew; of several families of one owner the one that counts.
    pub(crate) fn add(&mut self, owner: Option<Owner>, known: u32) {
        match owner {
            Some(Owner::Account) => self.account = self.account.max(known),
            Some(Owner::Counterparty) => self.counterparty = self.counterparty.max(known),
            _ => {}
        }
    }
}

impl fmt::Display for History {
    /// `14 payments of the account and 220 at the counterparty before, observed since 2025-01-01T00:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, counterparty, since, is_provisional, is_repeat: _ } = self;
        write!(
            f,
            "{account} payments of the account and {counterparty} at the counterparty before, observed since {since}"
        )?;
        if *is_provisional { f.write_str(", its time to be confirmed") } else { Ok(()) }
    }
}
