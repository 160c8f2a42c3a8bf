use crate::Error;
use crate::distributions::{ln_student_two_sided, student_two_sided};
use crate::stats::{magnitude, middle};

/// What [`test`](fn@test) finds.
#[derive(Debug, Clone, PartialEq)]
pub struct EsdTest {
    /// Places of the numbers taken out, in order.
    pub removed: Vec<usize>,
    /// Deviate of each before it was taken out.
    pub statistics: Vec<f64>,
    /// Critical value of each.
    pub critical_values: Vec<f64>,
    /// How many of these are outliers.
    pub n_outliers: usize,
}

/// Critical values of the first to the `max_outliers`-th deviate among n numbers, at level `alpha` for all together:
/// (n − i) t / √((n − i − 1 + t²) (n − i + 1)), t the 1 − α / 2 (n − i + 1) quantile with n − i − 1 degrees of freedom.
/// Fewer where numbers run out: two have to remain, and one degree of freedom.
pub fn critical_values(n: usize, max_outliers: usize, alpha: f64) -> Vec<f64> {
    (1..=max_outliers.min(n.saturating_sub(2))).map(|i| critical_value(n - i + 1, alpha)).collect()
}

/// Of the furthest among m ≥ 3 numbers.
fn critical_value(m: usize, alpha: f64) -> f64 {
    let m = m as f64;
    let t = student_two_sided(alpha / m, m - 2.0);
    (m - 1.0) * t / ((m - 2.0 + t * t) * m).sqrt()
}

/// The generalised extreme Studentised deviate test for up to `max_outliers` outliers, at level `alpha`.
///
/// # Errors
/// [`Error::NotFinite`] (column 0) for NaN or an infinity, [`Error::Parameter`] for an `alpha` outside of (0, 1).
///
/// ```
/// use crible_score::esd::test;
///
/// let found = test(&[4.9, 5.1, 5.0, 5.2, 4.8, 5.1, 4.9, 8.5, 5.0, 1.0], 3, 0.05)?;
/// assert_eq!(found.removed[..found.n_outliers], [9, 7]);
/// # Ok::<(), crible_score::Error>(())
/// ```
pub fn test(values: &[f64], max_outliers: usize, alpha: f64) -> Result<EsdTest, Error> {
    if let Some(row) = values.iter().position(|x| !x.is_finite()) {
        return Err(Error::NotFinite { row, column: 0, value: values[row] });
    }
    if !(0.0 < alpha && alpha < 1.0) {
        return Err(Error::parameter("esd", "alpha", alpha, "0 < x < 1"));
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let scale = magnitude(values);
    let sorted: Vec<f64> = order.iter().map(|&i| if scale > 0.0 { values[i] / scale } else { 0.0 }).collect();
    let steps: Vec<Step> = Steps::new(&sorted).take(max_outliers).collect();
    let critical_values = critical_values(values.len(), steps.len(), alpha);
    let statistics: Vec<f64> = steps.iter().map(|step| step.statistic).collect();
    let n_outliers = statistics.iter().zip(&critical_values).rposition(|(s, c)| s > c).map_or(0, |i| i + 1);
    let removed = steps.iter().map(|step| order[step.place]).collect();
    Ok(EsdTest { removed, statistics, critical_values, n_outliers })
}

/// Mean, deviation (n − 1) and number of what remains of ascending values without their outliers.
pub(super) fn clean(sorted: &[f64], max_outliers: usize, alpha: f64) -> (f64, f64, usize) {
    let n = sorted.len();
    let max_outliers = max_outliers.min(n.saturating_sub(2));
    let mut steps = Steps::new(sorted);
    let all = (steps.mean(), steps.deviation(), n);
    if max_outliers == 0 {
        return all;
    }
    // Critical values fall from step to step: what is below the last needs no look at its own.
    let least = critical_value(n - max_outliers + 1, alpha);
    let mut best = all;
    for i in 1..=max_outliers {
        let Some(step) = steps.next() else { break };
        if step.statistic > least && is_significant(step.statistic, n - i + 1, alpha) {
            best = (steps.mean(), steps.deviation(), n - i);
        }
    }
    best
}

/// Whether a deviate among m numbers is above its critical value: by its own t, which needs no quantile.
fn is_significant(deviate: f64, m: usize, alpha: f64) -> bool {
    let m = m as f64;
    let rest = (m - 1.0) * (m - 1.0) - m * deviate * deviate;
    if rest <= 0.0 {
        return true;
    }
    let t = deviate * (m * (m - 2.0) / rest).sqrt();
    ln_student_two_sided(t, m - 2.0) < libm::log(alpha / m)
}

/// A number taken out.
struct Step {
    /// Its place among the ascending values.
    place: usize,
    statistic: f64,
}

/// Takes out, again and again, the number furthest from the mean. Moments of any run around the median are kept as
/// sums from the median outwards, so that an outlier does not swallow the digits of those further in.
struct Steps<'a> {
    sorted: &'a [f64],
    median: f64,
    /// Sums and squares of the distances to the median: of `start + i..n / 2`, and of `n / 2..n / 2 + i`.
    below: Vec<(f64, f64)>,
    above: Vec<(f64, f64)>,
    /// What remains.
    start: usize,
    end: usize,
}

