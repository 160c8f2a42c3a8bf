//! Masking at the door: what may be kept, hashed into nothing, logged or shown of a text.
//!
//! Accounts and counterparties are pseudonyms (`key`). Every other text that goes on (the feed's words, the values and
//! reasons of rejected rows, errors, warnings, names of files) goes through the rules here. In the order in which they
//! are tried at each place:
//!
//! | what | rule | becomes |
//! |---|---|---|
//! | e-mail address, `@handle` | letters, digits and `._%+-` before an `@`, a domain with a point behind it; or 3 letters and more behind a bare `@` | `[e-mail]`, `[name]` |
//! | IBAN | a country of the registry and exactly its length, in one piece or in groups, with right check digits or with at least 8 digits besides; elsewhere 15 to 34 in one piece with right check digits | `[iban]` |
//! | date and time | digits that read as a date, or as date and time in one piece, of the years 1900 to 2099 | stays |
//! | card number | 13 to 19 digits, blanks, hyphens and points among them, with the right Luhn digit | `[card]` |
//! | phone number | `+` and 7 to 15 digits; 3-3-4 digits, `1` before them or not; groups of 9 to 15 digits that begin with 0 | `[phone]` |
//! | number of an account or person | 8 digits and more in one piece; groups of four, 9 digits and more; 3-2-4 digits; two long groups joined by a slash or hyphen | `[10 digits]` |
//! | name | up to five words behind what says that money is sent or received (`Zelle payment to`, `Überweisung an`, `Venmo *`, a leading `From`), up to a number, a mark or a word such as `ref` | `[name]` |
//!
//! A row that is rejected as a whole is shown as its shape alone ([`shape`]), and a rejected field without whatever the
//! row's own columns of accounts, counterparties, names and addresses say ([`Parties`]). Every rule takes time in
//! proportion to the text, whatever the text.

mod address;
mod iban;
mod name;
mod number;
mod parties;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) use parties::{Parties, is_party, names_party};

/// What a span of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Email,
    Handle,
    Iban,
    Card,
    Phone,
    /// So many digits.
    Digits(usize),
    Name,
}

/// Part of a text that is not to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    kind: Kind,
}

/// How spans are found, and what stands for them.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// The fewest digits in one piece that make a number of an account.
    run: usize,
    names: bool,
    /// Whether the last four digits of a number stay, as on a receipt.
    last_four: bool,
}

/// Of a text that goes on.
const TEXT: Rules = Rules { run: 8, names: true, last_four: false };
/// Of a folder's name, which its owner has to recognise.
const FOLDER: Rules = Rules { run: 8, names: false, last_four: true };
/// Of a file's name: whoever names a file by its account writes five digits and more.
const FILE: Rules = Rules { run: 5, names: false, last_four: true };

/// How often a text is looked through again.
const ROUNDS: usize = 8;

/// A text without card numbers, IBANs, e-mail addresses, phone numbers, long numbers and names of those that money is
/// sent to or received from; the README lists the rules. Time is in proportion to the text.
///
/// ```
/// assert_eq!(crible_ingest::mask("Zelle payment to Ines Okoro, 4111 1111 1111 1111"), "Zelle payment to [name], [card]");
/// assert_eq!(crible_ingest::mask("groceries 2024-06-01"), "groceries 2024-06-01");
/// ```
pub fn mask(text: &str) -> Cow<'_, str> {
    masked(text, TEXT)
}

/// A path as it may be shown: of numbers in its names that may be an account's, the last four digits (`*6789`); e-mail
/// addresses not at all. In the file's own name these are numbers of five digits and more, in folders of eight; dates
/// stay.
pub fn shown_path(path: &Path) -> String {
    let whole = path.to_string_lossy();
    let name = whole.rfind(['/', '\\']).map_or(0, |at| at + 1);
    let (folder, name) = whole.split_at(name);
    [masked(folder, FOLDER), masked(name, FILE)].concat()
}

/// The paths of a run as they may be shown, no two alike: where masks are the same, they are numbered in the order of
/// the paths.
pub(crate) fn shown_paths<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Vec<String> {
    let mut shown: Vec<String> = paths.into_iter().map(shown_path).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in &shown {
        *counts.entry(name.clone()).or_default() += 1;
    }
    // The number last given to each name that several paths have.
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for name in &mut shown {
        if counts.get(name.as_str()).is_none_or(|&count| count == 1) {
            continue;
        }
        let number = given.entry(name.clone()).or_default();
        let numbered = loop {
            *number += 1;
            let numbered = format!("{name} ({number})");
            if !counts.contains_key(&numbered) {
                break numbered;
            }
        };
        *name = numbered;
    }
    shown
}

/// A text that does nothing to a terminal: control characters, and those that turn the direction of writing, are
/// written as escapes such as `\u{1b}`.
///
/// ```
/// assert_eq!(crible_ingest::plain("CAFE\u{1b}[2J"), "CAFE\\u{1b}[2J");
/// ```
pub fn plain(text: &str) -> Cow<'_, str> {
    let acts = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if acts(letter) { plain.extend(letter.escape_default()) } else { plain.push(letter) }
    }
    Cow::Owned(plain)
}

