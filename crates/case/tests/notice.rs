//! When somebody is told, why, and what keeps it back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use crible_alert::Severity;
use crible_case::*;
use crible_core::{EntityId, Timestamp, Window};
use proptest::prelude::*;

use common::{Came, minute, order, user};

const CASE: CaseId = CaseId(1);

fn grouping() -> Grouping {
    let mut grouping = Grouping::default();
    (grouping.wait, grouping.interval) = (Window(Window::HOUR.0 / 30), Window(Window::HOUR.0 / 6));
    grouping.repeat = Some(Window::HOUR);
    grouping
}

fn state(desk: &Desk) -> &State {
    desk.case(CASE).and_then(|case| case.state()).unwrap()
}

fn next(desk: &Desk, told: &Told, minutes: i64) -> Option<(u32, NoticeReason, Timestamp)> {
    let severity = desk.summary(CASE).unwrap().severity;
    let notice = grouping().next(told, state(desk), severity, minute(minutes))?;
    Some((notice.number, notice.reason, notice.due))
}

fn tell(desk: &Desk, told: &mut Told, minutes: i64) {
    let severity = desk.summary(CASE).unwrap().severity;
    let notice = grouping().next(told, state(desk), severity, minute(minutes)).unwrap();
    assert!(notice.due <= minute(minutes), "it is not due yet");
    *told = told.after(&notice, state(desk), severity, minute(minutes));
}

#[test]
fn what_comes_together_is_told_together_and_what_comes_later_in_its_time() {
    let (mut desk, mut told) = (Desk::default(), Told::default());
    desk.receive(Came::new(1, 1, 0).facts(), minute(0));
    assert_eq!(next(&desk, &told, 0), Some((1, NoticeReason::New, minute(2))));
    desk.receive(Came::new(2, 1, 1).facts(), minute(1));
    assert_eq!(next(&desk, &told, 1), Some((1, NoticeReason::New, minute(2))));
    tell(&desk, &mut told, 2);
    assert_eq!((told.notices, told.alerts), (1, 2));
    // Nothing new: again only after an hour.
    assert_eq!(next(&desk, &told, 3), Some((2, NoticeReason::Repeat, minute(62))));
    desk.receive(Came::new(3, 1, 4).facts(), minute(4));
    assert_eq!(next(&desk, &told, 4), Some((2, NoticeReason::More, minute(12))));
    desk.receive(Came { severity: Severity::Critical, ..Came::new(4, 1, 5) }.facts(), minute(5));
    assert_eq!(next(&desk, &told, 5), Some((2, NoticeReason::Graver, minute(12))));
    // A timer that comes late does not make it later still.
    assert_eq!(next(&desk, &told, 90), Some((2, NoticeReason::Graver, minute(90))));
    tell(&desk, &mut told, 12);
    assert_eq!(told.severity, Some(Severity::Critical));
    assert_eq!(next(&desk, &told, 13), Some((3, NoticeReason::Repeat, minute(72))));
}

#[test]
fn whoever_looks_at_a_case_is_not_told_what_they_saw() {
    let (mut desk, mut told) = (Desk::default(), Told::default());
    desk.receive(Came::new(1, 1, 0).facts(), minute(0));
    desk.act(&order("ana", 1), CASE, &Action::Note("I see it".parse().unwrap())).unwrap();
    assert_eq!(next(&desk, &told, 1), None);
    desk.receive(Came::new(2, 1, 2).facts(), minute(2));
    tell(&desk, &mut told, 2);
    assert_eq!(next(&desk, &told, 3).unwrap().1, NoticeReason::Repeat);
    desk.act(&order("ana", 3), CASE, &Action::Wait { until: None }).unwrap();
    assert_eq!(next(&desk, &told, 4), None);
    let close = Action::Close { disposition: Disposition::Fraud, note: None, quiet_until: Some(minute(99)) };
    desk.act(&order("ana", 5), CASE, &close).unwrap();
    assert!(matches!(desk.receive(Came::new(3, 1, 6).facts(), minute(6)), Received::Quiet(CASE)));
    assert_eq!(next(&desk, &told, 7), None, "a closed case is quiet");
}

#[test]
fn a_silence_has_an_end() {
    let silence = |from: i64, until: i64| Silence {
        matcher: "severity=high".parse().unwrap(),
        from: minute(from),
        until: minute(until),
        by: user("ana"),
        why: "maintenance".parse().unwrap(),
    };
    let labels = Labels::of(&Came::new(1, 1, 0).facts());
    let covers = |at: i64| silence(10, 20).covers(&labels, minute(at));
    assert_eq!([9, 10, 19, 20].map(covers), [false, true, true, false]);
    let low = Labels::of(&Came { severity: Severity::Low, ..Came::new(1, 1, 0) }.facts());
    assert!(!silence(10, 20).covers(&low, minute(15)));
    let day = 24 * 60;
    for (until, good) in [(10, false), (9, false), (11, true), (10 + 90 * day, true), (11 + 90 * day, false)] {
        assert_eq!(silence(10, until).check().is_ok(), good, "{until}");
    }
}

