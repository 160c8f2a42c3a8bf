//! What columns show: `cargo bench --bench columns -- [NAME…]`.
//!
//! Into an invented population without frauds one kind of fraud is planted at a time, each of payments that are
//! ordinary in all but what the column looks at: copies of what the same account bought before, at an hour at which it
//! buys. It reports the average precision of the default columns without the one and with it, both learned from the
//! days before the first fraud, on the days after, as the mean over three seeds. It shows that a column finds what it
//! is there for, not how much of that anybody meets.

use std::collections::{BTreeMap, BTreeSet};

use crible::core::{Batch, Code, EntityId, Position, Timestamp, Transaction, TxnId};
use crible::{Columns, Engine, Error};
use crible_benches::{mix, transaction};
use crible_eval::metrics::average_precision;
use crible_eval::simulate::Simulation;

const DAYS: i64 = 75;
const LEARNED: i64 = 45;
const EPISODES: u64 = 25;
const SEEDS: u64 = 3;
const MINUTE: i64 = 60 * Timestamp::SECOND;
const HOUR: i64 = 60 * MINUTE;
/// When pay comes in, as a time of day.
const PAID_AT: i64 = 5 * HOUR;

/// A fraud, the columns it is for or that measure something like it, and how it is done.
struct Plot {
    fraud: &'static str,
    columns: &'static [&'static str],
    plant: fn(&mut Town, u64),
}

const PLOTS: &[Plot] = &[
    Plot {
        fraud: "taken over from a new device",
        columns: &["account_device_new_7d"],
        plant: |town, n| town.taken_over(n, true),
    },
    Plot {
        fraud: "taken over from a new address",
        columns: &["account_address_new_7d"],
        plant: |town, n| town.taken_over(n, false),
    },
    Plot { fraud: "accounts of one hand, two on a device", columns: &["linked_accounts_7d"], plant: Town::ring },
    Plot {
        fraud: "one device, many accounts",
        columns: &["device_accounts_7d", "device_accounts_1d"],
        plant: |town, n| town.farm(n, true),
    },
    Plot {
        fraud: "one address, many accounts",
        columns: &["address_accounts_7d", "address_accounts_1d"],
        plant: |town, n| town.farm(n, false),
    },
    Plot {
        fraud: "one account, many devices",
        columns: &["account_devices_7d"],
        plant: |town, n| town.many(n, |payment, i| payment.device = Some(other(n, i))),
    },
    Plot {
        fraud: "one account, many addresses",
        columns: &["account_addresses_7d"],
        plant: |town, n| town.many(n, |payment, i| payment.address = Some(other(n, i))),
    },
    Plot {
        fraud: "used in many countries",
        columns: &["account_countries_7d"],
        plant: |town, n| town.many(n, |payment, i| payment.country = word(&COUNTRIES, i)),
    },
    Plot {
        fraud: "used through every channel",
        columns: &["account_channels_7d"],
        plant: |town, n| town.many(n, |payment, i| payment.channel = word(&CHANNELS, i)),
    },
    Plot {
        fraud: "used for everything",
        columns: &["account_categories_7d"],
        plant: |town, n| town.many(n, |payment, i| payment.category = word(&CATEGORIES, i)),
    },
    Plot {
        fraud: "a run in one channel",
        columns: &["account_channel_count_1d"],
        plant: |town, n| town.burst(n, |payment| payment.channel = Code::new("keyed")),
    },
    Plot {
        fraud: "a run in one country",
        columns: &["account_country_count_1d_to_usual"],
        plant: |town, n| town.burst(n, |payment| payment.country = Code::new("FR")),
    },
    Plot {
        fraud: "a run in one category",
        columns: &["account_category_count_1d"],
        plant: |town, n| town.burst(n, |payment| payment.category = Code::new("gift cards")),
    },
    Plot {
        fraud: "equal amounts",
        columns: &["account_equal_amounts_7d", "account_amount_repeats_7d"],
        plant: Town::equal,
    },
    Plot { fraud: "just below a threshold", columns: &["account_below_thresholds_7d"], plant: Town::structured },
    Plot { fraud: "round amounts", columns: &["amount_round"], plant: Town::round },
    Plot { fraud: "a test, then the real one", columns: &["amount_after_test_1h"], plant: Town::tested },
    Plot { fraud: "passed on within a day", columns: &["account_passed_on_1d"], plant: Town::mule },
    Plot {
        fraud: "drained once paid",
        columns: &[
            "account_count_1d_after_pay_to_usual",
            "account_count_1d_to_usual",
            "account_sum_1d_to_usual",
            "account_passed_on_1d",
        ],
        plant: Town::drained_once_paid,
    },
    Plot { fraud: "asleep, then used", columns: &["account_pause_to_usual"], plant: Town::woken },
    Plot { fraud: "a new payee, then drained to", columns: &["amount_at_new_counterparty_1d"], plant: Town::drained },
    Plot {
        fraud: "many payees in a day",
        columns: &["account_counterparties_1d", "account_counterparties_7d", "first_at_counterparty"],
        plant: Town::fan_out,
    },
    Plot {
        fraud: "many payers in a day",
        columns: &["counterparty_accounts_1d", "counterparty_count_1d_to_usual"],
        plant: Town::fan_in,
    },
    Plot {
        fraud: "seconds apart",
        columns: &["seconds_since_last", "account_count_1h", "account_count_1d_to_usual"],
        plant: Town::scripted,
    },
    Plot { fraud: "abroad an hour later", columns: &["kilometres_per_hour"], plant: |town, n| town.elsewhere(n, HOUR) },
    Plot {
        fraud: "abroad four days later",
        columns: &["kilometres_from_last"],
        plant: |town, n| town.elsewhere(n, 4 * Timestamp::DAY),
    },
    Plot { fraud: "most of the balance", columns: &["balance_share"], plant: Town::emptied },
    Plot { fraud: "on an odd day of the week", columns: &["weekday_surprise"], plant: Town::on_odd_days },
    Plot {
        fraud: "at an odd time of day",
        columns: &["day_part_surprise"],
        plant: |town, n| town.at_odd_times(n, |at| at - at.rem_euclid(Timestamp::DAY) + 3 * HOUR),
    },
    Plot { fraud: "a shop that overcharges", columns: &["amount_to_counterparty_mean_90d"], plant: Town::overcharged },
    Plot { fraud: "large for what it is for", columns: &["amount_for_category"], plant: Town::misnamed },
    Plot {
        fraud: "two weeks' spending in a day",
        columns: &["account_sum_1d_to_usual", "account_count_1d_to_usual"],
        plant: Town::spree,
    },
];

