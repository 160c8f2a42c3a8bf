use std::fmt;
use std::str::FromStr;

use crible_core::Timestamp;
use hmac::Mac;
use serde::{Deserialize, Serialize};

use crate::people::HandleKey;
use crate::{BadName, Person};

/// A one-time code that links an address to a person: six digits to find it by, and six that are secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code {
    public: u32,
    secret: u32,
}

/// How long a code can be used.
pub const VALID_SECONDS: i64 = 600;

/// How often a code may be tried.
pub const MOST_TRIES: usize = 5;

const SIX_DIGITS: u64 = 1_000_000;

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

impl fmt::Display for Code {
    /// For whoever gives it to the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}-{:06}", self.public, self.secret)
    }
}

impl FromStr for Code {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = || BadName::new("code", "", "six digits, a hyphen and six digits");
        let six = |part: &str| {
            let digits = part.len() == 6 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let (public, secret) = text.split_once('-').ok_or_else(bad)?;
        Ok(Self { public: six(public).ok_or_else(bad)?, secret: six(secret).ok_or_else(bad)? })
    }
}

impl Code {
    /// Of 16 bytes from the system's source of randomness.
    pub fn of(random: [u8; 16]) -> Self {
        let number = u128::from_le_bytes(random);
        // A remainder of 64 bits by a million is even to one part in ten million million.
        let six = |bits: u128| ((bits as u64) % SIX_DIGITS) as u32;
        Self { public: six(number), secret: six(number >> 64) }
    }

    /// The half that it is found by.
    pub fn public(self) -> u32 {
        self.public
    }

    fn mac(self, key: &HandleKey) -> Option<hmac::Hmac<sha2::Sha256>> {
        let mut mac = key.mac("code")?;
        mac.update(self.to_string().as_bytes());
        Some(mac)
    }

    /// What is kept of it.
    pub(crate) fn hash(self, key: &HandleKey) -> Option<String> {
        Some(data_encoding::HEXLOWER.encode(&self.mac(key)?.finalize().into_bytes()))
    }
}

/// What happened to a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CodeEntry {
    /// It was given to somebody.
    Issued {
        /// To whom.
        person: Person,
        /// Its keyed hash.
        hash: String,
        /// Until when it can be used.
        until: Timestamp,
    },
    /// Somebody tried another secret half.
    Tried,
    /// It was used, and is worth nothing now.
    Used,
}

/// The code that a log has now, if it can still be used.
pub(crate) fn live(log: &[CodeEntry], now: Timestamp) -> Option<(Person, &str)> {
    let issued = log.iter().rposition(|entry| matches!(entry, CodeEntry::Issued { .. }))?;
    let CodeEntry::Issued { person, hash, until } = &log[issued] else { return None };
    let since = &log[issued + 1..];
    let used = since.iter().any(|entry| matches!(entry, CodeEntry::Used));
    (!used && since.len() < MOST_TRIES && now < *until).then_some((*person, hash))
}

/// Whether a code is the one that is kept, in constant time.
pub(super) fn matches(code: Code, hash: &str, key: &HandleKey) -> bool {
    let hash = data_encoding::HEXLOWER.decode(hash.as_bytes());
    hash.is_ok_and(|hash| code.mac(key).is_some_and(|mac| mac.verify_slice(&hash).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for bytes in [[0; 16], [255; 16], [7; 16]] {
            let code = Code::of(bytes);
            assert_eq!(code.to_string().parse(), Ok(code));
            assert_eq!(format!("{code:?}"), "Code");
        }
        for bad in ["", "123456", "12345-123456", "123456-12345a", "+12345-123456", "1234567-123456"] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }
}
