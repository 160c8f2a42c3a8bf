//! Makes a small saved model, `tests/fixtures/model-v1.crible`, and what it says of `golden_history`, `model-v1.txt` beside
//! it, for a test that an old model still answers: `cargo run --release -p crible --example golden`. Run it for a new
//! format version, under a new name; never to make a failing test pass once a version is out.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::{FULL, batch, golden_answers, population, quick};

fn main() {
    let engine = quick().fit_rows(100).fit(&batch(&population(40, 60, 20, FULL))).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::create_dir_all(&fixtures).unwrap();
    let bytes = engine.save();
    std::fs::write(fixtures.join("model-v1.crible"), &bytes).unwrap();
    std::fs::write(fixtures.join("model-v1.txt"), golden_answers(&bytes)).unwrap();
    println!("model {}, {} bytes", engine.model().id(), bytes.len());
}
