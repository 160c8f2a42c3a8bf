use std::collections::BTreeMap;

use crible_core::{Amount, Currency, Window};
use serde::{Deserialize, Serialize};

use crate::Grouping;

/// How alerts become cases, and what closing one takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// An alert joins the open case of its account within this time of the case's alerts. Seven days.
    pub account: Window,
    /// The same for accounts that are linked. Seven days.
    pub ring: Window,
    /// The same for the counterparty of the alert that opened the case; `None` keeps a shop's customers apart. One
    /// day. Only the first alert's counterparty counts: otherwise two large shops would make one case of everybody.
    pub counterparty: Option<Window>,
    /// From which amounts closing takes a second person; `None` for never.
    pub four_eyes: Option<FourEyes>,
    /// A case is due so long after it was opened; `None` for no date.
    pub due: Option<Window>,
    /// A closed case may keep back what comes next for so long at most. 90 days.
    pub quiet: Window,
    /// When people are told of a case.
    pub notices: Grouping,
}

impl Default for Settings {
    fn default() -> Self {
        let week = Window::WEEK;
        let quiet = Window(90 * Window::DAY.0);
        Self {
            account: week,
            ring: week,
            counterparty: Some(Window::DAY),
            four_eyes: None,
            due: None,
            quiet,
            notices: Grouping::default(),
        }
    }
}

/// From which amounts at risk closing a case takes a second person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FourEyes {
    limits: BTreeMap<Currency, i64>,
}

impl FourEyes {
    /// With a limit for each currency, of which the sign does not matter. A currency without a limit always takes a
    /// second person: amounts of different currencies are not compared, and what nobody thought of is not let
    /// through.
    pub fn new(limits: impl IntoIterator<Item = Amount>) -> Self {
        let limits = limits.into_iter().map(|limit| (limit.currency, limit.minor.saturating_abs())).collect();
        Self { limits }
    }

    /// Whether what is at risk takes a second person.
    pub fn covers(&self, at_risk: &BTreeMap<Currency, i128>) -> bool {
        at_risk
            .iter()
            .any(|(currency, &minor)| self.limits.get(currency).is_none_or(|&limit| minor >= i128::from(limit)))
    }
}

/// Settings as people write them; what is not there is as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsText {
    /// As `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// As `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<String>,
    /// As `1d`, or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<String>,
    /// As `3d`, or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// As `90d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<String>,
    /// As `30s`: the first notice of a case waits so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_wait: Option<String>,
    /// As `5min`: what comes later is told at most once in this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_interval: Option<String>,
    /// As `4h`, or `never`: a case that nobody has looked at is told again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_repeat: Option<String>,
    /// As `["10000.00 USD", "9000.00 EUR"]`: from these amounts on closing takes a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub four_eyes: Option<Vec<String>>,
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct BadSettings {
    /// Which one.
    pub name: &'static str,
    /// What is wrong.
    pub what: String,
}

impl SettingsText {
    /// Reads them.
    ///
    /// # Errors
    /// [`BadSettings`] names the one that does not read.
    pub fn read(&self) -> Result<Settings, BadSettings> {
        let mut settings = Settings::default();
        let window = |name: &'static str, text: &str| -> Result<Window, BadSettings> {
            let read = text.parse::<Window>().map_err(|error| BadSettings { name, what: error.to_string() })?;
            if read.0 > 0 { Ok(read) } else { Err(BadSettings { name, what: format!("`{text}` is no time at all") }) }
        };
        let or_never = |name, text: &str| if text == "never" { Ok(None) } else { window(name, text).map(Some) };
        if let Some(text) = &self.account {
            settings.account = window("account", text)?;
        }
        if let Some(text) = &self.ring {
            settings.ring = window("ring", text)?;
        }
        if let Some(text) = &self.counterparty {
            settings.counterparty = or_never("counterparty", text)?;
        }
        if let Some(text) = &self.due {
            settings.due = or_never("due", text)?;
        }
        if let Some(text) = &self.quiet {
            settings.quiet = window("quiet", text)?;
        }
        if let Some(text) = &self.notice_wait {
            settings.notices.wait = window("notice_wait", text)?;
        }
        if let Some(text) = &self.notice_interval {
            settings.notices.interval = window("notice_interval", text)?;
        }
        if let Some(text) = &self.notice_repeat {
            settings.notices.repeat = or_never("notice_repeat", text)?;
        }
        if let Some(limits) = &self.four_eyes {
            let amount = |text: &String| {
                let bad = |what: String| BadSettings { name: "four_eyes", what };
                let (value, currency) = text
                    .split_once(' ')
                    .ok_or_else(|| bad(format!("`{text}`: expected an amount and its currency, as in 10000.00 USD")))?;
                let currency: Currency = currency.trim().parse().map_err(|error| bad(format!("{error}")))?;
                Amount::parse(value, currency).map_err(|error| bad(format!("`{text}`: {error}")))
            };
            settings.four_eyes = Some(FourEyes::new(limits.iter().map(amount).collect::<Result<Vec<_>, _>>()?));
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_or_the_wrong_one_is_named() {
        let text = |field: &str, value: &str| -> SettingsText {
            serde_json::from_str(&format!("{{\"{field}\": {value}}}")).unwrap()
        };
        assert_eq!(SettingsText::default().read(), Ok(Settings::default()));
        assert_eq!(text("counterparty", "\"never\"").read().unwrap().counterparty, None);
        assert_eq!(text("due", "\"3d\"").read().unwrap().due, Some(Window(3 * Window::DAY.0)));
        assert_eq!(text("notice_interval", "\"10min\"").read().unwrap().notices.interval, Window(10 * 60_000_000));
        assert_eq!(text("notice_repeat", "\"never\"").read().unwrap().notices.repeat, None);
        let two = text("four_eyes", "[\"100.00 USD\"]").read().unwrap().four_eyes.unwrap();
        assert!(two.covers(&BTreeMap::from([(Currency::USD, 10_000)])));
        assert!(!two.covers(&BTreeMap::from([(Currency::USD, 9_999)])));
        for (field, value) in [
            ("account", "\"soon\""),
            ("ring", "\"0d\""),
            ("notice_wait", "\"0s\""),
            ("notice_repeat", "\"often\""),
            ("quiet", "\"never\""),
            ("four_eyes", "[\"100.00\"]"),
            ("four_eyes", "[\"x USD\"]"),
            ("four_eyes", "[\"1.00 dollars\"]"),
        ] {
            assert_eq!(text(field, value).read().unwrap_err().name, field, "{value}");
        }
        assert!(serde_json::from_str::<SettingsText>("{\"colour\": \"red\"}").is_err());
    }
}
