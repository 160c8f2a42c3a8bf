//! Every public type can be sent to and shared between threads.

use crible_score::calibration::Tail;
use crible_score::ecod::{Ecod, EcodConfig};
use crible_score::ensemble::{Combine, Ensemble, EnsembleConfig, Skipped};
use crible_score::error::SnapshotError;
use crible_score::hbos::{Bins, Hbos, HbosConfig};
use crible_score::isolation_forest::{IsolationForest, IsolationForestConfig};
use crible_score::kmeans::{KMeans, KMeansConfig};
use crible_score::robust_z::{Aggregate, RobustZ, RobustZConfig};
use crible_score::{Checked, Detector, Error, Model, Params, Snapshot};

fn check<T: Send + Sync + Unpin + std::fmt::Debug>() {}

#[test]
fn public_types_are_send_and_sync() {
    check::<Error>();
    check::<SnapshotError>();
    check::<Snapshot>();
    check::<Box<dyn Detector>>();
    check::<Box<dyn Model>>();
    check::<Tail>();
    check::<(Aggregate, Bins, Combine, Skipped)>();
    check::<(RobustZ, Ecod, Hbos, IsolationForest, KMeans, Ensemble)>();
    check::<(Params<RobustZConfig>, Checked<RobustZConfig>)>();
    check::<(Params<EcodConfig>, Checked<EcodConfig>)>();
    check::<(Params<HbosConfig>, Checked<HbosConfig>)>();
    check::<(Params<IsolationForestConfig>, Checked<IsolationForestConfig>)>();
    check::<(Params<KMeansConfig>, Checked<KMeansConfig>)>();
    check::<(Params<EnsembleConfig>, Checked<EnsembleConfig>)>();
}
