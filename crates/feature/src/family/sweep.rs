//! How far giving memory back has come, and what an entity is counted with.

use crate::entities::Entities;
use crate::ledger::{Charge, Period};
use crate::rule::Rule;

/// Payments after which entities are looked at, so many together: those that lie beside each other in memory are
/// fetched together.
pub(super) const BURST: usize = 16;
/// Entities looked at for each payment, whether anything of them can be given back.
pub(super) const TRIMMED: usize = 1;
/// The same while there are entities that the budget has forgotten, by their charge alone.
pub(super) const FORGOTTEN: usize = 8;

/// How far looking for what can be given back has come. It changes no number: whom it has not come to yet is as
/// forgotten as whom it has.
#[derive(Debug)]
pub(super) struct Sweep {
    /// Payments since anything was looked at.
    pub(super) payments: usize,
    /// The next to be trimmed.
    pub(super) trim: usize,
    /// The next whose charge is looked at.
    pub(super) forget: usize,
    /// How many are left to be looked at.
    pub(super) due: usize,
    /// What has been looked for.
    pub(super) from: Period,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { payments: 0, trim: 0, forget: 0, due: 0, from: Period::FIRST }
    }
}

/// What an entity is counted with after a payment.
pub(super) fn charge_of<R: Rule>(rule: &R, state: &R::State) -> Charge {
    let bytes = Entities::<R::Key, R::State>::needed() + rule.needed_bytes(state);
    Charge { period: Period::of(rule.last_at(state).unwrap_or(i64::MIN)), bytes: bytes as u64 }
}
