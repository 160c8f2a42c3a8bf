//! How often an account pays once its pay has come in.

use serde::{Deserialize, Serialize};

use crate::math::ln;

/// What came in and how many payments followed it, as far as events were taken in.
///
/// Pay is money in of at least half the mean of all money in before it, a day or more after the last pay: a refund is none, pay that is a bit
/// less than the last is, and of what comes in within a day only the first. The first money in there is counts as pay. Payments are counted,
/// not summed up: one rent that falls on a pay day is as much money as a week of purchases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pay {
    /// Money in ever: how often and how much, in minor units.
    ins: u32,
    /// Pays before the last.
    pays: u32,
    in_sum: u64,
    /// Payments within a day of each pay before the last, all together.
    before: u32,
    /// Payments within a day of the last pay.
    since: u32,
    last_at: i64,
}

/// Payments within a day of pay.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AfterPay {
    /// After the last pay, the one that is looked at included.
    pub(super) now: f64,
    /// After each pay before it, on average.
    pub(super) usual: f64,
    /// ln of the one over the other, one payment more allowed for, held back while pays are few.
    pub(super) to_usual: f64,
}

impl Pay {
    fn absorb(&mut self, at: i64, minor: i64, is_out: bool, day: i64) {
        let is_within = self.is_within(at, day);
        if is_out {
            self.since = self.since.saturating_add(u32::from(is_within));
            return;
        }
        let minor = minor.unsigned_abs();
        let is_large = u128::from(minor) * 2 * u128::from(self.ins) >= u128::from(self.in_sum);
        if is_large && !is_within {
            self.pays += u32::from(self.ins > 0);
            self.before = self.before.saturating_add(self.since);
            (self.last_at, self.since) = (at, 0);
        }
        self.ins = self.ins.saturating_add(1);
        // Stops at the largest number there is, in whatever order.
        self.in_sum = self.in_sum.saturating_add(minor);
    }

    /// The same with one event more.
    pub(super) fn with(mut self, at: i64, minor: i64, is_out: bool, day: i64) -> Self {
        self.absorb(at, minor, is_out, day);
        self
    }

    /// Whether there was any money in.
    pub(super) fn is_any(&self) -> bool {
        self.ins > 0
    }

    /// Whether up to so many events from `first_at` to `until` may leave it.
    pub(super) fn may_be_of(&self, events: u32, first_at: i64, until: i64) -> bool {
        let counted = u64::from(self.ins) + u64::from(self.before) + u64::from(self.since);
        self.pays < self.ins && counted <= events.into() && (first_at..=until).contains(&self.last_at)
    }

    fn is_within(&self, at: i64, day: i64) -> bool {
        self.ins > 0 && at.saturating_sub(self.last_at) < day
    }

    /// What a payment out reads; zeros where no pay came in within a day before it.
    fn after(&self, at: i64, day: i64) -> AfterPay {
        if !self.is_within(at, day) {
            return AfterPay::default();
        }
        let (now, pays) = (f64::from(self.since) + 1.0, f64::from(self.pays));
        let usual = if self.pays == 0 { 0.0 } else { f64::from(self.before) / pays };
        AfterPay { now, usual, to_usual: ln(now / (usual + 1.0)) * (pays / (pays + 2.0)) }
    }
}

/// [`Pay`] of an account: eight bytes where no money came in.
#[derive(Debug, Default)]
pub(super) struct Pays(Option<Box<Held>>);

const _: () = assert!(size_of::<Pays>() == 8 && size_of::<Held>() == 64);

#[derive(Debug, Default)]
struct Held {
    now: Pay,
    /// As of the events that are let go of; those behind them are taken in again where one comes late.
    settled: Pay,
}

impl Pays {
    /// As of events let go of, and none behind them.
    pub(super) fn of(settled: Option<Pay>) -> Self {
        Self(settled.map(|settled| Box::new(Held { now: settled, settled })))
    }

    /// As of the events let go of; none where no money came in with them.
    pub(super) fn settled(&self) -> Option<Pay> {
        self.0.as_ref().map(|held| held.settled).filter(Pay::is_any)
    }

    pub(super) fn absorb(&mut self, at: i64, minor: i64, is_out: bool, day: i64) {
        if self.0.is_some() || !is_out {
            self.0.get_or_insert_default().now.absorb(at, minor, is_out, day);
        }
    }

    /// Lets go of the oldest event behind those let go of.
    pub(super) fn settle(&mut self, at: i64, minor: i64, is_out: bool, day: i64) {
        if let Some(held) = &mut self.0 {
            held.settled.absorb(at, minor, is_out, day);
        }
    }

    /// What a payment out reads.
    pub(super) fn after(&self, at: i64, day: i64) -> AfterPay {
        self.0.as_ref().map_or(AfterPay::default(), |held| held.now.after(at, day))
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        if self.0.is_some() { size_of::<Held>() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const DAY: i64 = 86_400_000_000;

    /// What counts as pay, and the bytes in which it is saved: another form needs another format of states.
    #[test]
    fn pay_is_told_from_refunds_and_saved_as_ever() {
        let events = [
            (0, 300, true, 0, 0, 0),
            (1, 2_000, false, 0, 0, 0),
            (2, 300, true, 0, 0, 1),
            // A refund, then more on the day of pay.
            (3, 40, false, 0, 0, 1),
            (4, 1_990, false, 0, 0, 1),
            (DAY, 300, true, 0, 0, 2),
            (DAY + 1, 300, true, 0, 0, 2),
            // A bit less than half the mean of 4,030 in three, then half of what that makes of it.
            (5 * DAY, 671, false, 0, 0, 2),
            (6 * DAY, 588, false, 1, 2, 0),
            (6 * DAY + 1, 300, true, 1, 2, 1),
        ];
        let mut pay = Pay::default();
        for (at, minor, is_out, pays, before, since) in events {
            pay.absorb(at, minor, is_out, DAY);
            assert_eq!((pay.pays, pay.before, pay.since), (pays, before, since), "{at}");
        }
        let bytes = [5, 1, 169, 41, 2, 1, 128, 128, 226, 176, 150, 30];
        assert_eq!(postcard::to_allocvec(&pay).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<Pay>(&bytes).unwrap(), pay);
    }
}
