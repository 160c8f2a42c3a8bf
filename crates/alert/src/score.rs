use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How strange a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The model's own number: higher is stranger. Alerts are ranked by it.
    pub raw: f64,
    /// The calibrated tail probability: the chance that a normal transaction scores at least this high, 0 to 1.
    pub tail: f64,
}

impl Score {
    /// Whether it can be ranked: a finite number, and a probability from 0 to 1.
    pub fn is_sound(self) -> bool {
        self.raw.is_finite() && (0.0..=1.0).contains(&self.tail)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} (tail {:.1e})", self.raw, self.tail)
    }
}

/// How seriously to take an alert. It follows from the tail probability alone, so that a larger budget adds alerts of
/// lower severity and never changes the severity of those already there.
///
/// The thresholds stand in [`Severity::most_tail`], and nowhere else: the schema of alerts is checked against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Ordinary: more than 1 transaction in 100 scores as high.
    Low,
    /// At most 1 ordinary transaction in 100 scores as high.
    Medium,
    /// At most 1 in 1,000.
    High,
    /// At most 1 in 10,000.
    Critical,
}

/// A text that is no severity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no severity: expected low, medium, high or critical")]
pub struct BadSeverity(pub String);

impl Severity {
    /// All of them, the gravest first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The largest tail probability of this severity.
    pub const fn most_tail(self) -> f64 {
        match self {
            Self::Low => 1.0,
            Self::Medium => 1e-2,
            Self::High => 1e-3,
            Self::Critical => 1e-4,
        }
    }

    /// Of a tail probability. What is no probability, NaN included, is [`Severity::Low`].
    ///
    /// ```
    /// use crible_alert::Severity;
    /// assert_eq!(Severity::of(0.02), Severity::Low);
    /// assert_eq!(Severity::of(1e-3), Severity::High);
    /// ```
    pub fn of(tail: f64) -> Self {
        Self::ALL.into_iter().find(|severity| tail <= severity.most_tail()).unwrap_or(Self::Low)
    }

    /// Its name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = BadSeverity;

    fn from_str(text: &str) -> Result<Self, BadSeverity> {
        Self::ALL.into_iter().find(|one| one.as_str() == text.trim()).ok_or_else(|| BadSeverity(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_reads_back() {
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
        }
        assert_eq!("High".parse::<Severity>(), Err(BadSeverity("High".to_owned())));
    }

    #[test]
    fn severity_steps_at_its_thresholds() {
        let check = |tail: f64, expect: Severity| assert_eq!(Severity::of(tail), expect, "{tail}");
        check(1.0, Severity::Low);
        check(1.000_001e-2, Severity::Low);
        check(1e-2, Severity::Medium);
        check(1.000_001e-3, Severity::Medium);
        check(1e-3, Severity::High);
        check(1.000_001e-4, Severity::High);
        check(1e-4, Severity::Critical);
        check(0.0, Severity::Critical);
        check(f64::NAN, Severity::Low);
        assert!(Severity::Critical > Severity::High);
    }
}
