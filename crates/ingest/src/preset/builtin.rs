use std::sync::OnceLock;

use super::Preset;

/// Every file of `presets/`, and the order in which they are listed. A test fails where one is missing.
pub(super) const FILES: &[(&str, &str)] = &[
    ("crible", include_str!("../../presets/crible.toml")),
    ("handbook", include_str!("../../presets/handbook.toml")),
    ("sparkov", include_str!("../../presets/sparkov.toml")),
    ("sparkov-generator", include_str!("../../presets/sparkov-generator.toml")),
    ("ulb-creditcard", include_str!("../../presets/ulb-creditcard.toml")),
    ("paysim", include_str!("../../presets/paysim.toml")),
    ("chase-checking", include_str!("../../presets/chase-checking.toml")),
    ("chase-card", include_str!("../../presets/chase-card.toml")),
    ("wells-fargo", include_str!("../../presets/wells-fargo.toml")),
    ("wells-fargo-header", include_str!("../../presets/wells-fargo-header.toml")),
    ("citi-card", include_str!("../../presets/citi-card.toml")),
    ("us-bank", include_str!("../../presets/us-bank.toml")),
    ("scotiabank-chequing", include_str!("../../presets/scotiabank-chequing.toml")),
    ("venmo", include_str!("../../presets/venmo.toml")),
    ("paypal", include_str!("../../presets/paypal.toml")),
    ("paypal-uk", include_str!("../../presets/paypal-uk.toml")),
    ("paypal-eu", include_str!("../../presets/paypal-eu.toml")),
    ("capital-one-card", include_str!("../../presets/capital-one-card.toml")),
    ("capital-one-360", include_str!("../../presets/capital-one-360.toml")),
    ("schwab", include_str!("../../presets/schwab.toml")),
    ("mercury", include_str!("../../presets/mercury.toml")),
    ("apple-card", include_str!("../../presets/apple-card.toml")),
    ("mint", include_str!("../../presets/mint.toml")),
    ("discover", include_str!("../../presets/discover.toml")),
    ("amex", include_str!("../../presets/amex.toml")),
    ("amex-uk", include_str!("../../presets/amex-uk.toml")),
    ("bank-of-america", include_str!("../../presets/bank-of-america.toml")),
    ("bank-of-america-card", include_str!("../../presets/bank-of-america-card.toml")),
    ("chase-cards", include_str!("../../presets/chase-cards.toml")),
    ("chase-card-legacy", include_str!("../../presets/chase-card-legacy.toml")),
    ("chase-checking-legacy", include_str!("../../presets/chase-checking-legacy.toml")),
    ("revolut", include_str!("../../presets/revolut.toml")),
    ("revolut-2020", include_str!("../../presets/revolut-2020.toml")),
    ("revolut-business", include_str!("../../presets/revolut-business.toml")),
    ("revolut-business-2022", include_str!("../../presets/revolut-business-2022.toml")),
    ("monzo", include_str!("../../presets/monzo.toml")),
    ("monzo-2018", include_str!("../../presets/monzo-2018.toml")),
    ("n26", include_str!("../../presets/n26.toml")),
    ("wise", include_str!("../../presets/wise.toml")),
    ("wise-history", include_str!("../../presets/wise-history.toml")),
    ("bunq", include_str!("../../presets/bunq.toml")),
    ("dkb", include_str!("../../presets/dkb.toml")),
    ("dkb-visa", include_str!("../../presets/dkb-visa.toml")),
    ("sparkasse", include_str!("../../presets/sparkasse.toml")),
    ("stripe-balance", include_str!("../../presets/stripe-balance.toml")),
    ("stripe-balance-dashboard", include_str!("../../presets/stripe-balance-dashboard.toml")),
    ("stripe-charges", include_str!("../../presets/stripe-charges.toml")),
    ("stripe-payments", include_str!("../../presets/stripe-payments.toml")),
    ("plaid", include_str!("../../presets/plaid.toml")),
    ("plaid-json", include_str!("../../presets/plaid-json.toml")),
    ("open-banking-uk", include_str!("../../presets/open-banking-uk.toml")),
    ("banksim", include_str!("../../presets/banksim.toml")),
    ("tabformer", include_str!("../../presets/tabformer.toml")),
    ("ibm-aml", include_str!("../../presets/ibm-aml.toml")),
    ("amlsim", include_str!("../../presets/amlsim.toml")),
    ("ieee-cis", include_str!("../../presets/ieee-cis.toml")),
    ("baf", include_str!("../../presets/baf.toml")),
    ("s-ffsd", include_str!("../../presets/s-ffsd.toml")),
];

/// The presets, parsed once.
pub(super) fn presets() -> &'static [Preset] {
    static PRESETS: OnceLock<Vec<Preset>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        // A preset that does not parse is left out here and caught by the test below, before it can ship.
        FILES.iter().filter_map(|(name, text)| Preset::from_toml(text, name).ok()).collect()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_preset_parses_under_its_name() {
        for (name, text) in FILES {
            let preset = Preset::from_toml(text, name).unwrap();
            assert_eq!(preset.name(), *name);
            assert!(!preset.title().is_empty() && !preset.source().is_empty(), "{name}: title and source");
            assert!(preset.has_signature(), "{name}: a header or a shape");
            let way = preset.amount.sign.is_some() || preset.amount.outflow.is_some();
            assert!(way || preset.amount.debit.is_some(), "{name}: the sign is stated");
            let described = !preset.time.formats.is_empty() || preset.time.step.is_some();
            assert!(described && preset.currency.is_some(), "{name}: time format and currency are stated");
        }
        assert_eq!(presets().len(), FILES.len());
    }

    #[test]
    fn every_file_is_listed_and_documented() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files: BTreeSet<String> = fs::read_dir(root.join("presets"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| format!("{name}.toml")).collect();
        assert_eq!(files, listed, "presets/ and preset/builtin.rs name the same files");
        let readme = fs::read_to_string(root.join("README.md")).unwrap();
        for (name, _) in FILES {
            assert!(readme.contains(&format!("| `{name}` |")), "README.md: a table row for `{name}`");
        }
    }
}
