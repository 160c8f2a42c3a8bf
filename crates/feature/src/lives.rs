//! Lives of entities that have begun anew.

use crate::window::IdMap;

/// States that entities had before they were forgotten, by slot, oldest first.
///
/// An entity that has not paid for long begins anew. What comes late may show that it had paid after all, or be of the life before: so that
/// is put aside, until nothing so late can come any more. Where nothing comes late, nothing is.
#[derive(Debug)]
pub(crate) struct Lives<S> {
    of: IdMap<u32, Vec<S>>,
}

impl<S> Default for Lives<S> {
    fn default() -> Self {
        Self { of: IdMap::default() }
    }
}

impl<S> Lives<S> {
    /// Those of a slot.
    pub(crate) fn of(&self, slot: u32) -> &[S] {
        if self.of.is_empty() { &[] } else { self.of.get(&slot).map_or(&[], Vec::as_slice) }
    }

    /// Those of all slots.
    pub(crate) fn all(&self) -> impl Iterator<Item = &S> {
        self.of.values().flatten()
    }

    pub(crate) fn push(&mut self, slot: u32, life: S) {
        let lives = self.of.entry(slot).or_default();
        // Mostly it stays alone.
        lives.reserve_exact(1);
        lives.push(life);
    }

    /// The latest of a slot, which is no longer aside.
    pub(crate) fn pop(&mut self, slot: u32) -> Option<S> {
        let lives = self.of.get_mut(&slot)?;
        let life = lives.pop();
        if lives.is_empty() {
            self.of.remove(&slot);
        }
        life
    }

    /// Those of a slot, which has others from now on.
    pub(crate) fn replace(&mut self, slot: u32, lives: Vec<S>) -> Vec<S> {
        let before = self.of.remove(&slot).unwrap_or_default();
        if !lives.is_empty() {
            self.of.insert(slot, lives);
        }
        before
    }

    /// Keeps those that `keep` says yes to.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&mut S) -> bool) {
        self.of.retain(|_, lives| {
            lives.retain_mut(&mut keep);
            !lives.is_empty()
        });
        self.of.shrink_to_fit();
    }

    /// Bytes they hold, `heap` being what a state holds elsewhere.
    pub(crate) fn bytes(&self, heap: impl Fn(&S) -> usize) -> usize {
        let of = |lives: &Vec<S>| lives.capacity() * size_of::<S>() + lives.iter().map(&heap).sum::<usize>();
        self.of.allocation_size() + self.of.values().map(of).sum::<usize>()
    }
}
