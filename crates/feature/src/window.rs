//! Events of one entity and what several sliding windows hold of them, exactly.
//!
//! An entity keeps its events once, in a [`Ring`], oldest first. Each window keeps the place of its first event and integer
//! aggregates; expiry subtracts exactly what arrival added, so nothing drifts however long it runs. Sums of squares of
//! 64-bit minor units need more than 64 bits: sums are 128 bits wide.

use crible_core::Window;

use crate::linked::Linked;
use crate::ring::{Event, Ring};

/// What one window holds.
///
/// Millions of entities hold several: packed, since 128-bit numbers would be laid out in steps of sixteen bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, packed(8))]
pub(crate) struct Sums {
    pub(crate) count: u32,
    /// Different other sides, where the window counts them.
    pub(crate) distinct: u32,
    pub(crate) sum: i128,
    /// Wraps where amounts near the largest there is meet, which expiry undoes exactly; their sum then fits no 64 bits, so
    /// that [`Sums::deviation`] makes zero of it rather than panic or guess.
    pub(crate) squares: i128,
}

/// The nearest 64-bit float. Going by way of `i64` where that fits is several times faster and rounds the same.
pub(crate) fn float(x: i128) -> f64 {
    i64::try_from(x).map_or(x as f64, |x| x as f64)
}

impl Sums {
    pub(crate) fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { float(self.sum) / f64::from(self.count) }
    }

    /// Population standard deviation, from integers: n·Σx² − (Σx)² is exact before the one division.
    pub(crate) fn deviation(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        let spread = match i64::try_from(self.sum) {
            Ok(sum) if self.squares < 1 << 94 => {
                float(i128::from(self.count) * self.squares - i128::from(sum) * i128::from(sum))
            }
            // Amounts past a hundred thousand billion minor units: floating point serves, less exactly.
            _ => {
                let sum = self.sum as f64;
                (f64::from(self.count) * self.squares as f64 - sum * sum).max(0.0)
            }
        };
        spread.sqrt() / f64::from(self.count)
    }
}

/// The events of one entity and its windows, shortest first; the `D` windows from `FROM` on count different others, which
/// are remembered for good where `EVER` says so.
#[derive(Debug)]
pub(crate) struct Events<const W: usize, const FROM: usize, const D: usize, const EVER: bool> {
    ring: Ring,
    linked: Linked<EVER>,
    sums: [Sums; W],
    /// Events in the ring that are no longer in the window.
    gone: [u32; W],
}

impl<const W: usize, const FROM: usize, const D: usize, const EVER: bool> Default for Events<W, FROM, D, EVER> {
    fn default() -> Self {
        Self { ring: Ring::default(), linked: Linked::default(), sums: [Sums::default(); W], gone: [0; W] }
    }
}

/// What is taken back of an event: its time, magnitude, other and marks.
pub(crate) type Undone = (i64, i64, u64, u8);

impl<const W: usize, const FROM: usize, const D: usize, const EVER: bool> Events<W, FROM, D, EVER> {
    /// Lets go of what is no longer in each window at `now`, and of what left the longest `lateness` ago; calls `left` with
    /// every event that leaves a window, and which.
    pub(crate) fn expire(
        &mut self,
        now: i64,
        windows: &[Window; W],
        lateness: i64,
        mut left: impl FnMut(usize, Event),
    ) {
        for (w, window) in windows.iter().enumerate() {
            let bound = now.saturating_sub(window.0);
            while let Some(event) = self.ring.get_until(self.gone[w] as usize, bound) {
                let number = self.ring.begun() + self.gone[w];
                self.gone[w] += 1;
                let sums = &mut self.sums[w];
                sums.count -= 1;
                sums.sum -= i128::from(event.minor);
                sums.squares = sums.squares.wrapping_sub(i128::from(event.minor) * i128::from(event.minor));
                if (FROM..FROM + D).contains(&w) {
                    sums.distinct -= u32::from(self.linked.last(event.other) == Some(number));
                }
                left(w, event);
            }
        }
        let bound = now.saturating_sub(windows[W - 1].0).saturating_sub(lateness);
        while self.gone[W - 1] > 0
            && let Some((other, number)) = self.ring.pop_first(bound)
        {
            self.linked.leave(other, number);
            self.gone.iter_mut().for_each(|gone| *gone -= 1);
        }
    }

