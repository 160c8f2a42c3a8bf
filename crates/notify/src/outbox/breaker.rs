use std::time::Duration;

use crible_core::Timestamp;

use super::schedule::LONGEST;

/// When a channel that fails is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// After this many failures in a row.
    pub failures: u32,
    /// For how long.
    pub pause: Duration,
}

impl Default for BreakerSettings {
    /// Ten failures in a row, 30 seconds.
    fn default() -> Self {
        Self { failures: 10, pause: Duration::from_secs(30) }
    }
}

/// How many tries a channel may have now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Any number.
    Any,
    /// One, to see whether it works again.
    One,
    /// None before this time.
    NotBefore(Timestamp),
    /// None before the one that is under way is back.
    Probing,
}

/// Leaves a channel alone that fails, and then tries it with one delivery.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    in_a_row: u32,
    closed_until: Option<Timestamp>,
    probing: bool,
}

impl Breaker {
    /// Of a channel that works.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, in_a_row: 0, closed_until: None, probing: false }
    }

    /// What is allowed.
    pub fn allowed(&self, now: Timestamp) -> Allowed {
        match self.closed_until {
            None => Allowed::Any,
            Some(until) if now < until => Allowed::NotBefore(until),
            Some(_) if self.probing => Allowed::Probing,
            Some(_) => Allowed::One,
        }
    }

    /// A delivery is tried while only one is allowed.
    pub fn probe(&mut self) {
        self.probing = true;
    }

    /// The one that was to be tried was not: there was none, or the person must not get it.
    pub fn no_probe(&mut self) {
        self.probing = false;
    }

    /// A try got through, or not. `after` is how long the receiver wants to be left alone.
    pub fn note(&mut self, got_through: bool, after: Option<Duration>, now: Timestamp) {
        self.probing = false;
        if got_through {
            self.in_a_row = 0;
            self.closed_until = None;
            return;
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        let pause = if self.in_a_row >= self.settings.failures { Some(self.settings.pause) } else { None };
        if let Some(pause) = pause.max(after.map(|after| after.min(LONGEST))) {
            let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
            let until = Timestamp(now.0.saturating_add(micros));
            self.closed_until = self.closed_until.max(Some(until));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn one_try_after_the_pause() {
        let mut breaker = Breaker::new(BreakerSettings { failures: 3, pause: Duration::from_secs(30) });
        for _ in 0..2 {
            breaker.note(false, None, second(0));
        }
        assert_eq!(breaker.allowed(second(0)), Allowed::Any);
        breaker.note(false, None, second(1));
        assert_eq!(breaker.allowed(second(30)), Allowed::NotBefore(second(31)));
        assert_eq!(breaker.allowed(second(31)), Allowed::One);
        breaker.probe();
        assert_eq!(breaker.allowed(second(31)), Allowed::Probing);
        breaker.note(false, None, second(32));
        assert_eq!(breaker.allowed(second(61)), Allowed::NotBefore(second(62)));
        breaker.probe();
        breaker.note(true, None, second(63));
        assert_eq!(breaker.allowed(second(63)), Allowed::Any);
        // A single failure after that is only one.
        breaker.note(false, None, second(64));
        assert_eq!(breaker.allowed(second(64)), Allowed::Any);
    }

    #[test]
    fn what_the_receiver_asks_for_holds_at_once() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        breaker.note(false, Some(Duration::from_secs(100)), second(0));
        assert_eq!(breaker.allowed(second(99)), Allowed::NotBefore(second(100)));
        // A later failure does not shorten it.
        breaker.note(false, Some(Duration::from_secs(1)), second(50));
        assert_eq!(breaker.allowed(second(99)), Allowed::NotBefore(second(100)));
        // Nor does anybody get more than a day.
        breaker.note(false, Some(Duration::MAX), second(60));
        assert_eq!(breaker.allowed(second(99)), Allowed::NotBefore(second(86_460)));
    }
}
