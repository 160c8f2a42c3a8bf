use std::collections::{BTreeMap, BTreeSet};

use super::{MetricError, checked, same_length};

/// Card precision@k over a number of days.
#[derive(Clone, Debug, PartialEq)]
pub struct CardPrecision {
    /// Mean over the days.
    pub mean: f64,
    /// What a perfect ranking could reach at most: each compromised card found once.
    pub ceiling: f64,
    /// The figure of each day, in order of days.
    pub by_day: Vec<f64>,
}

/// Card precision@k: of the `k` cards somebody can call on a day, how many were compromised, as a share of `k`.
///
/// A card's score on a day is that of its highest transaction, and it counts as compromised on that day where any of
/// its transactions that day is a fraud. A card found is blocked and leaves the days after. Cards of equal score stand
/// in order of their identifiers. On a day with fewer than `k` cards the missing ones count as misses.
///
/// The definition, and the blocking, are those of Le Borgne, Siblini, Lebichot and Bontempi, *Reproducible Machine
/// Learning for Credit Card Fraud Detection* (2022), chapter 4. O(n log n).
///
/// # Errors
/// [`MetricError`] for `k` of 0, lengths that differ, NaN, or labels of one class.
pub fn card_precision_at<C: Copy + Ord>(
    k: usize,
    days: &[i64],
    cards: &[C],
    scores: &[f64],
    truth: &[bool],
) -> Result<CardPrecision, MetricError> {
    if k == 0 {
        return Err(MetricError::ZeroK);
    }
    same_length("days", days.len(), scores.len())?;
    same_length("cards", cards.len(), scores.len())?;
    checked(scores, truth)?;

    let mut by_day: BTreeMap<i64, BTreeMap<C, (f64, bool)>> = BTreeMap::new();
    let mut compromised = BTreeSet::new();
    for (((&day, &card), &score), &fraud) in days.iter().zip(cards).zip(scores).zip(truth) {
        let (best, any) = by_day.entry(day).or_default().entry(card).or_insert((score, false));
        *best = best.max(score);
        *any |= fraud;
        if fraud {
            compromised.insert(card);
        }
    }

    let mut blocked = BTreeSet::new();
    let mut precisions = Vec::with_capacity(by_day.len());
    for cards in by_day.values() {
        let mut standing: Vec<(f64, C, bool)> = (cards.iter())
            .filter(|(card, _)| !blocked.contains(*card))
            // Adding zero turns minus zero into zero, which it equals.
            .map(|(&card, &(score, fraud))| (score + 0.0, card, fraud))
            .collect();
        standing.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let before = blocked.len();
        blocked.extend(standing.iter().take(k).filter(|card| card.2).map(|card| card.1));
        precisions.push((blocked.len() - before) as f64 / k as f64);
    }
    let days = precisions.len() as f64;
    Ok(CardPrecision {
        mean: precisions.iter().sum::<f64>() / days,
        ceiling: (compromised.len() as f64 / (k as f64 * days)).min(1.0),
        by_day: precisions,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_card_found_leaves_the_days_after() {
        let days = [0, 0, 0, 1, 1, 1];
        let cards = ["ann", "bob", "ann", "ann", "eve", "bob"];
        let scores = [0.2, 0.5, 0.9, 0.9, 0.3, 0.3];
        let truth = [true, false, false, true, true, false];
        let found = card_precision_at(1, &days, &cards, &scores, &truth).unwrap();
        // Day 0: ann, by her best score. Day 1: ann is blocked, and of the equals bob stands before eve.
        assert_eq!(found, CardPrecision { mean: 0.5, ceiling: 1.0, by_day: vec![1.0, 0.0] });
        let found = card_precision_at(4, &days, &cards, &scores, &truth).unwrap();
        assert_eq!(found, CardPrecision { mean: 0.25, ceiling: 0.25, by_day: vec![0.25, 0.25] });
    }

    #[test]
    fn what_has_no_figure_is_an_error() {
        let find = |k: usize, days: &[i64], cards: &[u8], scores: &[f64], truth: &[bool]| {
            card_precision_at(k, days, cards, scores, truth).unwrap_err()
        };
        let both = [true, false];
        assert_eq!(find(0, &[0, 0], &[1, 2], &[0.1, 0.2], &both), MetricError::ZeroK);
        assert_eq!(find(1, &[0, 0], &[1, 2], &[0.1, f64::NAN], &both), MetricError::Nan { row: 1 });
        assert_eq!(
            find(1, &[0], &[1, 2], &[0.1, 0.2], &both),
            MetricError::Length { column: "days", found: 1, expected: 2 }
        );
        assert_eq!(
            find(1, &[0, 0], &[1], &[0.1, 0.2], &both),
            MetricError::Length { column: "cards", found: 1, expected: 2 }
        );
        assert!(matches!(find(1, &[], &[], &[], &[]), MetricError::OneClass { .. }));
    }
}
