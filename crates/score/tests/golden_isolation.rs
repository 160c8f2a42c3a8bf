//! Agreement of isolation, streaming, one-class and statistical detectors with other implementations;
//! `fixtures/README.md` describes what is asserted.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::benford::{Benford, Digits};
use crible_score::calibration::q_values;
use crible_score::esd::{self, Esd};
use crible_score::extended_isolation_forest::ExtendedIsolationForest;
use crible_score::half_space_trees::HalfSpaceTrees;
use crible_score::nystroem_svm::NystroemSvm;
use crible_score::one_class_svm::OneClassSvm;
use crible_score::robust_random_cut_forest::RobustRandomCutForest;
use crible_score::sciforest::SciForest;
use crible_score::{Detector, Error, score};
use linfa::ParamGuard;
use ndarray::{Array2, Axis, Slice};
use serde_json::Value;

struct Golden {
    rows: Array2<f64>,
    labels: Vec<bool>,
    values: Value,
}

fn golden() -> Golden {
    let rows: Value = serde_json::from_str(include_str!("fixtures/golden.json")).unwrap();
    let values = serde_json::from_str(include_str!("fixtures/golden_isolation.json")).unwrap();
    Golden { rows: matrix(&rows["rows"]), labels: flags(&rows["labels"]), values }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn flags(value: &Value) -> Vec<bool> {
    numbers(value).iter().map(|x| *x == 1.0).collect()
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

fn check_within(tolerance: f64, found: &[f64], expect: &[f64]) {
    assert_eq!(found.len(), expect.len());
    for (i, (found, expect)) in found.iter().zip(expect).enumerate() {
        let off = (found - expect).abs();
        assert!(off <= tolerance * expect.abs().max(1.0), "row {i}: {found}, expected {expect}");
    }
}

/// Our means over ten seeds rank rows as theirs do, and find as much.
fn check_seeded(make: impl Fn(u64) -> Result<Box<dyn Detector>, Error>, key: &str, least_rho: f64, within: f64) {
    let golden = golden();
    let found: Vec<Vec<f64>> = (0..10).map(|seed| scores(make(seed).unwrap().as_ref(), &golden.rows)).collect();
    let mean: Vec<f64> = (0..golden.rows.nrows()).map(|i| found.iter().map(|s| s[i]).sum::<f64>() / 10.0).collect();
    let theirs = &golden.values[key];
    let rho = correlation(&ranks(&mean), &ranks(&numbers(&theirs["mean_scores"])));
    let auc = found.iter().map(|s| area(s, &golden.labels)).sum::<f64>() / 10.0;
    let expect = theirs["auc"].as_f64().unwrap();
    assert!(rho >= least_rho && auc >= expect - within, "{key}: rank correlation {rho}, AUC {auc}, theirs {expect}");
}

#[test]
fn extended_isolation_forest() {
    let make = |seed| Ok(Box::new(ExtendedIsolationForest::params().seed(seed).check()?) as _);
    check_seeded(make, "extended_isolation_forest", 0.93, 0.01);
}

#[test]
fn sciforest() {
    let make = |seed| Ok(Box::new(SciForest::params().seed(seed).check()?) as _);
    check_seeded(make, "sciforest", 0.9, 0.02);
}

/// All rows in each tree: what we expect of a row is what it has in the tree.
#[test]
fn robust_random_cut_forest() {
    let golden = golden();
    let detector = RobustRandomCutForest::params().n_trees(1_000).max_samples(300).check().unwrap();
    let found = scores(&detector, &golden.rows);
    let expect = numbers(&golden.values["robust_random_cut_forest"]);
    // Means over 400 of their trees and 1,000 of ours, of numbers that scatter by as much as they are.
    for (i, (found, expect)) in found.iter().zip(&expect).enumerate() {
        assert!((found / expect).ln().abs() < 0.35, "row {i}: {found}, expected {expect}");
    }
    let level = found.iter().sum::<f64>() / expect.iter().sum::<f64>();
    assert!((level - 1.0).abs() < 0.02, "{level} times theirs");
    let rho = correlation(&ranks(&found), &ranks(&expect));
    assert!(rho > 0.99, "rank correlation {rho}");
}

/// On a stream whose level moves: a row is scored, then learned.
#[test]
fn half_space_trees() {
    let golden = golden();
    let rows = matrix(&golden.values["stream"]);
    let strange = &flags(&golden.values["strange"])[300..];
    let mut first = rows.view();
    first.slice_axis_inplace(Axis(0), Slice::from(..300));
    let run = |seed: u64| -> Vec<f64> {
        let params = HalfSpaceTrees::params().n_trees(25).height(8).window(150).seed(seed);
        let mut model = params.check().unwrap().fit_rows(first).unwrap();
        let one = |row: ndarray::ArrayView1<'_, f64>| {
            let found = score(&model, row.insert_axis(Axis(0))).unwrap()[0];
            model.learn(row).unwrap();
            found
        };
        rows.outer_iter().skip(300).map(one).collect()
    };
    let found: Vec<Vec<f64>> = (0..10).map(run).collect();
    let mean: Vec<f64> = (0..strange.len()).map(|i| found.iter().map(|s| s[i]).sum::<f64>() / 10.0).collect();
    let theirs = &golden.values["half_space_trees"];
    let rho = correlation(&ranks(&mean), &ranks(&numbers(&theirs["mean_scores"])));
    let auc = found.iter().map(|s| area(s, strange)).sum::<f64>() / 10.0;
    let expect = theirs["auc"].as_f64().unwrap();
    assert!(rho > 0.85 && auc >= expect - 0.02, "rank correlation {rho}, AUC {auc}, theirs {expect}");
}

#[test]
fn one_class_svm() {
    let golden = golden();
    let exact = OneClassSvm::params().tolerance(1e-9).check().unwrap();
    check_within(1e-6, &scores(&exact, &golden.rows), &numbers(&golden.values["one_class_svm"]));
    let tight = OneClassSvm::params().nu(0.1).gamma(0.05).tolerance(1e-9).check().unwrap();
    check_within(1e-6, &scores(&tight, &golden.rows), &numbers(&golden.values["one_class_svm_tight"]));
}

/// All rows as landmarks: the same machine but for the ridge. Half as many: nearly.
#[test]
fn nystroem_svm() {
    let golden = golden();
    let expect: Vec<f64> = numbers(&golden.values["one_class_svm"]).iter().map(|x| x / 150.0).collect();
    let spread = expect.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (n_landmarks, within, least_rho) in [(300, 0.02, 0.999), (100, 0.05, 0.99)] {
        let detector = NystroemSvm::params().n_landmarks(n_landmarks).check().unwrap();
        let found = scores(&detector, &golden.rows);
        let rho = correlation(&ranks(&found), &ranks(&expect));
        let off = found.iter().zip(&expect).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(
            rho >= least_rho && off <= within * spread,
            "{n_landmarks}: correlation {rho}, off by {off} of {spread}"
        );
    }
}

#[test]
fn esd() {
    let golden = golden();
    for (column, expect) in golden.rows.columns().into_iter().zip(golden.values["esd"].as_array().unwrap()) {
        let found = esd::test(&column.to_vec(), 30, 0.05).unwrap();
        check_within(1e-9, &found.statistics, &numbers(&expect["statistics"]));
        check_within(1e-9, &found.critical_values, &numbers(&expect["critical_values"]));
        assert_eq!(found.n_outliers as u64, expect["n_outliers"].as_u64().unwrap());
    }
    for (n, expect) in golden.values["critical_values"].as_object().unwrap() {
        check_within(1e-9, &esd::critical_values(n.parse().unwrap(), 20, 0.05), &numbers(expect));
    }
    let detector = Esd::params().check().unwrap();
    let expect = numbers(&golden.values["esd_scores"]);
    for (i, (found, expect)) in scores(&detector, &golden.rows).iter().zip(&expect).enumerate() {
        assert!((found - expect).abs() <= 1e-3, "row {i}: {found}, expected {expect}");
    }
}

#[test]
fn benford() {
    let golden = golden();
    let amounts = numbers(&golden.values["amounts"]);
    for (digits, expect) in
        [Digits::First, Digits::FirstTwo].into_iter().zip(golden.values["benford"].as_array().unwrap())
    {
        let found = Benford::of(&amounts, digits).unwrap();
        let found = [found.mean_absolute_deviation(), found.chi_square(), found.chi_square_p()];
        let expect = ["mean_absolute_deviation", "chi_square", "p"].map(|key| expect[key].as_f64().unwrap());
        check_within(1e-9, &found, &expect);
    }
}

#[test]
fn adjusted_p_values() {
    let golden = golden();
    let found = q_values(&numbers(&golden.values["p_values"])).unwrap();
    check_within(1e-12, &found, &numbers(&golden.values["q_values"]));
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
