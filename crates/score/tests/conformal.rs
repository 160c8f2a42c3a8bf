//! What calibration promises of rows that were not fitted, tried by simulation.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::calibration::{Conformal, HeldOut, ScoreTail, benjamini_hochberg, held_out_rows, q_values};
use crible_score::ecod::Ecod;
use crible_score::hbos::Hbos;
use crible_score::isolation_forest::IsolationForest;
use crible_score::mcd::Mcd;
use crible_score::pca::Pca;
use crible_score::{Detector, DetectorSpec, Error, Snapshot, score};
use linfa::ParamGuard;
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    let radius = (-2.0 * rng.gen_range(f64::MIN_POSITIVE..1.0).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.gen_range(0.0..1.0_f64)).cos()
}

/// n × 3 of one of four shapes: normal, heavy-tailed and correlated, uniform with ties, two clusters.
fn usual(shape: usize, n: usize, rng: &mut Xoshiro256PlusPlus) -> Array2<f64> {
    let mut rows = Array2::zeros((n, 3));
    for mut row in rows.outer_iter_mut() {
        let common = normal(rng);
        let side = if rng.gen_bool(0.3) { 6.0 } else { 0.0 };
        for x in &mut row {
            *x = match shape {
                0 => normal(rng),
                1 => (0.7 * common + 0.7 * normal(rng)).exp(),
                2 => (10.0 * rng.gen_range(0.0..1.0_f64)).floor() + 0.01 * normal(rng),
                _ => side + normal(rng),
            };
        }
    }
    rows
}

#[test]
fn p_values_count() {
    let conformal = Conformal::fit(&[3.0, 1.0, 2.0, 2.0]).unwrap();
    for (score, p) in [(0.0, 1.0), (1.0, 1.0), (1.5, 0.8), (2.0, 0.8), (2.5, 0.4), (3.0, 0.4), (9.0, 0.2)] {
        assert_eq!(conformal.p_value(score), p, "{score}");
    }
    assert_eq!(conformal.p_value(f64::NAN), 1.0);
    assert_eq!((conformal.p_value(f64::INFINITY), conformal.p_value(f64::NEG_INFINITY)), (0.2, 1.0));
    let read = Snapshot::from_bytes(&conformal.snapshot().to_bytes()).unwrap();
    assert_eq!(Conformal::from_snapshot(&read).unwrap(), conformal);
    assert!(matches!(Conformal::fit(&[]), Err(Error::TooFew { what: "scores", .. })));
    assert!(matches!(Conformal::fit(&[0.0, f64::NAN]), Err(Error::NotFinite { row: 1, .. })));
}

#[test]
fn levels_and_p_values_out_of_range() {
    for bad in [f64::NAN, 0.0, 1.0, -0.1] {
        assert!(matches!(benjamini_hochberg(&[0.5], bad), Err(Error::Parameter { name: "level", .. })));
    }
    for bad in [f64::NAN, -1e-9, 1.1] {
        assert!(matches!(benjamini_hochberg(&[0.5, bad], 0.1), Err(Error::Parameter { name: "p_values", .. })));
        assert!(matches!(q_values(&[0.5, bad]), Err(Error::Parameter { name: "p_values", .. })));
    }
    assert!(benjamini_hochberg(&[], 0.1).unwrap().selected.is_empty());
    assert!(q_values(&[]).unwrap().is_empty());
}