const COUNTRIES: [&str; 6] = ["FR", "BR", "TH", "NG", "RO", "MX"];
const CHANNELS: [&str; 6] = ["online", "phone", "keyed", "swipe", "wallet", "mail"];
const CATEGORIES: [&str; 6] = ["jewellery", "gift cards", "fuel", "pharmacy", "toys", "garden"];

fn word(of: &[&str; 6], i: u64) -> Code {
    Code::new(of[i as usize % of.len()])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let quiet = Simulation::builder().accounts(500).days(DAYS as u32).seed(5).fraud_rate(0.0).build()?;
    let population: Vec<Transaction> = quiet.map(|row| with_device(transaction(&row), row.account)).collect();
    let usual: BTreeSet<String> = Engine::builder()
        .fit(&Batch::from_transactions(population.iter().copied()))?
        .model()
        .columns()
        .iter()
        .filter(|column| column.input)
        .map(|column| column.name.to_string())
        .collect();
    println!("| fraud | frauds | default columns without it | with it | |\n|---|---|---|---|---|");
    for Plot { fraud, columns, plant } in PLOTS {
        if !wanted.is_empty() && !columns.iter().any(|column| wanted.iter().any(|name| name == column)) {
            continue;
        }
        let mut town = Town::new(&population);
        (0..EPISODES).for_each(|n| plant(&mut town, n));
        for column in *columns {
            // A default column is left out for comparison, any other put in.
            let is_default = usual.contains(*column);
            let before = if is_default { town.precision(&[], &[*column])? } else { town.precision(&[], &[])? };
            let after = if is_default { town.precision(&[], &[])? } else { town.precision(&[*column], &[])? };
            println!("| {fraud} | {} | {before:.3} | {after:.3} | `{column}` |", town.frauds.len());
        }
    }
    Ok(())
}

