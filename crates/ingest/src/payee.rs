//! Who was paid, found in the text of a statement.
//!
//! A statement's text has the payee among dates, ids and numbers of terminals, so that nobody is ever paid twice. What
//! is left out is data: sets of rules by language (`payees.toml`) and rules of a preset's own. The reference of a
//! transaction is made of the text as it stands, so no rule changes one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// The sets of rules that come with the crate.
const SETS: &str = include_str!("../payees.toml");

/// Rules as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rules {
    /// Expressions with a group `payee`: the text is what the group of the first that fits has.
    #[serde(default)]
    pub(crate) keep: Vec<String>,
    /// The text ends before the first of these.
    #[serde(default)]
    pub(crate) cut: Vec<String>,
    /// These are taken out.
    #[serde(default)]
    pub(crate) drop: Vec<String>,
}

impl Rules {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Deserialize)]
struct Sets {
    set: Vec<Set>,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    title: String,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default)]
    cut: Vec<String>,
    #[serde(default)]
    drop: Vec<String>,
}

/// The sets by name, with what each is for. That the file is one, a test sees to.
static KNOWN: LazyLock<BTreeMap<String, (String, Rules)>> = LazyLock::new(|| {
    let sets: Vec<Set> = toml::from_str::<Sets>(SETS).map(|sets| sets.set).unwrap_or_default();
    let entry = |Set { name, title, keep, cut, drop }| (name, (title, Rules { keep, cut, drop }));
    sets.into_iter().map(entry).collect()
});

/// What every language has: dates, times, phone numbers.
const COMMON: &[&str] = &[
    r"\b(?:19|20)\d\d[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01])(?:[t ]\d\d[:.]\d\d(?:[:.]\d\d)?z?)?\b",
    r"\b(?:0?[1-9]|[12]\d|3[01])[/.-](?:0?[1-9]|[12]\d|3[01])[/.-](?:(?:19|20)?\d\d)\b",
    r"\b(?:0[1-9]|[12]\d|3[01])[/.](?:0[1-9]|[12]\d|3[01])\b\.?",
    r"\b(?:0?[1-9]|[12]\d|3[01])[ -]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,2}[ -]?(?:(?:19|20)?\d\d)\b",
    r"\b(?:0[1-9]|[12]\d|3[01])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\b",
    r"\b[0-2]?\d:[0-5]\d(?::[0-5]\d)?(?: ?[ap]m)?\b",
    r"\+?\b(?:1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}\b",
];

/// Finds payees by the rules of one preset. Compiling them takes longer than reading a small file, so that waits until
/// a first text is there.
#[derive(Clone, Debug)]
pub(crate) struct Cleaner {
    sets: Vec<String>,
    own: Rules,
    compiled: Lazy,
}

#[derive(Debug)]
struct Compiled {
    keep: Vec<Regex>,
    cut: Option<Regex>,
    drop: Option<Regex>,
    common: Option<Regex>,
}

/// Compiled rules, made when a first text is there.
type Lazy = Arc<OnceLock<Option<Compiled>>>;

/// The rules of sets alone, once for all files of all runs: compiling them takes longer than a small file.
fn shared(sets: &[String]) -> Lazy {
    static SHARED: Mutex<BTreeMap<Vec<String>, Lazy>> = Mutex::new(BTreeMap::new());
    let mut known = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    // Orders of sets are many, so there is a bound on those that are kept.
    if known.len() >= 64 && !known.contains_key(sets) {
        return Lazy::default();
    }
    known.entry(sets.to_vec()).or_default().clone()
}

fn build(pattern: &str) -> Result<Regex, (String, String)> {
    let expected = || "a regular expression".to_owned();
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(8 << 20)
        .build()
        .map_err(|_| (pattern.to_owned(), expected()))
}

/// One expression for all of them.
fn any(patterns: &[&str]) -> Result<Option<Regex>, (String, String)> {
    if patterns.is_empty() {
        return Ok(None);
    }
    // Each alone first, so that the one that is wrong is named.
    for pattern in patterns {
        build(pattern)?;
    }
    let each: Vec<String> = patterns.iter().map(|pattern| format!("(?:{pattern})")).collect();
    build(&each.join("|")).map(Some)
}

