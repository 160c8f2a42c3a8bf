//! The account that a file's name stands for: the name without what says when, of what period and which copy it is.
//!
//! Banks name downloads after the day, the period or nothing at all, so that two downloads of one account have two
//! names. What is left out is: endings, what a preset cuts off or drops, dates and times, numbers of copies, random
//! tails, and words such as `statement` or `Last12Months`. Digits of an account stay.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// Numbers of copies, wherever they stand: `(1)`, ` - Copy`, `_Kopie 2`.
const COPIES: &str = concat!(
    r"(?i)[ _-]*\(\d{1,3}\)|[ _-]+(?:copy|kopie|copie|copia|kopia)(?:[ _-]?\d{1,2})?$|",
    r"^(?:copy of|kopie von|kopie van|copie de|copia de|copia di|cópia de|kopia av|kopi af|kopia)[ _-]+",
);

/// A month by its name, in the languages of the feeds.
const MONTH: &str = concat!(
    r"(?:jan(?:uary|uari|uar|vier|eiro)?|feb(?:ruary|ruari|ruar|rero|braio)?|f[eé]vr?(?:ier)?|fevereiro|",
    r"mar(?:ch|s|zo|zec)?|m[aä]rz|maerz|março|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|kwiecie[nń]|may|mai|mayo|mei|maj|",
    r"maggio|maio|june?|juni|junio|juin|junho|czerwiec|giugno|july?|juli|julio|juil(?:let)?|julho|lipiec|luglio|",
    r"aug(?:ust|ustus)?|ao[uû]t|sierpie[nń]|sept?(?:ember|embre|tiembre)?|setiembre|settembre|setembro|wrzesie[nń]|",
    r"o[ck]t(?:ober|obre|ubre)?|ottobre|outubro|pa[zź]dziernik|nov(?:ember|embre|iembre|embro)?|listopad|",
    r"de[cz](?:ember)?|d[eé]c(?:embre)?|dic(?:iembre|embre)?|dezembro|grudzie[nń]|stycze[nń]|gennaio|luty|",
    r"ene(?:ro)?|ago(?:sto)?|mrt|maart)",
);

/// Parts of a name that say when, of what period, or nothing at all; `M` is a month's name. Between marks only.
const PARTS: &[&str] = &[
    // A week: week-12-2024, 2024-KW13.
    concat!(
        r"(?:(?:19|20)\d\d[-_ ]?)?(?:week|wk|woche|kw|semaine|semana|settimana|tydzie[nń])[-_ ]?\d{1,2}",
        r"(?:[-_ ](?:19|20)\d\d)?",
    ),
    // An UUID.
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    // The year first, with a time behind it or not: 2024-01-31, 20240131, 2024-01-31T12_30_00.
    r"(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])[-_. ]?(?:0[1-9]|[12]\d|3[01])(?:[T _-]*[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\ds?)?Z?)?",
    // The year last: 31.01.2024, 01-31-2024, 01312024.
    r"(?:0?[1-9]|[12]\d|3[01])[-_. ](?:0?[1-9]|[12]\d|3[01])[-_. ](?:19|20)\d\d",
    r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19|20)\d\d|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d",
    // A month: 2024-01, 202401, 01-2024, January2024, 31-Jan-24, Jan 31, 2024, 2024 März.
    r"(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])[-_. ](?:19|20)\d\d",
    r"(?:\d{1,2}[-_. ]?)?M[-_. ,]{0,2}(?:\d{1,2}[-_. ,]{1,2})?(?:19|20)?\d\d|(?:19|20)\d\d[-_. ]?M",
    // The year last, of two digits: 1.31.24, 31-01-24.
    r"(?:0?[1-9]|[12]\d|3[01])[-_.](?:0?[1-9]|[12]\d|3[01])[-_.]\d\d",
    // A quarter, a year.
    r"(?:(?:19|20)\d\d[-_ ]?)?q[1-4](?:[-_ ]?(?:19|20)\d\d)?",
    r"(?:19|20)\d\d",
    // A period: Last12Months, last-90-days, YearToDate.
    r"(?:last|past|previous|letzte)[-_ ]?\d{0,3}[-_ ]?(?:days?|weeks?|months?|years?|statements?|tage|monate)",
    r"(?:year|month)[-_ ]?to[-_ ]?date(?:[-_ ]?summary)?|since[-_ ]?last[-_ ]?statement|all[-_ ]?(?:available|time|dates)",
];

