//! A file of several keys, newest first.

use crate::key::{KeyError, Secret, secret};

/// The line that such a file begins with.
const MARK: &[u8] = b"# crible keys";

/// The most letters of a key's name.
const NAME: usize = 32;

/// The keys, newest first and at least one; nothing where the bytes are one key alone.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Vec<Secret>>, KeyError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !bytes.starts_with(MARK) {
        return Ok(None);
    }
    let mut keys: Vec<Secret> = Vec::new();
    let mut lines = 0;
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        lines = number + 1;
        let wrong = |reason: &str| KeyError::Ring { line: lines, reason: reason.to_owned() };
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let at = line.iter().position(|&byte| byte == b'=').ok_or_else(|| wrong("expected `name = key`"))?;
        let name = line[..at].trim_ascii();
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        if !(1..=NAME).contains(&name.len()) || !name.iter().all(letter) {
            return Err(wrong("expected a name of up to 32 letters, digits, hyphens, points and underscores"));
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let key = secret(&line[at + 1..]).map_err(|error| wrong(&error.to_string()))?;
        if keys.iter().any(|(known, _)| *known == name) {
            return Err(wrong("expected a name that no line above has"));
        }
        if keys.iter().any(|(_, known)| *known == key) {
            return Err(wrong("expected a key that no line above has"));
        }
        keys.push((name, key));
    }
    if keys.is_empty() {
        return Err(KeyError::Ring { line: lines, reason: "expected at least one `name = key`".to_owned() });
    }
    Ok(Some(keys))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{Domain, Key};

    #[test]
    fn the_newest_makes_the_pseudonyms_and_the_others_are_kept() {
        let (new, old) = ("0a1b2c3d".repeat(8), "an older passphrase of this test");
        let ring = Key::from_text(&format!("# crible keys\n\n2026-11 = {new}\r\n# before\n2025 = {old}\n")).unwrap();
        let alone = |text: &str| Key::from_text(text).unwrap().pseudonym(Domain::Party, "77001");
        assert_eq!(ring.id(), "2026-11");
        assert_eq!(ring.pseudonym(Domain::Party, "77001"), alone(&new));
        let older: Vec<_> = ring.older().collect();
        assert_eq!(older.iter().map(Key::id).collect::<Vec<_>>(), ["2025"]);
        assert_eq!(older[0].pseudonym(Domain::Party, "77001"), alone(old));
        assert_eq!(ring.named("2025").unwrap().id(), "2025");
        assert!(ring.named("2024").is_none());
        assert!(!format!("{ring:?}").contains(old));
    }

    #[test]
    fn a_key_without_a_name_has_one_that_does_not_tell() {
        let id = |text: &str| Key::from_text(text).unwrap().id();
        let (one, two) = (id("a passphrase of this test alone"), id("another passphrase of this test"));
        assert_eq!((one.len(), one == two), (8, false));
        assert_eq!(id("a passphrase of this test alone"), one);
    }

    #[test]
    fn what_is_wrong_is_named_without_the_key() {
        let check = |text: &str, expect: &str| {
            let message = Key::from_text(&format!("# crible keys\n{text}")).unwrap_err().to_string();
            assert!(message.contains(expect), "{text}: {message}");
            assert!(!message.contains("passphrase"), "{message}");
        };
        check("", "at least one");
        check("no equals sign but a passphrase", "line 2: expected `name = key`");
        check("two words = a passphrase of this test", "a name of up to 32");
        check("a = passphrase", "line 2: the key has 10 bytes");
        check("a = a passphrase of this test\na = another passphrase of it", "line 3: expected a name");
        check("a = a passphrase of this test\nb = a passphrase of this test", "line 3: expected a key");
    }
}
