//! Events of one entity and what several sliding windows hold of them, exactly.
//!
//! An entity keeps its events once, in a [`Ring`], oldest first. Each window keeps the place of its first event and
//! integer aggregates; expiry subtracts exactly what arrival added, so nothing drifts however long it runs. Sums of
//! squares of 64-bit minor units need more than 64 bits: sums are 128 bits wide.

use std::collections::VecDeque;

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
    /// Wraps where amounts near the largest there is meet, which expiry undoes exactly; their sum then fits no 64 bits,
    /// so that [`Sums::deviation`] makes zero of it rather than panic or guess.
    pub(crate) squares: i128,
}

/// The nearest 64-bit float. Going by way of `i64` where that fits is several times faster and rounds the same.
pub(crate) fn float(x: i128) -> f64 {
    i64::try_from(x).map_or_else(|_| x as f64, |x| x as f64)
}

impl Sums {
    fn add(&mut self, minor: i64) {
        self.count += 1;
        self.sum += i128::from(minor);
        self.squares = self.squares.wrapping_add(i128::from(minor) * i128::from(minor));
    }

    fn subtract(&mut self, minor: i64) {
        self.count -= 1;
        self.sum -= i128::from(minor);
        self.squares = self.squares.wrapping_sub(i128::from(minor) * i128::from(minor));
    }

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

/// The events of one entity and its windows, shortest first; the `D` windows from `FROM` on count different others,
/// which are remembered for good where `EVER` is set.
#[derive(Debug)]
pub(crate) struct Events<const W: usize, const FROM: usize, const D: usize, const EVER: bool> {
    ring: Ring,
    linked: Linked<EVER>,
    sums: [Sums; W],
    /// Events in the ring that are no longer in the window.
    gone: [u32; W],
    /// Of the last events, as far back as a late one may ask: the number of the event before with the same other, or
    /// [`NO_EVENT`]. So a late event undoes what came after it, however many were before. Without lateness there is
    /// none.
    #[expect(clippy::box_collection, reason = "eight bytes an entity instead of thirty-two, where nothing comes late")]
    before: Option<Box<VecDeque<u32>>>,
}

const NO_EVENT: u32 = u32::MAX;

impl<const W: usize, const FROM: usize, const D: usize, const EVER: bool> Default for Events<W, FROM, D, EVER> {
    fn default() -> Self {
        let (ring, linked) = (Ring::default(), Linked::default());
        Self { ring, linked, sums: [Sums::default(); W], gone: [0; W], before: None }
    }
}

/// What is taken back of an event: its time, magnitude, other and marks.
pub(crate) type Undone = (i64, i64, u64, u8);

impl<const W: usize, const FROM: usize, const D: usize, const EVER: bool> Events<W, FROM, D, EVER> {
    /// Lets go of what is no longer in each window at `now`, and of what left the longest `lateness` ago; calls `left`
    /// with every event that leaves a window, and which.
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
                sums.subtract(event.minor);
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

    /// Lets go of what no event at `now` or later reads; calls `left` as [`Events::expire`] does.
    pub(crate) fn trim(&mut self, now: i64, windows: &[Window; W], left: impl FnMut(usize, Event)) {
        self.expire(now, windows, 0, left);
        self.settle(now);
        if self.before.as_ref().is_some_and(|before| before.is_empty()) {
            self.before = None;
        }
    }

    /// Events at `bound` and before will not be undone.
    fn settle(&mut self, bound: i64) {
        let Some(before) = &mut self.before else { return };
        // Of events the ring has let go of there is nothing to undo.
        let over = before.len().saturating_sub(self.ring.len());
        before.drain(..over);
        while let index = self.ring.len() - before.len()
            && before.pop_front_if(|_| self.ring.get_until(index, bound).is_some()).is_some()
        {}
    }

    /// The slot of another side, and whether it is new. A new one has no part in any window yet.
    pub(crate) fn meet(&mut self, other: u64) -> (u32, bool) {
        self.linked.meet(other)
    }

