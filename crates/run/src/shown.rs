//! Which alerts of files are shown.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use crible::{Model, Scored};
use crible_alert::{Alert, AlertId, DailyBudget, FalseShare, Severity};
use crible_core::{Batch, Currency, EntityId, Timestamp, Window};

/// The expected share of false alerts among those shown by default.
pub const FALSE_SHARE: f64 = 0.25;

/// Places that need not be earned. Where frauds are among what was learned, tails are too large for Benjamini and
/// Hochberg's procedure, and whoever works through a book has places anyway. A person's file has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreePlaces {
    /// A person's file has none.
    None,
    /// So many a day.
    ADay(u32),
    /// One in so many days.
    OneIn(u32),
}

impl FreePlaces {
    /// So many accounts have one place a day.
    const ACCOUNTS: u32 = 200;
    /// Fewer accounts than this are a person's, or a household's.
    const SMALLEST_BOOK: u32 = 20;

    /// Those of a book of so many accounts.
    pub fn of(accounts: usize) -> Self {
        match u32::try_from(accounts).unwrap_or(u32::MAX) {
            ..Self::SMALLEST_BOOK => Self::None,
            accounts @ ..Self::ACCOUNTS => Self::OneIn(Self::ACCOUNTS.div_ceil(accounts)),
            accounts => Self::ADay(accounts / Self::ACCOUNTS),
        }
    }

    /// The references of alerts that have one, of all that were raised.
    fn given(self, alerts: &[Alert]) -> HashSet<AlertId> {
        let days = match self {
            Self::None => return HashSet::new(),
            Self::ADay(most) => {
                return alerts.iter().filter(|alert| alert.rank <= most).map(|alert| alert.id).collect();
            }
            Self::OneIn(days) => i64::from(days),
        };
        let mut strangest: BTreeMap<i64, &Alert> = BTreeMap::new();
        for alert in alerts.iter().filter(|alert| alert.rank == 1) {
            let place = strangest.entry(alert.day.0.div_euclid(days)).or_insert(alert);
            if alert.decision.score.raw > place.decision.score.raw {
                *place = alert;
            }
        }
        strangest.into_values().map(|alert| alert.id).collect()
    }
}

impl fmt::Display for FreePlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::ADay(most) => write!(f, "{most} a day"),
            Self::OneIn(days) => write!(f, "one in {days} days"),
        }
    }
}

/// How long an account's story goes on after its last alert.
const STORY: Window = Window::WEEK;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// What earns its place.
    Earned,
    /// A severity and graver ones.
    AtLeast(Severity),
    /// The whole budget of each day.
    All,
}

impl Rule {
    /// The policy that raises whatever may be shown.
    pub fn policy(self, policy: DailyBudget) -> DailyBudget {
        match self {
            Self::All => policy,
            Self::AtLeast(severity) => policy.at_least(severity).stories(STORY),
            Self::Earned => policy.at_least(Severity::Medium).stories(STORY),
        }
    }
}

/// Alerts as they are raised, until all that was judged is known.
#[derive(Debug)]
pub struct Shown {
    rule: Rule,
    judged: FalseShare,
    /// What was scored, for the page.
    pub seen: Seen,
    alerts: Vec<Alert>,
}

/// What was scored.
#[derive(Debug, Default)]
pub struct Seen {
    /// Payments.
    pub payments: u64,
    /// Accounts that paid.
    pub accounts: HashSet<EntityId>,
    /// The first payment and the last.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Parts of the day at which payments were, the first three.
    parts: BTreeSet<i64>,
    /// Payments in currencies that the model has no measure of.
    pub unknown: BTreeMap<Currency, u64>,
}

impl Seen {
    /// Whether payments have days and no hours: all are at midnight of one zone, which is an hour earlier in summer.
    pub fn is_by_day(&self) -> bool {
        match self.parts.iter().copied().collect::<Vec<_>>()[..] {
            [_] => true,
            [first, last] => last - first == Timestamp::DAY / 24,
            _ => false,
        }
    }
}

impl Shown {
    /// Nothing was raised or scored yet.
    pub fn new(rule: Rule) -> Self {
        Self { rule, judged: FalseShare::new(FALSE_SHARE), seen: Seen::default(), alerts: Vec::new() }
    }

