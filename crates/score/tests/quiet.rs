//! What a view says nothing of is passed over, and whatever it says is the same to the bit.

#![allow(clippy::unwrap_used)]

use crible_score::views::{Member, Side, Together, View, Views};
use crible_score::{Detector, Model, Params, isolation_forest, sampled_knn};
use linfa::ParamGuard;
use ndarray::{Array2, Axis, Slice};
use proptest::prelude::*;

const COLUMNS: usize = 5;

/// Numbers of several kinds, a few of them far out: even, of few values, with a long tail.
fn rows(n: usize, seed: u64) -> Array2<f64> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    Array2::from_shape_fn((n, COLUMNS), |(row, column)| {
        let x = next();
        let far = if row % 41 == 7 { 8.0 } else { 1.0 };
        match column {
            0 => x * far,
            1 => (x * 4.0).floor(),
            2 => -(1.0 - x).ln() * far,
            3 => x * x - 0.5,
            _ => f64::from(x > 0.9),
        }
    })
}

fn views(rest: f64, neighbours: usize) -> Params<crible_score::views::ViewsConfig> {
    let column = |column: usize, side: Side| Member::Column { column, side };
    let joint = |detector: Box<dyn Detector>| Member::Joint { columns: vec![0, 2, 3], detector };
    let view = |name: &str, members: Vec<Member>, together: Together| View { name: name.to_owned(), members, together };
    let near = sampled_knn::SampledKnn::params().n_samples(1).max_samples(200).n_neighbors(neighbours).seed(3);
    let forest = isolation_forest::IsolationForest::params().n_trees(8).seed(5);
    Views::params()
        .rest(rest)
        .view(view("one", vec![column(0, Side::Upper)], Together::Rarest))
        .view(view("both", vec![column(3, Side::Both)], Together::Rarest))
        .view(view(
            "several",
            vec![column(1, Side::Lower), column(2, Side::Upper), column(4, Side::Upper)],
            Together::Rarest,
        ))
        .view(view("sum", vec![column(0, Side::Upper), column(2, Side::Both)], Together::Sum))
        .view(view("near", vec![joint(Box::new(near.check().unwrap()))], Together::Rarest))
        .view(view("forest", vec![joint(Box::new(forest.check().unwrap()))], Together::Rarest))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_that_is_not_rare_says_nothing(
        seed: u64,
        n in prop_oneof![1_usize..20, 200_usize..700],
        neighbours in prop_oneof![Just(1_usize), Just(4), Just(6), Just(12)],
        cut in 0.0_f64..1.0,
    ) {
        let fitted = rows(600, seed);
        let fit = |rest: f64| views(rest, neighbours).check().unwrap().fit_rows(fitted.view()).unwrap();
        // As much as it takes to be looked up, and too little to be added.
        let [silent, exact] = [0.0, f64::MIN_POSITIVE].map(fit);
        let probes = rows(n, seed ^ 1) * 1.3;
        let score = |views: &Views, rows: ndarray::ArrayView2<'_, f64>| {
            let n = rows.nrows();
            let (mut parts, mut raw, mut tail) = (vec![0.0; n * views.n_views()], vec![0.0; n], vec![0.0; n]);
            views.score_parts(rows, &mut parts, &mut raw, &mut tail).unwrap();
            (parts, raw)
        };
        let (parts, raw) = score(&silent, probes.view());
        let (all, raw_of_all) = score(&exact, probes.view());
        prop_assert!(raw.iter().zip(&raw_of_all).all(|(raw, of_all)| raw == of_all || *raw == 0.0 && *of_all < 1e-290));
        let loud: Vec<f64> = all.iter().map(|part| if *part > 2.0 { *part } else { 0.0 }).collect();
        prop_assert_eq!(&parts, &loud);
        prop_assert!(n < 100 || (loud.contains(&0.0) && loud.iter().any(|part| *part > 0.0)), "all alike");
        // In other blocks, and one by one.
        let cut = (n as f64 * cut) as usize;
        let width = silent.n_views();
        for part in [0..cut, cut..n, 0..1.min(n), n - 1..n] {
            let (some, some_raw) = score(&silent, probes.view().slice_axis_move(Axis(0), Slice::from(part.clone())));
            prop_assert_eq!(&some[..], &parts[part.start * width..part.end * width]);
            prop_assert_eq!(&some_raw[..], &raw[part]);
        }
        // As it is after it was saved.
        let loaded = Views::from_snapshot(&silent.snapshot()).unwrap();
        prop_assert_eq!(score(&loaded, probes.view()).0, parts);
    }

    #[test]
    fn scores_above_are_exact_and_others_are_not_above(
        seed: u64,
        n in prop_oneof![1_usize..20, 100_usize..400],
        size in prop_oneof![Just(3_usize), Just(50), Just(97), Just(384)],
        neighbours in 1_usize..16,
        samples in 1_usize..3,
        share in 0.0_f64..1.0,
    ) {
        let fitted = rows(500, seed);
        let near = sampled_knn::SampledKnn::params();
        let near = near.n_samples(samples).max_samples(size).n_neighbors(neighbours).seed(seed).check().unwrap();
        let model = near.fit(fitted.view()).unwrap();
        let probes = rows(n, seed ^ 2);
        let mut exact = vec![0.0; n];
        model.score_block(probes.view(), &mut exact);
        let mut sorted = exact.clone();
        sorted.sort_by(f64::total_cmp);
        let least = sorted[((n - 1) as f64 * share) as usize];
        for least in [least, least.next_down(), 0.0, f64::NEG_INFINITY, f64::MAX] {
            let mut above = vec![f64::NAN; n];
            model.score_block_above(least, probes.view(), &mut above);
            for (above, exact) in above.iter().zip(&exact) {
                prop_assert!(above == exact || (*above <= least && *exact <= least), "{above} {exact} {least}");
            }
        }
        // One by one to the bit.
        for (row, exact) in probes.rows().into_iter().zip(&exact) {
            let mut one = [f64::NAN];
            model.score_block(row.insert_axis(Axis(0)), &mut one);
            prop_assert_eq!(one[0].to_bits(), exact.to_bits());
        }
    }
}
