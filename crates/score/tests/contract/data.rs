//! Rows to fit on.

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// n × k: by turns normal-like, heavy-tailed, integer and mostly constant columns.
pub(crate) fn mixed(n: usize, k: usize, seed: u64) -> Array2<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    Array2::from_shape_fn((n, k), |(_, j)| {
        let u: f64 = rng.gen_range(1e-6..1.0);
        let normal: f64 = (0..6).map(|_| rng.gen_range(-1.0..1.0)).sum();
        match j % 4 {
            0 => normal,
            1 => 100.0 / u,
            2 => (u * 6.0).floor(),
            _ => {
                if u < 0.7 {
                    0.0
                } else {
                    normal
                }
            }
        }
    })
}

/// The rows with others among them that no fit has seen, some far out.
pub(crate) fn with_strangers(rows: &Array2<f64>) -> Array2<f64> {
    let n = rows.nrows();
    Array2::from_shape_fn((n + 40, rows.ncols()), |(i, j)| {
        if i < n {
            rows[[i, j]]
        } else {
            let factor = [0.5, 1.5, -3.0, 1e6][i % 4];
            rows[[i % n, j]] * factor + (i % 3) as f64 * 0.37
        }
    })
}
