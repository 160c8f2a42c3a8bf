//! Names that others chose, in a message of ours: no link, no number to call, nothing that reads another way round.

/// Most digits that are kept: a shop's number, no telephone number.
const DIGITS: usize = 4;

/// A name as plain text of at most `most` characters.
pub(super) fn plain(name: &str, most: usize) -> String {
    let mut text = String::new();
    let mut digits = 0;
    for c in name.chars() {
        let keeps = if c.is_numeric() {
            digits += 1;
            c.is_ascii_digit() && digits <= DIGITS
        } else {
            c.is_alphabetic() || matches!(c, '-' | '&' | '\'' | '+')
        };
        if keeps {
            text.push(c);
        } else if !text.ends_with(' ') && !is_joiner(c) {
            text.push(' ');
        }
    }
    let text = text.trim();
    let cut = text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]);
    cut.trim_end().to_owned()
}

/// What separates nothing: it is left out without a blank.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether a telephone could make a link of something in a text: an address, or a name with a dot in it.
pub fn has_link(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let dotted = chars.windows(3).any(|three| match three {
        [a, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}', b] => {
            a.is_alphanumeric() && b.is_alphanumeric() && !(a.is_ascii_digit() && b.is_ascii_digit())
        }
        _ => false,
    });
    dotted || text.contains("://") || text.contains('@') || text.to_lowercase().contains("www.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        for (name, expect) in [
            ("  Café  du   Pont ", "Café du Pont"),
            ("AMZN.COM/BILL", "AMZN COM BILL"),
            ("http://evil.example/x?y=1", "http evil example x y 1"),
            ("CALL 0800 123 456 NOW", "CALL 0800 NOW"),
            ("a\u{202e}b\u{200b}c\nd", "abc d"),
            ("7-ELEVEN #12345", "7-ELEVEN 123"),
            ("", ""),
        ] {
            assert_eq!(plain(name, 40), expect);
        }
        assert_eq!(plain("Boulangerie Martin", 12), "Boulangerie");
    }

    #[test]
    fn links_are_seen() {
        for link in ["see http://x", "www.x", "go to shop.example now", "a@b", "x.1", "bank。example"] {
            assert!(has_link(link), "{link}");
        }
        for text in ["USD 412.00 at Shop, 1 Jun 05:04.", "End. Start", "", "..."] {
            assert!(!has_link(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_name_makes_a_link(name in "\\PC{0,60}", most in 0..40usize) {
            let text = plain(&name, most);
            prop_assert!(!has_link(&text), "{text}");
            prop_assert!(text.chars().count() <= most);
            prop_assert!(text.chars().filter(|c| c.is_numeric()).count() <= DIGITS);
            prop_assert!(!text.chars().any(|c| c.is_control() || is_joiner(c)));
            prop_assert_eq!(plain(&text, most), text);
        }
    }
}
