//! What entities need, by when they last paid, and who has to be forgotten for it.

use crate::hash::IdMap;

const HOUR: i64 = 3_600_000_000;
/// Slots of an hour.
const PERIODS: usize = 16;

/// A sixteenth of an hour, counted from 1970: entities whose last payments fall into the same one are forgotten
/// together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Period(i64);

impl Period {
    /// Before all others.
    pub(crate) const FIRST: Self = Self(i64::MIN);
    /// After all others.
    pub(crate) const LAST: Self = Self(i64::MAX);

    /// The period of a time.
    pub(crate) fn of(at: i64) -> Self {
        Self(at.div_euclid(HOUR / PERIODS as i64))
    }

    fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    fn hour(self) -> i64 {
        self.0.div_euclid(PERIODS as i64)
    }

    fn place(self) -> usize {
        self.0.rem_euclid(PERIODS as i64) as usize
    }

    fn in_hour(hour: i64, place: usize) -> Self {
        Self(hour.saturating_mul(PERIODS as i64).saturating_add(place as i64))
    }
}

/// As a number to be saved, and back.
impl From<Period> for i64 {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl From<i64> for Period {
    fn from(period: i64) -> Self {
        Self(period)
    }
}

/// What an entity is counted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// When it last paid.
    pub(crate) period: Period,
    /// Bytes it needed then.
    pub(crate) bytes: u64,
}

impl Charge {
    /// What an entity is counted with that has not paid yet.
    pub(crate) const NOTHING: Self = Self { period: Period::LAST, bytes: 0 };
}

/// A charge that takes the place of another.
pub(crate) type Change = [Charge; 2];

/// Bytes that a family's entities need, by the period of their last payments.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// By hour, those that are not empty.
    hours: IdMap<i64, [u64; PERIODS]>,
    total: u64,
    /// Nothing before this is counted any more.
    begin: Period,
    /// How long after its last payment an entity is nobody, in microseconds.
    span: i64,
}

impl Ledger {
    pub(crate) fn new(span: i64) -> Self {
        Self { hours: IdMap::default(), total: 0, begin: Period::FIRST, span }
    }

    /// Bytes counted.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Counts an entity with `after` from now on, which was counted with `before`.
    #[inline]
    pub(crate) fn change(&mut self, [before, after]: Change) {
        if before.period == after.period && before.period >= self.begin {
            if before.bytes != after.bytes {
                let place = self.place(after.period);
                *place = place.wrapping_add(after.bytes).wrapping_sub(before.bytes);
                self.total = self.total.wrapping_add(after.bytes).wrapping_sub(before.bytes);
            }
            return;
        }
        if before.bytes > 0 && before.period >= self.begin {
            let place = self.place(before.period);
            *place = place.wrapping_sub(before.bytes);
            self.total = self.total.wrapping_sub(before.bytes);
        }
        if after.bytes > 0 && after.period >= self.begin {
            let place = self.place(after.period);
            *place = place.wrapping_add(after.bytes);
            self.total = self.total.wrapping_add(after.bytes);
        }
    }

    fn place(&mut self, period: Period) -> &mut u64 {
        &mut self.hours.entry(period.hour()).or_default()[period.place()]
    }

    /// The first hour in which anything is counted.
    fn first_hour(&self) -> Option<i64> {
        // Mostly it is the one that counting begins in, or soon after it.
        let hour = self.begin.hour();
        let near = (hour..hour.saturating_add(32)).find(|hour| self.hours.contains_key(hour));
        near.or_else(|| self.hours.keys().min().copied())
    }

    /// Counts nothing any more that lies before `begin`.
    pub(crate) fn forget_before(&mut self, begin: Period) {
        while self.begin < begin {
            let Some(hour) = self.first_hour().filter(|hour| *hour <= begin.hour()) else {
                self.begin = begin;
                return;
            };
            let until = if hour == begin.hour() { begin.place() } else { PERIODS };
            let Some(periods) = self.hours.get_mut(&hour) else { return };
            let gone = periods.iter_mut().take(until).map(std::mem::take).fold(0, u64::wrapping_add);
            self.total = self.total.wrapping_sub(gone);
            if periods.iter().all(|bytes| *bytes == 0) {
                self.hours.remove(&hour);
            }
            self.begin = Period::in_hour(hour, until).min(begin);
        }
    }

