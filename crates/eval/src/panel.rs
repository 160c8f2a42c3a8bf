//! How well transactions are ranked without labels: learned from what is before a day, judged after it.
//!
//! The protocol is that of the project's own panel. The day is the UTC midnight before 70 % of the span, or an earlier
//! one where fewer than [`ENOUGH_FRAUDS`] frauds would be left to find. What is judged are the rows of known label from
//! that day on. Beside ROC AUC and average precision there is the share of fraud accounts that somebody finds who looks
//! at one account a day for every 200 there are. Labels are seen by these figures alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crible_core::{Amount, Timestamp};

use crate::metrics::{MetricError, average_precision, roc_auc};

/// Fewer frauds than these are too few to judge by.
pub const ENOUGH_FRAUDS: usize = 20;

/// One account of so many can be looked at in a day.
pub const ACCOUNTS_A_PLACE: usize = 200;

/// The share of the span that is learned from.
const LEARNED: f64 = 0.7;

/// What a ranking found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The area under the ROC curve.
    pub roc_auc: f64,
    /// Average precision.
    pub average_precision: f64,
    /// Of the accounts with frauds, those found by looking at the highest-scored accounts of each day.
    pub recall: f64,
}

impl Found {
    /// The mean of several, by figure; none of none.
    pub fn mean(all: &[Self]) -> Option<Self> {
        let n = all.len() as f64;
        let of = |figure: fn(&Self) -> f64| all.iter().map(figure).sum::<f64>() / n;
        (!all.is_empty()).then(|| Self {
            roc_auc: of(|found| found.roc_auc),
            average_precision: of(|found| found.average_precision),
            recall: of(|found| found.recall),
        })
    }
}

/// The day before which is learned and from which on is judged; none where there are no rows. `times` ascend, `frauds`
/// says which rows are known to be frauds.
pub fn split(times: &[Timestamp], frauds: &[bool]) -> Option<Timestamp> {
    let midnight = |at: Timestamp| Timestamp(at.day() * Timestamp::DAY);
    let (first, last) = (times.first()?, times.last()?);
    let day = midnight(Timestamp(first.0 + ((last.0 - first.0) as f64 * LEARNED) as i64));
    let at: Vec<Timestamp> = times.iter().zip(frauds).filter(|(_, fraud)| **fraud).map(|(at, _)| *at).collect();
    let left = at.iter().filter(|at| **at >= day).count();
    match at.len().checked_sub(ENOUGH_FRAUDS) {
        Some(nth) if left < ENOUGH_FRAUDS => Some(midnight(at[nth])),
        _ => Some(day),
    }
}

/// Rows that are judged, in any order.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// UTC days.
    pub days: Vec<i64>,
    /// Accounts, by numbers: of accounts of one score the lower comes first.
    pub accounts: Vec<u32>,
    /// Which are frauds.
    pub truth: Vec<bool>,
    /// Accounts that can be looked at in a day, at least one.
    pub places: usize,
}

impl Judged {
    /// What a ranking of these rows found.
    ///
    /// # Errors
    /// [`MetricError`] for lengths that differ, NaN, or labels of one class.
    pub fn found(&self, scores: &[f64]) -> Result<Found, MetricError> {
        Ok(Found {
            roc_auc: roc_auc(scores, &self.truth)?,
            average_precision: average_precision(scores, &self.truth)?,
            recall: self.recall(scores),
        })
    }

    /// Each account's highest score of a day counts; of equals the account with the lower number.
    fn recall(&self, scores: &[f64]) -> f64 {
        let mut days: BTreeMap<i64, BTreeMap<u32, (f64, bool)>> = BTreeMap::new();
        for (((day, account), score), fraud) in self.days.iter().zip(&self.accounts).zip(scores).zip(&self.truth) {
            let (best, any) = days.entry(*day).or_default().entry(*account).or_insert((*score, false));
            *best = best.max(*score);
            *any |= fraud;
        }
        let (mut all, mut found) = (BTreeSet::new(), BTreeSet::new());
        for accounts in days.into_values() {
            let mut accounts: Vec<(u32, f64, bool)> =
                accounts.into_iter().map(|(account, (score, fraud))| (account, score, fraud)).collect();
            all.extend(accounts.iter().filter(|(.., fraud)| *fraud).map(|(account, ..)| *account));
            // Stable: equals keep the order of their numbers.
            accounts.sort_by(|a, b| b.1.total_cmp(&a.1));
            found.extend(accounts.iter().take(self.places).filter(|(.., fraud)| *fraud).map(|(account, ..)| *account));
        }
        found.len() as f64 / all.len() as f64
    }
}

