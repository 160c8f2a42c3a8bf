//! Transfers between accounts of the import, paired.

use std::collections::{BTreeSet, HashMap, HashSet};

use crible_core::{Batch, Currency, EntityId};

use super::{Marks, TRANSFER};

/// The two sides of a transfer are booked at most so far apart.
const DAYS: i64 = 3;
const DAY: i64 = 86_400_000_000;
/// With more accounts an import is of a population, and equal amounts of strangers say nothing.
const ACCOUNTS: usize = 1_000;
/// Inflows of one amount that an outflow is compared with on either side of it.
const COMPARED: usize = 64;

/// Pairs of an outflow and an inflow of another account, of one amount and currency, at most three days apart, of which
/// one names the other's account as its counterparty or the feed's word or mark says transfer. Those that name each
/// other go first, then the nearest in time, then the order of the rows; each row is in one pair.
pub(super) fn find(batch: &Batch, marks: &Marks<'_>, taken: &HashSet<u32>, parties: bool) -> Vec<(u32, u32)> {
    if marks.is_empty() && !parties {
        return Vec::new();
    }
    let mut accounts: HashSet<EntityId> = HashSet::new();
    for &account in batch.accounts() {
        accounts.insert(account);
        if accounts.len() > ACCOUNTS {
            return Vec::new();
        }
    }
    if accounts.len() < 2 {
        return Vec::new();
    }
    // Rows by currency and size, in order of time.
    let mut sizes: HashMap<(Currency, u64), (Vec<usize>, Vec<usize>)> = HashMap::new();
    for row in (0..batch.len()).filter(|&row| !taken.contains(&(row as u32))) {
        let amount = batch.get(row).amount;
        if amount.minor != 0 {
            let (out, into) = sizes.entry((amount.currency, amount.minor.unsigned_abs())).or_default();
            if amount.minor < 0 { out.push(row) } else { into.push(row) }
        }
    }
    let says = |row: usize| marks.of(row) & TRANSFER != 0;
    let mut pairs = BTreeSet::new();
    for (out, into) in sizes.values().filter(|(out, into)| !out.is_empty() && !into.is_empty()) {
        for &row in out {
            let txn = batch.get(row);
            let middle = into.partition_point(|&other| batch.times()[other] < txn.at);
            let near = into[..middle].iter().rev().take(COMPARED).chain(into[middle..].iter().take(COMPARED));
            for &other in near {
                let side = batch.get(other);
                let apart = side.at.0.abs_diff(txn.at.0);
                if side.account == txn.account || apart > (DAYS * DAY).unsigned_abs() {
                    continue;
                }
                let named = txn.counterparty == Some(side.account) || side.counterparty == Some(txn.account);
                // Money for another account of the import went there and not here.
                let elsewhere = |party: Option<EntityId>, here: EntityId| {
                    party.is_some_and(|party| party != here && accounts.contains(&party))
                };
                let elsewhere = elsewhere(txn.counterparty, side.account) || elsewhere(side.counterparty, txn.account);
                if !elsewhere && (named || says(row) || says(other)) {
                    pairs.insert((!named, apart, row as u32, other as u32));
                }
            }
        }
    }
    let mut used = HashSet::new();
    pairs
        .into_iter()
        .filter(|&(_, _, row, other)| {
            let free = !used.contains(&row) && !used.contains(&other);
            if free {
                used.extend([row, other]);
            }
            free
        })
        .map(|(_, _, row, other)| (row, other))
        .collect()
}
