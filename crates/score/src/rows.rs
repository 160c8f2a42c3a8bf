//! Walking a matrix in any memory layout, with the same bits in each.

use ndarray::{ArrayView, ArrayView1, ArrayView2, Axis, RemoveAxis, Slice};
use rayon::prelude::*;

/// Rows taken at a time by detectors that go column by column: enough that a column's tables, once
/// fetched, are used often, and few enough that 35 columns of them (287 kB) stay in the second-level
/// cache, where in row-major order the line fetched for one column still is for the next seven.
pub(crate) const TILE: usize = 1024;

/// Numbers to work with: on the stack where few will do, as for one row, so that scoring it allocates nothing.
pub(crate) fn with_scratch<T: Copy + Default, R>(len: usize, work: impl FnOnce(&mut [T]) -> R) -> R {
    const FEW: usize = 256;
    if len <= FEW { work(&mut [T::default(); FEW][..len]) } else { work(&mut vec![T::default(); len]) }
}

/// Rows `start..start + len`. (ndarray's `s!` expands to an `unsafe` block, which this crate forbids.)
pub(crate) fn slice_rows<D: RemoveAxis>(
    mut rows: ArrayView<'_, f64, D>,
    start: usize,
    len: usize,
) -> ArrayView<'_, f64, D> {
    rows.slice_axis_inplace(Axis(0), Slice::from(start..start + len));
    rows
}

/// Columns taken out of row-major memory at a time: as many as a line of it holds.
pub(crate) const SIDE: usize = 8;

/// Columns `first..` of the rows, one after the other, into `out` (as many as it has room for).
pub(crate) fn gather(rows: ArrayView2<'_, f64>, first: usize, out: &mut [f64]) {
    let (n, k) = rows.dim();
    let upto = first + out.len() / n;
    match rows.as_slice() {
        Some(values) if upto - first > 1 => {
            // Squares of rows, so that what is written, too, is whole lines.
            for (at, rows) in values.chunks(SIDE * k).enumerate() {
                let mut square = [[0.0; SIDE]; SIDE];
                let mut height = 0;
                for row in rows.chunks_exact(k) {
                    square.iter_mut().zip(&row[first..upto]).for_each(|(to, &x)| to[height] = x);
                    height += 1;
                }
                for (square, out) in square.iter().zip(out.chunks_exact_mut(n)) {
                    let out = &mut out[at * SIDE..][..height];
                    match <&mut [f64; SIDE]>::try_from(&mut *out) {
                        Ok(out) => *out = *square,
                        Err(_) => out.copy_from_slice(&square[..height]),
                    }
                }
            }
        }
        _ => {
            for (column, out) in (first..upto).zip(out.chunks_exact_mut(n)) {
                out.iter_mut().zip(rows.index_axis(Axis(1), column)).for_each(|(to, &x)| *to = x);
            }
        }
    }
}

/// How many columns [`map_columns`] takes out of row-major memory at once: fewer than a line of it holds where there
/// would not be enough for all threads, or where the table is long.
pub(crate) fn columns_at_once(rows: ArrayView2<'_, f64>) -> usize {
    // More of a long table would be faster, and hold more of it a second time.
    const LONG: usize = 1 << 16;
    let (n, k) = rows.dim();
    let most = if n > LONG { SIDE / 2 } else { SIDE };
    (k / (2 * rayon::current_num_threads())).clamp(1, most)
}

/// What `make` makes of each column's values, in the order of the columns. In row-major order a line of memory holds
/// eight columns, so several are taken out of it at once where there are enough of them for all threads.
pub(crate) fn map_columns<T: Send>(rows: ArrayView2<'_, f64>, make: impl Fn(&mut [f64]) -> T + Sync) -> Vec<T> {
    let (n, k) = rows.dim();
    let at_once = if rows.strides()[0] == 1 { 1 } else { columns_at_once(rows) };
    let firsts: Vec<usize> = (0..k).step_by(at_once).collect();
    let group = |buffer: &mut Vec<f64>, first: usize| {
        buffer.resize(n * at_once.min(k - first), 0.0);
        gather(rows.view(), first, buffer);
        buffer.chunks_exact_mut(n).map(&make).collect::<Vec<T>>()
    };
    let groups: Vec<Vec<T>> = firsts.into_par_iter().map_init(Vec::new, group).collect();
    groups.into_iter().flatten().collect()
}

