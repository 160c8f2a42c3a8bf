//! What an account usually does, from its own past.

mod columns;

use std::collections::VecDeque;

use crible_core::{Amount, Column, EntityId, Position, Timestamp, Transaction, Window};
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::family::{Reach, Rule, Writer};
use crate::math::{CountLogs, exp, ln, ln1p};
use crate::peers::Peers;
use crate::place;
use crate::shared::Owner;
use crate::state::{KeptEvents, KeptEventsV1};
use crate::window::{Events, Sums, float, magnitude, shrunk_log_ratio};

/// Places of the windows, by what they are unless told.
const HOUR: usize = 0;
const DAY: usize = 1;
const WEEK: usize = 2;
const MONTH: usize = 3;

/// Marks of an event: the counterparty was new, and the payment was outsized.
const FIRST: u8 = 1;
const IS_OUTSIZED: u8 = 2;

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
/// | `amount_to_account_mean` | this payment against the mean of all before it and, while these are few, of the account's [`Peers`], where above it, and a quarter of ln(1 + n), n being the outsized payments of 7 days | a card in other hands: several large payments, none of them the largest ever |
/// | `amount_to_account_mean_in_run` | the same with half of ln(1 + n) | the same, where runs are long |
/// | `account_outsized_7d` | n, payments that were three times the mean before them, or more | the same |
/// | `account_in_run_7d` | n/(n + 1): one such payment may be chance, three are not, and six say no more than three | payments of any size by a card in other hands |
/// | `account_sum_1h_to_mean` | the last hour with this payment against the mean payment of 30 days, held back alike | bursts of any amount |
/// | `account_{count,sum}_1d_to_usual` | the last day with this payment against the daily mean of 30 days | bursts for this account |
/// | `seconds_since_last` | pace | automated use |
/// | `first_at_counterparty`, `account_counterparties_{1d,7d}` | new and many payees | cash-out |
/// | `amount_at_new_counterparty_1d` | all of a day and its last 64 payments to a payee first paid within it, this payment included and that first one not, against the mean of all before, where above it | a new payee, then draining |
/// | `hour_surprise_above_mean` | −ln probability of the hour for this account, times ln(amount/mean) where that is positive | large payments at odd hours |
/// | `day_part_surprise` | −ln probability of the quarter of the day for this account | payments of any size at odd times |
/// | `weekday_surprise` | −ln probability of the weekday for this account | odd days |
/// | `kilometres_from_last`, `kilometres_per_hour` | from the account's last position | impossible travel |
/// | `balance_share` | amount / balance before | draining |
#[derive(Clone, Debug)]
pub(crate) struct AccountBehaviour {
    windows: [Window; 4],
    peers: Peers,
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
    /// ln(1 + mean of its like among peers, in minor units); none where that is not known.
    peers: Option<f64>,
}

#[derive(Debug, Default)]
pub(crate) struct Account {
    events: Events<4, DAY, 2, true>,
    calendar: Calendar,
    last_at: Option<i64>,
    places: Places,
    /// Payments ever.
    payments: u32,
    /// How many payments of the third window were outsized.
    outsized: u32,
    /// Sum of all payments ever.
    total: i128,
}

/// Where an account paid last, and where before as far back as a late payment may ask.
#[derive(Debug, Default)]
struct Places {
    last: Option<(i64, Position)>,
    /// Oldest first; mostly none.
    #[expect(
        clippy::box_collection,
        reason = "eight bytes an account instead of thirty-two, where nothing comes late"
    )]
    before: Option<Box<VecDeque<(i64, Position)>>>,
}

impl Places {
    fn push(&mut self, at: i64, position: Position, lateness: i64) {
        if lateness > 0
            && let Some(last) = self.last
        {
            self.before.get_or_insert_default().push_back(last);
        }
        self.last = Some((at, position));
        self.trim(at.saturating_sub(lateness));
    }

    /// Keeps the latest that a payment at `oldest` could follow, and all after it.
    fn trim(&mut self, oldest: i64) {
        let Some(before) = &mut self.before else { return };
        while before.get(1).or(self.last.as_ref()).is_some_and(|(at, _)| *at <= oldest) && before.pop_front().is_some()
        {
        }
        if before.is_empty() {
            self.before = None;
        }
    }

