use std::fmt;

use crible_core::Timestamp;

/// A UTC day: whole days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The day a time falls on.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.day())
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Day {
    /// `2024-06-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = Timestamp(self.0.saturating_mul(Timestamp::DAY)).civil_date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}