impl Cleaner {
    /// A cleaner by the sets of these names and further rules, which go first; nothing where there are neither. The
    /// value that is wrong and what it may be, where one is. The rules of the sets are known to be right.
    pub(crate) fn new(sets: &[String], own: &Rules) -> Result<Option<Self>, (String, String)> {
        if sets.is_empty() && own.is_empty() {
            return Ok(None);
        }
        if let Some(name) = sets.iter().find(|name| !KNOWN.contains_key(*name)) {
            let known: Vec<&str> = KNOWN.keys().map(String::as_str).collect();
            return Err((name.clone(), format!("one of {}", known.join(", "))));
        }
        Compiled::new(&[own])?;
        let compiled = if own.is_empty() { shared(sets) } else { Arc::default() };
        Ok(Some(Self { sets: sets.to_vec(), own: own.clone(), compiled }))
    }

    fn compiled(&self) -> Option<&Compiled> {
        let compile = || {
            let sets = self.sets.iter().filter_map(|name| KNOWN.get(name)).map(|(_, rules)| rules);
            Compiled::new(&[&self.own].into_iter().chain(sets).collect::<Vec<_>>()).ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    /// The names of the sets, and what each is for.
    #[cfg(test)]
    fn sets() -> impl Iterator<Item = (&'static str, &'static str)> {
        KNOWN.iter().map(|(name, (title, _))| (name.as_str(), title.as_str()))
    }

    /// The payee of a text; the text itself where it is an account's number or nothing is to be found.
    pub(crate) fn payee<'t>(&self, raw: &'t [u8]) -> Cow<'t, [u8]> {
        let Ok(text) = std::str::from_utf8(raw) else { return Cow::Borrowed(raw) };
        if is_account(text) {
            return Cow::Borrowed(raw);
        }
        let Some(rules) = self.compiled() else { return Cow::Borrowed(raw) };
        let whole = squeezed(text);
        let mut text = whole.clone();
        let take = |text: &mut String, shorter: String| {
            let shorter = squeezed(&shorter);
            if says(&shorter) {
                *text = shorter;
            }
        };
        let named = rules
            .keep
            .iter()
            .find_map(|rule| rule.captures(&text)?.name("payee").map(|found| found.as_str().to_owned()));
        if let Some(named) = named {
            take(&mut text, named);
        }
        // A rule that fits at the very beginning would leave nothing.
        if let Some(found) =
            rules.cut.as_ref().and_then(|cut| cut.find_iter(&text).find(|found| says(&text[..found.start()])))
        {
            let front = text[..found.start()].to_owned();
            take(&mut text, front);
        }
        if let Some(common) = &rules.common {
            let shorter = common.replace_all(&text, " ").into_owned();
            take(&mut text, shorter);
        }
        for _ in 0..3 {
            let Some(drop) = &rules.drop else { break };
            let shorter = drop.replace_all(&text, " ").into_owned();
            if squeezed(&shorter) == text {
                break;
            }
            take(&mut text, shorter);
        }
        let kept: Vec<&str> = text.split(' ').filter(|word| !is_reference(word)).collect();
        let shorter = kept.join(" ");
        take(&mut text, shorter);
        Cow::Owned(tidy(&text).to_uppercase().into_bytes())
    }
}

impl Compiled {
    fn new(all: &[&Rules]) -> Result<Self, (String, String)> {
        let list = |of: fn(&Rules) -> &Vec<String>| -> Vec<&str> {
            all.iter().flat_map(|rules| of(rules)).map(String::as_str).collect()
        };
        let keep = list(|rules| &rules.keep).into_iter().map(build).collect::<Result<Vec<_>, _>>()?;
        if let Some(without) = keep.iter().find(|rule| !rule.capture_names().any(|name| name == Some("payee"))) {
            return Err((without.to_string(), "an expression with a group (?P<payee>…)".to_owned()));
        }
        let (cut, drop) = (any(&list(|rules| &rules.cut))?, any(&list(|rules| &rules.drop))?);
        // Rules of nobody's own are looked at when a preset loads; they need no dates.
        let common = if all.iter().all(|rules| rules.is_empty()) { None } else { any(COMMON)? };
        Ok(Self { keep, cut, drop, common })
    }
}

/// One blank between words, none around a star.
fn squeezed(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let text = words.join(" ");
    if text.contains('*') { text.replace(" *", "*").replace("* ", "*") } else { text }
}

/// Whether a text still names somebody.
fn says(text: &str) -> bool {
    text.chars().filter(|letter| letter.is_alphabetic()).count() >= 2
}

/// Without marks that what was taken out has left at either end.
fn tidy(text: &str) -> &str {
    let mark = |letter: char| {
        letter.is_whitespace() || matches!(letter, '.' | ',' | ';' | ':' | '/' | '-' | '*' | '#' | '|' | '=' | '+')
    };
    text.trim_matches(mark)
}

