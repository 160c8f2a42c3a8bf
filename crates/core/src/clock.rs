use crate::{Timestamp, Window};

/// Hours with payments that a [`Clock`] remembers.
const HOURS: usize = 256;

/// Fewer hours than this show no rhythm of a feed.
const FEW: usize = 16;

/// The longest pause taken on trust while there are few hours.
const TRUSTED: i64 = 400 * Window::DAY.0;

/// The longest pause of a history whose payments are rare: less than a decade, so that a year with a wrong digit of the
/// decade is found.
const RARE_PAUSE: i64 = 3_650 * Window::DAY.0;

/// Payments are rare where every other pause between them is this long.
const RARE: i64 = 2 * Window::DAY.0;

/// How many times a usual pause may be exceeded.
const PAUSES: i64 = 5;

/// Payments in a row that agree on a new time move the clock.
const AGREEING: usize = 3;

/// The clock of a feed: which payments are dated ahead of it.
///
/// A feed knows no other clock than its own payments, so one that is dated far ahead must not move it. A payment is
/// **early** if it lies further beyond the latest time than both
///
/// - `ahead`, and
/// - five times the feed's usual pause: the second-longest between the latest 256 hours in which anybody paid. A busy
///   feed has none worth speaking of, and one that rests at weekends goes on every Monday. While there are fewer than
///   16 hours, up to 400 days are taken on trust.
///
/// A feed that goes on after an unusual silence looks like one dated ahead, until others agree: of three payments in a
/// row that are early, with none in time between them, the third is in time if it lies within the same reach of the
/// middle one. Whoever knows the time calls [`Clock::advance`].
///
/// The first payment of all has none before it. Where it is known when the feed existed ([`Clock::known_at`]), a first
/// payment more than ten years later is early as well.
///
/// What is in time on trust alone is not **certain** ([`Clock::is_certain`]): the first payment of all, and one that
/// comes after a long pause while there are few hours. Another payment has to confirm it.
///
/// What it knows depends on which payments there were, and not on their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    ahead: i64,
    latest: Option<i64>,
    advanced: Option<i64>,
    /// The latest time that is not early while there has been no payment.
    first: i64,
    /// The latest hours with payments, ascending.
    hours: Vec<i64>,
    /// How far beyond the latest payment another may be, as long as no hour is added.
    reach: i64,
    /// How far of that does not rest on trust.
    certain_reach: i64,
    /// The latest time that is not early, as long as nothing changes.
    limit: i64,
    /// The latest time that is certain.
    certain: i64,
    /// The latest early payments in a row.
    early: Vec<i64>,
}

/// How many of some times, in ascending order, are before an end. They are few of many, so the first are looked at
/// first.
fn before(times: &[Timestamp], end: i64) -> usize {
    let mut reach = 1;
    while times.get(reach).is_some_and(|time| time.0 < end) {
        reach *= 2;
    }
    let known = reach / 2;
    known + times[known..times.len().min(reach)].partition_point(|time| time.0 < end)
}

impl Clock {
    /// The longest pause that a history known whole may have where its payments are rare.
    pub const RARE_PAUSE: Window = Window(RARE_PAUSE);

    /// A clock that has seen no time yet.
    pub fn new(ahead: Window) -> Self {
        let mut clock = Self {
            ahead: ahead.0,
            latest: None,
            advanced: None,
            first: i64::MAX,
            hours: Vec::new(),
            reach: ahead.0.max(TRUSTED),
            certain_reach: ahead.0,
            limit: i64::MAX,
            certain: i64::MIN,
            early: Vec::new(),
        };
        clock.set_limits();
        clock
    }

    /// The same of a feed that was known to exist at `known`: its first payment is early where it lies more than ten
    /// years after.
    #[must_use]
    pub fn known_at(mut self, known: Timestamp) -> Self {
        self.first = known.0.saturating_add(RARE_PAUSE);
        self.set_limits();
        self
    }

    /// How far ahead of the latest payment another may be in any case.
    pub fn ahead(&self) -> Window {
        Window(self.ahead)
    }

    /// The latest time of a payment.
    pub fn latest(&self) -> Option<Timestamp> {
        self.latest.map(Timestamp)
    }

