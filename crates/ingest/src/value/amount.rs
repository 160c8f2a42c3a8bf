//! Amounts as files have them: with signs of currencies, separators of thousands, a comma or a point before the
//! decimals.

mod separators;

use std::borrow::Cow;

use crible_core::{Amount, AmountError, Currency};

use serde::Deserialize;

pub(crate) use separators::{Decided, Separated, Separators, separated};

/// How an amount is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Style {
    /// `-1234.50`
    #[default]
    Plain,
    /// `-$1,234.50`, `($1,234.50)`, `+ 5.00`
    Money,
    /// `-1.234,50 €`
    MoneyComma,
    /// `-123450`: whole minor units
    Minor,
}

/// An amount, and whether digits behind its currency's last were rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) minor: i64,
    pub(crate) rounded: bool,
    /// Whether it says itself that it flows out (`12.00 DR`) or comes in (`12.00 CR`); the sign is then that of this.
    pub(crate) out: Option<bool>,
}

/// Reads an amount as it is written, keeping its sign. Digits behind the currency's last are rounded, half to even.
pub(crate) fn read(text: &[u8], style: Style, currency: Currency) -> Result<Read, AmountError> {
    if style == Style::Minor {
        return minor(text);
    }
    // What is plain is the same with a point before the decimals, and most amounts are plain.
    let (digits, error) = if style == Style::MoneyComma && text.contains(&b'.') {
        (None, None)
    } else {
        match Amount::parse_bytes(text, currency) {
            Ok(amount) => return Ok(Read { minor: amount.minor, rounded: false, out: None }),
            Err(error @ AmountError::TooPrecise { .. }) => (Some(text.to_vec()), Some(error)),
            Err(error) if style == Style::Plain && ending(text).1.is_none() => match expanded(text, b'.') {
                Some(digits) => (Some(digits), Some(error)),
                None => return Err(error),
            },
            Err(error @ AmountError::TooLarge(_)) => return Err(error),
            Err(_) => (None, None),
        }
    };
    let (bare, out) = ending(text);
    let signed = |minor: i64| match out {
        Some(true) => -minor.abs(),
        Some(false) => minor.abs(),
        None => minor,
    };
    let not = || AmountError::NotANumber(crate::error::shown(text));
    let (digits, error) = match (digits, error) {
        (Some(digits), Some(error)) => (digits, error),
        _ => {
            let (digits, code) = plain(bare, if style == Style::MoneyComma { b',' } else { b'.' }).ok_or_else(not)?;
            // An amount that names another currency than its row is no amount of the row's.
            if code.is_some_and(|code| currency != Currency::NONE && code != currency) {
                return Err(not());
            }
            match Amount::parse_bytes(&digits, currency) {
                Ok(amount) => return Ok(Read { minor: signed(amount.minor), rounded: false, out }),
                Err(error @ AmountError::TooPrecise { .. }) => (digits, error),
                Err(AmountError::NotANumber(_)) => return Err(not()),
                Err(other) => return Err(other),
            }
        }
    };
    round(&digits, currency).map_or(Err(error), |minor| Ok(Read { minor: signed(minor), rounded: true, out }))
}

/// Whole minor units; `.0` behind them is what data frames write.
fn minor(text: &[u8]) -> Result<Read, AmountError> {
    let trimmed = text.trim_ascii();
    let whole =
        std::str::from_utf8(trimmed.strip_suffix(b".0").unwrap_or(trimmed)).ok().and_then(|text| text.parse().ok());
    let minor = whole.filter(|&minor: &i64| minor != i64::MIN);
    let minor = minor.ok_or_else(|| AmountError::NotANumber(crate::error::shown(text)))?;
    Ok(Read { minor, rounded: false, out: None })
}

