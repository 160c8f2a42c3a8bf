//! Rows that another row says again: a pending transaction and the posted one it became, an entry and its correction.

use std::collections::{BTreeSet, HashMap};

use crible_core::{Batch, Currency, EntityId};

use super::{Annotations, PENDING};

/// A posted row may be so much earlier or later than the pending one.
const DAYS: i64 = 7;
const DAY: i64 = 86_400_000_000;

/// The same payment, as far as a row without an id tells.
type Payment = (EntityId, Option<EntityId>, i64, Currency);

/// Rows that say what another row says better, in order.
///
/// A row that names the id of another one of its account replaces it. Else a pending row is the same as a posted row of
/// another file if account, counterparty, amount and currency are, within a week, the nearest first and each once: one
/// export does not list a payment both as pending and as posted.
pub(super) fn find(batch: &Batch, said: &Annotations) -> Vec<u32> {
    let mut again: BTreeSet<u32> = BTreeSet::new();
    if let (Some(own), Some(replaces)) = (&said.own, &said.replaces) {
        let mut wanted: HashMap<u64, usize> =
            replaces.iter().enumerate().filter(|(_, id)| **id != 0).map(|(row, &id)| (id, row)).collect();
        for (row, id) in own.iter().enumerate() {
            if let Some(&by) = wanted.get(id)
                && by != row
            {
                again.insert(row as u32);
                wanted.remove(id);
            }
        }
    }
    let Some(marks) = &said.marks else { return again.into_iter().collect() };
    let pending = |row: usize| marks[row] & PENDING != 0;
    let payment = |row: usize| {
        let txn = batch.get(row);
        (txn.account, txn.counterparty, txn.amount.minor, txn.amount.currency)
    };
    // Posted rows of the payments that are pending somewhere.
    let mut posted: HashMap<Payment, Vec<usize>> = HashMap::new();
    let open: Vec<usize> = (0..batch.len()).filter(|&row| pending(row) && !again.contains(&(row as u32))).collect();
    if open.is_empty() {
        return again.into_iter().collect();
    }
    for &row in &open {
        posted.entry(payment(row)).or_default();
    }
    for row in (0..batch.len()).filter(|&row| !pending(row) && !again.contains(&(row as u32))) {
        if let Some(rows) = posted.get_mut(&payment(row)) {
            rows.push(row);
        }
    }
    for row in open {
        let Some(rows) = posted.get_mut(&payment(row)) else { continue };
        let at = batch.times()[row].0;
        let (file, far) = (batch.source(row).file, |other: usize| batch.times()[other].0.abs_diff(at));
        // In order of time: only the few around the pending one can be its twin.
        let middle = rows.partition_point(|&other| batch.times()[other].0 < at);
        let before = rows[..middle].iter().rposition(|&other| batch.source(other).file != file);
        let behind = rows[middle..].iter().position(|&other| batch.source(other).file != file).map(|at| middle + at);
        let nearest = before.into_iter().chain(behind).min_by_key(|&at| (far(rows[at]), rows[at]));
        if let Some(at) = nearest.filter(|&at| far(rows[at]) <= (DAYS * DAY).unsigned_abs()) {
            rows.remove(at);
            again.insert(row as u32);
        }
    }
    again.into_iter().collect()
}
