//! What an account's payments of the last day and week have in common.

mod attributes;
mod columns;
mod pay;

use crible_core::{EntityId, Transaction, Window};
use serde::{Deserialize, Serialize};

use crate::hash::IdMap;
use crate::kind::{currency, per_unit};
use crate::math::{CountLogs, ln};
use crate::owner::Owner;
use crate::pattern::attributes::{Attributes, FEW, Tally, Value, tag};
use crate::pattern::columns::Reading;
use crate::pattern::pay::{Pay, Pays};
use crate::ring::{Event, MAX_SPAN, Ring, roomy};
use crate::rule::{Columns, Reach, Row, Rule};
use crate::window::magnitude;

/// Places of the windows, named after their default lengths.
const HOUR: usize = 0;
const DAY: usize = 1;
const WEEK: usize = 2;

/// Attributes of a payment: channel, category, country, device, address.
const ATTRIBUTES: usize = 5;
const COUNTRY: usize = 2;
/// The first attribute whose values are identities.
const DEVICE: usize = 3;

/// Marks of an event: money out, and just below a threshold.
const IS_OUT: u8 = 1;
const IS_BELOW: u8 = 2;

/// Major units from which institutions ask or report; a payment of nine tenths or more of one, but less than it, stays
/// just below.
const THRESHOLDS: [i64; 5] = [1_000, 3_000, 5_000, 10_000, 15_000];

/// Velocity by channel, category, country, device and address, their variety, equal, round and structured amounts, test
/// payments, waking and passing on, of one account in one currency.
///
/// Windows hold what came before the payment. Payments in and out are counted apart, but for `account_passed_on_1d`,
/// `account_pause_to_usual` and `account_count_1d_after_pay_to_usual`, which look at both.
///
/// Each item names the columns, what they hold, and the fraud they show.
///
/// - `account_{device,address}_new_7d`: 1 where the account has paid in 7 days, and not from this one. *Shows:* an
///   account taken over.
/// - `account_{channel,category}_count_1d`: payments of the same one, a day. *Shows:* a burst in one channel.
/// - `account_country_count_1d_to_usual`: ln of (payments in this country, a day, this among them) over (1 + its
///   payments there a day in the rest of 7 days), held back while the week has few. *Shows:* a card used in a country
///   that is not its own.
/// - `account_{channels,categories,countries,devices,addresses}_7d`: different ones, 7 days. *Shows:* a card used all
///   over.
/// - `account_equal_amounts_7d`: payments of exactly this amount, 7 days. *Shows:* scripted or split payments.
/// - `account_amount_repeats_7d`: ln n − H, n being the payments of 7 days and H the entropy of their amounts in nats:
///   0 where all differ. *Shows:* scripts that know few amounts.
/// - `account_below_thresholds_7d`: payments just below a threshold, this among them, 7 days; 0 where this is not one.
///   *Shows:* structuring.
/// - `amount_round`: zeros at the end of the amount in major units. *Shows:* made-up amounts.
/// - `amount_after_test_1h`: ln of the amount over ten times the least payment of the hour, where above. *Shows:* a
///   test, then the real one.
/// - `account_passed_on_1d`: what came in and went out again, money, a day. *Shows:* a mule account.
/// - `account_pause_to_usual`: ln of the time since the last payment over the mean time between payments ever, where
///   above, held back while there are few. *Shows:* a dormant account woken.
/// - `account_count_1d_after_pay_to_usual`: ln of (payments within a day of the last [`Pay`], this among them) over
///   (1 + their mean number after the pays before it), held back while pays are few; 0 where the last pay is a day old
///   or this is money in. *Shows:* a card in other hands or a deceived owner, when there is money.
#[derive(Clone, Debug)]
pub(crate) struct PatternBehaviour {
    windows: [Window; 3],
    /// Whether the feed has channels, categories, countries, devices and addresses.
    has: [bool; ATTRIBUTES],
    /// The numbers of those it has.
    attributes: Vec<usize>,
    logs: CountLogs,
}

/// What matters of a payment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Payment {
    at: i64,
    minor: i64,
    /// Bits of channel, category, country, device and address.
    values: [u128; ATTRIBUTES],
    is_out: bool,
    is_below: bool,
    zeros: u8,
    per_unit: f32,
}