/// The number that one in scientific notation is, written out: `-1.234500e+03`, `5e-05`. Nothing where digits before
/// the second decimal are lost: `1.23457E+06` is one of many numbers.
fn expanded(text: &[u8], point: u8) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let at = text.iter().position(|byte| matches!(byte, b'e' | b'E'))?;
    let (mantissa, exponent) = (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?);
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| (-30..=15).contains(exponent))?;
    let size = mantissa.strip_prefix(b"-").or_else(|| mantissa.strip_prefix(b"+")).unwrap_or(mantissa);
    let cut = size.iter().position(|&byte| byte == point).unwrap_or(size.len());
    let (whole, decimals) = (&size[..cut], size.get(cut + 1..).unwrap_or_default());
    let digits: Vec<u8> = [whole, decimals].concat();
    if whole.is_empty() || !digits.iter().all(u8::is_ascii_digit) || digits.len() > 30 {
        return None;
    }
    let kept = decimals.len() as i32 - exponent;
    if kept < 2 && digits.iter().any(|&digit| digit != b'0') {
        return None;
    }
    // As many digits stand before the point as the exponent says, zeros where there are none.
    let before = whole.len() as i32 + exponent;
    let zeros = vec![b'0'; usize::try_from(1 - before).unwrap_or(0)];
    let digits = [zeros.as_slice(), &digits].concat();
    let (whole, decimals) = digits.split_at_checked(usize::try_from(before.max(1)).ok()?)?;
    let sign: &[u8] = if mantissa.starts_with(b"-") { b"-" } else { b"" };
    Some([sign, whole, if decimals.is_empty() { b"" } else { b"." }, decimals].concat())
}

/// Words behind an amount, or before it, that say which way it flows: debit and credit in English, `S` and `H` of
/// German, `D` and `C` of Brazilian statements, which stand behind it only.
const ENDINGS: [(&str, bool, bool); 9] = [
    ("debit", true, true),
    ("credit", false, true),
    ("dr", true, true),
    ("cr", false, true),
    ("db", true, true),
    ("d", true, false),
    ("c", false, false),
    ("s", true, false),
    ("h", false, false),
];

/// An amount without the word that says which way it flows, and whether that is out.
pub(crate) fn ending(text: &[u8]) -> (&[u8], Option<bool>) {
    let text = within_formula(text).trim_ascii();
    let inner = text.strip_suffix(b".").unwrap_or(text);
    let inner = match inner.strip_suffix(b")") {
        // `(12.00)` is a minus, `12.00 (Dr)` is a word.
        Some(inner) if !inner.starts_with(b"(") => inner.strip_suffix(b".").unwrap_or(inner),
        _ => inner,
    };
    let letters = inner.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (number, word) = inner.split_at(inner.len() - letters);
    if letters > 0 {
        let number = number.trim_ascii_end();
        let number = number.strip_suffix(b"(").unwrap_or(number).trim_ascii_end();
        let known = ENDINGS.iter().find(|(known, ..)| known.as_bytes().eq_ignore_ascii_case(word));
        // One letter is a word only where it is a capital: `12 h` are hours.
        let known = known.filter(|_| word.len() > 1 || word[0].is_ascii_uppercase());
        let ends = number.last().is_some_and(u8::is_ascii_digit) || number.ends_with(b"/-");
        if let (Some((_, out, _)), true) = (known, ends) {
            return (number, Some(*out));
        }
        return (text, None);
    }
    let letters = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (word, number) = text.split_at(letters);
    let known = ENDINGS.iter().find(|(known, _, leads)| *leads && known.as_bytes().eq_ignore_ascii_case(word));
    let number = number.strip_prefix(b".").unwrap_or(number).trim_ascii_start();
    match known {
        Some((_, out, _)) if number.last().is_some_and(u8::is_ascii_digit) => (number, Some(*out)),
        _ => (text, None),
    }
}

/// The minor units nearest to a plain number with more digits than its currency has, half to even.
fn round(digits: &[u8], currency: Currency) -> Option<i64> {
    let end = digits.iter().position(|&byte| byte == b'.')? + 1 + currency.exponent() as usize;
    let (kept, cut) = digits.split_at(end.min(digits.len()));
    let size = kept.strip_prefix(b"-").or_else(|| kept.strip_prefix(b"+")).unwrap_or(kept);
    // What stays of `.5` is no number, and nothing.
    let size = if size.iter().any(u8::is_ascii_digit) { Amount::parse_bytes(size, currency).ok()?.minor } else { 0 };
    let half = match cut.split_first() {
        Some((b'5', rest)) if rest.iter().all(|&digit| digit == b'0') => size % 2 == 1,
        Some((first, _)) => *first >= b'5',
        None => false,
    };
    let size = size.checked_add(i64::from(half))?;
    Some(if digits.starts_with(b"-") { -size } else { size })
}

