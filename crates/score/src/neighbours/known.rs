//! Scores of the rows of a fit, for when these are what is to be scored.

use super::{Nearest, Neighbour, Neighbours};
use crate::units::Units;
use ndarray::ArrayView2;

const NONE: u32 = u32::MAX;

/// The score of each row of a fit, found by the row's bits. A score depends on the model and the row alone, so that it
/// makes no difference whether it is looked up or computed anew.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// A power of two, more than half of them free: a row's place is in the first free slot from its hash on.
    slots: Vec<u32>,
    /// By place.
    scores: Vec<f64>,
}

impl Known {
    /// Of the scores by place.
    pub(crate) fn new(index: &Neighbours, scores: Vec<f64>) -> Self {
        let mut known = Self { slots: vec![NONE; (2 * scores.len() + 1).next_power_of_two()], scores };
        for place in 0..known.scores.len() as u32 {
            // Of equal rows the first will do.
            if let Err(slot) = known.find(index, index.row(place)) {
                known.slots[slot] = place;
            }
        }
        known
    }

    /// The place of a row with the same bits, or the slot where it would be.
    fn find(&self, index: &Neighbours, row: &[f64]) -> Result<u32, usize> {
        let last = self.slots.len() - 1;
        let mut slot = hash(row) as usize & last;
        loop {
            match self.slots[slot] {
                NONE => return Err(slot),
                place if index.row(place).iter().zip(row).all(|(a, b)| a.to_bits() == b.to_bits()) => return Ok(place),
                _ => slot = (slot + 1) & last,
            }
        }
    }

    fn score(&self, index: &Neighbours, row: &[f64]) -> Option<f64> {
        self.find(index, row).ok().map(|place| self.scores[place as usize])
    }
}

fn hash(row: &[f64]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = row.iter().fold(0_u64, |h, x| (h.rotate_left(23) ^ x.to_bits()).wrapping_mul(FACTOR));
    mixed ^ mixed >> 32
}

/// Scores rows by `factor(row, neighbours)`, both in the units of the fit; those `known` without a search.
pub(crate) fn score_by(
    index: &Neighbours,
    units: &Units,
    asked: usize,
    known: Option<&Known>,
    rows: ArrayView2<'_, f64>,
    out: &mut [f64],
    factor: impl Fn(&[f64], &[Neighbour]) -> f64,
) {
    let k = units.n_columns();
    // Made once a row is not known.
    let mut nearest = None;
    let mut queries = vec![0.0; Nearest::BATCH.min(out.len()) * k];
    let mut unknown = Vec::with_capacity(Nearest::BATCH.min(out.len()));
    for (b, out) in out.chunks_mut(Nearest::BATCH).enumerate() {
        units.fill(rows, b * Nearest::BATCH, out.len(), &mut queries[..out.len() * k]);
        unknown.clear();
        for (i, out) in out.iter_mut().enumerate() {
            let row = i * k..(i + 1) * k;
            match known.and_then(|known| known.score(index, &queries[row.clone()])) {
                Some(score) => *out = score,
                None => {
                    queries.copy_within(row, unknown.len() * k);
                    unknown.push(i);
                }
            }
        }
        if !unknown.is_empty() {
            let queries = &queries[..unknown.len() * k];
            let nearest = nearest.get_or_insert_with(|| Nearest::new(index, asked));
            nearest.search(queries, |i, found| out[unknown[i]] = factor(&queries[i * k..][..k], found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_bits() {
        let rows: Vec<f64> = (0..600).map(|i| f64::from(i % 250) * 0.5).collect();
        let index = Neighbours::new(rows, 2);
        let scores: Vec<f64> = (0..300).map(f64::from).collect();
        let known = Known::new(&index, scores);
        for place in 0..300 {
            let row = index.row(place);
            let found = known.score(&index, row).unwrap();
            assert!(found <= f64::from(place) && index.row(found as u32) == row);
        }
        assert_eq!(known.score(&index, &[0.25, 0.5]), None);
        assert_eq!(known.score(&index, &[-0.0, 0.5]), None);
    }
}
