//! What reaches a terminal or a spreadsheet does nothing there.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::Path;

use crible_ingest::{Error, cell, plain, shown_path};

/// A file's name: as the user gave it where the user reads it, and as it is shown to others in a log or a pipe.
pub(crate) fn name(path: &Path, shown: &str, to: &impl IsTerminal) -> String {
    if to.is_terminal() { raw(path) } else { plain(shown).into_owned() }
}

/// A file's name as the user gave it.
pub(crate) fn raw(path: &Path) -> String {
    plain(&path.to_string_lossy()).into_owned()
}

/// An error of reading, its file named as [`name`] names it.
pub(crate) fn told(error: &Error, to: &impl IsTerminal) -> String {
    let text = error.to_string();
    let text = match error.path().filter(|_| to.is_terminal()) {
        Some(path) => match text.strip_prefix(&shown_path(path)) {
            Some(rest) => format!("{}{rest}", path.to_string_lossy()),
            None => text,
        },
        None => text,
    };
    plain(&text).into_owned()
}

/// Lines of text, in which only line ends act.
pub(crate) fn lines(text: &str) -> String {
    let mut plain_lines = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        plain_lines.push_str(&plain(line));
        plain_lines.push_str(end);
    }
    plain_lines
}

/// JSON in which no character acts on a terminal: those that JSON itself leaves as they are become escapes.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains('\u{7f}') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        let mut buffer = [0; 4];
        if letter != '\n' && matches!(plain(letter.encode_utf8(&mut buffer)), Cow::Owned(_)) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            escaped.push(letter);
        }
    }
    Cow::Owned(escaped)
}

/// The cells of a record of CSV, none of which a spreadsheet runs.
pub(crate) fn cells<'t>(record: impl IntoIterator<Item = &'t str>) -> impl Iterator<Item = String> {
    record.into_iter().map(|text| cell(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_ends_act() {
        assert_eq!(lines("a\u{1b}[2J\nb\r\n"), "a\\u{1b}[2J\nb\\r\n");
        assert_eq!(json("{\"a\": \"é\u{9b}\u{202e}\"}\n"), "{\"a\": \"é\\u009b\\u202e\"}\n");
        assert_eq!(cells(["=1", "b"]).collect::<Vec<_>>(), ["'=1", "b"]);
    }
}