#[derive(Debug, Default)]
pub(crate) struct Pattern {
    /// The last week, oldest first; an event's other is the slot of its set of values.
    ring: Ring,
    /// How many of them are older than a day, and than a week.
    not_today: usize,
    not_this_week: usize,
    attributes: Attributes,
    /// How many payments of the week are of an amount and direction.
    amounts: IdMap<u64, u32>,
    /// Sums of the day, in and out.
    sums: [i128; 2],
    /// Different values of the week by attribute, in and out.
    distinct: [[u32; 2]; ATTRIBUTES],
    /// Payments of the week, in and out, and those just below a threshold.
    week: [u32; 2],
    below: [u32; 2],
    /// Sums of n·ln n over the numbers of payments of each amount in the week, in and out, in units of 2⁻²⁴.
    repeats: [i64; 2],
    first_at: i64,
    last_at: i64,
    /// The last payment that is no longer in the ring.
    left_at: i64,
    payments: u32,
    pays: Pays,
}

/// n·ln n in units of 2⁻²⁴, whole so that what an arrival adds, expiry takes away.
fn n_ln_n(n: u32) -> i64 {
    if n < 2 { 0 } else { (f64::from(n) * ln(f64::from(n)) * UNIT).round() as i64 }
}

const UNIT: f64 = (1 << 24) as f64;

fn id(entity: Option<EntityId>) -> u128 {
    entity.map_or(0, |entity| entity.get().into())
}

fn amount_key(minor: i64, is_out: bool) -> u64 {
    (minor as u64) << 1 | u64::from(is_out)
}

impl Payment {
    /// What is remembered of it; `set` is the slot of its values.
    fn event(&self, set: u32) -> Event {
        let marks = if self.is_out { IS_OUT } else { 0 } | if self.is_below { IS_BELOW } else { 0 };
        Event { at: self.at, minor: self.minor, other: set, marks }
    }
}

impl Pattern {
    fn expire(&mut self, now: i64, windows: &[Window; 3], attributes: &[usize], lateness: i64) {
        let yesterday = now.saturating_sub(windows[DAY].0);
        while let Some(past) = self.ring.get_until(self.not_today, yesterday) {
            self.not_today += 1;
            self.leave_day(&past, attributes);
        }
        let week_ago = now.saturating_sub(windows[WEEK].0);
        while let Some(past) = self.ring.get_until(self.not_this_week, week_ago) {
            self.not_this_week += 1;
            self.leave_week(&past, attributes);
        }
        let bound = week_ago.saturating_sub(lateness);
        while self.not_this_week > 0
            && let Some(past) = self.ring.get_until(0, bound)
            && self.ring.pop_first(bound).is_some()
        {
            self.pays.settle(&past, windows[DAY].0);
            self.left_at = past.at;
            self.not_today -= 1;
            self.not_this_week -= 1;
        }
    }

    /// Takes in an event whose other is a slot of a set of values.
    fn push(&mut self, past: Event, attributes: &[usize]) {
        self.ring.push(past, |_| {});
        self.enter_day(&past, attributes);
        self.enter_week(&past, attributes);
    }

    fn enter_day(&mut self, past: &Event, attributes: &[usize]) {
        self.sums[usize::from(past.marks & IS_OUT)] += i128::from(past.minor);
        let slots = self.attributes.sets[past.other as usize];
        attributes.iter().for_each(|&of| self.attributes.tallies[slots[of] as usize].day += 1);
    }

    fn leave_day(&mut self, past: &Event, attributes: &[usize]) {
        self.sums[usize::from(past.marks & IS_OUT)] -= i128::from(past.minor);
        let slots = self.attributes.sets[past.other as usize];
        attributes.iter().for_each(|&of| self.attributes.tallies[slots[of] as usize].day -= 1);
    }

    fn enter_week(&mut self, past: &Event, attributes: &[usize]) {
        let side = past.marks & IS_OUT;
        self.week[usize::from(side)] += 1;
        self.below[usize::from(side)] += u32::from(past.marks & IS_BELOW != 0);
        let slots = self.attributes.sets[past.other as usize];
        for &of in attributes {
            let week = &mut self.attributes.tallies[slots[of] as usize].week;
            self.distinct[of][usize::from(side)] += u32::from(*week == 0);
            *week += 1;
        }
        let count = self.amounts.entry(amount_key(past.minor, side == IS_OUT)).or_default();
        *count += 1;
        self.repeats[usize::from(side)] += n_ln_n(*count) - n_ln_n(*count - 1);
    }

