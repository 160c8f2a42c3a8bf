//! What an account has done before, however long ago: words it has used, where it is at home, and whom it pays again
//! and again.

mod columns;
mod recurring;

use std::collections::VecDeque;

use crible_core::{EntityId, Position, Transaction};
use serde::{Deserialize, Serialize};

use self::columns::Reading;
use self::recurring::Recurring;
use crate::kind::{kind, per_unit};
use crate::math::{ln, ln1p};
use crate::owner::Owner;
use crate::place;
use crate::ring::roomy;
use crate::rule::{Columns, Reach, Row, Rule};
use crate::window::magnitude;

/// Kinds of words: channel, category, country, device, address.
const KINDS: usize = 5;

/// Words of one kind an account is remembered by at most; one that has used as many is new to nothing.
const MOST_WORDS: u8 = 64;

/// Kilometres from home that are usual of an account nothing is known of, and the payments this counts for.
const USUAL_KM: f64 = 20.0;
const KM_PRIOR: f64 = 3.0;

/// Novelty of words, distance from home and recurrence of one account's payments in one currency and direction.
///
/// There is no window: what has been done once is known for as long as the account is. Where payments may come late,
/// the last of them are kept beside, and what they left is made again from before them.
///
/// Each item names the columns, what they hold, and the fraud they show.
///
/// - `{channel,category,country,device,address}_novelty`: −ln of the share of firsts, this among them, among the
///   account's payments and one more, believed n/(n + 1) after n, where this one's is a first; 0 else. *Shows:* an
///   account in other hands.
/// - `kilometres_from_home`: ln of the kilometres from the mean position of the account's payments over those that are
///   usual for it. *Shows:* a card far from home.
/// - `payment_expected`: how much the counterparty, the amount and the interval are those of payments before, 0 to 1,
///   times the share of a day over which there have been such. *Shows:* no fraud: it is why a payment is none.
/// - `recurring_early`: ln of the usual interval over that since the last payment, where a known amount comes again
///   long before it should. *Shows:* a payment taken twice.
#[derive(Clone, Debug)]
pub(crate) struct HabitBehaviour {
    /// Whether the feed has channels, categories, countries, devices and addresses.
    has: [bool; KINDS],
    counterparties: bool,
    positions: bool,
}

/// What matters of a payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Payment {
    at: i64,
    minor: i64,
    other: u64,
    /// Of each kind a hash of the word; 0 where there is none.
    words: [u32; KINDS],
    /// Latitude and longitude × 10⁷.
    position: Option<(i32, i32)>,
    per_unit: f32,
}

/// What one account has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    payments: u32,
    first_at: i64,
    last_at: i64,
    /// How many words of each kind there are among `words`.
    firsts: [u8; KINDS],
    words: Vec<u32>,
    home: Home,
    recurring: Recurring,
}

/// Where an account pays: sums of latitude and longitude × 10⁷, and of metres from the mean of those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Home {
    payments: u32,
    latitudes: i64,
    longitudes: i64,
    metres: u64,
}

impl Home {
    fn kilometres(&self, to: Position) -> Option<f64> {
        let count = i64::from(self.payments);
        if count == 0 {
            return None;
        }
        // Within the range of its parts.
        let mean = |sum: i64| (sum / count) as i32;
        let home = Position::from_e7(mean(self.latitudes), mean(self.longitudes))?;
        Some(place::kilometres(home, to))
    }

    /// ln of the kilometres from home over those that are usual, one added to both.
    fn far(&self, to: Position) -> f64 {
        let Some(km) = self.kilometres(to) else { return 0.0 };
        // The first payment was at home itself.
        let known = f64::from(self.payments) - 1.0;
        let usual = (self.metres as f64 / 1e3 + KM_PRIOR * USUAL_KM) / (known + KM_PRIOR);
        ln1p(km) - ln1p(usual)
    }

    fn absorb(&mut self, at: Position) {
        if self.payments == u32::MAX {
            return;
        }
        let km = self.kilometres(at).unwrap_or(0.0);
        self.metres += (km * 1e3).round() as u64;
        self.payments += 1;
        self.latitudes += i64::from(at.latitude_e7());
        self.longitudes += i64::from(at.longitude_e7());
    }
}

/// A position as it is saved.
fn position((latitude_e7, longitude_e7): (i32, i32)) -> Option<Position> {
    Position::from_e7(latitude_e7, longitude_e7)
}

impl Profile {
    fn knows(&self, kind: usize, word: u32) -> bool {
        word == 0 || self.firsts[kind] == MOST_WORDS || self.words.contains(&word)
    }

