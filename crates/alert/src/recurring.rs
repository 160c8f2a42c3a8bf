//! What an account pays and receives again and again, and what of it did not come as it used to.
//!
//! It is told to the owner of an account beside the alerts: what was expected and came needs no look. The engine
//! judges a payment by its own memory of such habits (`payment_expected`, `recurring_early`); this looks at a whole
//! file at once, which can also say what is missing.

use std::collections::BTreeMap;

use crible_core::{Amount, Currency, EntityId, Timestamp};

/// One payment: with whom, when, how much.
#[derive(Clone, Copy, Debug)]
pub struct Paid {
    /// The other side.
    pub party: EntityId,
    /// When.
    pub at: Timestamp,
    /// How much, signed.
    pub amount: Amount,
}

/// What comes again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurring {
    /// With whom.
    pub party: EntityId,
    /// The latest amount, signed.
    pub amount: Amount,
    /// Whether the amount is a price, which stays the same for a while, or a bill, which does not.
    pub is_price: bool,
    /// Usual days from one to the next.
    pub every_days: f64,
    /// How often it came.
    pub times: usize,
    /// What was not as usual, the latest.
    pub change: Option<Change>,
}

/// What was not as usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// The price is higher than it was.
    Grown {
        /// It was so much.
        from: Amount,
        /// It is so much.
        to: Amount,
    },
    /// It came twice.
    Doubled {
        /// When it came again.
        at: Timestamp,
    },
    /// It came much sooner than usual.
    Early {
        /// When it came.
        at: Timestamp,
    },
    /// It has not come since, though it should have.
    Missing {
        /// When it came last.
        since: Timestamp,
    },
}

/// The fewest payments that make a habit.
const FEWEST: usize = 3;
/// Whatever comes more often than this is shopping.
const SHORTEST_DAYS: f64 = 6.0;
/// Between payments of a habit that comes so seldom, amounts may vary: a bill.
const BILL_DAYS: f64 = 25.0;
/// How far an interval may be from the usual: so many days, or this share of it.
const OFF_DAYS: f64 = 4.0;
const OFF_SHARE: f64 = 0.15;
/// The share of intervals that have to be near the usual.
const REGULAR: f64 = 0.75;
/// Amounts that differ by less are one price.
const SAME_PRICE: f64 = 0.02;
/// A price has to rise by this share to be told.
const GROWN: f64 = 0.03;
/// A bill is at most so many times its median.
const MOST_BILL: f64 = 1.8;

/// What recurs among the payments of one account, which are in order of time and reach up to `until`. The largest
/// first.
pub fn recurring(payments: &[Paid], until: Timestamp) -> Vec<Recurring> {
    let mut by_party: BTreeMap<(u64, bool, Currency), Vec<Paid>> = BTreeMap::new();
    for paid in payments {
        let key = (paid.party.get(), paid.amount.minor > 0, paid.amount.currency);
        by_party.entry(key).or_default().push(*paid);
    }
    let mut found: Vec<Recurring> = by_party.values().filter_map(|paid| habit(paid, until)).collect();
    found.sort_by_key(|one| (std::cmp::Reverse(one.amount.minor.unsigned_abs()), one.party.get()));
    found
}

