//! Data shared by the benchmarks.

use crible_core::{Amount, Batch, Code, EntityId, Transaction, TxnId};
use crible_eval::simulate::{BuildError, Simulated, Simulation};

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
    let other = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| spread(hash ^ u64::from(byte)));
    Transaction {
        counterparty: Some(EntityId::from_pseudorandom(other)),
        category: Code::new(row.category),
        channel: Code::new(row.channel),
        country: Code::new(row.country),
        position: row.position,
        balance_before: Some(row.balance_after - row.amount_minor),
        ..Transaction::new(
            TxnId(u128::from(spread(row.id)) << 64 | u128::from(row.id)),
            row.at,
            EntityId::from_pseudorandom(spread(u64::from(row.account) + 1)),
            Amount::new(row.amount_minor, Simulated::CURRENCY),
        )
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn spread(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
