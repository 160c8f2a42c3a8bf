//! What an account usually does, from its own past.

use std::collections::VecDeque;

use crible_core::{Column, EntityId, Position, Scale, Tail, Timestamp, Topic, Transaction, Unit, Window};
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::family::{Rule, Writer};
use crate::math::{CountLogs, ln, ln1p};
use crate::place;
use crate::state::KeptEvents;
use crate::window::{Events, Sums, float, magnitude, shrunk_log_ratio};

const WINDOWS: [Window; 4] = [Window::HOUR, Window::DAY, Window::WEEK, Window::MONTH];
const TAGS: [&str; 4] = ["1h", "1d", "7d", "30d"];
const HOUR: usize = 0;
const DAY: usize = 1;
const WEEK: usize = 2;
const MONTH: usize = 3;

/// Velocity, spending, pace, novelty, habits, places and balance of one account.
///
/// Like is compared with like: an account's payments out and payments in, and its payments in different currencies, are
/// kept apart, each with windows of its own. Amounts are magnitudes.
///
/// | columns | what they hold | the fraud they show |
/// |---|---|---|
/// | `amount` | magnitude | large one-off |
/// | `account_{count,sum,mean,deviation}_{1h,1d,7d,30d}` | the windows, this payment not among them | bursts |
/// | `amount_to_account_mean_{7d,30d}`, `amount_deviations_30d` | this payment against them, held back while the history is short | out of character |
/// | `amount_to_account_mean_in_run` | this payment against the mean of all before it, where above it, held back alike, and half of ln(1 + n), n being the outsized payments of 7 days | a card in other hands: several large payments, none of them the largest ever |
/// | `account_outsized_7d` | payments that were three times the mean before them, or more | the same |
/// | `account_sum_1h_to_mean` | the last hour with this payment against the mean payment of 30 days, held back alike | bursts of any amount |
/// | `account_{count,sum}_1d_to_usual` | the last day with this payment against the daily mean of 30 days | bursts for this account |
/// | `seconds_since_last` | pace | automated use |
/// | `first_at_counterparty`, `account_counterparties_{1d,7d}` | new and many payees | cash-out |
/// | `amount_at_first_counterparty` | this payment against the mean of all before it, where above it and the payee is new | a new payee, then draining |
/// | `hour_surprise_above_mean` | −ln probability of the hour for this account, times ln(amount/mean) where that is positive | large payments at odd hours |
/// | `weekday_surprise` | −ln probability of the weekday for this account | odd days |
/// | `kilometres_from_last`, `kilometres_per_hour` | from the account's last position | impossible travel |
/// | `balance_share` | amount / balance before | draining |
#[derive(Debug)]
pub(crate) struct AccountBehaviour {
    counterparties: bool,
    positions: bool,
    balances: bool,
    logs: CountLogs,
    /// ln [`OUTSIZED`].
    outsized: f64,
}

/// What an account needs of a payment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Payment {
    at: i64,
    minor: i64,
    other: u64,
    position: Option<Position>,
    balance_share: f32,
    /// Major units in a minor one.
    per_unit: f32,
}

#[derive(Debug, Default)]
pub(crate) struct Account {
    events: Events<4, DAY, 2>,
    calendar: Calendar,
    last_at: Option<i64>,
    last_position: Option<(i64, Position)>,
    /// Payments ever, and how many of them went to a counterparty the account had never paid before.
    payments: u32,
    firsts: u32,
    /// Sum of all payments ever.
    total: i128,
    /// When payments of the last seven days were outsized, oldest first; mostly none.
    outsized: VecDeque<i64>,
}

/// A payment is outsized from this many times the account's mean on, believed as much as its history allows.
const OUTSIZED: f64 = 3.0;

impl Rule for AccountBehaviour {
    type Key = (u64, u32);
    type Input = Payment;
    type State = Account;
    type Kept = KeptAccount;

    const NAME: &'static str = "account";

