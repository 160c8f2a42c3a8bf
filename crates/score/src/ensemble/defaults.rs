//! The members there are by default.

use linfa::ParamGuard;

use super::params::Entry;
use super::{FitOn, View};
use crate::gmm::Gmm;
use crate::hbos::Hbos;
use crate::isolation_forest::IsolationForest;
use crate::mcd::Mcd;
use crate::sampled_knn::SampledKnn;
use crate::sciforest::SciForest;
use crate::{ColumnScale, Detector, Error, rng};

/// Columns up to which covariances are worth what they cost.
const MOST_COLUMNS: usize = 128;

/// Rows of a sample a mixture is fitted on, unless columns ask for more.
const SAMPLE: usize = 256;

/// Starts of the search for the half of least determinant, a fifth of the detector's own: it is one member of nine.
const STARTS: usize = 100;

/// Default members for this many rows and columns.
pub(super) fn members(rows: usize, columns: usize, seed: u64) -> Result<Vec<Entry>, Error> {
    let seed = |i: u64| rng::below(&mut rng::stream(seed, 2 + i), usize::MAX) as u64;
    let mut entries: Vec<Entry> = vec![];
    let mut add = |detector: Box<dyn Detector>, view, on| entries.push(Entry { detector, view, on });
    let knn = |i: u64| SampledKnn::params().seed(seed(i));
    let forest = IsolationForest::params().n_trees(64).seed(seed(0)).check()?;
    add(Box::new(forest), View::Raw, FitOn::All);
    add(Box::new(knn(1).n_neighbors(3).scale(ColumnScale::Raw).check()?), View::Even, FitOn::All);
    add(Box::new(knn(2).n_neighbors(3).scale(ColumnScale::Raw).check()?), View::Even, FitOn::Usual);
    add(Box::new(knn(3).check()?), View::Raw, FitOn::Usual);
    // An empty bin has to count for more than the default alpha lets it.
    add(Box::new(Hbos::params().alpha(0.01).check()?), View::Even, FitOn::Usual);
    // Half as many trees as the detector's own: what a tree costs here is worth ten of the first forest's.
    add(Box::new(SciForest::params().n_trees(48).seed(seed(7)).check()?), View::Raw, FitOn::Usual);
    if columns <= MOST_COLUMNS {
        let sample = SAMPLE.max(4 * columns).min(rows).max(2);
        // The fewer rows a covariance is estimated from, the more its thin directions are chance.
        let ridge = (0.1 * columns as f64 / sample as f64).clamp(1e-6, 1.0);
        let gmm = |i: u64| Gmm::params().n_samples(4).max_samples(sample).ridge(ridge).seed(seed(i)).check();
        add(Box::new(gmm(4)?), View::Even, FitOn::All);
        add(Box::new(gmm(5)?), View::Even, FitOn::Usual);
        // Of the full half of the rows, where a mixture is of a few hundred: it alone sees the one shape of all the
        // bulk.
        add(Box::new(Mcd::params().n_starts(STARTS).seed(seed(6)).check()?), View::Raw, FitOn::All);
    }
    Ok(entries)
}
