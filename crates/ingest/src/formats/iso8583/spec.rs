//! The elements of a version, as its TOML file tells them, and the numeric codes of currencies and countries.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::Version;

/// Elements there may be; two bitmaps number them.
pub(super) const ELEMENTS: usize = 128;

/// How one element is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) kind: Kind,
    /// Digits of the length in front of it; none where it has always the same.
    pub(super) length_digits: usize,
    /// Its length, or the most it may have: characters, or bytes where it is binary.
    pub(super) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Digits,
    /// C or D, and digits.
    Signed,
    Text,
    Binary,
}

/// A version's elements, by number, and its words for how a card was read.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) elements: [Option<Element>; ELEMENTS + 1],
    pub(super) entry: BTreeMap<String, String>,
    pub(super) presence: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fields: BTreeMap<String, String>,
    entry: BTreeMap<String, String>,
    presence: BTreeMap<String, String>,
}

impl Spec {
    /// The spec of a version. Its file is tested to be read in full.
    pub(super) fn of(version: Version) -> &'static Self {
        static SPECS: [OnceLock<Spec>; 2] = [OnceLock::new(), OnceLock::new()];
        SPECS[version as usize].get_or_init(|| Self::parse(source(version)).unwrap_or_else(Self::empty))
    }

    fn empty() -> Self {
        Self { elements: [None; ELEMENTS + 1], entry: BTreeMap::new(), presence: BTreeMap::new() }
    }

    fn parse(text: &str) -> Option<Self> {
        let file: File = toml::from_str(text).ok()?;
        let mut spec = Self { entry: file.entry, presence: file.presence, ..Self::empty() };
        for (number, notation) in file.fields {
            let number: usize = number.parse().ok().filter(|number| (2..=ELEMENTS).contains(number))?;
            spec.elements[number] = Some(element(&notation)?);
        }
        Some(spec)
    }
}

fn source(version: Version) -> &'static str {
    match version {
        Version::V1987 => include_str!("1987.toml"),
        Version::V1993 => include_str!("1993.toml"),
    }
}

/// An element in the standard's notation: `n 6`, `n ..19`, `x+n 8`, `ans ...999`.
fn element(notation: &str) -> Option<Element> {
    let (kind, rest) = notation.split_once(' ')?;
    let length = rest.trim_start_matches('.');
    let length_digits = rest.len() - length.len();
    let length: usize = length.parse().ok()?;
    let (kind, length) = match kind {
        "n" => (Kind::Digits, length),
        "x+n" => (Kind::Signed, length + 1),
        "b" => (Kind::Binary, length),
        "a" | "an" | "anp" | "ans" | "ns" | "z" => (Kind::Text, length),
        _ => return None,
    };
    Some(Element { kind, length_digits, length })
}

/// Alphabetic codes by numeric ones.
struct Codes {
    currencies: BTreeMap<&'static str, &'static str>,
    countries: BTreeMap<&'static str, &'static str>,
}

fn codes() -> &'static Codes {
    static CODES: OnceLock<Codes> = OnceLock::new();
    CODES.get_or_init(|| {
        let text = include_str!("codes.txt");
        let (currencies, countries) = text.split_once("\n\n").unwrap_or((text, ""));
        let read = |part: &'static str| {
            let lines = part.lines().filter(|line| !line.starts_with('#'));
            lines.flat_map(str::split_ascii_whitespace).filter_map(|code| code.split_at_checked(3)).collect()
        };
        Codes { currencies: read(currencies), countries: read(countries) }
    })
}

/// The currency of a code of three digits.
pub(super) fn currency(numeric: &str) -> Option<&'static str> {
    codes().currencies.get(numeric).copied()
}

/// The two letters of a country of three digits.
pub(super) fn country(numeric: &str) -> Option<&'static str> {
    codes().countries.get(numeric).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crible_core::Currency;

    #[test]
    fn both_files_tell_every_element() {
        for version in [Version::V1987, Version::V1993] {
            let spec = Spec::parse(source(version)).unwrap();
            let missing: Vec<usize> = (2..=ELEMENTS).filter(|&number| spec.elements[number].is_none()).collect();
            assert_eq!(missing, [65], "{version:?}");
            assert!(!spec.entry.is_empty() && !spec.presence.is_empty());
        }
    }

    #[test]
    fn notation() {
        let check = |text: &str, expect: Option<(Kind, usize, usize)>| {
            let found = element(text).map(|found| (found.kind, found.length_digits, found.length));
            assert_eq!(found, expect, "{text}");
        };
        check("n 6", Some((Kind::Digits, 0, 6)));
        check("n ..19", Some((Kind::Digits, 2, 19)));
        check("ans ...999", Some((Kind::Text, 3, 999)));
        check("x+n 8", Some((Kind::Signed, 0, 9)));
        check("b 8", Some((Kind::Binary, 0, 8)));
        check("q 8", None);
        check("n", None);
    }

    #[test]
    fn numeric_codes() {
        assert_eq!((currency("840"), currency("978"), currency("392")), (Some("USD"), Some("EUR"), Some("JPY")));
        assert_eq!((country("840"), country("756"), country("000")), (Some("US"), Some("CH"), None));
        assert!(codes().currencies.len() > 170 && codes().countries.len() > 240);
        for (numeric, letters) in &codes().currencies {
            assert!(numeric.bytes().all(|byte| byte.is_ascii_digit()) && Currency::new(letters.as_bytes()).is_some());
        }
    }
}
