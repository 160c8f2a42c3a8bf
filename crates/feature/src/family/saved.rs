//! Saving a family, also while it goes on, and bringing a saved one together with what is there.

use super::Family;
use super::saving::Staged;
use super::sweep::charge_of;
use crate::feature::Moment;
use crate::ledger::{Charge, Period};
use crate::owner::Owner;
use crate::rule::Rule;
use crate::saved::SavedFamily;
use crate::state::{Saved, StateError, take};

/// What a saved state has of an entity: its sessions, oldest first, and what it is counted with.
struct Entity<R: Rule> {
    key: R::Key,
    sessions: Vec<R::Kept>,
    bytes: u64,
}

impl<R: Rule> Family<R> {
    /// Adds an entity to what is saved, where there is anything left of it.
    fn save(&self, at: u32, moment: Moment, saved: &mut SavedFamily) {
        let state = self.entities.state(at);
        if self.rule.is_over(state, moment.oldest, &self.reach) || self.is_forgotten(at, moment.from) {
            return;
        }
        let key = self.entities.key(at);
        let kept = self.keep(at, moment.oldest, moment.oldest);
        saved.push(R::sort_key(key), &(key, kept, self.entities.charge(at).bytes));
    }

    pub(super) fn save_all(&self, moment: Moment) -> SavedFamily {
        let mut saved = SavedFamily::new(self.rule.name());
        (0..self.entities.len()).for_each(|at| self.save(at as u32, moment, &mut saved));
        saved
    }

    /// Where a save is under way, saves an entity before a payment changes it.
    pub(super) fn save_before(&mut self, at: u32) {
        let Some(mut saving) = self.saving.take() else { return };
        if saving.take(at as usize) {
            self.save(at, saving.moment, &mut saving.saved);
        }
        self.saving = Some(saving);
    }

    /// Saves the next so many; whether all are.
    pub(super) fn save_next(&mut self, entities: usize) -> bool {
        let Some(mut saving) = self.saving.take() else { return true };
        saving.saved.name = self.rule.name();
        let until = (saving.next + entities).min(saving.entities);
        for at in saving.next..until {
            if saving.take(at) {
                self.save(at as u32, saving.moment, &mut saving.saved);
            }
        }
        saving.next = until;
        let is_through = until == saving.entities;
        self.saving = Some(saving);
        is_through
    }

    pub(super) fn stage_all(&mut self, mut bytes: &[u8], saved: Saved) -> Result<(), StateError> {
        let mut before: Option<R::Key> = None;
        while !bytes.is_empty() {
            let entity = self.staged.len();
            let impossible = || StateError::Impossible { family: self.rule.name(), entity };
            let Entity { key, mut sessions, mut bytes } =
                self.read_kept(&mut bytes, saved)?.ok_or_else(impossible)? as Entity<R>;
            let are_as_many = sessions.len() == 1 || R::FORGETS;
            if before.replace(key).is_some_and(|before| before >= key) || !are_as_many {
                return Err(impossible());
            }
            if let Some(at) = self.entities.find(&key) {
                let joined = self.join(at, sessions, saved);
                sessions = joined.ok_or(StateError::InBoth { family: self.rule.name(), entity })?;
                bytes = 0;
            }
            let sessions = self.revive(sessions, saved.latest()).ok_or_else(impossible)?;
            self.staged.push(Staged { key, sessions, bytes });
        }
        Ok(())
    }

    pub(super) fn commit_staged(&mut self, take: bool) {
        for Staged { key, mut sessions, bytes } in std::mem::take(&mut self.staged) {
            if take && let Some(state) = sessions.pop() {
                let at = self.entities.place(key);
                *self.entities.state_mut(at) = state;
                self.aside.replace(at, sessions);
                if self.reach.counts {
                    let counted = charge_of(&self.rule, self.entities.state(at));
                    let bytes = if bytes > 0 { bytes } else { counted.bytes };
                    self.changes.extend(self.entities.recharge(at, Charge { bytes, ..counted }));
                }
            }
        }
    }

    /// What is kept for payments at `now` and later of an entity's sessions that are not over at `over`, the last of
    /// which never is.
    fn keep(&self, at: u32, over: i64, now: i64) -> Vec<R::Kept> {
        let sessions = self.sessions(at).filter(|session| !self.rule.is_over(session, over, &self.reach));
        sessions.map(|session| self.rule.keep(session, now, &self.reach)).collect()
    }

    /// A copy of an entity's state, as saving and loading make it.
    pub(super) fn copied(&self, key: R::Key, moment: Moment) -> R::State {
        let Moment { oldest, from } = moment;
        let find = || {
            let at = self.entities.find(&key)?;
            let is_over = self.rule.is_over(self.entities.state(at), oldest, &self.reach);
            let kept = (!is_over && !self.is_forgotten(at, from)).then(|| self.keep(at, oldest, oldest))?;
            self.revive(kept, i64::MAX)?.pop()
        };
        find().unwrap_or_default()
    }

    /// The sessions of an entity in a saved state, together with those it has here already; `None` where that cannot be
    /// known.
    fn join(&self, at: u32, sessions: Vec<R::Kept>, saved: Saved) -> Option<Vec<R::Kept>> {
        let [here, now] = [saved.here, saved.latest()].map(|at| at.saturating_sub(self.reach.lateness));
        let is_forgotten = self.is_forgotten(at, Period::from(saved.from));
        let is_over = |now: i64| is_forgotten || self.rule.is_over(self.entities.state(at), now, &self.reach);
        match self.rule.owner() {
            // Each is of one side alone.
            Owner::Account => is_over(now).then_some(sessions),
            // What was forgotten here is, whether or not its memory has been given back.
            _ if is_over(here) => Some(sessions),
            _ => self.rule.join(self.keep(at, here, now), sessions, &self.reach),
        }
    }

    /// The sessions that were kept; `None` where no transactions leave them.
    fn revive(&self, sessions: Vec<R::Kept>, watermark: i64) -> Option<Vec<R::State>> {
        let revive = |kept| self.rule.revive(kept, watermark, &self.reach);
        let sessions: Vec<R::State> = sessions.into_iter().map(revive).collect::<Option<_>>()?;
        let are_in_order = |pair: &[R::State]| self.rule.last_at(&pair[0]) < self.rule.first_at(&pair[1]);
        (!sessions.is_empty() && sessions.windows(2).all(are_in_order)).then_some(sessions)
    }

    /// The next entity of a saved state, in today's terms where transactions leave it.
    fn read_kept(&self, bytes: &mut &[u8], saved: Saved) -> Result<Option<Entity<R>>, StateError> {
        let upgrade = |old: R::V2| self.rule.upgrade_v2(old, saved.watermark);
        let alone = |key, kept| Entity { key, sessions: vec![kept], bytes: 0 };
        Ok(match saved.format {
            1 => {
                let (key, old) = take(bytes)?;
                self.rule.upgrade_v1(old).and_then(upgrade).map(|kept| alone(key, kept))
            }
            2 => {
                let (key, old) = take(bytes)?;
                upgrade(old).map(|kept| alone(key, kept))
            }
            3 | 4 => {
                let (key, sessions) = take(bytes)?;
                Some(Entity { key, sessions, bytes: 0 })
            }
            _ => {
                let (key, sessions, bytes) = take(bytes)?;
                Some(Entity { key, sessions, bytes })
            }
        })
    }
}
