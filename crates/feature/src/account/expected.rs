//! What was to be expected of an account by now, judged by the time it has been watched and by its peers.

use crible_core::{Column, Scale, Tail, Topic, Unit, Window};

use super::columns::{LOOKED_BACK, Reading};
use super::{Account, AccountBehaviour, DAY, HOUR, MONTH, WEEK};
use crate::math::{exp, ln, ln1p};
use crate::peers::{PRIOR, PeerHabits, UsualAmount};
use crate::rule::Columns;
use crate::window::float;
use crate::windows::span;

/// How the hours of all accounts weigh beside an account's own, in payments.
const HOUR_PRIOR: f64 = 12.0;

/// Payments of all accounts from which on their hours mean something.
const ENOUGH_HOURS: u64 = 100;

/// The pace of an account that nothing is known of, its peers included: a payment a day.
const ANY_PACE: f64 = 1.0 / 86_400.0;

/// −ln of the share of all payments that hours like each have, where hours mean anything: a feed of whole days has one
/// hour.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PeerHours(Option<[f64; 24]>);

impl PeerHours {
    pub(super) fn of(hours: &[u64; 24]) -> Self {
        let (all, most) = (hours.iter().sum::<u64>(), hours.iter().max().copied().unwrap_or(0));
        if all < ENOUGH_HOURS || most as f64 >= 0.9 * all as f64 {
            return Self(None);
        }
        let near = |hour: usize| -> u64 {
            [1, 2, 3, 2, 1].iter().enumerate().map(|(i, weight)| weight * hours[(hour + 22 + i) % 24]).sum()
        };
        Self(Some(std::array::from_fn(|hour| near(hour) as f64 / (9.0 * all as f64))))
    }
}

/// What the pace and the usual amount of an account let expect of its windows.
///
/// The pace is that of the longest window, of which only the time counts that the account has been watched, and its
/// peers' counts for one payment. Payments are to be expected in as much of a window as has been watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Payments in a second.
    rate: f64,
    /// Seconds the account has been watched, at most the longest window.
    watched: f64,
    /// The mean payment in major units, its peers' among them.
    mean: f64,
}

impl Pace {
    fn of(r: &Reading<'_>) -> Self {
        let watched = r.account.watched(r.payment.at, r.rule.windows[MONTH].0) as f64 / 1e6;
        let habits = r.habits();
        let peers = habits.map_or(ANY_PACE, |habits| habits.per_second.max(1e-9));
        let own = r.sums[MONTH].mean() * r.per_unit;
        let mean = habits.map_or(own, |habits| (r.count() * own + PRIOR * exp(habits.log_mean)) / (r.count() + PRIOR));
        Self { rate: (r.count() + 1.0) / (watched + 1.0 / peers), watched, mean }
    }

    /// How many payments there are to be in a window, this one among them.
    fn payments(&self, window: Window) -> f64 {
        1.0 + self.rate * (window.0 as f64 / 1e6).min(self.watched)
    }
}

impl Account {
    /// How long the account has been watched, in microseconds and at most the longest window.
    fn watched(&self, at: i64, longest: i64) -> i64 {
        let in_window = self.events.sums()[MONTH].count;
        if self.payments > in_window {
            return longest;
        }
        let first = self.events.first().map_or(at, |event| event.at);
        at.saturating_sub(first).min(longest)
    }
}