/// The text within `="…"`, as spreadsheets are made to keep digits.
pub(crate) fn within_formula(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"=\"").and_then(|text| text.strip_suffix(b"\"")).map_or(text, <[u8]>::trim_ascii)
}

/// Words that stand for a currency beside an amount and are no codes.
const UNITS: &str = concat!(
    "kr|zł|kč|ft|lei|fr|sfr|rs|rp|rm|r|us|ca|c|a|au|nz|hk|s|can|tl|dh|dhs|euro|euros|dollar|dollars|",
    "руб|р|грн|лв|ден|円|元|원|đ|บาท|ر.س|د.إ",
);

/// Whether a letter is a dash that people and programs write for a minus.
fn is_minus(letter: char) -> bool {
    matches!(letter, '-' | '\u{2010}'..='\u{2014}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

/// Whether a letter is a currency's sign.
fn is_sign(letter: char) -> bool {
    matches!(letter, '$' | '£'..='¥' | '฿' | '\u{20a0}'..='\u{20cf}' | '﷼' | '＄' | '￡' | '￥' | '￦')
}

/// Whether a letter is an apostrophe, or what stands for one between thousands.
fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '`' | '´' | 'ʼ' | '\u{2018}' | '\u{2019}' | '\u{2032}')
}

/// Whether a letter is seen by nobody: marks of the direction of writing, blanks of no width.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{61c}' | '\u{feff}')
}

/// An amount as it is written with the letters that most write: without those that nobody sees, digits and points of
/// full width as narrow ones, and with the decimals that a dash stands for (`15.—`, `1.500,-`) or none (`1,500/-`).
fn usual(text: &str) -> Cow<'_, str> {
    let wide = |letter: char| matches!(letter, '\u{ff0b}'..='\u{ff0c}' | '\u{ff0e}' | '\u{ff10}'..='\u{ff19}');
    let text = match text.contains(|letter: char| is_unseen(letter) || wide(letter)) {
        false => Cow::Borrowed(text.trim()),
        true => {
            let seen = text.chars().filter(|&letter| !is_unseen(letter));
            let narrow = |letter| char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter);
            let text: String = seen.map(|letter| if wide(letter) { narrow(letter) } else { letter }).collect();
            text.trim().to_owned().into()
        }
    };
    let before = text.trim_end_matches(is_minus);
    let mark = before.chars().next_back().filter(|mark| matches!(mark, '.' | ',' | '/') && before.len() < text.len());
    let Some(mark) = mark else { return text };
    match before.strip_suffix(mark) {
        Some(whole) if !whole.ends_with(|last: char| last.is_ascii_digit()) => text,
        Some(whole) if mark == '/' => whole.to_owned().into(),
        _ => format!("{before}00").into(),
    }
}

/// The currency that a word beside an amount names, where it is a code; nothing at all where it is no currency's word.
fn unit(word: &str) -> Option<Option<Currency>> {
    let lower = word.trim_end_matches('.').to_lowercase();
    if UNITS.split('|').any(|unit| unit == lower) {
        return Some(None);
    }
    let upper = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    Currency::new(word.as_bytes()).filter(|code| upper && code.is_assigned()).map(Some)
}

