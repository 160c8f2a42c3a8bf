//! Makes a state of today's format, such as `tests/fixtures/state-v2.bin`, for a test that old ones still go on: `cargo
//! run --release -p crible-feature --example states`. What is there stays: a new format gets a new name, and a failing
//! test another cure.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/golden/mod.rs"]
mod golden;

use crible_feature::FeatureSet;

fn main() {
    let path = golden::path(FeatureSet::FORMAT);
    let (txns, seen) = golden::history(FeatureSet::FORMAT);
    if !path.exists() {
        std::fs::write(&path, golden::set_of(&txns[..seen]).save()).unwrap();
    }
    println!("{}: {} bytes", path.display(), std::fs::metadata(&path).unwrap().len());
}
