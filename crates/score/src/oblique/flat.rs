//! From the root to the leaves, several rows side by side, in trees whose planes take two columns at most.

use super::tree::Tree;

/// Columns of a plane.
pub(super) const TERMS: usize = 2;

/// Rows walked side by side, so that one row's waiting for memory is another's work.
const LANES: usize = 8;

/// A node in a line of memory. A leaf is its own child, whose plane no row is in the range of.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Step {
    weights: [f64; TERMS],
    threshold: f64,
    range: (f64, f64),
    /// What a row that ends here adds to its depth.
    mean: f64,
    children: [u32; 2],
    columns: [u16; TERMS],
}

impl Step {
    /// The nodes of a tree; `None` if a plane takes more columns.
    pub(super) fn of(tree: &Tree, means: &[f64]) -> Option<Vec<Self>> {
        let node = |(at, mean): (usize, &f64)| {
            let mut step = Self {
                weights: [0.0; TERMS],
                threshold: f64::INFINITY,
                range: (f64::INFINITY, f64::NEG_INFINITY),
                mean: *mean,
                children: [at as u32; 2],
                columns: [0; TERMS],
            };
            if let Some((plane, children)) = tree.split(at) {
                // What is padded with a weight of 0 adds 0: numbers are finite.
                step.weights.get_mut(..plane.weights.len())?.copy_from_slice(&plane.weights);
                step.columns.get_mut(..plane.columns.len())?.copy_from_slice(&plane.columns);
                step.threshold = plane.threshold;
                step.range = plane.range;
                step.children = children;
            }
            Some(step)
        };
        means.iter().enumerate().map(node).collect()
    }

    #[inline(always)]
    fn project(&self, row: &[f64]) -> f64 {
        self.columns.iter().zip(&self.weights).fold(0.0, |sum, (&j, w)| sum + w * row[usize::from(j)])
    }
}

/// Adds to each row's sum its depth in the tree; rows lie one after the other, `k` numbers each.
pub(super) fn add(tree: &[Step], rows: &[f64], k: usize, sums: &mut [f64]) {
    for (rows, sums) in rows.chunks(LANES * k).zip(sums.chunks_mut(LANES)) {
        if sums.len() == LANES {
            lanes::<LANES>(tree, rows, k, sums);
        } else {
            for (row, sum) in rows.chunks_exact(k).zip(sums.chunks_mut(1)) {
                lanes::<1>(tree, row, k, sum);
            }
        }
    }
}

#[inline(always)]
fn lanes<const N: usize>(tree: &[Step], rows: &[f64], k: usize, sums: &mut [f64]) {
    let rows: [&[f64]; N] = std::array::from_fn(|lane| &rows[lane * k..][..k]);
    let mut at = [0_u32; N];
    let mut depths = [0_u32; N];
    loop {
        let mut moved = 0;
        for lane in 0..N {
            let step = &tree[at[lane] as usize];
            let y = step.project(rows[lane]);
            depths[lane] += u32::from(step.range.0 <= y) & u32::from(y <= step.range.1);
            let next = step.children[usize::from(y > step.threshold)];
            moved |= next ^ at[lane];
            at[lane] = next;
        }
        if moved == 0 {
            break;
        }
    }
    for lane in 0..N {
        sums[lane] += f64::from(depths[lane]) + tree[at[lane] as usize].mean;
    }
}
