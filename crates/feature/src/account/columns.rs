//! The columns of an account: how each is described, and how it is computed.

use std::cell::OnceCell;

use crible_core::{Column, Scale, Tail, Timestamp, Topic, Unit, Window};

use super::{Account, AccountBehaviour, DAY, HOUR, MONTH, Payment, WEEK};
use crate::calendar;
use crate::math::{exp, ln, ln1p};
use crate::place;
use crate::rule::Columns;
use crate::window::{Sums, float, shrunk_log_ratio};
use crate::windows::span;

/// How many of an account's payments are gone through at most for what was paid to a new counterparty: few, whatever
/// the account.
pub(super) const LOOKED_BACK: usize = 64;

/// What an account's columns are computed from.
pub(crate) struct Reading<'a> {
    pub(super) rule: &'a AccountBehaviour,
    pub(super) account: &'a Account,
    pub(super) payment: &'a Payment,
    /// Slot of the counterparty, and whether it is new.
    counterparty: u32,
    is_new: bool,
    /// The payment against the mean of all before it, on the log scale.
    to_mean_ever: f64,
    pub(super) sums: &'a [Sums; 4],
    /// Amount in minor units.
    minor: f64,
    /// Major units in a minor one.
    pub(super) per_unit: f64,
    travelled: OnceCell<(f64, f64)>,
    pub(super) pace: OnceCell<super::expected::Pace>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        rule: &'a AccountBehaviour,
        account: &'a Account,
        payment: &'a Payment,
        (counterparty, is_new): (u32, bool),
        to_mean_ever: f64,
    ) -> Self {
        Self {
            rule,
            account,
            payment,
            counterparty,
            is_new,
            to_mean_ever,
            sums: account.events.sums(),
            minor: payment.minor as f64,
            per_unit: f64::from(payment.per_unit),
            travelled: OnceCell::new(),
            pace: OnceCell::new(),
        }
    }

    /// A sum of payments in major units of the reference currency.
    fn in_reference(&self, minor: f64, payments: f64) -> f64 {
        self.rule.peers.scales().in_reference(self.payment.scale, minor, self.per_unit, payments)
    }

    pub(super) fn count_log(&self, count: u32) -> f64 {
        self.rule.logs.ln1p(count)
    }

    fn mean(&self, window: usize) -> f64 {
        self.sums[window].mean()
    }

    /// Payments of the longest window.
    pub(super) fn count(&self) -> f64 {
        f64::from(self.sums[MONTH].count)
    }

    /// How much the longest window is believed: 0 without payments, nearly 1 with many.
    fn belief(&self) -> f64 {
        self.count() / (self.count() + 2.0)
    }

    /// Days in the longest window.
    fn days(&self) -> f64 {
        self.rule.windows[MONTH].0 as f64 / self.rule.windows[DAY].0 as f64
    }

    /// This payment against the mean of a window, on the log scale.
    fn to_mean(&self, window: usize) -> f64 {
        shrunk_log_ratio(self.minor, self.mean(window), f64::from(self.sums[window].count))
    }

    /// This payment against the mean of all before it where above, and a share of the run of outsized payments before
    /// it.
    fn in_run(&self, share: f64) -> f64 {
        if self.to_mean_ever > 0.0 { self.to_mean_ever + share * self.run() } else { 0.0 }
    }

    fn run(&self) -> f64 {
        self.count_log(self.account.outsized)
    }

    /// (amount − mean) / spread, the spread floored at a tenth of the mean and one major unit, and the whole held back
    /// while the history is short.
    fn deviations(&self) -> f64 {
        let (sums, mean) = (&self.sums[MONTH], self.mean(MONTH));
        let spread = sums.deviation().max(mean / 10.0).max(1.0 / self.per_unit);
        let z = (self.minor - mean) / spread * self.belief();
        // A log scale on both sides: a hundred deviations are not ten times as strange as ten.
        if z < 0.0 { -ln1p(-z) } else { ln1p(z) }
    }

    /// Minor units of the last hour, this payment among them.
    fn hour_sum(&self) -> f64 {
        float(self.sums[HOUR].sum) + self.minor
    }

    /// Payments of the last day, this one among them.
    fn today_count(&self) -> f64 {
        f64::from(self.sums[DAY].count) + 1.0
    }

    /// Payments a day over the longest window, this one among them.
    fn usual_count(&self) -> f64 {
        (self.count() + 1.0) / self.days()
    }

    /// Major units of the last day, this payment among them.
    fn today_sum(&self) -> f64 {
        (float(self.sums[DAY].sum) + self.minor) * self.per_unit
    }

    /// Major units a day over the longest window.
    fn usual_sum(&self) -> f64 {
        float(self.sums[MONTH].sum) / self.days() * self.per_unit
    }

    /// Seconds since the last payment; without one, as far back as the longest window reaches.
    fn pace(&self) -> f64 {
        let longest = self.rule.windows[MONTH].0;
        let pace = self.account.last_at.map_or(longest, |last| self.payment.at.saturating_sub(last).min(longest));
        pace as f64 / 1e6
    }

    /// −ln of the share of this account's payments that are the first to their counterparty; 0 where this is not one.
    fn first_surprise(&self) -> f64 {
        if !self.is_new {
            return 0.0;
        }
        // Not this one.
        let firsts = self.account.events.linked().len() - 1;
        -ln((firsts as f64 + 1.0) / (f64::from(self.account.payments) + 1.0))
    }

    /// The payment as one with all before it to a counterparty first paid within the day, but for that first; `None`
    /// where there was no such first.
    fn to_new(&self) -> Option<Payment> {
        if !self.account.events.is_in(DAY, self.counterparty) {
            return None;
        }
        let today = self.sums[DAY].count as usize;
        let today = self.account.events.iter().rev().take(today.min(LOOKED_BACK));
        let mut minor = self.payment.minor;
        for event in today.filter(|event| event.other == self.counterparty) {
            if event.marks & super::FIRST != 0 {
                return Some(Payment { minor, ..*self.payment });
            }
            minor = minor.saturating_add(event.minor);
        }
        None
    }

    /// Kilometres from the last position, and the speed that took; both zero where either end is unknown. Half an hour
    /// is added to the time, so that two tills at opposite ends of a mall are no supersonic flight.
    fn travelled(&self) -> (f64, f64) {
        let travel = || match (self.account.places.last, self.payment.position) {
            (Some((at, from)), Some(to)) => {
                let km = place::kilometres(from, to);
                let hours = self.payment.at.saturating_sub(at) as f64 / 3.6e9;
                (km, km / (hours + 0.5))
            }
            _ => (0.0, 0.0),
        };
        *self.travelled.get_or_init(travel)
    }

    /// Minor units this payment is compared with: the account's mean or, where it has paid nothing yet, its peers'.
    fn expected(&self) -> f64 {
        match self.payment.peers {
            Some(peers) if self.account.payments == 0 => exp(peers) - 1.0,
            _ => self.account.mean(),
        }
    }
}

