use std::fmt;
use std::str::FromStr;

/// How a fraud is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scenario {
    /// A burst of purchases at merchants new to the account, in another town or country, mostly at night.
    StolenCard,
    /// Transfers to payees the holder does not know, until little is left.
    AccountTakeover,
    /// Many tiny payments online, then a large one.
    CardTesting,
    /// A merchant the holder knows charges many times the usual.
    AmountInflation,
    /// Cards seen at one merchant are used elsewhere some days later.
    CompromisedMerchant,
    /// One ring pays from many accounts, some opened lately, with the few devices it has; amounts are ordinary.
    DeviceFarm,
    /// The holder is talked into transfers to a payee of a fraudster: one for goods that never come, a few within an
    /// hour after savings were moved in, or a series that grows.
    AuthorisedPushPayment,
    /// Refunds without a right to them: most of what a buyer orders is claimed back, or a cashier sends refunds of
    /// nothing.
    RefundAbuse,
    /// First-party fraud: an account that behaved spends its credit within days and never pays again.
    BustOut,
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scenario: expected one of {names}", names = Scenario::ALL.map(Scenario::as_str).join(", "))]
pub struct UnknownScenario(pub String);

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::StolenCard,
        Self::AccountTakeover,
        Self::CardTesting,
        Self::AmountInflation,
        Self::CompromisedMerchant,
        Self::DeviceFarm,
        Self::AuthorisedPushPayment,
        Self::RefundAbuse,
        Self::BustOut,
    ];

    /// Those of a population for which none are named: what others do with somebody's card or account.
    pub const USUAL: [Self; 5] =
        [Self::StolenCard, Self::AccountTakeover, Self::CardTesting, Self::AmountInflation, Self::CompromisedMerchant];

    /// Those that come with a population that has devices and new customers, and whose ordinary rows look like them.
    pub const WITH_LOOKALIKES: [Self; 4] =
        [Self::DeviceFarm, Self::AuthorisedPushPayment, Self::RefundAbuse, Self::BustOut];

    /// Its name in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StolenCard => "stolen_card",
            Self::AccountTakeover => "account_takeover",
            Self::CardTesting => "card_testing",
            Self::AmountInflation => "amount_inflation",
            Self::CompromisedMerchant => "compromised_merchant",
            Self::DeviceFarm => "device_farm",
            Self::AuthorisedPushPayment => "authorised_push_payment",
            Self::RefundAbuse => "refund_abuse",
            Self::BustOut => "bust_out",
        }
    }

    /// About how many rows an episode has.
    pub(super) const fn rows(self) -> i64 {
        match self {
            Self::StolenCard => 6,
            Self::AccountTakeover => 4,
            Self::CardTesting => 9,
            Self::AmountInflation => 2,
            Self::CompromisedMerchant => 8,
            Self::DeviceFarm => 36,
            Self::AuthorisedPushPayment => 3,
            Self::RefundAbuse => 7,
            Self::BustOut => 14,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, UnknownScenario> {
        let is_named = |scenario: &Self| scenario.as_str() == text.replace('-', "_");
        Self::ALL.into_iter().find(is_named).ok_or_else(|| UnknownScenario(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_read_back_and_in_one_list() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
            assert_eq!(scenario.as_str().replace('_', "-").parse(), Ok(scenario));
            assert!(Scenario::USUAL.contains(&scenario) != Scenario::WITH_LOOKALIKES.contains(&scenario));
        }
        let error = "bustout".parse::<Scenario>().map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("`bustout`") && error.contains("bust_out")));
    }
}