    fn leave_week(&mut self, past: &Event, attributes: &[usize]) {
        let side = past.marks & IS_OUT;
        self.week[usize::from(side)] -= 1;
        self.below[usize::from(side)] -= u32::from(past.marks & IS_BELOW != 0);
        let slots = self.attributes.sets[past.other as usize];
        for &of in attributes {
            let week = &mut self.attributes.tallies[slots[of] as usize].week;
            *week -= 1;
            self.distinct[of][usize::from(side)] -= u32::from(*week == 0);
        }
        let key = amount_key(past.minor, side == IS_OUT);
        if let Some(count) = self.amounts.get_mut(&key) {
            self.repeats[usize::from(side)] -= n_ln_n(*count) - n_ln_n(*count - 1);
            *count -= 1;
            if *count == 0 {
                self.amounts.remove(&key);
            }
        }
    }

    /// Takes back the events after `to`, and moves windows back to where they were then; those events, oldest first.
    ///
    /// That takes as long as there are events after `to`, and events that have left a window since.
    fn take_back(&mut self, to: i64, windows: &[Window; 3], attributes: &[usize]) -> Vec<Payment> {
        let mut undone = Vec::new();
        let mut is_paid_back = true;
        while let Some(past) = self.ring.pop_last(to) {
            undone.push(self.payment(&past));
            let index = self.ring.len();
            if self.not_today > index {
                self.not_today = index
            } else {
                self.leave_day(&past, attributes)
            }
            if self.not_this_week > index {
                self.not_this_week = index
            } else {
                self.leave_week(&past, attributes)
            }
            is_paid_back &= self.pays.take_back(&past, windows[DAY].0);
        }
        let yesterday = to.saturating_sub(windows[DAY].0);
        while let Some(index) = self.not_today.checked_sub(1)
            && let Some(past) = self.ring.get_after(index, yesterday)
        {
            self.not_today = index;
            self.enter_day(&past, attributes);
        }
        let week_ago = to.saturating_sub(windows[WEEK].0);
        while let Some(index) = self.not_this_week.checked_sub(1)
            && let Some(past) = self.ring.get_after(index, week_ago)
        {
            self.not_this_week = index;
            self.enter_week(&past, attributes);
        }
        if !is_paid_back {
            self.pays = Pays::of(self.pays.settled());
            self.ring.iter().for_each(|past| self.pays.absorb(&past, windows[DAY].0, i64::MAX));
        }
        undone.reverse();
        undone
    }

    /// Lets go of values that no event has any more. The windows are then to be moved on anew.
    fn rebuild(&mut self, attributes: &[usize]) {
        let payments: Vec<Payment> = self.ring.iter().map(|past| self.payment(&past)).collect();
        let Self { first_at, last_at, left_at, payments: count, .. } = *self;
        let pays = std::mem::take(&mut self.pays);
        *self = Self { first_at, last_at, left_at, payments: count, pays, ..Self::default() };
        for payment in payments {
            let set = self.attributes.set(&payment, attributes);
            self.push(payment.event(set), attributes);
        }
    }

    /// What an event has besides its time and amount.
    fn payment(&self, past: &Event) -> Payment {
        let slots = self.attributes.sets[past.other as usize];
        Payment {
            at: past.at,
            minor: past.minor,
            values: slots.map(|slot| self.attributes.tallies[slot as usize].value().0),
            is_out: past.marks & IS_OUT != 0,
            is_below: past.marks & IS_BELOW != 0,
            ..Payment::default()
        }
    }

    fn absorb(&mut self, payment: &Payment, set: u32, attributes: &[usize], day: Window, lateness: i64) {
        let event = payment.event(set);
        self.push(event, attributes);
        self.pays.absorb(&event, day.0, lateness);
        if self.payments == 0 {
            self.first_at = payment.at;
        }
        self.last_at = payment.at;
        self.payments = self.payments.saturating_add(1);
    }
}

