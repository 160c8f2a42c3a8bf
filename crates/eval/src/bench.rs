//! Which detector is best on which data: every detector on every labelled table, and what the figures together show.
//!
//! A detector sees no label: it is fitted on all rows of a table and scores the same rows, as is done in the literature
//! (Han, Hu, Huang, Jiang and Zhao, *ADBench: Anomaly Detection Benchmark*, NeurIPS 2022). Labels come in afterwards,
//! by the [`metrics`](crate::metrics). [`Ranking`] tests whether a difference between detectors is more than luck.

mod halves;
mod ranking;
mod studentized;

use std::time::{Duration, Instant};

use crible_score::{Detector, score};
use ndarray::ArrayView2;

use crate::metrics::{MetricError, average_precision, precision_at, roc_auc};

pub use halves::{Figures, Half, Halves};
pub use ranking::{Ranked, Ranking};

/// How well a detector does on a labelled table, and what it cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The area under the ROC curve.
    pub roc_auc: f64,
    /// Average precision.
    pub average_precision: f64,
    /// Precision among as many rows as are anomalies.
    pub precision_at_n: f64,
    /// Wall time of the fit.
    pub fit: Duration,
    /// Wall time of scoring all rows.
    pub score: Duration,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The detector failed.
    #[error(transparent)]
    Detector(#[from] crible_score::Error),
    /// The labels do.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long something took is what a benchmark asks; no score depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

/// Fits a detector on `rows` (n × k, finite), scores the same rows, and compares with `anomalies` (n). Runs in the
/// caller's rayon pool.
///
/// # Errors
/// The detector's, or [`MetricError`] where the labels are of one class.
///
/// ```
/// use crible_eval::bench::measure;
/// use ndarray::Array2;
///
/// let rows = Array2::from_shape_fn((200, 2), |(i, j)| if i == 7 { 90.0 } else { ((i * (j + 3)) % 11) as f64 });
/// let anomalies: Vec<bool> = (0..200).map(|i| i == 7).collect();
/// let measured = measure(crible_score::detector("knn", 0)?.as_ref(), rows.view(), &anomalies)?;
/// assert_eq!(measured.roc_auc, 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn measure(detector: &dyn Detector, rows: ArrayView2<'_, f64>, anomalies: &[bool]) -> Result<Measured, BenchError> {
    let began = now();
    let model = detector.fit(rows)?;
    let fitted = now();
    let scores = score(model.as_ref(), rows)?.to_vec();
    let scored = now();
    let n = anomalies.iter().filter(|&&anomaly| anomaly).count();
    Ok(Measured {
        roc_auc: roc_auc(&scores, anomalies)?,
        average_precision: average_precision(&scores, anomalies)?,
        precision_at_n: precision_at(n, &scores, anomalies)?,
        fit: fitted.duration_since(began),
        score: scored.duration_since(fitted),
    })
}

/// The mean of several runs of one detector on one table, by which what it draws by chance evens out; none of none.
pub fn mean(runs: &[Measured]) -> Option<Measured> {
    let n = u32::try_from(runs.len()).ok().filter(|&n| n > 0)?;
    let of = |figure: fn(&Measured) -> f64| runs.iter().map(figure).sum::<f64>() / f64::from(n);
    Some(Measured {
        roc_auc: of(|m| m.roc_auc),
        average_precision: of(|m| m.average_precision),
        precision_at_n: of(|m| m.precision_at_n),
        fit: runs.iter().map(|m| m.fit).sum::<Duration>() / n,
        score: runs.iter().map(|m| m.score).sum::<Duration>() / n,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ndarray::Array2;

    #[test]
    fn what_fails_says_why() {
        let rows = Array2::<f64>::zeros((4, 2));
        let detector = crible_score::detector("ecod", 0).unwrap();
        let error = measure(detector.as_ref(), rows.view(), &[false; 4]).unwrap_err();
        assert!(
            matches!(error, BenchError::Metric(MetricError::OneClass { frauds: 0, rows: 4 }))
                || error.to_string().contains("k is 0")
        );
        let error =
            measure(detector.as_ref(), Array2::from_elem((4, 2), f64::NAN).view(), &[true, false, false, false]);
        assert!(matches!(error, Err(BenchError::Detector(_))));
    }

    #[test]
    fn runs_even_out() {
        let run = |auc: f64, millis: u64| Measured {
            roc_auc: auc,
            average_precision: auc / 2.0,
            precision_at_n: 0.25,
            fit: Duration::from_millis(millis),
            score: Duration::from_millis(1),
        };
        let both = mean(&[run(0.5, 10), run(1.0, 30)]).unwrap();
        assert_eq!(both, run(0.75, 20));
        assert_eq!(mean(&[]), None);
    }
}
