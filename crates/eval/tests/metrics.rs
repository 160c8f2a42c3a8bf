//! The metrics against scikit-learn; see fixtures/metrics/README.md.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;

use crible_eval::metrics::{average_precision, card_precision_at, roc_auc};

#[test]
fn golden_values() {
    let mut lines = include_str!("fixtures/metrics/rows.csv").lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut columns: HashMap<&str, Vec<f64>> = HashMap::new();
    for line in lines {
        for (name, field) in names.iter().zip(line.split(',')) {
            columns.entry(name).or_default().push(field.parse().unwrap());
        }
    }
    let truth: Vec<bool> = columns["fraud"].iter().map(|&y| y == 1.0).collect();
    let days: Vec<i64> = columns["day"].iter().map(|&d| d as i64).collect();
    let cards: Vec<u32> = columns["card"].iter().map(|&c| c as u32).collect();

    let mut checked = 0;
    for line in include_str!("fixtures/metrics/expected.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let scores = &columns[fields[0]];
        let cards_at = || card_precision_at(fields[2].parse().unwrap(), &days, &cards, scores, &truth).unwrap();
        let found = match fields[1] {
            "roc_auc" => roc_auc(scores, &truth).unwrap(),
            "average_precision" => average_precision(scores, &truth).unwrap(),
            "card_precision" => cards_at().mean,
            "card_precision_ceiling" => cards_at().ceiling,
            other => panic!("unknown metric {other}"),
        };
        let expect: f64 = fields[3].parse().unwrap();
        assert!((found - expect).abs() < 1e-12, "{line}: found {found}");
        checked += 1;
    }
    assert_eq!(checked, 40);
}