/// A device of one's own and, now and then, one of the household's two or three; the household's address and, now and
/// then, one of a hundred that are everybody's.
fn with_device(mut payment: Transaction, account: u32) -> Transaction {
    let seldom = |salt: u64| mix(payment.id.0 as u64 ^ salt).is_multiple_of(10);
    let id = |salt: u64, of: u64| Some(EntityId::from_pseudorandom(mix(mix(salt) ^ of)));
    let (own, home) = (u64::from(account), u64::from(account) * 2 / 5);
    payment.device = if seldom(1) { id(2, home) } else { id(3, own) };
    payment.address = if seldom(4) { id(5, mix(payment.id.0 as u64) % 100) } else { id(6, home) };
    payment
}

/// Somebody's device, address or account that nobody else in town has.
fn other(n: u64, i: u64) -> EntityId {
    EntityId::from_pseudorandom(mix(0x07e4_0000 + n * 1_000 + i))
}

/// A population and the frauds in it.
struct Town {
    payments: Vec<Transaction>,
    /// Purchases by account, in order of time.
    purchases: BTreeMap<EntityId, Vec<Transaction>>,
    frauds: BTreeSet<TxnId>,
    start: i64,
    drawn: u64,
}

impl Town {
    fn new(population: &[Transaction]) -> Self {
        let mut purchases: BTreeMap<EntityId, Vec<Transaction>> = BTreeMap::new();
        for payment in population.iter().filter(|payment| payment.is_outflow() && payment.position.is_some()) {
            purchases.entry(payment.account).or_default().push(*payment);
        }
        // Those who hardly ever pay have nothing usual to copy.
        purchases.retain(|_, own| own.len() > 60);
        let start = population.first().map_or(0, |payment| payment.at.0.div_euclid(Timestamp::DAY)) * Timestamp::DAY;
        Self { payments: population.to_vec(), purchases, frauds: BTreeSet::new(), start, drawn: 0 }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.drawn += 1;
        mix(self.drawn) % below
    }

    /// An account of its own for every episode, or for each of several in one.
    fn victim(&self, n: u64) -> EntityId {
        let nth = mix(n / self.purchases.len() as u64) % 7 + n * 17;
        *self.purchases.keys().nth(nth as usize % self.purchases.len()).unwrap_or(&EntityId::from_pseudorandom(1))
    }

    /// One of an account's purchases, on a day of the episode, at its own time of day, a bit larger than it was.
    fn usual(&mut self, account: EntityId, day: i64) -> Transaction {
        let i = self.draw(1 << 40) as usize;
        let own = &self.purchases[&account];
        let mut payment = own[i % own.len()];
        payment.amount.minor += payment.amount.minor / 10;
        payment.at = Timestamp(self.start + day * Timestamp::DAY + payment.at.0.rem_euclid(Timestamp::DAY));
        payment
    }

    fn day(n: u64) -> i64 {
        LEARNED + 1 + (mix(n ^ 0xda1) % 20) as i64
    }

    fn commit(&mut self, mut payment: Transaction) {
        payment.id = TxnId(u128::from(mix(self.frauds.len() as u64)) << 64 | 0xf4a0d);
        self.frauds.insert(payment.id);
        self.payments.push(payment);
    }

    /// The same for what is no fraud.
    fn add(&mut self, mut payment: Transaction) {
        payment.id = TxnId(u128::from(mix(self.payments.len() as u64)) << 64 | 0x900d);
        self.payments.push(payment);
    }

    fn taken_over(&mut self, n: u64, is_device: bool) {
        for i in 0..3 {
            let mut payment = self.usual(self.victim(n), Self::day(n) + i);
            *(if is_device { &mut payment.device } else { &mut payment.address }) = Some(other(n, i as u64));
            self.commit(payment);
        }
    }

