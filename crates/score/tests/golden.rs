//! Agreement with PyOD and scikit-learn on the rows of the fit; `fixtures/README.md` describes what is asserted.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::cblof::Cblof;
use crible_score::copod::Copod;
use crible_score::ecod::Ecod;
use crible_score::gmm::Gmm;
use crible_score::hbos::{Bins, Hbos};
use crible_score::inne::Inne;
use crible_score::isolation_forest::IsolationForest;
use crible_score::kde::Kde;
use crible_score::kmeans::KMeans;
use crible_score::knn::{Knn, Method};
use crible_score::loda::Loda;
use crible_score::lof::Lof;
use crible_score::mcd::Mcd;
use crible_score::pca::{Components, Pca};
use crible_score::robust_z::RobustZ;
use crible_score::{ColumnScale, Detector, score};
use linfa::ParamGuard;
use ndarray::{Array2, Axis};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("fixtures/golden.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn scores(detector: &dyn Detector, rows: &Array2<f64>) -> Vec<f64> {
    let model = detector.fit(rows.view()).unwrap();
    score(model.as_ref(), rows.view()).unwrap().to_vec()
}

fn check(found: &[f64], expect: &[f64]) {
    check_within(1e-9, found, expect);
}

fn check_within(tolerance: f64, found: &[f64], expect: &[f64]) {
    assert_eq!(found.len(), expect.len());
    for (i, (found, expect)) in found.iter().zip(expect).enumerate() {
        let off = (found - expect).abs();
        assert!(off <= tolerance * expect.abs().max(1.0), "row {i}: {found}, expected {expect}");
    }
}

#[test]
fn ecod() {
    let golden = golden();
    let detector = Ecod::params().check().unwrap();
    check(&scores(&detector, &matrix(&golden["rows"])), &numbers(&golden["ecod"]));
}

#[test]
fn hbos() {
    let golden = golden();
    let rows = matrix(&golden["rows"]);
    check(&scores(&Hbos::params().check().unwrap(), &rows), &numbers(&golden["hbos"]));
    let detector = Hbos::params().bins(Bins::Fixed(25)).alpha(0.3).check().unwrap();
    check(&scores(&detector, &rows), &numbers(&golden["hbos_25_bins"]));
}

#[test]
fn robust_z_of_one_column_is_mad() {
    let golden = golden();
    let column = matrix(&golden["rows"]).select(Axis(1), &[0]);
    let expect: Vec<f64> = numbers(&golden["mad"]).iter().map(|x| x / (0.6745 * 1.4826)).collect();
    check(&scores(&RobustZ::params().check().unwrap(), &column), &expect);
}

#[test]
fn kmeans() {
    let golden = golden();
    let detector = KMeans::params().n_clusters(3).check().unwrap();
    check(&scores(&detector, &matrix(&golden["clusters"])), &numbers(&golden["kmeans"]));
}

#[test]
fn knn() {
    let golden = golden();
    let rows = matrix(&golden["rows"]);
    let raw = || Knn::params().scale(ColumnScale::Raw);
    check(&scores(&raw().check().unwrap(), &rows), &numbers(&golden["knn"]));
    let mean = raw().n_neighbors(20).method(Method::Mean).check().unwrap();
    check(&scores(&mean, &rows), &numbers(&golden["knn_mean_of_20"]));
    let median = raw().n_neighbors(8).method(Method::Median).check().unwrap();
    check(&scores(&median, &rows), &numbers(&golden["knn_median_of_8"]));
}

#[test]
fn lof() {
    let golden = golden();
    let raw = || Lof::params().scale(ColumnScale::Raw);
    // They add 1e-10 in the columns' units, we in the largest value's.
    check_within(1e-7, &scores(&raw().check().unwrap(), &matrix(&golden["rows"])), &numbers(&golden["lof"]));
    let seven = raw().n_neighbors(7).check().unwrap();
    check_within(1e-7, &scores(&seven, &matrix(&golden["clusters"])), &numbers(&golden["lof_7"]));
}

#[test]
fn pca() {
    let golden = golden();
    let rows = matrix(&golden["rows"]);
    let theirs = &golden["pca"];
    let model = Pca::params().check().unwrap().fit_rows(rows.view()).unwrap();
    check(model.eigenvalues(), &numbers(&theirs["eigenvalues"]));
    check(&scores(&Pca::params().check().unwrap(), &rows), &numbers(&theirs["all"]));
    let both = Components::MajorAndMinor { share: 0.5, below: 0.2 };
    let detector = Pca::params().components(both).check().unwrap();
    check(&scores(&detector, &rows), &numbers(&theirs["major_and_minor"]));
}

#[test]
fn copod() {
    let golden = golden();
    let detector = Copod::params().check().unwrap();
    check(&scores(&detector, &matrix(&golden["rows"])), &numbers(&golden["copod"]));
}