/// Takes off what people put around a number: a currency's sign or code, brackets for a minus, blanks, and separators
/// of thousands. A separator must stand before three digits: `12,34` is no US amount, and taking it for 1234 would
/// multiply it by a hundred. Returns the digits with a point, and the currency that the code names.
fn plain(text: &[u8], point: u8) -> Option<(Vec<u8>, Option<Currency>)> {
    let text = usual(std::str::from_utf8(within_formula(text)).ok()?);
    // A spreadsheet's mark of a text.
    let text = text.strip_prefix('\'').unwrap_or(&text);
    if let Some(digits) = expanded(text.as_bytes(), point) {
        return Some((digits, None));
    }
    let (mut negative, text) = freed(text)?;
    let mut signed = negative;
    let mut digits: Vec<u8> = Vec::with_capacity(text.len());
    // What parts thousands, the digits since it last did, and those of the groups between the first and the last.
    let mut separator = None;
    let (mut group, mut between) = (0, None);
    let (mut seen_point, mut symbol, mut code) = (false, false, None);
    // Once something ends the number, only a sign, a symbol or a code may follow.
    let mut ended = false;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next_is_digit = letters.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        match letter {
            letter if letter == '+' || is_minus(letter) => {
                if signed {
                    return None;
                }
                signed = true;
                negative = letter != '+';
                ended |= !digits.is_empty();
            }
            letter if is_sign(letter) => {
                if symbol {
                    return None;
                }
                symbol = true;
                ended |= !digits.is_empty();
            }
            '0'..='9' if ended => return None,
            '0'..='9' => {
                digits.push(letter as u8);
                group += 1;
            }
            '.' | ',' if !ended && letter as u8 == point => {
                if seen_point || (separator.is_some() && group != 3) {
                    return None;
                }
                seen_point = true;
                digits.push(b'.');
            }
            // A blank parts thousands between digits, and else a sign, a symbol or a code from the number.
            letter if letter.is_whitespace() && (digits.is_empty() || !next_is_digit) => {
                ended |= !digits.is_empty();
            }
            letter if matches!(letter, '.' | ',') || is_apostrophe(letter) || letter.is_whitespace() => {
                let lead = match (separator, between) {
                    (None, _) => (1..=3).contains(&digits.len()) && digits[0] != b'0',
                    // Where lakhs and crores are counted, two digits stand between commas: 12,34,567.
                    (Some(_), None) => group == 3 || (group == 2 && letter == ',' && digits.len() <= 4),
                    (Some(_), Some(between)) => group == between,
                };
                if ended || seen_point || !lead || separator.is_some_and(|known| known != letter) {
                    return None;
                }
                between = separator.map(|_| group);
                (separator, group) = (Some(letter), 0);
            }
            letter if letter.is_alphabetic() => {
                let rest = &text[at..];
                let end = rest.find(|letter: char| !letter.is_alphabetic()).unwrap_or(rest.len());
                if symbol && code.is_some() {
                    return None;
                }
                let named = unit(&rest[..end])?;
                if code.is_some() {
                    return None;
                }
                code = Some(named);
                ended |= !digits.is_empty();
                while letters.next_if(|&(next, _)| next < at + end).is_some() {}
                // `kr.` ends in a point of its own.
                if named.is_none() {
                    letters.next_if(|&(_, next)| next == '.');
                }
            }
            _ => return None,
        }
    }
    if digits.is_empty() || (!seen_point && separator.is_some() && group != 3) {
        return None;
    }
    if negative {
        digits.insert(0, b'-');
    }
    Some((digits, code.flatten()))
}

/// An amount without the brackets that stand for a minus, a currency beside them or not: `(5.00)`, `$(5.00)`, `(5.00)
/// €`.
fn freed(text: &str) -> Option<(bool, Cow<'_, str>)> {
    let Some((before, inner)) = text.split_once('(') else { return Some((false, text.into())) };
    let (inner, behind) = inner.rsplit_once(')')?;
    let bare = |part: &str| !part.contains(|letter: char| letter.is_ascii_digit());
    (bare(before) && bare(behind)).then(|| (true, format!("{before}{inner} {behind}").trim().to_owned().into()))
}

/// Whether an amount says that it is of another currency than this one, by a code or a sign.
pub(crate) fn contradicts(text: &str, currency: Currency) -> bool {
    if let Some(code) = code(text) {
        return code != currency;
    }
    let own = currency.as_str();
    let Some(sign) = text.chars().find(|letter| SIGNS.iter().any(|(sign, _)| sign == letter) || *letter == '₩')
    else {
        return false;
    };
    match sign {
        '€' => own != "EUR",
        '£' => !matches!(own, "GBP" | "GIP" | "FKP" | "SHP" | "EGP" | "LBP" | "SDG" | "SYP" | "TRY"),
        '¥' => !matches!(own, "JPY" | "CNY"),
        '₹' => own != "INR",
        '₽' => own != "RUB",
        '₺' => own != "TRY",
        '₪' => own != "ILS",
        '₩' => !matches!(own, "KRW" | "KPW"),
        '₴' => own != "UAH",
        // Dollars and pesos are many.
        _ => matches!(
            own,
            "EUR"
                | "GBP"
                | "JPY"
                | "CNY"
                | "INR"
                | "CHF"
                | "SEK"
                | "NOK"
                | "DKK"
                | "PLN"
                | "CZK"
                | "HUF"
                | "RON"
                | "TRY"
                | "ILS"
                | "KRW"
                | "RUB"
                | "UAH"
                | "ZAR"
                | "KWD"
                | "BHD"
                | "AED"
                | "SAR"
        ),
    }
}

