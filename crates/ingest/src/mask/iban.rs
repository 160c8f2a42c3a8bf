//! International bank account numbers, ISO 13616.

use super::{Kind, Span};

/// Countries and territories of the IBAN registry, and how long their numbers are.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The longest that ISO 13616 allows.
const LONGEST: usize = 34;
/// The shortest there is.
const SHORTEST: usize = 15;
/// Digits behind the first four that make a number of a registered length one, whatever its check digits.
const DIGITS: usize = 8;

pub(super) fn find(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + SHORTEST <= bytes.len() {
        let head = &bytes[at..at + 4];
        let starts = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let begins = head[..2].iter().all(u8::is_ascii_alphabetic) && head[2..].iter().all(u8::is_ascii_digit);
        match (starts && begins).then(|| end(&bytes[at..])).flatten() {
            Some(length) => {
                spans.push(Span { start: at, end: at + length, kind: Kind::Iban });
                at += length;
            }
            None => at += 1,
        }
    }
}

/// How many bytes of a text that begins with a country and two digits are an IBAN.
fn end(bytes: &[u8]) -> Option<usize> {
    let country = [bytes[0].to_ascii_uppercase(), bytes[1].to_ascii_uppercase()];
    let known = LENGTHS.iter().find(|(code, _)| **code == country).map(|&(_, length)| length);
    let mut letters = Vec::with_capacity(LONGEST);
    let mut end = 0;
    while letters.len() < known.unwrap_or(LONGEST + 1) {
        match bytes.get(end) {
            Some(byte) if byte.is_ascii_alphanumeric() => {
                letters.push(byte.to_ascii_uppercase());
                end += 1;
            }
            // One blank or hyphen between groups of four, where the length says when to stop.
            Some(b' ' | b'-')
                if known.is_some()
                    && letters.len().is_multiple_of(4)
                    && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) =>
            {
                end += 1;
            }
            _ => break,
        }
    }
    let whole = !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let digits = letters.get(4..)?.iter().filter(|letter| letter.is_ascii_digit()).count();
    let fits = match known {
        Some(length) => letters.len() == length && (digits >= DIGITS || checks(&letters)),
        None => (SHORTEST..=LONGEST).contains(&letters.len()) && checks(&letters),
    };
    (whole && fits).then_some(end)
}

/// ISO 7064, mod 97-10: letters count from 10, the first four stand last, and the rest by 97 is 1.
fn checks(letters: &[u8]) -> bool {
    let (head, body) = letters.split_at(4);
    let rest = body.iter().chain(head).fold(0u32, |rest, &letter| match letter {
        b'0'..=b'9' => (rest * 10 + u32::from(letter - b'0')) % 97,
        _ => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_own_examples_check() {
        for iban in
            ["DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"]
        {
            assert!(checks(iban.as_bytes()), "{iban}");
            assert_eq!(end(iban.as_bytes()), Some(iban.len()), "{iban}");
            assert_eq!(end(format!("{iban}9").as_bytes()), None, "{iban}");
        }
        assert!(!checks(b"DE88370400440532013000"));
        // Of no country there is: the check digits have to be right.
        assert_eq!(end(b"XX00ABCDEFGHIJK1"), None);
    }
}