    /// The slot of another side, and whether it is new. A new one has no part in any window yet.
    pub(crate) fn meet(&mut self, other: u64) -> (u32, bool) {
        self.linked.meet(other)
    }

    /// Takes in an event that is not older than any before it; `other` is a slot [`Events::meet`] gave.
    pub(crate) fn push(&mut self, at: i64, minor: i64, other: u32, marks: u8) {
        let linked = &mut self.linked;
        self.ring.push(Event { at, minor, other, marks }, |by| linked.renumber(by));
        let number = self.ring.begun() + self.ring.len() as u32 - 1;
        for sums in &mut self.sums {
            sums.count += 1;
            sums.sum += i128::from(minor);
            sums.squares = sums.squares.wrapping_add(i128::from(minor) * i128::from(minor));
        }
        let before = self.linked.last(other);
        for (sums, gone) in self.sums[FROM..FROM + D].iter_mut().zip(&self.gone[FROM..FROM + D]) {
            let is_there = before.is_some_and(|before| before >= self.ring.begun() + gone);
            sums.distinct += u32::from(!is_there);
        }
        self.linked.set_last(other, number);
    }

    /// Goes back to when only events up to `to` had been, the windows not yet moved on; the events after it, oldest first.
    /// `first` says of which marks it can be told that the event's other was new.
    pub(crate) fn rewind(&mut self, to: i64, first: u8) -> Vec<Undone> {
        let events: Vec<Event> = self.ring.iter().collect();
        let (kept, undone) = events.split_at(events.partition_point(|event| event.at <= to));
        // A state that was forged may mark more than there are.
        let met = self.linked.len().saturating_sub(undone.iter().filter(|event| event.marks & first != 0).count());
        let ids: Vec<u64> = self.linked.ids().collect();
        *self = Self::default();
        if EVER {
            ids[..met].iter().for_each(|&id| _ = self.meet(id));
        }
        for event in kept {
            let (slot, _) = self.meet(ids[event.other as usize]);
            self.push(event.at, event.minor, slot, event.marks);
        }
        undone.iter().map(|event| (event.at, event.minor, ids[event.other as usize], event.marks)).collect()
    }

    /// Whether an event with the other in `slot` is in a window.
    pub(crate) fn is_in(&self, window: usize, slot: u32) -> bool {
        self.linked.last(slot).is_some_and(|number| number >= self.ring.begun() + self.gone[window])
    }

    pub(crate) fn sums(&self) -> &[Sums; W] {
        &self.sums
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Event> {
        self.ring.iter()
    }

    /// Those it is linked with, by slot.
    pub(crate) fn linked(&self) -> &Linked<EVER> {
        &self.linked
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.ring.bytes() + self.linked.bytes()
    }

    /// Bytes on the heap that its events and others need, however they came to be there.
    pub(crate) fn needed(&self) -> usize {
        self.ring.needed() + self.linked.needed()
    }
}

/// An amount in minor units, its sign dropped, as windows hold it.
pub(crate) fn magnitude(minor: i64) -> i64 {
    minor.saturating_abs()
}

/// How far `value` stands from `mean`, on a log scale, held back while `count` is small: ln(value/mean)·n/(n + 2).
/// Both sides get one minor unit, so that nothing divides by zero.
pub(crate) fn shrunk_log_ratio(value: f64, mean: f64, count: f64) -> f64 {
    crate::math::ln((value + 1.0) / (mean + 1.0)) * (count / (count + 2.0))
}
