use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use crible_core::{Column, Currency, Has, Window};
use crible_feature::{FeatureSet, Limits, Peers, Settings, Windows};
use crible_score::DetectorSpec;
use serde::{Deserialize, Serialize};

use crate::Error;

/// What an engine is made with, in a form a team can read, review and compare: the other half of what the saved model
/// is in bytes. The same configuration and data give the same model.
///
/// In TOML, everything optional and shown here with what holds by default, but for the lists of names:
///
/// ```
/// # use crible::Config;
/// let config = Config::from_toml(
///     r#"
///     seed = 0
///     fit_rows = 60000
///     warm_up = "14d"
///     detectors = ["robust_z", { name = "isolation_forest", n_trees = 200 }]
///
///     [views]
///     drop = ["view_hour"]
///
///     [columns]
///     add = ["account_equal_amounts_7d", "account_passed_on_1d"]
///     drop = ["balance_share"]
///
///     [windows]
///     account = ["1h", "1d", "7d", "30d"]
///     counterparty = ["1d", "7d", "90d"]
///     pattern = ["1h", "1d", "7d"]
///
///     [state]
///     lateness = "0s"
///     ahead = "1d"
///     repeats = "30d" # by default as long as the longest window of accounts
///     forget_after = "400d"
///     memory_mib = 4096 # unlimited by default
///
///     [currencies]
///     rates = { EUR = 1.0, USD = 0.92, JPY = 0.0061 } # learned from mean payments by default
///     refuse_others = false
///     "#,
/// )?;
/// # assert_eq!(config.columns.drop, ["balance_share"]);
/// # assert_eq!(config.detectors[1].to_string(), "isolation_forest:n_trees=200");
/// # assert_eq!(Config::from_toml(&config.to_toml()?)?, config);
/// # Ok::<(), crible::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The seed of everything drawn.
    pub seed: u64,
    /// The most rows to learn from: half to fit the detectors, half to calibrate them.
    pub fit_rows: usize,
    /// The detectors that score: [views](crible_score::views) alone, or others, whose opinions are averaged. A name has
    /// the settings that `crible detect` and `crible bench` give it.
    pub detectors: Vec<DetectorSpec>,
    /// Which columns detectors see.
    pub columns: Columns,
    /// Lengths of the windows columns look at.
    pub windows: Windows,
    /// Views that are left out, by name: to see what the others find without them.
    pub without_views: Vec<String>,
    /// What the state is held within.
    pub state: Limits,
    /// How long is only learned from, where a history is learned from and scored at once.
    pub warm_up: Window,
    /// What currencies are worth.
    pub rates: Rates,
}

/// What a major unit of each currency is worth, all in one unit, whichever that is. Where there are none, it is learned
/// from the mean payment of each currency with a hundred or more.
///
/// Of a currency that is not in the table amounts are no evidence: see
/// [`Model::knows_currency`](crate::Model::knows_currency).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Rates {
    /// By currency; above 0.
    #[serde(rename = "rates")]
    pub of: BTreeMap<Currency, f64>,
    /// Whether a payment in any other currency is refused as [`Error::Currency`].
    pub refuse_others: bool,
}

/// The detector that is views.
const VIEWS: &str = "views";

/// Two weeks: most of what a person does every week has then been seen twice.
const WARM_UP: Window = Window(14 * Window::DAY.0);

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            fit_rows: 60_000,
            detectors: default_detectors(),
            columns: Columns::default(),
            windows: Windows::default(),
            without_views: Vec::new(),
            state: Limits::default(),
            warm_up: WARM_UP,
            rates: Rates::default(),
        }
    }
}

/// The default: views, each of what one kind of fraud does. On makers of data that were left out of the choice they hold
/// better than detectors that look at all columns alike, where what a feed has nothing of drowns what it has.
fn default_detectors() -> Vec<DetectorSpec> {
    #[expect(clippy::expect_used, reason = "the name is the constant above; every test that fits makes it")]
    let views = DetectorSpec::new(VIEWS).expect("a registered detector");
    vec![views]
}

