//! Contract 9: no column decides alone.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{mix as mixed, pseudonym};
use crible::Engine;
use crible::alert::Severity;
use crible::core::{Amount, Batch, Code, Currency, Timestamp, Transaction, TxnId};

const ACCOUNTS: u64 = 400;
/// Shops, each paid equally often by everybody: what is there is there for good.
const SHOPS: u64 = 40;
const DAYS: u64 = 100;

/// Payment `n` of all: everybody pays once a day, at an hour and of an amount that are usual.
fn payment(n: u64) -> Transaction {
    let (day, of_day) = (n / ACCOUNTS, n % ACCOUNTS);
    let second = day * 86_400 + 8 * 3_600 + of_day * 12 * 3_600 / ACCOUNTS;
    let account = mixed(day ^ 0xabcd) % ACCOUNTS + of_day;
    let minor = 500 + (mixed(n) % 1_000 + mixed(n ^ 7) % 1_000 + mixed(n ^ 8) % 1_000) as i64;
    Transaction {
        counterparty: Some(pseudonym("shop", mixed(n ^ 99) % SHOPS)),
        category: Code::new("5411"),
        ..Transaction::new(
            TxnId(n.into()),
            Timestamp::from_seconds(second as i64),
            pseudonym("account", account % ACCOUNTS),
            Amount::new(-minor, Currency::EUR),
        )
    }
}

/// A shop that has just opened is no crime: where shops are stable, the first payment at a new one, all else being
/// ordinary, is not critical.
#[test]
fn the_first_payment_at_a_new_shop_is_not_critical() {
    let learned = (DAYS - 10) * ACCOUNTS;
    let batch = Batch::from_transactions((0..learned).map(payment));
    let mut engine = Engine::builder().fit(&batch).unwrap();
    engine.replay(&batch, |_, _| Ok::<_, crible::Error>(())).unwrap();
    let (mut firsts, mut critical, mut others_critical) = (0, 0, 0);
    for n in learned..DAYS * ACCOUNTS {
        let mut txn = payment(n);
        let is_first = n % 4 == 0;
        if is_first {
            txn.counterparty = Some(pseudonym("new shop", n));
        }
        let is_critical = engine.observe(&txn).unwrap().severity() == Severity::Critical;
        if is_first {
            firsts += 1;
            critical += u32::from(is_critical);
        } else {
            others_critical += u32::from(is_critical);
        }
    }
    assert!(critical * 100 <= firsts, "{critical} of {firsts} first payments are critical");
    assert!(others_critical <= 5, "{others_critical} of others are critical");
}
