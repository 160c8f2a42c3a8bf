//! Agreement of what works on neighbourhoods with scikit-learn, hdbscan and PyOD; `fixtures/README.md` describes what
//! is asserted.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::abod::Abod;
use crible_score::cof::Cof;
use crible_score::dbscan::Dbscan;
use crible_score::hdbscan::Hdbscan;
use crible_score::optics::Optics;
use crible_score::{ColumnScale, Detector, ParamGuard, score};
use ndarray::Array2;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("fixtures/clusters.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// −1 is none.
fn labels(value: &Value) -> Vec<Option<usize>> {
    numbers(value).iter().map(|&x| (x >= 0.0).then_some(x as usize)).collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn rows(golden: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = golden["rows"].as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn check(found: &[f64], expect: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expect.len());
    for (i, (found, expect)) in found.iter().zip(expect).enumerate() {
        let off = (found - expect).abs();
        assert!(off <= tolerance * expect.abs().max(1.0), "row {i}: {found}, expected {expect}");
    }
}

fn scores(detector: &dyn Detector, rows: &Array2<f64>) -> Vec<f64> {
    let model = detector.fit(rows.view()).unwrap();
    score(model.as_ref(), rows.view()).unwrap().to_vec()
}

#[test]
fn dbscan() {
    let golden = golden();
    let rows = rows(&golden);
    for expect in golden["dbscan"].as_array().unwrap() {
        let detector = Dbscan::params()
            .eps(expect["eps"].as_f64().unwrap())
            .min_points(number(&expect["min_samples"]))
            .scale(ColumnScale::Raw);
        let model = detector.check().unwrap().fit_rows(rows.view()).unwrap();
        let noise: Vec<bool> = labels(&expect["labels"]).iter().map(Option::is_none).collect();
        assert_eq!(model.labels().collect::<Vec<_>>(), labels(&expect["labels"]));
        assert_eq!(model.n_cores(), expect["cores"].as_array().unwrap().len());
        let scores = score(&model, rows.view()).unwrap();
        assert_eq!(scores.iter().map(|s| *s > 1.0).collect::<Vec<_>>(), noise);
    }
}

#[test]
fn optics() {
    let golden = golden();
    let rows = rows(&golden);
    for expect in golden["optics"].as_array().unwrap() {
        let detector = Optics::params().min_points(number(&expect["min_samples"])).scale(ColumnScale::Raw);
        let model = detector.check().unwrap().fit_rows(rows.view()).unwrap();
        let plot = model.plot();
        let ordering: Vec<f64> = plot.iter().map(|r| r.row as f64).collect();
        assert_eq!(ordering, numbers(&expect["ordering"]));
        let (mut reachability, mut predecessor) = (vec![-1.0; plot.len()], vec![None; plot.len()]);
        for reached in &plot {
            if let Some((from, distance)) = reached.from {
                (predecessor[reached.row], reachability[reached.row]) = (Some(from), distance);
            }
        }
        check(&reachability, &numbers(&expect["reachability"]), 1e-9);
        assert_eq!(predecessor, labels(&expect["predecessor"]));
        // From any row, not only from those before it.
        let scores = score(&model, rows.view()).unwrap();
        assert!(scores.iter().zip(&reachability).all(|(s, r)| *s <= r * (1.0 + 1e-12) || *r < 0.0));
    }
}

/// Equal but for the numbers of the clusters, and for these rows.
fn check_partition(found: &[Option<usize>], expect: &[Option<usize>], except: &[usize]) {
    let mut number_of = std::collections::BTreeMap::new();
    for (i, (found, expect)) in found.iter().zip(expect).enumerate().filter(|(i, _)| !except.contains(i)) {
        let other = number_of.entry(found).or_insert(expect);
        assert_eq!((*other, found.is_none()), (expect, expect.is_none()), "row {i}");
    }
    let numbers: std::collections::BTreeSet<_> = number_of.values().collect();
    assert_eq!(numbers.len(), number_of.len(), "two clusters are one there");
}

#[test]
fn hdbscan() {
    let golden = golden();
    let rows = rows(&golden);
    for expect in golden["hdbscan"].as_array().unwrap() {
        let detector = Hdbscan::params()
            .min_points(number(&expect["min_samples"]))
            .min_cluster_size(number(&expect["min_cluster_size"]))
            .scale(ColumnScale::Raw);
        let model = detector.check().unwrap().fit_rows(rows.view()).unwrap();
        let tied: Vec<usize> = expect["tied"].as_array().unwrap().iter().map(number).collect();
        assert!(tied.len() <= 3, "{tied:?}");
        check_partition(&model.labels().collect::<Vec<_>>(), &labels(&expect["labels"]), &tied);
        let mut glosh = numbers(&expect["glosh"]);
        let scores = score(&model, rows.view()).unwrap();
        tied.iter().for_each(|&i| glosh[i] = scores[i]);
        check(scores.as_slice().unwrap(), &glosh, 1e-9);
    }
}

/// The answer for a new row is that of the tree with that row among the others, wherever it changes no other row's
/// core distance: far from all but one.
#[test]
fn glosh_of_a_new_row_is_that_of_the_tree_with_it() {
    let rows = rows(&golden());
    let detector = Hdbscan::params().min_points(2).min_cluster_size(10).scale(ColumnScale::Raw).check().unwrap();
    let model = detector.fit_rows(rows.view()).unwrap();
    for stranger in [[20.0, 20.0, 0.0], [-30.0, 5.0, 5.0], [0.0, 0.0, 40.0]] {
        let new = Array2::from_shape_vec((1, 3), stranger.to_vec()).unwrap();
        let found = score(&model, new.view()).unwrap()[0];
        let with = ndarray::concatenate(ndarray::Axis(0), &[rows.view(), new.view()]).unwrap();
        let expect = score(&detector.fit_rows(with.view()).unwrap(), new.view()).unwrap()[0];
        assert!((found - expect).abs() <= 1e-12, "{stranger:?}: {found}, expected {expect}");
    }
}

#[test]
fn cof() {
    let golden = golden();
    let rows = rows(&golden);
    let raw = || Cof::params().scale(ColumnScale::Raw);
    check(&scores(&raw().check().unwrap(), &rows), &numbers(&golden["cof"]), 1e-7);
    check(&scores(&raw().n_neighbors(6).check().unwrap(), &rows), &numbers(&golden["cof_6"]), 1e-7);
}

#[test]
fn abod() {
    let golden = golden();
    let rows = rows(&golden);
    for (n_neighbors, key) in [(4, "abod"), (11, "abod_12")] {
        let detector = Abod::params().n_neighbors(n_neighbors).scale(ColumnScale::Raw).check().unwrap();
        let factors: Vec<f64> = scores(&detector, &rows).iter().map(|s| -s).collect();
        let expect: Vec<f64> = numbers(&golden[key]).iter().map(|x| x.ln()).collect();
        check(&factors, &expect, 1e-8);
    }
}
