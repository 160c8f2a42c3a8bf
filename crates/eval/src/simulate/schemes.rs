//! Frauds of the population that has devices: what their rows look like, and when they come.

use super::Scenario;
use super::account::{Account, Draft, Money};
use super::category::{CASH, CLOTHING, DIGITAL, ELECTRONICS, N, ONLINE_RETAIL};
use super::customs::of_farm;
use super::fraud::Agenda;
use super::row::Party;
use super::world::World;

/// An account opened within so many days is young: every other account of a ring is.
const YOUNG_DAYS: u32 = 30;

/// Victims of one payee of a fraudster, and days until there is another.
const MULE_VICTIMS: u32 = 4;
const MULE_DAYS: u32 = 12;

/// A payee that passes money on for fraudsters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mule {
    payee: Party,
    left: u32,
    until: u32,
}

fn transfer(second: u32, party: Party, money: Money, fraud: Option<Scenario>) -> Draft {
    Draft { fraud, ..Draft::transfer(second.min(86_399), party, money, "transfer", "transfer") }
}

impl Agenda {
    /// A ring pays from a dozen accounts or more within a week. It has a few devices, which take a new identity now and
    /// then, and one payee that collects. What it buys, and at which hours, is ordinary.
    pub(super) fn device_farm(&mut self, today: u32, world: &World, accounts: &mut [Account]) {
        let fraud = Some(Scenario::DeviceFarm);
        let collects = world.strange_payee(0, &mut self.dice);
        let mut devices: Vec<u32> = Vec::new();
        for _ in 0..2 + self.dice.below(4) {
            devices.push(self.new_device());
        }
        for member in 0..12 + self.dice.below(14) {
            let number = match member.is_multiple_of(2) {
                true => self.choose_young(today, accounts),
                false => self.choose_victim(today, accounts),
            };
            let account = &accounts[number as usize];
            let which = self.dice.below(devices.len() as u32) as usize;
            if self.dice.chance(0.15) {
                devices[which] = self.new_device();
            }
            for _ in 0..1 + self.dice.below(3) {
                let dice = &mut self.dice;
                let category = if dice.chance(0.5) { ONLINE_RETAIL } else { DIGITAL };
                let second = account.hour(category, dice);
                let draft = match (dice.chance(0.3), world.any_shop(account.town, category, dice)) {
                    (false, Some(shop)) => {
                        let minor = world.price(shop, account.level * dice.between(0.8, 1.8), dice);
                        world.purchase(shop, second, minor, fraud)
                    }
                    _ => transfer(second, collects, Money::Minor(-(dice.between(3_000.0, 20_000.0) as i64)), fraud),
                };
                let day = today + dice.below(7);
                self.plan(day, number, Draft { device: Some(devices[which]), ..draft });
            }
            accounts[number as usize].rest(today);
        }
    }

    fn new_device(&mut self) -> u32 {
        of_farm(&mut self.dice)
    }

    /// An account that was opened lately, where there is one.
    fn choose_young(&mut self, today: u32, accounts: &[Account]) -> u32 {
        for _ in 0..60 {
            let number = self.choose_victim(today, accounts);
            let opens = accounts[number as usize].opens;
            if opens > 0 && opens + YOUNG_DAYS >= today {
                return number;
            }
        }
        self.choose_victim(today, accounts)
    }

    /// The holder pays, by day and from the usual device, whom they were talked into paying.
    pub(super) fn authorised_push_payment(&mut self, today: u32, victim: u32, account: &Account, world: &World) {
        let fraud = Some(Scenario::AuthorisedPushPayment);
        let payee = self.mule(today, victim, world);
        let second = account.hour(N - 1, &mut self.dice);
        let kind = self.dice.unit();
        if kind < 0.45 {
            // Goods that never come.
            let minor = 12_000.0 * account.level * self.dice.log_normal(0.9);
            self.plan(today, victim, transfer(second, payee, Money::Minor(-(minor as i64).max(2_000)), fraud));
        } else if kind < 0.8 {
            // Somebody who says that they are the bank: savings come in first, then all goes to a safe account.
            if self.dice.chance(0.6) {
                let savings = account.salary as f64 * self.dice.between(0.5, 4.0);
                let savings = transfer(second, Party::new('S', victim), Money::Minor(savings as i64), None);
                self.plan(today, victim, savings);
            }
            let mut second = second;
            for _ in 0..1 + self.dice.below(3) {
                second += 240 + self.dice.below(2_400);
                let share = Money::ShareOfBalance(self.dice.between(0.3, 0.85));
                self.plan(today, victim, transfer(second, payee, share, fraud));
            }
        } else {
            // An investment that grows on a screen.
            let mut minor = self.dice.between(10_000.0, 30_000.0) * account.level;
            let mut day = today;
            for _ in 0..3 + self.dice.below(3) {
                let second = account.hour(N - 1, &mut self.dice);
                self.plan(day, victim, transfer(second, payee, Money::Minor(-(minor as i64)), fraud));
                minor *= self.dice.between(1.3, 2.2);
                day += 2 + self.dice.below(4);
            }
        }
    }

