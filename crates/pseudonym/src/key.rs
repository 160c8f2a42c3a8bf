//! The tenant's key, and the keys it had before.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crible_core::EntityId;
use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::pseudonyms::{Domain, Pseudonyms};
use crate::reference::References;
use crate::ring;

/// The fewest bytes a given key may have.
const MIN_BYTES: usize = 16;

/// Bytes of a full key, which is what the text forms hold.
const FULL_BYTES: usize = 32;

/// Where a [`Key`] comes from, for the report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyOrigin {
    /// A key file.
    File(PathBuf),
    /// A text handed over, such as an environment variable.
    Text,
    /// One of several keys in a key file.
    Ring {
        /// The file.
        path: PathBuf,
        /// The key's name there.
        id: String,
    },
    /// The contents of the inputs themselves: runs over the same files agree, other runs do not.
    Contents,
}

impl fmt::Display for KeyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the key file {}", path.display()),
            Self::Ring { path, id } => write!(f, "the key {id} of the key file {}", path.display()),
            Self::Text => f.write_str("the key given as text"),
            Self::Contents => {
                f.write_str("the contents of the files read: pseudonyms agree only between runs over the same files")
            }
        }
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key file could not be read.
    #[error("the key file {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Too little to be secret.
    #[error(
        "the key has {bytes} bytes; expected at least {MIN_BYTES}, better 32 random ones, as they are, as 64 \
         hexadecimal digits or in base64"
    )]
    Short {
        /// The bytes it has.
        bytes: usize,
    },
    /// A file of several keys that is wrong in itself.
    #[error("the file of keys: line {line}: {reason}")]
    Ring {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, and what was expected. Never what stands there.
        reason: String,
    },
}

/// A tenant's secret, and the secrets it had before. They never show in `Debug`, in an error or in anything derived
/// from them; their names may.
#[derive(Clone)]
pub struct Key {
    secret: Vec<u8>,
    /// The name it has in a file of several.
    id: Option<String>,
    origin: KeyOrigin,
    /// The keys before it, newest first.
    older: Vec<Secret>,
}

/// A key and its name.
pub(crate) type Secret = (String, Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Key {
    /// A key from a file: 64 hexadecimal digits, base64 of at least 32 bytes, or at least 16 bytes as they are.
    /// Blanks around the text forms do not count.
    ///
    /// A file that begins with the line `# crible keys` holds several, one a line, `name = key`, the newest first; the
    /// key is the newest, and [`Key::older`] gives the others. Blank lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// [`KeyError`] where the file cannot be read or holds no usable key.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let bytes = fs::read(path).map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, KeyOrigin::File(path.to_owned()))
    }

    /// A key, or several, from a text in the same forms.
    ///
    /// # Errors
    /// [`KeyError`] where the text is no usable key.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(text.as_bytes(), KeyOrigin::Text)
    }

    fn from_bytes(bytes: &[u8], origin: KeyOrigin) -> Result<Self, KeyError> {
        if let Some(mut keys) = ring::read(bytes)? {
            let (id, secret) = keys.remove(0);
            return Ok(Self::new(secret, Some(id), origin, keys));
        }
        Ok(Self::new(secret(bytes)?, None, origin, Vec::new()))
    }

    fn new(secret: Vec<u8>, id: Option<String>, origin: KeyOrigin, older: Vec<Secret>) -> Self {
        let origin = match (origin, &id) {
            (KeyOrigin::File(path) | KeyOrigin::Ring { path, .. }, Some(id)) => {
                KeyOrigin::Ring { path, id: id.clone() }
            }
            (origin, _) => origin,
        };
        Self { secret, id, origin, older }
    }

    /// The key's name: the one it has in a file of several, else eight hexadecimal digits that are the same for the
    /// same key and lead nobody to it.
    pub fn id(&self) -> String {
        if let Some(id) = &self.id {
            return id.clone();
        }
        let mut mac = self.mac();
        mac.update(b"key id\0");
        mac.finalize().into_bytes()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The keys before this one, newest first.
    pub fn older(&self) -> impl Iterator<Item = Self> + '_ {
        self.older.iter().enumerate().map(|(place, (id, secret))| {
            Self::new(secret.clone(), Some(id.clone()), self.origin.clone(), self.older[place + 1..].to_vec())
        })
    }

    /// The key of this name: this one, or one before it.
    pub fn named(&self, id: &str) -> Option<Self> {
        if self.id() == id { Some(self.clone()) } else { self.older().find(|key| key.id() == id) }
    }

    /// A key from the digests of all inputs, whatever their order; an input given twice counts once.
    pub fn from_contents(mut digests: Vec<[u8; 32]>) -> Self {
        digests.sort_unstable();
        digests.dedup();
        let mut hash = Sha256::new_with_prefix(b"crible key from contents v1\0");
        for digest in &digests {
            hash.update(digest);
        }
        Self::new(hash.finalize().to_vec(), None, KeyOrigin::Contents, Vec::new())
    }

    /// Where the key comes from.
    pub fn origin(&self) -> &KeyOrigin {
        &self.origin
    }

    /// The pseudonym this key gives a raw identifier: for whoever holds the key and asks about one account.
    pub fn pseudonym(&self, domain: Domain, raw: &str) -> EntityId {
        Pseudonyms::new(self).entity(domain, raw.trim_ascii().as_bytes())
    }

    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret).expect("a key of any length")
    }

    /// The hash behind the references of one feed's transactions.
    pub fn references(&self, feed: &str) -> References {
        let mut mac = self.mac();
        mac.update(b"transaction\0");
        mac.update(feed.as_bytes());
        let tag = mac.finalize().into_bytes();
        let mut key = [0; 16];
        key.copy_from_slice(&tag[..16]);
        References::new(key)
    }
}

