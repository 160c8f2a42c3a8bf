//! How well a ranking finds what was found out later to be fraud.
//!
//! Scores are higher for stranger rows, and only their order counts. Rows of equal score stand together: no figure here
//! depends on the order in which rows come. NaN is an error, as are labels of one class alone, for which no figure has
//! a meaning. [`roc_auc`] and [`average_precision`] agree with scikit-learn's `roc_auc_score` and
//! `average_precision_score`.

mod cards;
mod ranking;

pub use cards::{CardPrecision, card_precision_at};
pub use ranking::{average_precision, precision_at, roc_auc};

/// Why there is no figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// Columns of different lengths.
    #[error("{column} has {found} rows: expected {expected}, one for each score")]
    Length {
        /// The column.
        column: &'static str,
        /// Its rows.
        found: usize,
        /// Rows of the scores.
        expected: usize,
    },
    /// A score that cannot be ranked.
    #[error("the score of row {row} is NaN: every row needs one that can be ranked")]
    Nan {
        /// The row, from 0.
        row: usize,
    },
    /// Nothing to find, or nothing to distinguish it from.
    #[error("{frauds} of {rows} rows are frauds: expected at least one fraud and one row that is none")]
    OneClass {
        /// Rows labelled as fraud.
        frauds: usize,
        /// All rows.
        rows: usize,
    },
    /// The best none.
    #[error("k is 0: expected how many of the highest-scored to look at, at least 1")]
    ZeroK,
}

/// Checks what every metric asks for and returns the number of frauds.
fn checked(scores: &[f64], truth: &[bool]) -> Result<usize, MetricError> {
    same_length("truth", truth.len(), scores.len())?;
    if let Some(row) = scores.iter().position(|score| score.is_nan()) {
        return Err(MetricError::Nan { row });
    }
    let frauds = truth.iter().filter(|&&fraud| fraud).count();
    if frauds == 0 || frauds == truth.len() {
        return Err(MetricError::OneClass { frauds, rows: truth.len() });
    }
    Ok(frauds)
}

fn same_length(column: &'static str, found: usize, expected: usize) -> Result<(), MetricError> {
    if found == expected { Ok(()) } else { Err(MetricError::Length { column, found, expected }) }
}
