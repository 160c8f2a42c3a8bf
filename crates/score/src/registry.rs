//! Detectors by name: from a name to a detector, from a snapshot to the model it holds.

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

/// What the crate knows of a detector by its name.
struct Entry {
    name: &'static str,
    load: fn(&Snapshot) -> Result<Box<dyn Model>, Error>,
    /// The detector with its default parameters and a seed, where it draws anything by chance.
    make: fn(u64) -> Result<Box<dyn Detector>, Error>,
}

macro_rules! entry {
    ($model:ident) => {
        entry!(@ $model, |_| Ok(Box::new($model::params().check()?)))
    };
    ($model:ident, seed) => {
        entry!(@ $model, |seed| Ok(Box::new($model::params().seed(seed).check()?)))
    };
    (@ $model:ident, $make:expr) => {
        Entry { name: $model::NAME, load: |s| Ok(Box::new($model::from_snapshot(s)?)), make: $make }
    };
}

/// A new detector is one line here.
const ENTRIES: &[Entry] = &[
    entry!(RobustZ),
    Entry {
        name: RobustZ::DISTANCE,
        load: |s| Ok(Box::new(RobustZ::from_snapshot(s)?)),
        make: |_| Ok(Box::new(RobustZ::params().aggregate(Aggregate::MeanSquare).check()?)),
    },
    entry!(Ecod),
    entry!(Hbos),
    entry!(IsolationForest, seed),
    entry!(KMeans, seed),
    entry!(Knn),
    entry!(SampledKnn, seed),
    entry!(Lof),
    entry!(Pca),
    entry!(Copod),
    entry!(Mcd, seed),
    entry!(Cblof, seed),
    entry!(Loda, seed),
    entry!(Inne, seed),
    entry!(Gmm, seed),
    entry!(Kde, seed),
    entry!(ExtendedIsolationForest, seed),
    entry!(SciForest, seed),
    entry!(HalfSpaceTrees, seed),
    entry!(RobustRandomCutForest, seed),
    entry!(OneClassSvm),
    entry!(NystroemSvm, seed),
    entry!(Esd),
    entry!(Cof),
    entry!(Abod),
    entry!(Dbscan),
    entry!(Optics),
    entry!(Hdbscan),
    entry!(Views),
    entry!(Ensemble, seed),
];

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
    match ENTRIES.iter().find(|entry| entry.name == name) {
        Some(entry) => (entry.make)(seed),
        None => {
            Err(Error::UnknownDetector { name: name.to_owned(), known: model_names().collect::<Vec<_>>().join(", ") })
        }
    }
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
