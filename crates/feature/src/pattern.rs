//! What an account's payments of the last day and week have in common.

use std::collections::VecDeque;

use crible_core::{Code, Column, Scale, Tail, Timestamp, Topic, Transaction, Unit};
use serde::{Deserialize, Serialize};

use crate::account::{currency, per_unit};
use crate::family::{Rule, Writer};
use crate::math::{CountLogs, ln, ln1p};
use crate::window::{IdMap, float, magnitude};

const HOUR: i64 = Timestamp::DAY / 24;
const DAY: i64 = Timestamp::DAY;
const WEEK: i64 = 7 * Timestamp::DAY;

/// Major units from which institutions ask or report; a payment of nine tenths or more of one, but less than it, stays just below.
const THRESHOLDS: [i64; 5] = [1_000, 3_000, 5_000, 10_000, 15_000];

/// ln 10: a payment has to be ten times the least of the hour to count as following a test.
const TEST: f64 = 10.0;

/// Velocity by channel, category and country, their variety, equal, round and structured amounts, test payments, waking and
/// passing on, of one account in one currency.
///
/// Windows hold what came before the payment. Payments in and out are counted apart, but for `account_passed_on_1d` and
/// `account_pause_to_usual`, which look at both.
///
/// | columns | unit, window | the fraud they show |
/// |---|---|---|
/// | `account_{channel,category,country}_count_1d` | payments of the same word, a day | a burst in one channel |
/// | `account_{channels,categories,countries}_7d` | different words, 7 days | a card used all over |
/// | `account_equal_amounts_7d` | payments of exactly this amount, 7 days | scripted or split payments |
/// | `account_below_thresholds_7d` | payments just below a threshold, this among them, 7 days; 0 where this is not one | structuring |
/// | `amount_round` | zeros at the end of the amount in major units | made-up amounts |
/// | `amount_after_test_1h` | ln of the amount over ten times the least payment of the hour, where above | a test, then the real one |
/// | `account_passed_on_1d` | what came in and went out again, money, a day | a mule account |
/// | `account_pause_to_usual` | ln of the time since the last payment over the mean time between payments ever, where above, held back while there are few | a dormant account woken |
#[derive(Debug)]
pub(crate) struct PatternBehaviour {
    /// Whether the feed has channels, categories and countries.
    kinds: [bool; 3],
    logs: CountLogs,
}

/// What matters of a payment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Payment {
    at: i64,
    minor: i64,
    words: [Code; 3],
    is_out: bool,
    is_below: bool,
    zeros: u8,
    per_unit: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Past {
    at: i64,
    minor: i64,
    /// Slots of its channel, category and country.
    words: [u32; 3],
    is_out: bool,
    is_below: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Pattern {
    /// The last week, oldest first.
    ring: VecDeque<Past>,
    /// How many of them are older than a day.
    not_today: usize,
    words: Words,
    /// How many payments of the week are of an amount and direction.
    amounts: IdMap<u64, u32>,
    /// Sums of the day, in and out.
    sums: [i128; 2],
    /// Different words of the week by kind, in and out.
    distinct: [[u32; 2]; 3],
    /// Payments just below a threshold in the week, in and out.
    below: [u32; 2],
    first_at: i64,
    last_at: i64,
    payments: u32,
}

#[derive(Debug, Default)]
struct Words {
    slots: IdMap<(u64, u64, u32), u32>,
    tallies: Vec<Tally>,
}

/// One word of one kind in one direction.
#[derive(Clone, Copy, Debug)]
struct Tally {
    word: Word,
    day: u32,
    week: u32,
}

/// A word's bits, and its kind and direction.
type Word = (u128, u32);

impl Words {
    fn slot(&mut self, word: Word) -> u32 {
        let next = self.tallies.len() as u32;
        let key = ((word.0 >> 64) as u64, word.0 as u64, word.1);
        let slot = *self.slots.entry(key).or_insert(next);
        if slot == next {
            self.tallies.push(Tally { word, day: 0, week: 0 });
        }
        slot
    }
}

fn amount_key(minor: i64, is_out: bool) -> u64 {
    (minor as u64) << 1 | u64::from(is_out)
}

fn tag(kind: usize, is_out: bool) -> u32 {
    kind as u32 * 2 + u32::from(is_out)
}

impl Pattern {
    fn expire(&mut self, now: i64) {
        let yesterday = now.saturating_sub(DAY);
        while let Some(&past) = self.ring.get(self.not_today)
            && past.at <= yesterday
        {
            self.not_today += 1;
            self.sums[usize::from(past.is_out)] -= i128::from(past.minor);
            past.words.iter().for_each(|&slot| self.words.tallies[slot as usize].day -= 1);
        }
        let week_ago = now.saturating_sub(WEEK);
        while let Some(past) = self.ring.pop_front_if(|past| past.at <= week_ago) {
            self.not_today -= 1;
            let side = usize::from(past.is_out);
            self.below[side] -= u32::from(past.is_below);
            for (kind, &slot) in past.words.iter().enumerate() {
                let week = &mut self.words.tallies[slot as usize].week;
                *week -= 1;
                self.distinct[kind][side] -= u32::from(*week == 0);
            }
            let key = amount_key(past.minor, past.is_out);
            if let Some(count) = self.amounts.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.amounts.remove(&key);
                }
            }
        }
    }

    fn push(&mut self, past: Past) {
        let side = usize::from(past.is_out);
        self.ring.push_back(past);
        self.sums[side] += i128::from(past.minor);
        self.below[side] += u32::from(past.is_below);
        for (kind, &slot) in past.words.iter().enumerate() {
            let tally = &mut self.words.tallies[slot as usize];
            tally.day += 1;
            self.distinct[kind][side] += u32::from(tally.week == 0);
            tally.week += 1;
        }
        *self.amounts.entry(amount_key(past.minor, past.is_out)).or_default() += 1;
    }

    /// The least payment of the last hour in this direction.
    fn least(&self, payment: &Payment) -> Option<i64> {
        let hour_ago = payment.at.saturating_sub(HOUR);
        let hour = self.ring.iter().rev().take_while(|past| past.at > hour_ago);
        hour.filter(|past| past.is_out == payment.is_out).map(|past| past.minor).min()
    }
}