/// A number of an account, such as an IBAN: one word, most of it digits.
fn is_account(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    digits + letters + text.bytes().filter(|byte| matches!(byte, b'/' | b'-' | b' ')).count() == text.len()
        && !text.trim().is_empty()
        && ((!text.contains(' ') && digits >= 7 && digits >= letters) || letters < 2)
}

/// A word that is a number of a store, a terminal or a reference: four digits and more, or letters and digits that take
/// turns. Tails of accounts (`...1234`) are none.
fn is_reference(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| matches!(letter, '#' | ',' | ';' | ':' | '-' | '(' | ')'));
    let bytes = word.as_bytes();
    if bytes.is_empty()
        || word.starts_with("..")
        || !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/'))
    {
        return false;
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let turns = bytes.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    match (letters, digits) {
        (0, 4..) => true,
        // A letter and a number: T-1234, F12345.
        (1, 4..) => true,
        // Accounts that are masked, such as XXXX1234, tell one from another.
        _ if bytes.first().is_some_and(|first| matches!(first, b'x' | b'X')) && letters + 4 == bytes.len() => false,
        _ => bytes.len() >= 7 && digits >= 3 && (digits * 2 >= bytes.len() || turns >= 3),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn all() -> Cleaner {
        let names: Vec<String> = Cleaner::sets().map(|(name, _)| name.to_owned()).collect();
        Cleaner::new(&names, &Rules::default()).unwrap().unwrap()
    }

    #[test]
    fn every_set_is_one_and_says_what_it_is_for() {
        let sets: Vec<_> = Cleaner::sets().collect();
        assert!(sets.len() >= 6, "{sets:?}");
        for (name, title) in sets {
            assert!(title.len() > 5, "{name}");
            let cleaner = Cleaner::new(&[name.to_owned()], &Rules::default()).unwrap().unwrap();
            assert!(cleaner.compiled().is_some(), "{name}");
        }
        assert_eq!(Cleaner::new(&["xx".to_owned()], &Rules::default()).unwrap_err().0, "xx");
    }

    /// The fixture has blocks: a payee, and below it, indented, the texts that are this payee's.
    #[test]
    fn texts_of_one_payee_are_joined_and_others_kept_apart() {
        let (cleaner, mut payees, mut payee) = (all(), BTreeMap::new(), "");
        let mut texts = 0;
        for line in
            include_str!("../tests/payees.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            match line.strip_prefix("    ") {
                None => {
                    payee = line;
                    assert!(payees.insert(payee, ()).is_none(), "{payee} stands twice");
                }
                Some(text) => {
                    texts += 1;
                    assert_eq!(String::from_utf8_lossy(&cleaner.payee(text.as_bytes())), payee, "{text}");
                }
            }
        }
        assert!(payees.len() > 40 && texts > 90, "{} payees, {texts} texts", payees.len());
    }

    #[test]
    fn a_payee_is_its_own_payee() {
        let cleaner = all();
        for line in include_str!("../tests/payees.txt").lines().filter(|line| line.starts_with("    ")) {
            let once = cleaner.payee(line.trim().as_bytes()).into_owned();
            let twice = cleaner.payee(&once).into_owned();
            assert!(!once.is_empty());
            assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once), "{line}");
        }
    }

    #[test]
    fn numbers_of_accounts_stay_as_they_are() {
        let cleaner = all();
        for account in [
            "NL20INGB0001234567",
            "DE89370400440532013000",
            "12345678",
            "0001-22",
            "GB29 NWBK 6016 1331 9268 19",
            "4711",
        ] {
            if account.contains(' ') {
                continue;
            }
            assert_eq!(cleaner.payee(account.as_bytes()), account.as_bytes(), "{account}");
        }
        assert_eq!(&*cleaner.payee(b"\xff\xfe"), b"\xff\xfe");
    }

    #[test]
    fn own_rules_go_first() {
        let own = Rules { keep: vec!["to: (?P<payee>[^|]+)".to_owned()], ..Rules::default() };
        let cleaner = Cleaner::new(&[], &own).unwrap().unwrap();
        assert_eq!(&*cleaner.payee(b"from: me | to: Ann Poe | 7"), b"ANN POE");
        assert!(Cleaner::new(&[], &Rules { keep: vec!["(".to_owned()], ..Rules::default() }).is_err());
        assert!(Cleaner::new(&[], &Rules { keep: vec!["x".to_owned()], ..Rules::default() }).is_err());
    }
}
