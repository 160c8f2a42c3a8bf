//! What is documented to allocate nothing allocates nothing.
#![allow(missing_docs, clippy::unwrap_used)]

use crible::core::{Amount, Batch, Code, Currency, EntityId, Position, Timestamp, Transaction, TxnId};
use crible::{Columns, Config, DetectorSpec, Engine, Error};

const ACCOUNTS: i64 = 40;

/// Every account pays every six hours, at one of three places in turn, and is paid once a week.
fn payment(n: i64) -> Transaction {
    let (account, turn) = (n % ACCOUNTS, n / ACCOUNTS);
    let place = account % 5 + 5 * (turn % 3);
    let at = Timestamp::from_seconds(1_735_689_600 + turn * 6 * 3_600 + account * 60);
    let minor = 1_000 + n * 7_919 % 900;
    let amount = Amount::new(if turn % 28 == 0 { 40 * minor } else { -minor }, Currency::EUR);
    let mut payment = Transaction::new(TxnId(n as u128), at, EntityId::from_pseudorandom(1 + account as u64), amount)
        .at_counterparty(EntityId::from_pseudorandom(1_000 + place as u64))
        .in_category(Code::new("groceries"));
    payment.balance_before = Some(500_000);
    payment.position = Position::from_degrees(48.0 + place as f64 / 100.0, 2.0);
    payment
}

#[test]
fn observing_allocates_nothing_once_windows_have_filled() {
    let mut everything = Columns::default();
    everything.add = Config::default().known_columns();
    let detectors = ["robust_z", "robust_distance", "ecod", "hbos", "isolation_forest", "kmeans", "sampled_knn"];
    let seven: Vec<DetectorSpec> = detectors.iter().map(|name| name.parse().unwrap()).collect();
    for columns in [Columns::default(), everything] {
        no_allocation_with(&columns, &seven);
        no_allocation_with(&columns, &Config::default().detectors);
    }
}

fn no_allocation_with(columns: &Columns, detectors: &[DetectorSpec]) {
    let (days, turns) = (122, 4);
    let filled = days * turns * ACCOUNTS;
    let history = Batch::from_transactions((0..filled).map(payment));
    let builder = Engine::builder().detectors(detectors).columns(columns.clone()).fit_rows(2_000);
    let mut engine = builder.fit(&history).unwrap();
    engine.replay(&history, |_, _| Ok::<_, Error>(())).unwrap();
    let rest: Vec<_> = (filled..filled + 5 * turns * ACCOUNTS).map(payment).collect();
    let mut sum = 0.0;
    let counted = allocation_counter::measure(|| {
        for payment in &rest {
            sum += engine.observe(payment).map_or(f64::NAN, |observed| {
                observed.score().raw + f64::from(observed.history().map_or(0, |history| history.account))
            });
        }
    });
    assert!(sum.is_finite() && sum > 0.0);
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{counted:?} over {} payments", rest.len());
    // The count could be another: a new counterparty has to be remembered.
    let new = payment(filled + 5 * turns * ACCOUNTS).at_counterparty(EntityId::from_pseudorandom(77));
    assert!(allocation_counter::measure(|| assert!(engine.observe(&new).is_ok())).count_total > 0);
}

/// What `state_bytes` counts is what the allocator was asked for, within a tenth.
#[test]
fn state_bytes_is_what_is_held() {
    let history = Batch::from_transactions((0..ACCOUNTS * 40).map(payment));
    let mut everything = Columns::default();
    everything.add = Config::default().known_columns();
    for columns in [Columns::default(), everything] {
        let engine = Engine::builder().columns(columns).fit_rows(500).fit(&history).unwrap();
        for payments in [100, 3_000, 20_000] {
            let mut state = None;
            let counted = allocation_counter::measure(|| {
                let mut fresh = Engine::load(&engine.save()).unwrap();
                for n in 0..payments {
                    // Accounts and places by the thousand, some of them seen once.
                    let mut payment = payment(n);
                    payment.account = EntityId::from_pseudorandom(1 + (n * n % 1_009) as u64);
                    fresh
                        .observe(&payment.at_counterparty(EntityId::from_pseudorandom(5_000 + (n % 307) as u64)))
                        .unwrap();
                }
                state = Some(fresh);
            });
            let empty = allocation_counter::measure(|| std::mem::forget(Engine::load(&engine.save()).unwrap()));
            let fresh = state.unwrap();
            let held = (counted.bytes_current - empty.bytes_current) as f64;
            let counted = (fresh.state_bytes() - Engine::load(&engine.save()).unwrap().state_bytes()) as f64;
            assert!((counted / held - 1.0).abs() < 0.1, "{payments} payments: counted {counted}, held {held}");
        }
    }
}