    fn columns(&self) -> Vec<Column> {
        columns(self.counterparties, self.positions, self.balances)
    }

    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Payment)> {
        let minor = magnitude(txn.amount.minor);
        let balance_share = match txn.balance_before {
            Some(before) if before > 0 && txn.is_outflow() => (minor as f64 / before as f64).min(2.0),
            _ => 0.0,
        };
        let payment = Payment {
            at: txn.at.0,
            minor,
            other: txn.counterparty.map_or(0, EntityId::get),
            position: txn.position,
            balance_share: balance_share as f32,
            per_unit: per_unit(txn),
        };
        Some(((txn.account.get(), kind(txn)), payment))
    }

    fn step(&self, account: &mut Account, payment: &Payment, out: Option<Writer<'_>>) {
        let calendar = &mut account.calendar;
        account.events.expire(payment.at, &WINDOWS, |event| calendar.remove(event.at));
        let week_ago = payment.at.saturating_sub(WINDOWS[WEEK].0);
        while account.outsized.pop_front_if(|at| *at <= week_ago).is_some() {}
        let to_mean = account.to_mean(payment.minor);
        let (other, first) = account.events.meet(payment.other);
        if let Some(out) = out {
            self.read(account, payment, first, to_mean, out);
        }
        account.events.push(payment.at, payment.minor, other);
        account.calendar.add(payment.at);
        account.last_at = Some(payment.at);
        account.payments = account.payments.saturating_add(1);
        account.firsts = account.firsts.saturating_add(u32::from(first));
        account.total = account.total.saturating_add(i128::from(payment.minor));
        if to_mean >= self.outsized {
            account.outsized.push_back(payment.at);
        }
        if let Some(position) = payment.position {
            account.last_position = Some((payment.at, position));
        }
    }

    fn heap_bytes(&self, account: &Account) -> usize {
        account.events.bytes() + account.outsized.capacity() * size_of::<i64>()
    }

    fn keep(&self, account: &Account) -> KeptAccount {
        KeptAccount {
            events: KeptEvents::of(&account.events),
            last_at: account.last_at,
            last_position: account.last_position.map(|(at, p)| (at, p.latitude_e7, p.longitude_e7)),
            payments: account.payments,
            firsts: account.firsts,
            total: account.total,
            outsized: account.outsized.iter().copied().collect(),
        }
    }

    fn revive(&self, kept: KeptAccount, watermark: i64) -> Option<Account> {
        let KeptAccount { events, last_at, last_position, payments, firsts, total, outsized } = kept;
        let last = last_at?;
        let ordered = outsized.is_sorted() && outsized.last().is_none_or(|at| *at <= last);
        let counted = payments > 0 && events.len() <= payments as usize && firsts <= payments && total >= 0;
        if last > watermark || !ordered || !counted {
            return None;
        }
        let last_position = match last_position {
            Some((at, latitude_e7, longitude_e7)) => {
                let is_on_earth = latitude_e7.abs_diff(0) <= 900_000_000 && longitude_e7.abs_diff(0) <= 1_800_000_000;
                if at > last || !is_on_earth {
                    return None;
                }
                Some((at, Position { latitude_e7, longitude_e7 }))
            }
            None => None,
        };
        let events: Events<4, DAY, 2> = events.revive(last)?;
        let mut calendar = Calendar::default();
        events.iter().for_each(|event| calendar.add(event.at));
        Some(Account { events, calendar, last_at, last_position, payments, firsts, total, outsized: outsized.into() })
    }

    fn join(&self, _: KeptAccount, _: KeptAccount) -> Option<KeptAccount> {
        None
    }
}

/// An account without its calendar and windows, which its events tell.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptAccount {
    events: KeptEvents,
    last_at: Option<i64>,
    /// When, latitude and longitude.
    last_position: Option<(i64, i32, i32)>,
    payments: u32,
    firsts: u32,
    total: i128,
    outsized: Vec<i64>,
}

impl Account {
    /// The mean of all payments ever, in minor units.
    fn mean(&self) -> f64 {
        if self.payments == 0 { 0.0 } else { float(self.total) / f64::from(self.payments) }
    }

