//! Pseudonyms that are being looked for while files are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crible_core::EntityId;

/// Pseudonyms whose identifiers are looked for while files are read. Held for the time of one reading.
#[derive(Debug)]
pub(crate) struct Seek {
    wanted: Vec<EntityId>,
    found: Mutex<BTreeMap<EntityId, BTreeSet<String>>>,
}

impl Seek {
    pub(crate) fn new(wanted: Vec<EntityId>) -> Self {
        Self { wanted, found: Mutex::default() }
    }

    /// What was found since it was last taken.
    pub(crate) fn take(&self) -> BTreeMap<EntityId, BTreeSet<String>> {
        std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes an identifier that is looked for.
    pub(crate) fn see(&self, entity: EntityId, raw: &[u8]) {
        if self.wanted.contains(&entity) {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.entry(entity).or_default().insert(String::from_utf8_lossy(raw).into_owned());
        }
    }
}