impl Rule for PatternBehaviour {
    type Key = (u64, u32);
    type Input = Payment;
    type State = Pattern;
    type Reading<'a> = Reading<'a>;
    type Kept = KeptPattern;
    type V1 = KeptPatternV1;
    type V2 = KeptPatternV2;

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
        columns::columns(&self.windows, self.has)
    }

    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Payment)> {
        let minor = magnitude(txn.amount.minor);
        let unit = 10_i64.pow(txn.amount.currency.exponent());
        let is_below = |threshold: &i64| {
            let threshold = threshold * unit;
            minor < threshold && minor >= threshold / 10 * 9
        };
        let mut zeros = 0;
        if minor > 0 && minor % unit == 0 {
            let mut major = minor / unit;
            while major % 10 == 0 {
                major /= 10;
                zeros += 1;
            }
        }
        let mut values = [txn.channel.bits(), txn.category.bits(), txn.country.bits(), id(txn.device), id(txn.address)];
        values.iter_mut().zip(self.has).filter(|(_, has)| !has).for_each(|(value, _)| *value = 0);
        let payment = Payment {
            at: txn.at.0,
            minor,
            values,
            is_out: txn.is_outflow(),
            is_below: THRESHOLDS.iter().any(is_below),
            zeros,
            per_unit: per_unit(txn),
        };
        Some(((txn.account.get(), currency(txn)), payment))
    }

    fn name(&self) -> &'static str {
        "pattern"
    }

    fn at(payment: &Payment) -> i64 {
        payment.at
    }

    fn step(&self, pattern: &mut Pattern, payment: &Payment, reach: &Reach, row: Option<Row<'_, Self>>) {
        pattern.expire(payment.at, &self.windows, &self.attributes, reach.lateness);
        if pattern.attributes.tallies.len() > 2 * FEW + 4 * ATTRIBUTES * pattern.ring.len() {
            // Most of its values are of events long gone.
            pattern.rebuild(&self.attributes);
            pattern.expire(payment.at, &self.windows, &self.attributes, reach.lateness);
        }
        let set = pattern.attributes.set(payment, &self.attributes);
        if let Some(row) = row {
            row.fill(&Reading { rule: self, pattern, payment, slots: pattern.attributes.sets[set as usize] });
        }
        pattern.absorb(payment, set, &self.attributes, self.windows[DAY], reach.lateness);
    }

    fn last_at(&self, pattern: &Pattern) -> Option<i64> {
        (pattern.payments > 0).then_some(pattern.last_at)
    }

    fn first_at(&self, pattern: &Pattern) -> Option<i64> {
        (pattern.payments > 0).then_some(pattern.first_at)
    }

    fn rewind(&self, pattern: &mut Pattern, late: &Payment) -> Vec<Payment> {
        let undone = pattern.take_back(late.at, &self.windows, &self.attributes);
        pattern.payments = pattern.payments.saturating_sub(undone.len() as u32);
        pattern.last_at = pattern.ring.iter().next_back().map_or(pattern.left_at, |past| past.at);
        if pattern.payments == 0 {
            *pattern = Pattern::default();
        }
        undone
    }

    fn trim(&self, pattern: &mut Pattern, now: i64, _: &Reach) {
        pattern.expire(now, &self.windows, &self.attributes, 0);
        pattern.pays.trim(now);
    }

    fn is_over(&self, pattern: &Pattern, now: i64, reach: &Reach) -> bool {
        pattern.payments == 0 || now.saturating_sub(pattern.last_at) > reach.forget
    }

    fn heap_bytes(&self, pattern: &Pattern) -> usize {
        pattern.ring.bytes() + pattern.attributes.bytes() + pattern.amounts.allocation_size() + pattern.pays.bytes()
    }

    fn needed_bytes(&self, pattern: &Pattern) -> usize {
        // A table is half to seven eighths full.
        let table = |len: usize, entry: usize| (len * 16 / 7 + 4) * (entry + 1) + 16;
        // Which values there are depends on what has been let go of: each event brings one of each attribute at most,
        // and few do.
        let week = pattern.ring.len() - pattern.not_this_week;
        let sets = week.min(4);
        let values = roomy(ATTRIBUTES * sets) * size_of::<Tally>()
            + roomy(sets) * size_of::<[u32; ATTRIBUTES]>()
            + table(sets, 4);
        pattern.ring.needed(pattern.not_this_week)
            + table(week, size_of::<(u64, u32)>())
            + values
            + pattern.pays.needed()
    }

    fn keep(&self, pattern: &Pattern, now: i64, _: &Reach) -> KeptPattern {
        let after = now.saturating_sub(self.windows[WEEK].0);
        let mut values: Vec<Value> = Vec::new();
        let mut renamed: IdMap<u32, u32> = IdMap::default();
        let mut left_at = pattern.left_at;
        let mut settled = pattern.pays.settled().unwrap_or_default();
        let mut ring = Vec::new();
        for past in pattern.ring.iter() {
            if past.at <= after {
                left_at = past.at;
                settled = settled.with(&past, self.windows[DAY].0);
                continue;
            }
            let slots = pattern.attributes.sets[past.other as usize].map(|slot| {
                *renamed.entry(slot).or_insert_with(|| {
                    values.push(pattern.attributes.tallies[slot as usize].value());
                    values.len() as u32 - 1
                })
            });
            ring.push((past.at, past.minor as u64, past.marks, slots));
        }
        let Pattern { first_at, last_at, payments, .. } = *pattern;
        KeptPattern { first_at, last_at, left_at, payments, pay: Some(settled).filter(Pay::is_any), values, ring }
    }

    fn upgrade_v1(&self, old: KeptPatternV1) -> Option<KeptPatternV2> {
        let KeptPatternV1 { first_at, last_at, payments, mut values, ring } = old;
        // There were no devices and addresses: for each the value of those that have none, money in and out.
        let none = values.len() as u32;
        values.extend([(3, false), (3, true), (4, false), (4, true)].map(|(of, is_out)| (0, tag(of, is_out))));
        let widened = |(at, minor, marks, [channel, category, country]): (i64, u64, u8, [u32; 3])| {
            let out = u32::from(marks & IS_OUT != 0);
            (at, minor, marks, [channel, category, country, none + out, none + 2 + out])
        };
        let ring: Vec<_> = ring.into_iter().map(widened).collect();
        // Until one leaves the ring nothing reads this, unless there is none.
        let left_at = if ring.is_empty() { last_at } else { first_at };
        Some(KeptPatternV2 { first_at, last_at, left_at, payments, values, ring })
    }

    fn upgrade_v2(&self, old: KeptPatternV2, _: i64) -> Option<KeptPattern> {
        let KeptPatternV2 { first_at, last_at, left_at, payments, values, ring } = old;
        // Pay before the week was not kept.
        Some(KeptPattern { first_at, last_at, left_at, payments, pay: None, values, ring })
    }

    fn revive(&self, kept: KeptPattern, watermark: i64, reach: &Reach) -> Option<Pattern> {
        let KeptPattern { first_at, last_at, left_at, payments, pay, values, ring } = kept;
        if first_at > last_at || last_at > watermark || payments == 0 || ring.len() > payments as usize {
            return None;
        }
        if pay.is_some_and(|pay| !pay.may_be_of(payments - ring.len() as u32, first_at, left_at)) {
            return None;
        }
        let mut pattern = Pattern { pays: Pays::of(pay), ..Pattern::default() };
        let mut before = first_at;
        for (at, minor, marks, slots) in ring {
            let is_out = marks & IS_OUT != 0;
            let mut payment = Payment { at, minor: i64::try_from(minor).ok()?, is_out, ..Payment::default() };
            payment.is_below = marks & IS_BELOW != 0;
            for (attribute, slot) in slots.into_iter().enumerate() {
                let &(bits, of) = values.get(slot as usize)?;
                payment.values[attribute] = bits;
                if of != tag(attribute, is_out) {
                    return None;
                }
            }
            let is_far = at.checked_sub(first_of(&pattern.ring, at)).is_none_or(|span| span > MAX_SPAN);
            if marks > 3 || at < before || at > last_at || is_far {
                return None;
            }
            before = at;
            let set = pattern.attributes.set(&payment, &self.attributes);
            pattern.absorb(&payment, set, &self.attributes, self.windows[DAY], reach.lateness);
        }
        Some(Pattern { first_at, last_at, left_at, payments, ..pattern })
    }
}

