//! Which alerts of files are shown.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crible::{Model, Scored};
use crible_alert::{Alert, DailyBudget, FalseShare, Severity};
use crible_core::{Batch, Currency, EntityId, Timestamp, Window};

use crate::args::ScoreArgs;

/// The expected share of false alerts among those shown by default.
pub(crate) const FALSE_SHARE: f64 = 0.25;

/// So many accounts of a book have one place a day that need not be earned. Where frauds are among what was learned, tails are too
/// large for Benjamini and Hochberg's procedure, and whoever works through a book has places anyway. A person's file has none.
pub(crate) const ACCOUNTS_A_PLACE: usize = 200;

/// How long an account's story goes on after its last alert.
const STORY: Window = Window::WEEK;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// What earns its place.
    Earned,
    /// A severity and graver ones.
    AtLeast(Severity),
    /// The whole budget of each day.
    All,
}

impl Rule {
    pub(crate) fn of(args: &ScoreArgs) -> Self {
        match args.min_severity {
            _ if args.all => Self::All,
            Some(severity) => Self::AtLeast(severity),
            None => Self::Earned,
        }
    }

    /// The policy that raises whatever may be shown.
    pub(crate) fn policy(self, policy: DailyBudget) -> DailyBudget {
        match self {
            Self::All => policy,
            Self::AtLeast(severity) => policy.at_least(severity).stories(STORY),
            Self::Earned => policy.at_least(Severity::Medium).stories(STORY),
        }
    }
}

/// Alerts as they are raised, until all that was judged is known.
#[derive(Debug)]
pub(crate) struct Shown {
    rule: Rule,
    judged: FalseShare,
    /// What was scored, for the page.
    pub(crate) seen: Seen,
    alerts: Vec<Alert>,
}

/// What was scored.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) payments: u64,
    pub(crate) accounts: HashSet<EntityId>,
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// Parts of the day at which payments were, the first three.
    parts: BTreeSet<i64>,
    /// Payments in currencies that the model has no measure of.
    pub(crate) unknown: BTreeMap<Currency, u64>,
}

impl Seen {
    /// Whether payments have days and no hours: all are at midnight of one zone, which is an hour earlier in summer.
    pub(crate) fn is_by_day(&self) -> bool {
        match self.parts.iter().copied().collect::<Vec<_>>()[..] {
            [_] => true,
            [first, last] => last - first == Timestamp::DAY / 24,
            _ => false,
        }
    }
}

impl Shown {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, judged: FalseShare::new(FALSE_SHARE), seen: Seen::default(), alerts: Vec::new() }
    }

    /// Takes note of a run of scored transactions.
    pub(crate) fn judge(&mut self, model: &Model, scored: &Scored<'_>, batch: &Batch) {
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

    pub(crate) fn take(&mut self, alerts: Vec<Alert>) {
        self.alerts.extend(alerts);
    }

    /// The alerts that are shown, and what was scored.
    pub(crate) fn finish(self) -> (Vec<Alert>, Seen) {
        let Self { rule, judged, seen, mut alerts } = self;
        if rule == Rule::Earned {
            let most = judged.most_tail();
            let places = seen.accounts.len() / ACCOUNTS_A_PLACE;
            let earned = |alert: &Alert| most.is_some_and(|most| alert.decision.score.tail <= most);
            alerts.retain(|alert| earned(alert) || alert.rank as usize <= places);
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
    fn an_alert_earns_its_place() {
        assert_eq!(shown(Rule::Earned, 1), [1, 2]);
        assert_eq!(shown(Rule::Earned, 599), [1, 2]);
        assert_eq!(shown(Rule::Earned, 600), [1, 2, 3]);
        assert_eq!(shown(Rule::AtLeast(Severity::Medium), 1), [1, 2, 3, 4]);
        assert_eq!(shown(Rule::All, 1), [1, 2, 3, 4]);
    }
}