    /// Eight accounts, each on a device with the next.
    fn ring(&mut self, n: u64) {
        if !n.is_multiple_of(5) {
            return;
        }
        for i in 0..8 {
            for day in 0..6 {
                let mut payment = self.usual(self.victim(n * 8 + i), Self::day(n) + day);
                payment.device = Some(other(n, i + day as u64 % 2));
                self.commit(payment);
            }
        }
    }

    fn farm(&mut self, n: u64, is_device: bool) {
        for i in 0..6 {
            let mut payment = self.usual(self.victim(n * 6 + i), Self::day(n));
            *(if is_device { &mut payment.device } else { &mut payment.address }) = Some(other(n, 0));
            self.commit(payment);
        }
    }

    /// A payment a day, each changed in its own way.
    fn many(&mut self, n: u64, change: impl Fn(&mut Transaction, u64)) {
        for i in 0..6 {
            let mut payment = self.usual(self.victim(n), Self::day(n) + i as i64);
            change(&mut payment, i);
            self.commit(payment);
        }
    }

    /// Eight payments within a day, all changed alike.
    fn burst(&mut self, n: u64, change: impl Fn(&mut Transaction)) {
        for _ in 0..8 {
            let mut payment = self.usual(self.victim(n), Self::day(n));
            change(&mut payment);
            self.commit(payment);
        }
    }

    fn equal(&mut self, n: u64) {
        let amount = self.usual(self.victim(n), 0).amount;
        for day in 0..6 {
            let mut payment = self.usual(self.victim(n), Self::day(n) + day);
            payment.amount = amount;
            self.commit(payment);
        }
    }

    fn structured(&mut self, n: u64) {
        for day in 0..6 {
            let mut payment = self.usual(self.victim(n), Self::day(n) + day);
            payment.amount.minor = -100_000 + self.draw(8_000) as i64 + 1;
            self.commit(payment);
        }
    }

    fn round(&mut self, n: u64) {
        for day in 0..3 {
            let mut payment = self.usual(self.victim(n), Self::day(n) + day);
            let tens = (payment.amount.minor / 10_000 - 1).max(-9);
            payment.amount.minor = tens * 10_000;
            self.commit(payment);
        }
    }

    fn tested(&mut self, n: u64) {
        let mut real = self.usual(self.victim(n), Self::day(n));
        real.amount.minor = real.amount.minor * 3 / 2;
        let mut test = real;
        test.amount.minor = -60 - self.draw(60) as i64;
        test.at = Timestamp(real.at.0 - 5 * MINUTE);
        self.commit(test);
        self.commit(real);
    }

    fn mule(&mut self, n: u64) {
        let mut out = self.usual(self.victim(n), Self::day(n));
        out.amount.minor = out.amount.minor.min(-4_000) * 2;
        let mut into = out;
        into.amount.minor = -out.amount.minor + self.draw(300) as i64;
        into.at = Timestamp(out.at.0 - 3 * HOUR);
        into.counterparty = Some(other(n, 0));
        self.commit(into);
        self.commit(out);
    }

    /// Six of an account's purchases within a day of its pay, in a town in which some go shopping then and others do
    /// not.
    fn drained_once_paid(&mut self, n: u64) {
        if n == 0 {
            self.pay_fortnightly();
        }
        let mut candidates = (0..10).map(|i| self.victim(n + 1_000 * i));
        let Some(account) = candidates.find(|account| !Self::shops_once_paid(*account)) else { return };
        // The last pay until some day, or the next where there is none behind the days learned from.
        let day = Self::day(n);
        let last = day - (day - Self::paid_on(account)).rem_euclid(14);
        let paid = if last > LEARNED { last } else { last + 14 };
        for _ in 0..6 {
            let payment = self.once_paid(account, paid);
            self.commit(payment);
        }
    }

