use chrono::{Duration, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use crible_core::Timestamp;

/// Hours of the day in which nobody is disturbed, by the clock where the person lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    from: u16,
    until: u16,
}

/// Quiet hours that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quiet hours `{0}`: expected two different times of day, such as 21:00-08:00")]
pub struct BadQuiet(String);

const DAY: u16 = 24 * 60;

impl Quiet {
    /// From 21:00 to 08:00.
    pub const NIGHT: Self = Self { from: 21 * 60, until: 8 * 60 };

    /// From one minute of the day to another, the latter not included; across midnight where it is the smaller. `None`
    /// where they are the same, or no minutes of a day.
    pub fn new(from: u16, until: u16) -> Option<Self> {
        (from < DAY && until < DAY && from != until).then_some(Self { from, until })
    }

    fn holds(self, minute: u16) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }

    /// When they end, where they hold at `now`.
    pub fn until(self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let local = local(now, zone)?;
        let minute = minute_of_day(local);
        if !self.holds(minute) {
            return None;
        }
        let days = i64::from(minute >= self.until);
        let time = NaiveTime::from_hms_opt(u32::from(self.until / 60), u32::from(self.until % 60), 0)?;
        let end = (local.date() + Duration::days(days)).and_time(time);
        // A clock that is put forward may skip the end; what is an hour later exists.
        let end = [end, end + Duration::hours(1), end + Duration::hours(2)]
            .into_iter()
            .find_map(|end| zone.from_local_datetime(&end).latest())?;
        let end = Timestamp(end.timestamp_micros());
        // Where the clock is put back within the quiet hours, their end can be what has just been.
        Some(if end > now { end } else { Timestamp(now.0 + 3_600 * Timestamp::SECOND) })
    }
}

/// The clock on the wall.
fn local(now: Timestamp, zone: Tz) -> Option<NaiveDateTime> {
    Some(zone.timestamp_micros(now.0).single()?.naive_local())
}

fn minute_of_day(local: NaiveDateTime) -> u16 {
    use chrono::Timelike;
    // Under 1,440.
    (local.hour() * 60 + local.minute()) as u16
}

impl std::str::FromStr for Quiet {
    type Err = BadQuiet;

    fn from_str(text: &str) -> Result<Self, BadQuiet> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            if !(digits(hour) && digits(minute)) {
                return None;
            }
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let quiet = text.split_once('-').and_then(|(from, until)| Self::new(minute(from)?, minute(until)?));
        quiet.ok_or_else(|| BadQuiet(text.chars().take(40).flat_map(char::escape_default).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(now: &str, zone: &str, expect: Option<&str>) {
        let until = Quiet::NIGHT.until(now.parse().unwrap(), zone.parse().unwrap());
        assert_eq!(until, expect.map(|text| text.parse().unwrap()), "{now} {zone}");
    }

    #[test]
    fn nights_are_where_the_person_lives() {
        check("2026-06-01T12:00:00Z", "UTC", None);
        check("2026-06-01T20:59:59Z", "UTC", None);
        check("2026-06-01T21:00:00Z", "UTC", Some("2026-06-02T08:00:00Z"));
        check("2026-06-02T07:59:59Z", "UTC", Some("2026-06-02T08:00:00Z"));
        check("2026-06-02T08:00:00Z", "UTC", None);
        // 22:30 in Paris, two hours ahead in summer.
        check("2026-06-01T20:30:00Z", "Europe/Paris", Some("2026-06-02T06:00:00Z"));
        check("2026-06-01T20:30:00Z", "America/Toronto", None);
    }

    #[test]
    fn a_night_in_which_clocks_change_ends_by_the_new_time() {
        // Forward in the night to 2026-03-29, back in the night to 2026-10-25.
        check("2026-03-28T22:00:00Z", "Europe/Paris", Some("2026-03-29T06:00:00Z"));
        check("2026-10-24T22:00:00Z", "Europe/Paris", Some("2026-10-25T07:00:00Z"));
        // An end that the clock skips is an hour later; one that comes twice is the second.
        let early = |now: &str| {
            let quiet: Quiet = "22:00-02:30".parse().unwrap();
            quiet.until(now.parse().unwrap(), Tz::Europe__Paris).unwrap().to_string()
        };
        assert_eq!(early("2026-03-28T22:00:00Z"), "2026-03-29T01:30:00Z");
        assert_eq!(early("2026-10-24T22:00:00Z"), "2026-10-25T01:30:00Z");
    }

    #[test]
    fn an_end_is_never_in_the_past() {
        let quiet: Quiet = "00:10-02:05".parse().unwrap();
        let mut now: Timestamp = "2026-10-24T00:00:00Z".parse().unwrap();
        for _ in 0..4 * 24 * 12 {
            if let Some(end) = quiet.until(now, Tz::Europe__Paris) {
                assert!(end > now, "{now} {end}");
                assert_eq!(quiet.until(end, Tz::Europe__Paris), None, "{now} {end}");
            }
            now.0 += 300 * Timestamp::SECOND;
        }
    }

    #[test]
    fn hours_are_read() {
        assert_eq!("21:00-08:00".parse(), Ok(Quiet::NIGHT));
        for bad in ["", "21-8", "24:00-08:00", "08:00-08:00", "8:00-9:00", "21:60-08:00", "+1:00-08:00"] {
            assert!(bad.parse::<Quiet>().is_err(), "{bad}");
        }
    }
}