    fn to_mean(&self, minor: i64) -> f64 {
        shrunk_log_ratio(minor as f64, self.mean(), f64::from(self.payments))
    }
}

impl AccountBehaviour {
    /// The rule, with the columns that need counterparties, positions and balances only where there are any.
    pub(crate) fn new(counterparties: bool, positions: bool, balances: bool) -> Self {
        Self { counterparties, positions, balances, logs: CountLogs::new(), outsized: ln(OUTSIZED) }
    }

    fn read(&self, account: &Account, payment: &Payment, first: bool, to_mean_ever: f64, mut out: Writer<'_>) {
        let sums = account.events.sums();
        let per_unit = f64::from(payment.per_unit);
        let minor = payment.minor as f64;
        let mean = |w: usize| sums[w].mean();
        let month_mean = mean(MONTH);

        out.put(|| ln1p(minor * per_unit));
        out.put(|| shrunk_log_ratio(minor, mean(WEEK), f64::from(sums[WEEK].count)));
        let to_mean = shrunk_log_ratio(minor, month_mean, f64::from(sums[MONTH].count));
        out.put(|| to_mean);
        let above_mean = to_mean.max(0.0);
        out.put(|| strangeness(minor, &sums[MONTH], month_mean, per_unit));
        let run = self.logs.ln1p(account.outsized.len() as u32);
        out.put(|| if to_mean_ever > 0.0 { to_mean_ever + 0.5 * run } else { 0.0 });
        out.put(|| run);
        for sums in sums {
            out.put(|| self.logs.ln1p(sums.count));
        }
        for sums in sums {
            out.put(|| ln1p(float(sums.sum) * per_unit));
        }
        let (count, days) = (f64::from(sums[MONTH].count), 30.0);
        let usual_count = (count + 1.0) / days;
        let usual_sum = float(sums[MONTH].sum) / days * per_unit;
        let held_back = count / (count + 2.0);
        let today_count = f64::from(sums[DAY].count) + 1.0;
        let today_sum = (float(sums[DAY].sum) + minor) * per_unit;
        let hour_sum = float(sums[HOUR].sum) + minor;
        out.put(|| shrunk_log_ratio(hour_sum, month_mean, count));
        out.put(|| ln(today_count / (usual_count + 1.0)) * held_back);
        out.put(|| ln((today_sum + 1.0) / (usual_sum + month_mean * per_unit + 1.0)) * held_back);
        // Never seen before: as far back as the longest window reaches.
        let pace =
            account.last_at.map_or(WINDOWS[MONTH].0, |last| payment.at.saturating_sub(last).min(WINDOWS[MONTH].0));
        out.put(|| ln1p(pace as f64 / 1e6));
        out.put(|| account.calendar.hour_surprise(payment.at, sums[MONTH].count) * above_mean);
        out.put(|| account.calendar.weekday_surprise(payment.at, sums[MONTH].count));
        if self.counterparties {
            let share = (f64::from(account.firsts) + 1.0) / (f64::from(account.payments) + 1.0);
            out.put(|| if first { -ln(share) } else { 0.0 });
            out.put(|| if first { to_mean_ever.max(0.0) } else { 0.0 });
            for w in [DAY, WEEK] {
                out.put(|| self.logs.ln1p(sums[w].distinct));
            }
        }
        if self.positions {
            let (km, speed) = travel(account, payment);
            out.put(|| ln1p(km));
            out.put(|| ln1p(speed));
        }
        if self.balances {
            out.put(|| f64::from(payment.balance_share));
        }
        out.put(|| account.mean() * per_unit);
        for sums in sums {
            out.put(|| sums.mean() * per_unit);
        }
        for sums in sums {
            out.put(|| sums.deviation() * per_unit);
        }
        out.put(|| hour_sum * per_unit);
        out.put(|| today_count);
        out.put(|| usual_count);
        out.put(|| today_sum);
        out.put(|| usual_sum);
        out.put(|| crate::calendar::hour(payment.at) as f64);
        out.put(|| Timestamp(payment.at).weekday() as f64);
        out.finish();
    }
}

