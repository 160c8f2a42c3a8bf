use crible_core::Position;

use super::builder::Config;
use super::category::{CATEGORIES, N, PROFILES};
use super::dice::{Dice, Stream};
use super::row::Party;
use super::world::{HOME, World};
use super::{Scenario, Today};

/// How far below zero an account may go, in cents, unless its population has credit lines: a payment that would go
/// further is declined.
pub const OVERDRAFT_MINOR: i64 = 50_000;

/// How much busier each day of the week is, Monday first; the mean is 1.
const WEEK: [f64; 7] = [0.88, 0.90, 0.94, 1.00, 1.16, 1.20, 0.92];

/// The most any category gains at the weekend. Purchases are drawn at this rate and thinned to each category's own.
const WEEKEND_PEAK: f64 = 1.8;
/// The mean over purchases of a category's factor is about 1.13: with this many draws, thinning leaves the rate as it
/// is.
const WEEKEND_DRAWS: f64 = WEEKEND_PEAK / 1.13;

/// Hour in the day at which banks book what is due.
const BOOKING_HOUR: u32 = 6;

/// A person's account and habits.
#[derive(Debug)]
pub(super) struct Account {
    /// Cents.
    pub(super) balance: i64,
    /// How far below zero it may go, in cents.
    pub(super) limit: i64,
    /// The first day on which its holder uses it, and the first on which they no longer do.
    pub(super) opens: u32,
    pub(super) closes: u32,
    /// Telephones the holder has had before the present one.
    pub(super) phones: u32,
    /// The day on which a time of large spending ends.
    pub(super) splurge_until: u32,
    /// Until when an account that was hit is left alone.
    pub(super) hit_until: u32,
    pub(super) town: u32,
    /// Spending against that of others; 1 is the median.
    pub(super) level: f64,
    /// Purchases a day.
    pub(super) rate: f64,
    /// Of 256ths of purchases, where each category ends.
    mix: [u8; N],
    /// Share of purchases at merchants it likes.
    loyalty: f64,
    /// Hours later than others.
    shift: u32,
    pub(super) salary: i64,
    payday: u32,
    rent: i64,
    rent_day: u32,
    bills: i64,
    bills_day: u32,
    employer: u32,
    /// A stay elsewhere: its last day, and where.
    away: Option<(u32, u32)>,
}

/// Money of a draft.
#[derive(Clone, Copy, Debug)]
pub(super) enum Money {
    /// Signed cents.
    Minor(i64),
    /// An outflow of a share of what is there when it happens.
    ShareOfBalance(f64),
}

/// A transaction before it is booked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    /// Second of the day.
    pub(super) second: u32,
    pub(super) party: Party,
    pub(super) money: Money,
    pub(super) category: &'static str,
    pub(super) channel: &'static str,
    pub(super) country: &'static str,
    pub(super) position: Option<Position>,
    /// What it was paid with, where that is no device of the holder's.
    pub(super) device: Option<u32>,
    pub(super) fraud: Option<Scenario>,
}

impl Draft {
    /// Money that moves between accounts at home.
    pub(super) fn transfer(
        second: u32,
        party: Party,
        money: Money,
        category: &'static str,
        channel: &'static str,
    ) -> Self {
        Self { second, party, money, category, channel, country: HOME, position: None, device: None, fraud: None }
    }
}

impl Account {
    pub(super) fn new(config: &Config, world: &World, number: u32) -> Self {
        let mut dice = Dice::new(config.seed, Stream::Account, number, 0);
        let level = dice.log_normal(0.35);
        let rate = (1.45 * dice.log_normal(0.45)).clamp(0.2, 6.0);
        let weights: [f64; N] = std::array::from_fn(|c| CATEGORIES[c].weight * dice.log_normal(0.5));
        let total: f64 = weights.iter().sum();
        let (mut mix, mut sum, mut mean) = ([0; N], 0.0, 0.0);
        for (c, weight) in weights.iter().enumerate() {
            sum += weight / total;
            mix[c] = (sum * 255.0) as u8;
            let category = &CATEGORIES[c];
            mean += weight / total * category.median_minor * libm::exp(category.sigma * category.sigma / 2.0);
        }
        let monthly = 30.4 * rate * mean * level;
        let rent = (40_000.0 + 0.4 * monthly).round();
        let bills = (4_000.0 + 0.08 * monthly).round();
        // People earn a little more than they spend, so that balances neither sink nor soar.
        let salary = ((monthly + rent + bills) * dice.between(1.05, 1.3)).round();
        Self {
            balance: (salary * dice.between(0.6, 1.6)) as i64,
            limit: OVERDRAFT_MINOR,
            opens: 0,
            closes: u32::MAX,
            phones: 0,
            splurge_until: 0,
            hit_until: 0,
            town: world.any_town(&mut dice),
            level,
            rate,
            mix,
            loyalty: dice.between(0.55, 0.9),
            shift: if dice.chance(0.05) { 4 } else { dice.below(3) },
            salary: salary as i64,
            payday: [1, 15, 25, 28][dice.below(4) as usize],
            rent: rent as i64,
            rent_day: 1 + dice.below(5),
            bills: bills as i64,
            bills_day: 5 + dice.below(22),
            employer: dice.below(config.accounts / 25 + 8),
            away: None,
        }
    }

