//! Earlier sessions of entities that have begun anew.

use crate::hash::IdMap;

/// States that entities had before they were forgotten, by slot, oldest first.
///
/// An entity that has not paid for long begins a new session. A late payment may show that it had paid after all, or
/// belong to the session before. So that is kept aside until nothing so late can come any more. Without lateness
/// nothing is kept.
#[derive(Debug)]
pub(crate) struct Sessions<S> {
    of: IdMap<u32, Vec<S>>,
}

impl<S> Default for Sessions<S> {
    fn default() -> Self {
        Self { of: IdMap::default() }
    }
}

impl<S> Sessions<S> {
    /// Those of a slot.
    pub(crate) fn of(&self, slot: u32) -> &[S] {
        if self.of.is_empty() { &[] } else { self.of.get(&slot).map_or(&[], Vec::as_slice) }
    }

    pub(crate) fn push(&mut self, slot: u32, session: S) {
        let sessions = self.of.entry(slot).or_default();
        // Mostly it stays alone.
        sessions.reserve_exact(1);
        sessions.push(session);
    }

    /// The latest of a slot, which is no longer aside.
    pub(crate) fn pop(&mut self, slot: u32) -> Option<S> {
        let sessions = self.of.get_mut(&slot)?;
        let session = sessions.pop();
        if sessions.is_empty() {
            self.of.remove(&slot);
        }
        session
    }

    /// Those of a slot, which has others from now on.
    pub(crate) fn replace(&mut self, slot: u32, sessions: Vec<S>) -> Vec<S> {
        let before = if self.of.is_empty() { Vec::new() } else { self.of.remove(&slot).unwrap_or_default() };
        if !sessions.is_empty() {
            self.of.insert(slot, sessions);
        }
        before
    }

    /// Keeps those of a slot that `keep` accepts.
    pub(crate) fn retain_of(&mut self, slot: u32, keep: impl FnMut(&mut S) -> bool) {
        if !self.of.is_empty()
            && let Some(sessions) = self.of.get_mut(&slot)
        {
            sessions.retain_mut(keep);
            if sessions.is_empty() {
                self.of.remove(&slot);
            }
        }
    }

    /// Bytes they hold, `heap` being what a state holds elsewhere.
    pub(crate) fn bytes(&self, heap: impl Fn(&S) -> usize) -> usize {
        let of = |sessions: &Vec<S>| sessions.capacity() * size_of::<S>() + sessions.iter().map(&heap).sum::<usize>();
        self.of.allocation_size() + self.of.values().map(of).sum::<usize>()
    }
}
