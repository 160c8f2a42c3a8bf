//! Calibration: from scores to tail probabilities.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::Error;
use crible_score::calibration::ScoreTail;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Probability and −ln p agree, stay in range, and rank as the scores do.
fn check(scores: &[f64]) {
    let tail = ScoreTail::fit(scores).unwrap();
    let mut probes = scores.to_vec();
    probes.extend([0.0, 1.0, -1.0, 1e-300, 1e300, f64::MAX, f64::MIN]);
    probes.extend(scores.iter().flat_map(|s| [s * 1.001, s * 10.0, s - 0.5, s.next_up()]));
    probes.retain(|s| s.is_finite());
    probes.sort_by(f64::total_cmp);
    let mut before = f64::NEG_INFINITY;
    for s in probes {
        let (y, p) = (tail.neg_ln(s), tail.probability(s));
        assert!(y.is_finite() && y > 0.0, "neg_ln({s}) = {y}");
        assert!((1e-300..=1.0).contains(&p), "probability({s}) = {p}");
        let expect = (-y).exp().max(1e-300);
        assert!((p - expect).abs() <= 1e-12 * expect, "{s}: {p}, expected {expect}");
        assert!(y >= before, "neg_ln falls to {y} at {s}");
        before = y;
    }
}

#[test]
fn any_scores() {
    check(&[3.0]);
    check(&[0.0; 7]);
    check(&[-2.0; 500]);
    check(&[1.0, 2.0]);
    check(&[1.0, 1.0, 1.0, 2.0]);
    check(&[f64::MIN, f64::MAX]);
    check(&[1e300; 30]);
    check(&[5e-324, 1e-323, 0.0]);
    check(&(0..10_000).map(|i| f64::from(i % 3)).collect::<Vec<_>>());
    check(&(0..10_000).map(|i| f64::from(i) * 1e-9 + 1e9).collect::<Vec<_>>());
    check(&(0..1_000).map(|i| f64::from(i).exp2().min(1e300)).collect::<Vec<_>>());
    // All ties but a few far out, and a tie at the top that holds the whole tail.
    check(&(0..5_000).map(|i| if i < 4_990 { 1.0 } else { f64::from(i) }).collect::<Vec<_>>());
    check(&(0..5_000).map(|i| if i < 4_000 { f64::from(i) } else { 9e3 }).collect::<Vec<_>>());
}

#[test]
fn what_is_refused() {
    assert!(matches!(ScoreTail::fit(&[]), Err(Error::TooFew { what: "scores", got: 0, needed: 1 })));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(ScoreTail::fit(&[1.0, bad]), Err(Error::NotFinite { row: 1, column: 0, .. })));
    }
}

#[test]
fn the_body_is_the_middle_rank() {
    // 9 scores, so 10 is the denominator; few enough that every one is a knot.
    let tail = ScoreTail::fit(&[1.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0, 6.0, 7.0]).unwrap();
    for (score, p) in [(1.0, 0.9), (2.0, 0.8), (3.0, 0.6), (4.0, 0.4), (7.0, 0.1)] {
        assert!((tail.probability(score) - p).abs() < 1e-12, "{score}");
    }
    // Geometric mean halfway between 0.2 and 0.1.
    assert!((tail.probability(6.5) - (0.2_f64 * 0.1).sqrt()).abs() < 1e-12);
}

#[test]
fn ranks_survive_above_the_median() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let scores: Vec<f64> = (0..200_000).map(|_| -rng.gen_range(1e-12..1.0_f64).ln()).collect();
    let tail = ScoreTail::fit(&scores).unwrap();
    let mut sorted = scores.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let above = &sorted[sorted.len() / 2..];
    for pair in above.windows(2) {
        let (lower, higher) = (tail.neg_ln(pair[0]), tail.neg_ln(pair[1]));
        // Scores a few units in the last place apart may share a value; no others.
        assert!(lower < higher || pair[1] - pair[0] < 1e-14, "{pair:?}");
    }
}

/// A known distribution is found again, in the body and far beyond the sample.
#[test]
fn probabilities_are_right() {
    fn check(quantile: impl Fn(f64) -> f64, far: f64, beyond: f64) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let scores: Vec<f64> = (0..100_000).map(|_| quantile(rng.gen_range(1e-15..1.0))).collect();
        let tail = ScoreTail::fit(&scores).unwrap();
        let factors = [(0.9, 1.02), (0.5, 1.02), (0.1, 1.04), (0.01, 1.1), (1e-4, far), (1e-7, beyond)];
        for (p, factor) in factors {
            let found = tail.probability(quantile(p));
            assert!(p / factor < found && found < p * factor, "{p}: {found}");
        }
    }
    check(|p| -p.ln(), 1.7, 4.0);
    check(|p| p.powf(-0.4), 1.7, 6.0);
    // A bounded tail is taken for an exponential one: too probable, never impossible.
    check(|p| 1.0 - p, 4.0, f64::INFINITY);
}

proptest! {
    #[test]
    fn any_finite_scores(scores in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 1..300)) {
        check(&scores);
    }

    #[test]
    fn tied_scores(scores in prop::collection::vec((0..20_i32).prop_map(f64::from), 1..2_000)) {
        check(&scores);
    }
}
