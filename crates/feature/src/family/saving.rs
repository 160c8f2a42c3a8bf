//! What is under way when a family is saved or read back.

use crate::feature::Moment;
use crate::rule::Rule;
use crate::saved::SavedFamily;

/// A save of the family as it was when that began: whoever pays meanwhile is saved first.
#[derive(Debug)]
pub(super) struct Saving {
    pub(super) moment: Moment,
    /// Entities there were, whether each has been saved, and the next to be.
    pub(super) entities: usize,
    done: Vec<u64>,
    pub(super) next: usize,
    pub(super) saved: SavedFamily,
}

impl Saving {
    pub(super) fn new(moment: Moment, entities: usize) -> Self {
        let done = vec![0; entities.div_ceil(64)];
        Self { moment, entities, done, next: 0, saved: SavedFamily::default() }
    }

    /// Whether an entity is yet to be saved, which it is no longer then.
    pub(super) fn take(&mut self, at: usize) -> bool {
        let bit = 1 << (at % 64);
        let is_due = at < self.entities && self.done[at / 64] & bit == 0;
        if is_due {
            self.done[at / 64] |= bit;
        }
        is_due
    }
}

/// An entity that was read, and is yet to be taken in.
#[derive(Debug)]
pub(super) struct Staged<R: Rule> {
    pub(super) key: R::Key,
    pub(super) sessions: Vec<R::State>,
    /// What it is counted with; nothing where that is to be counted again.
    pub(super) bytes: u64,
}
