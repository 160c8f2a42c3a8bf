//! Tables of numbers, words and nulls: whatever they hold, a matrix of finite numbers or an error.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::encode::{Column, Encoder, Table};
use crible_score::isolation_forest::IsolationForest;
use crible_score::{Error, Model, Snapshot, score};
use linfa::ParamGuard;
use proptest::prelude::*;

fn words(words: &str) -> Column {
    Column::Words(words.split(' ').map(|w| (w != "-").then(|| w.to_owned())).collect())
}

fn numbers(values: &[f64]) -> Column {
    Column::Numbers(values.to_vec())
}

#[test]
fn a_mixed_table() {
    let amount = numbers(&[1.0, f64::NAN, 3.0, 7.0]);
    let table = Table::new([("amount", amount), ("hour", numbers(&[9.0; 4])), ("shop", words("a a b -"))]).unwrap();
    let encoder = Encoder::fit(&table).unwrap();
    assert_eq!(encoder.names(), ["amount", "amount: null", "hour", "shop"]);
    assert_eq!(encoder.sources(), [0, 0, 1, 2]);
    let encoded = encoder.encode(&table).unwrap();
    assert_eq!(encoded.rows.column(0).to_vec(), [1.0, 3.0, 3.0, 7.0]);
    assert_eq!(encoded.rows.column(1).to_vec(), [0.0, libm::log(4.0), 0.0, 0.0]);
    assert_eq!(encoded.rows.column(3).to_vec(), [0.0, 0.0, libm::log(2.0), libm::log(2.0)]);
    assert_eq!(encoded.unforeseen_nulls, [0, 0, 0]);

    // Columns in another order, one too many, a word never seen, a null where there was none.
    let later = Table::new([
        ("shop", words("z -")),
        ("more", words("x y")),
        ("hour", numbers(&[f64::NAN, 8.0])),
        ("amount", numbers(&[2.0, 2.0])),
    ]);
    let later = later.unwrap();
    let encoded = encoder.encode(&later).unwrap();
    assert_eq!(encoded.rows.row(0).to_vec(), [2.0, 0.0, 9.0, libm::log(2.0)]);
    assert_eq!(encoded.unforeseen_nulls, [0, 1, 0]);
    let owned = encoder.encode_owned(later).unwrap();
    assert_eq!(owned, encoded);
    assert_eq!((encoded.rows.strides(), owned.rows.strides()), (&[4, 1][..], &[1, 2][..]));

    let mut by_column = [9.0; 3];
    encoder.fold(&[1.0, 2.0, 4.0, 8.0], &mut by_column);
    assert_eq!(by_column, [3.0, 4.0, 8.0]);
}

#[test]
fn what_is_refused() {
    let no_columns = Table::new(Vec::<(String, Column)>::new()).unwrap_err();
    assert!(matches!(no_columns, Error::TooFew { what: "columns", .. }), "{no_columns}");
    let no_rows = Encoder::fit(&Table::new([("a", numbers(&[]))]).unwrap()).unwrap_err();
    assert!(matches!(no_rows, Error::TooFew { what: "rows", .. }), "{no_rows}");
    let infinite = Table::new([("a", numbers(&[0.0, 0.0])), ("b", numbers(&[0.0, f64::INFINITY]))]).unwrap_err();
    assert!(matches!(infinite, Error::NotFinite { row: 1, column: 1, .. }), "{infinite}");
    let twice = Table::new([("a", words("x")), ("a", words("y"))]).unwrap_err();
    insta::assert_snapshot!(twice, @"column `a`: expected a name of its own, got one that another column has");
    let uneven = Table::new([("a", words("x y")), ("b", words("y"))]).unwrap_err();
    insta::assert_snapshot!(uneven, @"column `b`: expected 2 rows, as in the first column, got 1");

    let encoder = Encoder::fit(&Table::new([("a", numbers(&[1.0])), ("b", words("x"))]).unwrap()).unwrap();
    let missing = encoder.encode(&Table::new([("a", numbers(&[1.0]))]).unwrap()).unwrap_err();
    insta::assert_snapshot!(missing, @"column `b`: expected the column, as in the fit, got none");
    let other_kind = Table::new([("a", words("1")), ("b", words("x"))]).unwrap();
    let kind = encoder.encode(&other_kind).unwrap_err();
    assert_eq!(encoder.encode_owned(other_kind).unwrap_err().to_string(), kind.to_string());
    insta::assert_snapshot!(kind, @"column `a`: expected numbers, as in the fit, got words");
    // Nothing but nulls is of no kind.
    let nulls = Table::new([("a", words("- -")), ("b", numbers(&[f64::NAN; 2]))]).unwrap();
    assert_eq!(encoder.encode(&nulls).unwrap().unforeseen_nulls, [2, 0]);
}