impl Rule for PatternBehaviour {
    type Key = (u64, u32);
    type Input = Payment;
    type State = Pattern;
    type Kept = KeptPattern;

    const NAME: &'static str = "pattern";

    fn columns(&self) -> Vec<Column> {
        columns(self.kinds)
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
        let payment = Payment {
            at: txn.at.0,
            minor,
            words: [txn.channel, txn.category, txn.country],
            is_out: txn.is_outflow(),
            is_below: THRESHOLDS.iter().any(is_below),
            zeros,
            per_unit: per_unit(txn),
        };
        Some(((txn.account.get(), currency(txn)), payment))
    }

    fn step(&self, pattern: &mut Pattern, payment: &Payment, out: Option<Writer<'_>>) {
        pattern.expire(payment.at);
        let mut words = [0; 3];
        for (kind, slot) in words.iter_mut().enumerate() {
            *slot = pattern.words.slot((payment.words[kind].bits(), tag(kind, payment.is_out)));
        }
        if let Some(out) = out {
            self.read(pattern, payment, words, out);
        }
        let Payment { at, minor, is_out, is_below, .. } = *payment;
        pattern.push(Past { at, minor, words, is_out, is_below });
        if pattern.payments == 0 {
            pattern.first_at = at;
        }
        pattern.last_at = at;
        pattern.payments = pattern.payments.saturating_add(1);
    }

    fn heap_bytes(&self, pattern: &Pattern) -> usize {
        pattern.ring.capacity() * size_of::<Past>()
            + pattern.words.slots.allocation_size()
            + pattern.words.tallies.capacity() * size_of::<Tally>()
            + pattern.amounts.allocation_size()
    }

    fn keep(&self, pattern: &Pattern) -> KeptPattern {
        let ring = pattern.ring.iter().map(|past| {
            let flags = u8::from(past.is_out) | u8::from(past.is_below) << 1;
            (past.at, past.minor as u64, flags, past.words)
        });
        KeptPattern {
            first_at: pattern.first_at,
            last_at: pattern.last_at,
            payments: pattern.payments,
            words: pattern.words.tallies.iter().map(|tally| tally.word).collect(),
            ring: ring.collect(),
        }
    }

    fn revive(&self, kept: KeptPattern, watermark: i64) -> Option<Pattern> {
        let KeptPattern { first_at, last_at, payments, words, ring } = kept;
        if first_at > last_at || last_at > watermark || payments == 0 || ring.len() > payments as usize {
            return None;
        }
        let mut pattern = Pattern { first_at, last_at, payments, ..Pattern::default() };
        for (slot, &word) in words.iter().enumerate() {
            if pattern.words.slot(word) as usize != slot || pattern.words.tallies.len() != slot + 1 {
                return None;
            }
        }
        let mut before = first_at;
        for (at, minor, flags, slots) in ring {
            let (is_out, is_below) = (flags & 1 == 1, flags & 2 == 2);
            let minor = i64::try_from(minor).ok()?;
            let is_of =
                |(kind, &slot): (usize, &u32)| words.get(slot as usize).is_some_and(|w| w.1 == tag(kind, is_out));
            if flags > 3 || at < before || at > last_at || !slots.iter().enumerate().all(is_of) {
                return None;
            }
            before = at;
            pattern.push(Past { at, minor, words: slots, is_out, is_below });
        }
        Some(pattern)
    }

