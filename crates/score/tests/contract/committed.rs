//! Snapshots in `fixtures/snapshots`, written by `examples/snapshots.rs` when their models were new.

use std::path::Path;

use crible_score::{Snapshot, load, model_names, score};
use data_encoding::HEXLOWER;
use ndarray::Array2;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn every_committed_snapshot_loads_and_gives_its_committed_scores() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshots");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let hex = file["snapshot"].as_str().unwrap();
        let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
        let model = load(&Snapshot::from_bytes(&bytes).unwrap()).unwrap();
        let rows: Vec<Vec<f64>> = file["rows"].as_array().unwrap().iter().map(numbers).collect();
        let rows = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap();
        let scores = score(model.as_ref(), rows.view()).unwrap().to_vec();
        assert_eq!(scores, numbers(&file["scores"]), "{}", path.display());
        assert_eq!(model.snapshot().to_bytes(), bytes, "{}", path.display());
        found.push(model.name());
    }
    let without: Vec<_> = model_names().filter(|name| !found.contains(name)).collect();
    assert!(without.is_empty(), "no committed snapshot (see examples/snapshots.rs): {without:?}");
}
