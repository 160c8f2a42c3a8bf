use super::{MetricError, checked};

/// Rows of one score.
#[derive(Clone, Copy)]
struct Tied {
    frauds: usize,
    rows: usize,
}

/// Blocks of equal scores, highest first. Zero and minus zero are equal, as they are to a comparison.
fn blocks(scores: &[f64], truth: &[bool]) -> Vec<Tied> {
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(truth.iter().copied()).collect();
    // Adding zero turns minus zero into zero; there is no NaN, so this is the order of the numbers.
    rows.sort_unstable_by(|a, b| (b.0 + 0.0).total_cmp(&(a.0 + 0.0)));
    rows.chunk_by(|a, b| a.0 == b.0)
        .map(|block| Tied { frauds: block.iter().filter(|row| row.1).count(), rows: block.len() })
        .collect()
}

/// The chance that a fraud scores higher than a row that is none, a tie counting half: the area under the ROC curve.
///
/// The count behind it is exact; the one rounding is in the last division. O(n log n).
///
/// # Errors
/// [`MetricError`] for lengths that differ, NaN, or labels of one class.
///
/// ```
/// use crible_eval::metrics::roc_auc;
/// assert_eq!(roc_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?, 0.75);
/// # Ok::<(), crible_eval::metrics::MetricError>(())
/// ```
pub fn roc_auc(scores: &[f64], truth: &[bool]) -> Result<f64, MetricError> {
    let frauds = checked(scores, truth)? as u128;
    let clean = truth.len() as u128 - frauds;
    // Twice the number of pairs won, so that half a pair is whole.
    let (mut twice_won, mut frauds_above) = (0u128, 0u128);
    for block in blocks(scores, truth) {
        let clean_here = (block.rows - block.frauds) as u128;
        twice_won += clean_here * (2 * frauds_above + block.frauds as u128);
        frauds_above += block.frauds as u128;
    }
    Ok(twice_won as f64 / (2 * frauds * clean) as f64)
}

/// Average precision: the precision at each distinct score, weighted by the recall gained there, without interpolation.
/// O(n log n).
///
/// # Errors
/// [`MetricError`] for lengths that differ, NaN, or labels of one class.
pub fn average_precision(scores: &[f64], truth: &[bool]) -> Result<f64, MetricError> {
    let frauds = checked(scores, truth)? as f64;
    let (mut found, mut seen, mut sum) = (0usize, 0usize, 0.0);
    for block in blocks(scores, truth) {
        found += block.frauds;
        seen += block.rows;
        sum += block.frauds as f64 * (found as f64 / seen as f64);
    }
    Ok(sum / frauds)
}

/// The share of frauds among the `k` highest-scored rows. Where the k-th place is tied, the expectation over all ways
/// to break the tie. With fewer than `k` rows the missing ones count as misses.
///
/// # Errors
/// [`MetricError`] for `k` of 0, lengths that differ, NaN, or labels of one class.
pub fn precision_at(k: usize, scores: &[f64], truth: &[bool]) -> Result<f64, MetricError> {
    if k == 0 {
        return Err(MetricError::ZeroK);
    }
    checked(scores, truth)?;
    let (mut found, mut left) = (0.0, k);
    for block in blocks(scores, truth) {
        if block.rows >= left {
            found += block.frauds as f64 * left as f64 / block.rows as f64;
            break;
        }
        found += block.frauds as f64;
        left -= block.rows;
    }
    Ok(found / k as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    /// Every pair compared.
    fn auc_by_pairs(scores: &[f64], truth: &[bool]) -> f64 {
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..scores.len()).filter(|&i| truth[i]) {
            for j in (0..scores.len()).filter(|&j| !truth[j]) {
                pairs += 1.0;
                won += if scores[i] > scores[j] {
                    1.0
                } else if scores[i] == scores[j] {
                    0.5
                } else {
                    0.0
                };
            }
        }
        won / pairs
    }

    fn rows() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
        prop::collection::vec((0u8..12, any::<bool>()), 2..60)
            .prop_map(|rows| rows.into_iter().map(|(s, t)| (f64::from(s) / 4.0, t)).unzip())
            .prop_filter("both classes", |(_, t): &(Vec<f64>, Vec<bool>)| t.contains(&true) && t.contains(&false))
    }

    proptest! {
        #[test]
        fn auc_is_the_share_of_pairs_won((scores, truth) in rows()) {
            prop_assert!((roc_auc(&scores, &truth).unwrap() - auc_by_pairs(&scores, &truth)).abs() < 1e-12);
        }

        #[test]
        fn no_figure_depends_on_the_order_of_rows((scores, truth) in rows(), turn in 0usize..60, k in 1usize..70) {
            let mut turned: Vec<_> = scores.iter().copied().zip(truth.iter().copied()).collect();
            turned.rotate_left(turn % scores.len());
            let (s, t): (Vec<f64>, Vec<bool>) = turned.into_iter().unzip();
            prop_assert_eq!(roc_auc(&scores, &truth), roc_auc(&s, &t));
            prop_assert_eq!(average_precision(&scores, &truth), average_precision(&s, &t));
            prop_assert_eq!(precision_at(k, &scores, &truth), precision_at(k, &s, &t));
        }
    }

    #[test]
    fn precision_among_the_highest() {
        let scores = [0.9, 0.8, 0.8, 0.8, 0.1];
        let truth = [true, true, false, false, true];
        let check = |k: usize, expect: f64| {
            assert!((precision_at(k, &scores, &truth).unwrap() - expect).abs() < 1e-12, "{k}");
        };
        check(1, 1.0);
        check(2, (1.0 + 1.0 / 3.0) / 2.0);
        check(4, 0.5);
        check(5, 0.6);
        check(10, 0.3);
        assert_eq!(precision_at(0, &scores, &truth), Err(MetricError::ZeroK));
    }

    #[test]
    fn what_has_no_figure_is_an_error() {
        for metric in [roc_auc, average_precision, |s: &[f64], t: &[bool]| precision_at(1, s, t)] {
            assert_eq!(metric(&[1.0, f64::NAN], &[true, false]), Err(MetricError::Nan { row: 1 }));
            assert_eq!(metric(&[1.0, 2.0], &[true, true]), Err(MetricError::OneClass { frauds: 2, rows: 2 }));
            assert_eq!(metric(&[1.0, 2.0], &[false, false]), Err(MetricError::OneClass { frauds: 0, rows: 2 }));
            assert_eq!(metric(&[], &[]), Err(MetricError::OneClass { frauds: 0, rows: 0 }));
            assert_eq!(
                metric(&[1.0], &[true, false]),
                Err(MetricError::Length { column: "truth", found: 2, expected: 1 })
            );
        }
        assert_eq!(roc_auc(&[f64::INFINITY, -0.0, 0.0, f64::NEG_INFINITY], &[true, true, false, false]), Ok(0.875));
    }
}