impl Reading<'_> {
    fn habits(&self) -> Option<PeerHabits> {
        self.rule.peers.habits_of(self.payment.kind)
    }

    fn expected_pace(&self) -> Pace {
        *self.pace.get_or_init(|| Pace::of(self))
    }

    /// The amount in major units.
    fn amount(&self) -> f64 {
        self.payment.minor as f64 * self.per_unit
    }

    fn to_usual(&self) -> f64 {
        let month = &self.sums[MONTH];
        let (mean, deviation) = (month.mean() * self.per_unit, month.deviation() * self.per_unit);
        UsualAmount::of(self.count(), mean, deviation, self.habits()).deviations(self.amount())
    }

    fn to_largest(&self) -> f64 {
        let lately = (self.sums[MONTH].count as usize).min(LOOKED_BACK);
        let largest = self.account.events.largest_of_last(lately);
        let (log, count) = (ln1p(self.amount()), self.count());
        let own = (log - ln1p(largest as f64 * self.per_unit)) * (count / (count + PRIOR));
        let of_peers =
            |habits: PeerHabits| (log - habits.log_mean - 2.0 * habits.log_variance.sqrt()) * (PRIOR / (count + PRIOR));
        own + self.habits().map_or(0.0, of_peers)
    }

    /// ln of what was spent in a window with this payment over what was to be expected of it, one unit added to both.
    fn sum_to_expected(&self, w: usize) -> f64 {
        let spent = float(self.sums[w].sum) * self.per_unit + self.amount();
        let pace = self.expected_pace();
        // Of a currency that peers tell nothing of, only what the account has paid in it does.
        let known = self.habits().map_or(self.count() / (self.count() + PRIOR), |_| 1.0);
        known * ln((spent + 1.0) / (pace.mean * pace.payments(self.rule.windows[w]) + 1.0))
    }

    /// How many deviations there are more payments in a window than were to be expected: square roots of counts have
    /// one spread, whatever is expected.
    fn count_to_expected(&self, w: usize) -> f64 {
        let here = f64::from(self.sums[w].count) + 1.0;
        2.0 * (here.sqrt() - self.expected_pace().payments(self.rule.windows[w]).sqrt())
    }

    fn hour_surprise(&self) -> f64 {
        let Some(hours) = self.rule.hours.0 else { return 0.0 };
        let own = self.account.calendar.near(self.payment.at);
        let peers = hours[crate::calendar::hour(self.payment.at)];
        ln((self.count() + HOUR_PRIOR) / (own + HOUR_PRIOR * peers + 1e-9))
    }
}

/// Adds the columns that judge an account by what was to be expected of it.
pub(super) fn columns(all: &mut Columns<AccountBehaviour>, windows: &[Window; 4], counterparties: bool) {
    use Scale::{Linear, Ln, Ln1p};
    use Tail::Upper;
    let tags = windows.map(Window::tag);
    let month = &tags[MONTH];
    let amount = Topic::AmountForAccount;
    all.add(
        Column::input(format!("amount_to_usual_{month}"), Unit::Deviations, Linear, Upper, amount)
            .shown_as_amount()
            .against("account_mean")
            .described("{value} is far above what this account usually pays (mean {typical})")
            .shown_only(),
        |r| r.to_usual(),
    );
    all.add(
        Column::input(format!("amount_to_largest_{month}"), Unit::Ratio, Ln, Upper, amount)
            .shown_as_amount()
            .alone()
            .described(format!(
                "{{value}} is more than this account paid at once within {} before",
                span(windows[MONTH])
            ))
            .shown_only(),
        |r| r.to_largest(),
    );
    for w in [HOUR, DAY, WEEK] {
        let name = format!("account_sum_{}_to_expected", tags[w]);
        all.add(
            Column::input(name, Unit::Ratio, Ln, Upper, Topic::Spending)
                .alone()
                .described(format!(
                    "within {} this account paid {{value}} times what was to be expected of it",
                    span(windows[w])
                ))
                .shown_only(),
            move |r| r.sum_to_expected(w),
        );
    }
    for w in [HOUR, DAY, WEEK] {
        let name = format!("account_count_{}_to_expected", tags[w]);
        all.add(
            Column::input(name, Unit::Deviations, Linear, Upper, Topic::Velocity)
                .alone()
                .described(format!(
                    "more payments within {} than were to be expected of this account",
                    span(windows[w])
                ))
                .shown_only(),
            move |r| r.count_to_expected(w),
        );
    }
    all.add(
        Column::input("hour_surprise", Unit::Hour, Linear, Upper, Topic::Calendar)
            .shown_as("hour")
            .alone()
            .described("{value} UTC is an unusual hour for this account")
            .shown_only(),
        |r| r.hour_surprise(),
    );
    if counterparties {
        let name = format!("account_first_counterparties_{}", tags[DAY]);
        all.add(
            Column::input(name, Unit::Count, Ln1p, Upper, Topic::Counterparties)
                .described(format!(
                    "counterparties this account first paid within {} before: {{value}} (median {{typical}})",
                    span(windows[DAY])
                ))
                .shown_only(),
            |r| r.count_log(r.account.firsts_today),
        );
    }
}
