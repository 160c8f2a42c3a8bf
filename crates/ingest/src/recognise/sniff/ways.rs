//! Words that tell which way money goes, where amounts have no sign.

/// Words of outflows, in the languages of the feeds.
const OUT: [&str; 34] = [
    "debit",
    "debits",
    "dr",
    "db",
    "dbit",
    "d",
    "withdrawal",
    "withdrawals",
    "out",
    "outflow",
    "outgoing",
    "expense",
    "paid out",
    "money out",
    "soll",
    "s",
    "belastung",
    "ausgang",
    "ausgabe",
    "af",
    "debet",
    "uit",
    "uitgaand",
    "débit",
    "sortie",
    "dépense",
    "cargo",
    "cargos",
    "gasto",
    "débito",
    "debito",
    "salida",
    "obciążenie",
    "wydatek",
];
/// Words of inflows.
const IN: [&str; 35] = [
    "credit",
    "credits",
    "cr",
    "crdt",
    "c",
    "deposit",
    "deposits",
    "in",
    "inflow",
    "incoming",
    "income",
    "paid in",
    "money in",
    "haben",
    "h",
    "gutschrift",
    "eingang",
    "einnahme",
    "bij",
    "kredit",
    "inkomend",
    "crédit",
    "entrée",
    "recette",
    "abono",
    "abonos",
    "ingreso",
    "crédito",
    "credito",
    "entrada",
    "uznanie",
    "wpływ",
    "przychód",
    "+",
    "refund",
];

/// Different words that a column of ways may have.
const KINDS: usize = 8;

/// Whether a word says that money flows out, or that it comes in; nothing where it says neither.
pub(crate) fn is_outflow(word: &str) -> Option<bool> {
    let word = word.trim().trim_end_matches('.').to_lowercase();
    match (OUT.contains(&word.as_str()), IN.contains(&word.as_str())) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// The words of a column, as they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    pub(crate) out: Vec<String>,
    pub(crate) into: Vec<String>,
    /// Words that say neither.
    pub(crate) others: usize,
}

/// The words of a column that has few, some of which say that money flows out and some that it comes in.
pub(crate) fn of<'v>(values: impl Iterator<Item = &'v str>) -> Option<Ways> {
    let mut seen: Vec<&str> = Vec::new();
    for value in values.map(str::trim) {
        if !seen.contains(&value) {
            if seen.len() == KINDS {
                return None;
            }
            seen.push(value);
        }
    }
    let mut ways = Ways::default();
    for word in seen {
        match is_outflow(word) {
            Some(true) => ways.out.push(word.to_owned()),
            Some(false) => ways.into.push(word.to_owned()),
            None => ways.others += 1,
        }
    }
    (!ways.out.is_empty() && !ways.into.is_empty()).then_some(ways)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_tell_the_way() {
        let ways = of(["Debit", "CR.", "Debit", " Credit "].into_iter()).unwrap();
        assert_eq!(
            (ways.out, ways.into, ways.others),
            (vec!["Debit".to_owned()], vec!["CR.".to_owned(), "Credit".to_owned()], 0)
        );
        assert_eq!(of(["Af", "Bij"].into_iter()).unwrap().others, 0);
        assert_eq!(of(["Debit", "Credit", "Fee", ""].into_iter()).unwrap().others, 2);
        assert_eq!(of(["Debit", "Debit"].into_iter()), None, "one way alone tells nothing");
        assert_eq!(of(["a", "b", "c", "d", "e", "f", "g", "debit", "credit"].into_iter()), None, "too many words");
    }

    #[test]
    fn no_word_says_both() {
        assert!(OUT.iter().all(|word| !IN.contains(word)));
    }
}
