use std::collections::BTreeMap;

use crible_core::{Amount, Currency, Window};

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
}

impl Default for Settings {
    fn default() -> Self {
        let week = Window::WEEK;
        Self { account: week, ring: week, counterparty: Some(Window::DAY), four_eyes: None, due: None }
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