/// Kilometres from the last position, and the speed that took; both zero where either end is unknown. Half an hour is
/// added to the time, so that two tills at opposite ends of a mall are no supersonic flight.
fn travel(account: &Account, payment: &Payment) -> (f64, f64) {
    match (account.last_position, payment.position) {
        (Some((at, from)), Some(to)) => {
            let km = place::kilometres(from, to);
            let hours = payment.at.saturating_sub(at) as f64 / 3.6e9;
            (km, km / (hours + 0.5))
        }
        _ => (0.0, 0.0),
    }
}

/// What must agree for two payments to be of one kind: direction and currency.
pub(crate) fn kind(txn: &Transaction) -> u32 {
    currency(txn) << 1 | u32::from(txn.is_outflow())
}

/// The currency's three letters as a number.
pub(crate) fn currency(txn: &Transaction) -> u32 {
    txn.amount.currency.as_str().bytes().fold(0u32, |bits, b| bits << 8 | u32::from(b))
}

/// Major units in a minor one.
pub(crate) fn per_unit(txn: &Transaction) -> f32 {
    const PER_UNIT: [f32; 5] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4];
    PER_UNIT[txn.amount.currency.exponent() as usize]
}

/// (amount − mean) / spread, the spread floored at a tenth of the mean and one major unit, and the whole held back while
/// the history is short.
fn strangeness(minor: f64, sums: &Sums, mean: f64, per_unit: f64) -> f64 {
    let count = f64::from(sums.count);
    let spread = sums.deviation().max(mean / 10.0).max(1.0 / per_unit);
    let z = (minor - mean) / spread * (count / (count + 2.0));
    // A log scale on both sides: a hundred deviations are not ten times as strange as ten.
    if z < 0.0 { -ln1p(-z) } else { ln1p(z) }
}

