//! What an ensemble does beyond being a detector.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::ecod::Ecod;
use crible_score::ensemble::{Combine, Ensemble, EnsembleConfig};
use crible_score::hbos::Hbos;
use crible_score::robust_z::RobustZ;
use crible_score::{Detector, Error, Model, Params, Snapshot, load, score};
use linfa::ParamGuard;
use ndarray::{Array2, ArrayView1, ArrayView2};

#[derive(Debug)]
struct Failing;

impl Detector for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn fit(&self, _: ArrayView2<'_, f64>) -> Result<Box<dyn Model>, Error> {
        Err(Error::TooFew { what: "rows", got: 1, needed: 2 })
    }
}

/// Fits, and then scores nothing but NaN.
#[derive(Debug)]
struct Absurd(usize);

impl Detector for Absurd {
    fn name(&self) -> &'static str {
        "absurd"
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Box<dyn Model>, Error> {
        Ok(Box::new(Self(rows.ncols())))
    }
}

impl Model for Absurd {
    fn name(&self) -> &'static str {
        "absurd"
    }

    fn n_columns(&self) -> usize {
        self.0
    }

    fn score_block(&self, _: ArrayView2<'_, f64>, out: &mut [f64]) {
        out.fill(f64::NAN);
    }

    fn explain_row(&self, _: ArrayView1<'_, f64>, _: &mut [f64]) {}

    fn is_additive(&self) -> bool {
        false
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new("absurd", 1, &())
    }
}

fn rows() -> Array2<f64> {
    let mut rows = Array2::from_shape_fn((900, 3), |(i, j)| ((i * (17 + 4 * j) + j) % 211) as f64);
    rows[[450, 1]] = 5_000.0;
    rows
}

fn params() -> Params<EnsembleConfig> {
    Ensemble::params()
        .member(Box::new(Ecod::params().check().unwrap()))
        .member(Box::new(RobustZ::params().check().unwrap()))
        .member(Box::new(Hbos::params().check().unwrap()))
}

#[test]
fn parts_are_the_members_scores_and_make_up_the_raw_score() {
    let rows = rows();
    for combine in [Combine::Mean, Combine::Max, Combine::UpperHalf, Combine::UpperMiddle] {
        let ensemble = params().combine(combine).check().unwrap().fit_rows(rows.view()).unwrap();
        let (n, m) = (rows.nrows(), ensemble.n_members());
        let (mut parts, mut raw, mut tail) = (vec![0.0; n * m], vec![0.0; n], vec![0.0; n]);
        ensemble.score_parts(rows.view(), &mut parts, &mut raw, &mut tail).unwrap();
        assert_eq!(raw, score(&ensemble, rows.view()).unwrap().to_vec());
        for (j, (model, calibration)) in ensemble.members().enumerate() {
            let alone = score(model, rows.view()).unwrap();
            assert!((0..n).all(|i| parts[i * m + j] == alone[i]));
            assert!((0..n).all(|i| combine != Combine::Max || calibration.neg_ln(alone[i]) <= raw[i]));
        }
        for i in 0..n {
            let logs = ensemble.members().enumerate().map(|(j, (_, t))| t.neg_ln(parts[i * m + j]));
            let expect = match combine {
                Combine::Max => logs.fold(0.0, f64::max),
                Combine::UpperHalf => {
                    let mut logs: Vec<f64> = logs.collect();
                    logs.sort_by(f64::total_cmp);
                    (logs[1] + logs[2]) / 2.0
                }
                Combine::UpperMiddle => {
                    let mut logs: Vec<f64> = logs.collect();
                    logs.sort_by(f64::total_cmp);
                    logs[1]
                }
                _ => logs.sum::<f64>() / m as f64,
            };
            assert!((raw[i] - expect).abs() <= 1e-12 * expect);
            assert_eq!(tail[i], ensemble.tail().probability(raw[i]));
        }
        assert!((0..n).all(|i| raw[i] <= raw[450]), "the planted row is not the strangest");
    }
}

#[test]
fn a_wrong_slice_is_refused() {
    let rows = rows();
    let ensemble = params().check().unwrap().fit_rows(rows.view()).unwrap();
    let mut ok = vec![0.0; 900];
    let mut short = vec![0.0; 899];
    let mut parts = vec![0.0; 2_700];
    let error = ensemble.score_parts(rows.view(), &mut parts, &mut ok, &mut short).unwrap_err();
    assert!(matches!(error, Error::Length { what: "tail", got: 899, expected: 900 }), "{error}");
    let error = ensemble.score_parts(rows.view(), &mut short, &mut ok, &mut []).unwrap_err();
    assert!(matches!(error, Error::Length { what: "parts", got: 899, expected: 2_700 }), "{error}");
}