    /// Takes away those after `to`, and gives them back, oldest first.
    fn rewind(&mut self, to: i64) -> Vec<(i64, Position)> {
        let mut undone = Vec::new();
        while let Some(last) = self.last.take_if(|(at, _)| *at > to) {
            undone.push(last);
            self.last = self.before.as_mut().and_then(|before| before.pop_back());
        }
        undone.reverse();
        undone
    }

    /// Oldest first.
    fn all(&self) -> impl Iterator<Item = (i64, Position)> {
        self.before.iter().flat_map(|before| before.iter()).chain(&self.last).copied()
    }

    fn bytes(&self) -> usize {
        let heap =
            |before: &VecDeque<(i64, Position)>| size_of_val(before) + before.capacity() * size_of::<(i64, Position)>();
        self.before.as_deref().map_or(0, heap)
    }
}

/// How many of an account's payments are gone through at most for what was paid to a new counterparty: few, whatever the account.
const LOOKED_BACK: usize = 64;

/// A payment is outsized from this many times the account's mean on, believed as much as its history allows.
const OUTSIZED: f64 = 3.0;

impl Rule for AccountBehaviour {
    type Key = (u64, u32);
    type Input = Payment;
    type State = Account;
    type Kept = KeptAccount;
    type V1 = KeptAccountV1;
    type V2 = KeptAccount;

    const FORGETS: bool = true;

    fn owner(&self) -> Owner {
        Owner::Account
    }

    fn owner_of((account, _): Self::Key) -> u64 {
        account
    }

    fn sort_key((account, kind): Self::Key) -> [u64; 3] {
        [account, u64::from(kind), 0]
    }

