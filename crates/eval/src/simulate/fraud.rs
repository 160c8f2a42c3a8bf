use std::collections::BTreeMap;

use super::account::{Account, Draft, Money};
use super::builder::Config;
use super::category::{CATEGORIES, ELECTRONICS, N};
use super::customs::Customs;
use super::dice::{Dice, Stream, mix};
use super::schemes::Mule;
use super::world::World;
use super::{Scenario, Today};

/// Days a compromised merchant copies cards.
const SKIMMING_DAYS: u32 = 3;
/// Days until the last of the copied cards has been used.
const ABUSE_DAYS: u32 = 7;
const VICTIMS: usize = 6;
/// Days an account that was hit is left alone.
pub(super) const REST_DAYS: u32 = 21;

/// A merchant that copies cards.
#[derive(Debug)]
struct Skimmer {
    merchant: u32,
    /// The first day on which copies are used.
    opens: u32,
    victims: Vec<u32>,
}

/// Frauds to come, and how many there have to be.
#[derive(Debug)]
pub(super) struct Agenda {
    config: Config,
    /// By day; those of a day by account.
    planned: BTreeMap<u32, Vec<(u32, Draft)>>,
    /// Today's, by account, and how many of them are dealt with.
    due: Vec<(u32, Draft)>,
    dealt: usize,
    skimmers: Vec<Skimmer>,
    /// By merchant: whether it copies cards at present.
    skims: Vec<bool>,
    /// What people do beside the usual, where the population has it, and drafts of later days at hand.
    customs: Option<Customs>,
    later: Vec<(u32, Draft)>,
    /// The payee that fraudsters send victims' money to.
    pub(super) mule: Option<Mule>,
    /// Scenarios still to come in this round.
    deck: Vec<Scenario>,
    /// Frauds that happened, and those that are to come.
    done: i64,
    outstanding: i64,
    pub(super) dice: Dice,
}

impl Agenda {
    pub(super) fn new(config: &Config, world: &World) -> Self {
        let mut dice = Dice::new(config.seed, Stream::Fraud, 0, u32::MAX);
        let mut deck = shuffled(&config.scenarios, &mut dice);
        // What takes longest to unfold is dealt first, so that a short run has room for it. The deck is dealt from its
        // end.
        if config.scenarios.contains(&Scenario::CompromisedMerchant) {
            deck.retain(|&scenario| scenario != Scenario::CompromisedMerchant);
            deck.push(Scenario::CompromisedMerchant);
        }
        Self {
            customs: Customs::of(&config.scenarios),
            later: Vec::new(),
            mule: None,
            config: config.clone(),
            planned: BTreeMap::new(),
            due: Vec::new(),
            dealt: 0,
            skimmers: Vec::new(),
            skims: vec![false; world.merchants()],
            deck,
            done: 0,
            outstanding: 0,
            dice,
        }
    }

    /// Lets skimmers strike, starts episodes until the planned frauds match the rate asked for, and lays out the day.
    pub(super) fn begin_day(&mut self, today: &Today, rows_so_far: u64, world: &World, accounts: &mut [Account]) {
        self.dice = Dice::new(self.config.seed, Stream::Fraud, 0, today.index);
        self.strike(today.index, world, accounts);
        let target = self.target(today.index, rows_so_far);
        loop {
            if self.deck.is_empty() {
                self.deck = shuffled(&self.config.scenarios, &mut self.dice);
            }
            // The deck has just been filled where it was empty.
            let Some(&scenario) = self.deck.last() else {
                break;
            };
            let missing = target - (self.done + self.outstanding) as f64;
            if missing < 0.5 * scenario.rows() as f64 || missing <= 0.0 {
                break;
            }
            self.deck.pop();
            self.start(scenario, today.index, world, accounts);
        }
        self.due = self.planned.remove(&today.index).unwrap_or_default();
        self.due.sort_by_key(|(account, draft)| (*account, draft.second));
        self.dealt = 0;
    }

    /// Adds today's frauds on an account to what its holder does. Accounts come in ascending order.
    pub(super) fn commit(&mut self, account: u32, drafts: &mut Vec<Draft>) {
        while let Some(&(victim, draft)) = self.due.get(self.dealt)
            && victim == account
        {
            drafts.push(draft);
            self.dealt += 1;
            self.outstanding -= i64::from(draft.fraud.is_some());
        }
    }

    /// Adds what the holder of an account does beside the usual, in a population where people do.
    pub(super) fn add_customs(
        &mut self,
        number: u32,
        account: &mut Account,
        today: &Today,
        world: &World,
        dice: &mut Dice,
        drafts: &mut Vec<Draft>,
    ) {
        let Some(customs) = self.customs.filter(|_| account.is_open(today.index)) else {
            return;
        };
        customs.live(number, account, today, world, dice, drafts, &mut self.later);
        for (days, draft) in std::mem::take(&mut self.later) {
            self.plan_within(today.index + days, number, draft);
        }
    }

