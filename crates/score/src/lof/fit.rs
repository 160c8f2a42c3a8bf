//! Neighbours of every row among the others, and what follows from them.

use rayon::prelude::*;

use super::model::{NO_DENSITY, reachability};
use crate::neighbours::{Nearest, Neighbour, Neighbours};

/// Distance to the last neighbour and local density of every row, by place.
pub(super) fn densities(index: &Neighbours, n_neighbors: usize) -> (Vec<f64>, Vec<f64>) {
    let n = index.available(n_neighbors);
    let k = index.rows().len() / index.len();
    let mut found = vec![Neighbour { square: 0.0, place: 0 }; index.len() * n];
    // Rows of one place after the other are near each other, and visit the same blocks.
    found.par_chunks_mut(Nearest::BATCH * n).zip(index.rows().par_chunks(Nearest::BATCH * k)).for_each_init(
        || Nearest::new(index, n_neighbors),
        |nearest, (found, rows)| {
            nearest.search(rows, |i, neighbours| found[i * n..][..n].copy_from_slice(neighbours));
        },
    );
    let furthest: Vec<f64> = found.chunks_exact(n).map(|f| f[n - 1].square.sqrt()).collect();
    let density =
        |f: &[Neighbour]| 1.0 / (f.iter().map(|f| reachability(*f, &furthest)).sum::<f64>() / n as f64 + NO_DENSITY);
    let densities = found.par_chunks_exact(n).map(density).collect();
    (furthest, densities)
}
