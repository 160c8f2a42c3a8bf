//! What people do in a population that has devices, beside [`live`](super::account::Account::live): the ordinary
//! behaviour that looks like one of the frauds. It is there whether or not anybody commits that fraud.

use super::account::{Account, Draft, Money};
use super::category::{CLOTHING, ELECTRONICS, N, ONLINE_RETAIL, TRAVEL};
use super::dice::{Dice, mix};
use super::row::Party;
use super::world::World;
use super::{Scenario, Today};

/// Share of accounts that are opened while the population is watched.
const NEW_CUSTOMERS: f64 = 0.15;

/// Which ordinary behaviour a population has. Devices and new customers it has in any case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Customs {
    has_large_transfers: bool,
    has_refunds: bool,
    has_credit: bool,
}

/// A draft of a later day: how many days later.
pub(super) type Later = (u32, Draft);

impl Customs {
    /// Those of a population with these frauds; none where all frauds are of the usual population.
    pub(super) fn of(scenarios: &[Scenario]) -> Option<Self> {
        let has = |scenario| scenarios.contains(&scenario);
        Scenario::WITH_LOOKALIKES.into_iter().any(has).then(|| Self {
            has_large_transfers: has(Scenario::AuthorisedPushPayment),
            has_refunds: has(Scenario::RefundAbuse),
            has_credit: has(Scenario::BustOut),
        })
    }

    /// Makes a customer of this population of an account: some are opened later, credit lines differ, and some spend
    /// more than they earn for good.
    pub(super) fn settle(self, account: &mut Account, days: u32, dice: &mut Dice) {
        if dice.chance(NEW_CUSTOMERS) {
            account.opens = dice.below(days);
        }
        account.phones = 0;
        if self.has_credit {
            account.limit = (account.salary as f64 * dice.between(0.6, 2.0) / 10_000.0).round() as i64 * 10_000;
            if dice.chance(0.08) {
                account.rate *= dice.between(1.25, 1.6);
            }
        }
    }

    /// What the holder does on a day beside the usual: `later` holds what follows on later days.
    #[expect(clippy::too_many_arguments, reason = "all that a day of an account knows, and what comes of it")]
    pub(super) fn live(
        self,
        number: u32,
        account: &mut Account,
        today: &Today,
        world: &World,
        dice: &mut Dice,
        out: &mut Vec<Draft>,
        later: &mut Vec<Later>,
    ) {
        // A telephone lasts a year and a half or so.
        if dice.chance(0.002) {
            account.phones += 1;
        }
        if self.has_large_transfers {
            large_transfers(number, account, world, dice, out, later);
        }
        if self.has_credit {
            splurge(account, today, world, dice, out);
        }
    }

    /// What follows a purchase of `minor` cents: at times the goods go back.
    pub(super) fn refund(self, number: u32, draft: &Draft, minor: i64, dice: &mut Dice) -> Option<Later> {
        let merchant = draft.party.merchant().filter(|_| self.has_refunds && minor < 0 && draft.fraud.is_none())?;
        let share = match draft.category {
            "online_retail" => 0.10,
            "clothing" => 0.08,
            "electronics" => 0.05,
            "travel" => 0.04,
            _ => return None,
        };
        // One customer in twenty orders three sizes and keeps one.
        let times = if mix(u64::from(number) ^ 0x7265_7475_726e).is_multiple_of(20) { 5.0 } else { 1.0 };
        if !dice.chance(share * times) {
            return None;
        }
        let back = if dice.chance(0.75) { 1.0 } else { dice.between(0.2, 0.9) };
        let second = 8 * 3_600 + dice.below(12 * 3_600);
        let money = Money::Minor(((-minor as f64 * back).round() as i64).max(1));
        let draft = Draft { second, party: Party::new('M', merchant), money, device: None, ..*draft };
        Some((2 + dice.below(13), draft))
    }
}

