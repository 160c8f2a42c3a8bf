//! Counting values between edges that stand evenly.

use crate::steps::linear;

/// Where edges stand evenly enough for a value's bin to be computed instead of searched for: rounded to the nearest
/// edge, a value is in the bin above it or, where it is less than the edge, in the one below.
pub(super) struct Even {
    low: f64,
    per_unit: f64,
    n_bins: usize,
}

/// Several counts side by side for each bin, so that like values in a row do not wait for each other's. The last is
/// of the values on the last edge.
pub(super) type Sides = Vec<[u64; SIDE]>;

const SIDE: usize = 4;

impl Even {
    pub(super) fn new(edges: &[f64], n_bins: usize) -> Option<Self> {
        let (&low, &high) = (edges.first()?, edges.last()?);
        let per_unit = n_bins as f64 / (high - low);
        // Where bins are narrower than this many roundings of a value, the nearest edge may be another.
        let coarse = 64.0 * f64::EPSILON * low.abs().max(high.abs());
        if edges.len() != n_bins + 1 || !per_unit.is_normal() || (high - low) / n_bins as f64 <= coarse {
            return None;
        }
        Some(Self { low, per_unit, n_bins })
    }

    pub(super) fn none(&self) -> Sides {
        vec![[0; SIDE]; self.n_bins + 1]
    }

    /// Adds the values to the counts of their bins.
    pub(super) fn count(&self, edges: &[f64], values: &[f64], counts: &mut Sides) {
        let &Self { low, per_unit, n_bins } = self;
        let bin = |x: f64| {
            let nearest = linear(low, per_unit, n_bins as f64, x);
            nearest.saturating_sub(usize::from(x < edges[nearest]))
        };
        let (quads, rest) = values.as_chunks::<SIDE>();
        for quad in quads {
            for (side, &x) in quad.iter().enumerate() {
                counts[bin(x)][side] += 1;
            }
        }
        rest.iter().for_each(|&x| counts[bin(x)][0] += 1);
    }
}

/// The counts, those on the last edge with the last bin's.
pub(super) fn summed(sides: &Sides) -> Vec<u64> {
    let mut counts: Vec<u64> = sides.iter().map(|sides| sides.iter().sum()).collect();
    let end = counts.pop().unwrap_or(0);
    if let Some(last) = counts.last_mut() {
        *last += end;
    }
    counts
}