/// A text that a spreadsheet does not run: with an apostrophe before it where it begins like a formula and is no
/// number.
///
/// ```
/// assert_eq!(crible_ingest::cell("=1+1"), "'=1+1");
/// assert_eq!(crible_ingest::cell("-4.50"), "-4.50");
/// ```
pub fn cell(text: &str) -> Cow<'_, str> {
    let begins = text
        .trim_start_matches([' ', '\t', '\r', '\n'])
        .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let acts = begins || text.starts_with(['\t', '\r']);
    if acts && text.parse::<f64>().is_err() { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The shape of a text: every digit is `0`, every other letter `x`, so that it can be seen how something was written
/// and not what.
pub(crate) fn shape(text: &str) -> String {
    let letter = |letter: char| match letter {
        _ if letter.is_numeric() => '0',
        _ if letter.is_alphabetic() => 'x',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// What goes may have hidden something: behind a name that is gone, an `@` begins a handle. So what changes is looked
/// through again, a few times at most.
fn masked(text: &str, rules: Rules) -> Cow<'_, str> {
    let mut masked = match once(text, rules) {
        Cow::Owned(masked) => masked,
        unchanged => return unchanged,
    };
    for _ in 0..ROUNDS {
        match once(&masked, rules) {
            Cow::Owned(more) if more != masked => masked = more,
            _ => break,
        }
    }
    Cow::Owned(masked)
}

fn once(text: &str, rules: Rules) -> Cow<'_, str> {
    let mut spans = Vec::new();
    address::find(text, &mut spans);
    iban::find(text, &mut spans);
    number::find(text, rules.run, &mut spans);
    let text = without(text, spans, rules);
    if !rules.names {
        return text;
    }
    // Names are looked for in what is left, so that masking what is masked finds nothing more.
    let mut spans = Vec::new();
    name::find(&text, &mut spans);
    if spans.is_empty() { text } else { Cow::Owned(without(&text, spans, rules).into_owned()) }
}

/// A text without these spans; of those that overlap, the one that begins first, and of these the longest, stands for
/// all.
fn without(text: &str, mut spans: Vec<Span>, rules: Rules) -> Cow<'_, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_by_key(|span| (span.start, usize::MAX - span.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        if span.start >= done {
            out.push_str(&text[done..span.start]);
            put(&mut out, span.kind, &text[span.start..span.end], rules);
        }
        done = done.max(span.end);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