/// Words that say what a file is and not whose.
const WORDS: &str = concat!(
    r"(?:account|acct|card|current|recent|bank|my|all|csv|full)?(?:transactions?|trans|statements?|",
    r"activity|activities|history|exports?|downloads?|downloaded|reports?|summary|umsatz|umsaetze|umsätze|kontoauszug|buchungen|",
    r"movimientos|extracto|relev[eé]|operations|opérations|mutaties|afschriften|historia|wyciag|wyciąg)|",
    r"from|to|until|for|since|through|and|bis|von|vom|du|au|van|tot|od|do|ytd|latest|recent|current|new|final|posted|",
    r"edited|fixed|cleaned|corrected|modified|sorted|bearbeitet|korrigiert|v\d{1,2}",
);

struct Rules {
    copies: Regex,
    parts: Vec<Regex>,
    word: Regex,
}

/// Nothing where an expression above is none, which a test rules out.
static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    // Bounded by what is no letter or digit: digits of an account that look like a date are not taken apart.
    let bounded = |part: &&str| {
        let part = part.replace('M', MONTH);
        Regex::new(&format!(r"(?i)(^|[^\p{{L}}\d])(?:{part})($|[^\p{{L}}\d])")).ok()
    };
    Some(Rules {
        copies: Regex::new(COPIES).ok()?,
        parts: PARTS.iter().map(bounded).collect::<Option<_>>()?,
        word: Regex::new(&format!("(?i)^(?:{WORDS})$")).ok()?,
    })
});

/// What names the account of files that name none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This, for all of them: they are downloads of one account.
    Named(String),
    /// The folder that each is in.
    Folder,
}

/// What a preset says of the names of its files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Naming<'p> {
    /// The name ends before the first of these.
    pub(crate) cut_at: &'p [String],
    /// Regular expressions of what else is no part of an account.
    pub(crate) drop: &'p [String],
    /// The account where nothing of a name is left.
    pub(crate) otherwise: &'p str,
}

/// A file's name without folder, compression and format endings.
pub(crate) fn file_stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let mut stem: &str = &name;
    for ending in [".gz", ".zst"] {
        let at = stem.len().saturating_sub(ending.len());
        if stem.is_char_boundary(at) && at > 0 && stem[at..].eq_ignore_ascii_case(ending) {
            stem = &stem[..at];
        }
    }
    if let Some(dot) = stem.rfind('.').filter(|&dot| dot > 0) {
        stem = &stem[..dot];
    }
    stem.trim().to_owned()
}

/// The account that a file's name stands for.
pub(crate) fn account_of(path: &Path, naming: Naming<'_>) -> String {
    let stem = file_stem(path);
    let cut = naming.cut_at.iter().filter_map(|mark| stem.find(mark.as_str())).filter(|&at| at > 0).min();
    let mut name = stem[..cut.unwrap_or(stem.len())].trim().to_owned();
    for part in naming.drop.iter().filter_map(|part| Regex::new(part).ok()) {
        name = part.replace_all(&name, " ").into_owned();
    }
    let Some(rules) = &*RULES else { return name };
    name = rules.copies.replace_all(&name, "").into_owned();
    for part in &rules.parts {
        // Of two neighbours each needs the mark between them, so one pass may leave the second.
        for _ in 0..4 {
            let shorter = part.replace_all(&name, "$1$2").into_owned();
            if shorter == name {
                break;
            }
            name = shorter;
        }
    }
    let separates = |letter: char| matches!(letter, ' ' | '_' | '-' | '.' | ',' | '(' | ')' | '[' | ']' | '+' | '~');
    let mut kept = String::new();
    let mut dropped = name.len() < stem[..cut.unwrap_or(stem.len())].trim().len();
    let mut start = None;
    let mut at = 0;
    for token in name.split_inclusive(separates) {
        let word = token.trim_end_matches(separates);
        if !word.is_empty() {
            if rules.word.is_match(word) || is_random(word) {
                dropped = true;
            } else {
                // One mark parts what stays, the one that was there.
                if let Some(start) = start.filter(|_| !kept.is_empty()) {
                    kept.extend(name[start..at].chars().next());
                }
                kept.push_str(word);
                start = Some(at + word.len());
            }
        }
        at += token.len();
    }
    if !dropped && !name.is_empty() {
        return name;
    }
    // The number of a copy is no account.
    let copy = dropped && kept.len() <= 2 && kept.bytes().all(|byte| byte.is_ascii_digit());
    if kept.is_empty() || copy { naming.otherwise.to_owned() } else { kept }
}