    fn absorb(&mut self, payment: &Payment) {
        if self.payments == 0 {
            self.first_at = payment.at;
        }
        self.last_at = payment.at;
        self.payments = self.payments.saturating_add(1);
        for (kind, &word) in payment.words.iter().enumerate() {
            if !self.knows(kind, word) {
                if self.words.len() == self.words.capacity() {
                    self.words.reserve_exact(4);
                }
                self.words.push(word);
                self.firsts[kind] += 1;
            }
        }
        if let Some(at) = payment.position.and_then(position) {
            self.home.absorb(at);
        }
        if payment.other != 0 {
            self.recurring.absorb(payment.other, payment.minor, payment.at);
        }
    }

    fn novelty(&self, kind: usize, word: u32) -> f64 {
        if self.payments == 0 || self.knows(kind, word) {
            return 0.0;
        }
        let (payments, firsts) = (f64::from(self.payments), f64::from(self.firsts[kind]));
        -ln(((firsts + 1.0) / (payments + 1.0)).min(1.0)) * (payments / (payments + 1.0))
    }

    /// Whether transactions up to `watermark` may leave it.
    fn is_sound(&self, watermark: i64) -> bool {
        let words: u32 = self.firsts.iter().map(|&n| u32::from(n)).sum();
        let are_counted = words as usize == self.words.len()
            && self.firsts.iter().all(|&n| n <= MOST_WORDS && u32::from(n) <= self.payments)
            && self.words.iter().all(|&word| word != 0);
        let Home { payments, latitudes, longitudes, metres } = self.home;
        let most = |sum: i64, each: u64| sum.unsigned_abs() <= u64::from(payments) * each;
        let is_home = payments <= self.payments
            && most(latitudes, 900_000_000)
            && most(longitudes, 1_800_000_000)
            && metres <= u64::from(payments) * 20_100_000;
        let is_timed = self.payments == 0 || self.first_at <= self.last_at && self.last_at <= watermark;
        are_counted && is_home && is_timed && self.recurring.is_sound(self.payments)
    }

    fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u32>() + self.recurring.bytes()
    }

    fn needed(&self) -> usize {
        roomy(self.words.len()) * size_of::<u32>() + self.recurring.needed()
    }
}

/// What an account has done, and what it had before the payments another may still come before.
#[derive(Debug, Default)]
pub(crate) struct Habit {
    now: Profile,
    /// Mostly none.
    recent: Option<Box<Recent>>,
}

#[derive(Debug, Default)]
struct Recent {
    before: Profile,
    /// Oldest first.
    payments: VecDeque<Payment>,
}

impl Habit {
    /// Lets go of payments at `oldest` or before, one by one.
    fn settle(&mut self, oldest: i64) {
        let Some(recent) = &mut self.recent else { return };
        while let Some(payment) = recent.payments.pop_front_if(|payment| payment.at <= oldest) {
            recent.before.absorb(&payment);
        }
        if recent.payments.is_empty() {
            self.recent = None;
        }
    }

    fn absorb(&mut self, payment: &Payment, lateness: i64) {
        if lateness > 0 {
            let before = || Box::new(Recent { before: self.now.clone(), ..Recent::default() });
            self.recent.get_or_insert_with(before).payments.push_back(*payment);
        }
        self.now.absorb(payment);
        self.settle(payment.at.saturating_sub(lateness));
    }
}

