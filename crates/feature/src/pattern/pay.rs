//! How often an account pays once its pay has come in.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::IS_OUT;
use crate::math::ln;
use crate::ring::Event;

/// What came in and how many payments followed it, as far as events were taken in.
///
/// Pay is money in of at least half the mean of all money in before it, a day or more after the last pay: a refund is
/// none, pay that is a bit less than the last is, and of what comes in within a day only the first. The first money in
/// there is counts as pay. Payments are counted, not summed up: one rent that falls on a pay day is as much money as a
/// week of purchases.
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
    fn absorb(&mut self, event: &Event, day: i64) {
        let Event { at, minor, .. } = *event;
        let is_out = event.marks & IS_OUT != 0;
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
    pub(super) fn with(mut self, event: &Event, day: i64) -> Self {
        self.absorb(event, day);
        self
    }

    /// Whether the event since `before` was pay.
    fn is_pay_after(&self, before: &Self) -> bool {
        self.pays > before.pays || (self.is_any() && !before.is_any())
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
pub(super) struct Pays(Option<Box<PayState>>);

const _: () = assert!(size_of::<Pays>() == 8 && size_of::<PayState>() == 72);

#[derive(Debug, Default)]
struct PayState {
    now: Pay,
    /// As of the events that are let go of.
    settled: Pay,
    /// What was before each pay that a late event may still undo, oldest first; mostly none. Pays are a day apart, so
    /// these are few.
    #[expect(
        clippy::box_collection,
        reason = "eight bytes an account instead of thirty-two, where nothing comes late"
    )]
    before: Option<Box<VecDeque<Pay>>>,
}

impl PayState {
    /// Pay at `bound` and before will not be undone.
    fn settle(&mut self, bound: i64) {
        let Self { now, before, .. } = self;
        let Some(before) = before else { return };
        // The pay that the first of them is before.
        while before.get(1).unwrap_or(now).last_at <= bound && before.pop_front().is_some() {}
    }
}

impl Pays {
    /// As of events let go of, and none behind them.
    pub(super) fn of(settled: Option<Pay>) -> Self {
        Self(settled.map(|settled| Box::new(PayState { now: settled, settled, before: None })))
    }

    /// As of the events let go of; none where no money came in with them.
    pub(super) fn settled(&self) -> Option<Pay> {
        self.0.as_ref().map(|pays| pays.settled).filter(Pay::is_any)
    }

    /// Takes in an event, which can be taken back for as long as `lateness` allows.
    pub(super) fn absorb(&mut self, event: &Event, day: i64, lateness: i64) {
        if self.0.is_none() && event.marks & IS_OUT != 0 {
            return;
        }
        let pays = self.0.get_or_insert_default();
        let before = pays.now;
        pays.now = before.with(event, day);
        if lateness > 0 {
            if pays.now.is_pay_after(&before) {
                pays.before.get_or_insert_default().push_back(before);
            }
            pays.settle(event.at.saturating_sub(lateness));
        }
    }

    /// Takes back the last event; whether that can be done, which it cannot where numbers have stopped at the largest
    /// there is.
    pub(super) fn take_back(&mut self, event: &Event, day: i64) -> bool {
        let Some(PayState { now, before, .. }) = self.0.as_deref_mut() else { return true };
        if event.marks & IS_OUT != 0 {
            let is_known = now.since < u32::MAX;
            now.since = now.since.saturating_sub(u32::from(now.is_within(event.at, day)));
            return is_known;
        }
        // Where no other money in came since, this is the pay.
        let is_pay = |before: &mut Pay| before.ins.checked_add(1) == Some(now.ins);
        if let Some(before) = before.as_mut().and_then(|before| before.pop_back_if(is_pay)) {
            *now = before;
            return true;
        }
        let is_known = now.in_sum < u64::MAX && now.ins < u32::MAX;
        now.ins = now.ins.saturating_sub(1);
        now.in_sum = now.in_sum.saturating_sub(event.minor.unsigned_abs());
        is_known
    }

    /// Lets go of the oldest event behind those let go of.
    pub(super) fn settle(&mut self, event: &Event, day: i64) {
        if let Some(pays) = &mut self.0 {
            pays.settled = pays.settled.with(event, day);
        }
    }

    /// Lets go of what nothing at `now` or later undoes.
    pub(super) fn trim(&mut self, now: i64) {
        if let Some(pays) = &mut self.0 {
            pays.settle(now);
            if pays.before.as_ref().is_some_and(|before| before.is_empty()) {
                pays.before = None;
            }
        }
    }

    /// What a payment out reads.
    pub(super) fn after(&self, at: i64, day: i64) -> AfterPay {
        self.0.as_ref().map_or(AfterPay::default(), |pays| pays.now.after(at, day))
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        let before = |before: &VecDeque<Pay>| size_of_val(before) + before.capacity() * size_of::<Pay>();
        let all = |pays: &PayState| size_of_val(pays) + pays.before.as_deref().map_or(0, before);
        self.0.as_deref().map_or(0, all)
    }

    /// Bytes its content needs there, what is kept for late events alone apart.
    pub(super) fn needed(&self) -> usize {
        self.0.as_deref().map_or(0, size_of_val)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn event(at: i64, minor: i64, is_out: bool) -> Event {
        Event { at, minor, other: 0, marks: if is_out { IS_OUT } else { 0 } }
    }

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
            pay.absorb(&event(at, minor, is_out), DAY);
            assert_eq!((pay.pays, pay.before, pay.since), (pays, before, since), "{at}");
        }
        let bytes = [5, 1, 169, 41, 2, 1, 128, 128, 226, 176, 150, 30];
        assert_eq!(postcard::to_allocvec(&pay).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<Pay>(&bytes).unwrap(), pay);
    }
}