/// A secret in one of its forms.
pub(crate) fn secret(bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
    let text = bytes.trim_ascii();
    let secret = hex(text)
        .or_else(|| base64(text).filter(|decoded| decoded.len() >= FULL_BYTES))
        // Raw bytes may well begin or end with a blank; only those of a text line are no part of it.
        .unwrap_or_else(|| if text.is_ascii() { text.to_vec() } else { bytes.to_vec() });
    if secret.len() < MIN_BYTES {
        return Err(KeyError::Short { bytes: secret.len() });
    }
    Ok(secret)
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() == 2 * FULL_BYTES { HEXLOWER_PERMISSIVE.decode(text).ok() } else { None }
}

/// Base64 in the standard or the URL alphabet (RFC 4648), padded or not. Bits beyond the last whole byte are not looked
/// at: keys that were read so once have to stay the same.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let body = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let mut either = BASE64_NOPAD.specification();
    either.translate.from.push_str("-_");
    either.translate.to.push_str("+/");
    either.check_trailing_bits = false;
    either.encoding().ok()?.decode(body).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn three_spellings_of_one_key_agree() {
        let raw: Vec<u8> = (200..=231).collect();
        let hexed: String = raw.iter().map(|b| format!("{b:02x}")).collect();
        let based = "yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5uc=";
        let key = |bytes: &[u8]| Key::from_bytes(bytes, KeyOrigin::Text).unwrap();
        let expect = key(&raw).pseudonym(Domain::Party, "card 1");
        for text in [hexed.clone(), hexed.to_uppercase() + "\n", format!(" {based}\r\n"), based.replace('/', "_")] {
            assert_eq!(key(text.as_bytes()).pseudonym(Domain::Party, "card 1"), expect, "{text}");
        }
        assert_ne!(key(&raw).pseudonym(Domain::Merchant, "card 1"), expect);
        assert_ne!(key(&[raw, vec![1]].concat()).pseudonym(Domain::Party, "card 1"), expect);
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        assert!(matches!(Key::from_text(""), Err(KeyError::Short { bytes: 0 })));
        assert!(matches!(Key::from_text("hunter2"), Err(KeyError::Short { bytes: 7 })));
        let missing = Key::from_file(Path::new("/no/such/key")).unwrap_err();
        assert!(missing.to_string().contains("/no/such/key"), "{missing}");
    }

    #[test]
    fn debug_keeps_the_secret() {
        let text = "a passphrase nobody else could think of";
        let key = Key::from_text(text).unwrap();
        assert_eq!(format!("{key:?}"), "Key { origin: Text, .. }");
    }

    #[test]
    fn contents_give_one_key_in_any_order() {
        let (a, b) = ([1; 32], [2; 32]);
        let key = |digests: &[[u8; 32]]| Key::from_contents(digests.to_vec()).secret;
        assert_eq!(key(&[a, b]), key(&[b, a, b]));
        assert_ne!(key(&[a, b]), key(&[a]));
    }
}
