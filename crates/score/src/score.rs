//! Checks and threads, once for every model.

use fearless_simd::{Level, Simd, dispatch};
use ndarray::{Array1, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use crate::rows::slice_rows;
use crate::{Error, Model};

/// Rows scored as one piece of work: a block of 35 columns of them stays in a core's second-level cache.
const BLOCK_ROWS: usize = 1024;

/// Scores every row of `rows` (n × k): n values, higher = stranger.
///
/// Runs on the caller's rayon pool; the bits do not depend on its size.
///
/// # Errors
/// [`Error::Columns`] when the width differs from the fit's, [`Error::NotFinite`] naming the first
/// row and column that hold NaN or an infinity. No rows give no scores, which is no error.
///
/// ```
/// use crible_score::{ecod::Ecod, Detector};
/// use linfa::ParamGuard;
/// use ndarray::array;
///
/// let rows = array![[1.0, 10.0], [2.0, 11.0], [1.5, 10.5], [1.2, 90.0]];
/// let model = Ecod::params().check()?.fit(rows.view())?;
/// let scores = crible_score::score(model.as_ref(), rows.view())?;
/// assert!(scores[3] > scores[2]);
/// # Ok::<(), crible_score::Error>(())
/// ```
pub fn score(model: &dyn Model, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, Error> {
    let mut out = vec![0.0; rows.nrows()];
    score_into(model, rows, &mut out)?;
    Ok(Array1::from_vec(out))
}

/// [`score`] into a slice the caller keeps.
///
/// # Errors
/// As [`score`], and [`Error::Length`] when `out` is not as long as there are rows.
pub fn score_into(model: &dyn Model, rows: ArrayView2<'_, f64>, out: &mut [f64]) -> Result<(), Error> {
    check_columns(rows, model.n_columns())?;
    if out.len() != rows.nrows() {
        return Err(Error::Length { what: "out", got: out.len(), expected: rows.nrows() });
    }
    let first_bad = out
        .par_chunks_mut(BLOCK_ROWS)
        .enumerate()
        .map(|(i, out)| {
            let start = i * BLOCK_ROWS;
            let block = slice_rows(rows, start, out.len());
            let bad = first_not_finite(block).map(|(row, column)| (start + row, column));
            if bad.is_none() {
                model.score_block(block, out);
            }
            bad
        })
        // The first in reading order, whichever thread found it.
        .reduce(|| None, |a, b| if a.is_some() { a } else { b });
    match first_bad {
        Some((row, column)) => Err(Error::NotFinite { row, column, value: rows[[row, column]] }),
        None => Ok(()),
    }
}

/// What every fit asks for: at least one row and one column, all finite.
pub(crate) fn check_fit(rows: ArrayView2<'_, f64>) -> Result<(), Error> {
    if rows.nrows() == 0 {
        return Err(Error::TooFew { what: "rows", got: 0, needed: 1 });
    }
    if rows.ncols() == 0 {
        return Err(Error::TooFew { what: "columns", got: 0, needed: 1 });
    }
    // Columns that lie together are read from end to end; only where one is bad, which row comes first is asked.
    let column_is_fine = |column: ArrayView1<'_, f64>| column.to_slice().is_some_and(all_finite);
    if rows.strides()[0] == 1 && rows.axis_iter(Axis(1)).into_par_iter().all(column_is_fine) {
        return Ok(());
    }
    let first_bad = (0..rows.nrows())
        .into_par_iter()
        .step_by(BLOCK_ROWS)
        .map(|start| {
            let len = BLOCK_ROWS.min(rows.nrows() - start);
            first_not_finite(slice_rows(rows, start, len)).map(|(row, column)| (start + row, column))
        })
        .reduce(|| None, |a, b| if a.is_some() { a } else { b });
    match first_bad {
        Some((row, column)) => Err(Error::NotFinite { row, column, value: rows[[row, column]] }),
        None => Ok(()),
    }
}

/// The width must be the fit's.
pub(crate) fn check_columns(rows: ArrayView2<'_, f64>, expected: usize) -> Result<(), Error> {
    if rows.ncols() == expected { Ok(()) } else { Err(Error::Columns { got: rows.ncols(), expected }) }
}

/// First value in row order that is NaN or infinite.
pub(crate) fn first_not_finite(rows: ArrayView2<'_, f64>) -> Option<(usize, usize)> {
    // One branch per contiguous run of memory; only a block known to be bad is searched.
    let fine = match rows.as_slice_memory_order() {
        Some(values) => all_finite(values),
        None => {
            let axis = if rows.strides()[0].unsigned_abs() == 1 { 1 } else { 0 };
            rows.axis_iter(Axis(axis)).all(|lane| match lane.to_slice() {
                Some(values) => all_finite(values),
                None => lane.iter().all(|x| x.is_finite()),
            })
        }
    };
    if fine {
        return None;
    }
    rows.indexed_iter().find(|(_, x)| !x.is_finite()).map(|(at, _)| at)
}

fn all_finite(values: &[f64]) -> bool {
    /// Below this, plain instructions are as fast.
    const FEW: usize = 64;
    if values.len() < FEW {
        return values.iter().all(|x| x.is_finite());
    }
    dispatch!(Level::new(), simd => all_finite_with(simd, values))
}

#[inline(always)]
fn all_finite_with<S: Simd>(_: S, values: &[f64]) -> bool {
    // 0 times a finite number is 0, and no number otherwise: without a way out of the loop it is vectorised.
    let mut sums = [0.0; 32];
    let (chunks, rest) = values.as_chunks::<32>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x * 0.0;
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += x * 0.0;
    }
    sums.iter().all(|&sum| sum == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_found_wherever_it_is() {
        for n in [1, 63, 64, 65, 96, 127, 300] {
            let mut values: Vec<f64> = (0..n).map(|i| [f64::MAX, f64::MIN, -0.0, 5e-324][i % 4]).collect();
            assert!(all_finite(&values), "{n}");
            for at in 0..n {
                for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    let even = std::mem::replace(&mut values[at], odd);
                    assert!(!all_finite(&values), "{odd} at {at} of {n}");
                    values[at] = even;
                }
            }
        }
    }
}
