//! Amounts of different currencies are never compared as numbers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use crible::core::{Amount, Currency, Transaction};
use crible::{Builder, Config, Engine, Error, Rates};

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

/// The same by what each view says alone.
fn by_view(engine: &mut Engine, txns: &[Transaction], strangest: usize) -> Vec<(String, usize)> {
    let mut engine = Engine::load(&engine.save()).unwrap();
    let names: Vec<String> = engine.model().detectors().map(str::to_owned).collect();
    let batch = batch(txns);
    let mut all: Vec<Vec<(f64, bool)>> = vec![Vec::new(); names.len()];
    engine
        .replay(&batch, |_, scored| {
            for row in scored.rows() {
                let is_yen = batch.get(row).amount.currency == yen();
                for (all, x) in all.iter_mut().zip(scored.detectors(row)) {
                    all.push((*x, is_yen));
                }
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    names.into_iter().zip(all).map(|(name, all)| (name, places(&all, strangest))).collect()
}

/// That hardly anybody pays a counterparty in yen is no matter of amounts, and counts.
const MOST: f64 = 4.5;

/// A fiftieth of the traffic in yen takes about a fiftieth of the strangest places, not most of them.
#[test]
fn yen_among_dollars_are_no_stranger() {
    for seed in [4, 5, 6] {
        let txns = mixed(&population(400, 90, seed, FULL), 50);
        let mut engine = Engine::builder().fit_rows(5_000).fit(&batch(&txns)).unwrap();
        assert!(engine.model().knows_currency(yen()) && engine.model().knows_currency(Currency::USD));
        let all = scored(&mut engine, &txns);
        let strangest = all.len() / 25;
        let share = all.iter().filter(|(_, yen)| *yen).count() as f64 / all.len() as f64;
        let (yen, expected) = (places(&all, strangest), strangest as f64 * share);
        println!("{yen} of the {strangest} strangest are in yen, {expected:.0} if they were like any");
        for (view, places) in by_view(&mut engine, &txns, strangest) {
            println!("{view}: {:.2} times their share", places as f64 / expected);
        }
        assert!((yen as f64) < MOST * expected, "{yen} of {strangest}, expected about {expected}");
    }
}

/// Nor are they where the model has seen none: their amounts are then no evidence, and `Model::knows_currency` is
/// false.
#[test]
fn an_unseen_currency_is_known_to_be_unknown() {
    // How new it is to be paid in yen differs from population to population, and counts more where nobody was in the fit.
    for (seed, most) in [(4, MOST), (5, 2.0 * MOST), (6, 2.0 * MOST)] {
        let txns = population(300, 60, seed, FULL);
        let mut engine = Engine::builder().fit_rows(5_000).fit(&batch(&txns)).unwrap();
        assert!(!engine.model().knows_currency(yen()) && engine.model().knows_currency(Currency::USD));
        let all = scored(&mut engine, &mixed(&txns, 50));
        let strangest = all.len() / 25;
        let (yen, expected) = (places(&all, strangest), strangest as f64 / 50.0);
        println!("{yen} of the {strangest} strangest are in yen, {expected:.0} if they were like any");
        assert!((yen as f64) < most * expected, "{yen} of {strangest}, expected about {expected}");
    }
}

/// A table of rates says what currencies are worth, whatever was paid in them: the model knows those in the table and no
/// others, scores them alike with the table in any one unit, and keeps it.
#[test]
fn a_table_of_rates_says_what_currencies_are_worth() {
    let txns = mixed(&population(200, 60, 4, FULL), 500);
    let euro: Currency = "EUR".parse().unwrap();
    let fit = |yen_rate: f64, unit: f64| {
        let mut rates = Rates::default();
        rates.of = [(Currency::USD, unit), (yen(), yen_rate * unit)].into();
        let mut config = Config::default();
        config.rates = rates;
        assert_eq!(Config::from_toml(&config.to_toml().unwrap()).unwrap(), config);
        Builder::from(config).fit_rows(2_000).fit(&batch(&txns)).unwrap()
    };
    let learned = Engine::builder().fit_rows(2_000).fit(&batch(&txns)).unwrap();
    assert!(!learned.model().knows_currency(yen()), "too few to learn from");
    let of = |mut engine: Engine| {
        assert!(engine.model().knows_currency(yen()) && !engine.model().knows_currency(euro));
        let mut again = Engine::load(&engine.save()).unwrap();
        let scores = observed(&mut engine, &txns);
        assert_eq!(differ(&scores, &replayed(&mut again, &txns)), None);
        scored(&mut Engine::load(&engine.save()).unwrap(), &txns)
    };
    let (true_rate, other_unit, false_rate) =
        (of(fit(1.0 / 150.0, 1.0)), of(fit(1.0 / 150.0, 0.25)), of(fit(1.0, 1.0)));
    assert_eq!(true_rate, other_unit);
    // Yen taken for dollars look a hundred and fifty times as much.
    let mean = |all: &[(f64, bool)]| {
        let yen: Vec<f64> = all.iter().filter(|(_, yen)| *yen).map(|(raw, _)| *raw).collect();
        yen.iter().sum::<f64>() / yen.len() as f64
    };
    let (right, wrong) = (mean(&true_rate), mean(&false_rate));
    assert!(wrong > right, "{right} with the rate of 1/150, {wrong} at par");
}

/// Where the configuration says so, a payment in another currency is an error of its own kind, and leaves everything as
/// it was: while learning, one at a time, in a batch, and shared.
#[test]
fn other_currencies_are_refused_where_that_is_asked_for() {
    let txns = population(60, 40, 4, FULL);
    let mut rates = Rates::default();
    (rates.of, rates.refuse_others) = ([(Currency::USD, 1.0), ("EUR".parse().unwrap(), 1.1)].into(), true);
    let builder = quick().rates(rates);
    let refusal = |error: Error| match error {
        Error::Currency { txn, currency, expected, .. } => (txn, currency, expected),
        other => panic!("{other:?}"),
    };
    let (past, rest) = txns.split_at(txns.len() / 2);
    let odd = in_yen(&rest[5]);
    let want = (odd.id, yen(), "EUR, USD".to_owned());
    let with: Vec<_> = past.iter().copied().chain([odd]).collect();
    assert_eq!(refusal(builder.fit(&batch(&with)).map(|_| ()).unwrap_err()), want);
    let model = builder.fit(&batch(past)).unwrap().save();
    let mut engine = Engine::load(&model).unwrap();
    replayed(&mut engine, past);
    let state = engine.save_state();
    let error = engine.observe(&odd).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("is in JPY, expected one of EUR, USD"), "{text}");
    assert_eq!(refusal(error), want);
    let all: Vec<_> = rest[..5].iter().copied().chain([odd]).collect();
    assert_eq!(refusal(engine.replay(&batch(&all), |_, _| Ok::<_, Error>(())).unwrap_err()), want);
    assert!(engine.save_state() == state && engine.late() == Default::default());
    let mut shared = engine.share();
    assert_eq!(refusal(shared.observe(&odd).map(|_| ()).unwrap_err()), want);
    let (txn, observed) = shared.observe_next(|| Some(odd)).unwrap();
    assert_eq!((txn, refusal(observed.map(|_| ()).unwrap_err())), (odd, want));
    assert!(shared.save_state() == state);
    assert!(shared.observe(&rest[0]).is_ok());
    // A table that makes no sense is named.
    let wrong = |text: &str| Config::from_toml(text).unwrap_err().to_string();
    assert!(wrong("[currencies]\nrates = { EUR = -1.0 }").contains("a rate of -1 for EUR, expected a number above 0"));
    assert!(wrong("[currencies]\nrates = { EURO = 1.0 }").contains("EURO"));
    assert!(wrong("[currencies]\nrefuse_others = true").contains("there are no rates"));
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