    /// Lets the goods of a purchase of `minor` cents go back some days later, where people send goods back.
    pub(super) fn may_return(&mut self, number: u32, draft: &Draft, minor: i64, today: u32, dice: &mut Dice) {
        if let Some((days, refund)) = self.customs.and_then(|customs| customs.refund(number, draft, minor, dice)) {
            self.plan_within(today + days, number, refund);
        }
    }

    /// Sees what was booked: counts frauds, and lets skimmers copy cards.
    pub(super) fn witness(&mut self, account: u32, draft: &Draft, today: u32) {
        if draft.fraud.is_some() {
            self.done += 1;
        } else if let Some(merchant) = draft.party.merchant()
            && self.skims[merchant as usize]
            && let Some(skimmer) = self.skimmers.iter_mut().find(|s| s.merchant == merchant)
            && today < skimmer.opens
            && skimmer.victims.len() < VICTIMS
            && !skimmer.victims.contains(&account)
            // Every other card, lest at a busy merchant the victims be those who come first in the day's order.
            && mix(u64::from(account) << 32 | u64::from(today)) & 1 == 0
        {
            skimmer.victims.push(account);
        }
    }

    /// How many frauds there should have been by the end of a day. The first week is quiet, so that habits exist before
    /// anybody breaks them; the days after make up for it.
    fn target(&self, today: u32, rows_so_far: u64) -> f64 {
        let days = f64::from(self.config.days);
        let quiet = f64::from((self.config.days / 4).min(7));
        let through = f64::from(today) + 1.0;
        if through <= quiet {
            return 0.0;
        }
        let a_day =
            if today == 0 { 1.75 * f64::from(self.config.accounts) } else { rows_so_far as f64 / f64::from(today) };
        self.config.fraud_rate * a_day * days * (through - quiet) / (days - quiet)
    }

    fn start(&mut self, scenario: Scenario, today: u32, world: &World, accounts: &mut [Account]) {
        let victim = self.choose_victim(today, accounts);
        if scenario == Scenario::DeviceFarm {
            self.device_farm(today, world, accounts);
            return;
        }
        let account = &mut accounts[victim as usize];
        match scenario {
            Scenario::StolenCard => self.stolen_card(today, victim, account, world),
            Scenario::AccountTakeover => self.account_takeover(today, victim, world),
            Scenario::CardTesting => self.card_testing(today, victim, account, world),
            Scenario::AmountInflation => self.amount_inflation(today, victim, account, world),
            Scenario::CompromisedMerchant => self.compromised_merchant(today, victim, account, world),
            Scenario::DeviceFarm => {}
            Scenario::AuthorisedPushPayment => self.authorised_push_payment(today, victim, account, world),
            Scenario::RefundAbuse => self.refund_abuse(today, victim, account, world),
            Scenario::BustOut => self.bust_out(today, victim, account, world),
        }
        accounts[victim as usize].rest(today);
    }

    /// Somebody who was not hit lately; in a small population, at a high rate, anybody.
    pub(super) fn choose_victim(&mut self, today: u32, accounts: &[Account]) -> u32 {
        let mut victim = 0;
        for _ in 0..20 {
            victim = self.dice.below(accounts.len() as u32);
            if accounts[victim as usize].is_free(today) {
                break;
            }
        }
        victim
    }

    /// How many days the run has.
    pub(super) fn days(&self) -> u32 {
        self.config.days
    }

    pub(super) fn plan(&mut self, day: u32, account: u32, draft: Draft) {
        let day = day.min(self.config.days - 1);
        self.planned.entry(day).or_default().push((account, draft));
        self.outstanding += i64::from(draft.fraud.is_some());
    }

    /// The same, unless the run ends before.
    fn plan_within(&mut self, day: u32, account: u32, draft: Draft) {
        if day < self.config.days {
            self.plan(day, account, draft);
        }
    }

    fn stolen_card(&mut self, today: u32, victim: u32, account: &Account, world: &World) {
        let abroad = self.dice.chance(0.6);
        let dice = &mut self.dice;
        let place = if abroad { world.any_abroad(dice) } else { world.another_town(account.town, dice) };
        let hour = if dice.chance(0.7) { dice.below(4) } else { 9 + dice.below(10) };
        let mut second = hour * 3_600 + dice.below(3_600);
        for _ in 0..4 + self.dice.below(5) {
            let dice = &mut self.dice;
            // Clothing, electronics, entertainment: what sells on, or is had at once.
            let Some(shop) = world.any_shop(place, ELECTRONICS - 1 + dice.below(3) as usize, dice) else {
                continue;
            };
            let minor = world.price(shop, account.level * dice.between(1.5, 4.0), dice);
            let draft = world.purchase(shop, second, minor, Some(Scenario::StolenCard));
            second += 120 + dice.below(1_500);
            self.plan(today, victim, draft);
        }
    }