    /// Pays half a salary every fortnight in place of a whole one a month, and sends a third of all accounts shopping.
    fn pay_fortnightly(&mut self) {
        let is_salary = |payment: &Transaction| payment.category == Code::new("salary");
        let salaries: BTreeMap<EntityId, Transaction> =
            self.payments.iter().filter(|payment| is_salary(payment)).map(|pay| (pay.account, *pay)).collect();
        self.payments.retain(|payment| !is_salary(payment));
        for (account, mut pay) in salaries {
            pay.amount.minor /= 2;
            for day in (Self::paid_on(account)..DAYS).step_by(14) {
                pay.at = Timestamp(self.start + day * Timestamp::DAY + PAID_AT);
                self.add(pay);
                if Self::shops_once_paid(account) && self.purchases.contains_key(&account) {
                    for _ in 0..6 {
                        let purchase = self.once_paid(account, day);
                        self.add(purchase);
                    }
                }
            }
        }
    }

    fn paid_on(account: EntityId) -> i64 {
        (mix(account.get()) % 14) as i64
    }

    fn shops_once_paid(account: EntityId) -> bool {
        mix(account.get() ^ 0x5409).is_multiple_of(3)
    }

    /// One of an account's purchases within a day of its pay.
    fn once_paid(&mut self, account: EntityId, day: i64) -> Transaction {
        let mut payment = self.usual(account, day);
        if payment.at.0.rem_euclid(Timestamp::DAY) <= PAID_AT {
            payment.at.0 += Timestamp::DAY;
        }
        payment
    }

    fn woken(&mut self, n: u64) {
        let (account, day) = (self.victim(n), Self::day(n) + 8);
        let (asleep, awake) = (self.start + 20 * Timestamp::DAY, self.start + day * Timestamp::DAY);
        self.payments.retain(|payment| payment.account != account || payment.at.0 < asleep);
        for i in 0..2 {
            let mut payment = self.usual(account, day);
            payment.at = Timestamp(awake + (9 + i) * HOUR);
            self.commit(payment);
        }
    }

    /// Four purchases an hour apart, twice as large, at a place that others know and the account does not.
    fn drained(&mut self, n: u64) {
        let payee = self.usual(self.victim(n + 1_000), Self::day(n)).counterparty;
        let start = self.start + Self::day(n) * Timestamp::DAY;
        for i in 0..4 {
            let mut payment = self.usual(self.victim(n), Self::day(n));
            payment.at = Timestamp(start + (10 + i) * HOUR);
            payment.amount.minor *= 2;
            payment.counterparty = payee;
            self.commit(payment);
        }
    }

    fn fan_out(&mut self, n: u64) {
        for i in 0..8 {
            let mut payment = self.usual(self.victim(n), Self::day(n));
            payment.counterparty = self.usual(self.victim(n + 1_000 * (i + 1)), Self::day(n)).counterparty;
            payment.amount.minor /= 2;
            self.commit(payment);
        }
    }

    fn fan_in(&mut self, n: u64) {
        let payee = self.usual(self.victim(n), Self::day(n)).counterparty;
        for i in 0..30 {
            let mut payment = self.usual(self.victim(n * 30 + i), Self::day(n));
            payment.counterparty = payee;
            self.commit(payment);
        }
    }

    fn scripted(&mut self, n: u64) {
        let mut payment = self.usual(self.victim(n), Self::day(n));
        for _ in 0..6 {
            let amount = self.usual(self.victim(n), 0).amount;
            payment.at = Timestamp(payment.at.0 + 20 * Timestamp::SECOND);
            payment.amount.minor = amount.minor / 3;
            self.commit(payment);
        }
    }

    fn at_odd_times(&mut self, n: u64, change: impl Fn(i64) -> i64) {
        for i in 0..3 {
            let mut payment = self.usual(self.victim(n), Self::day(n) + i);
            payment.at = Timestamp(change(payment.at.0) + self.draw(3) as i64 * HOUR);
            self.commit(payment);
        }
    }

    /// Ten times what the shop takes, for accounts that pay as much elsewhere.
    fn overcharged(&mut self, n: u64) {
        let mut payment = self.usual(self.victim(n), Self::day(n));
        let own = &self.purchases[&self.victim(n)];
        let largest = own.iter().map(|payment| payment.amount.minor).min().unwrap_or(-100);
        let shop = own.iter().max_by_key(|payment| payment.amount.minor).and_then(|payment| payment.counterparty);
        payment.amount.minor = largest;
        payment.counterparty = shop;
        self.commit(payment);
    }

