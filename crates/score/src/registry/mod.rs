//! Detectors by name: from a name and parameters to a detector, from a snapshot to the model it holds.

mod spec;
mod value;

pub use spec::DetectorSpec;
use spec::Given;
pub use value::Value;

use crate::abod::Abod;
use crate::cblof::Cblof;
use crate::cof::Cof;
use crate::copod::Copod;
use crate::dbscan::Dbscan;
use crate::ecod::Ecod;
use crate::ensemble::Ensemble;
use crate::error::SnapshotError;
use crate::esd::Esd;
use crate::extended_isolation_forest::ExtendedIsolationForest;
use crate::gmm::Gmm;
use crate::half_space_trees::HalfSpaceTrees;
use crate::hbos::Hbos;
use crate::hdbscan::Hdbscan;
use crate::inne::Inne;
use crate::isolation_forest::IsolationForest;
use crate::kde::Kde;
use crate::kmeans::KMeans;
use crate::knn::Knn;
use crate::loda::Loda;
use crate::lof::Lof;
use crate::mcd::Mcd;
use crate::nystroem_svm::NystroemSvm;
use crate::one_class_svm::OneClassSvm;
use crate::optics::Optics;
use crate::pca::Pca;
use crate::robust_random_cut_forest::RobustRandomCutForest;
use crate::robust_z::{Aggregate, RobustZ};
use crate::sampled_knn::SampledKnn;
use crate::sciforest::SciForest;
use crate::views::Views;
use crate::{Detector, Error, Model, Snapshot};
use linfa::ParamGuard;

/// A detector of a seed and of the parameters given.
type Make = fn(u64, &Given<'_>) -> Result<Box<dyn Detector>, Error>;

/// What the crate knows of a detector by its name.
struct Entry {
    name: &'static str,
    load: fn(&Snapshot) -> Result<Box<dyn Model>, Error>,
    /// Names of the setters [`Entry::make`] knows, but for the seed.
    parameters: &'static [&'static str],
    /// The detector with default parameters but for those given, and a seed, where it draws anything by chance.
    make: Make,
}

/// `entry!(Type; setters)`, or `entry!(Type, seed; setters)` of a detector that draws by chance.
macro_rules! entry {
    ($model:ident; $($setter:ident),*) => {
        entry!(@ $model::NAME, $model, |_| $model::params(); $($setter),*)
    };
    ($model:ident, seed; $($setter:ident),*) => {
        entry!(@ $model::NAME, $model, |seed| $model::params().seed(seed); $($setter),*)
    };
    (@ $name:expr, $model:ident, $params:expr; $($setter:ident),*) => {
        Entry {
            name: $name,
            load: |s| Ok(Box::new($model::from_snapshot(s)?)),
            parameters: &[$(stringify!($setter)),*],
            make: |seed, given| {
                let params = $params(seed);
                $(
                    let params = match given.get(stringify!($setter))? {
                        Some(value) => params.$setter(value),
                        None => params,
                    };
                )*
                Ok(Box::new(params.check()?))
            },
        }
    };
}

/// A new detector is one line here: its type and the setters a configuration may name.
const ENTRIES: &[Entry] = &[
    entry!(RobustZ; min_unit),
    entry!(@ RobustZ::DISTANCE, RobustZ, |_| RobustZ::params().aggregate(Aggregate::MeanSquare); min_unit),
    entry!(Ecod; precision, exact_up_to),
    entry!(Hbos; bins, alpha, tol),
    entry!(IsolationForest, seed; n_trees, max_samples),
    entry!(KMeans, seed; n_clusters, n_runs, max_iterations, tolerance, max_samples, min_share),
    entry!(Knn; n_neighbors, method, scale),
    entry!(SampledKnn, seed; n_samples, max_samples, n_neighbors, scale),
    entry!(Lof; n_neighbors, scale),
    entry!(Pca; components, scale),
    entry!(Copod; precision, exact_up_to),
    entry!(Mcd, seed; support, n_starts),
    entry!(Cblof, seed; n_clusters, alpha, beta),
    entry!(Loda, seed; n_cuts, alpha),
    entry!(Inne, seed; n_estimators, max_samples, scale),
    entry!(Gmm, seed; n_components, tolerance, max_iterations, ridge, n_samples, max_samples),
    entry!(Kde, seed; bandwidth, max_samples, scale),
    entry!(ExtendedIsolationForest, seed; n_trees, max_samples, n_terms, scale),
    entry!(SciForest, seed; n_trees, max_samples, n_terms, n_planes),
    entry!(HalfSpaceTrees, seed; n_trees, height, window, size_limit),
    entry!(RobustRandomCutForest, seed; n_trees, max_samples, window, scale),
    entry!(OneClassSvm; nu, gamma, tolerance, max_rows, scale),
    entry!(NystroemSvm, seed; nu, gamma, n_landmarks, max_samples, scale),
    entry!(Esd; alpha, max_share),
    entry!(Cof; n_neighbors, scale),
    entry!(Abod; n_neighbors, scale),
    entry!(Dbscan; eps, min_points, scale),
    entry!(Optics; min_points, scale),
    entry!(Hdbscan; min_points, min_cluster_size, scale),
    entry!(Views; counts_from, rest, trim, rounds),
    entry!(Ensemble, seed; combine, held_out, split_from, trim, max_rows),
];

/// The entry of a name.
fn entry(name: &str) -> Result<&'static Entry, Error> {
    let unknown =
        || Error::UnknownDetector { name: name.to_owned(), known: model_names().collect::<Vec<_>>().join(", ") };
    ENTRIES.iter().find(|entry| entry.name == name).ok_or_else(unknown)
}

/// Names of the models [`load`] knows.
pub fn model_names() -> impl ExactSizeIterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// The detector of that name with its default parameters; `seed` is for those that draw anything by chance.
///
/// # Errors
/// [`Error::UnknownDetector`] names those there are.
///
/// ```
/// let forest = crible_score::detector("isolation_forest", 7)?;
/// assert_eq!(forest.name(), "isolation_forest");
/// # Ok::<(), crible_score::Error>(())
/// ```
pub fn detector(name: &str, seed: u64) -> Result<Box<dyn Detector>, Error> {
    DetectorSpec::new(name)?.build(seed)
}

/// The model a snapshot holds, by its name.
///
/// # Errors
/// [`SnapshotError`] when the name is unknown, the version is another, or the body is not what a fit
/// produces.
pub fn load(snapshot: &Snapshot) -> Result<Box<dyn Model>, Error> {
    match ENTRIES.iter().find(|entry| entry.name == snapshot.model()) {
        Some(entry) => (entry.load)(snapshot),
        None => Err(SnapshotError::UnknownModel(snapshot.model().to_owned()).into()),
    }
}
