//! See ../README.md.
#![no_main]

#[path = "../sealed.rs"]
mod sealed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _refused = crible::Engine::load(bytes);
    if let Ok(mut engine) = crible::Engine::load(&sealed::sealed(bytes, b"CRIBLEM", 9)) {
        for txn in sealed::payments() {
            if let Ok(observed) = engine.observe(&txn) {
                observed.explain(3);
            }
        }
    }
});
