//! What a row itself says is an account, a person or an address.

use std::borrow::Cow;

use memchr::memmem;

use crate::error::clipped;

/// Words in a column's name that make what stands there a person's or an account's.
const COLUMNS: &[&str] = &[
    "account",
    "acct",
    "address",
    "beneficiary",
    "card",
    "cc_num",
    "client",
    "counterparty",
    "customer",
    "dob",
    "email",
    "e-mail",
    "first",
    "holder",
    "iban",
    "last",
    "member",
    "name",
    "owner",
    "payee",
    "payer",
    "phone",
    "recipient",
    "sender",
    "ssn",
    "street",
    "user",
];

/// The same where it is all of the name.
const WHOLE: &[&str] = &["from", "to"];

/// Whether what stands in a column of this name says who somebody is.
pub(crate) fn is_party(column: &str) -> bool {
    let column = column.trim().to_lowercase();
    WHOLE.contains(&column.as_str()) || COLUMNS.iter().any(|word| column.contains(word))
}

/// Whether a value is long enough to tell somebody by: shorter ones are found in any text.
fn tells(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == value.len() { digits >= 5 } else { value.len() >= 3 }
}

/// Without the quotes, blanks and marks around it.
fn bare(value: &[u8]) -> &[u8] {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte >= 0x80;
    let start = value.iter().position(|byte| part(&byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| part(&byte)).map_or(start, |at| at + 1);
    &value[start..end]
}

/// Where a value stands in a text as a word of its own, or anywhere where it is long.
fn places<'t>(text: &'t [u8], value: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    memmem::find_iter(text, value).filter(move |&at| {
        let beside = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
        value.len() >= 8 || !(beside(at.checked_sub(1).map(|at| &text[at])) || beside(text.get(at + value.len())))
    })
}

/// Whether a feed's word has a party's name in it.
pub(crate) fn names_party(word: &[u8], party: &[u8]) -> bool {
    if word.len() < party.len() {
        return false;
    }
    let party = bare(party);
    tells(party) && places(word, party).next().is_some()
}

/// What the columns of one row say of parties, to be taken out of what is shown of it.
#[derive(Debug, Default)]
pub(crate) struct Parties<'r> {
    values: Vec<&'r [u8]>,
}

impl<'r> Parties<'r> {
    pub(crate) fn add(&mut self, value: &'r [u8]) {
        let value = bare(value);
        if tells(value) && !self.values.contains(&value) {
            self.values.push(value);
        }
    }

    /// A text without them, the longest first, and masked.
    pub(crate) fn mask(&mut self, text: &str) -> String {
        self.values.sort_by_key(|value| usize::MAX - value.len());
        let text = self.values.iter().fold(Cow::Borrowed(text), |text, value| {
            let mut out = String::new();
            let mut done = 0;
            for at in places(text.as_bytes(), value) {
                // A value that is no UTF-8 is in no text, and one that is begins and ends with whole characters.
                out.push_str(text.get(done..at).unwrap_or(""));
                out.push_str(if value.iter().any(u8::is_ascii_digit) { "[account]" } else { "[name]" });
                done = at + value.len();
            }
            if done == 0 {
                return text;
            }
            out.push_str(text.get(done..).unwrap_or(""));
            Cow::Owned(out)
        });
        super::mask(&text).into_owned()
    }

    /// The same of a value, at most 200 characters.
    pub(crate) fn shown(&mut self, value: &str) -> String {
        clipped(&self.mask(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_tell_who() {
        for name in ["First", "Card Member", "Account #", "From", "nameOrig", "CUSTOMER_ID", "From Email Address"] {
            assert!(is_party(name), "{name}");
        }
        for name in ["Amount", "Type", "Memo", "MCC", "tomorrow", "Date"] {
            assert!(!is_party(name), "{name}");
        }
    }

    #[test]
    fn a_rows_own_words_are_taken_out() {
        let check = |values: &[&str], text: &str, expect: &str| {
            let mut parties = Parties::default();
            values.iter().for_each(|value| parties.add(value.as_bytes()));
            assert_eq!(parties.mask(text), expect, "{values:?} {text}");
        };
        check(&["Ines Okoro", "'77001'"], "to Ines Okoro of 77001, not 177001", "to [name] of [account], not 177001");
        check(&["Ines", "Ines Okoro"], "Ines Okoro and Ines", "[name] and [name]");
        // Too short to tell anybody by.
        check(&["12", "Bo", ""], "12 for Bo", "12 for Bo");
        assert!(names_party(b"rent Ada", b"Ada") && !names_party(b"Adamant", b"Ada") && !names_party(b"5411", b"5411"));
    }
}
