//! An invented population of accounts and merchants, its payments and the frauds among them, in order of time.
//!
//! Nothing in it comes from a real person, bank or merchant. It serves to try the engine, to show it and to measure
//! speed, not to claim detection quality: what a simulation hides, its author has chosen.
//!
//! **People.** An account lives in a town, spends at its own level (log-normal), pays at its own rate (Poisson, busier
//! toward the weekend), has its own mix of categories and its own hours, goes back to a few merchants it likes, is paid
//! monthly on its payday, pays rent and bills, saves, pays friends, and at times travels. Amounts are log-normal around
//! the category's median times the account's and the merchant's level. All clocks run on UTC and all money is in US
//! dollars.
//!
//! **Frauds** come as episodes, each a [`Scenario`]. Episodes are dealt so that the share of fraudulent rows follows
//! the rate asked for, every scenario in turn.
//!
//! **Lookalikes.** With one of [`Scenario::WITH_LOOKALIKES`] there are devices, which change, are shared in households
//! and used by half a town, and one account in seven is opened while the population is watched. Beside each fraud
//! there is what it looks like and is not: large transfers to somebody new for a house, a car or a builder; goods sent
//! back, by some people nearly all of them; people who spend all that they may, for some days or for good, and go on
//! paying. `docs/scenarios.md` has the numbers.
//!
//! **Balances** are continuous, and a payment that would overdraw an account past [`OVERDRAFT_MINOR`] is declined,
//! which leaves no row.
//!
//! Days are generated one after the other: memory holds the accounts, the merchants and one day's rows. The same
//! settings and seed give the same bytes on every machine: random numbers are xoshiro256++ (Blackman and Vigna, 2021),
//! logarithms and exponentials come from `libm`, and each account's day draws from a stream of its own.
//!
//! ```
//! use crible_eval::simulate::Simulation;
//!
//! let rows: Vec<_> = Simulation::builder().accounts(50).days(10).seed(1).build()?.collect();
//! assert!(rows.is_sorted_by_key(|row| row.at));
//! # Ok::<(), crible_eval::simulate::BuildError>(())
//! ```

mod account;
mod builder;
mod category;
mod customs;
mod dice;
mod fraud;
mod row;
mod scenario;
mod schemes;
mod world;

pub use account::OVERDRAFT_MINOR;
pub use builder::{BuildError, Builder};
pub use row::{CSV_HEADER, CSV_HEADER_WITH_DEVICE, Device, Party, Simulated};
pub use scenario::{Scenario, UnknownScenario};

use std::io::{self, Write};

use crible_core::Timestamp;

use account::{Account, Draft, Money};
use builder::Config;
use customs::{Customs, device, has_device};
use dice::{Dice, Stream};
use fraud::Agenda;
use world::World;

/// An invented population at work: an iterator of its transactions in order of time.
#[derive(Debug)]
pub struct Simulation {
    config: Config,
    world: World,
    accounts: Vec<Account>,
    agenda: Agenda,
    has_devices: bool,
    /// The next day to generate, from 0.
    day: u32,
    rows: Vec<Simulated>,
    /// Second of the day and index into `rows`, sorted.
    order: Vec<(u32, u32)>,
    cursor: usize,
    emitted: u64,
    drafts: Vec<Draft>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows, the header not counted.
    pub rows: u64,
    /// Rows among them that are frauds.
    pub frauds: u64,
}

/// What is known of a day before anybody pays.
#[derive(Clone, Copy, Debug)]
struct Today {
    /// Days since the first.
    index: u32,
    weekday: usize,
    day_of_month: u32,
}

