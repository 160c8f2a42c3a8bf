//! What columns are called: by presets, and by programs that write a table again.

use std::collections::HashMap;

use crible_core::Currency;

use super::{Origin, Place, Preset};
use crate::value::text::fold;

/// The currency that a name ends in, as `Amount (EUR)` and `Betrag (€)` do, and the name before it.
pub(crate) fn currency_in(name: &str) -> Option<(&str, Currency)> {
    let (before, inner) = name.trim_end().strip_suffix([')', ']'])?.rsplit_once(['(', '['])?;
    let code = match inner.trim() {
        "€" => "EUR",
        "$" => "USD",
        "£" => "GBP",
        "zł" => "PLN",
        code => code,
    };
    let code = code.bytes().all(|byte| byte.is_ascii_uppercase()).then_some(code)?;
    Some((before, Currency::new(code.as_bytes()).filter(|currency| currency.is_assigned())?))
}

/// What stands for the currency that a name ends in.
const CURRENCY: &str = "(*)";

/// A name that ends in a currency as it is compared, without which one; nothing where it names none.
fn bare(name: &str) -> Option<String> {
    currency_in(name).map(|(name, _)| fold(name) + CURRENCY)
}

/// What a preset calls its columns.
#[derive(Debug)]
pub(crate) struct Names {
    /// By the name as it is compared.
    folded: HashMap<String, String>,
    /// Whether a column names its currency, which is then no part of the name.
    pub(crate) named_currency: bool,
    /// The one currency of the feed: a column that names it says nothing new.
    pub(crate) currency: Option<Currency>,
    /// Names that a header has more than once.
    repeated: Vec<String>,
}

impl Names {
    pub(crate) fn new(preset: &Preset) -> Self {
        let named_currency = preset.currency.as_ref().is_some_and(|text| text.from == Some(Origin::Header));
        let constant = preset.currency.as_ref().and_then(|text| text.constant.as_ref());
        let currency = constant.and_then(|code| Currency::new(code.as_bytes()));
        let more = |form: &'_ Vec<String>| -> Vec<String> {
            form.iter()
                .enumerate()
                .filter(|(at, name)| form[..*at].contains(name))
                .map(|(_, name)| name.clone())
                .collect()
        };
        let repeated = preset.forms().flat_map(more).filter(|name| !name.is_empty()).collect();
        let mut new = Self { folded: HashMap::new(), named_currency, currency, repeated };
        let aliases = &preset.file.aliases;
        // What is another name of a column is none of its own, although a form may have it.
        let others: Vec<(&str, &str)> = aliases
            .iter()
            .flat_map(|(name, others)| others.iter().map(|other| (other.as_str(), name.as_str())))
            .collect();
        let places = preset.places();
        let read: Vec<&str> = places
            .iter()
            .filter_map(|(_, place)| match place {
                Place::Named(name) => Some(name.as_str()),
                Place::At(_) => None,
            })
            .collect();
        let headers = preset.forms().chain([&preset.file.has]).flatten().map(String::as_str);
        for name in read.iter().copied().chain(headers) {
            if read.contains(&name) || !others.iter().any(|(other, _)| *other == name) {
                new.folded.entry(new.own_key(name)).or_insert_with(|| name.to_owned());
            }
        }
        for (other, name) in others {
            new.folded.entry(new.own_key(other)).or_insert_with(|| name.to_owned());
        }
        new.folded.remove("");
        new
    }

    /// A name of the feed's own as it is compared.
    fn own_key(&self, name: &str) -> String {
        bare(name).filter(|_| self.named_currency).unwrap_or_else(|| fold(name))
    }

    /// A name as it is compared with those of this feed.
    pub(crate) fn key(&self, name: &str) -> String {
        let folded = fold(name);
        self.without_currency(name, &folded).unwrap_or(folded)
    }

    /// The same of a name that ends in a currency, where that is no part of it; `folded` is as it is compared.
    pub(crate) fn without_currency(&self, name: &str, folded: &str) -> Option<String> {
        if self.named_currency {
            return bare(name);
        }
        let (before, currency) = currency_in(name).filter(|_| !self.folded.contains_key(folded))?;
        (self.currency == Some(currency)).then(|| fold(before))
    }

    /// The preset's name for a column of a file.
    pub(crate) fn of(&self, name: &str) -> Option<&str> {
        self.at(&self.key(name))
    }

    /// The same by the name as it is compared.
    pub(crate) fn at(&self, key: &str) -> Option<&str> {
        self.folded.get(key).map(String::as_str)
    }

    /// Whether a header of the feed has a name more than once.
    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|known| known == name)
    }

    /// The preset's name for a column that a program told from another of the same name.
    pub(crate) fn first_of(&self, name: &str) -> Option<&str> {
        if self.repeated.is_empty() {
            return None;
        }
        self.of(first_of(name)?).filter(|name| self.is_repeated(name))
    }

    /// The columns of a header of the feed's own, by the names that the rest of the preset uses.
    pub(crate) fn own(&self, form: &[String]) -> Vec<String> {
        form.iter().map(|name| self.of(name).unwrap_or(name).to_owned()).collect()
    }
}

/// What several presets call their columns, in their order; nothing of formats.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    feeds: Vec<Option<Names>>,
    /// Feeds that have a column of a name.
    known: HashMap<String, usize>,
}

impl Vocabulary {
    pub(crate) fn of<'p>(presets: impl Iterator<Item = &'p Preset>) -> Self {
        let names = |preset: &Preset| preset.format.is_none().then(|| Names::new(preset));
        let feeds: Vec<Option<Names>> = presets.map(names).collect();
        let mut known: HashMap<String, usize> = HashMap::new();
        for name in feeds.iter().flatten().flat_map(|names| names.folded.keys()) {
            *known.entry(name.clone()).or_default() += 1;
        }
        Self { feeds, known }
    }

    pub(crate) fn feeds(&self) -> impl Iterator<Item = Option<&Names>> {
        self.feeds.iter().map(Option::as_ref)
    }

    /// How many feeds have a column of a name, as it is compared.
    pub(crate) fn count(&self, key: &str) -> usize {
        self.known.get(key).copied().unwrap_or(0)
    }
}

/// The name that a column had before a program told it from another of the same: `Account.1` of pandas, `Account_1` of
/// spreadsheets and databases, `Account_duplicated_0` of Polars.
pub(crate) fn first_of(name: &str) -> Option<&str> {
    let bare = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    if bare.len() == name.len() || name.len() - bare.len() > 3 {
        return None;
    }
    let first = ["_duplicated_", "...", ".", "_"].iter().find_map(|mark| bare.strip_suffix(mark))?;
    (!first.is_empty()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_column_has_the_first_ones_name() {
        for name in ["Account.1", "Account_1", "Account_duplicated_0", "Account...5"] {
            assert_eq!(first_of(name), Some("Account"), "{name}");
        }
        for name in ["Account", "V1", "card1", ".1", "Amount 2", "2024.1234"] {
            assert_eq!(first_of(name), None, "{name}");
        }
    }
}