    fn columns(&self) -> Vec<Column> {
        columns::columns(&self.windows, self.counterparties, self.positions, self.balances)
    }

    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Payment)> {
        let (minor, kind) = (magnitude(txn.amount.minor), kind(txn));
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
            peers: self.peers.of(kind),
        };
        Some(((txn.account.get(), kind), payment))
    }

    fn name(&self) -> &'static str {
        "account"
    }

    fn at(payment: &Payment) -> i64 {
        payment.at
    }

    fn step(&self, account: &mut Account, payment: &Payment, reach: &Reach, out: Option<Writer<'_>>) {
        account.expire(payment.at, &self.windows, reach.lateness);
        let to_mean = account.to_mean(payment);
        let (other, first) = account.events.meet(payment.other);
        if let Some(out) = out {
            self.read(account, payment, (other, first), to_mean, out);
        }
        let is_outsized = to_mean >= self.outsized;
        let marks = if first { FIRST } else { 0 } | if is_outsized { IS_OUTSIZED } else { 0 };
        account.events.push(payment.at, payment.minor, other, marks);
        account.calendar.add(payment.at);
        account.last_at = Some(payment.at);
        account.payments = account.payments.saturating_add(1);
        account.total = account.total.saturating_add(i128::from(payment.minor));
        account.outsized += u32::from(is_outsized);
        if let Some(position) = payment.position {
            account.places.push(payment.at, position, reach.lateness);
        }
    }

    fn last_at(&self, account: &Account) -> Option<i64> {
        account.last_at
    }

    fn first_at(&self, account: &Account) -> Option<i64> {
        let first = account.events.iter().next().map(|event| event.at).or(account.last_at);
        (account.payments > 0).then(|| first.unwrap_or(i64::MIN))
    }

    fn rewind(&self, account: &mut Account, late: &Payment) -> Vec<Payment> {
        let undone = account.events.rewind(late.at, FIRST);
        account.recount();
        // Where the ring begins after the payment before, that was longer ago than pace looks back.
        account.last_at = account.events.iter().next_back().map(|event| event.at);
        account.payments = account.payments.saturating_sub(undone.len() as u32);
        account.total -= undone.iter().map(|&(_, minor, ..)| i128::from(minor)).sum::<i128>();
        let mut places = account.places.rewind(late.at).into_iter().peekable();
        let payment = |(at, minor, other, _)| {
            let position = places.next_if(|place| place.0 == at).map(|(_, position)| position);
            // Of one currency and direction all have the same peers.
            Payment { at, minor, other, position, ..*late }
        };
        undone.into_iter().map(payment).collect()
    }

    fn trim(&self, account: &mut Account, now: i64, _: &Reach) {
        account.expire(now, &self.windows, 0);
        account.places.trim(now);
    }

    fn is_over(&self, account: &Account, now: i64, reach: &Reach) -> bool {
        account.last_at.is_none_or(|last| now.saturating_sub(last) > reach.forget)
    }

    fn heap_bytes(&self, account: &Account) -> usize {
        account.events.bytes() + account.places.bytes()
    }

    fn needed_bytes(&self, account: &Account) -> usize {
        account.events.needed() + account.places.all().count() * 2 * size_of::<(i64, Position)>()
    }

    fn keep(&self, account: &Account, now: i64, _: &Reach) -> KeptAccount {
        let place = |(at, p): (i64, Position)| (at, p.latitude_e7, p.longitude_e7);
        // Of the places only what a payment at `now` may still follow.
        let mut places: Vec<_> = account.places.all().map(place).collect();
        let first = places.partition_point(|(at, ..)| *at <= now).saturating_sub(1);
        places.drain(..first);
        KeptAccount {
            events: KeptEvents::of(&account.events, now.saturating_sub(self.windows[MONTH].0)),
            last_at: account.last_at,
            places,
            payments: account.payments,
            total: account.total,
        }
    }

    fn upgrade_v1(&self, old: KeptAccountV1) -> Option<KeptAccount> {
        let KeptAccountV1 { events, last_at, last_position, payments, firsts, total, outsized } = old;
        (firsts as usize == events.others()).then_some(())?;
        let mut outsized = outsized.into_iter().peekable();
        let events = events.marked(|at| if outsized.next_if_eq(&at).is_some() { IS_OUTSIZED } else { 0 })?;
        outsized.next().is_none().then_some(())?;
        Some(KeptAccount { events, last_at, places: last_position.into_iter().collect(), payments, total })
    }

    fn upgrade_v2(&self, old: KeptAccount, _: i64) -> Option<KeptAccount> {
        Some(old)
    }

    fn revive(&self, kept: KeptAccount, watermark: i64) -> Option<Account> {
        let KeptAccount { events, last_at, places: kept, payments, total } = kept;
        let last = last_at?;
        let is_counted = payments > 0 && events.len() <= payments as usize && events.others.len() <= payments as usize;
        if last > watermark || !is_counted || total < 0 || !kept.is_sorted_by_key(|(at, ..)| *at) {
            return None;
        }
        let mut places = Places::default();
        for (at, latitude_e7, longitude_e7) in kept {
            let is_on_earth = latitude_e7.abs_diff(0) <= 900_000_000 && longitude_e7.abs_diff(0) <= 1_800_000_000;
            if at > last || !is_on_earth {
                return None;
            }
            places.push(at, Position { latitude_e7, longitude_e7 }, i64::MAX);
        }
        let mut account =
            Account { events: events.revive(last)?, last_at, places, payments, total, ..Account::default() };
        account.recount();
        Some(account)
    }
}

/// An account without its calendar and windows, which its events tell.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptAccount {
    events: KeptEvents,
    last_at: Option<i64>,
    /// When, latitude and longitude, oldest first.
    places: Vec<(i64, i32, i32)>,
    payments: u32,
    total: i128,
}

/// The same in format 1.
#[derive(Debug, Deserialize)]
pub(crate) struct KeptAccountV1 {
    events: KeptEventsV1,
    last_at: Option<i64>,
    last_position: Option<(i64, i32, i32)>,
    payments: u32,
    firsts: u32,
    total: i128,
    outsized: Vec<i64>,
}

impl Account {
    fn expire(&mut self, now: i64, windows: &[Window; 4], lateness: i64) {
        let Self { events, calendar, outsized, .. } = self;
        events.expire(now, windows, lateness, |window, event| match window {
            WEEK => *outsized -= u32::from(event.marks & IS_OUTSIZED != 0),
            MONTH => calendar.remove(event.at),
            _ => {}
        });
    }

    /// Makes calendar and count of outsized payments anew from events whose windows have not moved on yet.
    fn recount(&mut self) {
        self.calendar = Calendar::default();
        self.outsized = 0;
        for event in self.events.iter() {
            self.calendar.add(event.at);
            self.outsized += u32::from(event.marks & IS_OUTSIZED != 0);
        }
    }

    /// The mean of all payments ever, in minor units.
    fn mean(&self) -> f64 {
        if self.payments == 0 { 0.0 } else { float(self.total) / f64::from(self.payments) }
    }