    fn join(&self, _: KeptPattern, _: KeptPattern) -> Option<KeptPattern> {
        None
    }
}

/// What is kept of a [`Pattern`]: the week, and the words it was told in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptPattern {
    first_at: i64,
    last_at: i64,
    payments: u32,
    words: Vec<Word>,
    /// Time, minor units, whether out (1) and just below a threshold (2), and slots of its words.
    ring: Vec<(i64, u64, u8, [u32; 3])>,
}

impl PatternBehaviour {
    /// The rule; `kinds` says whether the feed has channels, categories and countries.
    pub(crate) fn new(kinds: [bool; 3]) -> Self {
        Self { kinds, logs: CountLogs::new() }
    }

    fn read(&self, pattern: &Pattern, payment: &Payment, words: [u32; 3], mut out: Writer<'_>) {
        let side = usize::from(payment.is_out);
        let minor = payment.minor as f64;
        let per_unit = f64::from(payment.per_unit);
        for kind in (0..3).filter(|&kind| self.kinds[kind]) {
            out.put(|| self.logs.ln1p(pattern.words.tallies[words[kind] as usize].day));
            out.put(|| self.logs.ln1p(pattern.distinct[kind][side]));
        }
        let equal = || pattern.amounts.get(&amount_key(payment.minor, payment.is_out)).copied().unwrap_or(0);
        out.put(|| self.logs.ln1p(equal()));
        out.put(|| if payment.is_below { self.logs.ln1p(pattern.below[side].saturating_add(1)) } else { 0.0 });
        out.put(|| f64::from(payment.zeros));
        out.put(|| {
            pattern.least(payment).map_or(0.0, |least| ln((minor + 1.0) / (least as f64 + 1.0) / TEST).max(0.0))
        });
        out.put(|| {
            let mut sums = pattern.sums;
            sums[side] += i128::from(payment.minor);
            ln1p(float(sums[0].min(sums[1])) * per_unit)
        });
        out.put(|| pattern.pause(payment.at));
        out.finish();
    }
}

impl Pattern {
    fn pause(&self, at: i64) -> f64 {
        let gaps = f64::from(self.payments.saturating_sub(1));
        if gaps == 0.0 {
            return 0.0;
        }
        let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64 / 1e6;
        let usual = seconds(self.first_at, self.last_at) / gaps;
        (ln((seconds(self.last_at, at) + 1.0) / (usual + 1.0)) * (gaps / (gaps + 2.0))).max(0.0)
    }
}

fn columns(kinds: [bool; 3]) -> Vec<Column> {
    use Scale::{Linear, Ln, Ln1p};
    use Tail::Upper;
    let mut all = Vec::new();
    let names = [("channel", "channels"), ("category", "categories"), ("country", "countries")];
    for ((one, many), _) in names.into_iter().zip(kinds).filter(|(_, there)| *there) {
        all.push(Column::input(format!("account_{one}_count_1d"), Unit::Count, Ln1p, Upper, Topic::Velocity).told(
            format!("payments by this account in this {one} within a day before: {{value}} (median {{typical}})"),
        ));
        all.push(
            Column::input(format!("account_{many}_7d"), Unit::Count, Ln1p, Upper, Topic::Velocity)
                .told(format!("different {many} of this account within 7 days before: {{value}} (median {{typical}})")),
        );
    }
    all.extend([
        Column::input("account_equal_amounts_7d", Unit::Count, Ln1p, Upper, Topic::Velocity)
            .told("payments of exactly this amount by this account within 7 days before: {value} (median {typical})"),
        Column::input("account_below_thresholds_7d", Unit::Count, Ln1p, Upper, Topic::Amount)
            .told("payments just below a round threshold within 7 days, this among them: {value} (median {typical})"),
        Column::input("amount_round", Unit::Count, Linear, Upper, Topic::Amount)
            .told("a round amount: it ends in {value} zeros (median {typical})"),
        Column::input("amount_after_test_1h", Unit::Ratio, Ln, Upper, Topic::AmountForAccount)
            .alone()
            .told("follows a much smaller payment within the hour, as after a test"),
        Column::input("account_passed_on_1d", Unit::Money, Ln1p, Upper, Topic::Spending)
            .told("{value} came in and went out again within a day (median {typical})"),
        Column::input("account_pause_to_usual", Unit::Ratio, Ln, Upper, Topic::Pace)
            .alone()
            .told("this account had been quiet for {value} times as long as it usually is"),
    ]);
    all.into_iter().map(Column::shown_only).collect()
}
