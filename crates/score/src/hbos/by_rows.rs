//! Histograms of a table whose rows lie one after the other.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::even::{Even, Sides, summed};
use super::histogram::{Histogram, edges};
use crate::rows::{each_column, slice_rows};
use crate::stats::range_in_order;

/// Rows counted as one piece of work.
const PIECE: usize = 4_096;

/// Of all columns of a table whose rows lie one after the other: counted as they lie, piece by piece, so that no column
/// is taken out of all of the rows. Counts are whole numbers: in which order they are added changes nothing.
pub(super) fn fit_rows(rows: ArrayView2<'_, f64>, n_bins: usize) -> Vec<Histogram> {
    let (n, k) = rows.dim();
    let piece = |i: usize| slice_rows(rows, i * PIECE, PIECE.min(n - i * PIECE));
    let ranges: Vec<Vec<(f64, f64)>> = (0..n.div_ceil(PIECE))
        .into_par_iter()
        .map(|i| {
            let mut ranges = vec![NO_RANGE; k];
            each_column(piece(i), |j, _, values| ranges[j] = joined(ranges[j], range_in_order(values)));
            ranges
        })
        .collect();
    let columns: Vec<(Vec<f64>, Option<Even>)> = (0..k)
        .map(|j| {
            let (low, high) = ranges.iter().fold(NO_RANGE, |range, piece| joined(range, piece[j]));
            let edges = edges(low, high, n_bins);
            let even = Even::new(&edges, n_bins);
            (edges, even)
        })
        .collect();
    let none = || -> Vec<Sides> { columns.iter().map(|(_, even)| even.as_ref().map_or(vec![], Even::none)).collect() };
    let counts = (0..n.div_ceil(PIECE))
        .into_par_iter()
        .fold(none, |mut counts, i| {
            each_column(piece(i), |j, _, values| {
                if let (edges, Some(even)) = &columns[j] {
                    even.count(edges, values, &mut counts[j]);
                }
            });
            counts
        })
        .reduce(none, |mut counts, more| {
            let (counts_of, more_of) = (counts.iter_mut().flatten().flatten(), more.iter().flatten().flatten());
            counts_of.zip(more_of).for_each(|(to, more)| *to += more);
            counts
        });
    let columns = columns.into_iter().zip(counts).enumerate();
    columns
        .map(|(j, ((edges, even), sides))| match even {
            Some(_) => Histogram { counts: summed(&sides), edges },
            None => Histogram::searched(edges, &rows.column(j).to_vec()),
        })
        .collect()
}

/// The range of no values.
const NO_RANGE: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

/// The range of values and of those after them.
fn joined((low, high): (f64, f64), (l, h): (f64, f64)) -> (f64, f64) {
    (if l < low { l } else { low }, if h > high { h } else { high })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Counted piece by piece or column by column, it is the same histogram, to the sign of a zero at its end.
        #[test]
        fn rows_are_counted_as_columns_are(
            columns in prop::collection::vec((0usize..6, -3.0f64..3.0), 1..12),
            n in 1usize..(2 * PIECE + 3),
            n_bins in 2usize..40,
        ) {
            let value = |i: usize, j: usize| {
                let (kind, by) = columns[j];
                let at = ((i * 7_919 + j * 31) % 5_003) as f64;
                match kind {
                    0 => at * by,
                    1 => by,
                    2 => 1e15 + (at % 9.0),
                    3 => libm::exp2(at / 10.0 - 250.0) * by,
                    4 => if i.is_multiple_of(3) { -0.0 } else { 0.0 },
                    _ => (at % 20.0) * if i.is_multiple_of(5) { -0.0 } else { by },
                }
            };
            let rows = Array2::from_shape_fn((n, columns.len()), |(i, j)| value(i, j));
            let bits = |h: &Histogram| -> (Vec<u64>, Vec<u64>) {
                (h.edges.iter().map(|x| x.to_bits()).collect(), h.counts.clone())
            };
            for (j, histogram) in fit_rows(rows.view(), n_bins).iter().enumerate() {
                let expected = Histogram::fit(&rows.column(j).to_vec(), n_bins);
                prop_assert_eq!(bits(histogram), bits(&expected), "column {}: {:?}", j, columns[j]);
            }
        }
    }
}
