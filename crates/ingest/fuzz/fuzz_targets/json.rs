//! See ../README.md.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crible_ingest::drive::drive("json", bytes));