    /// The latest time at which a payment is not early.
    pub fn limit(&self) -> Timestamp {
        Timestamp(self.limit)
    }

    /// Whether a payment at this time is in time, as far as the future goes.
    #[inline]
    pub fn allows(&self, at: Timestamp) -> bool {
        at.0 <= self.limit || self.agrees(at.0)
    }

    /// Whether a payment at this time, which is in time, needs no other to confirm it.
    #[inline]
    pub fn is_certain(&self, at: Timestamp) -> bool {
        at.0 <= self.certain || self.agrees(at.0)
    }

    /// Whether a payment at `later` is in time, were one at `earlier` the only one so far.
    pub fn follows(&self, earlier: Timestamp, later: Timestamp) -> bool {
        later.0 <= earlier.0.saturating_add(self.ahead.max(TRUSTED))
    }

    /// Whether two payments lie so near each other that neither is dated ahead of the other.
    pub fn is_near(&self, earlier: Timestamp, later: Timestamp) -> bool {
        later.0 <= earlier.0.saturating_add(self.certain_reach)
    }

    /// Takes note of a payment.
    #[inline]
    pub fn note(&mut self, at: Timestamp) {
        self.early.clear();
        if self.latest.is_none_or(|latest| at.0 > latest) {
            self.latest = Some(at.0);
        }
        let hour = hour(at.0);
        if self.hours.last() != Some(&hour) {
            self.note_hour(hour);
        }
        self.set_limits();
    }

    /// Takes note of payments, in ascending order.
    pub fn note_all(&mut self, times: &[Timestamp]) {
        let mut row = 0;
        while row < times.len() {
            row = self.note_hour_of(times, row);
        }
    }

    /// Takes note of an early payment that was refused.
    pub fn refuse(&mut self, at: Timestamp) {
        if self.early.len() == AGREEING - 1 {
            self.early.remove(0);
        }
        self.early.push(at.0);
    }

    /// Moves the clock: it is known to be at least this late.
    pub fn advance(&mut self, now: Timestamp) {
        self.advanced = self.advanced.max(Some(now.0));
        self.set_limits();
    }

    /// The first of some times, in ascending order, from which on all are early; none where those that follow agree
    /// with it. These times are known whole: where payments are rare, years may pass between two of them.
    pub fn first_early(&self, times: &[Timestamp]) -> Option<usize> {
        self.clone().note_known(times)
    }

    /// The same, taking note of those before.
    pub fn note_known(&mut self, times: &[Timestamp]) -> Option<usize> {
        let last = times.last()?;
        if self.latest.is_some() && last.0 <= self.limit {
            self.note_all(times);
            return None;
        }
        let mut row = 0;
        while let Some(&at) = times.get(row) {
            if !self.allows(at) && !self.allows_rare(at, &times[..row]) && times.len() - row < AGREEING {
                return Some(row);
            }
            row = self.note_hour_of(times, row);
        }
        None
    }

    /// Takes note of the payments of one hour, the first of which is given, and returns where the next hour begins. Within
    /// an hour nothing changes but the latest time.
    fn note_hour_of(&mut self, times: &[Timestamp], row: usize) -> usize {
        self.note(times[row]);
        let end = (hour(times[row].0) + 1).saturating_mul(Window::HOUR.0);
        let next = row + before(&times[row..], end).max(1);
        self.note(times[next - 1]);
        next
    }

    /// How many of some times, in ascending order, lie as far before the rest as would be early after it: one or two at
    /// most.
    pub fn strays_before(ahead: Window, times: &[Timestamp]) -> usize {
        let first = &times[..times.len().min(1 << 16)];
        let turned: Vec<Timestamp> =
            first.iter().rev().map(|at| Timestamp(at.0.checked_neg().unwrap_or(i64::MAX))).collect();
        let strays = Self::new(ahead).first_early(&turned).map_or(0, |row| turned.len() - row);
        if times.len() < strays + AGREEING { 0 } else { strays }
    }

    /// Takes note of what another clock of the same feed knows.
    pub fn merge(&mut self, other: &Self) {
        other.hours.iter().for_each(|&hour| self.note_hour(hour));
        self.latest = self.latest.max(other.latest);
        self.advanced = self.advanced.max(other.advanced);
        self.early.clear();
        self.set_limits();
    }