    fn account_takeover(&mut self, today: u32, victim: u32, world: &World) {
        let mut second = self.dice.below(20 * 3_600);
        for _ in 0..3 + self.dice.below(3) {
            let dice = &mut self.dice;
            let money = Money::ShareOfBalance(dice.between(0.3, 0.65));
            let mut draft = Draft::transfer(second, world.strange_payee(victim, dice), money, "transfer", "transfer");
            draft.fraud = Some(Scenario::AccountTakeover);
            second += 180 + dice.below(1_800);
            self.plan(today, victim, draft);
        }
    }

    fn card_testing(&mut self, today: u32, victim: u32, account: &Account, world: &World) {
        let fraud = Some(Scenario::CardTesting);
        let online = |dice: &mut Dice| N - 3 + dice.below(2) as usize;
        let mut second = self.dice.below(22 * 3_600);
        let category = online(&mut self.dice);
        let Some(shop) = world.any_shop(account.town, category, &mut self.dice) else {
            return;
        };
        for _ in 0..6 + self.dice.below(4) {
            let tiny = 50 + i64::from(self.dice.below(200));
            let draft = world.purchase(shop, second, tiny, fraud);
            second += 8 + self.dice.below(90);
            self.plan(today, victim, draft);
        }
        let category = online(&mut self.dice);
        let Some(shop) = world.any_shop(account.town, category, &mut self.dice) else {
            return;
        };
        let large = (self.dice.between(20_000.0, 90_000.0) * account.level).round() as i64;
        second += 300 + self.dice.below(3_000);
        self.plan(today, victim, world.purchase(shop, second, large, fraud));
    }

    fn amount_inflation(&mut self, today: u32, victim: u32, account: &Account, world: &World) {
        // Grocery, restaurant, café or fuel: where people go again and again.
        let category = self.dice.below(4) as usize;
        let Some(shop) = world.favourite(victim, account.town, category, &mut self.dice) else {
            return;
        };
        for visit in 0..1 + self.dice.below(3) {
            let usual = CATEGORIES[category].median_minor * account.level;
            let minor = (usual * self.dice.between(4.0, 12.0)).round() as i64;
            let second = account.hour(category, &mut self.dice);
            let draft = world.purchase(shop, second, minor, Some(Scenario::AmountInflation));
            let day = today + visit * (1 + self.dice.below(3));
            self.plan(day, victim, draft);
        }
    }

    /// A merchant the chosen account likes begins to copy cards. Frauds follow once it has some.
    fn compromised_merchant(&mut self, today: u32, victim: u32, account: &Account, world: &World) {
        if today + SKIMMING_DAYS + ABUSE_DAYS > self.config.days {
            return;
        }
        let category = self.dice.below(5) as usize;
        let Some(merchant) = world.favourite(victim, account.town, category, &mut self.dice) else {
            return;
        };
        if !self.skims[merchant as usize] {
            self.skims[merchant as usize] = true;
            self.skimmers.push(Skimmer { merchant, opens: today + SKIMMING_DAYS, victims: Vec::new() });
            self.outstanding += Scenario::CompromisedMerchant.rows();
        }
    }

    /// Plans the use of the copied cards of those skimmers whose time has come.
    fn strike(&mut self, today: u32, world: &World, accounts: &mut [Account]) {
        for mut skimmer in std::mem::take(&mut self.skimmers) {
            if skimmer.opens > today {
                self.skimmers.push(skimmer);
                continue;
            }
            // A quiet merchant gets more time, while there is some.
            if skimmer.victims.is_empty() && today + SKIMMING_DAYS + ABUSE_DAYS <= self.config.days {
                skimmer.opens += SKIMMING_DAYS;
                self.skimmers.push(skimmer);
                continue;
            }
            self.skims[skimmer.merchant as usize] = false;
            self.outstanding -= Scenario::CompromisedMerchant.rows();
            for victim in skimmer.victims {
                let account = &accounts[victim as usize];
                for _ in 0..1 + self.dice.below(2) {
                    let dice = &mut self.dice;
                    let day = today + dice.below(ABUSE_DAYS);
                    let online = dice.chance(0.5);
                    let category = if online { N - 3 } else { ELECTRONICS - 1 + dice.below(3) as usize };
                    let place = world.another_town(account.town, dice);
                    let Some(shop) = world.any_shop(place, category, dice) else {
                        continue;
                    };
                    let minor = world.price(shop, account.level * dice.between(1.5, 4.0), dice);
                    let second = account.hour(category, dice);
                    let draft = world.purchase(shop, second, minor, Some(Scenario::CompromisedMerchant));
                    self.plan(day, victim, draft);
                }
                accounts[victim as usize].hit_until = today + REST_DAYS;
            }
        }
    }
}

fn shuffled(scenarios: &[Scenario], dice: &mut Dice) -> Vec<Scenario> {
    let mut scenarios = scenarios.to_vec();
    for i in (1..scenarios.len()).rev() {
        scenarios.swap(i, dice.below(i as u32 + 1) as usize);
    }
    scenarios
}
