//! A budget of memory: what is needed, and from when on entities are remembered.

use crate::feature::Feature;
use crate::ledger::{Ledger, Period, remember_from};

/// The most that what a family needs may grow by with one payment: an entity it meets for the first time, with an
/// amount far from all others.
const MOST_GROWTH: u64 = 8 << 10;

/// What all families need, and the most they may.
#[derive(Debug)]
pub(crate) struct Budget {
    most: u64,
    /// By family, in their order.
    ledgers: Vec<Ledger>,
    from: Period,
    /// Payments since families delivered.
    uncounted: u64,
}

impl Budget {
    /// For families whose entities are forgotten so long after their last payments.
    pub(crate) fn new(most: u64, spans: impl Iterator<Item = i64>) -> Self {
        Self { most, ledgers: spans.map(Ledger::new).collect(), from: Period::FIRST, uncounted: 0 }
    }

    /// Entities that last paid before this are forgotten.
    pub(crate) fn from(&self) -> Period {
        self.from
    }

    /// Entities that last paid before `from` are forgotten at the latest.
    pub(crate) fn forget_before(&mut self, from: Period) {
        self.from = self.from.max(from);
        self.ledgers.iter_mut().for_each(|ledger| ledger.forget_before(from));
    }

    /// Payments were let in whose families have yet to deliver.
    pub(crate) fn paid(&mut self, payments: usize) {
        self.uncounted += payments as u64;
    }

    /// Payments whose families have yet to deliver.
    pub(crate) fn uncounted(&self) -> u64 {
        self.uncounted
    }

    /// A family, or a shard of it, delivers.
    pub(crate) fn count(&mut self, family: usize, feature: &mut dyn Feature) {
        if let Some(ledger) = self.ledgers.get_mut(family) {
            feature.deliver(ledger);
        }
    }

    /// All have delivered.
    pub(crate) fn counted(&mut self) {
        self.uncounted = 0;
    }

    /// How many payments there is room for at least, those not delivered yet apart.
    pub(crate) fn room(&self) -> u64 {
        let total = self.ledgers.iter().map(Ledger::total).fold(0, u64::saturating_add);
        let each = MOST_GROWTH * self.ledgers.len().max(1) as u64;
        (self.most.saturating_sub(total) / each).saturating_sub(self.uncounted)
    }

    /// Where more is needed than may be, forgets entities until it is seven eighths of that; `oldest` is the earliest
    /// time that may still come.
    pub(crate) fn hold(&mut self, oldest: i64) {
        let total = |ledgers: &[Ledger]| ledgers.iter().map(Ledger::total).fold(0, u64::saturating_add);
        if total(&self.ledgers) > self.most {
            self.ledgers.iter_mut().for_each(|ledger| ledger.expire(oldest));
            if total(&self.ledgers) > self.most {
                self.from = remember_from(&mut self.ledgers, self.most / 8 * 7, self.from);
            }
        }
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.ledgers.iter().map(Ledger::bytes).sum()
    }
}