/// When a ring begins; `at` where it is empty.
fn first_of(ring: &Ring, at: i64) -> i64 {
    ring.get(0).map_or(at, |event| event.at)
}

/// What is kept of a [`Pattern`]: the week, and the values its payments have, in the order in which they come.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptPattern {
    first_at: i64,
    last_at: i64,
    left_at: i64,
    payments: u32,
    /// As of what is no longer in the week.
    pay: Option<Pay>,
    values: Vec<Value>,
    /// Time, minor units, whether out (1) and just below a threshold (2), and slots of its values.
    ring: Vec<(i64, u64, u8, [u32; ATTRIBUTES])>,
}

/// The same in format 2, which had no pay.
#[derive(Debug, Deserialize)]
pub(crate) struct KeptPatternV2 {
    first_at: i64,
    last_at: i64,
    left_at: i64,
    payments: u32,
    values: Vec<Value>,
    ring: Vec<(i64, u64, u8, [u32; ATTRIBUTES])>,
}

/// The same in format 1, which had no devices and addresses.
#[derive(Debug, Deserialize)]
pub(crate) struct KeptPatternV1 {
    first_at: i64,
    last_at: i64,
    payments: u32,
    values: Vec<Value>,
    /// Time, minor units, whether out (1) and just below a threshold (2), and slots of its values.
    ring: Vec<(i64, u64, u8, [u32; 3])>,
}

impl PatternBehaviour {
    /// The rule; `has` is which attributes the feed has.
    pub(crate) fn new(windows: [Window; 3], has: [bool; ATTRIBUTES]) -> Self {
        let attributes = (0..ATTRIBUTES).filter(|&attribute| has[attribute]).collect();
        Self { windows, has, attributes, logs: CountLogs::new() }
    }
}