/// Both searches end at the same half; which rows at its edge are counted in again differs by a few.
#[test]
fn mcd() {
    let golden = golden();
    let found = scores(&Mcd::params().check().unwrap(), &matrix(&golden["elliptic"]));
    let expect = numbers(&golden["mcd"]);
    check_within(0.15, &found, &expect);
    assert!(correlation(&ranks(&found), &ranks(&expect)) > 0.99);
}

#[test]
fn cblof() {
    let golden = golden();
    let detector = Cblof::params().n_clusters(3).check().unwrap();
    check(&scores(&detector, &matrix(&golden["unequal"])), &numbers(&golden["cblof"]));
}

/// Mean scores over ten seeds, and the mean AUC.
fn seeded(make: impl Fn(u64) -> Box<dyn Detector>, rows: &Array2<f64>, labels: &[bool]) -> (Vec<f64>, f64) {
    let found: Vec<Vec<f64>> = (0..10).map(|seed| scores(make(seed).as_ref(), rows)).collect();
    let mean = (0..rows.nrows()).map(|i| found.iter().map(|s| s[i]).sum::<f64>() / 10.0).collect();
    (mean, found.iter().map(|s| area(s, labels)).sum::<f64>() / 10.0)
}

#[test]
fn loda() {
    let golden = golden();
    let labels: Vec<bool> = numbers(&golden["labels"]).iter().map(|x| *x == 1.0).collect();
    let (_, auc) = seeded(|s| Box::new(Loda::params().seed(s).check().unwrap()), &matrix(&golden["rows"]), &labels);
    let expect = golden["loda"]["auc"].as_f64().unwrap();
    assert!(auc >= expect - 0.01, "AUC {auc}, PyOD's {expect}");
}

#[test]
fn inne() {
    let golden = golden();
    let labels: Vec<bool> = numbers(&golden["labels"]).iter().map(|x| *x == 1.0).collect();
    let (mean, auc) = seeded(|s| Box::new(Inne::params().seed(s).check().unwrap()), &matrix(&golden["rows"]), &labels);
    let theirs = &golden["inne"];
    let rho = correlation(&ranks(&mean), &ranks(&numbers(&theirs["mean_scores"])));
    assert!(rho >= 0.98, "rank correlation {rho}");
    let expect = theirs["auc"].as_f64().unwrap();
    assert!((auc - expect).abs() <= 0.01, "AUC {auc}, PyOD's {expect}");
}

/// Standardised columns shift all scores by one number; the ridge is added in other units.
#[test]
fn gmm() {
    let golden = golden();
    let one = Gmm::params().n_components(1).check().unwrap();
    check_within(1e-6, &scores(&one, &matrix(&golden["elliptic"])), &numbers(&golden["gmm_one"]));
    let three = Gmm::params().n_components(3).tolerance(1e-9).check().unwrap();
    check_within(1e-6, &scores(&three, &matrix(&golden["clusters"])), &numbers(&golden["gmm_three"]));
}

#[test]
fn kde() {
    let golden = golden();
    let detector = Kde::params().scale(ColumnScale::Raw).check().unwrap();
    check(&scores(&detector, &matrix(&golden["elliptic"])), &numbers(&golden["kde"]));
}

#[test]
fn isolation_forest() {
    let golden = golden();
    let rows = matrix(&golden["rows"]);
    let labels: Vec<bool> = numbers(&golden["labels"]).iter().map(|x| *x == 1.0).collect();
    let seeds = 10;
    let mut mean = vec![0.0; rows.nrows()];
    let mut auc = 0.0;
    for seed in 0..seeds {
        let detector = IsolationForest::params().seed(seed).check().unwrap();
        let scores = scores(&detector, &rows);
        auc += area(&scores, &labels) / seeds as f64;
        mean.iter_mut().zip(&scores).for_each(|(m, s)| *m += s / seeds as f64);
    }
    let theirs = &golden["isolation_forest"];
    let rho = correlation(&ranks(&mean), &ranks(&numbers(&theirs["mean_scores"])));
    assert!(rho >= 0.95, "rank correlation {rho}");
    let expect = theirs["auc"].as_f64().unwrap();
    assert!((auc - expect).abs() <= 0.01, "AUC {auc}, scikit-learn's {expect}");
    let level = mean.iter().sum::<f64>() - numbers(&theirs["mean_scores"]).iter().sum::<f64>();
    assert!((level / mean.len() as f64).abs() <= 0.005, "mean score off by {level} over all rows");
}

/// Middle ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |x: &f64| {
        let below = values.iter().filter(|v| *v < x).count() as f64;
        let equal = values.iter().filter(|v| *v == x).count() as f64;
        below + 0.5 * (equal - 1.0)
    };
    values.iter().map(rank).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let product =
        |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 { x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum() };
    product(a, mean_a, b, mean_b) / (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt()
}

/// Area under the ROC curve, by ranks.
fn area(scores: &[f64], labels: &[bool]) -> f64 {
    let positives = labels.iter().filter(|l| **l).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let sum: f64 = ranks(scores).iter().zip(labels).filter(|(_, l)| **l).map(|(r, _)| r + 1.0).sum();
    (sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}
