//! Where the outliers of a fit begin.

use crate::Error;

/// The score above which a share of `contamination` of the scores lie: their 1 − `contamination` quantile, interpolated
/// between two scores as NumPy's `percentile` does, to the bit. 0 for no scores.
///
/// Cost: O(n), by selection.
///
/// # Errors
/// [`Error::Parameter`] for a share outside of (0, 0.5].
///
/// ```
/// use crible_score::calibration::threshold;
///
/// let scores = [3.0, 1.0, 2.0, 5.0, 4.0];
/// assert_eq!(threshold(&scores, 0.25)?, 4.0);
/// # Ok::<(), crible_score::Error>(())
/// ```
pub fn threshold(scores: &[f64], contamination: f64) -> Result<f64, Error> {
    if !(0.0 < contamination && contamination <= 0.5) {
        return Err(Error::parameter("threshold", "contamination", contamination, "0 < x <= 0.5"));
    }
    let Some(last) = scores.len().checked_sub(1) else { return Ok(0.0) };
    // NumPy takes percents, which it divides by 100.
    let place = 100.0 * (1.0 - contamination) / 100.0 * last as f64;
    let at = (place.floor() as usize).min(last);
    let from = scores.len() - at;
    let mut largest = largest(scores, from);
    let at_in_largest = largest.len() - from;
    let (_, &mut lower, above) = largest.select_nth_unstable_by(at_in_largest, f64::total_cmp);
    let upper = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    let (part, apart) = (place - at as f64, upper - lower);
    // From the nearer of the two. What is infinitely far off has no part in a place that is exactly the lower's.
    Ok(if part == 0.0 {
        lower
    } else if part < 0.5 {
        lower + apart * part
    } else {
        upper - apart * (1.0 - part)
    })
}

/// The `n` largest scores, 1 or more, and more of them or all: those from a score on that a sample shows to be below
/// the `n`th, if it is. They are picked without a branch, which takes a third of the time of selecting among all.
fn largest(scores: &[f64], n: usize) -> Vec<f64> {
    const SAMPLE: usize = 512;
    // Of so many more in the sample it would be a rare chance if they were not enough.
    const SPARE: usize = 48;
    let mut sample: Vec<f64> = scores.iter().copied().step_by(scores.len().div_ceil(SAMPLE)).collect();
    let place = n * sample.len() / scores.len() + SPARE;
    let Some(place) = sample.len().checked_sub(place).filter(|_| scores.len() > 8 * SAMPLE) else {
        return scores.to_vec();
    };
    let (_, &mut from, _) = sample.select_nth_unstable_by(place, f64::total_cmp);
    let mut picked = vec![0.0; scores.len() + 1];
    let mut count = 0;
    for &score in scores {
        picked[count] = score;
        count += usize::from(score >= from);
    }
    if count < n {
        return scores.to_vec();
    }
    picked.truncate(count);
    picked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_between_scores() {
        fn check(scores: &[f64], contamination: f64, expect: f64) {
            assert_eq!(threshold(scores, contamination).unwrap(), expect, "{scores:?} {contamination}");
        }
        check(&[], 0.1, 0.0);
        check(&[7.0], 0.1, 7.0);
        check(&[1.0, 2.0], 0.5, 1.5);
        check(&[2.0, 1.0, 2.0], 0.25, 2.0);
        check(&[0.0, 10.0], 0.1, 9.0);
        check(&[f64::INFINITY, 0.0, 1.0], 0.5, 1.0);
    }

    /// Scores in an order that a sample is right about, one that misleads it, and many that are equal.
    #[test]
    fn many_scores_are_placed_as_by_sorting() {
        let n = 50_000;
        let period = 50_000_usize.div_ceil(512);
        let orders: [&dyn Fn(usize) -> f64; 4] = [
            &|i| (i * 7_919 % n) as f64 - 20_000.0,
            // Those sampled are the largest.
            &|i| if i % period == 0 { 1e6 + i as f64 } else { i as f64 },
            &|i| (i % 3) as f64,
            &|i| if i % 2 == 0 { -0.0 } else { 0.0 },
        ];
        for (which, order) in orders.into_iter().enumerate() {
            let scores: Vec<f64> = (0..n).map(order).collect();
            let mut sorted = scores.clone();
            sorted.sort_by(f64::total_cmp);
            for contamination in [1e-6, 0.001, 0.1, 0.25, 0.5] {
                let place = (1.0 - contamination) * (n - 1) as f64;
                let (low, high) = (sorted[place as usize], sorted[(place as usize + 1).min(n - 1)]);
                let expect = low + (high - low) * place.fract();
                let found = threshold(&scores, contamination).unwrap();
                assert!((found - expect).abs() <= 1e-9 * expect.abs(), "{which} {contamination}: {found} {expect}");
            }
        }
    }

    #[test]
    fn shares_are_checked() {
        for wrong in [0.0, -0.1, 0.51, f64::NAN, f64::INFINITY] {
            assert!(threshold(&[1.0], wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        /// No more than the share lies above, and the next lower score would be too low.
        #[test]
        fn a_share_lies_above(scores in prop::collection::vec(-50i32..50, 1..300), contamination in 0.001f64..0.5) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let threshold = threshold(&scores, contamination).unwrap();
            let above = |x: f64| scores.iter().filter(|score| **score > x).count() as f64;
            let share = contamination * (scores.len() - 1) as f64;
            prop_assert!(above(threshold) <= share + 1e-9 + 1.0);
            let mut sorted = scores.clone();
            sorted.sort_by(f64::total_cmp);
            let place = (1.0 - contamination) * (scores.len() - 1) as f64;
            let (low, high) = (sorted[place.floor() as usize], sorted[(place.ceil() as usize).min(scores.len() - 1)]);
            prop_assert!((low - 1e-9..=high + 1e-9).contains(&threshold), "{} {} {}", low, threshold, high);
        }
    }
}