/// False alerts among 10 % of strange rows, on average over references and tests, with the power to find some.
#[test]
fn false_discoveries_stay_below_the_level() {
    let (level, n_runs, n_tested, n_strange) = (0.1, 400, 300, 30);
    let mut shares = Vec::new();
    let (mut found, mut runs_with_any) = (0, 0);
    for run in 0..n_runs {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(run);
        let shape = run as usize % 4;
        let fitted = usual(shape, 300, &mut rng);
        let model = Ecod::params().check().unwrap().fit_rows(fitted.view()).unwrap();
        let reference = score(&model, usual(shape, 1_000, &mut rng).view()).unwrap();
        let conformal = Conformal::fit(&reference.to_vec()).unwrap();
        let mut tested = usual(shape, n_tested, &mut rng);
        for mut row in tested.outer_iter_mut().take(n_strange) {
            row.iter_mut().for_each(|x| *x += 12.0);
        }
        let p_values = conformal.p_values(&score(&model, tested.view()).unwrap().to_vec());
        let selected = benjamini_hochberg(&p_values, level).unwrap().selected;
        let false_ones = selected.iter().filter(|i| **i >= n_strange).count();
        shares.push(false_ones as f64 / selected.len().max(1) as f64);
        found += selected.len() - false_ones;

        // Without a strange row every alert is false: there may be some in a tenth of the runs.
        let usual_only = benjamini_hochberg(&p_values[n_strange..], level).unwrap();
        runs_with_any += usize::from(!usual_only.selected.is_empty());
    }
    let n = n_runs as f64;
    let mean = shares.iter().sum::<f64>() / n;
    let deviation = (shares.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / n).sqrt();
    assert!(mean <= 0.9 * level + 3.3 * deviation / n.sqrt(), "{mean} of the alerts are false");
    assert!(mean > 0.02, "{mean}: the simulation tries nothing");
    assert!(found as f64 > 0.5 * n * n_strange as f64, "{found} found");
    let bound = n * level + 3.3 * (n * level * (1.0 - level)).sqrt();
    assert!(runs_with_any as f64 <= bound, "{runs_with_any} of {n_runs} runs without a strange row raised alerts");
}

/// On rows nobody fitted, as many pass a calibrated tail probability of p as p says. The interval is that of
/// two binomials, the reference's and the test's, 3.9 deviations wide: one in 10,000 fails by chance. Scores of a
/// histogram have few values: where a tie holds more than p, conformal p-values pass too few, never too many. Below
/// 25 rows in the reference a tail is extrapolated, and of scores that have a limit too few pass.
#[test]
fn nominal_and_realised_rates_agree() {
    let detectors: [Box<dyn Detector>; 5] = [
        Box::new(Ecod::params().check().unwrap()),
        Box::new(Hbos::params().check().unwrap()),
        Box::new(IsolationForest::params().check().unwrap()),
        Box::new(Mcd::params().n_starts(20).check().unwrap()),
        Box::new(Pca::params().check().unwrap()),
    ];
    let (n_reference, n_tested) = (60_000, 100_000);
    for shape in 0..4 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(99 + shape as u64);
        let fitted = usual(shape, 4_000, &mut rng);
        let (reference, tested) = (usual(shape, n_reference, &mut rng), usual(shape, n_tested, &mut rng));
        for detector in &detectors {
            let model = detector.fit(fitted.view()).unwrap();
            let reference = score(model.as_ref(), reference.view()).unwrap().to_vec();
            let tested = score(model.as_ref(), tested.view()).unwrap();
            let (tail, conformal) = (ScoreTail::fit(&reference).unwrap(), Conformal::fit(&reference).unwrap());
            for nominal in [0.1, 0.01, 0.001] {
                let rate = |p: &dyn Fn(f64) -> f64| {
                    tested.iter().filter(|s| p(**s) <= nominal).count() as f64 / n_tested as f64
                };
                let spread = (nominal * (1.0 - nominal) * (1.0 / n_reference as f64 + 1.0 / n_tested as f64)).sqrt();
                let rates = [rate(&|s| tail.probability(s)), rate(&|s| conformal.p_value(s))];
                for (what, rate) in ["tail", "conformal"].into_iter().zip(rates) {
                    let off = (rate - nominal) / spread;
                    let name = detector.name();
                    if name == "hbos" {
                        let too_many = what == "conformal" && off > 3.9;
                        assert!(!too_many, "hbos, shape {shape}: {what} {nominal} is {rate}, off by {off}");
                        continue;
                    }
                    assert!(off.abs() <= 3.9, "{name}, shape {shape}: {what} {nominal} is {rate}, off by {off}");
                }
            }
        }
    }
}

proptest! {
    /// Selection by the procedure and by adjusted p-values are the same; a p-value more or less changes ranks only.
    #[test]
    fn selections_agree(p_values in prop::collection::vec(0.0..=1.0_f64, 0..60), level in 0.01..0.9_f64) {
        let selection = benjamini_hochberg(&p_values, level).unwrap();
        let q = q_values(&p_values).unwrap();
        for (i, (p, q)) in p_values.iter().zip(&q).enumerate() {
            let is_selected = selection.selected.contains(&i);
            prop_assert_eq!(is_selected, *p <= selection.threshold && !selection.selected.is_empty());
            prop_assert!(*q >= p - 1e-15 && *q <= 1.0);
            prop_assert!(is_selected == (*q <= level) || (q - level).abs() < 1e-12);
        }
    }
}