impl Simulation {
    /// Settings to start from: 1,000 accounts, 90 days from 2025-01-01, seed 0, one row in 200 a fraud.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(config: Config) -> Self {
        let world = World::new(&config);
        let customs = Customs::of(&config.scenarios);
        let account = |number| {
            let mut account = Account::new(&config, &world, number);
            if let Some(customs) = customs {
                let mut dice = Dice::new(config.seed, Stream::Settle, number, 0);
                customs.settle(&mut account, config.days, &mut dice);
            }
            account
        };
        let accounts = (0..config.accounts).map(account).collect();
        Self {
            agenda: Agenda::new(&config, &world),
            has_devices: customs.is_some(),
            config,
            world,
            accounts,
            day: 0,
            rows: Vec::new(),
            order: Vec::new(),
            cursor: 0,
            emitted: 0,
            drafts: Vec::new(),
        }
    }

    /// The header of its rows as CSV: [`CSV_HEADER`], or [`CSV_HEADER_WITH_DEVICE`] where the population has devices.
    pub fn csv_header(&self) -> &'static str {
        if self.has_devices { CSV_HEADER_WITH_DEVICE } else { CSV_HEADER }
    }

    /// Writes all rows left as CSV, with the header [`Simulation::csv_header`], and returns how many there were.
    ///
    /// # Errors
    /// What `out` gives.
    pub fn write_csv(self, out: &mut impl Write) -> io::Result<Written> {
        const BLOCK: usize = 1 << 16;
        let mut written = Written::default();
        let mut buffer = Vec::with_capacity(BLOCK + 512);
        buffer.extend_from_slice(self.csv_header().as_bytes());
        buffer.push(b'\n');
        for row in self {
            row.write_csv_line(&mut buffer);
            written.rows += 1;
            written.frauds += u64::from(row.fraud.is_some());
            if buffer.len() >= BLOCK {
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
        out.write_all(&buffer)?;
        out.flush()?;
        Ok(written)
    }

    fn generate_day(&mut self) {
        let start = Timestamp(self.config.start.0 + i64::from(self.day) * Timestamp::DAY);
        let today = Today { index: self.day, weekday: start.weekday(), day_of_month: start.civil_date().2 };
        self.rows.clear();
        self.agenda.begin_day(&today, self.emitted, &self.world, &mut self.accounts);
        for (number, account) in (0u32..).zip(self.accounts.iter_mut()) {
            let mut dice = Dice::new(self.config.seed, Stream::AccountDay, number, self.day);
            self.drafts.clear();
            account.live(number, &today, &self.world, &mut dice, &mut self.drafts);
            let mut customs = self.has_devices.then(|| Dice::new(self.config.seed, Stream::Customs, number, self.day));
            if let Some(dice) = &mut customs {
                self.agenda.add_customs(number, account, &today, &self.world, dice, &mut self.drafts);
            }
            self.agenda.commit(number, &mut self.drafts);
            // Stable: what an account does within one second keeps its order.
            self.drafts.sort_by_key(|draft| draft.second);
            for draft in &self.drafts {
                let minor = match draft.money {
                    Money::Minor(minor) => minor,
                    Money::ShareOfBalance(share) => -((account.balance.max(0) as f64 * share) as i64),
                };
                if !account.book(minor) {
                    continue;
                }
                self.agenda.witness(number, draft, today.index);
                let device = customs.as_mut().map(|dice| {
                    self.agenda.may_return(number, draft, minor, today.index, dice);
                    let own = || has_device(draft).then(|| device(number, account, dice));
                    draft.device.or_else(own).map(Device)
                });
                self.order.push((draft.second, self.rows.len() as u32));
                self.rows.push(Simulated {
                    id: 0,
                    at: Timestamp(start.0 + i64::from(draft.second) * Timestamp::SECOND),
                    account: number,
                    counterparty: draft.party,
                    amount_minor: minor,
                    category: draft.category,
                    channel: draft.channel,
                    country: draft.country,
                    position: draft.position,
                    device,
                    balance_after: account.balance,
                    fraud: draft.fraud,
                });
            }
        }
        self.order.sort_unstable();
    }
}

impl Iterator for Simulation {
    type Item = Simulated;

    fn next(&mut self) -> Option<Simulated> {
        while self.cursor == self.order.len() {
            if self.day == self.config.days {
                return None;
            }
            self.order.clear();
            self.cursor = 0;
            self.generate_day();
            self.day += 1;
        }
        let row = self.order[self.cursor].1 as usize;
        self.cursor += 1;
        self.emitted += 1;
        Some(Simulated { id: self.emitted, ..self.rows[row] })
    }
}
