//! From a snapshot to the model it holds.

use crate::ecod::Ecod;
use crate::ensemble::Ensemble;
use crate::error::SnapshotError;
use crate::hbos::Hbos;
use crate::isolation_forest::IsolationForest;
use crate::kmeans::KMeans;
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