    /// Takes note of a run of scored transactions.
    pub fn judge(&mut self, model: &Model, scored: &Scored<'_>, batch: &Batch) {
        let mut last = None;
        for row in scored.rows() {
            let (at, account, currency) = (batch.times()[row], batch.accounts()[row], batch.amount(row).currency);
            self.seen.payments += 1;
            if last != Some(account) {
                self.seen.accounts.insert(account);
                last = Some(account);
            }
            self.seen.span = Some(self.seen.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
            if self.seen.parts.len() < 3 {
                self.seen.parts.insert(at.micros_of_day());
            }
            if !model.knows_currency(currency) {
                *self.seen.unknown.entry(currency).or_default() += 1;
            }
            if !scored.is_cold(row) {
                self.judged.count(scored.score(row));
            }
        }
    }

    /// Takes alerts that were raised.
    pub fn take(&mut self, alerts: Vec<Alert>) {
        self.alerts.extend(alerts);
    }

    /// The alerts that are shown, and what was scored.
    pub fn finish(self) -> (Vec<Alert>, Seen) {
        let Self { rule, judged, seen, mut alerts } = self;
        if rule == Rule::Earned {
            let most = judged.most_tail();
            let free = FreePlaces::of(seen.accounts.len()).given(&alerts);
            let earned = |alert: &Alert| most.is_some_and(|most| alert.decision.score.tail <= most);
            alerts.retain(|alert| earned(alert) || free.contains(&alert.id));
        }
        (alerts, seen)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crible_alert::{Day, Decision, ModelId, Score};
    use crible_core::{Amount, Transaction, TxnId};

    use super::*;

    fn alert(tail: f64, rank: u32) -> Alert {
        let txn = Transaction::new(
            TxnId(rank.into()),
            Timestamp(0),
            EntityId::from_pseudorandom(9),
            Amount::new(-1, Currency::EUR),
        );
        let score = Score { raw: -tail.ln(), tail };
        Alert::new(Day(0), rank, Decision::new(&txn, score, Severity::of(tail), &[], ModelId(1)))
    }

    fn shown(rule: Rule, accounts: u64) -> Vec<u32> {
        let mut shown = Shown::new(rule);
        shown.seen.accounts = (1..=accounts).map(EntityId::from_pseudorandom).collect();
        let tails = [1e-6, 1e-5, 0.004, 0.008];
        (0..1_000).for_each(|n| shown.judged.count(Score { raw: 0.0, tail: 0.02 + f64::from(n) / 1_100.0 }));
        tails.into_iter().for_each(|tail| shown.judged.count(Score { raw: 1.0, tail }));
        shown.take((1..).zip(tails).map(|(rank, tail)| alert(tail, rank)).collect());
        shown.finish().0.iter().map(|alert| alert.rank).collect()
    }

    #[test]
    fn midnights_of_a_zone_are_days_without_hours() {
        let check = |hours: &[i64], expect: bool| {
            let parts = hours.iter().map(|hour| hour * Timestamp::DAY / 24).collect();
            assert_eq!(Seen { parts, ..Seen::default() }.is_by_day(), expect, "{hours:?}");
        };
        check(&[], false);
        check(&[0], true);
        check(&[4, 5], true);
        check(&[4, 6], false);
        check(&[4, 5, 6], false);
    }

    #[test]
    fn a_small_book_has_a_place_in_some_days() {
        assert_eq!([0, 19, 20, 150, 199, 200, 1_000].map(FreePlaces::of), {
            use FreePlaces::{ADay, None, OneIn};
            [None, None, OneIn(10), OneIn(2), OneIn(2), ADay(1), ADay(5)]
        });
        let days: Vec<Alert> = [(0, 3e-3), (1, 2e-3), (2, 4e-3), (3, 5e-3)]
            .into_iter()
            .flat_map(|(day, tail)| [(1, tail), (2, tail * 1.1)].map(|(rank, tail)| (day, rank, tail)))
            .map(|(day, rank, tail)| Alert { day: Day(day), ..alert(tail, 10 * day as u32 + rank) })
            .map(|alert| Alert { rank: alert.rank % 10, ..alert })
            .collect();
        let given = FreePlaces::OneIn(2).given(&days);
        let kept: Vec<i64> = days.iter().filter(|alert| given.contains(&alert.id)).map(|alert| alert.day.0).collect();
        assert_eq!(kept, [1, 2]);
    }

    #[test]
    fn an_alert_earns_its_place() {
        assert_eq!(shown(Rule::Earned, 1), [1, 2]);
        assert_eq!(shown(Rule::Earned, 599), [1, 2]);
        assert_eq!(shown(Rule::Earned, 19), [1, 2]);
        assert_eq!(shown(Rule::Earned, 600), [1, 2, 3]);
        assert_eq!(shown(Rule::AtLeast(Severity::Medium), 1), [1, 2, 3, 4]);
        assert_eq!(shown(Rule::All, 1), [1, 2, 3, 4]);
    }
}
