use crible_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Failure, Kind};

/// How a channel is: it is kept with the deliveries, so that a restart does not forget it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Since when nothing got through.
    pub failing_since: Option<Timestamp>,
    /// It is not used until somebody enables it.
    pub disabled: Option<Disabled>,
}

/// A channel that is not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// A channel of which nothing got through for this long is disabled.
const PATIENCE: i64 = 5 * Timestamp::DAY;

impl Health {
    /// Goes on by what came of one try.
    pub fn note(&mut self, result: Result<(), &Failure>, now: Timestamp) {
        let failure = match result {
            Ok(()) => {
                self.failing_since = None;
                return;
            }
            // A message that cannot be sent says nothing about the channel.
            Err(failure) if failure.kind == Kind::Never => return,
            Err(failure) => failure,
        };
        let since = *self.failing_since.get_or_insert(now);
        let why = if failure.kind == Kind::Gone {
            "the receiver is gone"
        } else if now.0.saturating_sub(since.0) >= PATIENCE {
            "five days of nothing but failures"
        } else {
            return;
        };
        if self.disabled.is_none() {
            self.disabled = Some(Disabled { at: now, why: format!("{why}: {}", failure.why) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: f64) -> Timestamp {
        Timestamp((days * Timestamp::DAY as f64) as i64)
    }

    #[test]
    fn five_days_of_nothing_but_failures_disable() {
        let failure = Failure::new(Kind::Again, "status 500");
        let mut health = Health::default();
        health.note(Err(&failure), day(0.0));
        health.note(Err(&failure), day(4.9));
        assert_eq!(health.disabled, None);
        health.note(Ok(()), day(4.95));
        health.note(Err(&failure), day(5.1));
        health.note(Err(&failure), day(10.0));
        assert_eq!(health.disabled, None);
        health.note(Err(&failure), day(10.1));
        let disabled = health.disabled.clone().unwrap();
        assert_eq!((disabled.at, &*disabled.why), (day(10.1), "five days of nothing but failures: status 500"));
        // What is still in flight does not enable it, and the first reason stays.
        health.note(Err(&failure), day(11.0));
        assert_eq!(health.disabled, Some(disabled));
    }

    #[test]
    fn gone_disables_at_once() {
        let mut health = Health::default();
        health.note(Err(&Failure::new(Kind::Gone, "status 410")), day(1.0));
        assert!(health.disabled.is_some_and(|disabled| disabled.why == "the receiver is gone: status 410"));
    }

    #[test]
    fn a_bad_message_is_not_the_channels_fault() {
        let mut health = Health::default();
        health.note(Err(&Failure::new(Kind::Never, "too long")), day(1.0));
        assert_eq!(health, Health::default());
    }
}
