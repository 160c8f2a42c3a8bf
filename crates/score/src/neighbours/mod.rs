//! Exact nearest neighbours among the rows of a fit, by Euclidean distance.
//!
//! What is found is defined without the way to it: the distance of two rows is a sum of squares taken
//! in one fixed order ([`square_distance`]), and the nearest are the first in the order (distance,
//! place). Everything else only leaves out rows that provably are not among them:
//!
//! * Rows stand in blocks of neighbours (a k-d tree's leaves; in more than 16 columns it is cut between clusters where
//!   there are any, and rows far from all others have leaves of their own). A block whose ball (centre and radius)
//!   lies beyond the nearest found so far is skipped.
//! * Within a block, 32-bit products of rows and query, both relative to the block's centre, estimate
//!   all distances at once; rows whose estimate less its error bound still lies beyond are skipped.
//!
//! Both bounds allow for rounding with room to spare, so a row left out has a larger distance *as
//! computed*, and the answer has the same bits whatever the blocks, the order in which they are
//! visited, or the queries that are asked together. Queries of a batch visit a block together, so that
//! its rows are fetched once for all of them.
//!
//! Cost: building O(n k log n); a query n k / 8 cycles where nothing can be skipped, as in many columns
//! without structure, and far less in few columns or among clusters.

mod all;
mod block;
mod build;
mod known;
mod search;
mod spanning;

pub(crate) use all::{every, furthest};
pub(crate) use known::{Known, score_by};
pub(crate) use search::Nearest;
pub(crate) use spanning::{Edges, spanning};

use block::Block;
use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::Error;
use crate::units::FURTHEST;

/// Rows in a block.
const BLOCK: usize = 128;

/// Rows of a fit, arranged for search. A row's *place* is its index here, not in the fit.
#[derive(Debug, Clone)]
pub(crate) struct Neighbours {
    k: usize,
    /// n × k, row after row, in the order of places.
    rows: Vec<f64>,
    blocks: Vec<Block>,
}

/// A row of the fit, seen from a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbour {
    /// Squared distance.
    pub(crate) square: f64,
    pub(crate) place: u32,
}

impl Neighbours {
    /// Rows there may be.
    pub(crate) const MOST: usize = u32::MAX as usize;

    /// Whether a fit's rows are few enough.
    pub(crate) fn check(rows: ArrayView2<'_, f64>) -> Result<(), Error> {
        if rows.nrows() <= Self::MOST {
            Ok(())
        } else {
            Err(Error::TooMany { what: "rows", got: rows.nrows(), limit: Self::MOST })
        }
    }

    /// Whether rows read from a snapshot can be [`arranged`](Self::arranged).
    pub(crate) fn are_sound(rows: &[f64], k: usize) -> bool {
        !rows.is_empty()
            && rows.len().is_multiple_of(k)
            && rows.len() / k <= Self::MOST
            && rows.iter().all(|x| x.abs() <= FURTHEST)
    }

    /// Whether each of n rows is named once.
    pub(crate) fn is_order(order: &[u32], n: usize) -> bool {
        let mut is_named = vec![false; n];
        order.len() == n
            && order.iter().all(|&i| is_named.get_mut(i as usize).is_some_and(|named| !std::mem::replace(named, true)))
    }

    /// Arranges the rows (n × k, n > 0, row after row, |x| ≤ 1e100) for search.
    pub(crate) fn new(rows: Vec<f64>, k: usize) -> Self {
        Self::with_order(rows, k).0
    }

    /// [`new`](Self::new), with the index in `rows` of every place.
    pub(crate) fn with_order(rows: Vec<f64>, k: usize) -> (Self, Vec<u32>) {
        let (rows, order) = build::arrange(&rows, k);
        (Self::arranged(rows, k), order)
    }

    /// From rows already in order, as [`rows`](Self::rows) gives them.
    pub(crate) fn arranged(rows: Vec<f64>, k: usize) -> Self {
        let blocks = rows.par_chunks(BLOCK * k).map(|rows| Block::new(rows, k)).collect();
        Self { k, rows, blocks }
    }

    /// All rows in the order of places.
    pub(crate) fn rows(&self) -> &[f64] {
        &self.rows
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len() / self.k
    }