fn days(from: Timestamp, to: Timestamp) -> f64 {
    (to.0 - from.0) as f64 / Timestamp::DAY as f64
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

/// Whether two amounts are one price.
fn is_same(a: Amount, b: Amount) -> bool {
    let (a, b) = (a.minor.unsigned_abs() as f64, b.minor.unsigned_abs() as f64);
    (a - b).abs() <= SAME_PRICE * a.max(b)
}

fn habit(paid: &[Paid], until: Timestamp) -> Option<Recurring> {
    let last = paid.last().filter(|_| paid.len() >= FEWEST)?;
    let gaps: Vec<f64> = paid.windows(2).map(|pair| days(pair[0].at, pair[1].at)).collect();
    let every = median(gaps.clone());
    if every < SHORTEST_DAYS {
        return None;
    }
    let off = OFF_DAYS.max(OFF_SHARE * every).min(0.4 * every);
    let near = gaps.iter().filter(|gap| (**gap - every).abs() <= off).count() as f64;
    if near < REGULAR * gaps.len() as f64 {
        return None;
    }
    let same = paid.windows(2).filter(|pair| is_same(pair[0].amount, pair[1].amount)).count() as f64;
    let is_price = same >= 0.6 * gaps.len() as f64;
    let size = |paid: &Paid| paid.amount.minor.unsigned_abs() as f64;
    let usual = median(paid.iter().map(size).collect());
    let is_bill =
        every >= BILL_DAYS && paid.iter().all(|one| (usual / MOST_BILL..=usual * MOST_BILL).contains(&size(one)));
    if !is_price && !is_bill {
        return None;
    }
    let again = paid.windows(2).rev().find_map(|pair| {
        let gap = days(pair[0].at, pair[1].at);
        match is_same(pair[0].amount, pair[1].amount) {
            true if gap <= every / 3.0 => Some(Change::Doubled { at: pair[1].at }),
            true if gap <= every * 0.6 => Some(Change::Early { at: pair[1].at }),
            _ => None,
        }
    });
    // The price before the present one, where it was one.
    let before = paid.iter().rev().find(|one| !is_same(one.amount, last.amount));
    let grown = before
        .filter(|one| is_price && size(last) > (1.0 + GROWN) * size(one))
        .filter(|one| paid.iter().filter(|other| is_same(other.amount, one.amount)).count() >= FEWEST - 1);
    let missing = days(last.at, until) > every + off.max(OFF_DAYS) + 1.0;
    let change = match (missing, grown) {
        (true, _) => Some(Change::Missing { since: last.at }),
        (false, Some(one)) => Some(Change::Grown { from: one.amount, to: last.amount }),
        (false, None) => again,
    };
    let (party, amount, times) = (last.party, last.amount, paid.len());
    Some(Recurring { party, amount, is_price, every_days: every, times, change })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(payments: &[(u32, i64)], until: u32) -> Option<Recurring> {
        let at = |day: u32| Timestamp(i64::from(day) * Timestamp::DAY);
        let party = EntityId::from_pseudorandom(5);
        let paid = |&(day, minor): &(u32, i64)| Paid { party, at: at(day), amount: Amount::new(minor, Currency::USD) };
        recurring(&payments.iter().map(paid).collect::<Vec<_>>(), at(until)).pop()
    }

    fn change(payments: &[(u32, i64)], until: u32) -> Option<Change> {
        of(payments, until).unwrap().change
    }

    fn usd(minor: i64) -> Amount {
        Amount::new(minor, Currency::USD)
    }

    const DAY: i64 = Timestamp::DAY;

    #[test]
    fn what_comes_every_month_recurs() {
        let found = of(&[(1, -999), (32, -999), (60, -999), (91, -999)], 100).unwrap();
        assert_eq!((found.is_price, found.times, found.every_days, found.change), (true, 4, 31.0, None));
        // A bill varies, and pay comes in.
        assert!(!of(&[(1, -7_100), (31, -9_300), (61, -8_000), (92, -6_900)], 100).unwrap().is_price);
        assert_eq!(of(&[(1, 250_000), (15, 250_000), (29, 250_000)], 40).unwrap().amount, usd(250_000));
    }

    #[test]
    fn shopping_does_not_recur() {
        assert_eq!(of(&[(1, -999), (32, -999)], 40), None);
        assert_eq!(of(&[(1, -999), (3, -999), (5, -999), (7, -999)], 10), None);
        assert_eq!(of(&[(1, -999), (32, -999), (41, -999), (90, -999), (140, -999)], 150), None);
        assert_eq!(of(&[(1, -1_000), (8, -3_000), (15, -2_000), (22, -900)], 25), None);
        assert_eq!(of(&[(1, -1_000), (32, -9_000), (60, -2_000), (91, -900)], 100), None);
    }

    #[test]
    fn what_is_not_as_usual_is_told() {
        let grown = [(1, -7_999), (32, -7_999), (60, -7_999), (91, -9_499)];
        assert_eq!(change(&grown, 100), Some(Change::Grown { from: usd(-7_999), to: usd(-9_499) }));
        assert_eq!(change(&grown, 130), Some(Change::Missing { since: Timestamp(91 * DAY) }));
        let doubled = [(1, -999), (32, -999), (60, -999), (62, -999), (91, -999), (121, -999)];
        assert_eq!(change(&doubled, 125), Some(Change::Doubled { at: Timestamp(62 * DAY) }));
        let early = [(1, -999), (32, -999), (62, -999), (77, -999), (107, -999), (138, -999)];
        assert_eq!(change(&early, 140), Some(Change::Early { at: Timestamp(77 * DAY) }));
        // It became cheaper.
        assert_eq!(change(&[(1, -999), (32, -999), (60, -999), (91, -799)], 100), None);
    }
}
