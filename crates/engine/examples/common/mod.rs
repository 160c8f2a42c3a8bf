//! An invented population for the examples: what it did so far, and what it does next.
#![allow(dead_code)]

use std::hash::Hasher;

use crible::core::{Amount, Batch, Code, EntityId, Transaction, TxnId};
use crible_eval::simulate::{BuildError, Simulated, Simulation};
use fnv::FnvHasher;

const DAYS: u32 = 75;
/// The day that what comes live begins on.
const TODAY: u32 = 70;

fn payments() -> Result<Vec<Transaction>, BuildError> {
    Ok(Simulation::builder().accounts(300).days(DAYS).seed(1).fraud_rate(0.005).build()?.map(payment).collect())
}

fn payment(row: Simulated) -> Transaction {
    // A real feed's identifiers become keyed pseudonyms as `crible-ingest` reads them.
    let account = EntityId::from_pseudorandom(u64::from(row.account) + 1);
    let name = row.counterparty.to_string();
    let mut hash = FnvHasher::default();
    hash.write(name.as_bytes());
    let amount = Amount::new(row.amount_minor, Simulated::CURRENCY);
    Transaction::new(TxnId(row.id.into()), row.at, account, amount)
        .at_counterparty(EntityId::from_pseudorandom(hash.finish()))
        .in_category(Code::new(row.category))
}

fn is_live(payments: &[Transaction], payment: &Transaction) -> bool {
    let first = payments.first().map_or(0, |first| first.at.day());
    payment.at.day() - first >= i64::from(TODAY)
}

/// What has been until today.
pub(crate) fn history() -> Result<Batch, BuildError> {
    let payments = payments()?;
    Ok(Batch::from_transactions(payments.iter().filter(|payment| !is_live(&payments, payment)).copied()))
}

/// What comes from today on, in order of time.
pub(crate) fn live() -> Result<Vec<Transaction>, BuildError> {
    let payments = payments()?;
    let mut live: Vec<_> = payments.iter().filter(|payment| is_live(&payments, payment)).copied().collect();
    live.sort_by_key(|payment| (payment.at, payment.id));
    Ok(live)
}
