//! What entities need, who is forgotten, and whose memory is given back.

use super::Family;
use super::sweep::{BURST, FORGOTTEN, TRIMMED, charge_of};
use crate::feature::Moment;
use crate::ledger::Period;
use crate::rule::Rule;

impl<R: Rule> Family<R> {
    /// Counts an entity after a payment.
    pub(super) fn count(&mut self, at: u32) {
        if self.reach.counts {
            let charge = charge_of(&self.rule, self.entities.state(at));
            self.changes.extend(self.entities.recharge(at, charge));
        }
    }

    /// Whether the budget has forgotten an entity.
    pub(super) fn is_forgotten(&self, at: u32, from: Period) -> bool {
        self.entities.charge(at).period < from
    }

    /// An entity that the budget has forgotten begins anew.
    pub(super) fn forget_forgotten(&mut self, at: u32, from: Period) {
        if self.is_forgotten(at, from) {
            *self.entities.state_mut(at) = R::State::default();
            self.aside.replace(at, Vec::new());
        }
    }

    fn remove(&mut self, at: u32) {
        drop(self.entities.remove(at));
        let last = self.entities.len() as u32;
        self.aside.replace(at, Vec::new());
        if at != last {
            let moved = self.aside.replace(last, Vec::new());
            self.aside.replace(at, moved);
        }
    }

    /// Gives back the memory of entities of which no payment can read anything any more, and of what none can read of
    /// the others: of as many as so many payments pay for.
    pub(super) fn sweep_some(&mut self, payments: usize, moment: Moment) {
        if self.saving.is_some() {
            // Until that is through, each keeps its number.
            return;
        }
        self.sweep.payments += payments;
        if self.sweep.payments < BURST {
            return;
        }
        let payments = std::mem::take(&mut self.sweep.payments);
        for _ in 0..payments.saturating_mul(TRIMMED).min(self.entities.len()) {
            self.trim_next(moment);
        }
        if self.sweep.from < moment.from {
            self.sweep.from = moment.from;
            self.sweep.due = self.entities.len();
        }
        let looks = payments.saturating_mul(FORGOTTEN).min(self.sweep.due);
        for _ in 0..looks {
            self.sweep.due -= 1;
            if self.sweep.forget >= self.entities.len() {
                self.sweep.forget = 0;
            }
            let at = self.sweep.forget;
            if at < self.entities.len() {
                if self.is_forgotten(at as u32, moment.from) {
                    self.remove(at as u32);
                } else {
                    self.sweep.forget += 1;
                }
            }
        }
    }

    fn trim_next(&mut self, moment: Moment) {
        if self.sweep.trim >= self.entities.len() {
            self.sweep.trim = 0;
        }
        let at = self.sweep.trim as u32;
        if self.entities.len() == 0 {
            return;
        }
        let is_forgotten = self.is_forgotten(at, moment.from);
        let Self { rule, entities, aside, reach, .. } = self;
        let state = entities.state_mut(at);
        rule.trim(state, moment.oldest, reach);
        if is_forgotten || rule.is_over(state, moment.oldest, reach) {
            return self.remove(at);
        }
        if reach.lateness > 0 {
            aside.retain_of(at, |session| {
                rule.trim(session, moment.oldest, reach);
                !rule.is_over(session, moment.oldest, reach)
            });
        }
        self.sweep.trim += 1;
    }

    pub(super) fn held_bytes(&self) -> usize {
        let states: usize = self.entities.states().map(|state| self.rule.heap_bytes(state)).sum();
        self.entities.bytes() + states + self.aside.bytes(|session| self.rule.heap_bytes(session))
    }
}
