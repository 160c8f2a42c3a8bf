use crible_core::Timestamp;

/// How much a channel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Deliveries a second, in the long run.
    pub a_second: u32,
    /// Deliveries at once, after a pause.
    pub burst: u32,
}

/// A bucket of permissions that fills at a rate. Counted in millionths, so that nothing is rounded away.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    level: i64,
    at: Timestamp,
}

const ONE: i64 = 1_000_000;

impl Bucket {
    /// A full one.
    pub fn new(rate: Rate, now: Timestamp) -> Self {
        Self { rate, level: i64::from(rate.burst) * ONE, at: now }
    }

    fn fill(&mut self, now: Timestamp) {
        // A clock that is put back fills nothing.
        let passed = now.0.saturating_sub(self.at.0).max(0);
        let most = i64::from(self.rate.burst) * ONE;
        self.level = self.level.saturating_add(passed.saturating_mul(i64::from(self.rate.a_second))).min(most);
        self.at = now;
    }

    /// Takes up to `wanted`.
    pub fn take(&mut self, now: Timestamp, wanted: usize) -> usize {
        self.fill(now);
        let there = usize::try_from(self.level / ONE).unwrap_or(0);
        let taken = there.min(wanted);
        self.level -= taken as i64 * ONE;
        taken
    }

    /// Gives back what was not needed.
    pub fn give_back(&mut self, unused: usize) {
        let most = i64::from(self.rate.burst) * ONE;
        self.level = self.level.saturating_add(unused as i64 * ONE).min(most);
    }

    /// When there is one again.
    pub fn ready(&self, now: Timestamp) -> Timestamp {
        let missing = (ONE - self.level).max(0);
        let a_second = i64::from(self.rate.a_second).max(1);
        Timestamp(now.0.saturating_add((missing + a_second - 1) / a_second))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_more_than_the_rate(
            a_second in 1..500u32,
            burst in 1..50u32,
            steps in prop::collection::vec((0..3_000_000i64, 0..80usize, 0..3usize), 1..80),
        ) {
            let mut now = Timestamp(0);
            let mut bucket = Bucket::new(Rate { a_second, burst }, now);
            let mut used = 0;
            for (pause, wanted, unused) in steps {
                now.0 += pause;
                let taken = bucket.take(now, wanted);
                prop_assert!(taken <= wanted);
                let unused = unused.min(taken);
                bucket.give_back(unused);
                used += taken - unused;
                let most = f64::from(burst) + now.0 as f64 / 1e6 * f64::from(a_second);
                prop_assert!(used as f64 <= most + 1e-6, "{used} of {most}");
                if bucket.take(now, 1) == 0 {
                    let ready = bucket.ready(now);
                    prop_assert!(ready > now);
                    prop_assert_eq!(bucket.clone().take(Timestamp(ready.0 - 1), 1), 0);
                    prop_assert_eq!(bucket.clone().take(ready, 1), 1);
                } else {
                    bucket.give_back(1);
                }
            }
        }
    }

    #[test]
    fn a_clock_put_back_gives_nothing() {
        let mut bucket = Bucket::new(Rate { a_second: 1, burst: 1 }, Timestamp(0));
        assert_eq!(bucket.take(Timestamp(0), 5), 1);
        assert_eq!(bucket.take(Timestamp(-5_000_000), 5), 0);
        assert_eq!(bucket.take(Timestamp(-4_000_000), 5), 1);
    }
}