fn columns(counterparties: bool, positions: bool, balances: bool) -> Vec<Column> {
    use Scale::{Linear, Ln, Ln1p, NegLn};
    use Tail::{Lower, Upper};
    let mut all = vec![
        Column::input("amount", Unit::Money, Ln1p, Upper, Topic::Amount)
            .told("amount {value}, where half of all payments are below {typical}"),
    ];
    for tag in ["7d", "30d"] {
        let window = tag.trim_end_matches('d');
        let column =
            Column::input(format!("amount_to_account_mean_{tag}"), Unit::Money, Ln, Upper, Topic::AmountForAccount)
                .shown_as_amount()
                .against(format!("account_mean_{tag}"))
                .told(format!("amount {{value}} is {{times}} times this account's {window}-day mean of {{typical}}"));
        all.push(column.shown_only());
    }
    all.push(
        Column::input("amount_deviations_30d", Unit::Money, Linear, Upper, Topic::AmountForAccount)
            .shown_as_amount()
            .against("account_mean_30d")
            .told("amount {value} is far outside of this account's 30-day range around {typical}")
            .shown_only(),
    );
    all.extend([
        Column::input("amount_to_account_mean_in_run", Unit::Money, Linear, Upper, Topic::AmountForAccount)
            .shown_as_amount()
            .against("account_mean")
            .told("amount {value} is {times} times this account's mean of {typical}"),
        Column::input("account_outsized_7d", Unit::Count, Ln1p, Upper, Topic::AmountForAccount)
            .told("payments of three times this account's mean within 7 days before: {value} (median {typical})")
            .shown_only(),
    ]);
    for (tag, window) in TAGS.iter().zip(WINDOWS) {
        let column = Column::input(format!("account_count_{tag}"), Unit::Count, Ln1p, Upper, Topic::Velocity).told(
            format!("payments by this account in the {window} window before this one: {{value}} (median {{typical}})"),
        );
        all.push(column.shown_only());
    }
    for (tag, window) in TAGS.iter().zip(WINDOWS) {
        let column = Column::input(format!("account_sum_{tag}"), Unit::Money, Ln1p, Upper, Topic::Spending).told(
            format!("{{value}} already spent by this account in the {window} window before this payment (median {{typical}})"),
        );
        all.push(if *tag == "1h" { column } else { column.shown_only() });
    }
    all.extend([
        Column::input("account_sum_1h_to_mean", Unit::Money, Ln, Upper, Topic::Spending)
            .shown_as("account_sum_hour")
            .against("account_mean_30d")
            .told("{value} spent by this account within an hour, where one payment is {typical} on average")
            .shown_only(),
        Column::input("account_count_1d_to_usual", Unit::Count, Ln, Upper, Topic::Velocity)
            .shown_as("account_count_today")
            .against("account_count_usual")
            .told("payments by this account within a day: {value}, where {typical} are usual for it")
            .shown_only(),
        Column::input("account_sum_1d_to_usual", Unit::Money, Ln, Upper, Topic::Spending)
            .shown_as("account_sum_today")
            .against("account_sum_usual")
            .told("{value} spent by this account within a day, where {typical} is usual for it"),
        Column::input("seconds_since_last", Unit::Seconds, Ln1p, Lower, Topic::Pace)
            .told("{value} after this account's last payment (median {typical})")
            .shown_only(),
        Column::input("hour_surprise_above_mean", Unit::Hour, Linear, Upper, Topic::Calendar)
            .shown_as("hour")
            .alone()
            .told("{value} UTC is an unusual hour for this account to pay more than its mean"),
        Column::input("weekday_surprise", Unit::Weekday, NegLn, Upper, Topic::Calendar)
            .shown_as("weekday")
            .alone()
            .told("{value} is a day on which this account hardly ever pays")
            .shown_only(),
    ]);
    if counterparties {
        all.push(
            Column::input("first_at_counterparty", Unit::Share, NegLn, Upper, Topic::Counterparties)
                .alone()
                .told("first payment to this counterparty, by an account of whose payments {value} are firsts")
                .shown_only(),
        );
        all.push(
            Column::input("amount_at_first_counterparty", Unit::Money, Linear, Upper, Topic::Counterparties)
                .shown_as_amount()
                .against("account_mean")
                .told("amount {value} to a counterparty this account never paid before, {times} times its mean of {typical}")
                .shown_only(),
        );
        for (tag, window) in [("1d", "a day"), ("7d", "7 days")] {
            all.push(
                Column::input(format!("account_counterparties_{tag}"), Unit::Count, Ln1p, Upper, Topic::Counterparties)
                    .told(format!("different counterparties within {window} before: {{value}} (median {{typical}})"))
                    .shown_only(),
            );
        }
    }
    if positions {
        all.extend([
            Column::input("kilometres_from_last", Unit::Kilometres, Ln1p, Upper, Topic::Place)
                .told("{value} from where this account last paid (median {typical})")
                .shown_only(),
            Column::input("kilometres_per_hour", Unit::KilometresPerHour, Ln1p, Upper, Topic::Place)
                .told("{value} from this account's last payment to this one (median {typical})"),
        ]);
    }
    if balances {
        all.push(
            Column::input("balance_share", Unit::Share, Linear, Upper, Topic::Balance)
                .told("takes {value} of the account's balance (median {typical})"),
        );
    }
    all.push(Column::context("account_mean", Unit::Money, Linear, Topic::AmountForAccount));
    for (name, topic) in [("mean", Topic::AmountForAccount), ("deviation", Topic::AmountForAccount)] {
        for tag in TAGS {
            all.push(Column::context(format!("account_{name}_{tag}"), Unit::Money, Linear, topic));
        }
    }
    all.extend([
        Column::context("account_sum_hour", Unit::Money, Linear, Topic::Spending),
        Column::context("account_count_today", Unit::Count, Linear, Topic::Velocity),
        Column::context("account_count_usual", Unit::Count, Linear, Topic::Velocity),
        Column::context("account_sum_today", Unit::Money, Linear, Topic::Spending),
        Column::context("account_sum_usual", Unit::Money, Linear, Topic::Spending),
        Column::context("hour", Unit::Hour, Linear, Topic::Calendar),
        Column::context("weekday", Unit::Weekday, Linear, Topic::Calendar),
    ]);
    all
}