/// The currency whose code stands beside an amount.
pub(crate) fn code(text: &str) -> Option<Currency> {
    let bare = ending(text.as_bytes()).0;
    [b'.', b','].into_iter().find_map(|point| plain(bare, point)).and_then(|(_, code)| code)
}

/// The currency that an amount names by a code or a sign that one currency has; `dollars` takes a bare `$` for US
/// dollars.
pub(crate) fn named(text: &str, dollars: bool) -> Option<Currency> {
    if let Some(code) = code(text) {
        return Some(code);
    }
    let (at, sign) = text.char_indices().find(|(_, letter)| SIGNS.iter().any(|(sign, _)| sign == letter))?;
    if sign == '$' {
        let letters = text[..at].trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        let code = match letters {
            "" => return dollars.then_some(Currency::USD),
            "US" => "USD",
            "C" | "CA" | "CAN" => "CAD",
            "A" | "AU" => "AUD",
            "NZ" => "NZD",
            "HK" => "HKD",
            "S" => "SGD",
            "R" => "BRL",
            _ => return None,
        };
        return Currency::new(code.as_bytes());
    }
    let (_, codes) = SIGNS.iter().find(|(known, _)| *known == sign)?;
    if let [code] = codes { Currency::new(code.as_bytes()) } else { None }
}