    /// The payment against the mean of all before it, and against that of its peers by as much as these are too few.
    fn to_mean(&self, payment: &Payment) -> f64 {
        let (minor, count) = (payment.minor as f64, f64::from(self.payments));
        let own = shrunk_log_ratio(minor, self.mean(), count);
        let of_peers = |peers: f64| (ln(minor + 1.0) - peers) * (2.0 / (count + 2.0));
        own + payment.peers.map_or(0.0, of_peers)
    }

    /// The payment as one with all before it to a counterparty first paid within the day, but for that first; `None` where there
    /// was no such first.
    fn to_new(&self, payment: &Payment, counterparty: u32) -> Option<Payment> {
        if !self.events.is_in(DAY, counterparty) {
            return None;
        }
        let today = self.events.sums()[DAY].count as usize;
        let today = self.events.iter().rev().take(today.min(LOOKED_BACK));
        let mut minor = payment.minor;
        for event in today.filter(|event| event.other == counterparty) {
            if event.marks & FIRST != 0 {
                return Some(Payment { minor, ..*payment });
            }
            minor = minor.saturating_add(event.minor);
        }
        None
    }

    /// What is shown beside it, in minor units: the account's mean or, where it has paid nothing yet, its peers'.
    fn expected(&self, payment: &Payment) -> f64 {
        match payment.peers {
            Some(peers) if self.payments == 0 => exp(peers) - 1.0,
            _ => self.mean(),
        }
    }
}

impl AccountBehaviour {
    /// The rule, with the columns that need counterparties, positions and balances only where there are any.
    pub(crate) fn new(
        windows: [Window; 4],
        peers: Peers,
        counterparties: bool,
        positions: bool,
        balances: bool,
    ) -> Self {
        Self { windows, peers, counterparties, positions, balances, logs: CountLogs::new(), outsized: ln(OUTSIZED) }
    }

    /// `met` is the slot of the counterparty, and whether it is new.
    fn read(&self, account: &Account, payment: &Payment, met: (u32, bool), to_mean_ever: f64, mut out: Writer<'_>) {
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
        let run = self.logs.ln1p(account.outsized);
        let in_run = |share: f64| if to_mean_ever > 0.0 { to_mean_ever + share * run } else { 0.0 };
        out.put(|| in_run(0.5));
        out.put(|| in_run(0.25));
        out.put(|| run);
        let outsized = f64::from(account.outsized);
        out.put(|| outsized / (outsized + 1.0));
        for sums in sums {
            out.put(|| self.logs.ln1p(sums.count));
        }
        for sums in sums {
            out.put(|| ln1p(float(sums.sum) * per_unit));
        }
        let (count, days) = (f64::from(sums[MONTH].count), self.windows[MONTH].0 as f64 / self.windows[DAY].0 as f64);
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
        let longest = self.windows[MONTH].0;
        let pace = account.last_at.map_or(longest, |last| payment.at.saturating_sub(last).min(longest));
        out.put(|| ln1p(pace as f64 / 1e6));
        out.put(|| account.calendar.hour_surprise(payment.at, sums[MONTH].count) * above_mean);
        out.put(|| account.calendar.part_surprise(payment.at, sums[MONTH].count));
        out.put(|| account.calendar.weekday_surprise(payment.at, sums[MONTH].count));
        if self.counterparties {
            let (counterparty, first) = met;
            let firsts = account.events.others().len() - usize::from(first);
            let share = (firsts as f64 + 1.0) / (f64::from(account.payments) + 1.0);
            out.put(|| if first { -ln(share) } else { 0.0 });
            out.put(|| account.to_new(payment, counterparty).map_or(0.0, |to| account.to_mean(&to).max(0.0)));
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
        out.put(|| account.expected(payment) * per_unit);
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
    match (account.places.last, payment.position) {
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
    kind_of(txn.amount)
}

/// The same of an amount alone.
pub(crate) fn kind_of(amount: Amount) -> u32 {
    letters(amount) << 1 | u32::from(amount.minor <= 0)
}

/// The currency's three letters as a number.
pub(crate) fn currency(txn: &Transaction) -> u32 {
    letters(txn.amount)
}

fn letters(amount: Amount) -> u32 {
    amount.currency.bits()
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
