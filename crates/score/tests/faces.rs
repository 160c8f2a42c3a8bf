//! Parameters and their ranges, and linfa's face of every detector.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::cblof::Cblof;
use crible_score::copod::Copod;
use crible_score::ecod::Ecod;
use crible_score::ensemble::Ensemble;
use crible_score::esd::Esd;
use crible_score::extended_isolation_forest::ExtendedIsolationForest;
use crible_score::gmm::Gmm;
use crible_score::half_space_trees::HalfSpaceTrees;
use crible_score::hbos::{Bins, Hbos};
use crible_score::inne::Inne;
use crible_score::isolation_forest::IsolationForest;
use crible_score::kde::Kde;
use crible_score::kmeans::KMeans;
use crible_score::knn::Knn;
use crible_score::loda::Loda;
use crible_score::lof::Lof;
use crible_score::mcd::Mcd;
use crible_score::nystroem_svm::NystroemSvm;
use crible_score::one_class_svm::OneClassSvm;
use crible_score::pca::{Components, Pca};
use crible_score::robust_random_cut_forest::RobustRandomCutForest;
use crible_score::robust_z::RobustZ;
use crible_score::sciforest::SciForest;
use crible_score::{Error, Model, score};
use linfa::traits::{Fit, Predict};
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2};

fn refused(params: impl ParamGuard<Error = Error>, expect: &str) {
    match params.check_ref() {
        Err(Error::Parameter { name, .. }) => assert_eq!(name, expect),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{expect} was accepted"),
    }
    assert!(params.check().is_err());
}

#[test]
fn parameters_out_of_range() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 1.0, -0.1] {
        refused(Ecod::params().precision(bad), "precision");
        refused(Hbos::params().alpha(bad), "alpha");
        refused(Hbos::params().tol(bad), "tol");
        let member = Box::new(RobustZ::params().check().unwrap());
        refused(Ensemble::params().member(member).held_out(bad), "held_out");
    }
    for bad in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        refused(KMeans::params().tolerance(bad), "tolerance");
    }
    refused(Hbos::params().bins(Bins::Fixed(1)), "bins");
    refused(Hbos::params().bins(Bins::Fixed(65_537)), "bins");
    refused(IsolationForest::params().n_trees(0), "n_trees");
    refused(IsolationForest::params().max_samples(1), "max_samples");
    refused(IsolationForest::params().max_samples(65_537), "max_samples");
    refused(KMeans::params().n_clusters(0), "n_clusters");
    refused(KMeans::params().n_runs(0), "n_runs");
    refused(KMeans::params().max_iterations(0), "max_iterations");
    refused(KMeans::params().max_samples(0), "max_samples");
    refused(Knn::params().n_neighbors(0), "n_neighbors");
    refused(Knn::params().n_neighbors(65_537), "n_neighbors");
    refused(Lof::params().n_neighbors(0), "n_neighbors");
    refused(Lof::params().n_neighbors(65_537), "n_neighbors");
    for bad in [f64::NAN, 0.0, 1.0] {
        refused(Pca::params().components(Components::Residual { share: bad }), "components");
    }
    let minor = Components::MajorAndMinor { share: 0.5, below: f64::NAN };
    refused(Pca::params().components(minor), "components");
    refused(Copod::params().precision(f64::NAN), "precision");
    for bad in [f64::NAN, 0.4, 1.1] {
        refused(Mcd::params().support(bad), "support");
    }
    refused(Mcd::params().n_starts(0), "n_starts");
    for bad in [f64::NAN, 0.0, 1.0] {
        refused(Cblof::params().alpha(bad), "alpha");
        refused(Cblof::params().beta(bad), "beta");
    }
    refused(Cblof::params().n_clusters(0), "n_clusters");
    for bad in [f64::NAN, 0.0, 1.0] {
        refused(Loda::params().alpha(bad), "alpha");
    }
    refused(Loda::params().n_cuts(0), "n_cuts");
    refused(Inne::params().n_estimators(0), "n_estimators");
    refused(Inne::params().max_samples(1), "max_samples");
    for bad in [f64::NAN, 0.0] {
        refused(Gmm::params().tolerance(bad), "tolerance");
        refused(Gmm::params().ridge(bad), "ridge");
    }
    refused(Gmm::params().n_components(0), "n_components");
    refused(Gmm::params().max_iterations(0), "max_iterations");
    for bad in [f64::NAN, 0.0, 1e7] {
        refused(Kde::params().bandwidth(bad), "bandwidth");
    }
    refused(Kde::params().max_samples(0), "max_samples");
    for bad in [f64::NAN, 0.0, 1.0] {
        refused(HalfSpaceTrees::params().size_limit(bad), "size_limit");
        refused(OneClassSvm::params().nu(bad), "nu");
        refused(OneClassSvm::params().tolerance(bad), "tolerance");
        refused(NystroemSvm::params().nu(bad), "nu");
        refused(Esd::params().alpha(bad), "alpha");
        refused(Esd::params().max_share(bad), "max_share");
    }
    for bad in [f64::NAN, 0.0, 1e7] {
        refused(OneClassSvm::params().gamma(bad), "gamma");
        refused(NystroemSvm::params().gamma(bad), "gamma");
    }
    refused(Esd::params().max_share(0.5), "max_share");
    refused(OneClassSvm::params().max_rows(0), "max_rows");
    refused(NystroemSvm::params().n_landmarks(0), "n_landmarks");
    refused(NystroemSvm::params().max_samples(0), "max_samples");
    refused(ExtendedIsolationForest::params().n_trees(0), "n_trees");
    refused(ExtendedIsolationForest::params().max_samples(1), "max_samples");
    refused(ExtendedIsolationForest::params().n_terms(0), "n_terms");
    refused(SciForest::params().n_trees(0), "n_trees");
    refused(SciForest::params().max_samples(65_537), "max_samples");
    refused(SciForest::params().n_terms(0), "n_terms");
    refused(SciForest::params().n_planes(0), "n_planes");
    refused(HalfSpaceTrees::params().n_trees(0), "n_trees");
    refused(HalfSpaceTrees::params().height(21), "height");
    refused(HalfSpaceTrees::params().window(0), "window");
    refused(RobustRandomCutForest::params().n_trees(0), "n_trees");
    refused(RobustRandomCutForest::params().max_samples(1), "max_samples");
    refused(RobustRandomCutForest::params().window(0), "window");
    let member = Box::new(RobustZ::params().check().unwrap());
    refused(Ensemble::params().member(member).split_from(1), "split_from");
    let error = Hbos::params().alpha(f64::NAN).check().unwrap_err();
    insta::assert_snapshot!(error, @"hbos: parameter `alpha` is NaN, expected 0 < x < 1");
}

