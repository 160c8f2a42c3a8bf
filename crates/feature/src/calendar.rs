//! How usual an hour and a weekday are for an account, on the circle of hours and of days.

use crible_core::Timestamp;

use crate::math::ln;

/// Counts of an account's payments by hour of day and by weekday, over the account's longest window.
///
/// UTC throughout: a feed's zone is settled where it is read. The hour's probability is a circular kernel estimate
/// (weights 1, 2, 3, 2, 1 over the neighbouring hours) shrunk towards the uniform distribution by as much as
/// [`PRIOR`] payments would weigh; the weekday's is the shrunk share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calendar {
    hours: [u32; 24],
    weekdays: [u32; 7],
}

/// Weight of the uniform distribution, in payments.
const PRIOR: f64 = 8.0;

pub(crate) fn hour(at: i64) -> usize {
    Timestamp(at).hour()
}

impl Calendar {
    pub(crate) fn add(&mut self, at: i64) {
        self.hours[hour(at)] += 1;
        self.weekdays[Timestamp(at).weekday()] += 1;
    }

    /// Takes back what [`Calendar::add`] added.
    pub(crate) fn remove(&mut self, at: i64) {
        self.hours[hour(at)] -= 1;
        self.weekdays[Timestamp(at).weekday()] -= 1;
    }

    /// Payments at hours near that of `at`, weighed by how near.
    pub(crate) fn near(&self, at: i64) -> f64 {
        const KERNEL: [u32; 5] = [1, 2, 3, 2, 1];
        let middle = hour(at) + 24 - 2;
        let near: u32 = KERNEL.iter().enumerate().map(|(i, k)| k * self.hours[(middle + i) % 24]).sum();
        f64::from(near) / 9.0
    }

    /// −ln of the hour's probability, `count` being the payments counted.
    pub(crate) fn hour_surprise(&self, at: i64, count: u32) -> f64 {
        surprise(self.near(at), f64::from(count), 24.0)
    }

    /// −ln of the probability of the quarter of the day, from midnight, `count` being the payments counted.
    pub(crate) fn part_surprise(&self, at: i64, count: u32) -> f64 {
        let first = hour(at) / 6 * 6;
        let same: u32 = self.hours[first..first + 6].iter().sum();
        surprise(f64::from(same), f64::from(count), 4.0)
    }

    /// −ln of the weekday's probability, `count` being the payments counted.
    pub(crate) fn weekday_surprise(&self, at: i64, count: u32) -> f64 {
        let same = f64::from(self.weekdays[Timestamp(at).weekday()]);
        surprise(same, f64::from(count), 7.0)
    }
}

fn surprise(here: f64, all: f64, places: f64) -> f64 {
    ln((all + PRIOR) / (here + PRIOR / places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_is_next_to_eleven_at_night() {
        let at = |h: i64| (h * 3_600 + 5) * Timestamp::SECOND;
        let mut calendar = Calendar::default();
        for _ in 0..50 {
            calendar.add(at(23));
        }
        let surprise = |h| calendar.hour_surprise(at(h), 50);
        assert!(surprise(23) < surprise(0));
        assert!(surprise(0) < surprise(1));
        assert!(surprise(1) < surprise(2));
        assert_eq!(surprise(0), surprise(22));
        assert_eq!(surprise(2), surprise(12));
    }

    #[test]
    fn an_empty_calendar_finds_every_hour_equally_usual() {
        let calendar = Calendar::default();
        assert_eq!(calendar.hour_surprise(0, 0), calendar.hour_surprise(50_000_000_000, 0));
        assert!((calendar.hour_surprise(0, 0) - 24f64.ln()).abs() < 1e-12);
    }
}
