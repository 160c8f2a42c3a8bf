//! What can be said of one column: the words of its name, and what its values look like.

use crible_core::Currency;

use super::table::Table;
use crate::preset::Style;
use crate::value::amount;

/// Words that a column of few words may have.
const FEW: usize = 24;

/// One column of a table.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) at: usize,
    pub(super) name: String,
    /// The name's words, in lower case: `nameOrig`, `TX_AMOUNT` and `Card No.` have two each.
    words: Vec<String>,
    /// Its values, without those that are empty.
    pub(super) values: Vec<String>,
    pub(super) rows: usize,
    /// The different values, as far as they are few, in order of appearance.
    pub(super) distinct: Vec<String>,
    pub(super) is_few: bool,
    /// A quote of another kind that stands around every value.
    pub(super) strip: Option<char>,
}

impl Column {
    pub(super) fn of(table: &Table, at: usize) -> Self {
        let mut values: Vec<String> = table.values(at).filter(|value| !value.is_empty()).map(str::to_owned).collect();
        let framed = |value: &String| value.len() > 1 && value.starts_with('\'') && value.ends_with('\'');
        let strip = (!values.is_empty() && values.iter().all(framed)).then_some('\'');
        if strip.is_some() {
            for value in &mut values {
                *value = value[1..value.len() - 1].trim().to_owned();
            }
        }
        let mut distinct: Vec<String> = Vec::new();
        let mut is_few = true;
        for value in &values {
            if !distinct.contains(value) {
                if distinct.len() == FEW {
                    is_few = false;
                    break;
                }
                distinct.push(value.clone());
            }
        }
        let name = table.names[at].clone();
        Self { at, words: words(&name), name, values, rows: table.rows.len(), distinct, is_few, strip }
    }

    /// Whether the name has a word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    pub(super) fn has_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    /// Whether the name, its words written as one, is this.
    pub(super) fn is(&self, words: &str) -> bool {
        self.words.join(" ") == words
    }

    /// Whether the name's words hold these in a row.
    pub(super) fn holds(&self, words: &str) -> bool {
        format!(" {} ", self.words.join(" ")).contains(&format!(" {words} "))
    }

    /// The name's words but for some, written as one.
    pub(super) fn without(&self, words: &[&str]) -> String {
        let left: Vec<&str> = self.words.iter().map(String::as_str).filter(|word| !words.contains(word)).collect();
        left.join(" ")
    }

    /// Share of rows that have a value.
    pub(super) fn filled(&self) -> f64 {
        self.values.len() as f64 / self.rows.max(1) as f64
    }

    /// Share of its values that something holds of.
    pub(super) fn share(&self, holds: impl Fn(&str) -> bool) -> f64 {
        if self.values.is_empty() {
            return 0.0;
        }
        self.values.iter().filter(|value| holds(value)).count() as f64 / self.values.len() as f64
    }

    /// Whether nearly all values are amounts, written in some way.
    pub(super) fn is_money(&self) -> bool {
        [Style::Money, Style::MoneyComma].iter().any(|&style| self.share(|value| money(value, style)) > 0.8)
    }

    /// Whether its values are words rather than numbers or times.
    pub(super) fn is_text(&self) -> bool {
        self.share(|value| value.chars().any(char::is_alphabetic)) > 0.5
    }

    /// Whether no value comes twice.
    pub(super) fn is_unique(&self) -> bool {
        let mut sorted: Vec<&String> = self.values.iter().collect();
        sorted.sort();
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    }

    pub(super) fn has_html(&self) -> bool {
        self.values
            .iter()
            .any(|value| ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().any(|part| value.contains(part)))
    }
}

/// Whether a value is an amount in a style, of whatever precision.
pub(super) fn money(value: &str, style: Style) -> bool {
    amount::read(value.as_bytes(), style, Currency::NONE).is_ok()
}

/// A name's words, cut at whatever is no letter or digit and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let cut = !letter.is_alphanumeric() || (letter.is_uppercase() && before.is_lowercase());
        if cut && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The first column of the first name on a list; a name that only holds the words comes after all that are the words.
pub(super) fn named<'c>(columns: &'c [Column], names: &[&str], fits: impl Fn(&Column) -> bool) -> Option<&'c Column> {
    let exact = names.iter().find_map(|name| columns.iter().find(|column| column.is(name) && fits(column)));
    exact.or_else(|| {
        let longer = names.iter().filter(|name| name.len() > 4);
        longer.clone().find_map(|name| columns.iter().find(|column| column.holds(name) && fits(column)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_words() {
        for (name, expect) in [
            ("nameOrig", "name orig"),
            ("TX_AMOUNT", "tx amount"),
            ("Card No.", "card no"),
            ("Created (UTC)", "created utc"),
            ("isFraud", "is fraud"),
            ("iso_currency_code", "iso currency code"),
            ("Buchungstag", "buchungstag"),
            ("#", ""),
        ] {
            assert_eq!(words(name).join(" "), expect);
        }
    }
}
