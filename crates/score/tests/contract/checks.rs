//! The promises, each for one detector.

use crible_score::{Detector, Error, Model, Snapshot, load, score};
use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder, Slice, concatenate};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::data::{mixed, with_strangers};

/// Detectors whose contributions rank columns but do not add up to the score; deletion checks them all the same.
const NOT_ADDITIVE: [&str; 1] = ["abod"];

fn bits(scores: &Array1<f64>) -> Vec<u64> {
    scores.iter().map(|s| s.to_bits()).collect()
}

fn fit(detector: &dyn Detector, rows: &Array2<f64>) -> Box<dyn Model> {
    let model = detector.fit(rows.view()).unwrap();
    assert_eq!(model.n_columns(), rows.ncols());
    assert_eq!(model.name(), detector.name());
    model
}

/// Scores of a fit's rows and of strangers, all finite.
fn finite_scores(model: &dyn Model, rows: &Array2<f64>) -> Array1<f64> {
    let scores = score(model, rows.view()).unwrap();
    for (i, s) in scores.iter().enumerate() {
        assert!(s.is_finite(), "row {i} {} scores {s}", rows.row(i));
    }
    scores
}

pub(crate) fn same_rows_same_bits(detector: &dyn Detector) {
    let rows = mixed(700, 6, 1);
    let first = score(fit(detector, &rows).as_ref(), rows.view()).unwrap();
    let again = score(fit(detector, &rows).as_ref(), rows.view()).unwrap();
    assert_eq!(bits(&first), bits(&again));
    // Columns in another place in memory, one thread instead of two.
    let mut fortran = Array2::zeros(rows.raw_dim().f());
    fortran.assign(&rows);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let model = one.install(|| fit(detector, &fortran));
    assert_eq!(bits(&first), bits(&score(model.as_ref(), rows.view()).unwrap()));
}

pub(crate) fn any_cut_order_layout_and_threads(detector: &dyn Detector) {
    let rows = mixed(600, 7, 2);
    let model = fit(detector, &rows);
    let model = model.as_ref();
    let probes = with_strangers(&rows);
    let n = probes.nrows();
    let expect = bits(&score(model, probes.view()).unwrap());

    for i in (0..n).step_by(7) {
        let alone = score(model, part(probes.view(), i, i + 1)).unwrap();
        assert_eq!(alone[0].to_bits(), expect[i], "row {i} alone");
    }
    let pools = [1, 2].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let cuts = prop::collection::vec(0..=n, 0..6);
    let order = Just((0..n).collect::<Vec<_>>()).prop_shuffle();
    TestRunner::new_with_rng(config, rng)
        .run(&(cuts, order, 0..4_u8, 0..2_usize), |(mut cuts, order, layout, pool)| {
            let shuffled = probes.select(Axis(0), &order);
            let stored = layouts(&shuffled, layout);
            let view = seen(&stored, layout);
            prop_assert_eq!(view, shuffled.view());
            cuts.extend([0, n]);
            cuts.sort_unstable();
            let mut found = vec![0.0; n];
            for cut in cuts.windows(2) {
                let block = part(view, cut[0], cut[1]);
                let scores = pools[pool].install(|| score(model, block)).unwrap();
                found[cut[0]..cut[1]].copy_from_slice(&scores.to_vec());
                // And by the block kernel itself, without the cut into pieces.
                let mut direct = vec![f64::NAN; block.nrows()];
                model.score_block(block, &mut direct);
                prop_assert_eq!(direct, scores.to_vec());
            }
            for (place, &row) in order.iter().enumerate() {
                prop_assert_eq!(found[place].to_bits(), expect[row], "row {}", row);
            }
            Ok(())
        })
        .unwrap();
}

/// The same numbers in row order, column order, every second place, or backwards.
fn layouts(rows: &Array2<f64>, layout: u8) -> Array2<f64> {
    let (n, k) = rows.dim();
    match layout {
        0 => rows.clone(),
        1 => {
            let mut out = Array2::zeros((n, k).f());
            out.assign(rows);
            out
        }
        2 => Array2::from_shape_fn((2 * n, 3 * k), |(i, j)| {
            if i % 2 == 0 && j % 3 == 0 { rows[[i / 2, j / 3]] } else { f64::NAN }
        }),
        _ => Array2::from_shape_fn((n, k), |(i, j)| rows[[n - 1 - i, k - 1 - j]]),
    }
}

fn seen(stored: &Array2<f64>, layout: u8) -> ArrayView2<'_, f64> {
    match layout {
        0 | 1 => stored.view(),
        2 => stepped(stored.view(), 2, 3),
        _ => stepped(stored.view(), -1, -1),
    }
}