/// Large transfers to somebody the account has never paid: homes, cars, builders, deposits. And small ones, as ever.
fn large_transfers(
    number: u32,
    account: &Account,
    world: &World,
    dice: &mut Dice,
    out: &mut Vec<Draft>,
    later: &mut Vec<Later>,
) {
    let transfer = |second, party, minor: f64| {
        Draft::transfer(second, party, Money::Minor(minor.round() as i64), "transfer", "transfer")
    };
    let salary = account.salary as f64;
    let second = account.hour(N - 1, dice);
    if dice.chance(0.015) {
        let payee = world.strange_payee(number, dice);
        out.push(transfer(second, payee, -(4_500.0 * account.level * dice.log_normal(0.8)).max(100.0)));
    }
    // A house: savings come in, a notary is paid.
    if dice.chance(0.000_4) {
        let price = salary * dice.between(6.0, 25.0);
        let notary = Party::new('N', dice.below(world.towns() * 2));
        out.push(transfer(second, Party::new('S', number), price));
        for part in 0..1 + dice.below(2) {
            later.push((1 + part * (1 + dice.below(10)), transfer(account.hour(N - 1, dice), notary, -price * 0.45)));
        }
    }
    // A car, from a dealer or a stranger.
    if dice.chance(0.000_7) {
        let price = salary * dice.between(1.0, 5.0);
        let seller = match dice.chance(0.5) {
            true => Party::new('D', dice.below(world.towns() * 3)),
            false => world.strange_payee(number, dice),
        };
        out.push(transfer(second, Party::new('S', number), price));
        out.push(transfer((second + 600 + dice.below(7_200)).min(86_399), seller, -price));
    }
    // A builder, in instalments.
    if dice.chance(0.000_8) {
        let builder = world.strange_payee(number, dice);
        let mut day = 0;
        for _ in 0..2 + dice.below(4) {
            later.push((day + 1, transfer(account.hour(N - 1, dice), builder, -salary * dice.between(0.08, 0.5))));
            day += 4 + dice.below(10);
        }
    }
    // A deposit, fees of a school, money for a relative.
    if dice.chance(0.001_2) {
        out.push(transfer(second, world.strange_payee(number, dice), -salary * dice.between(0.3, 1.2)));
    }
}

/// A wedding, a new home, Christmas: some days of much more than usual, by people who go on paying afterwards.
fn splurge(account: &mut Account, today: &Today, world: &World, dice: &mut Dice, out: &mut Vec<Draft>) {
    if today.index >= account.splurge_until && dice.chance(0.001_5) {
        account.splurge_until = today.index + 3 + dice.below(9);
    }
    if today.index >= account.splurge_until {
        return;
    }
    for _ in 0..1 + dice.below(4) {
        let category = [CLOTHING, ELECTRONICS, ONLINE_RETAIL, ONLINE_RETAIL, TRAVEL][dice.below(5) as usize];
        if let Some(shop) = world.any_shop(account.town, category, dice) {
            let minor = world.price(shop, account.level * dice.between(1.0, 3.0), dice);
            out.push(world.purchase(shop, account.hour(category, dice), minor, None));
        }
    }
}

/// Kinds of devices, in the upper bits of their numbers.
const HOUSEHOLD: u32 = 0x8000_0000;
const PUBLIC: u32 = 0xa000_0000;
const FARM: u32 = 0xc000_0000;

/// Telephones an account can have had.
const PHONES: u32 = 32;

/// The device that a holder pays with: a telephone of its own, now and then a tablet of the household, or always a
/// terminal in town that many use.
pub(super) fn device(number: u32, account: &Account, dice: &mut Dice) -> u32 {
    if mix(u64::from(number) ^ 0x6c_6962_7261_7279).is_multiple_of(25) {
        return PUBLIC + account.town;
    }
    match dice.chance(0.15) {
        true => HOUSEHOLD + number / 3,
        false => number * PHONES + account.phones.min(PHONES - 1),
    }
}

/// Devices that rings can have: two drawn for different rings are hardly ever one.
const FARM_DEVICES: u32 = 1 << 29;

/// A device of a ring's.
pub(super) fn of_farm(dice: &mut Dice) -> u32 {
    FARM + dice.below(FARM_DEVICES)
}

/// Whether a payment is made on a device of the holder's.
pub(super) fn has_device(draft: &Draft) -> bool {
    matches!(draft.channel, "online" | "transfer") && !matches!(draft.money, Money::Minor(minor) if minor > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_devices_do_not_meet() {
        let largest = 10_000_000u32;
        assert!(largest * PHONES < HOUSEHOLD && HOUSEHOLD + largest / 3 < PUBLIC && PUBLIC + largest < FARM);
        assert!(FARM.checked_add(FARM_DEVICES).is_some());
    }
}