/// What `crible detect --fit` promises: of rows like those it learned from, one in a hundred has p ≤ 0.01, one in ten p
/// ≤ 0.1. Over four shapes, 200 to 5,000 rows and detectors of several kinds, each on 40 seeds.
#[test]
fn the_nominal_rate_is_held_on_few_rows() {
    // The share of new rows at or below each level, by calibration on held-out rows and on the rows of the fit.
    let rates = |spec: &str, n: usize, n_seeds: u64| {
        let levels = [0.01, 0.1];
        let (mut held, mut kind, mut all) = ([0.0; 2], [0.0; 2], 0.0);
        for seed in 0..n_seeds {
            let shape = seed as usize % 4;
            let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
            let (known, new) = (usual(shape, n, rng), usual(shape, 250, rng));
            let chosen = held_out_rows(n, seed).unwrap();
            let places = |wanted| (0..n).filter(|&i| chosen[i] == wanted).collect::<Vec<_>>();
            let (fit, rest) = (known.select(Axis(0), &places(false)), known.select(Axis(0), &places(true)));
            assert_eq!(rest.nrows(), (n / 2).min(2_000));
            let model = spec.parse::<DetectorSpec>().unwrap().build(seed).unwrap().fit(fit.view()).unwrap();
            let scores = |rows: &Array2<f64>| score(model.as_ref(), rows.view()).unwrap().to_vec();
            let (honest, kindly) = (HeldOut::fit(&scores(&rest)).unwrap(), HeldOut::fit(&scores(&fit)).unwrap());
            for s in scores(&new) {
                all += 1.0;
                for (i, level) in levels.into_iter().enumerate() {
                    held[i] += f64::from(u8::from(honest.probability(s) <= level));
                    kind[i] += f64::from(u8::from(kindly.probability(s) <= level));
                }
            }
        }
        (held.map(|count| count / all), kind.map(|count| count / all))
    };
    for (spec, n, n_seeds) in [
        ("ensemble", 200, 40),
        ("gmm:n_components=4", 200, 40),
        ("isolation_forest:n_trees=20", 200, 40),
        ("isolation_forest:n_trees=20", 1_000, 40),
        ("robust_distance", 5_000, 40),
        ("knn", 5_000, 8),
    ] {
        let ([at_1, at_10], kind) = rates(spec, n, n_seeds);
        let known = (n / 2).min(2_000) as f64;
        // The deviation of a mean over calibrations, each of which is off by √(t (1 − t) / n) itself.
        let off = |t: f64| 4.0 * (t * (1.0 - t) * (1.0 / known + 1.0 / 250.0) / n_seeds as f64).sqrt();
        let fine = |rate: f64, t: f64| rate <= t + off(t) && rate >= 0.8 * t - off(t);
        assert!(fine(at_1, 0.01) && fine(at_10, 0.1), "{spec} {n}: {at_1} {at_10}");
        // The test could fail: by the fit's own rows a mixture of four calls three times as many strange.
        assert!(!spec.starts_with("gmm") || kind[0] > 0.03, "{kind:?}");
    }
}

#[test]
fn beyond_the_held_out_scores_the_tail_tells_strange_from_stranger() {
    let scores: Vec<f64> = (0..200).map(f64::from).collect();
    let held_out = HeldOut::fit(&scores).unwrap();
    let p: Vec<f64> = [-5.0, 0.0, 100.0, 198.5, 199.0, 199.5, 300.0, 1e9].map(|s| held_out.probability(s)).to_vec();
    assert_eq!(p[..4], [1.0, 1.0, 101.0 / 201.0, 2.0 / 201.0]);
    assert_eq!(p[4], 2.0 / 201.0);
    assert!(p[5] <= 1.0 / 201.0 && p.windows(2).all(|w| w[0] >= w[1]) && p[6] > p[7], "{p:?}");
    assert!(matches!(held_out_rows(1, 0), Err(Error::TooFew { got: 1, needed: 2, .. })));
    assert_eq!(held_out_rows(5, 3).unwrap().iter().filter(|&&held_out| held_out).count(), 2);
    assert_ne!(held_out_rows(50, 1).unwrap(), held_out_rows(50, 2).unwrap());
}
