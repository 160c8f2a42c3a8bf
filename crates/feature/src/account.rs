//! What an account usually does, from its own past.

mod columns;
mod expected;

use std::collections::VecDeque;

use crible_core::{EntityId, Position, Transaction, Window};
use serde::{Deserialize, Serialize};

use crate::account::columns::Reading;
use crate::account::expected::PeerHours;
use crate::calendar::Calendar;
use crate::kind::{kind, per_unit};
use crate::math::{CountLogs, ln};
use crate::owner::Owner;
use crate::peers::Peers;
use crate::ring::Event;
use crate::rule::{Columns, Reach, Row, Rule};
use crate::state::{KeptEvents, KeptEventsV1};
use crate::window::{Events, float, magnitude, shrunk_log_ratio};

/// Places of the windows, named after their default lengths.
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
/// Each item names the columns, what they hold, and the fraud they show.
///
/// - `amount`: magnitude. *Shows:* large one-off.
/// - `account_{count,sum,mean,deviation}_{1h,1d,7d,30d}`: the windows, this payment not among them. *Shows:* bursts.
/// - `amount_to_account_mean_{7d,30d}`, `amount_deviations_30d`: this payment against them, held back while the history
///   is short. *Shows:* out of character.
/// - `amount_to_account_mean`: this payment against the mean of all before it and, while these are few, of the
///   account's [`Peers`], where above it, and a quarter of ln(1 + n), n being the outsized payments of 7 days. *Shows:*
///   a card in other hands: several large payments, none of them the largest ever.
/// - `amount_to_account_mean_in_run`: the same with half of ln(1 + n). *Shows:* the same, where runs are long.
/// - `account_outsized_7d`: n, payments that were three times the mean before them, or more. *Shows:* the same.
/// - `account_in_run_7d`: n/(n + 1): one such payment may be chance, three are not, and six mean no more than three.
///   *Shows:* payments of any size by a card in other hands.
/// - `account_sum_1h_to_mean`: the last hour with this payment against the mean payment of 30 days, held back alike.
///   *Shows:* bursts of any amount.
/// - `account_{count,sum}_1d_to_usual`: the last day with this payment against the daily mean of 30 days. *Shows:*
///   bursts for this account.
/// - `seconds_since_last`: pace. *Shows:* automated use.
/// - `first_at_counterparty`, `account_counterparties_{1d,7d}`: new and many payees. *Shows:* cash-out.
/// - `amount_at_new_counterparty_1d`: all of a day and its last 64 payments to a payee first paid within it, this
///   payment included and that first one not, against the mean of all before, where above it. *Shows:* a new payee,
///   then draining.
/// - `hour_surprise_above_mean`: −ln probability of the hour for this account, times ln(amount/mean) where that is
///   positive. *Shows:* large payments at odd hours.
/// - `day_part_surprise`: −ln probability of the quarter of the day for this account. *Shows:* payments of any size at
///   odd times.
/// - `weekday_surprise`: −ln probability of the weekday for this account. *Shows:* odd days.
/// - `kilometres_from_last`, `kilometres_per_hour`: from the account's last position. *Shows:* impossible travel.
/// - `balance_share`: amount / balance before. *Shows:* draining.
/// - `amount_to_usual_30d`: how many deviations of its logarithm the amount is above the middle of 30 days, peers
///   counting for three payments. *Shows:* out of character.
/// - `amount_to_largest_30d`: ln of the amount over the largest of the last 64 payments of 30 days and, by three
///   payments, over two deviations above the middle of peers. *Shows:* larger than ever.
/// - `account_{sum,count}_{1h,1d,7d}_to_expected`: the window and this payment against what pace and mean of 30 days
///   let expect, of the time that has been watched and with peers counting for one payment and for three. *Shows:*
///   bursts for this account.
/// - `hour_surprise`: −ln probability of the hour for this account, all accounts counting for twelve payments; 0 where
///   the feed has whole days. *Shows:* odd hours.
/// - `account_first_counterparties_1d`: first payments to a counterparty. *Shows:* a new payee after the other.
#[derive(Clone, Debug)]
pub(crate) struct AccountBehaviour {
    windows: [Window; 4],
    peers: Peers,
    counterparties: bool,
    positions: bool,
    balances: bool,
    logs: CountLogs,
    hours: PeerHours,
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
    /// Major units of the reference in one of the currency; zero where that is not known.
    scale: f64,
    /// ln(1 + mean of its like among peers, in minor units); none where that is not known.
    peers: Option<f64>,
    /// Currency and direction.
    kind: u32,
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
    /// How many payments of the second window were to a new counterparty.
    firsts_today: u32,
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

/// A payment is outsized from this many times the account's mean on, believed as much as its history allows.
const OUTSIZED: f64 = 3.0;

impl Rule for AccountBehaviour {
    type Key = (u64, u32);
    type Input = Payment;
    type State = Account;
    type Reading<'a> = Reading<'a>;
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

    fn columns(&self) -> Columns<Self> {
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
            scale: self.peers.scales().of(txn.amount.currency).unwrap_or(0.0),
            peers: self.peers.of(kind),
            kind,
        };
        Some(((txn.account.get(), kind), payment))
    }

