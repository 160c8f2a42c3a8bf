//! Makes a small saved model of each format, such as `tests/fixtures/model-v1.crible`, its answers for
//! `golden_history`, `model-v1.txt` beside it, and the state half of that history leaves, `state-v1.crible`, for tests
//! that old files still answer: `cargo run --release -p crible --example golden`. What is there stays: a new format
//! version gets a new name, and a failing test another cure.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::{FULL, batch, golden_answers, golden_state, golden_state_after, population, quick};

fn main() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::create_dir_all(&fixtures).unwrap();
    let keep = |name: &str, make: &dyn Fn() -> Vec<u8>| {
        let path = fixtures.join(name);
        if !path.exists() {
            std::fs::write(&path, make()).unwrap();
        }
        std::fs::read(&path).unwrap()
    };
    let history = batch(&population(40, 60, 20, FULL));
    let fitted = |rows| quick().fit_rows(rows).fit(&history).unwrap().save();
    let model = keep("model-v1.crible", &|| fitted(100));
    keep("model-v1.txt", &|| golden_answers(&model).into_bytes());
    let state = keep("state-v1.crible", &|| golden_state(&model));
    // Format 2 has windows and limits in the model, and room for what comes late in the state.
    let model = keep("model-v2.crible", &|| crible::Engine::load(&model).unwrap().save());
    keep("state-v2.crible", &|| golden_state(&model));
    // States have a format of their own.
    keep("state-v3.crible", &|| golden_state(&model));
    // Format 3 transforms what detectors see, given enough rows.
    let transformed = keep("model-v3.crible", &|| fitted(1_200));
    keep("model-v3.txt", &|| golden_answers(&transformed).into_bytes());
    // Format 4 has weights of columns; format 5 how far ahead a payment may be dated, and which columns a feed has
    // by name.
    let dated = keep("model-v5.crible", &|| fitted(1_200));
    keep("model-v5.txt", &|| golden_answers(&dated).into_bytes());
    // Format 6 has the scale of each currency.
    let scaled = keep("model-v6.crible", &|| fitted(1_200));
    keep("model-v6.txt", &|| golden_answers(&scaled).into_bytes());
    keep("state-v4.crible", &|| golden_state(&model));
    // Format 7 knows how peers' amounts are spread, and views; format 8 how long windows had filled. States of format 5
    // have what a budget has forgotten, those of format 6 since when they have observed.
    let views = || {
        let mut config = crible::Config::default();
        config.detectors = vec!["views".parse().unwrap()];
        crible::Builder::from(config).seed(11).fit_rows(200).fit(&history).unwrap().save()
    };
    let viewed = keep("model-v7.crible", &views);
    keep("model-v7.txt", &|| golden_answers(&viewed).into_bytes());
    let viewed = keep("model-v8.crible", &views);
    keep("model-v8.txt", &|| golden_answers(&viewed).into_bytes());
    keep("state-v6.crible", &|| golden_state(&model));
    // Scores for as long as the longest window of accounts.
    keep("state-v7.crible", &|| golden_state(&model));
    // Payments whose time is to be confirmed: the third comes after a pause.
    keep("state-v8.crible", &|| golden_state_after(&dated, 3));
    // Format 9 has whether payments in currencies that are not in its table are refused.
    let rated = || {
        let mut rates = crible::Rates::default();
        rates.of = [("USD", 1.0), ("EUR", 1.1)].map(|(of, rate)| (of.parse().unwrap(), rate)).into();
        rates.refuse_others = true;
        quick().rates(rates).fit_rows(200).fit(&history).unwrap().save()
    };
    let rated = keep("model-v9.crible", &rated);
    keep("model-v9.txt", &|| golden_answers(&rated).into_bytes());
    // A view that is not rare says nothing: the same format, other answers. It has the view of what is paid again.
    let quiet = keep("model-quiet.crible", &views);
    keep("model-quiet.txt", &|| golden_answers(&quiet).into_bytes());
    println!("model of {} bytes, state of {}", model.len(), state.len());
}
