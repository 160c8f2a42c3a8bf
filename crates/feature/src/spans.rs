//! When a state has observed: from when on it knows.

use crible_core::{Timestamp, Window};
use serde::{Deserialize, Serialize};

/// A silence after which windows hold next to nothing.
const SILENCE: i64 = Window::MONTH.0;

/// Spans of time with payments, none of them interrupted for longer than [`SILENCE`]. Oldest first.
///
/// They are those of the payments in any order, as long as none is later than the lateness: whatever could still fill
/// the silence between two spans is kept apart, and only what nothing can reach any more is let go of. So a row dated a
/// century before all others is no history, and a late payment that fills a silence makes one span of two, as it would
/// have in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spans(Vec<(i64, i64)>);

impl Spans {
    /// The span of a state that lacks since when it has observed: since ever.
    pub(crate) fn ever(until: Option<i64>) -> Self {
        Self(until.map(|until| (i64::MIN, until)).into_iter().collect())
    }

    /// Whether payments up to `watermark` leave such spans.
    pub(crate) fn is_sound(&self, watermark: Option<i64>) -> bool {
        self.0.last().map(|(_, to)| *to) == watermark
            && self.0.iter().all(|(from, to)| from <= to)
            && self.0.windows(2).all(|pair| pair[1].0.saturating_sub(pair[0].1) > SILENCE)
    }

    /// Takes in a payment.
    pub(crate) fn note(&mut self, at: Timestamp, lateness: Window) {
        match self.0.last_mut() {
            // Nearly every payment: it comes last, soon after the one before.
            Some((_, to)) if *to <= at.0 && at.0.saturating_sub(*to) <= SILENCE => *to = at.0,
            _ => self.join((at.0, at.0)),
        }
        if self.0.len() > 1 {
            self.let_go(lateness);
        }
    }

    /// Takes in the spans of another state.
    pub(crate) fn merge(&mut self, other: &Self, lateness: Window) {
        other.0.iter().for_each(|span| self.join(*span));
        self.let_go(lateness);
    }

    fn join(&mut self, (mut from, mut to): (i64, i64)) {
        let near = |span: &(i64, i64)| span.0.saturating_sub(to) <= SILENCE && from.saturating_sub(span.1) <= SILENCE;
        let first = self.0.partition_point(|span| span.1 < from && !near(span));
        let past = first + self.0[first..].iter().take_while(|span| near(span)).count();
        for span in &self.0[first..past] {
            (from, to) = (from.min(span.0), to.max(span.1));
        }
        self.0.splice(first..past, [(from, to)]);
    }

    /// Lets go of spans that nothing can join to a later one any more. The last stays.
    fn let_go(&mut self, lateness: Window) {
        let Some(&(_, latest)) = self.0.last() else { return };
        let reached = latest.saturating_sub(lateness.0).saturating_sub(SILENCE);
        let gone = self.0.partition_point(|span| span.1 < reached).min(self.0.len() - 1);
        self.0.drain(..gone);
    }

    /// Since when the state has observed without a silence; `None` where it has observed nothing.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.0.last().map(|(from, _)| Timestamp(*from))
    }

    /// The same of the span that this time, which was taken in, lies in.
    pub(crate) fn since_at(&self, at: Timestamp) -> Timestamp {
        let within = self.0.iter().rev().find(|(from, to)| (*from..=*to).contains(&at.0));
        within.map_or(at, |(from, _)| Timestamp(*from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = Window::DAY.0;

    /// The same by looking at all payments at once.
    fn since(times: &[i64]) -> Option<Timestamp> {
        let mut times = times.to_vec();
        times.sort_unstable();
        let cut = times.windows(2).rposition(|pair| pair[1] - pair[0] > SILENCE).map_or(0, |at| at + 1);
        times.get(cut).map(|at| Timestamp(*at))
    }

    proptest! {
        #[test]
        fn late_payments_fill_silences(
            steps in prop::collection::vec((0i64..50, any::<bool>()), 1..40),
            lateness in 0i64..100,
            cut in 0usize..40,
        ) {
            let lateness = Window(lateness * DAY);
            let (mut spans, mut times, mut latest) = (Spans::default(), Vec::new(), 0);
            let forever = Window(1_000 * 365 * DAY);
            let (mut one, mut other) = (Spans::default(), Spans::default());
            for (i, (days, is_late)) in steps.into_iter().enumerate() {
                let at = if is_late { latest - days.min(lateness.0 / DAY) * DAY } else { latest + days * DAY };
                latest = if times.is_empty() { at } else { latest.max(at) };
                times.push(at);
                spans.note(Timestamp(at), lateness);
                let part = if i < cut { &mut one } else { &mut other };
                part.note(Timestamp(at), forever);
                prop_assert!(spans.is_sound(Some(latest.max(at))));
                prop_assert_eq!(spans.since(), since(&times));
                prop_assert!(spans.0.len() as i64 <= 2 + lateness.0 / SILENCE);
                let earlier: Vec<i64> = times.iter().copied().filter(|time| *time <= at).collect();
                prop_assert_eq!(Some(spans.since_at(Timestamp(at))), since(&earlier));
            }
            // In order, the same spans; and two states that let go of nothing make the state of all.
            times.sort_unstable();
            let mut ordered = Spans::default();
            times.iter().for_each(|at| ordered.note(Timestamp(*at), lateness));
            prop_assert_eq!(&ordered, &spans);
            one.merge(&other, lateness);
            prop_assert_eq!(one.since(), spans.since());
        }
    }

    #[test]
    fn a_row_a_century_before_is_no_history() {
        let mut spans = Spans::default();
        for at in [i64::MIN, -100 * 365 * DAY, 0, DAY, i64::MAX] {
            spans.note(Timestamp(at), Window::DAY);
            assert_eq!(spans.since(), Some(Timestamp(if at == DAY { 0 } else { at })));
        }
    }
}