    fn name(&self) -> &'static str {
        "account"
    }

    fn at(payment: &Payment) -> i64 {
        payment.at
    }

    fn step(&self, account: &mut Account, payment: &Payment, reach: &Reach, row: Option<Row<'_, Self>>) {
        account.expire(payment.at, &self.windows, reach.lateness);
        let to_mean = account.to_mean(payment);
        let (other, first) = account.events.meet(payment.other);
        if let Some(row) = row {
            row.fill(&Reading::new(self, account, payment, (other, first), to_mean));
        }
        let is_outsized = to_mean >= self.outsized;
        let marks = if first { FIRST } else { 0 } | if is_outsized { IS_OUTSIZED } else { 0 };
        account.events.push(payment.at, payment.minor, other, marks, reach.lateness);
        account.calendar.add(payment.at);
        account.last_at = Some(payment.at);
        account.payments = account.payments.saturating_add(1);
        account.total = account.total.saturating_add(i128::from(payment.minor));
        account.outsized += u32::from(is_outsized);
        account.firsts_today += u32::from(first);
        if let Some(position) = payment.position {
            account.places.push(payment.at, position, reach.lateness);
        }
    }

    fn known_before(&self, account: &Account) -> u32 {
        account.payments.saturating_sub(1)
    }

    fn last_at(&self, account: &Account) -> Option<i64> {
        account.last_at
    }

    fn first_at(&self, account: &Account) -> Option<i64> {
        let first = account.events.iter().next().map(|event| event.at).or(account.last_at);
        (account.payments > 0).then(|| first.unwrap_or(i64::MIN))
    }

    fn rewind(&self, account: &mut Account, late: &Payment) -> Vec<Payment> {
        let Account { events, calendar, outsized, firsts_today, .. } = account;
        let undone = events.rewind(late.at, &self.windows, FIRST, |window, event, is_in| match window {
            DAY if is_in => *firsts_today += u32::from(event.marks & FIRST != 0),
            DAY => *firsts_today -= u32::from(event.marks & FIRST != 0),
            WEEK if is_in => *outsized += u32::from(event.marks & IS_OUTSIZED != 0),
            WEEK => *outsized -= u32::from(event.marks & IS_OUTSIZED != 0),
            MONTH if is_in => calendar.add(event.at),
            MONTH => calendar.remove(event.at),
            _ => {}
        });
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
        let Account { events, calendar, outsized, firsts_today, .. } = account;
        events.trim(now, &self.windows, left(calendar, outsized, firsts_today));
        account.places.trim(now);
    }

    fn is_over(&self, account: &Account, now: i64, reach: &Reach) -> bool {
        account.last_at.is_none_or(|last| now.saturating_sub(last) > reach.forget)
    }

    fn heap_bytes(&self, account: &Account) -> usize {
        account.events.bytes() + account.places.bytes()
    }

    fn needed_bytes(&self, account: &Account) -> usize {
        account.events.needed()
    }

    fn keep(&self, account: &Account, now: i64, _: &Reach) -> KeptAccount {
        let place = |(at, p): (i64, Position)| (at, p.latitude_e7(), p.longitude_e7());
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

    fn revive(&self, kept: KeptAccount, watermark: i64, reach: &Reach) -> Option<Account> {
        let KeptAccount { events, last_at, places: kept, payments, total } = kept;
        let last = last_at?;
        let is_counted = payments > 0 && events.len() <= payments as usize && events.others.len() <= payments as usize;
        if last > watermark || !is_counted || total < 0 || !kept.is_sorted_by_key(|(at, ..)| *at) {
            return None;
        }
        let mut places = Places::default();
        for (at, latitude_e7, longitude_e7) in kept {
            if at > last {
                return None;
            }
            places.push(at, Position::from_e7(latitude_e7, longitude_e7)?, i64::MAX);
        }
        let mut account = Account {
            events: events.revive(last, reach.lateness)?,
            last_at,
            places,
            payments,
            total,
            ..Account::default()
        };
        account.recount();
        Some(account)
    }
}

/// An account without its calendar and windows, which follow from its events.
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

/// Counts without an event that leaves a window.
fn left(calendar: &mut Calendar, outsized: &mut u32, firsts_today: &mut u32) -> impl FnMut(usize, Event) {
    move |window, event| match window {
        DAY => *firsts_today -= u32::from(event.marks & FIRST != 0),
        WEEK => *outsized -= u32::from(event.marks & IS_OUTSIZED != 0),
        MONTH => calendar.remove(event.at),
        _ => {}
    }
}

impl Account {
    fn expire(&mut self, now: i64, windows: &[Window; 4], lateness: i64) {
        let Self { events, calendar, outsized, firsts_today, .. } = self;
        events.expire(now, windows, lateness, left(calendar, outsized, firsts_today));
    }

    /// Makes calendar and counts of outsized and first payments anew from events whose windows have not moved on yet.
    fn recount(&mut self) {
        self.calendar = Calendar::default();
        (self.outsized, self.firsts_today) = (0, 0);
        for event in self.events.iter() {
            self.calendar.add(event.at);
            self.outsized += u32::from(event.marks & IS_OUTSIZED != 0);
            self.firsts_today += u32::from(event.marks & FIRST != 0);
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
        let (logs, hours) = (CountLogs::new(), PeerHours::of(peers.hours()));
        Self { windows, peers, counterparties, positions, balances, logs, hours, outsized: ln(OUTSIZED) }
    }
}
