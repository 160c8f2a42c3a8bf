use std::time::Duration;

use crible_core::Timestamp;
use sha2::{Digest, Sha256};

use crate::Key;

/// Why a try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What follows from it.
    pub kind: Kind,
    /// Not before this long, if the receiver said so.
    pub after: Option<Duration>,
    /// For people to read. It names no person and no secret.
    pub why: String,
}

impl Failure {
    /// Of a kind, for a reason.
    pub fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, after: None, why: why.into() }
    }
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Try again.
    Again,
    /// The receiver has too much to do.
    TooMany,
    /// The receiver did not answer in time.
    TimedOut,
    /// No further try can succeed.
    Never,
    /// Nothing is to be sent there any more.
    Gone,
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// How long after each failed try comes the next, in seconds. The first try is made at once.
const PAUSES: [u64; 7] = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];

/// Tries that a delivery has at most.
pub const MOST_ATTEMPTS: u32 = PAUSES.len() as u32 + 1;

/// A receiver that is overburdened is left alone for this long.
const BREATH: u64 = MINUTE;

/// What a receiver may ask for at most.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * HOUR);

/// When to try again after a failure, `attempts` being the tries that are finished with it; `None` where that was the
/// last. The pause varies by a fifth either way, so that deliveries that failed together do not come back together. By
/// how much depends on key and attempt alone. What the receiver asked for is never undercut.
pub fn next_try(key: &Key, attempts: u32, failure: &Failure, now: Timestamp) -> Option<Timestamp> {
    if matches!(failure.kind, Kind::Never | Kind::Gone) {
        return None;
    }
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let regular = *PAUSES.get(place)? * 1_000_000;
    let share = share(key, attempts);
    let fifth = |pause: u64| pause / 5;
    let spread = |pause: u64, share: u64| (u128::from(pause) * u128::from(share) / u128::from(u64::MAX)) as u64;
    let varied = regular - fifth(regular) + spread(2 * fifth(regular), share);
    let breath = if matches!(failure.kind, Kind::TooMany | Kind::TimedOut) { BREATH * 1_000_000 } else { 0 };
    let asked = failure.after.map_or(0, |after| after.min(LONGEST).as_secs() * 1_000_000);
    let least = breath.max(asked);
    let pause = varied.max(least + spread(fifth(least), share));
    Some(Timestamp(now.0.saturating_add(i64::try_from(pause).unwrap_or(i64::MAX))))
}

/// A number for this try, the same whoever asks.
fn share(key: &Key, attempts: u32) -> u64 {
    let digest = Sha256::new().chain_update(attempts.to_le_bytes()).chain_update(key.as_str()).finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(key: &str, attempts: u32, failure: &Failure) -> Option<f64> {
        let now = Timestamp(1_780_000_000_000_000);
        next_try(&key.parse().unwrap(), attempts, failure, now).map(|then| (then.0 - now.0) as f64 / 1e6)
    }

    #[test]
    fn the_schedule() {
        let failure = Failure::new(Kind::Again, "");
        let usual = [5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0];
        for (attempts, usual) in (1..).zip(usual) {
            let all: Vec<f64> = (0..500).map(|n| seconds(&format!("k{n}"), attempts, &failure).unwrap()).collect();
            let (least, most) = all.iter().fold((f64::MAX, 0.0f64), |(low, high), s| (low.min(*s), high.max(*s)));
            assert!(least >= usual * 0.8 && most <= usual * 1.2, "{attempts}: {least} {most}");
            assert!(least < usual * 0.82 && most > usual * 1.18, "{attempts}: {least} {most}");
        }
        assert_eq!(seconds("k", MOST_ATTEMPTS, &failure), None);
        assert_eq!(seconds("k", 0, &failure), None);
    }

    #[test]
    fn what_cannot_succeed_is_not_tried() {
        for kind in [Kind::Never, Kind::Gone] {
            assert_eq!(seconds("k", 1, &Failure::new(kind, "")), None);
        }
    }

    proptest! {
        #[test]
        fn a_receiver_is_left_alone_as_long_as_it_needs(
            key in "[a-z]{1,8}",
            attempts in 1..MOST_ATTEMPTS,
            kind in prop::sample::select(&[Kind::Again, Kind::TooMany, Kind::TimedOut]),
            after in prop::option::of(0..200_000u64),
        ) {
            let failure = Failure { kind, after: after.map(Duration::from_secs), why: String::new() };
            let pause = seconds(&key, attempts, &failure).unwrap();
            if kind != Kind::Again {
                prop_assert!(pause >= 60.0);
            }
            prop_assert!(pause >= after.unwrap_or(0).min(86_400) as f64);
            prop_assert!(pause <= 1.2 * 86_400.0);
            let usual = PAUSES[attempts as usize - 1] as f64;
            prop_assert!(pause >= 0.8 * usual);
            prop_assert_eq!(Some(pause), seconds(&key, attempts, &failure));
        }
    }
}
