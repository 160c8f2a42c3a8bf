//! What came as expected, in a sentence.

use crible_alert::recurring::{Change, Recurring};
use crible_core::{Amount, Timestamp};

/// Words in a payee's text that make a payment the rent.
const RENT: [&str; 7] = ["RENT", "PROPERTY", "PROPERTIES", "APARTMENT", "APARTMENTS", "REALTY", "LANDLORD"];

/// Words in a payer's text that make what comes in pay.
const PAY: [&str; 4] = ["PAYROLL", "SALARY", "WAGE", "WAGES"];

/// Words in a payee's text that make a fixed amount anything but a subscription.
const NO_SUBSCRIPTION: [&str; 10] =
    ["LOAN", "MORTGAGE", "INSURANCE", "TRANSFER", "XFER", "SAVINGS", "ZELLE", "VENMO", "CARD", "AUTOPAY"];

/// Of an amount that comes more often, nobody says that it is a subscription.
const SUBSCRIPTION_DAYS: f64 = 25.0;

/// At most so many things are said to be otherwise.
const MOST: usize = 5;

/// `Came as expected: pay, rent and 5 subscriptions; COMCAST CABLE has grown from 79.99 to 94.99.` None where nothing
/// recurs.
pub(crate) fn sentence(
    recurring: &[Recurring],
    text: impl Fn(&Recurring) -> Option<String>,
    amount: impl Fn(Amount) -> String,
    date: impl Fn(Timestamp) -> String,
) -> Option<String> {
    let (mut pay, mut income, mut rent, mut subscriptions, mut fixed, mut bills) = (0, 0, 0, 0, 0, 0);
    let mut changes = Vec::new();
    for one in recurring {
        let text = text(one);
        let has = |words: &[&str]| text.as_deref().is_some_and(|text| has_word(text, words));
        // What goes to somebody whose name is masked is no subscription.
        let has_name = text.as_deref().is_some_and(|text| !text.contains('['));
        let is_subscription = has_name && one.is_price && one.every_days >= SUBSCRIPTION_DAYS && !has(&NO_SUBSCRIPTION);
        let name = text.clone().unwrap_or_else(|| one.party.to_string());
        match one.change {
            Some(Change::Grown { from, to }) => {
                changes.push(format!("{name} has grown from {} to {}", amount(from), amount(to)));
            }
            Some(Change::Doubled { at }) => changes.push(format!("{name} came a second time on {}", date(at))),
            Some(Change::Early { at }) => changes.push(format!("{name} came early on {}", date(at))),
            Some(Change::Missing { since }) => changes.push(format!("{name} has not come since {}", date(since))),
            None if one.amount.minor > 0 && has(&PAY) => pay += 1,
            None if one.amount.minor > 0 => income += 1,
            None if has(&RENT) => rent += 1,
            None if is_subscription => subscriptions += 1,
            None if one.is_price => fixed += 1,
            None => bills += 1,
        }
    }
    let counted = |number: usize, one: &str, many: &str| match number {
        0 => None,
        1 => Some(one.to_owned()),
        n => Some(format!("{n} {many}")),
    };
    let came: Vec<String> = [
        counted(pay, "pay", "kinds of pay"),
        counted(income, "a regular receipt", "regular receipts"),
        counted(rent, "rent", "rents"),
        counted(subscriptions, "a subscription", "subscriptions"),
        counted(fixed, "a fixed payment", "fixed payments"),
        counted(bills, "a bill", "bills"),
    ]
    .into_iter()
    .flatten()
    .collect();
    changes.truncate(MOST);
    let came = match came.as_slice() {
        [] if changes.is_empty() => return None,
        [] => return Some(format!("Not as expected: {}.", changes.join("; "))),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    Some(format!("Came as expected: {}.", [vec![came], changes].concat().join("; ")))
}

fn has_word(text: &str, words: &[&str]) -> bool {
    text.to_uppercase().split(|letter: char| !letter.is_alphabetic()).any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use crible_core::{Currency, EntityId};

    use super::*;

    #[test]
    fn what_recurs_is_counted_and_what_changed_is_named() {
        let one = |party: u64, minor: i64, is_price: bool, change: Option<Change>| Recurring {
            party: EntityId::from_pseudorandom(party + 1),
            amount: Amount::new(minor, Currency::USD),
            is_price,
            every_days: 30.0,
            times: 9,
            change,
        };
        let names = ["ACME PAYROLL", "OAK APARTMENTS", "STREAMLY", "GYM", "CITY POWER", "CABLE CO", "TO [name]"];
        let grown = Change::Grown { from: Amount::new(-7_999, Currency::USD), to: Amount::new(-9_499, Currency::USD) };
        let all = [
            one(0, 250_000, true, None),
            one(1, -120_000, true, None),
            one(2, -999, true, None),
            one(3, -2_999, true, None),
            one(4, -8_100, false, None),
            one(5, -9_499, true, Some(grown)),
            one(6, -30_000, true, None),
            one(9, -30_000, true, None),
            one(9, 4_000, true, None),
        ];
        let name = |one: &Recurring| {
            let at = (0..names.len()).find(|at| EntityId::from_pseudorandom(*at as u64 + 1) == one.party)?;
            Some(names[at].to_owned())
        };
        let said = |all: &[Recurring]| super::sentence(all, name, crate::page::format::digits, |at| at.to_string());
        assert_eq!(
            said(&all).as_deref(),
            Some(
                "Came as expected: pay, a regular receipt, rent, 2 subscriptions, 2 fixed payments and a bill; \
                 CABLE CO has grown from 79.99 to 94.99."
            )
        );
        assert_eq!(said(&all[5..6]).as_deref(), Some("Not as expected: CABLE CO has grown from 79.99 to 94.99."));
        assert_eq!(said(&[]), None);
    }
}
