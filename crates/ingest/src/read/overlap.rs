//! Rows that two files share whose names give two accounts. Banks name downloads as they like, so that no rule knows
//! every name of one account; what tells two downloads of it is what stands in both.

use std::collections::{BTreeMap, HashMap};

use crible_core::{Batch, EntityId};

use super::FileReport;

/// More rows than exports of single accounts have are not compared.
const MOST: usize = 1_000_000;
/// Rows that two accounts have to share, where not all rows of the days that both have are shared.
const FEW: usize = 3;

/// What makes a row the same in two downloads.
type Same = (i64, i64, Option<EntityId>);

/// Warns of files that seem to be downloads of one account and are read as two. `named` gives the feed of each file
/// whose account is named after the file.
pub(super) fn warn(batch: &Batch, named: &[Option<&str>], reports: &mut [FileReport]) {
    if named.iter().flatten().count() < 2 || batch.len() > MOST {
        return;
    }
    // The rows of each account of a feed, and the first file that it is of.
    let mut accounts: BTreeMap<(&str, EntityId), (usize, Vec<Same>)> = BTreeMap::new();
    for row in 0..batch.len() {
        let file = batch.source(row).file as usize;
        if let Some(feed) = named.get(file).copied().flatten() {
            let one = batch.get(row);
            let (first, rows) = accounts.entry((feed, one.account)).or_insert((file, Vec::new()));
            *first = (*first).min(file);
            rows.push((one.at.0, one.amount.minor, one.counterparty));
        }
    }
    let mut all: Vec<_> = accounts.into_iter().map(|((feed, _), (file, rows))| (file, feed, rows)).collect();
    // The order of the files, and not that of pseudonyms.
    all.sort_by_key(|&(file, ..)| file);
    let found: Vec<(usize, usize, usize)> = pairs(&all);
    for (earlier, later, shared) in found {
        let other = reports[earlier].shown.clone();
        reports[later].warnings.push(format!(
            "{shared} of its rows stand in {other}, too, which is read as another account by its name: if both are \
             downloads of one account, name it with --account"
        ));
    }
}

/// Pairs of files whose accounts share most of the time that both cover, and how many rows.
fn pairs(all: &[(usize, &str, Vec<Same>)]) -> Vec<(usize, usize, usize)> {
    let mut seen: HashMap<(&str, Same), Vec<usize>> = HashMap::new();
    let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (at, (_, feed, rows)) in all.iter().enumerate() {
        for row in rows {
            let others = seen.entry((feed, *row)).or_default();
            // A row that many accounts have, such as a fee of all, tells nothing.
            if others.last() != Some(&at) && others.len() < 8 {
                others.iter().for_each(|&other| *shared.entry((other, at)).or_default() += 1);
                others.push(at);
            }
        }
    }
    let span = |rows: &[Same]| Some((rows.iter().map(|row| row.0).min()?, rows.iter().map(|row| row.0).max()?));
    let is_one = |&((a, b), count): &((usize, usize), usize)| {
        let (a, b) = (&all[a].2, &all[b].2);
        let (Some((a_from, a_to)), Some((b_from, b_to))) = (span(a), span(b)) else { return false };
        let (from, to) = (a_from.max(b_from), a_to.min(b_to));
        let within = |rows: &[Same]| rows.iter().filter(|row| (from..=to).contains(&row.0)).count();
        let (fewer, more) = (within(a).min(within(b)), within(a).max(within(b)));
        count >= more || (count >= FEW && count * 2 >= fewer)
    };
    shared.into_iter().filter(is_one).map(|((a, b), count)| (all[a].0, all[b].0, count)).collect()
}