    pub(crate) fn row(&self, place: u32) -> &[f64] {
        &self.rows[place as usize * self.k..][..self.k]
    }

    /// How many neighbours a query has when `asked` are asked for: a row is no neighbour of its own.
    pub(crate) fn available(&self, asked: usize) -> usize {
        asked.min(self.len().saturating_sub(1)).max(1)
    }
}

/// Sum of squared differences: column j goes to sum j mod 4, and the four are added pairwise.
#[inline(always)]
pub(crate) fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    for (a, b) in a4.iter().zip(b4) {
        for lane in 0..4 {
            let d = a[lane] - b[lane];
            sums[lane] += d * d;
        }
    }
    for (lane, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        let d = a - b;
        sums[lane] += d * d;
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the module's documentation defines, read literally.
    fn by_hand(rows: &[f64], k: usize, query: &[f64], n: usize) -> Vec<Neighbour> {
        let mut all: Vec<Neighbour> = rows
            .chunks(k)
            .enumerate()
            .map(|(place, row)| Neighbour { square: square_distance(query, row), place: place as u32 })
            .collect();
        all.sort_by(|a, b| a.square.total_cmp(&b.square).then(a.place.cmp(&b.place)));
        // A row at no distance is taken for the query itself.
        if all[0].square == 0.0 && all.len() > 1 {
            all.remove(0);
        }
        all.truncate(n);
        all
    }

    fn check(rows: Vec<f64>, k: usize, queries: &[f64], asked: usize) {
        let index = Neighbours::new(rows, k);
        let n = index.available(asked);
        let mut nearest = Nearest::new(&index, asked);
        let mut seen = 0;
        for chunk in queries.chunks(Nearest::BATCH * k) {
            nearest.search(chunk, |i, found| {
                let query = &chunk[i * k..][..k];
                assert_eq!(found, by_hand(index.rows(), k, query, n), "{query:?}");
                seen += 1;
            });
        }
        assert_eq!(seen, queries.len() / k);
    }

    /// Clusters of very different widths and places, and rows without any.
    fn rows(n: usize, k: usize, seed: u64) -> Vec<f64> {
        let mut rng = crate::rng::stream(seed, 0);
        let mut out = Vec::new();
        for i in 0..n {
            let (center, width) = [(0.0, 1.0), (50.0, 1e-4), (-3.0, 1e-12), (1e3, 20.0)][i % 4];
            out.extend((0..k).map(|_| center + width * (crate::rng::unit(&mut rng) - 0.5)));
        }
        out
    }

    #[test]
    fn neighbours_are_those_found_by_hand() {
        for (n, k, asked) in
            [(1, 1, 5), (2, 3, 1), (5, 2, 9), (1_000, 3, 5), (700, 17, 20), (300, 70, 3), (2_000, 1, 300)]
        {
            let fit = rows(n, k, 1);
            let mut queries = rows(150, k, 2);
            queries.extend_from_slice(&fit[..fit.len().min(400 * k)]);
            queries.extend(fit[..k].iter().map(|x| x * 1e40));
            queries.extend(fit[..k].iter().map(|x| x * 1e95));
            check(fit, k, &queries, asked);
        }
    }

    #[test]
    fn equal_and_nearly_equal_rows() {
        check(vec![3.0; 1_000], 2, &[3.0, 3.0, 4.0, 4.0], 7);
        let near: Vec<f64> = (0..1_000).map(|i| 1e6 + f64::from(i % 300) * 1e-9).collect();
        check(near.clone(), 2, &near[..600], 4);
        let tiny: Vec<f64> = (0..1_000).map(|i| f64::from(i % 300) * 1e-60).collect();
        check(tiny.clone(), 2, &tiny[..600], 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_rows(
            values in prop::collection::vec(-1e3..1e3_f64, 12..900),
            scale in -40..40_i32,
            asked in 1..12_usize,
        ) {
            let k = 3;
            let mut values: Vec<f64> = values.iter().map(|x| (x * libm::ldexp(1.0, scale)).round()).collect();
            values.truncate(values.len() / k * k);
            check(values.clone(), k, &values[..6], asked);
        }
    }
}