/// The columns, those that need counterparties, positions and balances only where there are any.
pub(super) fn columns(
    windows: &[Window; 4],
    counterparties: bool,
    positions: bool,
    balances: bool,
) -> Columns<AccountBehaviour> {
    let mut all = Columns::new();
    amounts(&mut all, windows);
    velocity(&mut all, windows);
    habits(&mut all);
    if counterparties {
        novelty(&mut all, windows);
    }
    if positions {
        places(&mut all);
    }
    if balances {
        all.add(
            Column::input("balance_share", Unit::Share, Scale::Linear, Tail::Upper, Topic::Balance)
                .described("takes {value} of the account's balance (median {typical})"),
            |r| f64::from(r.payment.balance_share),
        );
    }
    context(&mut all, windows);
    super::expected::columns(&mut all, windows, counterparties);
    all
}

/// The amount by itself and against the account's past.
fn amounts(all: &mut Columns<AccountBehaviour>, windows: &[Window; 4]) {
    use Scale::{Linear, Ln, Ln1p};
    use Tail::Upper;
    let [.., week, month] = windows.map(Window::tag);
    let [.., usual] = windows;
    let in_week = span(windows[WEEK]);
    all.add(
        Column::input("amount", Unit::Money, Ln1p, Upper, Topic::Amount)
            .shown_as_amount()
            .described("amount {value}, where half of all payments are below {typical}")
            .weighing(1.2),
        |r| ln1p(r.in_reference(r.minor, 1.0)),
    );
    for (w, window) in windows.iter().enumerate().skip(WEEK) {
        let tag = window.tag();
        all.add(
            Column::input(format!("amount_to_account_mean_{tag}"), Unit::Money, Ln, Upper, Topic::AmountForAccount)
                .shown_as_amount()
                .against(format!("account_mean_{tag}"))
                .described(format!("amount {{value}} is {{times}} times this account's {window} mean of {{typical}}"))
                .shown_only(),
            move |r| r.to_mean(w),
        );
    }
    all.add(
        Column::input(format!("amount_deviations_{month}"), Unit::Money, Linear, Upper, Topic::AmountForAccount)
            .shown_as_amount()
            .against(format!("account_mean_{month}"))
            .described(format!("amount {{value}} is far outside of this account's {usual} range around {{typical}}"))
            .shown_only(),
        |r| r.deviations(),
    );
    let to_mean = |name: &'static str| {
        Column::input(name, Unit::Money, Linear, Upper, Topic::AmountForAccount)
            .shown_as_amount()
            .against("account_mean")
            .described("{value} is {times} times the {typical} expected of this account")
    };
    all.add(to_mean("amount_to_account_mean_in_run").shown_only(), |r| r.in_run(0.5));
    all.add(to_mean("amount_to_account_mean"), |r| r.in_run(0.25));
    all.add(
        Column::input(format!("account_outsized_{week}"), Unit::Count, Ln1p, Upper, Topic::AmountForAccount)
            .described(format!(
                "payments of three times this account's mean within {in_week} before: {{value}} (median {{typical}})"
            ))
            .shown_only(),
        |r| r.run(),
    );
    all.add(
        Column::input(format!("account_in_run_{week}"), Unit::Count, Linear, Upper, Topic::AmountForAccount)
            .shown_as(format!("account_outsized_{week}"))
            .alone()
            .described(format!("payments of three times this account's mean within {in_week} before: {{value}}")),
        |r| {
            let outsized = f64::from(r.account.outsized);
            outsized / (outsized + 1.0)
        },
    );
}

