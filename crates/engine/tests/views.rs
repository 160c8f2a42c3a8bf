//! Views score as every detector does, and name what a payment looks like.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use crible::core::{Amount, EntityId, Transaction};
use crible::{Builder, Config, Engine};

fn views(toml: &str) -> Builder {
    Builder::from(Config::from_toml(toml).unwrap())
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

/// A view that is left out says nothing, and the others are still there.
#[test]
fn views_can_be_left_out_by_name() {
    let txns = batch(&population(30, 30, 5, FULL));
    let names = |builder: Builder| {
        let engine = builder.fit(&txns).unwrap();
        engine.model().detectors().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = names(views("fit_rows = 500"));
    for dropped in Config::known_views() {
        let left = names(views(&format!("fit_rows = 500\nviews.drop = [\"{dropped}\"]")));
        let want: Vec<String> = all.iter().filter(|name| *name != dropped).cloned().collect();
        assert_eq!(left, want);
        assert_eq!(names(views("fit_rows = 500").without_views(&[dropped])), want);
    }
    let error = Config::from_toml("views.drop = [\"view_moon\"]").unwrap_err().to_string();
    assert!(error.contains("`view_moon`") && error.contains("view_hour"), "{error}");
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
    let mut raw_of = |txn: &Transaction| {
        engine.advance(txn.at);
        let observed = engine.observe(txn).unwrap();
        let looks_like = observed.model().looks_like(txn, observed.row());
        (observed.score(), looks_like, observed.explain(3).first().map(|reason| reason.to_string()))
    };
    let (large, looks_like, reason) = raw_of(&after(1, -900_000, 77));
    assert!(large.tail < 1e-3, "{large:?}");
    assert_eq!(looks_like, Some("an account being emptied"));
    assert!(reason.as_deref().unwrap().contains("what was to be expected of it"), "{reason:?}");
    // The same again and again, a month apart.
    let rents: Vec<f64> = (1..6).map(|n| raw_of(&after(1 + 30 * n, -900_000, 77)).0.raw).collect();
    assert!(rents[4] < large.raw / 2.0, "{} and then {rents:?}", large.raw);
}

/// A view names what it sees, in words for money that goes and for money that comes; what is usual looks like nothing.
#[test]
fn what_is_usual_looks_like_nothing_and_what_comes_in_is_not_spent() {
    let txns = population(60, 90, 5, FULL);
    let engine = views("fit_rows = 4000").fit(&batch(&txns)).unwrap();
    let (mut none, mut all) = (0, 0);
    let (mut spent, mut received) = (vec![], vec![]);
    let mut again = Engine::load(&engine.save()).unwrap();
    for txn in &txns {
        let observed = again.observe(txn).unwrap();
        let looks_like = observed.model().looks_like(txn, observed.row());
        all += 1;
        none += u32::from(looks_like.is_none());
        if let Some(looks_like) = looks_like {
            if txn.amount.minor > 0 { received.push(looks_like) } else { spent.push(looks_like) }
        }
    }
    assert!(none * 4 > all, "{none} of {all}");
    assert!(received.iter().any(|looks_like| looks_like.starts_with("more money than")), "{received:?}");
    assert!(!received.contains(&"a card being tested") && spent.contains(&"a card being tested"));
}

/// Nothing is usual at a counterparty that nobody has paid, so no amount is unusual there.
#[test]
fn an_amount_is_unusual_only_where_something_is_usual() {
    let txns = population(60, 90, 5, FULL);
    let mut engine = views("fit_rows = 4000").fit(&batch(&txns)).unwrap();
    let counts = engine.model().columns().iter().position(|column| column.name == "counterparty_count_90d").unwrap();
    let last = *txns.last().unwrap();
    replayed(&mut engine, &txns);
    let mut known = 0;
    // Each counterparty once as it is, and one that is new in its place.
    for (n, txn) in (1_u64..).zip(txns.iter().rev().filter(|txn| txn.is_outflow()).take(400)) {
        for (counterparty, is_new) in [(txn.counterparty, false), (EntityId::new(1_000_000 + n), true)] {
            let mut paid = *txn;
            paid.at.0 = last.at.0 + i64::try_from(n).unwrap();
            paid.id.0 ^= u128::from(n) << 8 | u128::from(is_new);
            paid.amount = Amount::new(txn.amount.minor.saturating_mul(30), txn.amount.currency);
            paid.counterparty = counterparty;
            let observed = engine.observe(&paid).unwrap();
            let looks_like = observed.model().looks_like(&paid, observed.row());
            let is_unusual = looks_like == Some("an amount unusual for this counterparty");
            assert_eq!(is_new, observed.row()[counts] == 0.0);
            assert!(!(is_new && is_unusual), "{n}");
            known += u32::from(is_unusual);
        }
    }
    assert!(known > 0, "where many have paid, amounts are unusual");
}

#[test]
fn views_run_alone_and_without_parameters() {
    let message = |toml: &str| Config::from_toml(toml).unwrap_err().to_string();
    assert!(message("detectors = [\"views\", \"ecod\"]").contains("`views` beside other detectors"));
    assert!(message("detectors = [{ name = \"views\", trim = 0.1 }]").contains("`views` with parameters"));
    let config = Config::from_toml("warm_up = \"7d\"").unwrap();
    assert_eq!(config.detectors, Config::from_toml("detectors = [\"views\"]").unwrap().detectors);
    assert_eq!(Config::from_toml(&config.to_toml().unwrap()).unwrap(), config);
}
