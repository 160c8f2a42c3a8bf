//! Views score as every detector does, and name what a payment looks like.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use crible::core::{Amount, EntityId};
use crible::{Builder, Config, Engine};

fn views(toml: &str) -> Builder {
    Builder::from(Config::from_toml(&format!("detectors = [\"views\"]\n{toml}")).unwrap())
}

/// Contracts 1 and 2: one by one, as batches of any length, on any number of threads, before saving and after loading.
#[test]
fn views_say_the_same_however_they_are_asked() {
    let poor = Shape { counterparty: false, category: false, position: false, balance: false, words: false };
    for shape in [FULL, poor] {
        let txns = population(60, 60, 5, shape);
        let (past, rest) = txns.split_at(txns.len() / 2);
        let learned = || views("fit_rows = 2000").fit(&batch(past)).unwrap();
        let mut single = learned();
        observed(&mut single, past);
        let want = observed(&mut single, rest);
        let mut chunked = with_threads(3, learned);
        in_chunks(&mut chunked, past, &[1, 700, 13]);
        assert_eq!(differ(&want, &in_chunks(&mut chunked, rest, &[5, 1, 400])), None);
        let mut loaded = Engine::load(&learned().save()).unwrap();
        replayed(&mut loaded, past);
        assert_eq!(differ(&want, &replayed(&mut loaded, rest)), None);
    }
}

/// What a feed lacks has no view.
#[test]
fn views_without_columns_drop_out() {
    let names = |shape| {
        let engine = views("fit_rows = 500").fit(&batch(&population(30, 30, 5, shape))).unwrap();
        engine.model().detectors().map(str::to_owned).collect::<Vec<_>>()
    };
    let (all, few) = (names(FULL), names(Shape { counterparty: false, position: false, words: false, ..FULL }));
    for view in ["view_counterparty", "view_novelty", "view_place", "view_new_device"] {
        assert!(all.iter().any(|name| name == view), "{all:?}");
        assert!(!few.iter().any(|name| name == view), "{few:?}");
    }
    assert!(few.iter().any(|name| name == "view_amount"), "{few:?}");
}

/// A payment far out of proportion, to somebody new, is named as what it is; the rent that comes again is not strange
/// for its size.
#[test]
fn views_name_what_they_see_and_expect_what_comes_again() {
    let txns = population(60, 90, 5, FULL);
    let mut engine = views("fit_rows = 4000").fit(&batch(&txns)).unwrap();
    replayed(&mut engine, &txns);
    let last = *txns.iter().rev().find(|txn| txn.is_outflow()).unwrap();
    let after = |days: i64, minor: i64, to: u64| {
        let mut txn = last;
        txn.at.0 += days * 86_400_000_000;
        txn.id.0 ^= days as u128;
        txn.amount = Amount::new(minor, last.amount.currency);
        txn.counterparty = EntityId::new(to);
        txn
    };
    engine.advance(after(1, 0, 77).at);
    let observed = engine.observe(&after(1, -900_000, 77)).unwrap();
    let large = observed.score();
    assert!(large.tail < 1e-3, "{large:?}");
    assert!(observed.model().looks_like(observed.detectors()).is_some());
    assert!(!observed.explain(3).is_empty());
    // The same again and again, a month apart.
    let rents: Vec<f64> = (1..6)
        .map(|n| {
            let rent = after(1 + 30 * n, -900_000, 77);
            engine.advance(rent.at);
            engine.observe(&rent).unwrap().score().raw
        })
        .collect();
    assert!(rents[4] < large.raw / 2.0, "{} and then {rents:?}", large.raw);
}

#[test]
fn views_run_alone_and_without_parameters() {
    let told = |toml: &str| Config::from_toml(toml).unwrap_err().to_string();
    assert!(told("detectors = [\"views\", \"ecod\"]").contains("`views` beside other detectors"));
    assert!(told("detectors = [{ name = \"views\", trim = 0.1 }]").contains("`views` with parameters"));
    let config = Config::from_toml("detectors = [\"views\"]\nwarm_up = \"7d\"").unwrap();
    assert_eq!(Config::from_toml(&config.to_toml().unwrap()).unwrap(), config);
}
