//! Where in a preset's TOML a key stands.

use toml::de::{DeTable, DeValue};

/// The line of a byte, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at.min(text.len())).unwrap_or_default();
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// The line of a dotted key, or of the deepest part of it that the text has.
pub(super) fn line_of(text: &str, key: &str) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 1 };
    let mut table = table.get_ref();
    let mut at = 0;
    for part in key.split('.') {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == part) else { break };
        at = name.span().start;
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line_at(text, at)
}

/// The dotted key that a byte belongs to; nothing where none does.
pub(super) fn key_at(text: &str, at: usize) -> String {
    match DeTable::parse(text) {
        Ok(table) => within(table.get_ref(), at).unwrap_or_default().join("."),
        Err(_) => String::new(),
    }
}

fn within(table: &DeTable<'_>, at: usize) -> Option<Vec<String>> {
    table.iter().find_map(|(name, value)| {
        let own = || vec![name.get_ref().to_string()];
        let deeper = match value.get_ref() {
            DeValue::Table(inner) => within(inner, at),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(inner) => within(inner, at),
                _ => None,
            }),
            _ => None,
        };
        match deeper {
            Some(inner) => Some([own(), inner].concat()),
            None => (name.span().contains(&at) || value.span().contains(&at)).then(own),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"a\"\n\n[file]\nheaders = [\n    [\"x\"],\n]\n\n[time]\ncolumn = \"t\"\nzone = \"Mars\"\n\n\
                        [[skip]]\ncolumn = \"x\"\n[[skip]]\nvalues = [1]\n";

    #[test]
    fn keys_have_lines() {
        for (key, line) in
            [("name", 1), ("file", 3), ("file.headers", 4), ("time.zone", 10), ("time.gone", 8), ("gone", 1), ("", 1)]
        {
            assert_eq!(line_of(TEXT, key), line, "{key}");
        }
    }

    #[test]
    fn bytes_have_keys() {
        let check = |word: &str, key: &str| {
            let at = TEXT.find(word).unwrap_or(TEXT.len());
            assert_eq!(key_at(TEXT, at), key, "{word}");
        };
        check("\"a\"", "name");
        check("[\"x\"]", "file.headers");
        check("Mars", "time.zone");
        check("values", "skip.values");
        check("no such word", "");
    }
}