    /// The clock in numbers: latest time, how far it was advanced, and hours.
    pub fn parts(&self) -> (Option<i64>, Option<i64>, &[i64]) {
        (self.latest, self.advanced, &self.hours)
    }

    /// A clock from its numbers; `None` where no payments leave it so.
    pub fn from_parts(ahead: Window, latest: Option<i64>, advanced: Option<i64>, hours: Vec<i64>) -> Option<Self> {
        let is_sorted = hours.windows(2).all(|pair| pair[0] < pair[1]);
        let ends_with_latest = hours.last().is_none_or(|&last| latest.map(hour) == Some(last));
        if !(is_sorted && ends_with_latest && hours.len() <= HOURS) {
            return None;
        }
        let mut clock = Self { latest, advanced, hours, ..Self::new(ahead) };
        clock.set_reach();
        clock.set_limits();
        Some(clock)
    }

    fn note_hour(&mut self, hour: i64) {
        if let Err(at) = self.hours.binary_search(&hour) {
            self.hours.insert(at, hour);
            if self.hours.len() > HOURS {
                self.hours.remove(0);
            }
            self.set_reach();
        }
    }

    /// Sets how far beyond the latest payment another may be.
    fn set_reach(&mut self) {
        let (mut longest, mut second) = (0, 0);
        for pair in self.hours.windows(2) {
            let pause = pair[1].saturating_sub(pair[0]);
            second = second.max(longest.min(pause));
            longest = longest.max(pause);
        }
        let usual = second.saturating_mul(Window::HOUR.0).saturating_mul(PAUSES);
        let trusted = if self.hours.len() < FEW { TRUSTED } else { 0 };
        self.certain_reach = self.ahead.max(usual);
        self.reach = self.certain_reach.max(trusted);
    }

    /// Whether payments are so rare that this one may be the next after `before`.
    fn allows_rare(&self, at: Timestamp, before: &[Timestamp]) -> bool {
        let hours = self.hours.iter().map(|hour| hour.saturating_mul(Window::HOUR.0));
        // Few hours may hold many payments.
        let times: Vec<i64> =
            if self.hours.len() >= FEW { hours.collect() } else { before.iter().map(|at| at.0).collect() };
        let long = times.windows(2).filter(|pair| pair[1].saturating_sub(pair[0]) >= RARE).count();
        let is_rare = 2 * long + 1 >= times.len();
        is_rare && self.latest.is_some_and(|latest| at.0.saturating_sub(latest) <= RARE_PAUSE)
    }

    /// Sets until when a payment is in time, and until when it is certain.
    fn set_limits(&mut self) {
        // The longest window there is says that no date is ahead, not even across all of time.
        if self.ahead == i64::MAX {
            (self.limit, self.certain) = (i64::MAX, i64::MAX);
            return;
        }
        let advanced = self.advanced.map_or(i64::MIN, |now| now.saturating_add(self.ahead));
        let [allowed, certain] = match self.latest {
            Some(latest) => [self.reach, self.certain_reach].map(|reach| latest.saturating_add(reach)),
            None => [self.first, i64::MIN],
        };
        (self.limit, self.certain) = (allowed.max(advanced), certain.max(advanced));
    }

    /// Whether early payments before this one agree with it.
    fn agrees(&self, at: i64) -> bool {
        let [a, b] = self.early[..] else { return false };
        let mut all = [a, b, at];
        all.sort_unstable();
        let mut clock = self.clone();
        all.iter().filter(|time| **time <= all[1]).for_each(|&time| clock.note_hour(hour(time)));
        at <= all[1].saturating_add(clock.reach)
    }
}

