//! Events of one entity and what several sliding windows hold of them, exactly.
//!
//! An entity keeps its events once, in a ring, oldest first. Each window keeps the place of its first event and integer
//! aggregates; expiry subtracts exactly what arrival added, so nothing drifts however long it runs. Sums of squares of
//! 64-bit minor units need more than 64 bits: sums are 128 bits wide.

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};

use crible_core::Window;
use hashbrown::HashMap;

/// One event as an entity remembers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) at: i64,
    /// Magnitude in minor units, never negative.
    pub(crate) minor: i64,
    /// The other side's slot in [`Others`].
    pub(crate) other: u32,
}

/// What one window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Hashes an identifier that is pseudorandom already, or a small number in a test.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, x: u32) {
        self.write_u64(u64::from(x));
    }

    fn write_u64(&mut self, x: u64) {
        self.0 = (self.0.rotate_left(29) ^ x).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // The table picks its bucket by the low bits and its tag by the high ones: give both the well-mixed half.
        self.0 ^ (self.0 >> 32)
    }
}

pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Whom an entity has dealt with, ever, and how often within each of the windows that count different ones.
#[derive(Debug, Default)]
struct Others<const D: usize> {
    slots: IdMap<u64, u32>,
    met: Vec<[u32; D]>,
}

/// The events of one entity and its windows, shortest first; the `D` windows from `FROM` on count different others.
#[derive(Debug)]
pub(crate) struct Events<const W: usize, const FROM: usize, const D: usize> {
    ring: VecDeque<Event>,
    others: Others<D>,
    sums: [Sums; W],
    /// Events in the ring that are no longer in the window.
    gone: [u32; W],
}

impl<const W: usize, const FROM: usize, const D: usize> Default for Events<W, FROM, D> {
    fn default() -> Self {
        Self { ring: VecDeque::new(), others: Others::default(), sums: [Sums::default(); W], gone: [0; W] }
    }
}

impl<const W: usize, const FROM: usize, const D: usize> Events<W, FROM, D> {
    /// Lets go of what is no longer in each window at `now`; calls `left` with every event that leaves the longest.
    pub(crate) fn expire(&mut self, now: i64, windows: &[Window; W], mut left: impl FnMut(Event)) {
        for (w, window) in windows.iter().enumerate() {
            let bound = now.saturating_sub(window.0);
            while let Some(&event) = self.ring.get(self.gone[w] as usize)
                && event.at <= bound
            {
                self.gone[w] += 1;
                let sums = &mut self.sums[w];
                sums.count -= 1;
                sums.sum -= i128::from(event.minor);
                sums.squares = sums.squares.wrapping_sub(i128::from(event.minor) * i128::from(event.minor));
                if (FROM..FROM + D).contains(&w) {
                    let met = &mut self.others.met[event.other as usize][w - FROM];
                    *met -= 1;
                    sums.distinct -= u32::from(*met == 0);
                }
            }
        }
        let dropped = self.gone[W - 1];
        if dropped > 0 {
            self.ring.drain(..dropped as usize).for_each(&mut left);
            for gone in &mut self.gone {
                *gone -= dropped;
            }
        }
    }

    /// The slot of another side, and whether it is new. A new one has no part in any window yet.
    pub(crate) fn meet(&mut self, other: u64) -> (u32, bool) {
        let next = self.others.met.len() as u32;
        let slot = *self.others.slots.entry(other).or_insert(next);
        if slot == next {
            self.others.met.push([0; D]);
        }
        (slot, slot == next)
    }

    /// Takes in an event that is not older than any before it; `other` is a slot [`Events::meet`] gave.
    pub(crate) fn push(&mut self, at: i64, minor: i64, other: u32) {
        self.ring.push_back(Event { at, minor, other });
        for sums in &mut self.sums {
            sums.count += 1;
            sums.sum += i128::from(minor);
            sums.squares = sums.squares.wrapping_add(i128::from(minor) * i128::from(minor));
        }
        for (sums, met) in self.sums[FROM..].iter_mut().zip(&mut self.others.met[other as usize]) {
            sums.distinct += u32::from(*met == 0);
            *met += 1;
        }
    }

    pub(crate) fn sums(&self) -> &[Sums; W] {
        &self.sums
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.ring.iter()
    }

    /// All others ever met, in the order of their slots.
    pub(crate) fn others(&self) -> Vec<u64> {
        let mut out = vec![0; self.others.met.len()];
        self.others.slots.iter().for_each(|(&other, &slot)| out[slot as usize] = other);
        out
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.ring.capacity() * size_of::<Event>()
            + self.others.slots.allocation_size()
            + self.others.met.capacity() * size_of::<[u32; D]>()
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