impl Rule for HabitBehaviour {
    type Key = (u64, u32);
    type Input = Payment;
    type State = Habit;
    type Reading<'a> = Reading<'a>;
    type Kept = KeptHabit;
    type V1 = KeptHabit;
    type V2 = KeptHabit;

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
        columns::columns(self.has, self.counterparties, self.positions)
    }

    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Payment)> {
        let id = |entity: Option<EntityId>| entity.map_or(0, |entity| entity.get().into());
        let words = [txn.channel.bits(), txn.category.bits(), txn.country.bits(), id(txn.device), id(txn.address)];
        let mut hashes = [0; KINDS];
        for (kind, hash) in hashes.iter_mut().enumerate().filter(|(kind, _)| self.has[*kind]) {
            *hash = hash_of(kind, words[kind]);
        }
        let payment = Payment {
            at: txn.at.0,
            minor: magnitude(txn.amount.minor),
            other: txn.counterparty.map_or(0, EntityId::get),
            words: hashes,
            position: txn.position.map(|p| (p.latitude_e7(), p.longitude_e7())),
            per_unit: per_unit(txn),
        };
        Some(((txn.account.get(), kind(txn)), payment))
    }

    fn name(&self) -> &'static str {
        "habit"
    }

    fn at(payment: &Payment) -> i64 {
        payment.at
    }

    fn step(&self, habit: &mut Habit, payment: &Payment, reach: &Reach, row: Option<Row<'_, Self>>) {
        if let Some(row) = row {
            row.fill(&Reading::new(&habit.now, payment));
        }
        habit.absorb(payment, reach.lateness);
    }

    fn last_at(&self, habit: &Habit) -> Option<i64> {
        (habit.now.payments > 0).then_some(habit.now.last_at)
    }

    fn first_at(&self, habit: &Habit) -> Option<i64> {
        (habit.now.payments > 0).then_some(habit.now.first_at)
    }

    fn rewind(&self, habit: &mut Habit, late: &Payment) -> Vec<Payment> {
        let Some(recent) = &mut habit.recent else { return Vec::new() };
        let kept = recent.payments.partition_point(|payment| payment.at <= late.at);
        let undone = recent.payments.split_off(kept);
        habit.now = recent.before.clone();
        recent.payments.iter().for_each(|payment| habit.now.absorb(payment));
        if recent.payments.is_empty() {
            habit.recent = None;
        }
        undone.into()
    }

    fn trim(&self, habit: &mut Habit, now: i64, _: &Reach) {
        habit.settle(now);
    }

    fn is_over(&self, habit: &Habit, now: i64, reach: &Reach) -> bool {
        habit.now.payments == 0 || now.saturating_sub(habit.now.last_at) > reach.forget
    }

    fn heap_bytes(&self, habit: &Habit) -> usize {
        let recent = |recent: &Recent| {
            size_of_val(recent) + recent.before.bytes() + recent.payments.capacity() * size_of::<Payment>()
        };
        habit.now.bytes() + habit.recent.as_deref().map_or(0, recent)
    }

    fn needed_bytes(&self, habit: &Habit) -> usize {
        // What is kept for late payments alone does not count.
        habit.now.needed()
    }

    fn keep(&self, habit: &Habit, now: i64, _: &Reach) -> KeptHabit {
        let (mut before, mut payments) = match &habit.recent {
            Some(recent) => (recent.before.clone(), recent.payments.clone()),
            None => (habit.now.clone(), VecDeque::new()),
        };
        while let Some(payment) = payments.pop_front_if(|payment| payment.at <= now) {
            before.absorb(&payment);
        }
        KeptHabit { before, payments: payments.into() }
    }

    fn upgrade_v1(&self, old: KeptHabit) -> Option<KeptHabit> {
        Some(old)
    }

    fn upgrade_v2(&self, old: KeptHabit, _: i64) -> Option<KeptHabit> {
        Some(old)
    }

    fn revive(&self, kept: KeptHabit, watermark: i64, _: &Reach) -> Option<Habit> {
        let KeptHabit { before, payments } = kept;
        let mut habit = Habit { now: before, recent: None };
        let is_payment = |payment: &Payment| {
            let is_on_earth = |&(latitude, longitude): &(i32, i32)| {
                latitude.abs_diff(0) <= 900_000_000 && longitude.abs_diff(0) <= 1_800_000_000
            };
            payment.minor >= 0
                && payment.at <= watermark
                && payment.per_unit.is_finite()
                && payment.position.as_ref().is_none_or(is_on_earth)
        };
        let are_sound = payments.is_sorted_by_key(|payment| payment.at) && payments.iter().all(is_payment);
        let follow = payments.first().is_none_or(|first| habit.now.payments == 0 || habit.now.last_at <= first.at);
        if !habit.now.is_sound(watermark) || !are_sound || !follow || habit.now.payments == 0 && payments.is_empty() {
            return None;
        }
        for payment in &payments {
            habit.absorb(payment, i64::MAX);
        }
        Some(habit)
    }
}

/// What an account had done before, and what it has done since.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptHabit {
    before: Profile,
    payments: Vec<Payment>,
}

impl HabitBehaviour {
    /// The rule, with the columns a feed can feed that has channels, categories, countries, devices and addresses,
    /// counterparties and positions.
    pub(crate) fn new(has: [bool; KINDS], counterparties: bool, positions: bool) -> Self {
        Self { has, counterparties, positions }
    }
}

/// Thirty-two bits of a word and its kind; 0 where there is no word.
fn hash_of(kind: usize, word: u128) -> u32 {
    if word == 0 {
        return 0;
    }
    let mixed = ((word >> 64) as u64 ^ kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word as u64;
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 32) as u32).max(1)
}