fn hour(at: i64) -> i64 {
    at.div_euclid(Window::HOUR.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = Window::HOUR.0;
    const DAY: i64 = Window::DAY.0;

    /// Noted, or refused as early.
    fn observe(clock: &mut Clock, at: i64) -> bool {
        let is_in_time = clock.allows(Timestamp(at));
        if is_in_time {
            clock.note(Timestamp(at))
        } else {
            clock.refuse(Timestamp(at))
        }
        is_in_time
    }

    fn busy() -> Clock {
        let mut clock = Clock::new(Window::DAY);
        assert!((0..30 * 24).all(|hour| observe(&mut clock, hour * HOUR)));
        clock
    }

    #[test]
    fn a_busy_feed_allows_a_day() {
        let clock = busy();
        let latest = clock.latest().unwrap().0;
        assert!(clock.allows(Timestamp(latest + DAY)));
        assert!(!clock.allows(Timestamp(latest + DAY + 1)));
    }

    #[test]
    fn one_date_ahead_moves_nothing() {
        let mut clock = busy();
        let before = clock.clone();
        let latest = clock.latest().unwrap().0;
        assert!(!observe(&mut clock, latest + 27_000 * DAY));
        assert_eq!(clock.latest(), before.latest());
        assert!(observe(&mut clock, latest + 1));
        assert!(!observe(&mut clock, latest + 27_000 * DAY) && !observe(&mut clock, latest + 27_000 * DAY));
        assert!(observe(&mut clock, latest + 2), "the feed goes on");
    }

    #[test]
    fn a_silent_feed_goes_on_with_its_third_payment() {
        let mut clock = busy();
        let after = clock.latest().unwrap().0 + 30 * DAY;
        assert!(!observe(&mut clock, after));
        assert!(!observe(&mut clock, after + 27_000 * DAY), "one ahead among them");
        assert!(observe(&mut clock, after + 1));
        assert!(observe(&mut clock, after + 2));
        assert!(!clock.allows(Timestamp(after + 3 * DAY)), "one silence is no rhythm");
        let mut clock = busy();
        clock.advance(Timestamp(after));
        assert!(observe(&mut clock, after + HOUR), "where the time is known, at once");
    }

    /// What is taken on trust is not certain: a first payment, and a long pause while there are few hours.
    #[test]
    fn what_is_taken_on_trust_is_not_certain() {
        let mut clock = Clock::new(Window::DAY);
        assert!(clock.allows(Timestamp(0)) && !clock.is_certain(Timestamp(0)));
        clock.note(Timestamp(0));
        assert!(clock.is_certain(Timestamp(DAY)) && !clock.is_certain(Timestamp(DAY + 1)));
        assert!(clock.allows(Timestamp(400 * DAY)) && !clock.allows(Timestamp(400 * DAY + 1)));
        assert!(
            clock.follows(Timestamp(0), Timestamp(400 * DAY)) && !clock.follows(Timestamp(0), Timestamp(401 * DAY))
        );
        assert!(clock.is_near(Timestamp(0), Timestamp(DAY)) && !clock.is_near(Timestamp(0), Timestamp(2 * DAY)));
        let mut known = clock.clone();
        known.advance(Timestamp(20 * DAY));
        assert!(known.is_certain(Timestamp(21 * DAY)) && !known.is_certain(Timestamp(22 * DAY)));
        [30, 60].iter().for_each(|days| clock.note(Timestamp(days * DAY)));
        assert!(clock.is_certain(Timestamp(200 * DAY)), "two pauses are a rhythm");
        let clock = busy();
        assert_eq!(clock.limit().0, clock.certain, "with hours enough nothing rests on trust");
        assert!(Clock::new(Window(i64::MAX)).is_certain(Timestamp(i64::MAX)), "without a limit everything is");
    }

    #[test]
    fn weekends_and_rare_payments_are_a_rhythm() {
        let mut clock = Clock::new(Window::DAY);
        let office = |day: i64| (8..18).map(move |hour| day * DAY + hour * HOUR);
        assert!((0..60).filter(|day| day % 7 < 5).flat_map(office).all(|at| observe(&mut clock, at)));
        let mut clock = Clock::new(Window::DAY);
        assert!((0..40).all(|month| observe(&mut clock, month * 30 * DAY + month % 7 * DAY)), "once a month");
        assert!(!clock.allows(Timestamp(27_000 * DAY)));
    }

    #[test]
    fn strays_of_a_history_are_found_on_both_sides() {
        let times = |days: &[i64]| days.iter().map(|day| Timestamp(day * DAY)).collect::<Vec<_>>();
        let check = |days: &[i64], before: usize, early: Option<usize>| {
            let all = times(days);
            assert_eq!(Clock::strays_before(Window::DAY, &all), before, "{days:?}");
            assert_eq!(Clock::new(Window::DAY).first_early(&all[before..]), early, "{days:?}");
        };
        let daily: Vec<i64> = (19_700..19_800).collect();
        check(&daily, 0, None);
        check(&[&[-25_567][..], &daily].concat(), 1, None);
        check(&[&daily[..], &[47_000]].concat(), 0, Some(100));
        check(&[&[-25_567][..], &daily, &[47_000, 47_000]].concat(), 1, Some(100));
        check(&[&daily[..], &[19_950, 19_951, 19_952]].concat(), 0, None);
        check(&[0, 160, 161, 300], 0, None);
        check(&[0, 1, 2, 27_000], 0, Some(3));
        // Rare payments: years may pass, and a decade is a wrong digit.
        check(&[17_900, 18_700], 0, None);
        check(&[17_900, 18_700, 18_701, 20_000], 0, None);
        let monthly: Vec<i64> = (0..30).map(|month| 17_000 + month * 30).collect();
        check(&[&monthly[..], &[18_800]].concat(), 0, None);
        check(&[&monthly[..], &[17_870 + 3_653]].concat(), 0, Some(30));
        check(&[&daily[..], &[20_600]].concat(), 0, Some(100));
        check(&[], 0, None);
    }

    proptest! {
        /// What a clock knows does not depend on the order of payments, nor on where it was saved or parted.
        #[test]
        fn order_does_not_matter(
            times in prop::collection::vec(-1_000i64..1_000, 1..400),
            cut in 0usize..400,
            scale in prop::sample::select(vec![60_000_000, HOUR, DAY]),
        ) {
            let note = |times: &[i64]| {
                let mut clock = Clock::new(Window::DAY);
                times.iter().for_each(|at| clock.note(Timestamp(at * scale)));
                clock
            };
            let whole = note(&times);
            let mut sorted = times.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&note(&sorted), &whole);
            let (a, b) = times.split_at(cut.min(times.len()));
            let mut merged = note(a);
            merged.merge(&note(b));
            prop_assert_eq!(&merged, &whole);
            let (latest, advanced, hours) = whole.parts();
            let again = Clock::from_parts(Window::DAY, latest, advanced, hours.to_vec());
            prop_assert_eq!(again.as_ref(), Some(&whole));
        }

        /// Looking at a whole history finds what looking at one payment after the other does, but for silences that the
        /// rest confirms.
        #[test]
        fn a_history_is_looked_at_alike(gaps in prop::collection::vec(0i64..40, 0..200), ahead in 0i64..400) {
            let mut at = 0;
            let mut times: Vec<Timestamp> = gaps.iter().map(|gap| { at += gap * HOUR / 4; Timestamp(at) }).collect();
            times.push(Timestamp(at + ahead * DAY));
            let mut clock = Clock::new(Window::DAY);
            let refused = times.iter().position(|time| !observe(&mut clock, time.0));
            prop_assert_eq!(Clock::new(Window::DAY).first_early(&times), refused);
            // What was looked at was taken note of.
            let (mut known, mut noted) = (Clock::new(Window::DAY), Clock::new(Window::DAY));
            prop_assert_eq!(known.note_known(&times), refused);
            noted.note_all(&times[..refused.unwrap_or(times.len())]);
            prop_assert_eq!(known, noted);
        }

        /// No time breaks it.
        #[test]
        fn any_time_is_answered(times in prop::collection::vec(any::<i64>(), 0..40)) {
            let mut clock = Clock::new(Window(i64::MAX));
            for at in &times {
                observe(&mut clock, *at);
            }
            prop_assert!(times.iter().all(|at| clock.allows(Timestamp(*at))), "without a limit nothing is early");
            let mut sorted: Vec<Timestamp> = times.into_iter().map(Timestamp).collect();
            sorted.sort_unstable();
            let _ = (Clock::new(Window(0)).first_early(&sorted), Clock::strays_before(Window(0), &sorted));
        }
    }
}