#[test]
fn an_inhibition_goes_by_equal_labels() {
    let inhibition = |equal: &[Label]| Inhibition {
        source: "severity=critical".parse().unwrap(),
        target: "severity=high".parse().unwrap(),
        equal: equal.to_vec(),
    };
    let came = |n, account, severity| Came { severity, ..Came::new(n, account, 0) };
    let (grave, mild, other) = (came(1, 1, Severity::Critical), came(2, 1, Severity::High), came(3, 2, Severity::High));
    let labels = |came: Came| Labels::of(&came.facts());
    let open = [(grave.id(), &labels(grave)), (mild.id(), &labels(mild))];
    let by = |came: Came, equal: &[Label]| inhibition(equal).by(came.id(), &labels(came), open);
    assert_eq!(by(mild, &[Label::Account]), Some(grave.id()));
    assert_eq!(by(other, &[Label::Account]), None);
    assert_eq!(by(other, &[]), Some(grave.id()));
    // Neither is linked with anything: that is not the same ring.
    assert_eq!(by(mild, &[Label::Ring]), None);
    assert_eq!(by(mild, &[Label::Account, Label::Ring]), None);
    assert_eq!(by(grave, &[]), None, "a source is not kept back");
}

#[test]
fn lists_end_and_blocking_wins() {
    let listed = |bits, listing, until: Option<i64>| Listed {
        entity: EntityId::new(bits).unwrap(),
        listing,
        until: until.map(minute),
        by: user("ana"),
        why: "known".parse().unwrap(),
    };
    let facts = Came { counterparty: 50, ..Came::new(1, 1, 0) }.facts();
    let lists =
        [listed(50, Listing::Allow, None), listed(1, Listing::Block, Some(10)), listed(9, Listing::Block, None)];
    assert_eq!(listing(&lists, &facts, minute(9)), Some(Listing::Block));
    assert_eq!(listing(&lists, &facts, minute(10)), Some(Listing::Allow));
    assert_eq!(listing(&lists[1..], &facts, minute(10)), None);
    assert_eq!(Listing::Block.severity(), Severity::Critical);
}

#[test]
fn quiet_closings_are_bounded() {
    let mut desk = Desk::default();
    desk.receive(Came::new(1, 1, 0).facts(), minute(0));
    let days = |days: i64| Some(minute(days * 24 * 60));
    let close = |quiet_until| Action::Close { disposition: Disposition::Legitimate, note: None, quiet_until };
    let refused = desk.act(&order("ana", 0), CASE, &close(days(91))).unwrap_err();
    assert!(refused.to_string().contains("at most until 2024-08-30"), "{refused}");
    assert!(desk.act(&order("ana", 0), CASE, &close(days(90))).is_ok());
}

#[test]
fn what_rules_say_is_kept_beside_what_came() {
    let mut desk = Desk::default();
    let tag: Tag = "night".parse().unwrap();
    let judged = |n| Came::new(n, 1, 0).facts().judged(Severity::Critical);
    desk.receive_tagged(judged(1), std::slice::from_ref(&tag), minute(0));
    let about = desk.summary(CASE).unwrap();
    assert_eq!(
        (about.severity, desk.facts(Came::new(1, 1, 0).id()).unwrap().alert().severity),
        (Severity::Critical, Severity::High)
    );
    assert!(state(&desk).tags.contains(&tag));
    let json = serde_json::to_string(&judged(1)).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), judged(1));
    // Whoever takes a tag off a case has the last word.
    desk.act(&order("ana", 1), CASE, &Action::Untag(tag.clone())).unwrap();
    desk.receive_tagged(judged(2), &[tag.clone(), tag.clone()], minute(2));
    assert!(state(&desk).tags.is_empty());
}

proptest! {
    /// Whatever happens, notices are numbered, none is due before now, none comes sooner than the interval after the
    /// last, and each has something unseen to tell.
    #[test]
    fn notices_keep_their_distance(steps in prop::collection::vec((0u8..4, 0i64..40), 1..60)) {
        let (mut desk, mut told, mut now) = (Desk::default(), Told::default(), 0);
        for (n, (what, passes)) in steps.into_iter().enumerate() {
            now += passes;
            match what {
                0 => _ = desk.receive(Came::new(n as u128, 1, now % 90).facts(), minute(now)),
                1 => _ = desk.act(&order("ana", now), CASE, &Action::Resume),
                2 => _ = desk.act(&order("ana", now), CASE, &Action::Note("seen".parse().unwrap())),
                _ => {}
            }
            let Some(about) = desk.summary(CASE) else { continue };
            let Some(notice) = grouping().next(&told, state(&desk), about.severity, minute(now)) else { continue };
            prop_assert!(notice.due >= minute(now) && notice.number == told.notices + 1);
            prop_assert!(!state(&desk).unseen.is_empty());
            if notice.due <= minute(now) {
                let after = told.last.map(|last| now * common::MINUTE + minute(0).0 - last.0);
                prop_assert!(after.is_none_or(|after| after >= grouping().interval.0), "too soon");
                told = told.after(&notice, state(&desk), about.severity, minute(now));
            }
        }
    }
}

#[test]
fn a_ring_comes_with_the_alert() {
    let wire = |ring: Option<&str>| {
        let mut alert = Came::new(1, 1, 0).wire();
        alert.ring = ring.map(str::to_owned);
        alert
    };
    let known = EntityId::new(9);
    assert_eq!(Facts::new(wire(Some("0000000000000007")), None).unwrap().ring(), EntityId::new(7));
    assert_eq!(Facts::new(wire(Some("0000000000000007")), known).unwrap().ring(), known);
    assert_eq!(Facts::new(wire(None), None).unwrap().ring(), None);
    assert!(Facts::new(wire(Some("ring")), None).unwrap_err().to_string().contains("ring"));
}