/// How often and how much the account pays.
fn velocity(all: &mut Columns<AccountBehaviour>, windows: &[Window; 4]) {
    use Scale::{Ln, Ln1p};
    use Tail::Upper;
    let [hour, day, _, month] = windows.map(Window::tag);
    let [in_hour, in_day, ..] = windows.map(span);
    for (w, window) in windows.iter().enumerate() {
        all.add(
            Column::input(format!("account_count_{}", window.tag()), Unit::Count, Ln1p, Upper, Topic::Velocity)
                .described(format!(
                    "payments by this account in the {window} window before this one: {{value}} (median {{typical}})"
                ))
                .shown_only(),
            move |r| r.count_log(r.sums[w].count),
        );
    }
    for (w, window) in windows.iter().enumerate() {
        let column = Column::input(format!("account_sum_{}", window.tag()), Unit::Money, Ln1p, Upper, Topic::Spending)
            .described(format!(
                "{{value}} already spent by this account in the {window} window before this payment \
                 (median {{typical}})"
            ));
        all.add(if w == HOUR { column.weighing(0.7) } else { column.shown_only() }, move |r| {
            ln1p(r.in_reference(float(r.sums[w].sum), f64::from(r.sums[w].count)))
        });
    }
    all.add(
        Column::input(format!("account_sum_{hour}_to_mean"), Unit::Money, Ln, Upper, Topic::Spending)
            .shown_as("account_sum_hour")
            .against(format!("account_mean_{month}"))
            .described(format!(
                "{{value}} spent by this account within {in_hour}, where one payment is {{typical}} on average"
            ))
            .shown_only(),
        |r| shrunk_log_ratio(r.hour_sum(), r.mean(MONTH), r.count()),
    );
    all.add(
        Column::input(format!("account_count_{day}_to_usual"), Unit::Count, Ln, Upper, Topic::Velocity)
            .shown_as("account_count_today")
            .against("account_count_usual")
            .described(format!(
                "payments by this account within {in_day}: {{value}}, where {{typical}} are usual for it"
            ))
            .shown_only(),
        |r| ln(r.today_count() / (r.usual_count() + 1.0)) * r.belief(),
    );
    all.add(
        Column::input(format!("account_sum_{day}_to_usual"), Unit::Money, Ln, Upper, Topic::Spending)
            .shown_as("account_sum_today")
            .against("account_sum_usual")
            .described(format!("{{value}} spent by this account within {in_day}, where {{typical}} is usual for it"))
            .shown_only(),
        |r| {
            let usual = r.usual_sum() + r.mean(MONTH) * r.per_unit + 1.0;
            ln((r.today_sum() + 1.0) / usual) * r.belief()
        },
    );
}

