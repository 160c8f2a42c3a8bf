//! Running balances: each row's balance less its amount is the balance of the row before.

use std::collections::HashMap;

use crible_core::{Batch, Currency, EntityId};

/// A place in a file where a running balance does not follow from the one before: rows are missing there, or are out of
/// order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The row behind which the balance goes astray, in the order of the account's history; rows count from 0.
    pub after: u64,
    /// The next row of the same account.
    pub before: u64,
    /// What is missing between them, in minor units, signed as amounts are.
    pub missing_minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// One row of a statement.
#[derive(Clone, Copy, Debug)]
struct Line {
    row: u64,
    at: i64,
    before: i64,
    after: i64,
}

/// The gaps of each file, in order of its rows. Of the ways in which an account's rows may stand in a file (oldest
/// first, newest first, or ordered by nothing but their times) the one with the fewest gaps is taken.
pub(super) fn find(batch: &Batch, running: &[bool]) -> Vec<Vec<Gap>> {
    let mut gaps = vec![Vec::new(); running.len()];
    if !running.contains(&true) || !batch.has().balance {
        return gaps;
    }
    let mut lines: HashMap<(u32, EntityId, Currency), Vec<Line>> = HashMap::new();
    for row in 0..batch.len() {
        let source = batch.source(row);
        if !running[source.file as usize] {
            continue;
        }
        let txn = batch.get(row);
        if let Some(before) = txn.balance_before
            && let Some(after) = before.checked_add(txn.amount.minor)
        {
            let line = Line { row: source.row, at: txn.at.0, before, after };
            lines.entry((source.file, txn.account, txn.amount.currency)).or_default().push(line);
        }
    }
    for ((file, _, currency), mut lines) in lines {
        lines.sort_by_key(|line| line.row);
        let oldest_first = chain(lines.iter());
        let newest_first = chain(lines.iter().rev());
        lines.sort_by_key(|line| (line.at, line.row));
        let by_time = by_time(&lines);
        let ways = [oldest_first, newest_first, by_time];
        let fewest = ways.into_iter().min_by_key(Vec::len).unwrap_or_default();
        gaps[file as usize].extend(fewest.into_iter().map(|(after, before, missing_minor)| Gap {
            after,
            before,
            missing_minor,
            currency,
        }));
    }
    for gaps in &mut gaps {
        gaps.sort_unstable();
    }
    gaps
}

type Missing = (u64, u64, i64);

/// Where one line does not follow from the one before.
fn chain<'l>(lines: impl Iterator<Item = &'l Line>) -> Vec<Missing> {
    let mut gaps = Vec::new();
    let mut last: Option<&Line> = None;
    for line in lines {
        if let Some(last) = last
            && last.after != line.before
        {
            gaps.push((last.row, line.row, line.before.saturating_sub(last.after)));
        }
        last = Some(line);
    }
    gaps
}

/// The same where rows of one instant may stand in any order: in a group of them every balance but the first and the
/// last is both one row's after and another's before.
fn by_time(lines: &[Line]) -> Vec<Missing> {
    let mut gaps = Vec::new();
    let mut last: Option<(u64, i64)> = None;
    for group in lines.chunk_by(|a, b| a.at == b.at) {
        let mut ends: HashMap<i64, i64> = HashMap::new();
        for line in group {
            *ends.entry(line.after).or_insert(0) += 1;
            *ends.entry(line.before).or_insert(0) -= 1;
        }
        let begins: Vec<i64> = ends.iter().filter(|(_, count)| **count < 0).map(|(&balance, _)| balance).collect();
        let closes: Vec<i64> = ends.iter().filter(|(_, count)| **count > 0).map(|(&balance, _)| balance).collect();
        let (first, end) = match (&begins[..], &closes[..]) {
            (&[begin], &[close]) if ends[&begin] == -1 && ends[&close] == 1 => (begin, close),
            // The day ends as it began, so it may begin anywhere within.
            ([], []) => {
                let within = last.filter(|(_, balance)| group.iter().any(|line| line.before == *balance));
                let begin = within.map_or(group[0].before, |(_, balance)| balance);
                (begin, begin)
            }
            _ => {
                gaps.extend(last.and_then(|(row, balance)| {
                    let missing = group[0].before.saturating_sub(balance);
                    (missing != 0).then_some((row, group[0].row, missing))
                }));
                gaps.extend(chain(group.iter()));
                last = group.last().map(|line| (line.row, line.after));
                continue;
            }
        };
        if let Some((row, balance)) = last
            && balance != first
        {
            let next = group.iter().find(|line| line.before == first).unwrap_or(&group[0]);
            gaps.push((row, next.row, first.saturating_sub(balance)));
        }
        let closing = group.iter().rfind(|line| line.after == end).unwrap_or(&group[0]);
        last = Some((closing.row, end));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(described: &[(i64, i64, i64)]) -> Vec<Line> {
        let line = |(row, &(at, before, after)): (usize, &(i64, i64, i64))| Line { row: row as u64, at, before, after };
        described.iter().enumerate().map(line).collect()
    }

    #[test]
    fn rows_of_a_day_may_stand_in_any_order() {
        // 100 → 90 → 70 → 75 on one day, told backwards and mixed, then 75 → 50 on the next.
        for day in [[(1, 70, 75), (1, 90, 70), (1, 100, 90)], [(1, 90, 70), (1, 100, 90), (1, 70, 75)]] {
            let described = [&day[..], &[(2, 75, 50)]].concat();
            assert_eq!(by_time(&lines(&described)), [], "{described:?}");
        }
        // A day that ends as it began.
        assert_eq!(by_time(&lines(&[(1, 100, 90), (2, 80, 90), (2, 90, 80), (3, 90, 1)])), []);
        assert_eq!(by_time(&lines(&[(1, 100, 90), (2, 75, 50)])), [(0, 1, -15)]);
        // Missing within a day.
        assert_eq!(by_time(&lines(&[(1, 100, 90), (1, 80, 70)])), [(0, 1, -10)]);
    }

    #[test]
    fn a_gap_says_how_much_is_missing() {
        let described = lines(&[(1, 100, 90), (2, 90, 80), (3, 30, 20)]);
        assert_eq!(chain(described.iter()), [(1, 2, -50)]);
        assert_eq!(chain(described[..2].iter()), []);
    }
}