    /// No longer counts whom no payment at `now` or later may find.
    pub(crate) fn expire(&mut self, now: i64) {
        self.forget_before(Period::of(now.saturating_sub(self.span)).next());
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.hours.allocation_size()
    }
}

/// The period from which on entities are remembered, so that those of all `ledgers` together need no more than `most`.
/// Nobody is forgotten who has paid later than somebody who is not, but for those of one period, who go together.
pub(crate) fn remember_from(ledgers: &mut [Ledger], most: u64, mut from: Period) -> Period {
    ledgers.iter_mut().for_each(|ledger| ledger.forget_before(from));
    let mut total: u64 = ledgers.iter().map(Ledger::total).fold(0, u64::wrapping_add);
    while total > most {
        let Some(hour) = ledgers.iter().filter_map(Ledger::first_hour).min() else { break };
        let mut periods = [0u64; PERIODS];
        for ledger in ledgers.iter() {
            if let Some(of) = ledger.hours.get(&hour) {
                periods.iter_mut().zip(of).for_each(|(all, bytes)| *all = all.wrapping_add(*bytes));
            }
        }
        let mut place = 0;
        while total > most && place < PERIODS {
            total = total.wrapping_sub(periods[place]);
            place += 1;
        }
        from = from.max(Period::in_hour(hour, place));
        ledgers.iter_mut().for_each(|ledger| ledger.forget_before(from));
    }
    from
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn step() -> impl Strategy<Value = (usize, usize, i64, u64)> {
        (0usize..2, 0usize..12, prop_oneof![8 => 0i64..3, 1 => 0i64..2_000], 1u64..50)
    }

    proptest! {
        /// What is counted is what the entities that are remembered need; who is forgotten paid before all who are not;
        /// and nobody is forgotten without need.
        #[test]
        fn counts_and_forgets(steps in prop::collection::vec(step(), 1..200), most in 20u64..300, every in 1usize..20) {
            let mut ledgers = [i64::MAX, 900 * HOUR / 16].map(Ledger::new);
            let mut entities: [BTreeMap<usize, Charge>; 2] = Default::default();
            let (mut now, mut from) = (0, Period::FIRST);
            for (i, (family, entity, later, bytes)) in steps.into_iter().enumerate() {
                now += later;
                let before = entities[family].get(&entity).copied().filter(|charge| charge.period >= from);
                let after = Charge { period: Period(now), bytes };
                ledgers[family].change([before.unwrap_or(Charge::NOTHING), after]);
                entities[family].insert(entity, after);
                if i % every == 0 {
                    ledgers[1].expire(now * HOUR / 16);
                    entities[1].retain(|_, charge| charge.period > Period(now - 900));
                    let was = from;
                    from = remember_from(&mut ledgers, most, from);
                    let needed = |from: Period| -> u64 {
                        let all = entities.iter().flat_map(BTreeMap::values);
                        all.filter(|charge| charge.period >= from).map(|charge| charge.bytes).sum()
                    };
                    prop_assert_eq!(needed(from), ledgers.iter().map(Ledger::total).sum::<u64>());
                    prop_assert!(needed(from) <= most);
                    prop_assert!(from == was || needed(Period(from.0 - 1)) > most);
                }
                let hours = ledgers.iter().map(|ledger| ledger.hours.len()).max();
                prop_assert!(hours <= Some(entities.iter().map(BTreeMap::len).sum::<usize>() + 200));
            }
        }
    }

    /// Forgetting an hour's worth after a long silence looks at what there is, not at the silence.
    #[test]
    fn a_long_silence_costs_nothing() {
        let mut ledgers = [Ledger::new(i64::MAX)];
        for period in [i64::MIN / HOUR, -5, 1_000_000_000, i64::MAX / HOUR] {
            ledgers[0].change([Charge::NOTHING, Charge { period: Period(period), bytes: 10 }]);
        }
        assert_eq!(remember_from(&mut ledgers, 10, Period::FIRST), Period(1_000_000_001));
        assert_eq!((ledgers[0].total(), ledgers[0].hours.len()), (10, 1));
    }
}
