//! See ../README.md.
#![no_main]

#[path = "../sealed.rs"]
mod sealed;

use std::sync::{LazyLock, Mutex, PoisonError};

use crible::core::{Batch, Code, EntityId, Timestamp, Transaction};
use crible::{Columns, Config, Engine, Limits};

/// One whose states the fixtures are, and one with every family there is, which late payments and the forgotten come
/// back to.
static ENGINES: LazyLock<Mutex<[Engine; 2]>> = LazyLock::new(|| {
    let model = include_bytes!("../../tests/fixtures/model-v1.crible");
    let usual = Engine::load(model).expect("the fixture is a model");
    let mut config = Config::default();
    config.windows.account[3].0 = 9 * Timestamp::DAY;
    let mut limits = Limits::default();
    limits.lateness.0 = 2 * Timestamp::DAY;
    limits.forget_after = config.windows.account[3];
    let mut columns = Columns::default();
    columns.add = config.known_columns();
    let history = Batch::from_transactions((0..20).flat_map(|day| {
        sealed::payments()
            .take(3)
            .map(move |txn| Transaction { at: Timestamp(txn.at.0 + day * Timestamp::DAY), ..full(txn) })
    }));
    let builder = Engine::builder().windows(config.windows).columns(columns).state(limits);
    Mutex::new([usual, builder.fit(&history).expect("twenty days are enough")])
});

/// With all a feed may have.
fn full(mut txn: Transaction) -> Transaction {
    txn.channel = Code::new("online");
    txn.category = Code::new("fuel");
    txn.country = Code::new("FR");
    txn.device = Some(EntityId::from_pseudorandom(7));
    txn.address = Some(EntityId::from_pseudorandom(8));
    txn.balance_before = Some(50_000);
    txn
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for engine in ENGINES.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
        let _refused = engine.load_state(bytes);
        if engine.load_state(&sealed::sealed(bytes, b"CRIBLES", 8)).is_ok() {
            let saved = engine.save_state();
            for txn in sealed::payments() {
                let _late = engine.observe(&full(txn));
            }
            engine.load_state(&saved).expect("what was saved can be loaded");
            assert!(engine.save_state() == saved);
        }
    }
});
