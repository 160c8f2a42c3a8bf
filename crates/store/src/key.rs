//! The store's key, and the keys under it: one for each person and each case.
//!
//! What is about a person is sealed by a key of their own, which the store's key wraps. Destroying it erases what it
//! sealed, wherever a copy of that is: in the audit log, which never changes, and on pages that were freed.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;

use chacha20poly1305::aead::{Aead, Generate, Key as AeadKey, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use crible_case::CaseId;
use crible_core::EntityId;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Error;

const NONCE: usize = 24;

/// The key of a store: 32 secret bytes.
#[derive(Clone)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// From its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new one, from the system's source of secrets.
    ///
    /// # Errors
    /// [`Error::Key`] where the system has none.
    pub fn generate() -> Result<Self, Error> {
        let key = AeadKey::<XChaCha20Poly1305>::try_generate().map_err(|error| Error::Key(error.to_string()))?;
        Ok(Self(key.into()))
    }

    /// From 64 hexadecimal digits, blanks around them left out.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let bad = || Error::Key("expected 64 hexadecimal digits".to_owned());
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| bad())?;
        Ok(Self(bytes.try_into().map_err(|_| bad())?))
    }

    /// From a file that holds 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Key`] where it holds something else.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        Self::from_text(&fs::read_to_string(path).map_err(Error::file(path))?)
    }

    /// Makes a new key, and the file that holds it, which nobody else may read.
    ///
    /// # Errors
    /// [`Error::File`] where there is a file, or none can be made.
    pub fn create_file(path: &Path) -> Result<Self, Error> {
        let key = Self::generate()?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(Error::file(path))?;
        let text = format!("{}\n", HEXLOWER.encode(&key.0));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::file(path))?;
        Ok(key)
    }

    pub(crate) fn cipher(&self) -> Cipher {
        Cipher(XChaCha20Poly1305::new(&self.0.into()))
    }

    /// A mark that nobody makes without the key.
    pub(crate) fn mark(&self, about: &str, bytes: &[u8]) -> Vec<u8> {
        self.mac(about, bytes).to_vec()
    }

    /// Another key that follows from this one and gives nothing of it away, such as the one that addresses are hashed
    /// with.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        self.mac(&format!("crible.store/derived/{purpose}"), b"")
    }

    fn mac(&self, about: &str, bytes: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length: the fallback is never taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(about.as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(…)")
    }
}

/// Seals and opens.
#[derive(Clone)]
pub(crate) struct Cipher(XChaCha20Poly1305);

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(…)")
    }
}

impl Cipher {
    /// Seals `plain`, which belongs to `place` and opens nowhere else.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let fault = |what: &dyn fmt::Display| Error::Key(format!("cannot seal: {what}"));
        let nonce = XNonce::try_generate().map_err(|error| fault(&error))?;
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = self.0.encrypt(&nonce, payload).map_err(|error| fault(&error))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        self.0.decrypt(&nonce, Payload { msg: rest, aad: place.as_bytes() }).ok()
    }

    /// A new cipher, and its key sealed by this one.
    pub(crate) fn under(&self, place: &str) -> Result<(Self, Vec<u8>), Error> {
        let key = StoreKey::generate()?;
        Ok((key.cipher(), self.seal(place, &key.0)?))
    }

    pub(crate) fn unwrap(&self, place: &str, wrapped: &[u8]) -> Option<Self> {
        Some(StoreKey(self.open(place, wrapped)?.try_into().ok()?).cipher())
    }
}

/// Whose key seals something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    /// An account, or a person: pseudonyms both.
    Entity(EntityId),
    /// What people wrote about a case.
    Case(CaseId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entity(entity) => write!(f, "{entity}"),
            Self::Case(case) => write!(f, "case/{case}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_opens_with_its_key_at_its_place_alone() {
        let (key, other) = (StoreKey::new([1; 32]).cipher(), StoreKey::new([2; 32]).cipher());
        let sealed = key.seal("alert/1", b"words").unwrap();
        assert_ne!(sealed, key.seal("alert/1", b"words").unwrap(), "the same words seal differently");
        assert_eq!(key.open("alert/1", &sealed).unwrap(), b"words");
        assert_eq!(key.open("alert/2", &sealed), None);
        assert_eq!(other.open("alert/1", &sealed), None);
        for cut in [0, NONCE, sealed.len() - 1] {
            assert_eq!(key.open("alert/1", &sealed[..cut]), None);
        }
        let (own, wrapped) = key.under("key/1").unwrap();
        let sealed = own.seal("x", b"y").unwrap();
        assert_eq!(key.unwrap("key/1", &wrapped).unwrap().open("x", &sealed).unwrap(), b"y");
        assert!(key.unwrap("key/2", &wrapped).is_none());
    }

    #[test]
    fn keys_are_read_back_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = StoreKey::create_file(&path).unwrap();
        assert_eq!(StoreKey::from_file(&path).unwrap().0, key.0);
        assert!(StoreKey::create_file(&path).is_err(), "a key is never written over");
        assert_eq!(format!("{key:?}"), "StoreKey(…)");
        for bad in ["", "abc", &"g".repeat(64), &"a".repeat(66)] {
            assert!(matches!(StoreKey::from_text(bad), Err(Error::Key(_))), "{bad}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