    /// Takes in an event that is not older than any before it; `other` is a slot [`Events::meet`] gave. It can be
    /// undone for as long as `lateness` allows.
    pub(crate) fn push(&mut self, at: i64, minor: i64, other: u32, marks: u8, lateness: i64) {
        let Self { linked, before, .. } = self;
        self.ring.push(Event { at, minor, other, marks }, |by| {
            linked.renumber(by);
            let numbers = before.iter_mut().flat_map(|before| before.iter_mut());
            // What has left the ring is no event any more.
            numbers.for_each(|number| *number = number.checked_sub(by).unwrap_or(NO_EVENT));
        });
        let number = self.ring.begun() + self.ring.len() as u32 - 1;
        for sums in &mut self.sums {
            sums.add(minor);
        }
        let before = self.linked.last(other);
        for (sums, gone) in self.sums[FROM..FROM + D].iter_mut().zip(&self.gone[FROM..FROM + D]) {
            let is_there = before.is_some_and(|before| before >= self.ring.begun() + gone);
            sums.distinct += u32::from(!is_there);
        }
        self.linked.set_last(other, number);
        if lateness > 0 {
            self.before.get_or_insert_default().push_back(before.unwrap_or(NO_EVENT));
            self.settle(at.saturating_sub(lateness));
        }
    }

    /// Goes back to when only events up to `to` had been, and windows to where they were then; the events after it,
    /// oldest first. `first` is the mark of events whose other was new. Calls `moved` with every event that leaves a
    /// window or is in it again, which window, and whether it is in it now.
    ///
    /// That takes as long as there are events after `to`, and events that have left a window since.
    pub(crate) fn rewind(
        &mut self,
        to: i64,
        windows: &[Window; W],
        first: u8,
        mut moved: impl FnMut(usize, Event, bool),
    ) -> Vec<Undone> {
        let mut undone = Vec::new();
        while let Some(event) = self.ring.pop_last(to) {
            let index = self.ring.len() as u32;
            let before = self.before.as_mut().and_then(|before| before.pop_back());
            let before = before.filter(|number| *number != NO_EVENT && *number >= self.ring.begun());
            for w in 0..W {
                if self.gone[w] > index {
                    // It had left that window.
                    self.gone[w] = index;
                    continue;
                }
                self.sums[w].subtract(event.minor);
                if (FROM..FROM + D).contains(&w) {
                    let is_there = before.is_some_and(|before| before >= self.ring.begun() + self.gone[w]);
                    self.sums[w].distinct -= u32::from(!is_there);
                }
                moved(w, event, false);
            }
            undone.push((event.at, event.minor, self.linked.id(event.other), event.marks));
            self.linked.take_back(event.other, before, event.marks & first != 0);
        }
        for (w, window) in windows.iter().enumerate() {
            let bound = to.saturating_sub(window.0);
            while let Some(index) = self.gone[w].checked_sub(1)
                && let Some(event) = self.ring.get_after(index as usize, bound)
            {
                self.gone[w] = index;
                self.sums[w].add(event.minor);
                if (FROM..FROM + D).contains(&w) {
                    let is_last = self.linked.last(event.other) == Some(self.ring.begun() + index);
                    self.sums[w].distinct += u32::from(is_last);
                }
                moved(w, event, true);
            }
        }
        undone.reverse();
        undone
    }

    /// Whether an event with the other in `slot` is in a window.
    pub(crate) fn is_in(&self, window: usize, slot: u32) -> bool {
        self.linked.last(slot).is_some_and(|number| number >= self.ring.begun() + self.gone[window])
    }

    pub(crate) fn sums(&self) -> &[Sums; W] {
        &self.sums
    }

    /// The first event of the longest window.
    pub(crate) fn first(&self) -> Option<Event> {
        self.ring.get(self.gone[W - 1] as usize)
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Event> {
        self.ring.iter()
    }

    /// The largest magnitude of the last `n` events; 0 where there are none.
    pub(crate) fn largest_of_last(&self, n: usize) -> i64 {
        self.ring.largest_of_last(n)
    }

    /// Those it is linked with, by slot.
    pub(crate) fn linked(&self) -> &Linked<EVER> {
        &self.linked
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let before = |before: &VecDeque<u32>| size_of_val(before) + before.capacity() * size_of::<u32>();
        self.ring.bytes() + self.linked.bytes() + self.before.as_deref().map_or(0, before)
    }

    /// Bytes on the heap that the longest window and the linked need, however they came to be there. What is kept for
    /// late events alone does not count: how much that is depends on what has been let go of.
    pub(crate) fn needed(&self) -> usize {
        let linked = if EVER { self.linked.len() } else { self.sums[W - 1].distinct as usize };
        self.ring.needed(self.gone[W - 1] as usize) + Linked::<EVER>::needed(linked)
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