impl<'a> Steps<'a> {
    fn new(sorted: &'a [f64]) -> Self {
        let half = sorted.len() / 2;
        let median = match sorted.len() {
            0 => 0.0,
            n if n % 2 == 1 => sorted[half],
            _ => middle(sorted[half - 1], sorted[half]),
        };
        let sums = |values: &mut dyn Iterator<Item = &f64>| {
            let mut sums = vec![(0.0, 0.0)];
            for x in values {
                let (sum, squares) = sums[sums.len() - 1];
                let d = (x - median).abs();
                sums.push((sum + d, squares + d * d));
            }
            sums
        };
        let below = sums(&mut sorted[..half].iter().rev());
        let above = sums(&mut sorted[half..].iter());
        Self { sorted, median, below, above, start: 0, end: sorted.len() }
    }

    fn count(&self) -> f64 {
        (self.end - self.start) as f64
    }

    /// Mean less median, and mean square of the distances to the median.
    fn moments(&self) -> (f64, f64) {
        let half = self.sorted.len() / 2;
        let below = self.below[half.saturating_sub(self.start)];
        let above = self.above[self.end.saturating_sub(half)];
        ((above.0 - below.0) / self.count(), (above.1 + below.1) / self.count())
    }

    fn mean(&self) -> f64 {
        self.median + self.moments().0
    }

    fn deviation(&self) -> f64 {
        let (mean, square) = self.moments();
        let n = self.count();
        // The mean is within a deviation of the median: at most a bit is lost here.
        let variance = (square - mean * mean) * (n / (n - 1.0));
        if variance > 0.0 { variance.sqrt() } else { 0.0 }
    }
}

impl Iterator for Steps<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let half = self.sorted.len() / 2;
        if self.end - self.start < 3 {
            return None;
        }
        let (mean, deviation) = (self.mean(), self.deviation());
        // Sums are kept on either side of the median: neither may run out. With half of all taken out there is no test
        // left.
        if deviation == 0.0 || self.start + 1 > half || self.end <= half {
            return None;
        }
        let (low, high) = (mean - self.sorted[self.start], self.sorted[self.end - 1] - mean);
        let is_low = low > high;
        let place = if is_low { self.start } else { self.end - 1 };
        let statistic = if is_low { low } else { high } / deviation;
        if is_low {
            self.start += 1
        } else {
            self.end -= 1
        }
        Some(Step { place, statistic })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps agree with means and deviations taken anew, and both ways to decide with each other.
    #[test]
    fn against_the_definition() {
        let mut values: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 61) * 0.1).collect();
        values.extend([40.0, -30.0, 41.0, 1e6, 39.5]);
        let found = test(&values, 8, 0.05).unwrap();
        let mut rest: Vec<usize> = (0..values.len()).collect();
        for (place, statistic) in found.removed.iter().zip(&found.statistics) {
            let n = rest.len() as f64;
            let mean = rest.iter().map(|&i| values[i]).sum::<f64>() / n;
            let square = rest.iter().map(|&i| (values[i] - mean) * (values[i] - mean)).sum::<f64>();
            let deviation = (square / (n - 1.0)).sqrt();
            let furthest = rest.iter().map(|&i| (values[i] - mean).abs() / deviation).fold(0.0, f64::max);
            assert!((furthest - statistic).abs() < 1e-9 * furthest, "{furthest}, {statistic}");
            rest.retain(|i| i != place);
        }
        assert_eq!(found.n_outliers, 5);
        assert_eq!(found.removed[0], 63);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let (mean, deviation, n) = clean(&sorted, 8, 0.05);
        assert_eq!(n, 60);
        assert!((mean - 2.95).abs() < 0.1 && deviation < 2.0, "{mean}, {deviation}");
    }

    #[test]
    fn too_little_to_test() {
        for values in [vec![], vec![1.0], vec![1.0, 9.0], vec![3.0; 20], vec![1e300, -1e300, 0.0]] {
            let found = test(&values, 3, 0.05).unwrap();
            assert_eq!(found.n_outliers, 0, "{values:?}");
        }
        assert!(test(&[0.0, f64::NAN], 1, 0.05).is_err());
        assert!(test(&[0.0], 1, f64::NAN).is_err());
    }
}
