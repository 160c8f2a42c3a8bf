//! The presets of statements and messages: what becomes of the columns that all formats have.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Id, Inflow, Meaning, Money, Place, Preset, Shape, Sign, Style, Text, Time};
use crate::formats::{ALL, About, Format};

/// Columns that only tell entries apart.
const APART: [&str; 3] = ["description", "reference", "value-date"];

/// Those of all formats.
pub(super) fn presets() -> impl Iterator<Item = Preset> {
    ALL.iter().map(|&format| preset(format))
}

fn place(name: &str) -> Place {
    Place::Named(name.to_owned())
}

fn column(name: &str) -> Text {
    Text { column: Some(place(name)), ..Text::default() }
}

fn words(column: &str, word: &str) -> Option<Inflow> {
    Some(Inflow { column: place(column), values: vec![word.to_owned()] })
}

fn preset(format: &'static dyn Format) -> Preset {
    let about = format.about();
    let corrected = about.corrects;
    let other = Some(place("reversal-of"));
    Preset {
        name: about.name.to_owned(),
        title: about.title.to_owned(),
        source: about.source.to_owned(),
        licence: String::new(),
        notes: about.notes.to_owned(),
        undecided: Vec::new(),
        apart: APART.map(place).to_vec(),
        file: Shape::default(),
        account: column("account"),
        time: Time {
            column: Some(place("time")),
            columns: Vec::new(),
            finer: None,
            formats: vec!["iso".to_owned()],
            zone: Some("UTC".to_owned()),
            zone_column: None,
            zones: BTreeMap::new(),
            step: None,
        },
        amount: Money {
            column: Some(place("amount")),
            sign: Some(Sign::OutflowNegative),
            format: Some(Style::Plain),
            ..Money::default()
        },
        currency: Some(column("currency")),
        counterparty: Some(Text {
            is_account: about.parties_are_accounts,
            payee: payees(about),
            ..column("counterparty")
        }),
        category: Some(column("category")),
        channel: Some(column("channel")),
        country: about.country.then(|| column("country")),
        position: None,
        device: None,
        address: None,
        balance: None,
        id: about.id.map(|trusted| Id { column: place("id"), trusted }),
        label: None,
        meaning: Meaning {
            pending: words("status", "pending"),
            reversal: words("reversal", "yes"),
            original: other.clone().filter(|_| !corrected),
            replaces: other.filter(|_| corrected),
            ..Meaning::default()
        },
        skip: Vec::new(),
        format: Some(format),
        toml: written(about, corrected).into(),
    }
}

/// The rules that find payees. Nothing tells the language of a statement; messages of transfers and of cards name
/// parties and have no texts.
fn payees(about: &About) -> Vec<String> {
    let sets = ["en", "de", "nl", "fr", "es", "pl"].into_iter().filter(|_| about.texts);
    sets.map(str::to_owned).collect()
}

/// The same as TOML, for whoever wants to see it.
fn written(about: &About, corrected: bool) -> String {
    let mut text = format!(
        "name = '{}'\ntitle = '{}'\nsource = '{}'\nnotes = '''{}'''\napart = ['description', 'reference', 'value-date']\n\
         account.column = 'account'\ntime = {{ column = 'time', formats = ['iso'], zone = 'UTC' }}\n\
         amount = {{ column = 'amount', sign = 'outflow-negative', format = 'plain' }}\n\
         currency.column = 'currency'\ncategory.column = 'category'\nchannel.column = 'channel'\n\
         counterparty = {{ column = 'counterparty', is-account = {}, payee = {:?} }}\n\
         meaning.pending = {{ column = 'status', values = ['pending'] }}\n\
         meaning.reversal = {{ column = 'reversal', values = ['yes'] }}\nmeaning.{} = 'reversal-of'\n",
        about.name,
        about.title,
        about.source,
        about.notes,
        about.parties_are_accounts,
        payees(about),
        if corrected { "replaces" } else { "original" },
    );
    // Writing to a string has nothing to fail on.
    if let Some(trusted) = about.id {
        let _ = writeln!(text, "id = {{ column = 'id', trusted = {trusted} }}");
    }
    if about.country {
        text.push_str("country.column = 'country'\n");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_shown_of_a_statement_is_what_it_is() {
        for preset in presets() {
            let read = Preset::from_toml(preset.toml(), preset.name()).unwrap();
            let same = Preset { format: preset.format, toml: preset.toml.clone(), ..read };
            assert_eq!(format!("{preset:?}"), format!("{same:?}"));
        }
        assert_eq!(presets().count(), ALL.len());
    }
}
