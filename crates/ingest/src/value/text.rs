use std::borrow::Cow;

/// `&amp;` and its like, once: what a bank's web export leaves in descriptions. A sign that starts no known entity
/// stays as it is.
pub(crate) fn unescape_html(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'&') {
        return Cow::Borrowed(text);
    }
    const ENTITIES: [(&[u8], &[u8]); 7] = [
        (b"&amp;", b"&"),
        (b"&lt;", b"<"),
        (b"&gt;", b">"),
        (b"&quot;", b"\""),
        (b"&#39;", b"'"),
        (b"&apos;", b"'"),
        (b"&nbsp;", b" "),
    ];
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        match ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
            Some((entity, plain)) => {
                out.extend_from_slice(plain);
                rest = &rest[entity.len()..];
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    Cow::Owned(out)
}

/// Without a character that stands on either side.
pub(crate) fn strip(text: &[u8], letter: Option<u8>) -> &[u8] {
    match (letter, text) {
        (Some(letter), [first, inner @ .., last]) if *first == letter && *last == letter => inner.trim_ascii(),
        _ => text,
    }
}

/// What a word of a label means: a whole number however it is written, a yes as 1, a no as 0.
pub(crate) fn meant(word: &[u8]) -> Option<i64> {
    let is = |words: &[&[u8]]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is(&[b"true", b"yes", b"y", b"t"]) {
        return Some(1);
    }
    if is(&[b"false", b"no", b"n", b"f"]) {
        return Some(0);
    }
    let number: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

/// A whole number without the `.0` that data frames write behind it: as an id, `1.0` is `1`.
pub(crate) fn whole(text: &[u8]) -> &[u8] {
    match text.strip_suffix(b".0") {
        Some(digits) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => digits,
        _ => text,
    }
}

/// Whether a number is one of those that spreadsheets make of long digits, and that have lost the last of them:
/// `3.48702E+14`.
pub(crate) fn is_cut(text: &[u8]) -> bool {
    let (digits, tens, ones) = match text {
        [digits @ .., b'E' | b'e', b'+', tens, ones] => (digits, tens, ones),
        // Java and what is made of it write no plus; without a point it may be an identifier.
        [digits @ .., b'E' | b'e', tens, ones] if digits.get(1) == Some(&b'.') => (digits, tens, ones),
        _ => return false,
    };
    let number = digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    number && digits.first().is_some_and(u8::is_ascii_digit) && tens.is_ascii_digit() && ones.is_ascii_digit()
}

/// A name as it is compared: its letters and digits in lower case, without accents. `#`, `No.` and `Nr.` are `number`.
pub(crate) fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut word = String::new();
    let end = |word: &mut String, folded: &mut String| {
        folded.push_str(if matches!(word.as_str(), "no" | "nr") && !folded.is_empty() { "number" } else { word });
        word.clear();
    };
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            '#' => {
                end(&mut word, &mut folded);
                folded.push_str("number");
            }
            'ß' => word.push_str("ss"),
            letter if letter.is_alphanumeric() => word.push(unaccented(letter)),
            // A combining accent, as Macs write them.
            '\u{300}'..='\u{36f}' => {}
            _ => end(&mut word, &mut folded),
        }
    }
    end(&mut word, &mut folded);
    folded
}

/// A letter without its accent.
pub(crate) fn unaccented(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ą' | 'ă' | 'ā' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' | 'ė' | 'ē' => 'e',
        'ğ' => 'g',
        'ì' | 'í' | 'î' | 'ï' | 'ı' | 'į' | 'ī' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù' | 'ú' | 'û' | 'ü' | 'ů' | 'ű' | 'ū' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        letter => letter,
    }
}

/// Words in a column's name that say that its amounts are whole minor units.
const MINOR: [&str; 10] =
    ["cents", "cent", "minor", "minorunits", "pence", "centimes", "centavos", "centimos", "grosze", "ore"];

/// Whether a column is called after minor units: `amount_cents`, `amountMinor`, `Amount (pence)`.
pub(crate) fn counts_minor(name: &str) -> bool {
    words_of(name).any(|word| MINOR.contains(&word.as_str()))
}

/// The words of a column's name, in lower case and without accents.
pub(crate) fn words_of(name: &str) -> impl Iterator<Item = String> {
    let mut parted = String::new();
    for letter in name.chars() {
        // Words of `amountMinorUnits` are parted by their capitals.
        if letter.is_uppercase() && parted.ends_with(char::is_lowercase) {
            parted.push(' ');
        }
        parted.extend(letter.to_lowercase().map(unaccented));
    }
    let words: Vec<String> = parted.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect();
    words.into_iter().filter(|word| !word.is_empty())
}

