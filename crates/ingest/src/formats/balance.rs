//! A statement's balances: the opening one and the booked entries have to make the closing one. Where they do not,
//! pages or entries are missing, and nothing else would tell.

use crible_core::{Amount, Currency};

use super::sheet::{Column, Entry, Sheet};

/// What a statement's entries make of its opening balance, as far as that can be known.
#[derive(Clone, Copy, Default)]
pub(super) struct Balance(Option<Amount>);

impl Balance {
    pub(super) fn new(opening: Option<Amount>) -> Self {
        Self(opening)
    }

    /// A balance that has its direction beside it: an amount without a sign.
    pub(super) fn stated(digits: &str, currency: &str, credit: bool) -> Option<Amount> {
        let currency = Currency::new(currency.as_bytes())?;
        let minor = Amount::parse(digits, currency).ok().filter(|_| !digits.starts_with(['-', '+']))?.minor;
        Some(Amount::new(if credit { minor } else { -minor }, currency))
    }

    /// Adds an entry. One that is pending is in no balance yet; after one that could not be read nothing is known.
    pub(super) fn add(&mut self, entry: &Entry) {
        if entry.get(Column::Status) == "pending" {
            return;
        }
        self.0 = self.0.filter(|_| entry.wrong.is_none()).and_then(|sum| {
            let currency = Currency::new(entry.get(Column::Currency).as_bytes())?;
            let amount = Amount::parse(entry.get(Column::Amount), currency).ok()?;
            let minor = sum.minor.checked_add(amount.minor).filter(|_| currency == sum.currency)?;
            Some(Amount::new(minor, currency))
        });
    }

    /// Warns where the statement closes with another balance.
    pub(super) fn close(self, stated: Option<Amount>, place: &str, sheet: &mut Sheet<'_>) {
        if let (Some(made), Some(stated)) = (self.0, stated)
            && made != stated
        {
            sheet.warn(format!(
                "{place}: the closing balance is {stated} {}; the opening one and the entries make {made} {}",
                stated.currency, made.currency
            ));
        }
    }
}