    /// Where it is on a day.
    fn place(&self, today: u32) -> u32 {
        match self.away {
            Some((until, place)) if today <= until => place,
            _ => self.town,
        }
    }

    /// What the account's holder does on a day.
    pub(super) fn live(&mut self, number: u32, today: &Today, world: &World, dice: &mut Dice, out: &mut Vec<Draft>) {
        if !self.is_open(today.index) {
            return;
        }
        self.standing_orders(number, today, dice, out);
        if self.away.is_none_or(|(until, _)| today.index > until) && dice.chance(0.003) {
            let place = if dice.chance(0.5) { world.any_abroad(dice) } else { world.another_town(self.town, dice) };
            self.away = Some((today.index + 2 + dice.below(8), place));
        }
        let place = self.place(today.index);
        let weekend = today.weekday >= 5;
        let rate = self.rate * WEEK[today.weekday] * if weekend { WEEKEND_DRAWS } else { 1.0 };
        for _ in 0..dice.poisson(rate) {
            let draw = dice.byte();
            let category = self.mix.iter().position(|&end| draw < end).unwrap_or(0);
            if weekend && !dice.chance(CATEGORIES[category].weekend / WEEKEND_PEAK) {
                continue;
            }
            let shop = if dice.chance(self.loyalty) {
                world.favourite(number, place, category, dice)
            } else {
                world.any_shop(place, category, dice)
            };
            if let Some(shop) = shop {
                let second = self.hour(category, dice);
                let minor = world.price(shop, self.level, dice);
                out.push(world.purchase(shop, second, minor, None));
            }
        }
        if dice.chance(0.03) {
            let minor = (4_500.0 * self.level * dice.log_normal(0.8)).round() as i64;
            let payee = world.known_payee(number, dice);
            let second = self.hour(N - 1, dice);
            out.push(Draft::transfer(second, payee, Money::Minor(-minor.max(100)), "transfer", "transfer"));
        }
    }

    /// A second of the day at which this person might visit such a merchant.
    pub(super) fn hour(&self, category: usize, dice: &mut Dice) -> u32 {
        let hour = u32::from(PROFILES[CATEGORIES[category].profile][usize::from(dice.byte())]);
        (hour + self.shift) % 24 * 3_600 + dice.below(3_600)
    }

    fn standing_orders(&self, number: u32, today: &Today, dice: &mut Dice, out: &mut Vec<Draft>) {
        let bill = -(self.bills as f64 * dice.between(0.85, 1.15)).round() as i64;
        let mut book = |party, minor, category, channel| {
            let second = BOOKING_HOUR * 3_600 + dice.below(1_800);
            out.push(Draft::transfer(second, party, Money::Minor(minor), category, channel));
        };
        let day = today.day_of_month;
        // Paid on the Friday where payday falls on the weekend; paydays end with the 28th, so no month is skipped.
        let due = match today.weekday {
            4 => (day..day + 3).contains(&self.payday),
            5 | 6 => false,
            _ => day == self.payday,
        };
        if due {
            book(Party::new('E', self.employer), self.salary, "salary", "credit");
            if self.balance > 2 * self.salary {
                book(Party::new('S', number), self.salary - self.balance, "transfer", "transfer");
            }
        }
        if day == self.rent_day {
            book(Party::new('L', number / 6), -self.rent, "rent", "direct_debit");
        }
        if day == self.bills_day {
            book(Party::new('U', self.town), bill, "utilities", "direct_debit");
        }
    }

    /// Books an amount, or declines it: one of nothing, or one that would overdraw the account past its limit.
    pub(super) fn book(&mut self, minor: i64) -> bool {
        let after = self.balance + minor;
        if minor == 0 || (minor < 0 && after < -self.limit) {
            return false;
        }
        self.balance = after;
        true
    }
}
