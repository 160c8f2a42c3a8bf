use super::Code;

/// What a word can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The payment was theirs.
    Yes,
    /// It was not.
    No,
    /// No more messages.
    Stop,
    /// What is on the account.
    Balance,
    /// A code follows.
    Link,
    /// What can be written.
    Help,
}

/// What somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The payment was theirs; the number is that of the question, where they gave one.
    Yes(Option<u8>),
    /// It was not.
    No(Option<u8>),
    /// No more messages.
    Stop,
    /// They want to know what is on the account.
    Balance,
    /// They were given this code.
    Link(Code),
    /// Something else, or nothing that is clear.
    Other,
}

/// In a message of up to this many words, STOP is meant wherever it stands.
const SHORT: usize = 4;

/// Reads a message. Yes and no are taken only where nothing else was said: in "no problem, that was me" neither is an
/// answer. STOP is taken rather once too often.
pub fn understand(text: &str, meaning: impl Fn(&str) -> Option<Meaning>) -> Said {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '!' | '?' | ';' | ':' | '"' | '«' | '»'))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .take(40)
        .collect();
    let Some((first, rest)) = words.split_first() else { return Said::Other };
    let stops = |word: &&&str| meaning(word) == Some(Meaning::Stop);
    let looked_at = if words.len() <= SHORT { words.len() } else { 1 };
    if words.iter().take(looked_at).any(|word| stops(&word)) {
        return Said::Stop;
    }
    let number = |rest: &[&str]| match rest {
        [] => Some(None),
        [number] if number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.parse().ok().map(Some)
        }
        _ => None,
    };
    match (meaning(first), rest) {
        (Some(Meaning::Yes), rest) => number(rest).map_or(Said::Other, Said::Yes),
        (Some(Meaning::No), rest) => number(rest).map_or(Said::Other, Said::No),
        (Some(Meaning::Balance), []) => Said::Balance,
        (Some(Meaning::Link), [code]) => code.parse().map_or(Said::Other, Said::Link),
        (Some(Meaning::Link), [public, secret]) => format!("{public}-{secret}").parse().map_or(Said::Other, Said::Link),
        _ => Said::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::Wording;

    fn said(text: &str) -> Said {
        let wording = Wording::new("Test Bank").unwrap();
        understand(text, |word| wording.meaning(word))
    }

    #[test]
    fn what_people_write() {
        for (text, expect) in [
            ("YES", Said::Yes(None)),
            (" oui. ", Said::Yes(None)),
            ("Yes!", Said::Yes(None)),
            ("no 2", Said::No(Some(2))),
            ("NON", Said::No(None)),
            ("no problem, that was me", Said::Other),
            ("yes no", Said::Other),
            ("no 2 3", Said::Other),
            ("no 300", Said::Other),
            ("STOP", Said::Stop),
            ("Arrêt", Said::Stop),
            ("ARRET", Said::Stop),
            ("please stop", Said::Stop),
            ("no, stop!", Said::Stop),
            ("stop sending me these messages at night", Said::Stop),
            ("I was at the bus stop when I paid", Said::Other),
            ("Solde ?", Said::Balance),
            ("balance", Said::Balance),
            ("link 123456-654321", Said::Link("123456-654321".parse().unwrap())),
            ("LIER 123456 654321", Said::Link("123456-654321".parse().unwrap())),
            ("link", Said::Other),
            ("link 12", Said::Other),
            ("", Said::Other),
            ("?!", Said::Other),
            ("help", Said::Other),
        ] {
            assert_eq!(said(text), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,300}") {
            said(&text);
        }
    }
}
