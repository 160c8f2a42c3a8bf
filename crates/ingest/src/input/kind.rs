//! Files that people name by mistake and that hold no transactions that can be read: what they are.

use std::path::Path;

use crate::error::Error;

/// What a file is by its first bytes, and what to do about it; nothing for what may be read.
pub(crate) fn of(head: &[u8]) -> Option<&'static str> {
    let begins = |mark: &[u8]| head.starts_with(mark);
    let brand = head.get(4..8) == Some(b"ftyp");
    Some(match head {
        _ if begins(b"%PDF") => "a PDF; expected a CSV, OFX or other export of the same statement",
        _ if begins(b"\x89PNG") || begins(b"\xff\xd8\xff") || begins(b"GIF8") || begins(b"BM6") => IMAGE,
        _ if begins(b"II*\0") || begins(b"MM\0*") || (begins(b"RIFF") && head.get(8..12) == Some(b"WEBP")) => IMAGE,
        _ if brand && matches!(head.get(8..12), Some(b"heic" | b"heix" | b"mif1" | b"avif")) => IMAGE,
        _ if begins(b"{\\rtf") => "an RTF document; expected a table of text, such as a CSV export",
        _ if begins(b"Rar!") || begins(b"7z\xbc\xaf") || begins(b"\xfd7zXZ") || begins(b"BZh") => {
            "packed in a form that is not read; expected the file itself, or zip, gzip or Zstandard"
        }
        _ if begins(b"SQLite format 3") => "an SQLite database; expected a table exported from it as CSV",
        _ => return None,
    })
}

const HTML: &str = "HTML: a web page, or a table saved as one; expected a CSV, OFX or other export";

/// Elements that parts of web pages begin with.
const TAGS: &str =
    "div|p|span|table|thead|tbody|tr|td|meta|title|link|script|style|form|h1|h2|h3|center|font|br|a|img|b|i|svg";

const IMAGE: &str = "a picture; expected a CSV, OFX or other export of the same statement";

/// What a text is by its beginning, if it is a web page or XML of an unknown kind.
pub(crate) fn of_text(head: &str) -> Option<String> {
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let start: String = head.chars().take(256).flat_map(char::to_lowercase).collect();
    if ["<!doctype html", "<html", "<table", "<head", "<body"].iter().any(|tag| start.starts_with(tag)) {
        return Some(HTML.to_owned());
    }
    if !head.starts_with('<') {
        return None;
    }
    if let Some(message) = message(head) {
        return Some(format!(
            "the ISO 20022 message {message}, which is not read; expected camt.052 to 054, pain.001 or pacs.008"
        ));
    }
    let known = "expected OFX, camt.052 to 054, pain.001 or pacs.008";
    let name = root(head)?;
    if TAGS.split('|').any(|tag| tag.eq_ignore_ascii_case(name)) {
        return Some(HTML.to_owned());
    }
    Some(format!("XML of an unknown kind, its outermost element `{name}`; {known}"))
}

/// The name of an XML text's outermost element.
fn root(head: &str) -> Option<&str> {
    let mut rest = head;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        if rest.starts_with(['?', '!']) {
            rest = &rest[rest.find('>')?..];
            continue;
        }
        let end = rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/'))?;
        return rest.get(..end.min(64)).filter(|name| !name.is_empty());
    }
}

/// The message that an ISO 20022 document says it is, such as `camt.053.001.08`. An application header (head.001)
/// before it is none.
pub(crate) fn message(head: &str) -> Option<&str> {
    const SPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";
    head.split(SPACE).skip(1).find_map(|rest| {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.'))?;
        rest.get(..end).filter(|name| !name.is_empty() && name.len() < 32 && !name.starts_with("head."))
    })
}

/// Refuses what holds no transactions that can be read.
pub(crate) fn refuse(path: &Path, head: &[u8]) -> Result<(), Error> {
    match of(head) {
        Some(what) => Err(Error::Refused { path: path.to_owned(), reason: format!("it is {what}") }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_what_they_are() {
        let check = |head: &str, expect: &str| {
            let found = of_text(head).unwrap_or_default();
            assert!(found.contains(expect), "{head}: {found}");
        };
        check("\n<!DOCTYPE html><html>", "HTML");
        check("<TABLE><tr><td>Date", "HTML");
        check("\n <div class=\"login\">Please log in</div>", "HTML");
        check("<?xml version=\"1.0\"?>\n<!-- x --><gnc-v2 xmlns=\"a\">", "`gnc-v2`");
        check("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.03\">", "pain.002.001.03");
        for text in ["Date,Amount\n", "{\"a\":1}", "<", "<?xml", ""] {
            assert_eq!(of_text(text), None, "{text}");
        }
        assert!(of(b"%PDF-1.7").is_some() && of(b"Date,Amount").is_none());
    }
}