/// For detectors that treat columns one by one: zeroes `out`, then calls `add(column, values, sums)`
/// for each column in order, tile by tile. Each row's sum is taken in the order of the columns.
pub(crate) fn by_column(rows: ArrayView2<'_, f64>, out: &mut [f64], mut add: impl FnMut(usize, &[f64], &mut [f64])) {
    out.fill(0.0);
    each_column(rows, |column, start, values| add(column, values, &mut out[start..start + values.len()]));
}

/// Calls `visit(column, first row, values)` for each column in order, tile by tile of the rows.
pub(crate) fn each_column(rows: ArrayView2<'_, f64>, mut visit: impl FnMut(usize, usize, &[f64])) {
    const FEW: usize = 16;
    if rows.nrows() == 1 {
        return rows.row(0).iter().enumerate().for_each(|(column, x)| visit(column, 0, std::slice::from_ref(x)));
    }
    // A few rows should not pay for clearing a large buffer.
    if rows.nrows() <= FEW {
        tiles::<FEW>(rows, visit);
    } else {
        tiles::<TILE>(rows, visit);
    }
}

fn tiles<const ROWS: usize>(rows: ArrayView2<'_, f64>, mut visit: impl FnMut(usize, usize, &[f64])) {
    let mut buffer = [[0.0; ROWS]; SIDE];
    let (all, k) = rows.dim();
    for start in (0..all).step_by(ROWS) {
        let n = ROWS.min(all - start);
        let part = slice_rows(rows.view(), start, n);
        // A column that lies together is taken as it is.
        if part.strides()[0] == 1 {
            for (column, values) in part.axis_iter(Axis(1)).enumerate() {
                if let Some(values) = values.to_slice() {
                    visit(column, start, values);
                }
            }
            continue;
        }
        for first in (0..k).step_by(SIDE) {
            let columns = &mut buffer.as_flattened_mut()[..n * SIDE.min(k - first)];
            gather(part, first, columns);
            for (j, values) in columns.chunks_exact(n).enumerate() {
                visit(first + j, start, values);
            }
        }
    }
}

/// Rows walked side by side by detectors that go row by row.
pub(crate) const LANES: usize = 8;

/// Rows packed at a time, a multiple of [`LANES`].
pub(crate) const PACK: usize = 64;

/// Columns up to which packing needs no heap.
const STACK_COLUMNS: usize = 64;

/// Scratch for [`Pack::fill`]; on the stack for up to 64 columns, else sized by the columns alone.
pub(crate) struct Pack {
    stack: [[f64; LANES]; PACK / LANES * STACK_COLUMNS],
    heap: Vec<[f64; LANES]>,
}

impl Pack {
    pub(crate) fn new(n_columns: usize) -> Self {
        let heap = if n_columns <= STACK_COLUMNS { 0 } else { PACK / LANES * n_columns };
        Self { stack: [[0.0; LANES]; PACK / LANES * STACK_COLUMNS], heap: vec![[0.0; LANES]; heap] }
    }

    /// Rows `start..start + len` (at most [`PACK`]) as groups of [`LANES`] rows, each group k × LANES.
    /// Lanes without a row hold what was there before; their results are dropped.
    pub(crate) fn fill(
        &mut self,
        rows: ArrayView2<'_, f64>,
        start: usize,
        len: usize,
        map: impl Fn(usize, f64) -> f64,
    ) -> std::slice::Chunks<'_, [f64; LANES]> {
        let k = rows.ncols();
        let n_groups = len.div_ceil(LANES);
        let space: &mut [[f64; LANES]] = if self.heap.is_empty() { &mut self.stack } else { &mut self.heap };
        let space = &mut space[..n_groups * k];
        let part = slice_rows(rows, start, len);
        if part.strides()[0] == 1 {
            for (j, column) in part.axis_iter(Axis(1)).enumerate() {
                each(column, |i, x| space[i / LANES * k + j][i % LANES] = map(j, x));
            }
        } else {
            for (i, row) in part.axis_iter(Axis(0)).enumerate() {
                let group = &mut space[i / LANES * k..][..k];
                each(row, |j, x| group[j][i % LANES] = map(j, x));
            }
        }
        space.chunks(k)
    }
}

/// `visit(index, value)` in order; a plain slice loop where memory allows it.
fn each(lane: ArrayView1<'_, f64>, mut visit: impl FnMut(usize, f64)) {
    match lane.to_slice() {
        Some(values) => values.iter().enumerate().for_each(|(i, &x)| visit(i, x)),
        None => lane.iter().enumerate().for_each(|(i, &x)| visit(i, x)),
    }
}