#[test]
fn a_member_that_fails_is_left_out_and_reported() {
    let rows = rows();
    let ensemble =
        params().member(Box::new(Failing)).member(Box::new(Absurd(0))).check().unwrap().fit_rows(rows.view()).unwrap();
    assert_eq!(ensemble.names().collect::<Vec<_>>(), ["ecod", "robust_z", "hbos"]);
    let skipped: Vec<String> = ensemble.skipped().iter().map(|s| format!("{}: {}", s.name, s.reason)).collect();
    insta::assert_snapshot!(skipped.join("\n"), @r"
    failing: rows: expected at least 2, got 1
    absurd: row 0, column 0: expected a finite number, got NaN
    ");
    let without = params().check().unwrap().fit_rows(rows.view()).unwrap();
    assert_eq!(score(&ensemble, rows.view()).unwrap(), score(&without, rows.view()).unwrap());
    let loaded = Ensemble::from_snapshot(&ensemble.snapshot()).unwrap();
    assert_eq!(loaded.skipped(), ensemble.skipped());
}

#[test]
fn when_all_fail_the_error_names_each() {
    let none = Ensemble::params().member(Box::new(Failing)).member(Box::new(Absurd(0)));
    let error = none.check().unwrap().fit_rows(rows().view()).unwrap_err();
    insta::assert_snapshot!(error, @"no member of the ensemble could be fitted: failing: rows: expected at least 2, got 1; absurd: row 0, column 0: expected a finite number, got NaN");
}

#[test]
fn what_is_no_member() {
    let nested = Ensemble::params().member(Box::new(params().check().unwrap()));
    assert!(matches!(nested.check(), Err(Error::Parameter { name: "member", .. })));
}

/// Usual rows the fit has not seen get tail probabilities that are spread evenly over (0, 1).
#[test]
fn tail_probabilities_hold_on_rows_not_seen() {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut normal = || (0..12).map(|_| draw()).sum::<f64>() - 6.0;
    let fit = Array2::from_shape_simple_fn((6_000, 4), &mut normal);
    let fresh = Array2::from_shape_simple_fn((6_000, 4), &mut normal);
    let ensemble = params().check().unwrap().fit_rows(fit.view()).unwrap();
    let raw = score(&ensemble, fresh.view()).unwrap();
    for p in [0.5, 0.1, 0.02] {
        let share = raw.iter().filter(|r| ensemble.tail().probability(**r) <= p).count() as f64 / 6_000.0;
        let noise = 5.0 * (2.0 * p * (1.0 - p) / 3_000.0_f64).sqrt();
        assert!((share - p).abs() < noise, "{share} of the rows have a tail probability up to {p}");
    }
}

#[test]
fn snapshots_that_are_none() {
    let model = params().check().unwrap().fit_rows(rows().view()).unwrap().snapshot();
    let honest = model.to_bytes();
    assert!(load(&Snapshot::from_bytes(&honest).unwrap()).is_ok());
    let error = load(&Snapshot::new("ensemble", 4, &1_u8)).unwrap_err();
    insta::assert_snapshot!(error, @"snapshot: `ensemble` version 4, this version reads 3");
    let error = load(&Snapshot::new("oracle", 1, &1_u8)).unwrap_err();
    insta::assert_snapshot!(error, @"snapshot: no model is called `oracle`");
    let error = load(&Snapshot::new("ecod", 1, &1_u8)).unwrap_err();
    insta::assert_snapshot!(error, @"snapshot: `ecod`: the body cannot be decoded");
}

/// A tight cluster of strangers, each other's neighbours, is found beside a column so heavy-tailed that it alone would
/// decide every distance.
#[test]
fn the_default_finds_a_cluster_beside_a_heavy_tail() {
    let mut state = 9_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let rows = Array2::from_shape_fn((1_500, 4), |(i, j)| {
        let normal = (0..12).map(|_| draw()).sum::<f64>() - 6.0;
        match (i % 30, j) {
            (_, 3) => (4.0 * normal).exp(),
            (0, _) => 4.0 + 0.2 * normal,
            _ => normal,
        }
    });
    let ensemble = Ensemble::params().seed(3).check().unwrap().fit_rows(rows.view()).unwrap();
    assert_eq!(ensemble.n_members(), 9);
    let scores = score(&ensemble, rows.view()).unwrap();
    let (mut pairs, mut right) = (0, 0);
    for i in (0..1_500).step_by(30) {
        for j in (0..1_500).filter(|j| j % 30 != 0) {
            pairs += 1;
            right += usize::from(scores[i] > scores[j]);
        }
    }
    assert!(right * 100 > pairs * 97, "{right} of {pairs} pairs in order");
}