    /// The payee that fraudsters use at present, or a new one.
    fn mule(&mut self, today: u32, victim: u32, world: &World) -> Party {
        match &mut self.mule {
            Some(mule) if mule.left > 0 && today < mule.until => {
                mule.left -= 1;
                mule.payee
            }
            _ => {
                let payee = world.strange_payee(victim, &mut self.dice);
                let left = self.dice.below(MULE_VICTIMS);
                self.mule = Some(Mule { payee, left, until: today + MULE_DAYS });
                payee
            }
        }
    }

    /// Refunds that nobody owes: of goods that did come, or of nothing.
    pub(super) fn refund_abuse(&mut self, today: u32, number: u32, account: &Account, world: &World) {
        let fraud = Some(Scenario::RefundAbuse);
        let is_buyer = self.dice.chance(0.6);
        let mut day = today;
        let cashier = world.any_shop(account.town, CLOTHING + self.dice.below(2) as usize, &mut self.dice);
        for _ in 0..5 + self.dice.below(5) {
            let dice = &mut self.dice;
            let category = if dice.chance(0.7) { ONLINE_RETAIL } else { ELECTRONICS };
            let bought = if is_buyer { world.any_shop(account.town, category, dice) } else { cashier };
            let Some(shop) = bought else { continue };
            let minor = world.price(shop, account.level * dice.between(1.0, 2.5), dice);
            let hour = account.hour(category, dice);
            if is_buyer {
                self.plan(day, number, world.purchase(shop, hour, minor, None));
            }
            let waits = if is_buyer { 1 + self.dice.below(6) } else { 0 };
            let second = 9 * 3_600 + self.dice.below(9 * 3_600);
            // What the run does not last for never comes.
            if day + waits < self.days() {
                let back = Draft { money: Money::Minor(minor), ..world.purchase(shop, second, minor, fraud) };
                self.plan(day + waits, number, back);
            }
            day += 1 + self.dice.below(4);
            if day >= self.days() {
                break;
            }
        }
    }

    /// Credit that nobody means to pay back: within days it is spent on what sells on, at home and from the usual
    /// device; half of the time a payment that will bounce raises it first. Then there is silence.
    pub(super) fn bust_out(&mut self, today: u32, number: u32, account: &mut Account, world: &World) {
        let fraud = Some(Scenario::BustOut);
        let days = 2 + self.dice.below(5);
        if self.dice.chance(0.5) {
            let minor = account.limit.max(account.salary) as f64 * self.dice.between(0.4, 1.0);
            let payer = world.strange_payee(number, &mut self.dice);
            let second = 8 * 3_600 + self.dice.below(8 * 3_600);
            let bounces = Draft { channel: "credit", ..transfer(second, payer, Money::Minor(minor as i64), fraud) };
            self.plan(today, number, bounces);
        }
        for _ in 0..9 + self.dice.below(12) {
            let dice = &mut self.dice;
            let category = [CLOTHING, ELECTRONICS, ELECTRONICS, ONLINE_RETAIL, DIGITAL, CASH][dice.below(6) as usize];
            let Some(shop) = world.any_shop(account.town, category, dice) else { continue };
            let minor = world.price(shop, account.level * dice.between(1.2, 3.5), dice);
            let second = account.hour(category, dice);
            let day = today + dice.below(days);
            self.plan(day, number, world.purchase(shop, second, minor, fraud));
        }
        account.closes = today + days;
    }
}

impl Account {
    /// Leaves an account alone for some weeks.
    pub(super) fn rest(&mut self, today: u32) {
        self.hit_until = today + super::fraud::REST_DAYS;
    }

    /// A stream may choose it: it is open, and was not hit lately.
    pub(super) fn is_free(&self, today: u32) -> bool {
        self.hit_until <= today && self.is_open(today)
    }

    /// Whether the holder uses it.
    pub(super) fn is_open(&self, today: u32) -> bool {
        self.opens <= today && today < self.closes
    }
}
