//! Amounts of different currencies are never compared as numbers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use crible::core::{Amount, Currency, Transaction};
use crible::{Engine, Error};

fn yen() -> Currency {
    Currency::new(b"JPY").unwrap()
}

/// The same payment in yen, at 150 a dollar.
fn in_yen(txn: &Transaction) -> Transaction {
    Transaction { amount: Amount::new(txn.amount.minor * 150 / 100, yen()), balance_before: None, ..*txn }
}

/// One payment in `every` in yen.
fn mixed(txns: &[Transaction], every: u128) -> Vec<Transaction> {
    txns.iter().map(|txn| if (txn.id.0 >> 64) % every == 0 { in_yen(txn) } else { *txn }).collect()
}

/// How many of the strangest places payments in yen take.
fn places(scored: &[(f64, bool)], strangest: usize) -> usize {
    let mut order: Vec<usize> = (0..scored.len()).collect();
    order.sort_by(|&a, &b| scored[b].0.total_cmp(&scored[a].0).then(a.cmp(&b)));
    order[..strangest].iter().filter(|&&row| scored[row].1).count()
}

fn scored(engine: &mut Engine, txns: &[Transaction]) -> Vec<(f64, bool)> {
    let batch = batch(txns);
    let mut all = Vec::new();
    engine
        .replay(&batch, |_, scored| {
            all.extend(scored.rows().map(|row| (scored.score(row).raw, batch.get(row).amount.currency == yen())));
            Ok::<_, Error>(())
        })
        .unwrap();
    all
}

/// A fiftieth of the traffic in yen takes about a fiftieth of the strangest places, not most of them.
#[test]
fn yen_among_dollars_are_no_stranger() {
    let txns = mixed(&population(400, 90, 4, FULL), 50);
    let mut engine = Engine::builder().fit_rows(5_000).fit(&batch(&txns)).unwrap();
    assert!(engine.model().knows_currency(yen()) && engine.model().knows_currency(Currency::USD));
    let all = scored(&mut engine, &txns);
    let strangest = all.len() / 25;
    let (yen, share) = (places(&all, strangest), all.iter().filter(|(_, yen)| *yen).count() as f64 / all.len() as f64);
    let expected = strangest as f64 * share;
    println!("{yen} of the {strangest} strangest are in yen, {expected:.0} if they were like any");
    // That hardly anybody pays a counterparty in yen is no matter of amounts, and counts.
    assert!((yen as f64) < 6.0 * expected, "{yen} of {strangest}, expected about {expected}");
}

/// Nor are they where the model has seen none: their amounts are then no evidence, and `Model::knows_currency` is
/// false.
#[test]
fn an_unseen_currency_is_known_to_be_unknown() {
    let txns = population(300, 60, 4, FULL);
    let mut engine = Engine::builder().fit_rows(5_000).fit(&batch(&txns)).unwrap();
    assert!(!engine.model().knows_currency(yen()) && engine.model().knows_currency(Currency::USD));
    let mixed = mixed(&txns, 50);
    let all = scored(&mut engine, &mixed);
    let strangest = all.len() / 25;
    let yen = places(&all, strangest);
    println!("{yen} of the {strangest} strangest are in yen");
    // That hardly anybody pays a counterparty in yen is no matter of amounts, and counts.
    assert!((yen as f64) < 6.0 * strangest as f64 / 50.0, "{yen} of {strangest}");
}

/// An amount is shown in its own currency, whatever it was compared in; and batch and stream agree to the bit.
#[test]
fn amounts_are_said_in_their_own_currency() {
    let txns = mixed(&population(60, 60, 5, FULL), 4);
    let model = quick().fit(&batch(&txns)).unwrap().save();
    let mut engine = Engine::load(&model).unwrap();
    let alone = observed(&mut engine, &txns);
    assert_eq!(differ(&alone, &replayed(&mut Engine::load(&model).unwrap(), &txns)), None);
    let last = txns.last().unwrap();
    let large = Transaction {
        id: crible::core::TxnId(1),
        amount: Amount::new(-98_765_432, yen()),
        ..in_yen(&Transaction { amount: Amount::new(-1, Currency::USD), ..*last })
    };
    let reasons = engine.observe(&large).unwrap().explain(8);
    let said = reasons.iter().find(|reason| reason.column == "amount");
    if let Some(said) = said {
        assert!((said.value / 98_765_432.0 - 1.0).abs() < 1e-3, "{said:?}");
    }
    assert!(reasons.iter().any(|reason| (reason.value / 98_765_432.0 - 1.0).abs() < 1e-3), "{reasons:?}");
}