/// Whether two words are the same, whatever the case of their letters.
pub(crate) fn is_same(a: &[u8], b: &[u8]) -> bool {
    let lower = |text: &[u8]| String::from_utf8_lossy(text).to_lowercase();
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && !b.is_ascii() && lower(a) == lower(b))
}

/// Words that stand in an empty field.
const NOTHING: [&[u8]; 13] = [
    b"-",
    b"--",
    b"\xe2\x80\x93",
    b"\xe2\x80\x94",
    b"nan",
    b"null",
    b"none",
    b"nil",
    b"n/a",
    b"na",
    b"#n/a",
    b"\\n",
    b"<na>",
];

/// Whether a field is empty, or holds a word that says so.
pub(crate) fn is_nothing(text: &[u8]) -> bool {
    text.is_empty() || NOTHING.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// A number of degrees.
pub(crate) fn degrees(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|degrees: &f64| degrees.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_mean_numbers() {
        for (word, expect) in
            [("1.0", Some(1)), ("0.00", Some(0)), ("1e0", Some(1)), ("True", Some(1)), ("no", Some(0))]
        {
            assert_eq!(meant(word.as_bytes()), expect, "{word}");
        }
        for word in ["NA", "nan", "0.5", "", "inf", "fraud"] {
            assert_eq!(meant(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn numbers_of_accounts_are_whole() {
        for (text, expect) in [
            ("1.0", "1"),
            ("007.0", "007"),
            ("4111111111111111.0", "4111111111111111"),
            ("1", "1"),
            (".0", ".0"),
            ("1.00", "1.00"),
            ("Web 2.0", "Web 2.0"),
            ("1.2.0", "1.2.0"),
            ("", ""),
        ] {
            assert_eq!(whole(text.as_bytes()), expect.as_bytes(), "{text}");
        }
        assert!(["3.48702E+14", "4E+15", "3,48702e+14", "3.48702E14"].iter().all(|text| is_cut(text.as_bytes())));
        assert!(
            ["348702E14", "4E15", "E+14", "A3E+14", "1E+5", "", "x.5E+14"].iter().all(|text| !is_cut(text.as_bytes()))
        );
    }

    #[test]
    fn names_are_compared_by_their_letters() {
        let same = |a: &str, b: &str| assert_eq!(fold(a), fold(b), "{a}, {b}");
        same("Posting Date", "posting_date");
        same("Card No.", "Card #");
        same("Account Number", "ACCOUNT #");
        same("Währung", "WAHRUNG");
        same("Date de début", "date de debut");
        same("De\u{301}but", "Début");
        same("Kwota", " kwota ");
        assert_ne!(fold("Amount (total)"), fold("Amount (tip)"));
        assert_ne!(fold("No"), fold("Number"), "a word of its own is one");
    }

    #[test]
    fn columns_are_called_after_minor_units() {
        assert!(
            ["amount_cents", "amountMinor", "Amount (pence)", "Kwota grosze"].iter().all(|name| counts_minor(name))
        );
        assert!(["Amount", "Percentage", "minority", "Center"].iter().all(|name| !counts_minor(name)));
    }

    #[test]
    fn case_is_no_difference_in_any_language() {
        assert!(is_same("ZURÜCKGESETZT".as_bytes(), "Zurückgesetzt".as_bytes()) && is_same(b"Sale", b"SALE"));
        assert!(!is_same("Zurückgesetzt".as_bytes(), b"Zuruckgesetzt") && !is_same(b"Sale", b"Sales"));
    }

    #[test]
    fn nothing_is_written_in_many_ways() {
        assert!(["", "-", "NaN", "NULL", "N/A", "—"].iter().all(|text| is_nothing(text.as_bytes())));
        assert!(["0", ".", "-1", "nano"].iter().all(|text| !is_nothing(text.as_bytes())));
    }

    #[test]
    fn entities_are_undone_once() {
        let check = |from: &str, to: &str| assert_eq!(&*unescape_html(from.as_bytes()), to.as_bytes());
        check("plain", "plain");
        check("BARNES &amp; NOBLE", "BARNES & NOBLE");
        check("&amp;lt; AT&T &#39;&quot;", "&lt; AT&T '\"");
        check("&amp", "&amp");
    }
}
