//! What is said to allocate nothing allocates nothing.
#![allow(missing_docs, clippy::unwrap_used)]

use crible::core::{Amount, Batch, Code, Currency, EntityId, Position, Timestamp, Transaction, TxnId};
use crible::{DetectorName, Engine, Error};

const ACCOUNTS: i64 = 40;

/// Every account pays every six hours, at one of three places in turn.
fn payment(n: i64) -> Transaction {
    let (account, turn) = (n % ACCOUNTS, n / ACCOUNTS);
    let place = account % 5 + 5 * (turn % 3);
    let at = Timestamp::from_seconds(1_735_689_600 + turn * 6 * 3_600 + account * 60);
    let amount = Amount::new(-(1_000 + n * 7_919 % 900), Currency::EUR);
    let mut payment = Transaction::new(TxnId(n as u128), at, EntityId::from_pseudorandom(1 + account as u64), amount)
        .at_counterparty(EntityId::from_pseudorandom(1_000 + place as u64))
        .in_category(Code::new("groceries"));
    payment.balance_before = Some(500_000);
    payment.position = Position::from_degrees(48.0 + place as f64 / 100.0, 2.0);
    payment
}

#[test]
fn observing_allocates_nothing_once_windows_have_filled() {
    let (days, turns) = (62, 4);
    let filled = days * turns * ACCOUNTS;
    let history = Batch::from_transactions((0..filled).map(payment));
    let mut engine = Engine::builder().detectors(&DetectorName::ALL).fit_rows(2_000).fit(&history).unwrap();
    engine.replay(&history, |_, _| Ok::<_, Error>(())).unwrap();
    let rest: Vec<_> = (filled..filled + 5 * turns * ACCOUNTS).map(payment).collect();
    let mut sum = 0.0;
    let counted = allocation_counter::measure(|| {
        for payment in &rest {
            sum += engine.observe(payment).map_or(f64::NAN, |verdict| verdict.score.raw);
        }
    });
    assert!(sum.is_finite() && sum > 0.0);
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{counted:?} over {} payments", rest.len());
    // The count could be another: a new counterparty has to be remembered.
    let new = payment(filled + 5 * turns * ACCOUNTS).at_counterparty(EntityId::from_pseudorandom(77));
    assert!(allocation_counter::measure(|| drop(engine.observe(&new))).count_total > 0);
}
