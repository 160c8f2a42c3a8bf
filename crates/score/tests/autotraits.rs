//! Every public type can be sent to and shared between threads.

use crible_score::abod::{Abod, AbodConfig};
use crible_score::benford::{Benford, Conformity, Digits};
use crible_score::calibration::{Conformal, HeldOut, ScoreTail, Selection};
use crible_score::cblof::{Cblof, CblofConfig};
use crible_score::cof::{Cof, CofConfig};
use crible_score::copod::{Copod, CopodConfig};
use crible_score::dbscan::{Dbscan, DbscanConfig};
use crible_score::ecod::{Ecod, EcodConfig};
use crible_score::encode::{Column, Encoded, Encoder, Table};
use crible_score::ensemble::{Combine, Ensemble, EnsembleConfig, FitOn, Skipped, View};
use crible_score::error::SnapshotError;
use crible_score::esd::{Esd, EsdConfig, EsdTest};
use crible_score::extended_isolation_forest::{ExtendedIsolationForest, ExtendedIsolationForestConfig};
use crible_score::gmm::{Gmm, GmmConfig};
use crible_score::half_space_trees::{HalfSpaceTrees, HalfSpaceTreesConfig};
use crible_score::hbos::{Bins, Hbos, HbosConfig};
use crible_score::hdbscan::{Hdbscan, HdbscanConfig};
use crible_score::inne::{Inne, InneConfig};
use crible_score::isolation_forest::{IsolationForest, IsolationForestConfig};
use crible_score::kde::{Kde, KdeConfig};
use crible_score::kmeans::{KMeans, KMeansConfig};
use crible_score::knn::{Knn, KnnConfig, Method};
use crible_score::loda::{Loda, LodaConfig};
use crible_score::lof::{Lof, LofConfig};
use crible_score::mcd::{Mcd, McdConfig};
use crible_score::nystroem_svm::{NystroemSvm, NystroemSvmConfig};
use crible_score::one_class_svm::{OneClassSvm, OneClassSvmConfig};
use crible_score::optics::{Optics, OpticsConfig, Reached};
use crible_score::pca::{Components, Pca, PcaConfig};
use crible_score::robust_random_cut_forest::{RobustRandomCutForest, RobustRandomCutForestConfig};
use crible_score::robust_z::{Aggregate, RobustZ, RobustZConfig};
use crible_score::sampled_knn::{SampledKnn, SampledKnnConfig};
use crible_score::sciforest::{SciForest, SciForestConfig};
use crible_score::{Checked, ColumnScale, Detector, Error, Model, Params, Snapshot};

fn check<T: Send + Sync + Unpin + std::fmt::Debug>() {}

#[test]
fn public_types_are_send_and_sync() {
    check::<Error>();
    check::<SnapshotError>();
    check::<Snapshot>();
    check::<Box<dyn Detector>>();
    check::<Box<dyn Model>>();
    check::<ScoreTail>();
    check::<(Aggregate, Bins, Combine, FitOn, Method, ColumnScale, Skipped, View)>();
    check::<(SampledKnn, Params<SampledKnnConfig>, Checked<SampledKnnConfig>)>();
    check::<(RobustZ, Ecod, Hbos, IsolationForest, KMeans, Ensemble)>();
    check::<(Params<RobustZConfig>, Checked<RobustZConfig>)>();
    check::<(Params<EcodConfig>, Checked<EcodConfig>)>();
    check::<(Params<HbosConfig>, Checked<HbosConfig>)>();
    check::<(Params<IsolationForestConfig>, Checked<IsolationForestConfig>)>();
    check::<(Params<KMeansConfig>, Checked<KMeansConfig>)>();
    check::<(Knn, Params<KnnConfig>, Checked<KnnConfig>)>();
    check::<(Lof, Params<LofConfig>, Checked<LofConfig>)>();
    check::<(Pca, Components, Params<PcaConfig>, Checked<PcaConfig>)>();
    check::<(Copod, Params<CopodConfig>, Checked<CopodConfig>)>();
    check::<(Mcd, Params<McdConfig>, Checked<McdConfig>)>();
    check::<(Cblof, Params<CblofConfig>, Checked<CblofConfig>)>();
    check::<(Loda, Params<LodaConfig>, Checked<LodaConfig>)>();
    check::<(Inne, Params<InneConfig>, Checked<InneConfig>)>();
    check::<(Gmm, Params<GmmConfig>, Checked<GmmConfig>)>();
    check::<(Kde, Params<KdeConfig>, Checked<KdeConfig>)>();
    check::<(Benford, Conformity, Digits, Conformal, HeldOut, Selection, EsdTest)>();
    check::<(Column, Encoded, Encoder, Table)>();
    check::<(ExtendedIsolationForest, Params<ExtendedIsolationForestConfig>, Checked<ExtendedIsolationForestConfig>)>();
    check::<(SciForest, Params<SciForestConfig>, Checked<SciForestConfig>)>();
    check::<(HalfSpaceTrees, Params<HalfSpaceTreesConfig>, Checked<HalfSpaceTreesConfig>)>();
    check::<(RobustRandomCutForest, Params<RobustRandomCutForestConfig>, Checked<RobustRandomCutForestConfig>)>();
    check::<(OneClassSvm, Params<OneClassSvmConfig>, Checked<OneClassSvmConfig>)>();
    check::<(NystroemSvm, Params<NystroemSvmConfig>, Checked<NystroemSvmConfig>)>();
    check::<(Esd, Params<EsdConfig>, Checked<EsdConfig>)>();
    check::<(Cof, Params<CofConfig>, Checked<CofConfig>)>();
    check::<(Abod, Params<AbodConfig>, Checked<AbodConfig>)>();
    check::<(Dbscan, Params<DbscanConfig>, Checked<DbscanConfig>)>();
    check::<(Optics, Params<OpticsConfig>, Checked<OpticsConfig>, Reached)>();
    check::<(Hdbscan, Params<HdbscanConfig>, Checked<HdbscanConfig>)>();
    check::<(Params<EnsembleConfig>, Checked<EnsembleConfig>)>();
}
