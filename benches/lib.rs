//! Data shared by the benchmarks.

use std::hash::Hasher;

use crible_core::{Amount, Batch, Code, EntityId, Transaction, TxnId};
use crible_eval::simulate::{BuildError, Simulated, Simulation};
use fnv::FnvHasher;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

/// The first `rows` payments of an invented population, with every column a feed can fill.
///
/// # Errors
/// Where there is no such population.
pub fn population(accounts: u32, days: u32, rows: usize) -> Result<Batch, BuildError> {
    let simulation = Simulation::builder().accounts(accounts).days(days).seed(1).build()?;
    Ok(Batch::from_transactions(simulation.take(rows).map(|row| transaction(&row))))
}

/// An invented payment as ingest would hand it on: identifiers spread over all their bits.
pub fn transaction(row: &Simulated) -> Transaction {
    let name = row.counterparty.to_string();
    let other = mix(hash(&name));
    Transaction {
        counterparty: Some(EntityId::from_pseudorandom(other)),
        category: Code::new(row.category),
        channel: Code::new(row.channel),
        country: Code::new(row.country),
        position: row.position,
        balance_before: Some(row.balance_after - row.amount_minor),
        ..Transaction::new(
            TxnId(u128::from(mix(row.id)) << 64 | u128::from(row.id)),
            row.at,
            EntityId::from_pseudorandom(mix(u64::from(row.account))),
            Amount::new(row.amount_minor, Simulated::CURRENCY),
        )
    }
}

/// A well-mixed number from a counter: the first number of SplitMix64 (Steele, Lea and Flood 2014).
pub fn mix(x: u64) -> u64 {
    SplitMix64::seed_from_u64(x).next_u64()
}

/// A well-mixed number from a text: FNV-1a.
pub fn hash(text: &str) -> u64 {
    let mut hash = FnvHasher::default();
    hash.write(text.as_bytes());
    hash.finish()
}
