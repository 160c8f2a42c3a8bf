//! What the state of many accounts takes: `cargo bench --bench state -- [ACCOUNTS] [PAYMENTS EACH]`.
//!
//! Every account makes its payments within thirty days, at twenty counterparties of its own out of one for every twenty
//! accounts, so that every payment is retained twice: for its account and for its counterparty. It reports the bytes
//! that the state counts and those the process has grown by, a payment and in all, and what a million accounts with a
//! hundred payments each would take.

#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::Instant;

use crible::core::{Amount, Batch, Code, Currency, EntityId, Has, Timestamp, Transaction, TxnId};
use crible_benches::mix;
use crible_feature::{Block, FeatureSet};

const DAYS: i64 = 29;
const OWN: u64 = 20;
/// Payments handed in together: what these and working them off takes is in the growth of the process, too.
const BATCH: usize = 1 << 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let accounts = numbers.next().unwrap_or(10_000).max(20);
    let each = numbers.next().unwrap_or(100).max(1);
    let has = Has { counterparty: true, category: true, balance: true, ..Has::default() };
    let mut set = FeatureSet::to_score(has);
    let mut block = Block::default();
    let all = accounts * each;
    let before = resident();
    let begin = Instant::now();
    for from in (0..all).step_by(BATCH) {
        let to = (from + BATCH as u64).min(all);
        let batch = Batch::from_transactions((from..to).map(|n| payment(n, accounts, all)));
        set.step_all(&batch, 0..batch.len(), |_| false, &mut block)?;
    }
    let took = begin.elapsed().as_secs_f64();
    let (counted, grown) = (set.state_bytes() as f64, (resident() - before) as f64);
    let gib = f64::from(1 << 30);
    println!("{accounts} accounts, {all} payments retained, {:.2} µs each", took * 1e6 / all as f64);
    println!(
        "state_bytes {:.3} GiB, {:.1} a payment; the process grew by {:.3} GiB",
        counted / gib,
        counted / all as f64,
        grown / gib
    );
    let scale = 1e8 / all as f64;
    if accounts * 100 == all {
        println!(
            "a million accounts, 100 million payments: {:.2} GiB, {:.2} resident",
            counted * scale / gib,
            grown * scale / gib
        );
    }
    Ok(())
}

/// The `n`th of all payments.
fn payment(n: u64, accounts: u64, all: u64) -> Transaction {
    let account = mix(n) % accounts;
    let shop = mix(account * OWN + mix(n ^ 0x5eed) % OWN) % (accounts / 20);
    let at = Timestamp((u128::from(n) * (DAYS * Timestamp::DAY) as u128 / u128::from(all)) as i64);
    let cents = 200 + (mix(n ^ 0xcafe) % 20_000) as i64;
    let mut payment = Transaction::new(
        TxnId(n.into()),
        at,
        EntityId::from_pseudorandom(mix(account ^ 0xacc0)),
        Amount::new(-cents, Currency::EUR),
    )
    .at_counterparty(EntityId::from_pseudorandom(mix(shop ^ 0x5403)))
    .in_category(Code::new(["food", "fuel", "cafe", "books"][shop as usize % 4]));
    payment.balance_before = Some(500_000);
    payment
}

/// Bytes of the process in memory.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0) * 4_096
}
