//! What follows from the neighbours of every row among the others.

use rayon::prelude::*;

use super::Lof;
use super::model::{NO_DENSITY, reachability};
use crate::neighbours::{Neighbour, Neighbours, every};
use crate::units::Units;

/// The model of a fit, which knows the factors of its own rows.
pub(super) fn fitted(units: Units, index: Neighbours, n_neighbors: usize) -> Lof {
    let n = index.available(n_neighbors);
    let found = every(&index, n_neighbors);
    let furthest: Vec<f64> = found.chunks_exact(n).map(|f| f[n - 1].square.sqrt()).collect();
    let density =
        |f: &[Neighbour]| 1.0 / (f.iter().map(|f| reachability(*f, &furthest)).sum::<f64>() / n as f64 + NO_DENSITY);
    let densities = found.par_chunks_exact(n).map(density).collect();
    let mut model = Lof::new(units, index, n_neighbors, furthest, densities);
    let factors = found.par_chunks_exact(n).map(|f| model.factor(f)).collect();
    model.remember(factors);
    model
}
