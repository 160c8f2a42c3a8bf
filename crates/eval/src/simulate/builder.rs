use crible_core::Timestamp;

use super::{Scenario, Simulation};

/// Settings of a [`Simulation`].
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
    merchants: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) accounts: u32,
    pub(super) merchants: u32,
    pub(super) days: u32,
    pub(super) start: Timestamp,
    pub(super) seed: u64,
    pub(super) fraud_rate: f64,
    /// Each once, at least one.
    pub(super) scenarios: Vec<Scenario>,
}

/// Why there is no such population.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A number out of range.
    #[error("{setting} is {value}: expected {expected}")]
    OutOfRange {
        /// The setting.
        setting: &'static str,
        /// What it was set to.
        value: f64,
        /// The range.
        expected: &'static str,
    },
    /// A list of no scenarios.
    #[error("no scenario is named: expected at least one, or none to be set")]
    NoScenario,
    /// Days no calendar writes with four digits of year.
    #[error("{days} days from {start} leave the years 1 to 9999")]
    Calendar {
        /// The first day.
        start: Timestamp,
        /// How many days.
        days: u32,
    },
}

impl Default for Builder {
    fn default() -> Self {
        // 2025-01-01.
        let start = Timestamp(20_089 * Timestamp::DAY);
        let scenarios = Scenario::USUAL.to_vec();
        let config = Config { accounts: 1_000, merchants: 0, days: 90, start, seed: 0, fraud_rate: 0.005, scenarios };
        Self { config, merchants: None }
    }
}

impl Builder {
    /// How many accounts, 1 to 10,000,000. An account makes about 1.8 rows a day.
    #[must_use]
    pub fn accounts(mut self, accounts: u32) -> Self {
        self.config.accounts = accounts;
        self
    }

    /// How many merchants, 100 to 1,000,000; by default one for every five accounts and at least 200.
    #[must_use]
    pub fn merchants(mut self, merchants: u32) -> Self {
        self.merchants = Some(merchants);
        self
    }

    /// How many days, 1 to 36,500. From 30 days on every scenario has room to unfold.
    #[must_use]
    pub fn days(mut self, days: u32) -> Self {
        self.config.days = days;
        self
    }

    /// The first day: the UTC day this instant falls on.
    #[must_use]
    pub fn start(mut self, start: Timestamp) -> Self {
        self.config.start = start;
        self
    }

    /// What decides everything that is left to chance.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The share of rows that are frauds to aim at, 0 to 0.2. Episodes come whole, so that a small population meets it
    /// roughly.
    #[must_use]
    pub fn fraud_rate(mut self, fraud_rate: f64) -> Self {
        self.config.fraud_rate = fraud_rate;
        self
    }

    /// Which frauds there are; by default [`Scenario::USUAL`]. With one of [`Scenario::WITH_LOOKALIKES`] the population
    /// has devices, new customers, and ordinary behaviour that looks like that fraud.
    #[must_use]
    pub fn scenarios(mut self, scenarios: &[Scenario]) -> Self {
        self.config.scenarios = Vec::new();
        for scenario in scenarios {
            if !self.config.scenarios.contains(scenario) {
                self.config.scenarios.push(*scenario);
            }
        }
        self
    }

    /// The population, before its first day.
    ///
    /// # Errors
    /// [`BuildError`] names the setting, its value and the range.
    pub fn build(self) -> Result<Simulation, BuildError> {
        let mut config = self.config;
        config.merchants = self.merchants.unwrap_or_else(|| (config.accounts / 5).clamp(200, 1_000_000));
        let out_of_range = |setting, value, expected| Err(BuildError::OutOfRange { setting, value, expected });
        if !(1..=10_000_000).contains(&config.accounts) {
            return out_of_range("accounts", config.accounts.into(), "1 to 10,000,000");
        }
        if !(100..=1_000_000).contains(&config.merchants) {
            return out_of_range("merchants", config.merchants.into(), "100 to 1,000,000");
        }
        if !(1..=36_500).contains(&config.days) {
            return out_of_range("days", config.days.into(), "1 to 36,500");
        }
        if !(0.0..=0.2).contains(&config.fraud_rate) {
            return out_of_range("fraud_rate", config.fraud_rate, "a share of rows, 0 to 0.2");
        }
        if config.scenarios.is_empty() {
            return Err(BuildError::NoScenario);
        }
        let first = config.start.day();
        // Days from 0001-01-01 to 9999-12-31.
        if first < -719_162 || first + i64::from(config.days) > 2_932_897 {
            return Err(BuildError::Calendar { start: config.start, days: config.days });
        }
        config.start = Timestamp(first * Timestamp::DAY);
        Ok(Simulation::new(config))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let check = |builder: Builder, expect: &str| {
            let error = builder.build().unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        let new = Simulation::builder;
        check(new().accounts(0), "accounts is 0: expected 1 to 10,000,000");
        check(new().merchants(99), "merchants is 99");
        check(new().days(0), "days is 0");
        check(new().scenarios(&[]), "no scenario is named");
        check(new().fraud_rate(f64::NAN), "fraud_rate is NaN");
        check(new().fraud_rate(-0.1), "fraud_rate is -0.1");
        check(new().fraud_rate(0.21), "fraud_rate is 0.21");
        check(new().start(Timestamp(i64::MAX)), "leave the years 1 to 9999");
        check(new().start(Timestamp::from_civil(9999, 12, 31, 0, 0, 0, 0).unwrap()), "90 days from 9999-12-31");
    }

    #[test]
    fn the_first_day_is_whole() {
        let noon = Timestamp::from_civil(2025, 1, 1, 12, 0, 0, 0).unwrap();
        let settings = || Simulation::builder().accounts(3).days(3);
        let rows = |builder: Builder| builder.build().unwrap().collect::<Vec<_>>();
        assert_eq!(rows(settings().start(noon)), rows(settings()));
    }
}