    /// A large purchase of the account's, as large for what the account buys at its cheapest, at a shop of its own.
    fn misnamed(&mut self, n: u64) {
        let mut payment = self.usual(self.victim(n), Self::day(n));
        let own = &self.purchases[&self.victim(n)];
        let mut by_size: Vec<_> = own.iter().collect();
        by_size.sort_by_key(|payment| -payment.amount.minor);
        payment.amount = by_size[own.len() * 9 / 10].amount;
        payment.category = by_size[0].category;
        self.commit(payment);
    }

    /// Eight of an account's purchases, two hours apart and twice as large.
    fn spree(&mut self, n: u64) {
        let start = self.start + Self::day(n) * Timestamp::DAY;
        for i in 0..8 {
            let mut payment = self.usual(self.victim(n), Self::day(n));
            payment.at = Timestamp(start + (7 + 2 * i) * HOUR);
            payment.amount.minor *= 2;
            self.commit(payment);
        }
    }

    /// A purchase as usual, and the next so much later in a country of the other half of the world.
    fn elsewhere(&mut self, n: u64, later: i64) {
        let account = self.victim(n);
        let here = self.usual(account, Self::day(n));
        let mut there = self.usual(account, Self::day(n));
        there.at = Timestamp(here.at.0 + later);
        let between = here.at..there.at;
        self.payments.retain(|payment| payment.account != account || !between.contains(&payment.at));
        there.position = here.position.and_then(|from| {
            let longitude_e7 = from.longitude_e7() - from.longitude_e7().signum() * 1_200_000_000;
            Position::from_e7(-from.latitude_e7(), longitude_e7)
        });
        self.payments.push(Transaction { id: TxnId(here.id.0 ^ 0x0e1e), ..here });
        self.commit(there);
    }

    /// A purchase that is large for what is left on the account, and not for what it pays.
    fn emptied(&mut self, n: u64) {
        for i in 0..3 {
            let mut payment = self.usual(self.victim(n), Self::day(n) + i);
            payment.balance_before = Some(-payment.amount.minor * 20 / 19);
            self.commit(payment);
        }
    }

    /// Four purchases on Sundays by accounts that otherwise pay on none.
    fn on_odd_days(&mut self, n: u64) {
        let account = self.victim(n);
        let is_sunday = |payment: &Transaction| payment.at.0.div_euclid(Timestamp::DAY).rem_euclid(7) == 3;
        self.payments.retain(|payment| payment.account != account || !is_sunday(payment));
        let start = self.start.div_euclid(Timestamp::DAY);
        let first = (LEARNED + 1..).find(|day| (start + day).rem_euclid(7) == 3).unwrap_or(LEARNED + 1);
        for week in 0..4 {
            let payment = self.usual(account, first + 7 * week);
            self.commit(payment);
        }
    }

    /// Average precision behind the days learned from, with these columns besides the default ones, or without some of
    /// them.
    fn precision(&self, columns: &[&str], without: &[&str]) -> Result<f64, Box<dyn std::error::Error>> {
        let batch = Batch::from_transactions(self.payments.iter().copied());
        let until = Timestamp(self.start + LEARNED * Timestamp::DAY);
        let mut sum = 0.0;
        for seed in 0..SEEDS {
            let mut more = Columns::default();
            more.add = columns.iter().map(|column| (*column).to_owned()).collect();
            more.drop = without.iter().map(|column| (*column).to_owned()).collect();
            let (mut scores, mut truth) = (Vec::new(), Vec::new());
            Engine::builder().seed(seed).columns(more).fit_replay(&batch, Some(until), |_, scored| {
                for row in scored.rows().filter(|row| batch.times()[*row] >= until) {
                    scores.push(scored.score(row).raw);
                    truth.push(self.frauds.contains(&batch.get(row).id));
                }
                Ok::<_, Error>(())
            })?;
            sum += average_precision(&scores, &truth)?;
        }
        Ok(sum / SEEDS as f64)
    }
}