/// Which columns detectors see: those they see by default, and these, without those. What a feed cannot feed is left
/// out, named or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Columns {
    /// Names of columns to see beside the default ones.
    pub add: Vec<String>,
    /// Names of columns not to see.
    pub drop: Vec<String>,
}

/// The TOML of a [`Config`].
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Text {
    seed: Option<u64>,
    fit_rows: Option<usize>,
    warm_up: Option<String>,
    detectors: Option<Vec<DetectorSpec>>,
    columns: Columns,
    windows: WindowsText,
    views: ViewsText,
    state: StateText,
    currencies: Rates,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ViewsText {
    drop: Vec<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WindowsText {
    account: Option<Vec<String>>,
    counterparty: Option<Vec<String>>,
    pattern: Option<Vec<String>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StateText {
    lateness: Option<String>,
    ahead: Option<String>,
    repeats: Option<String>,
    forget_after: Option<String>,
    memory_mib: Option<u64>,
}

fn wrong(what: impl Display) -> Error {
    Error::Config(what.to_string())
}

fn window(text: &str) -> Result<Window, Error> {
    text.parse().map_err(wrong)
}

/// The windows given, which are as many, or the default ones.
fn windows<const N: usize>(what: &str, given: Option<Vec<String>>, default: [Window; N]) -> Result<[Window; N], Error> {
    let Some(given) = given else { return Ok(default) };
    let all: Vec<Window> = given.iter().map(|text| window(text)).collect::<Result<_, _>>()?;
    let count = |all: Vec<Window>| wrong(format!("{} windows of `{what}`, expected {N}", all.len()));
    all.try_into().map_err(count)
}

impl FromStr for Config {
    type Err = Error;

    fn from_str(toml: &str) -> Result<Self, Error> {
        Self::from_toml(toml)
    }
}

impl Columns {
    /// The same with a column that is not seen by default.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>) -> Self {
        self.add.push(name.into());
        self
    }

    /// The same without a column.
    #[must_use]
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.drop.push(name.into());
        self
    }
}

impl Rates {
    /// The same with what a major unit of a currency is worth.
    #[must_use]
    pub fn with(mut self, currency: Currency, rate: f64) -> Self {
        self.of.insert(currency, rate);
        self
    }

    /// The same where payments in any other currency are refused.
    #[must_use]
    pub fn refusing_others(mut self) -> Self {
        self.refuse_others = true;
        self
    }
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    /// [`Error::Config`] where it is no such TOML, a name is no column's or detector's, or a length makes no sense; it
    /// names the place.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let text: Text = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end()))?;
        let default = Self::default();
        let windows = Windows {
            account: windows("account", text.windows.account, default.windows.account)?,
            counterparty: windows("counterparty", text.windows.counterparty, default.windows.counterparty)?,
            pattern: windows("pattern", text.windows.pattern, default.windows.pattern)?,
        };
        let mut state = Limits::default();
        if let Some(lateness) = text.state.lateness {
            state.lateness = window(&lateness)?;
        }
        if let Some(ahead) = text.state.ahead {
            state.ahead = window(&ahead)?;
        }
        if let Some(forget_after) = text.state.forget_after {
            state.forget_after = window(&forget_after)?;
        }
        state.memory = text.state.memory_mib.map(|mib| mib.saturating_mul(1 << 20));
        let [.., longest] = windows.account;
        state.repeats = text.state.repeats.map_or(Ok(longest), |repeats| window(&repeats))?;
        let config = Self {
            seed: text.seed.unwrap_or(default.seed),
            fit_rows: text.fit_rows.unwrap_or(default.fit_rows),
            warm_up: text.warm_up.map_or(Ok(default.warm_up), |text| window(&text))?,
            detectors: text.detectors.unwrap_or(default.detectors),
            columns: text.columns,
            windows,
            without_views: text.views.drop,
            state,
            rates: text.currencies,
        };
        config.check()?;
        Ok(config)
    }

    /// The same as TOML, with everything written out; memory is rounded down to whole MiB.
    ///
    /// # Errors
    /// [`Error::Config`] where it cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, Error> {
        let tags = |windows: &[Window]| Some(windows.iter().map(|window| window.tag()).collect());
        let Windows { account, counterparty, pattern } = &self.windows;
        let text = Text {
            seed: Some(self.seed),
            fit_rows: Some(self.fit_rows),
            warm_up: Some(self.warm_up.tag()),
            detectors: Some(self.detectors.clone()),
            columns: self.columns.clone(),
            windows: WindowsText { account: tags(account), counterparty: tags(counterparty), pattern: tags(pattern) },
            views: ViewsText { drop: self.without_views.clone() },
            state: StateText {
                lateness: Some(self.state.lateness.tag()),
                ahead: Some(self.state.ahead.tag()),
                repeats: Some(self.state.repeats.tag()),
                forget_after: Some(self.state.forget_after.tag()),
                memory_mib: self.state.memory.map(|bytes| bytes >> 20),
            },
            currencies: self.rates.clone(),
        };
        toml::to_string(&text).map_err(wrong)
    }

    /// Names of all columns detectors could see, of a feed that lacks nothing.
    pub fn known_columns(&self) -> Vec<String> {
        // What is only there to be shown beside others means nothing on its own.
        let set = FeatureSet::all(Has::ALL, &self.settings(Peers::default()));
        let weighable = set.columns().iter().filter(|column| !column.phrase.is_empty());
        weighable.map(|column| column.name.to_string()).collect()
    }

    /// Names of all views.
    pub fn known_views() -> Vec<&'static str> {
        crate::views::names().collect()
    }

    /// Whether views score, which run alone.
    pub(crate) fn is_views(&self) -> bool {
        matches!(&self.detectors[..], [only] if only.name() == VIEWS)
    }

    pub(crate) fn settings(&self, peers: Peers) -> Settings {
        Settings { windows: self.windows, limits: self.state, peers }
    }

    /// That all names are of columns there are, windows grow and limits fit.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.state.check(&self.windows).map_err(wrong)?;
        let Rates { of, refuse_others } = &self.rates;
        if let Some((currency, rate)) = of.iter().find(|(_, rate)| !(**rate > 0.0 && rate.is_finite())) {
            return Err(wrong(format!("a rate of {rate} for {currency}, expected a number above 0")));
        }
        if *refuse_others && of.is_empty() {
            return Err(wrong("other currencies are to be refused, and there are no rates"));
        }
        if self.detectors.iter().any(|detector| detector.name() == "ensemble") {
            return Err(wrong("`ensemble` cannot be one of the detectors: the engine makes the ensemble of them"));
        }
        if self.detectors.len() > 1 && self.detectors.iter().any(|detector| detector.name() == VIEWS) {
            return Err(wrong("`views` beside other detectors, expected it alone"));
        }
        if self.is_views() && self.detectors.iter().any(|detector| detector.parameters().len() > 0) {
            return Err(wrong("`views` with parameters, which the engine sets itself"));
        }
        let views = Self::known_views();
        if let Some(name) = self.without_views.iter().find(|name| !views.contains(&name.as_str())) {
            return Err(wrong(format!("unknown view: `{name}`; expected one of {}", views.join(", "))));
        }
        let Columns { add, drop } = &self.columns;
        let known = self.known_columns();
        let unknown = add.iter().chain(drop).find(|name| !known.contains(name));
        if let Some(name) = unknown {
            return Err(wrong(format!(
                "unknown column, or one that is not scored: `{name}`; expected one of {}",
                known.join(", ")
            )));
        }
        if let Some(name) = add.iter().find(|name| drop.contains(name)) {
            return Err(wrong(format!("`{name}` is both added and dropped")));
        }
        Ok(())
    }

    /// What computes the columns over a feed that has this.
    pub(crate) fn features(&self, has: Has, peers: &Peers) -> FeatureSet {
        let named = |names: &[String], column: &Column| names.iter().any(|name| *name == column.name);
        let Columns { add, drop } = &self.columns;
        let views = self.is_views().then(|| crate::views::columns(&self.windows));
        let usual = |column: &Column| views.as_ref().map_or(column.input, |views| named(views, column));
        let seen = |column: &Column| (usual(column) || named(add, column)) && !named(drop, column);
        FeatureSet::scoring(has, &self.settings(peers.clone()), seen)
    }
}
