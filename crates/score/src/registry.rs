//! From a snapshot to the model it holds.

use crate::cblof::Cblof;
use crate::copod::Copod;
use crate::ecod::Ecod;
use crate::ensemble::Ensemble;
use crate::error::SnapshotError;
use crate::gmm::Gmm;
use crate::hbos::Hbos;
use crate::inne::Inne;
use crate::isolation_forest::IsolationForest;
use crate::kde::Kde;
use crate::kmeans::KMeans;
use crate::knn::Knn;
use crate::loda::Loda;
use crate::lof::Lof;
use crate::mcd::Mcd;
use crate::pca::Pca;
use crate::robust_z::RobustZ;
use crate::{Error, Model, Snapshot};

type Load = fn(&Snapshot) -> Result<Box<dyn Model>, Error>;

/// A new detector is one line here.
const MODELS: &[(&str, Load)] = &[
    (RobustZ::NAME, |s| Ok(Box::new(RobustZ::from_snapshot(s)?))),
    (Ecod::NAME, |s| Ok(Box::new(Ecod::from_snapshot(s)?))),
    (Hbos::NAME, |s| Ok(Box::new(Hbos::from_snapshot(s)?))),
    (IsolationForest::NAME, |s| Ok(Box::new(IsolationForest::from_snapshot(s)?))),
    (KMeans::NAME, |s| Ok(Box::new(KMeans::from_snapshot(s)?))),
    (Knn::NAME, |s| Ok(Box::new(Knn::from_snapshot(s)?))),
    (Lof::NAME, |s| Ok(Box::new(Lof::from_snapshot(s)?))),
    (Pca::NAME, |s| Ok(Box::new(Pca::from_snapshot(s)?))),
    (Copod::NAME, |s| Ok(Box::new(Copod::from_snapshot(s)?))),
    (Mcd::NAME, |s| Ok(Box::new(Mcd::from_snapshot(s)?))),
    (Cblof::NAME, |s| Ok(Box::new(Cblof::from_snapshot(s)?))),
    (Loda::NAME, |s| Ok(Box::new(Loda::from_snapshot(s)?))),
    (Inne::NAME, |s| Ok(Box::new(Inne::from_snapshot(s)?))),
    (Gmm::NAME, |s| Ok(Box::new(Gmm::from_snapshot(s)?))),
    (Kde::NAME, |s| Ok(Box::new(Kde::from_snapshot(s)?))),
    (Ensemble::NAME, |s| Ok(Box::new(Ensemble::from_snapshot(s)?))),
];

/// Names of the models [`load`] knows.
pub fn model_names() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(name, _)| *name)
}

/// The model a snapshot holds, by its name.
///
/// # Errors
/// [`SnapshotError`] when the name is unknown, the version is another, or the body is not what a fit
/// produces.
pub fn load(snapshot: &Snapshot) -> Result<Box<dyn Model>, Error> {
    match MODELS.iter().find(|(name, _)| *name == snapshot.model()) {
        Some((_, load)) => load(snapshot),
        None => Err(SnapshotError::UnknownModel(snapshot.model().to_owned()).into()),
    }
}
