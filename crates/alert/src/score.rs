use std::fmt;

/// How strange a transaction is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The model's own number: higher is stranger. Alerts are ranked by it.
    pub raw: f64,
    /// The calibrated tail probability: the chance that a normal transaction scores at least this high, 0 to 1.
    pub tail: f64,
}

impl Score {
    /// How seriously to take it.
    pub fn severity(self) -> Severity {
        Severity::of(self.tail)
    }
}

/// How seriously to take an alert. It follows from the tail probability alone, so that a larger budget adds alerts of
/// lower severity and never changes the severity of those already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A tail probability above 1 in 100.
    Low,
    /// At most 1 in 100.
    Medium,
    /// At most 1 in 1,000.
    High,
    /// At most 1 in 10,000.
    Critical,
}

impl Severity {
    /// Of a tail probability. What is no probability, NaN included, is held to be [`Severity::Low`].
    ///
    /// ```
    /// use crible_alert::Severity;
    /// assert_eq!(Severity::of(0.02), Severity::Low);
    /// assert_eq!(Severity::of(1e-3), Severity::High);
    /// ```
    pub fn of(tail: f64) -> Self {
        match tail {
            t if t <= 1e-4 => Self::Critical,
            t if t <= 1e-3 => Self::High,
            t if t <= 1e-2 => Self::Medium,
            _ => Self::Low,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