/// Whether a word is a tail that a system made up: letters and digits that take turns as no account's number does.
fn is_random(word: &str) -> bool {
    if word.len() < 8 || !word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let turns = word.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let hex = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    turns >= 4 || (hex && turns >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> String {
        let cut = ["_Activity".to_owned()];
        account_of(Path::new(path), Naming { cut_at: &cut, drop: &[], otherwise: "feed" })
    }

    #[test]
    fn every_expression_is_one() {
        assert!(RULES.is_some());
    }

    #[test]
    fn downloads_of_one_account_have_one_name() {
        for (account, names) in [
            (
                "Discover",
                &[
                    "Discover-Statement-20240131.csv",
                    "Discover-Last12Months-20240630.csv",
                    "Discover-2024-YearToDateSummary.csv",
                    "Discover-RecentActivity-20240131.csv",
                ][..],
            ),
            ("Chase1234", &["/in/Chase1234_Activity_20240601.CSV", "Chase1234_Activity20240101_20240131_20240201.CSV"]),
            (
                "Checking1",
                &[
                    "Checking1 (2).csv.gz",
                    "Checking1.csv.ZST",
                    "Checking1 - Copy.csv",
                    "Kopie von Checking1.csv",
                    "Checking1 (1) (2).csv",
                ],
            ),
            ("3003", &["January2024_3003.csv", "February2024_3003.csv", "currentTransaction_3003.csv"]),
            (
                "feed",
                &["activity.csv", "activity (1).csv", "activity-2.csv", "transactions 2024-01-31.csv", "2024.csv"],
            ),
            ("monzo", &["monzo_2024-01-31_123000.csv", "monzo-2024-02-29T12_30_00.csv", "monzo-export-3f9a1c7e.csv"]),
            (
                "card",
                &[
                    "card_Maerz_2024.csv",
                    "card-januari-2024.csv",
                    "card week 12 2024.csv",
                    "card-2024-KW13.csv",
                    "card 1.31.24.csv",
                    "card_v2.csv",
                    "card edited.csv",
                    "card_settembre 2024.csv",
                ],
            ),
            (
                "revolut-EUR-main",
                &["revolut-statement-EUR-main-01-01-2024_31-01-2024.csv", "revolut-EUR-main_Jan-2024.csv"],
            ),
        ] {
            for name in names {
                assert_eq!(named(name), account, "{name}");
            }
        }
    }

    #[test]
    fn accounts_are_kept_apart() {
        let names = [
            "Chase1234_Activity.csv",
            "Chase1235_Activity.csv",
            "Checking1.csv",
            "Checking2.csv",
            "CreditCard4.csv",
            "Citi_4411.CSV",
            "DE89370400440532013000 2024-01.csv",
            "NL20INGB0001234567_2024.csv",
            "NL20INGB0001234568_2024.csv",
            "12345678.csv",
            "1612345678.csv",
            "20481231x.csv",
            "joint-statement-20240131.csv",
            "own-statement-20240131.csv",
            "march.csv",
            "decker.csv",
            "marco12.csv",
        ];
        let mut found: Vec<String> = names.iter().map(|name| named(name)).collect();
        assert_eq!(found[6], "DE89370400440532013000");
        assert_eq!(found[7], "NL20INGB0001234567");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), names.len(), "{found:?}");
    }

    #[test]
    fn a_name_is_never_empty() {
        assert_eq!(named("plain"), "plain");
        assert_eq!(named(".hidden"), ".hidden");
        assert_eq!(named("_Activity.csv"), "feed");
    }
}
