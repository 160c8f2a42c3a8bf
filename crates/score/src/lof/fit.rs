//! What follows from the neighbours of every row among the others.

use rayon::prelude::*;

use super::model::{NO_DENSITY, reachability};
use crate::neighbours::{Neighbour, Neighbours, every};

/// Distance to the last neighbour and local density of every row, by place.
pub(super) fn densities(index: &Neighbours, n_neighbors: usize) -> (Vec<f64>, Vec<f64>) {
    let n = index.available(n_neighbors);
    let found = every(index, n_neighbors);
    let furthest: Vec<f64> = found.chunks_exact(n).map(|f| f[n - 1].square.sqrt()).collect();
    let density =
        |f: &[Neighbour]| 1.0 / (f.iter().map(|f| reachability(*f, &furthest)).sum::<f64>() / n as f64 + NO_DENSITY);
    let densities = found.par_chunks_exact(n).map(density).collect();
    (furthest, densities)
}