/// `params().fit(&dataset)` and `predict` are the same numbers as our own face.
#[test]
fn linfa() {
    fn check<M>(model: &M, rows: &Array2<f64>)
    where
        M: Model + for<'a> Predict<&'a Array2<f64>, Array1<f64>>,
    {
        let predicted: Array1<f64> = model.predict(rows);
        assert_eq!(predicted, score(model, rows.view()).unwrap());
    }
    let rows = Array2::from_shape_fn((300, 3), |(i, j)| ((i * (5 + j)) % 47) as f64);
    let dataset = DatasetBase::from(rows.clone());
    check(&RobustZ::params().fit(&dataset).unwrap(), &rows);
    check(&Ecod::params().fit(&dataset).unwrap(), &rows);
    check(&Hbos::params().fit(&dataset).unwrap(), &rows);
    check(&IsolationForest::params().n_trees(10).fit(&dataset).unwrap(), &rows);
    check(&KMeans::params().n_clusters(2).fit(&dataset).unwrap(), &rows);
    check(&Knn::params().fit(&dataset).unwrap(), &rows);
    check(&Lof::params().fit(&dataset).unwrap(), &rows);
    check(&Pca::params().fit(&dataset).unwrap(), &rows);
    check(&Copod::params().fit(&dataset).unwrap(), &rows);
    check(&Mcd::params().fit(&dataset).unwrap(), &rows);
    check(&Cblof::params().fit(&dataset).unwrap(), &rows);
    check(&Loda::params().fit(&dataset).unwrap(), &rows);
    check(&Inne::params().fit(&dataset).unwrap(), &rows);
    check(&Gmm::params().fit(&dataset).unwrap(), &rows);
    check(&Kde::params().fit(&dataset).unwrap(), &rows);
    check(&ExtendedIsolationForest::params().n_trees(10).fit(&dataset).unwrap(), &rows);
    check(&SciForest::params().n_trees(10).fit(&dataset).unwrap(), &rows);
    check(&HalfSpaceTrees::params().fit(&dataset).unwrap(), &rows);
    check(&RobustRandomCutForest::params().n_trees(10).fit(&dataset).unwrap(), &rows);
    check(&OneClassSvm::params().fit(&dataset).unwrap(), &rows);
    check(&NystroemSvm::params().n_landmarks(50).fit(&dataset).unwrap(), &rows);
    check(&Esd::params().fit(&dataset).unwrap(), &rows);
    let member = Box::new(Ecod::params().check().unwrap());
    check(&Ensemble::params().member(member).fit(&dataset).unwrap(), &rows);
    // A parameter out of range is found by linfa's `fit`, too.
    assert!(matches!(KMeans::params().n_clusters(0).fit(&dataset), Err(Error::Parameter { .. })));
}

/// Not with less memory than a person has, but at a stated number of rows, and with the way out.
#[test]
fn one_class_svm_refuses_too_many_rows() {
    let rows = Array2::from_shape_fn((301, 2), |(i, j)| ((i * (5 + j)) % 47) as f64);
    let error = OneClassSvm::params().max_rows(300).check().unwrap().fit_rows(rows.view()).unwrap_err();
    insta::assert_snapshot!(error, @"rows (nystroem_svm takes any number): expected at most 300, got 301");
}

#[test]
fn seeds_matter_and_repeat() {
    let rows = Array2::from_shape_fn((600, 3), |(i, j)| ((i * (5 + j)) % 97) as f64);
    let scores = |seed| {
        let forest = IsolationForest::params().seed(seed).check().unwrap();
        score(&forest.fit_rows(rows.view()).unwrap(), rows.view()).unwrap()
    };
    assert_eq!(scores(1), scores(1));
    assert_ne!(scores(1), scores(2));
}

/// The effects along the paths add up to the mean depth the score is made of.
#[test]
fn path_effects_add_up_to_the_depth() {
    let rows = Array2::from_shape_fn((600, 4), |(i, j)| ((i * (5 + 2 * j)) % 97) as f64);
    let forest = IsolationForest::params().check().unwrap().fit_rows(rows.view()).unwrap();
    let scores = score(&forest, rows.view()).unwrap();
    let normal = 2.0 * (255_f64.ln() + 0.577_215_664_901_532_9) - 2.0 * 255.0 / 256.0;
    let mut effects = [0.0; 4];
    for (row, score) in rows.outer_iter().zip(&scores) {
        let depth = forest.path_effects(row, &mut effects) + effects.iter().sum::<f64>();
        assert!(((-depth / normal).exp2() - score).abs() < 1e-9);
    }
}
