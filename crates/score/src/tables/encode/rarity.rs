//! How rare a word is in a column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// −ln of the share of rows whose word is at most as frequent, for each word seen more than once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rarity {
    /// In the order of the words.
    words: Vec<(String, f64)>,
    null: f64,
    /// Of a word seen once, or never.
    other: f64,
}

impl Rarity {
    /// From the words of a column, at least one.
    pub(super) fn fit<'a>(words: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut counts: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        words.for_each(|word| *counts.entry(word).or_default() += 1);
        // Rows by how frequent their word is.
        let mut by_count: BTreeMap<u64, u64> = BTreeMap::new();
        counts.values().for_each(|&count| *by_count.entry(count).or_default() += count);
        let n: u64 = by_count.values().sum();
        let mut at_most: BTreeMap<u64, f64> = BTreeMap::new();
        let mut rows = 0;
        for (&count, &with_it) in &by_count {
            rows += with_it;
            // −0 is nothing to show.
            at_most.insert(count, 0.0 - libm::log(rows as f64 / n as f64));
        }
        let unseen = || libm::log(n as f64 + 1.0);
        let other = at_most.get(&1).copied().unwrap_or_else(unseen);
        let of = |count: &u64| at_most.get(count).copied().unwrap_or(other);
        Self {
            null: counts.get(&None).map_or(other, of),
            words: counts
                .iter()
                .filter(|(_, count)| **count > 1)
                .filter_map(|(word, count)| Some(((*word)?.to_owned(), of(count))))
                .collect(),
            other,
        }
    }

    pub(super) fn of(&self, word: Option<&str>) -> f64 {
        let Some(word) = word else { return self.null };
        match self.words.binary_search_by(|(known, _)| known.as_str().cmp(word)) {
            Ok(place) => self.words[place].1,
            Err(_) => self.other,
        }
    }

    /// Whether this is what a fit produces.
    pub(super) fn is_sound(&self) -> bool {
        let fine = |x: f64| (0.0..=64.0).contains(&x);
        fine(self.null)
            && fine(self.other)
            && self.words.iter().all(|(_, x)| fine(*x))
            && self.words.windows(2).all(|w| w[0].0 < w[1].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, of: &str, expect: f64) {
        let word = |w| if w == "-" { None } else { Some(w) };
        let rarity = Rarity::fit(words.split(' ').map(word));
        assert!(rarity.is_sound());
        let found = rarity.of(word(of));
        assert!((found - expect).abs() < 1e-12, "{of} among {words}: {found}, expected {expect}");
    }

    #[test]
    fn the_share_of_words_at_most_as_frequent() {
        check("a a a a b b c -", "a", 0.0);
        check("a a a a b b c -", "b", 2_f64.ln());
        check("a a a a b b c -", "c", 4_f64.ln());
        check("a a a a b b c -", "-", 4_f64.ln());
        check("a a a a b b c -", "new", 4_f64.ln());
        check("a a a a b b", "new", 7_f64.ln());
        check("a a a a b b", "-", 7_f64.ln());
        check("a b c d", "b", 0.0);
        check("a b c d", "new", 0.0);
        check("a a b b", "b", 0.0);
        check("- - - a", "a", 4_f64.ln());
        check("-", "-", 0.0);
    }
}
