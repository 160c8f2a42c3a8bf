//! See ../README.md.
#![no_main]

#[path = "../sealed.rs"]
mod sealed;

use std::sync::LazyLock;

use crible::Engine;

static MODEL: LazyLock<&[u8]> = LazyLock::new(|| include_bytes!("../../tests/fixtures/model-v1.crible"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut engine = Engine::load(&MODEL).expect("the fixture is a model");
    let _refused = engine.load_state(bytes);
    if engine.load_state(&sealed::sealed(bytes, b"CRIBLES")).is_ok() {
        let saved = engine.save_state();
        for txn in sealed::payments() {
            let _late = engine.observe(&txn);
        }
        engine.load_state(&saved).expect("what was saved can be loaded");
        assert!(engine.save_state() == saved);
    }
});