/// How many times what the account paid on average in the 30 days before each payment is, from its size alone; 1 where
/// it paid nothing. Rows are in order of time, and those of one instant do not see one another. The plainest of
/// baselines that knows an account.
pub fn ratio_to_mean(times: &[Timestamp], accounts: &[u32], amounts: &[Amount]) -> Vec<f64> {
    const WINDOW: i64 = 30 * Timestamp::DAY;
    let mut paid: HashMap<u32, (VecDeque<(i64, u64)>, u128)> = HashMap::new();
    let mut ratios = vec![1.0; times.len()];
    let mut from = 0;
    for instant in times.chunk_by(|a, b| a == b) {
        let rows = from..from + instant.len();
        from = rows.end;
        for row in rows.clone() {
            let Some((events, sum)) = paid.get_mut(&accounts[row]) else { continue };
            while let Some((_, size)) = events.front().filter(|(at, _)| *at < times[row].0 - WINDOW) {
                *sum -= u128::from(*size);
                events.pop_front();
            }
            if *sum > 0 {
                let mean = *sum as f64 / events.len() as f64;
                ratios[row] = amounts[row].minor.unsigned_abs() as f64 / mean;
            }
        }
        for row in rows {
            let size = amounts[row].minor.unsigned_abs();
            let (events, sum) = paid.entry(accounts[row]).or_default();
            events.push_back((times[row].0, size));
            *sum += u128::from(size);
        }
    }
    ratios
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crible_core::Currency;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp(hours * Timestamp::DAY / 24)
    }

    #[test]
    fn the_day_leaves_enough_frauds_to_find() {
        // A hundred days, a row an hour.
        let times: Vec<Timestamp> = (0..2_400).map(at).collect();
        let frauds = |from: usize, count: usize| (0..2_400).map(|row| (from..from + count).contains(&row)).collect();
        let split = |frauds: Vec<bool>| split(&times, &frauds).unwrap().day();
        assert_eq!(split(frauds(1_700, 30)), 69, "2,399 hours, 70 % of them, from their midnight");
        // None is left: the last twenty begin at row 1,610.
        assert_eq!(split(frauds(1_600, 30)), 67);
        assert_eq!(split(frauds(100, 19)), 69, "too few whatever the day");
        assert_eq!(super::split(&[], &[]), None);
    }

    #[test]
    fn accounts_are_found_within_the_places_of_a_day() {
        let judged = Judged {
            days: vec![0, 0, 0, 1, 1, 1, 1],
            accounts: vec![1, 1, 2, 3, 1, 2, 4],
            truth: vec![false, true, true, true, false, false, true],
            places: 1,
        };
        // Day 0: account 1 by its ordinary row, but it has a fraud that day. Day 1: account 3.
        let scores = [0.9, 0.1, 0.8, 0.7, 0.6, 0.5, 0.4];
        assert_eq!(judged.found(&scores).unwrap().recall, 2.0 / 4.0);
        let wide = Judged { places: 2, ..judged.clone() };
        assert_eq!(wide.found(&scores).unwrap().recall, 3.0 / 4.0);
        let scores = [f64::NAN, 0.1, 0.8, 0.7, 0.6, 0.5, 0.4];
        assert_eq!(judged.found(&scores), Err(MetricError::Nan { row: 0 }));
    }

    #[test]
    fn a_ratio_reads_what_is_strictly_earlier() {
        let hours = [0, 0, 24, 48, 24 * 32];
        let times = hours.map(at);
        let accounts = [1, 1, 1, 2, 1];
        let amounts = [-100, 300, -400, -900, -50].map(|minor| Amount::new(minor, Currency::EUR));
        // The last sees the third alone: the first two are 32 days old.
        assert_eq!(ratio_to_mean(&times, &accounts, &amounts), [1.0, 1.0, 2.0, 1.0, 1.0]);
        let amounts = [-100, 300, -400, -900, -4_000].map(|minor| Amount::new(minor, Currency::EUR));
        let times = [0, 0, 24, 48, 24 * 30].map(at);
        assert_eq!(ratio_to_mean(&times, &accounts, &amounts)[4], 4_000.0 / (800.0 / 3.0));
    }
}
