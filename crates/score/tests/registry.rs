//! Detectors by name and parameters.
#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::hbos::{Bins, Hbos};
use crible_score::isolation_forest::IsolationForest;
use crible_score::robust_z::{Aggregate, RobustZ};
use crible_score::sampled_knn::SampledKnn;
use crible_score::{ColumnScale, Detector, DetectorSpec, ParamGuard, Value, model_names};
use ndarray::Array2;

fn rows() -> Array2<f64> {
    Array2::from_shape_fn((120, 3), |(i, j)| ((i * (7 + j * j)) % 41) as f64)
}

fn bytes(detector: &dyn Detector) -> Vec<u8> {
    detector.fit(rows().view()).unwrap().snapshot().to_bytes()
}

#[test]
fn a_spec_is_what_the_setters_make() {
    let check = |spec: &str, by_hand: Box<dyn Detector>| {
        let spec: DetectorSpec = spec.parse().unwrap();
        assert_eq!(bytes(spec.build(5).unwrap().as_ref()), bytes(by_hand.as_ref()), "{spec}");
    };
    let forest = IsolationForest::params().seed(5);
    check("isolation_forest", Box::new(forest.clone().check().unwrap()));
    check("isolation_forest:n_trees=7:max_samples=32", Box::new(forest.n_trees(7).max_samples(32).check().unwrap()));
    let distance = RobustZ::params().aggregate(Aggregate::MeanSquare);
    check("robust_distance:min_unit=0.43", Box::new(distance.clone().min_unit(0.43).check().unwrap()));
    // A whole number where a number is expected.
    check("robust_distance:min_unit=2", Box::new(distance.min_unit(2.0).check().unwrap()));
    check("hbos:bins=birge_rozenholc", Box::new(Hbos::params().bins(Bins::BirgeRozenholc).check().unwrap()));
    check("hbos:bins=5:alpha=0.2", Box::new(Hbos::params().bins(Bins::Fixed(5)).alpha(0.2).check().unwrap()));
    let nearest = SampledKnn::params().n_neighbors(3).scale(ColumnScale::Raw).seed(5);
    check("sampled_knn:scale=raw:n_neighbors=3", Box::new(nearest.check().unwrap()));
}

#[test]
fn text_and_json_go_round() {
    for (text, json) in [
        ("ecod", r#""ecod""#),
        ("isolation_forest:max_samples=64:n_trees=9", r#"{"name":"isolation_forest","max_samples":64,"n_trees":9}"#),
        ("robust_z:min_unit=1.0", r#"{"name":"robust_z","min_unit":1.0}"#),
        ("knn:method=mean", r#"{"name":"knn","method":"mean"}"#),
        ("ensemble:combine=upper_half:trim=0.2", r#"{"name":"ensemble","combine":"upper_half","trim":0.2}"#),
    ] {
        let spec: DetectorSpec = text.parse().unwrap();
        assert_eq!(spec.to_string(), text);
        assert_eq!(serde_json::to_string(&spec).unwrap(), json);
        assert_eq!(serde_json::from_str::<DetectorSpec>(json).unwrap(), spec);
        // The name may stand behind its parameters.
        assert_eq!(spec.parameters().len(), text.matches('=').count());
    }
    let behind: DetectorSpec = serde_json::from_str(r#"{"n_trees":9,"name":"isolation_forest"}"#).unwrap();
    assert_eq!(behind.to_string(), "isolation_forest:n_trees=9");
}

/// Every detector names its parameters when it is asked for one it lacks, and each of those refuses what makes no sense
/// with what it expects.
#[test]
fn every_parameter_says_what_it_expects() {
    let mut n_parameters = 0;
    for name in model_names() {
        let spec = DetectorSpec::new(name).unwrap();
        let unknown = spec.clone().with("colour", 1).unwrap_err().to_string();
        let known = unknown.strip_prefix(&format!("{name} has no parameter `colour`: expected one of ")).unwrap();
        for parameter in known.split(", ") {
            let wrong = spec.clone().with(parameter, "blue").unwrap_err().to_string();
            assert!(wrong.contains(name) && wrong.contains(parameter) && wrong.contains("blue"), "{wrong}");
            assert!(wrong.contains("expected"), "{wrong}");
            assert!(spec.clone().with(parameter, Value::Number(f64::NAN)).is_err(), "{name} {parameter}");
            n_parameters += 1;
        }
    }
    assert!(n_parameters > 80, "{n_parameters}");
}

#[test]
fn what_is_wrong_is_named() {
    let check = |text: &str, expect: &str| {
        let error = text.parse::<DetectorSpec>().unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check("oracle", "there is no detector `oracle`: expected one of robust_z, robust_distance, ecod");
    check("", "there is no detector ``");
    check("isolation_forest:n_trees=0", "n_trees");
    check("isolation_forest:n_trees=0", "1 to 100,000");
    check("isolation_forest:n_trees=-3", "a whole number, 0 or more");
    check("isolation_forest:n_trees", "a whole number, 0 or more");
    check("knn:scale=metres", "deviations or raw");
    let check = |json: &str, expect: &str| {
        let error = serde_json::from_str::<DetectorSpec>(json).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check("7", "expected a detector's name, or a table of its `name` and parameters");
    check(r#"{"n_trees":9}"#, "missing field `name`");
    check(r#"{"name":"hbos","n_trees":9}"#, "hbos has no parameter `n_trees`: expected one of bins, alpha, tol");
}