/// When the account pays.
fn habits(all: &mut Columns<AccountBehaviour>) {
    use Tail::{Lower, Upper};
    all.add(
        Column::input("seconds_since_last", Unit::Seconds, Scale::Ln1p, Lower, Topic::Pace)
            .described("{value} after this account's last payment (median {typical})")
            .shown_only(),
        |r| ln1p(r.pace()),
    );
    all.add(
        Column::input("hour_surprise_above_mean", Unit::Hour, Scale::Linear, Upper, Topic::Calendar)
            .shown_as("hour")
            .alone()
            .described("{value} UTC is an unusual hour for this account to pay more than its mean")
            .weighing(0.7),
        |r| {
            let surprise = r.account.calendar.hour_surprise(r.payment.at, r.sums[MONTH].count);
            surprise * r.to_mean(MONTH).max(0.0)
        },
    );
    all.add(
        Column::input("day_part_surprise", Unit::Hour, Scale::NegLn, Upper, Topic::Calendar)
            .shown_as("hour")
            .alone()
            .described("{value} UTC is in a part of the day in which this account hardly ever pays")
            .shown_only(),
        |r| r.account.calendar.part_surprise(r.payment.at, r.sums[MONTH].count),
    );
    all.add(
        Column::input("weekday_surprise", Unit::Weekday, Scale::NegLn, Upper, Topic::Calendar)
            .shown_as("weekday")
            .alone()
            .described("{value} is a day on which this account hardly ever pays")
            .shown_only(),
        |r| r.account.calendar.weekday_surprise(r.payment.at, r.sums[MONTH].count),
    );
}

/// Whom the account has not paid before.
fn novelty(all: &mut Columns<AccountBehaviour>, windows: &[Window; 4]) {
    use Tail::Upper;
    let topic = Topic::Counterparties;
    all.add(
        Column::input("first_at_counterparty", Unit::Share, Scale::NegLn, Upper, topic)
            .alone()
            .described("first payment to this counterparty, by an account of whose payments {value} are firsts")
            .shown_only(),
        |r| r.first_surprise(),
    );
    let (day, in_day) = (windows[DAY].tag(), span(windows[DAY]));
    all.add(
        Column::input(format!("amount_at_new_counterparty_{day}"), Unit::Money, Scale::Linear, Upper, topic)
            .shown_as_amount()
            .against("account_mean")
            .described(format!(
                "amount {{value}} to a counterparty this account first paid within {in_day} before: with what \
                 followed that payment, far above its mean of {{typical}}"
            ))
            .shown_only(),
        |r| r.to_new().map_or(0.0, |to| r.account.to_mean(&to).max(0.0)),
    );
    for w in [DAY, WEEK] {
        let (tag, window) = (windows[w].tag(), span(windows[w]));
        all.add(
            Column::input(format!("account_counterparties_{tag}"), Unit::Count, Scale::Ln1p, Upper, topic)
                .described(format!("different counterparties within {window} before: {{value}} (median {{typical}})"))
                .shown_only(),
            move |r| r.count_log(r.sums[w].distinct),
        );
    }
}

/// Where the account pays.
fn places(all: &mut Columns<AccountBehaviour>) {
    all.add(
        Column::input("kilometres_from_last", Unit::Kilometres, Scale::Ln1p, Tail::Upper, Topic::Place)
            .described("{value} from where this account last paid (median {typical})")
            .shown_only(),
        |r| ln1p(r.travelled().0),
    );
    all.add(
        Column::input("kilometres_per_hour", Unit::KilometresPerHour, Scale::Ln1p, Tail::Upper, Topic::Place)
            .described("{value} from this account's last payment to this one (median {typical})"),
        |r| ln1p(r.travelled().1),
    );
}

/// What other columns are shown beside.
fn context(all: &mut Columns<AccountBehaviour>, windows: &[Window; 4]) {
    use Scale::Linear;
    use Topic::{AmountForAccount, Calendar, Spending, Velocity};
    all.add(Column::context("account_mean", Unit::Money, Linear, AmountForAccount), |r| r.expected() * r.per_unit);
    for (w, window) in windows.iter().enumerate() {
        let name = format!("account_mean_{}", window.tag());
        all.add(Column::context(name, Unit::Money, Linear, AmountForAccount), move |r| r.mean(w) * r.per_unit);
    }
    for (w, window) in windows.iter().enumerate() {
        let name = format!("account_deviation_{}", window.tag());
        all.add(Column::context(name, Unit::Money, Linear, AmountForAccount), move |r| {
            r.sums[w].deviation() * r.per_unit
        });
    }
    let mut add = |name: &'static str, unit: Unit, topic: Topic, compute: fn(&Reading<'_>) -> f64| {
        all.add(Column::context(name, unit, Linear, topic), compute);
    };
    add("account_sum_hour", Unit::Money, Spending, |r| r.hour_sum() * r.per_unit);
    add("account_count_today", Unit::Count, Velocity, |r| r.today_count());
    add("account_count_usual", Unit::Count, Velocity, |r| r.usual_count());
    add("account_sum_today", Unit::Money, Spending, |r| r.today_sum());
    add("account_sum_usual", Unit::Money, Spending, |r| r.usual_sum());
    add("hour", Unit::Hour, Calendar, |r| calendar::hour(r.payment.at) as f64);
    add("weekday", Unit::Weekday, Calendar, |r| Timestamp(r.payment.at).weekday() as f64);
}