/// Rows `start..end`.
fn part(mut rows: ArrayView2<'_, f64>, start: usize, end: usize) -> ArrayView2<'_, f64> {
    rows.slice_axis_inplace(Axis(0), Slice::from(start..end));
    rows
}

fn stepped(mut rows: ArrayView2<'_, f64>, by_row: isize, by_column: isize) -> ArrayView2<'_, f64> {
    rows.slice_axis_inplace(Axis(0), Slice::new(0, None, by_row));
    rows.slice_axis_inplace(Axis(1), Slice::new(0, None, by_column));
    rows
}

pub(crate) fn snapshot_round_trip(detector: &dyn Detector) {
    let rows = mixed(500, 5, 3);
    let model = fit(detector, &rows);
    let snapshot = model.snapshot();
    let bytes = snapshot.to_bytes();
    let read = Snapshot::from_bytes(&bytes).unwrap();
    assert_eq!(read, snapshot);
    let loaded = load(&read).unwrap();
    assert_eq!((loaded.name(), loaded.n_columns()), (model.name(), model.n_columns()));
    assert_eq!(loaded.is_additive(), model.is_additive());
    assert_eq!(loaded.snapshot().to_bytes(), bytes);
    let probes = with_strangers(&rows);
    let before = score(model.as_ref(), probes.view()).unwrap();
    assert_eq!(bits(&before), bits(&score(loaded.as_ref(), probes.view()).unwrap()));
    let (mut a, mut b) = (vec![0.0; 5], vec![0.0; 5]);
    for row in probes.outer_iter() {
        model.explain_row(row, &mut a);
        loaded.explain_row(row, &mut b);
        assert_eq!(a, b);
    }
    // Cut short or damaged anywhere, bytes are an error and never a panic.
    for cut in (0..bytes.len()).step_by(1 + bytes.len() / 97) {
        assert!(matches!(Snapshot::from_bytes(&bytes[..cut]), Err(Error::Snapshot(_))), "{cut}");
        let mut damaged = bytes.clone();
        damaged[cut] ^= 0x10;
        assert!(matches!(Snapshot::from_bytes(&damaged), Err(Error::Snapshot(_))), "{cut}");
    }
}

pub(crate) fn not_finite_is_refused(detector: &dyn Detector) {
    let rows = mixed(1_500, 3, 4);
    let model = fit(detector, &rows);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut probes = rows.clone();
        probes[[1_400, 0]] = bad;
        probes[[1_311, 1]] = bad;
        for error in [score(model.as_ref(), probes.view()).unwrap_err(), detector.fit(probes.view()).unwrap_err()] {
            let Error::NotFinite { row, column, value } = error else { panic!("{error}") };
            assert_eq!((row, column, value.to_bits()), (1_311, 1, bad.to_bits()));
        }
    }
}

pub(crate) fn shapes_are_refused(detector: &dyn Detector) {
    let none = detector.fit(Array2::zeros((0, 3)).view()).unwrap_err();
    assert!(matches!(none, Error::TooFew { what: "rows", got: 0, .. }), "{none}");
    let none = detector.fit(Array2::zeros((3, 0)).view()).unwrap_err();
    assert!(matches!(none, Error::TooFew { what: "columns", got: 0, .. }), "{none}");
    let model = fit(detector, &mixed(50, 3, 5));
    for k in [0, 2, 4] {
        let error = score(model.as_ref(), Array2::zeros((2, k)).view()).unwrap_err();
        assert!(matches!(error, Error::Columns { expected: 3, got } if got == k), "{error}");
    }
    assert_eq!(score(model.as_ref(), Array2::zeros((0, 3)).view()).unwrap().len(), 0);
}

pub(crate) fn constant_column(detector: &dyn Detector) {
    for value in [0.0, 42.0, -1e300, 1e-300] {
        let mut rows = mixed(500, 3, 6);
        rows.column_mut(1).fill(value);
        let model = fit(detector, &rows);
        finite_scores(model.as_ref(), &rows);
        finite_scores(model.as_ref(), &with_strangers(&rows));
    }
}

pub(crate) fn all_equal_rows(detector: &dyn Detector) {
    for n in [2, 450] {
        let rows = Array2::from_elem((n, 2), 7.0);
        let model = fit(detector, &rows);
        let scores = finite_scores(model.as_ref(), &rows);
        assert!(scores.iter().all(|s| *s == scores[0]), "equal rows score differently");
        let other = finite_scores(model.as_ref(), &Array2::from_elem((1, 2), 8.0));
        assert!(other[0] >= scores[0], "a row unlike all others is less strange than they");
    }
}

pub(crate) fn duplicates(detector: &dyn Detector) {
    let few = mixed(3, 4, 7);
    let copies: Vec<_> = (0..150).map(|_| few.view()).collect();
    let rows = concatenate(Axis(0), &copies).unwrap();
    let model = fit(detector, &rows);
    let scores = finite_scores(model.as_ref(), &rows);
    for i in 3..rows.nrows() {
        assert_eq!(scores[i].to_bits(), scores[i % 3].to_bits());
    }
}

pub(crate) fn one_column(detector: &dyn Detector) {
    let rows = mixed(450, 1, 8);
    let model = fit(detector, &rows);
    finite_scores(model.as_ref(), &with_strangers(&rows));
}

pub(crate) fn more_columns_than_rows(detector: &dyn Detector) {
    // More than the 64 columns that packing keeps on the stack.
    let rows = mixed(20, 130, 9);
    let model = fit(detector, &rows);
    let scores = finite_scores(model.as_ref(), &rows);
    let row = part(rows.view(), 3, 4);
    assert_eq!(score(model.as_ref(), row).unwrap()[0].to_bits(), scores[3].to_bits());
}

pub(crate) fn one_row(detector: &dyn Detector) {
    let rows = mixed(1, 3, 10);
    let model = fit(detector, &rows);
    finite_scores(model.as_ref(), &with_strangers(&rows));
}

pub(crate) fn magnitudes(detector: &dyn Detector) {
    let extremes = [0.0, 1.0, 1e300, -1e300, 1e-300, -5e-324, f64::MAX, f64::MIN, 1e-150, 1e150];
    let probes = Array2::from_shape_fn((100, 2), |(i, j)| extremes[if j == 0 { i / 10 } else { i % 10 }]);
    for factor in [1.0, 1e300, 1e-300, 1e150, 1e-320] {
        let rows = mixed(450, 2, 11).mapv(|x| x.clamp(-1e4, 1e4) * 1e-4 * factor);
        let model = fit(detector, &rows);
        finite_scores(model.as_ref(), &rows);
        finite_scores(model.as_ref(), &probes);
    }
    let model = fit(detector, &probes);
    finite_scores(model.as_ref(), &probes);
    let mut contributions = [0.0; 2];
    for row in probes.outer_iter() {
        model.explain_row(row, &mut contributions);
        assert!(contributions.iter().all(|c| c.is_finite()), "{row}: {contributions:?}");
    }
}

pub(crate) fn explanations_add_up(detector: &dyn Detector) {
    let rows = mixed(500, 6, 12);
    let model = fit(detector, &rows);
    assert_eq!(model.is_additive(), !NOT_ADDITIVE.contains(&model.name()));
    let probes = with_strangers(&rows);
    let scores = score(model.as_ref(), probes.view()).unwrap();
    let mut contributions = vec![f64::NAN; 6];
    for (row, score) in probes.outer_iter().zip(&scores) {
        contributions.fill(f64::NAN);
        model.explain_row(row, &mut contributions);
        let sum: f64 = contributions.iter().sum();
        assert!(sum.is_finite(), "{contributions:?}");
        let off = (sum - score).abs();
        assert!(!model.is_additive() || off <= 1e-9 * score.abs().max(1.0), "{sum} is not {score}");
    }
}

/// Deletion: a strange row whose top column is made typical must lose more of its score than one in which
/// a column drawn at random is, on average over rows.
pub(crate) fn top_column_matters_most(detector: &dyn Detector) {
    const K: usize = 6;
    let rows = mixed(600, 4 * K, 14).select(Axis(1), &[0, 4, 8, 12, 16, 20]);
    let typical: Vec<f64> = rows
        .columns()
        .into_iter()
        .map(|column| {
            let mut values = column.to_vec();
            values.sort_by(f64::total_cmp);
            0.5 * (values[299] + values[300])
        })
        .collect();
    let model = fit(detector, &rows);
    let mut probes = part(rows.view(), 0, 90).to_owned();
    for (i, mut row) in probes.outer_iter_mut().enumerate() {
        row[i % K] += [6.0, -9.0, 14.0][i % 3];
        if i % 2 == 0 {
            row[(i + 1 + i / K % (K - 1)) % K] -= 7.0;
        }
    }
    let scores = score(model.as_ref(), probes.view()).unwrap();
    let (mut by_top, mut by_any) = (0.0, 0.0);
    let mut contributions = vec![0.0; K];
    for (row, full) in probes.outer_iter().zip(&scores) {
        model.explain_row(row, &mut contributions);
        let top = (0..K).max_by(|&a, &b| contributions[a].total_cmp(&contributions[b])).unwrap();
        let without = Array2::from_shape_fn((K, K), |(i, j)| if i == j { typical[j] } else { row[j] });
        let drops = score(model.as_ref(), without.view()).unwrap().mapv(|s| full - s);
        by_top += drops[top] / scores.len() as f64;
        by_any += drops.sum() / (K * scores.len()) as f64;
    }
    assert!(by_top > by_any, "the top column takes {by_top} off the score, any column {by_any}");
}

pub(crate) fn planted_outlier_comes_first(detector: &dyn Detector) {
    // Normal-like columns only: in the heavy-tailed ones other rows are as strange.
    let mut rows = mixed(600, 12, 13).select(Axis(1), &[0, 4, 8]);
    rows[[77, 0]] = 40.0;
    rows[[77, 2]] = -60.0;
    let model = fit(detector, &rows);
    let scores = score(model.as_ref(), rows.view()).unwrap();
    let above = scores.iter().filter(|s| **s > scores[77]).count();
    // K-means may give it a centre of its own; then it is the least strange of all.
    let has_own_centre = detector.name() == "kmeans" && scores[77] < 1e-9;
    assert!(above == 0 || has_own_centre, "{above} of 600 rows score above the planted one");
    let mut contributions = [0.0; 3];
    model.explain_row(rows.row(77), &mut contributions);
    if has_own_centre {
        return;
    }
    assert!(contributions[1] < contributions[0].max(contributions[2]), "{contributions:?}");
}
