//! References of transactions: the same for the same content, whichever file it is read from.

use std::fmt;

use crible_core::{Currency, EntityId, Position, Timestamp, TxnId};
use siphasher::sip128::SipHasher24;

/// Everything that a transaction's reference is made of. Fields are added in the order of the methods, and only those
/// that the feed has: a feed with a balance column adds [`Content::balance`] for every transaction, an empty one
/// included. A label is never part of it, because labels may be found out later.
pub struct Content<'a> {
    bytes: &'a mut Vec<u8>,
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("bytes", &self.bytes.len()).finish()
    }
}

impl<'a> Content<'a> {
    /// The content of every feed: time, signed amount in minor units (an outflow is negative), account and
    /// counterparty. `bytes` is memory to work in; what it holds is dropped.
    pub fn new(
        bytes: &'a mut Vec<u8>,
        at: Timestamp,
        minor: i64,
        account: EntityId,
        counterparty: Option<EntityId>,
    ) -> Self {
        bytes.clear();
        let mut fixed = [0; 32];
        fixed[..8].copy_from_slice(&at.0.to_le_bytes());
        fixed[8..16].copy_from_slice(&minor.to_le_bytes());
        fixed[16..24].copy_from_slice(&account.get().to_le_bytes());
        fixed[24..].copy_from_slice(&counterparty.map_or(0, EntityId::get).to_le_bytes());
        bytes.extend_from_slice(&fixed);
        Self { bytes }
    }

    /// The currency, where the feed has a column of it. One currency of the whole feed is not part of the content.
    pub fn currency(&mut self, currency: Currency) {
        self.bytes.extend_from_slice(currency.as_str().as_bytes());
    }

    /// The balance before the transaction, in minor units.
    pub fn balance(&mut self, minor: Option<i64>) {
        self.bytes.push(u8::from(minor.is_some()));
        self.bytes.extend_from_slice(&minor.unwrap_or(0).to_le_bytes());
    }

    /// The place.
    pub fn position(&mut self, position: Option<Position>) {
        self.bytes.push(u8::from(position.is_some()));
        let (north, east) = position.map_or((0, 0), |p| (p.latitude_e7(), p.longitude_e7()));
        self.bytes.extend_from_slice(&north.to_le_bytes());
        self.bytes.extend_from_slice(&east.to_le_bytes());
    }

    /// A device, then a network address.
    pub fn entity(&mut self, entity: Option<EntityId>) {
        self.bytes.extend_from_slice(&entity.map_or(0, EntityId::get).to_le_bytes());
    }

    /// A text as the feed has it, without blanks around it: the feed's own id, then category, channel and country, then
    /// whatever else distinguishes transactions.
    pub fn word(&mut self, word: &[u8]) {
        self.bytes.extend_from_slice(&(word.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(word);
    }
}

/// The hash behind the references of one feed's transactions.
#[derive(Clone, Copy)]
pub struct References(SipHasher24);

impl fmt::Debug for References {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("References")
    }
}

impl References {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self(SipHasher24::new_with_key(&key))
    }

    /// The reference of a transaction. `trusted` means that the feed's own id is part of the content and that two rows
    /// of one content are one transaction. The lowest bit of a reference shows that.
    pub fn id(&self, content: &Content<'_>, trusted: bool) -> TxnId {
        let hash = self.hash(content.bytes);
        TxnId(if trusted { hash | 1 } else { hash & !1 })
    }

    /// The reference of a further transaction of one content in one file (two coffees), the first of them being number
    /// 0.
    pub fn repeated(&self, first: TxnId, number: u64) -> TxnId {
        if number == 0 {
            return first;
        }
        let mut name = [0; 24];
        name[..16].copy_from_slice(&first.0.to_le_bytes());
        name[16..].copy_from_slice(&number.to_le_bytes());
        TxnId(self.hash(&name))
    }

    /// The account of a feed in which every transaction has an account of its own.
    pub fn own_account(&self, id: TxnId) -> EntityId {
        EntityId::from_pseudorandom(self.hash(&[&id.0.to_le_bytes()[..], b"account"].concat()) as u64)
    }

    /// An id by which a feed names one transaction of an account in another's row: never 0.
    pub fn link(&self, account: EntityId, id: &[u8]) -> u64 {
        self.hash(&[b"id\0", &account.get().to_le_bytes()[..], id].concat()) as u64 | 1
    }

    fn hash(&self, bytes: &[u8]) -> u128 {
        u128::from(self.0.hash(bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Domain, Key};

    fn made(key: &str, feed: &str, word: &[u8], trusted: bool) -> TxnId {
        let key = Key::from_text(key).unwrap();
        let account = key.pseudonym(Domain::Party, "4000 0001");
        let mut bytes = vec![7; 3];
        let mut content = Content::new(&mut bytes, Timestamp(1_704_412_800_000_000), -450, account, None);
        content.currency(Currency::USD);
        content.balance(None);
        content.position(None);
        content.entity(None);
        content.word(word);
        key.references(feed).id(&content, trusted)
    }

    #[test]
    fn each_part_of_a_reference_counts() {
        let (key, other) = ("a key that nothing but this test uses", "another key of this test alone");
        let first = made(key, "acme", b"1", true);
        assert_eq!(made(key, "acme", b"1", true), first);
        for different in [
            made(other, "acme", b"1", true),
            made(key, "acme-card", b"1", true),
            made(key, "acme", b"2", true),
            made(key, "acme", b"1", false),
        ] {
            assert_ne!(different, first);
        }
        assert_eq!((first.0 & 1, made(key, "acme", b"1", false).0 & 1), (1, 0));
    }

    #[test]
    fn repeated_rows_have_references_and_links_are_never_0() {
        let key = Key::from_text("a key that nothing but this test uses").unwrap();
        let references = key.references("acme");
        let first = made("a key that nothing but this test uses", "acme", b"1", false);
        assert_eq!(references.repeated(first, 0), first);
        assert_ne!(references.repeated(first, 1), references.repeated(first, 2));
        assert_ne!(references.own_account(first), references.own_account(references.repeated(first, 1)));
        let account = key.pseudonym(Domain::Party, "1");
        assert_eq!(references.link(account, b"x") & 1, 1);
        assert_ne!(references.link(account, b"x"), references.link(account, b"y"));
    }

    /// Ids stand in people's notes and databases, so they never change.
    #[test]
    fn golden_ids() {
        let key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let pseudonym = |domain| Key::from_text(key).unwrap().pseudonym(domain, "4000 0001").to_string();
        assert_eq!(
            [Domain::Party, Domain::Merchant, Domain::Device, Domain::Address].map(pseudonym),
            ["8474d031d1bdc156", "f07c2f7b0fb69852", "28a138e5caa2eaf4", "df6dc406558f94a3"]
        );
        assert_eq!(made(key, "acme", b"1", true).to_string(), "5f0e4d3fb7f236f899bab4e41513d98d");
    }
}
