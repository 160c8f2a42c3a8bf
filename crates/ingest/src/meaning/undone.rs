//! Reversals and refunds, and what they take back.

use std::collections::{HashMap, HashSet};

use crible_core::{Batch, Currency, EntityId, Undo, Undone};

use super::{Annotations, Marks, REFUND, REVERSAL};

/// What is taken back lies at most so far before.
const DAYS: i64 = 60;
const DAY: i64 = 86_400_000_000;

/// Account, counterparty, currency and size of a payment.
type Payment = (EntityId, Option<EntityId>, Currency, u64);

/// By the id that the later row names, wherever the earlier one is. Else, where the feed's word or mark says refund or
/// reversal: the latest earlier row of the same account, counterparty and currency whose amount is the opposite, at
/// most 60 days before and not taken back yet. Rows of one instant count as earlier, since a day without a time has no
/// order.
pub(super) fn find(batch: &Batch, said: &Annotations, marks: &Marks<'_>) -> Vec<Undone> {
    let mut found = by_id(batch, said, marks);
    if marks.is_empty() {
        return found;
    }
    let how = |row: usize| match marks.of(row) {
        says if says & REVERSAL != 0 => Some(Undo::Reversal),
        says if says & REFUND != 0 => Some(Undo::Refund),
        _ => None,
    };
    let mut taken: HashSet<u32> = found.iter().flat_map(|undone| [undone.by, undone.row]).collect();
    let later: Vec<usize> =
        (0..batch.len()).filter(|&row| how(row).is_some() && !taken.contains(&(row as u32))).collect();
    let payment = |row: usize| -> Payment {
        let txn = batch.get(row);
        (txn.account, txn.counterparty, txn.amount.currency, txn.amount.minor.unsigned_abs())
    };
    // Only what has a later row to take it back is kept, the latest on top; each is looked at once.
    let mut open: HashMap<Payment, Vec<usize>> = later.iter().map(|&row| (payment(row), Vec::new())).collect();
    if open.is_empty() {
        return found;
    }
    let accounts: HashSet<EntityId> = open.keys().map(|payment| payment.0).collect();
    let mut start = 0;
    let mut next = later.into_iter().peekable();
    while start < batch.len() {
        let at = batch.times()[start];
        let end = start + batch.times()[start..].partition_point(|&time| time <= at);
        for row in start..end {
            let earlier =
                accounts.contains(&batch.accounts()[row]) && how(row).is_none() && !taken.contains(&(row as u32));
            if earlier && let Some(rows) = open.get_mut(&payment(row)) {
                rows.push(row);
            }
        }
        while let Some(by) = next.next_if(|&row| row < end) {
            let minor = batch.get(by).amount.minor;
            let Some(rows) = open.get_mut(&payment(by)) else { continue };
            let near = |row: &usize| at.0 - batch.times()[*row].0 <= DAYS * DAY;
            let opposite = |row: &usize| minor != 0 && batch.get(*row).amount.minor == -minor;
            // Both directions share a key, so the wrong one may lie on top.
            let Some(place) = rows.iter().rposition(opposite).filter(|&place| near(&rows[place])) else { continue };
            let row = rows.remove(place) as u32;
            taken.insert(row);
            if let Some(how) = how(by) {
                found.push(Undone { by: by as u32, row, how });
            }
        }
        start = end;
    }
    found
}

fn by_id(batch: &Batch, said: &Annotations, marks: &Marks<'_>) -> Vec<Undone> {
    let (Some(own), Some(original)) = (&said.own, &said.original) else { return Vec::new() };
    let mut earlier: HashMap<u64, Option<u32>> = original.iter().filter(|id| **id != 0).map(|&id| (id, None)).collect();
    for (row, id) in own.iter().enumerate() {
        if let Some(slot @ None) = earlier.get_mut(id) {
            *slot = Some(row as u32);
        }
    }
    let mut taken = HashSet::new();
    (0..batch.len())
        .filter(|&by| original[by] != 0)
        .filter_map(|by| {
            let row = earlier.get(&original[by]).copied().flatten().filter(|&row| row as usize != by)?;
            let how = if marks.of(by) & REVERSAL != 0 { Undo::Reversal } else { Undo::Refund };
            // A payment given back in parts is taken back by the first of them.
            taken.insert(row).then_some(Undone { by: by as u32, row, how })
        })
        .collect()
}
