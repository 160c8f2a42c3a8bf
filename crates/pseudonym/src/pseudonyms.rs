//! Pseudonyms of identifiers.

use std::fmt;

use crible_core::EntityId;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::key::Key;

/// What kind of party an identifier names. One raw identifier has one pseudonym in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// An account, card or person; also a counterparty that is an account of the same kind, so that the two sides of a
    /// transfer match.
    Party,
    /// A merchant, terminal or description.
    Merchant,
    /// A device.
    Device,
    /// A network address.
    Address,
}

/// The keyed hash with its key schedule done once.
#[derive(Clone)]
pub struct Pseudonyms {
    party: Hmac<Sha256>,
    merchant: Hmac<Sha256>,
    device: Hmac<Sha256>,
    address: Hmac<Sha256>,
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonyms").finish_non_exhaustive()
    }
}

impl Pseudonyms {
    /// Those of a key.
    pub fn new(key: &Key) -> Self {
        let tagged = |tag: &[u8]| {
            let mut mac = key.mac();
            mac.update(tag);
            mac
        };
        Self {
            party: tagged(b"party\0"),
            merchant: tagged(b"merchant\0"),
            device: tagged(b"device\0"),
            address: tagged(b"address\0"),
        }
    }

    /// The pseudonym of a raw identifier, which has no blanks around it.
    pub fn entity(&self, domain: Domain, raw: &[u8]) -> EntityId {
        let mut mac = match domain {
            Domain::Party => self.party.clone(),
            Domain::Merchant => self.merchant.clone(),
            Domain::Device => self.device.clone(),
            Domain::Address => self.address.clone(),
        };
        mac.update(raw);
        let tag = mac.finalize().into_bytes();
        let mut bits = [0; 8];
        bits.copy_from_slice(&tag[..8]);
        EntityId::from_pseudorandom(u64::from_be_bytes(bits))
    }
}