fn put(out: &mut String, kind: Kind, text: &str, rules: Rules) {
    match kind {
        Kind::Iban | Kind::Card | Kind::Phone | Kind::Digits(_) if rules.last_four => {
            let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
            out.push('*');
            out.extend(&digits[digits.len().saturating_sub(4)..]);
        }
        Kind::Email => out.push_str("[e-mail]"),
        Kind::Iban => out.push_str("[iban]"),
        Kind::Card => out.push_str("[card]"),
        Kind::Phone => out.push_str("[phone]"),
        Kind::Digits(count) => out.push_str(&format!("[{count} digits]")),
        Kind::Name | Kind::Handle => out.push_str("[name]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(mask(text), expect, "{text}");
    }

    #[test]
    fn words_and_short_numbers_stay() {
        for text in [
            "",
            "grocery_pos",
            "5411",
            "Food & Drink",
            "AMAZON MKTPL*2K3",
            "NTRF",
            "-1,234.50",
            "2024-06-01 12:00:05",
            "06/03/2024 09:15",
            "20240603",
            "20240603121500",
            "twelve",
            "POS 1234567",
            "PMNT-ICDT-ESCT",
            "été",
            "Transfer to savings account",
            "Payment",
            "REFUND",
            "1e-05",
            "99999.99",
            "03.06.2024 12:15",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn cards_in_every_spelling() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111.1111.1111.1111",
            "4111 1111-1111  1111",
            "3782 822463 10005",
            "378282246310005",
            "30569309025904",
            "4222222222222",
            "6304000000000000000",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        ] {
            check(card, "[card]");
            check(&format!("AMAZON {card} x"), "AMAZON [card] x");
            check(&format!("card{card}x"), "card[card]x");
            check(&format!("06/03/2024 {card}"), "06/03/2024 [card]");
        }
        // Not the right last digit: no card, and long enough for an account.
        check("4111111111111112", "[16 digits]");
        check("4111 1111 1111 1112", "[16 digits]");
        check("0000000000000000", "[16 digits]");
    }

    #[test]
    fn ibans_addresses_and_phones() {
        check("DE89370400440532013000", "[iban]");
        check("an DE89 3704 0044 0532 0130 00 Miete", "an [iban] Miete");
        check("gb82 west 1234 5698 7654 32", "[iban]");
        // A slip of the pen in the check digits keeps it an IBAN.
        check("IBAN: DE00 3704 0044 0532 0130 00.", "IBAN: [iban].");
        check("NL00BANK0000000002/NAME", "[iban]/NAME");
        check("ines.okoro+x@mail.example.org, me", "[e-mail], me");
        check("(@ines-okoro)", "([name])");
        check("a @ b", "a @ b");
        check("+49 (0)30 901820", "[phone]");
        check("call +1-202-555-0143 now", "call [phone] now");
        check("(202) 555-0143", "[phone]");
        check("1-800-555-0199", "[phone]");
        check("030/901820-77", "[phone]");
        check("06 12 34 56 78", "[phone]");
        check("06.12.34.56.78", "[phone]");
    }

    #[test]
    fn long_numbers() {
        check("ref 12345678", "ref [8 digits]");
        check("99990000/0000001", "[15 digits]");
        check("900-11-2222", "[9 digits]");
        check("1234 5678 9012", "[12 digits]");
        check("ch_000000000000000000000005", "ch_[24 digits]");
        check("2024-06-01 12345678901", "2024-06-01 [11 digits]");
    }

    #[test]
    fn names_behind_words_of_transfer() {
        check("Zelle payment to JOHN Q SMITH 12345678901", "Zelle payment to [name] [11 digits]");
        check("ZELLE FROM O'BRIEN-LEE ANA ON 06/03 REF # RP0", "ZELLE FROM [name] ON 06/03 REF # RP0");
        check("Überweisung an Jörg Müller", "Überweisung an [name]");
        check("SEPA-Überweisung von Smith, John ref 7", "SEPA-Überweisung von [name] ref 7");
        check("Virement de Zoé Lune; loyer", "Virement de [name]; loyer");
        check("VENMO *Piet Lund", "VENMO *[name]");
        check("PAYPAL *ADAQUIST", "PAYPAL *[name]");
        check("To Ada Quist", "To [name]");
        check("Standard Transfer to TOWER BANK", "Standard Transfer to [name] BANK");
        check("Bank Deposit to PP Account", "Bank Deposit to PP Account");
        check("payment received from Ada", "payment received from [name]");
        check("Transfer to my savings", "Transfer to my savings");
        check("goes to Ada", "goes to Ada");
        check("0@a.a@Zelle", "[e-mail][name]");
        check("to a@aZelle ", "to [name][name] ");
        check("AA00000000@aaa@bbb", "AA[8 digits][name][name]");
    }

    #[test]
    fn paths_keep_what_their_owner_knows_them_by() {
        let check = |path: &str, expect: &str| assert_eq!(shown_path(Path::new(path)), expect, "{path}");
        check("in/Chase7788_Activity_20240630.CSV", "in/Chase7788_Activity_20240630.CSV");
        check("statement_12345678.csv", "statement_*5678.csv");
        check("exports-2024-06-01/4111-1111-1111-1111.csv.gz", "exports-2024-06-01/*1111.csv.gz");
        check("12345678/june_2024.csv", "*5678/june_2024.csv");
        check("DE89370400440532013000.xml", "*3000.xml");
        check("a/1234567/b.csv", "a/1234567/b.csv");
        check("ada@example.org.csv", "[e-mail]");
        // A date with a time is no account's number.
        for name in
            ["export_20240131_120000.csv", "2024-01-31T1530.csv", "20240131120000.csv", "a-2024-01-31-093000.csv"]
        {
            check(name, name);
        }
        check("export_20240131_990000.csv", "export_20240131_*0000.csv");
    }

    #[test]
    fn no_two_paths_are_shown_alike() {
        let paths = ["a/1234567890.csv", "a/4567897890.csv", "a/*7890.csv (1)", "b.csv"].map(Path::new);
        let shown = shown_paths(paths);
        assert_eq!(shown, ["a/*7890.csv (2)", "a/*7890.csv (3)", "a/*7890.csv (1)", "b.csv"]);
    }

    #[test]
    fn nothing_acts_on_a_terminal_or_in_a_spreadsheet() {
        assert_eq!(plain("a\u{1b}[31m\u{7}\n\u{9b}b\u{202e}"), "a\\u{1b}[31m\\u{7}\\n\\u{9b}b\\u{202e}");
        assert_eq!(plain("Café 5 €"), "Café 5 €");
        for (text, expect) in [
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("@SUM(1)", "'@SUM(1)"),
            ("-1.5", "-1.5"),
            (" =1", "' =1"),
            ("a=b", "a=b"),
            ("-", "'-"),
        ] {
            assert_eq!(cell(text), expect);
        }
    }

    #[test]
    fn shapes_show_no_letter_and_no_digit() {
        assert_eq!(shape("900,2018-04-01,\"é Bo\",\u{fffd}"), "000,0000-00-00,\"x xx\",\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_text_is_masked_once_and_for_all(text in "\\PC{0,60}|([0-9]{1,9}[ ./()+-]{0,3}){0,12}|(Zelle |to |[A-Z]{2}[0-9 ]{2,30}|@[a-z.]{0,9}|[a-z']{1,5} ?){0,9}") {
            let once = mask(&text).into_owned();
            prop_assert_eq!(mask(&once), once.as_str(), "{}", text);
            let digits = |text: &str| text.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max();
            let longest = digits(&once).unwrap_or(0);
            prop_assert!(longest <= 8 || longest == 12 || longest == 14, "{once}");
            let _ = shown_path(Path::new(&text));
        }
    }
}
