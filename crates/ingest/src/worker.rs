//! What one thread keeps from block to block of a file.

use std::hash::Hash;

use crible_core::EntityId;
use hashbrown::HashMap;

use crate::rows::Chunk;
use crate::value::time::Memo;
use crible_pseudonym::{Domain, Pseudonyms};

/// Identifiers remembered before all are forgotten: a bound on memory, at worst a hash a row.
const REMEMBERED: usize = 1 << 19;

/// Pseudonyms already made, so that each costs its hash once.
#[derive(Debug)]
pub(crate) struct Known {
    domain: Domain,
    /// Of numbers below a million, by number: tables of customers and terminals are often numbered through.
    numbers: Vec<Option<EntityId>>,
    /// Of up to seven bytes, packed: half the size of the next, so that more of it stays in the cache.
    brief: HashMap<u64, EntityId>,
    /// Of up to fifteen bytes, packed.
    short: HashMap<u128, EntityId>,
    long: HashMap<Box<[u8]>, EntityId>,
}

impl Known {
    fn new(domain: Domain) -> Self {
        Self { domain, numbers: Vec::new(), brief: HashMap::new(), short: HashMap::new(), long: HashMap::new() }
    }

    pub(crate) fn entity(&mut self, raw: &[u8], pseudonyms: &Pseudonyms) -> EntityId {
        let domain = self.domain;
        let make = || pseudonyms.entity(domain, raw);
        if let Some(number) = number(raw) {
            if self.numbers.len() <= number {
                self.numbers.resize((number + 1).next_power_of_two(), None);
            }
            return *self.numbers[number].get_or_insert_with(make);
        }
        // The length before the bytes makes the packed forms unambiguous.
        match raw.len() {
            length @ ..8 => {
                let packed = raw.iter().fold(length as u64, |packed, &byte| packed << 8 | u64::from(byte));
                remember(&mut self.brief, packed, make)
            }
            length @ 8..16 => {
                let packed = raw.iter().fold(length as u128, |packed, &byte| packed << 8 | u128::from(byte));
                remember(&mut self.short, packed, make)
            }
            _ => match self.long.get(raw) {
                Some(&known) => known,
                None => remember(&mut self.long, raw.into(), make),
            },
        }
    }
}

/// A number of up to six digits, in the one spelling that it has: a leading zero makes it another identifier.
fn number(raw: &[u8]) -> Option<usize> {
    if !(1..=6).contains(&raw.len()) || (raw[0] == b'0' && raw.len() > 1) {
        return None;
    }
    raw.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + usize::from(byte - b'0')))
}

fn remember<K: Eq + Hash>(known: &mut HashMap<K, EntityId>, raw: K, make: impl FnOnce() -> EntityId) -> EntityId {
    if known.len() >= REMEMBERED {
        known.clear();
    }
    *known.entry(raw).or_insert_with(make)
}

/// Payees that texts were found to name, so that rules are tried once for each text.
#[derive(Debug, Default)]
pub(crate) struct Payees(HashMap<Box<[u8]>, EntityId>);

impl Payees {
    pub(crate) fn get(&mut self, raw: &[u8], find: impl FnOnce() -> EntityId) -> EntityId {
        match self.0.get(raw) {
            Some(&known) => known,
            None => remember(&mut self.0, raw.into(), find),
        }
    }
}

/// Scratch space and caches. Nothing in it changes a result, so any thread may use any worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) accounts: Known,
    pub(crate) counterparties: Known,
    pub(crate) payees: Payees,
    pub(crate) devices: Known,
    pub(crate) addresses: Known,
    pub(crate) memo: Memo,
    pub(crate) content: Vec<u8>,
    pub(crate) joined: Vec<u8>,
    /// Memory for the next chunk, which has no rows.
    pub(crate) chunk: Option<Chunk>,
    /// Rows of the last chunk, which the next is likely to have.
    pub(crate) rows: usize,
}

impl Worker {
    pub(crate) fn new(counterparties: Domain) -> Self {
        Self {
            accounts: Known::new(Domain::Party),
            counterparties: Known::new(counterparties),
            payees: Payees::default(),
            devices: Known::new(Domain::Device),
            addresses: Known::new(Domain::Address),
            memo: Memo::default(),
            content: Vec::new(),
            joined: Vec::new(),
            chunk: None,
            rows: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crible_pseudonym::Key;

    #[test]
    fn what_is_remembered_is_what_would_be_made() {
        let pseudonyms = Pseudonyms::new(&Key::from_text("a key that only this test has any use for").unwrap());
        let mut known = Known::new(Domain::Merchant);
        let ids = ["0", "00", "7", "07", "999999", "1000000", "", "a", "\0", "\0\0", "1234567", "12345678"];
        let long = ["123456789012345", "1234567890123456", "fraud_Heller PLC, and more", "\x007", "-1"];
        for _ in 0..2 {
            for id in ids.iter().chain(&long) {
                let made = pseudonyms.entity(Domain::Merchant, id.as_bytes());
                assert_eq!(known.entity(id.as_bytes(), &pseudonyms), made, "{id:?}");
            }
        }
    }
}
