//! See ../README.md.
#![no_main]

#[path = "../sealed.rs"]
mod sealed;

use std::sync::{LazyLock, Mutex, PoisonError};

use crible::Engine;

static ENGINE: LazyLock<Mutex<Engine>> = LazyLock::new(|| {
    let model = include_bytes!("../../tests/fixtures/model-v1.crible");
    Mutex::new(Engine::load(model).expect("the fixture is a model"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut engine = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    let _refused = engine.load_state(bytes);
    if engine.load_state(&sealed::sealed(bytes, b"CRIBLES", 3)).is_ok() {
        let saved = engine.save_state();
        for txn in sealed::payments() {
            let _late = engine.observe(&txn);
        }
        engine.load_state(&saved).expect("what was saved can be loaded");
        assert!(engine.save_state() == saved);
    }
});