/// Signs that name a currency beside an amount, and those of the codes that they stand for.
const SIGNS: [(char, &[&str]); 9] = [
    ('$', &[]),
    ('€', &["EUR"]),
    ('£', &["GBP"]),
    ('¥', &["JPY", "CNY"]),
    ('₹', &["INR"]),
    ('₽', &["RUB"]),
    ('₺', &["TRY"]),
    ('₪', &["ILS"]),
    ('₴', &["UAH"]),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn people_write_amounts_in_many_ways() {
        let us = |text: &str| read(text.as_bytes(), Style::Money, Currency::USD).ok().map(|read| read.minor);
        for (text, minor) in [
            ("1234.5", 123_450),
            ("-$1,234.50", -123_450),
            ("$-1,234.50", -123_450),
            ("($5.00)", -500),
            ("- $175.00", -17_500),
            ("+ $1,150.00", 115_000),
            ("1,234,567", 123_456_700),
            ("12.00-", -1_200),
            ("\u{2212}3", -300),
            (" 7 ", 700),
            (".75", 75),
            ("1 234.50", 123_450),
            ("1\u{a0}234\u{a0}567", 123_456_700),
            ("1'234.50", 123_450),
            ("1\u{2019}234.50", 123_450),
            ("-12.50 USD", -1_250),
            ("USD -12.50", -1_250),
            ("US$12.50", 1_250),
            ("12.50 kr.", 1_250),
            ("\u{2010}12.50", -1_250),
            ("\u{2011}12.50", -1_250),
            ("\u{2012}12.50", -1_250),
            ("\u{ff0d}\u{ff11}\u{ff12}\u{ff0e}50", -1_250),
            ("\u{fe63}12.50", -1_250),
            ("1\u{2007}234.50", 123_450),
            ("1\u{2005}234.50", 123_450),
            ("\u{200e}-1,234.50\u{200f}", -123_450),
            ("\u{feff}12.50\u{200b}", 1_250),
            ("1´234.50", 123_450),
            ("1\u{2bc}234.50", 123_450),
            ("-15.\u{2014}", -1_500),
            ("15.--", 1_500),
            ("15.-", 1_500),
            ("1,500.-", 150_000),
            ("1,500/-", 150_000),
            ("1,500/- Dr", -150_000),
            ("-฿1,234.50", -123_450),
            ("₱12.50", 1_250),
            ("12.50 TL", 1_250),
            ("Dhs. 12.50", 1_250),
            ("12.50 руб.", 1_250),
            ("100円", 10_000),
            ("12.50 Euro", 1_250),
            ("=\"1,234.50\"", 123_450),
            ("\u{2013}3", -300),
            ("-995.4190396554627", -99_542),
            ("-1,650.00", -165_000),
            ("1,650.00 DR", -165_000),
            ("1,650.00CR", 165_000),
            ("12.00 Cr.", 1_200),
            ("12.00 (Dr)", -1_200),
            ("-12.00 DR", -1_200),
            ("DR 12.00", -1_200),
            ("12.00 S", -1_200),
            ("12.00 H", 1_200),
            ("$12.00 DB", -1_200),
            ("$(5.00)", -500),
            ("(5.00) USD", -500),
            ("-1,23,456.78", -12_345_678),
            ("12,34,56,789", 12_345_678_900),
            ("1.234560e+03", 123_456),
            ("-1.2e-1", -12),
            ("5e-05", 0),
            ("0.000000e+00", 0),
        ] {
            assert_eq!(us(text), Some(minor), "{text:?}");
        }
        for text in [
            "",
            "$",
            "-",
            "12,34",
            "1,23.00",
            "1,2345",
            ",123",
            "1234,567",
            "12 34",
            "1.2.3",
            "--5",
            "(-5",
            "(-5)",
            "5 XYZ",
            "1.500,-",
            "50¢",
            "15.-5",
            "/-",
            "15/",
            "1.5.-",
            "1.234,50",
            "1e3",
            "$$5",
            "1.5,000",
            "0x10",
            "0,123",
            "1,234 567",
            "1 234,567",
            "5 EUR",
            "USD 5 USD",
            "x",
            "5 5",
            "1,23",
            "1,23,45",
            "1,234,56,789",
            "123,45,678",
            "1.23457E+06",
            "1.5e3",
            "-$(-5)",
            "(5) 5",
        ] {
            assert_eq!(us(text), None, "{text:?}");
        }
        let eu = |text: &str| read(text.as_bytes(), Style::MoneyComma, Currency::EUR).ok().map(|read| read.minor);
        assert_eq!(eu("-1.234,50 €"), Some(-123_450));
        assert_eq!(eu("1'234,5"), Some(123_450));
        assert_eq!(eu("12.34"), None);
        assert_eq!(eu("-4,50"), Some(-450));
        assert_eq!(eu("12,505 EUR"), Some(1_250));
        assert_eq!(eu("1 234,50"), Some(123_450));
    }

    #[test]
    fn rounding_is_half_to_even() {
        for (text, minor) in
            [("1.005", 100), ("1.015", 102), ("-1.0051", -101), ("2.994999", 299), ("0.999", 100), ("3.1", 310)]
        {
            let rounded = !matches!(text, "3.1");
            assert_eq!(
                read(text.as_bytes(), Style::Plain, Currency::USD),
                Ok(Read { minor, rounded, out: None }),
                "{text}"
            );
        }
        assert!(read(b"1.0x5", Style::Plain, Currency::USD).is_err());
        let yen = Currency::new(b"JPY").unwrap();
        assert_eq!(read(b"12.5", Style::Plain, yen), Ok(Read { minor: 12, rounded: true, out: None }));
        assert_eq!(read(b".5", Style::Plain, yen), Ok(Read { minor: 0, rounded: true, out: None }));
    }

    #[test]
    fn plain_means_plain() {
        assert!(read(b"1,000", Style::Plain, Currency::USD).is_err());
        assert_eq!(read(b"-57.16", Style::Plain, Currency::USD).unwrap().minor, -5_716);
        assert!(read(b"12.5", Style::MoneyComma, Currency::USD).is_err());
        assert_eq!(read(b"-1.9e-01", Style::Plain, Currency::USD).unwrap().minor, -19);
    }

    #[test]
    fn minor_units_are_whole() {
        let minor = |text: &[u8]| read(text, Style::Minor, Currency::USD).ok().map(|read| read.minor);
        assert_eq!((minor(b"-1999"), minor(b"1999.0"), minor(b" 0 ")), (Some(-1_999), Some(1_999), Some(0)));
        assert_eq!((minor(b"19.99"), minor(b"1,999"), minor(b"")), (None, None, None));
    }
}