#[test]
fn words_of_one_row_are_not_kept() {
    let table = Table::new([("payee", words("shared shared only-once"))]).unwrap();
    let bytes = Encoder::fit(&table).unwrap().snapshot().to_bytes();
    let holds = |word: &str| bytes.windows(word.len()).any(|w| w == word.as_bytes());
    assert!(holds("shared"));
    assert!(!holds("only-once"));
}

#[test]
fn a_rare_word_is_found_and_named() {
    let n = 400;
    let amounts = (0..n).map(|i| f64::from(i * 7 % 31)).collect();
    let shops: Vec<Option<String>> = (0..n).map(|i| Some(["a", "b", "c"][i as usize % 3].to_owned())).collect();
    let mut odd = shops.clone();
    odd[100] = Some("never".to_owned());
    let table = Table::new([("amount", Column::Numbers(amounts)), ("shop", Column::Words(odd))]).unwrap();
    let encoder = Encoder::fit(&table).unwrap();
    let rows = encoder.encode(&table).unwrap().rows;
    let model = IsolationForest::params().check().unwrap().fit_rows(rows.view()).unwrap();
    let scores = score(&model, rows.view()).unwrap();
    assert!(scores.iter().enumerate().all(|(i, s)| i == 100 || *s < scores[100]));
    let (mut contributions, mut by_column) = ([0.0; 2], [0.0; 2]);
    model.explain_row(rows.row(100), &mut contributions);
    encoder.fold(&contributions, &mut by_column);
    assert!(by_column[1] > by_column[0]);
}

/// Every detector by its name, on a table with all that makes trouble: nulls, a column of nothing else, one value, a
/// word for each row, and few words.
#[test]
fn every_detector_takes_a_mixed_table() {
    let n = 240;
    let column = |cell: fn(usize) -> Option<String>| Column::Words((0..n).map(cell).collect());
    let numbers = |cell: fn(usize) -> f64| Column::Numbers((0..n).map(cell).collect());
    let table = |odd: bool| {
        let shop =
            if odd { column(|_| Some("never seen".to_owned())) } else { column(|i| Some(format!("shop {}", i % 5))) };
        Table::new([
            ("amount", numbers(|i| if i % 9 == 0 { f64::NAN } else { (i * 37 % 101) as f64 })),
            ("hour", numbers(|i| (i % 24) as f64)),
            ("nothing", numbers(|_| f64::NAN)),
            ("currency", column(|_| Some("EUR".to_owned()))),
            ("reference", column(|i| Some(format!("ref {i}")))),
            ("shop", shop),
            ("country", column(|i| (i % 17 != 0).then(|| ["FR", "DE"][i % 2].to_owned()))),
        ])
        .unwrap()
    };
    let encoder = Encoder::fit(&table(false)).unwrap();
    let (rows, later) = (encoder.encode(&table(false)).unwrap().rows, encoder.encode(&table(true)).unwrap().rows);
    for name in crible_score::model_names() {
        let model = crible_score::detector(name, 1).unwrap().fit(rows.view()).unwrap();
        let mut contributions = vec![0.0; encoder.n_columns()];
        let mut by_column = [0.0; 7];
        for rows in [&rows, &later] {
            let scores = score(model.as_ref(), rows.view()).unwrap();
            assert!(scores.iter().all(|s| s.is_finite()), "{name}");
            model.explain_row(rows.row(0), &mut contributions);
            encoder.fold(&contributions, &mut by_column);
            let (all, folded) = (contributions.iter().sum::<f64>(), by_column.iter().sum::<f64>());
            assert!((all - folded).abs() <= 1e-9 * all.abs().max(1.0), "{name}: {all}, {folded}");
        }
    }
}

proptest! {
    #[test]
    fn any_table(
        cells in prop::collection::vec((prop::option::of(-1e300..1e300_f64), prop::option::of("[a-c]{0,2}")), 1..60),
        later in prop::collection::vec((prop::option::of(prop::num::f64::NORMAL), prop::option::of(".{0,3}")), 0..60),
    ) {
        let table = |cells: &[(Option<f64>, Option<String>)]| {
            let numbers = cells.iter().map(|(x, _)| x.unwrap_or(f64::NAN)).collect();
            let words = cells.iter().map(|(_, w)| w.clone()).collect();
            Table::new([("x", Column::Numbers(numbers)), ("w", Column::Words(words))]).unwrap()
        };
        let encoder = Encoder::fit(&table(&cells)).unwrap();
        let later = table(&later);
        let encoded = encoder.encode(&later).unwrap();
        prop_assert_eq!(encoded.rows.dim(), (later.n_rows(), encoder.n_columns()));
        prop_assert!(encoded.rows.iter().all(|x| x.is_finite()));
        let bytes = encoder.snapshot().to_bytes();
        let read = Encoder::from_snapshot(&Snapshot::from_bytes(&bytes).unwrap()).unwrap();
        prop_assert_eq!(&read, &encoder);
        prop_assert_eq!(&read.encode(&later).unwrap(), &encoded);
        prop_assert_eq!(read.encode_owned(later).unwrap(), encoded);
    }
}
