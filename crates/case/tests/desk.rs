//! What happens to alerts and cases, one rule at a time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;

use crible_alert::{Severity, wire};
use crible_case::*;
use crible_core::{Amount, Class, Currency, EntityId, LabelSource, Window};

use common::{Came, again, minute, order, user, view};

fn close(disposition: Disposition) -> Action {
    Action::Close { disposition, note: None, quiet_until: None }
}

fn state(desk: &Desk, case: CaseId) -> &State {
    desk.case(case).and_then(|case| case.state()).unwrap()
}

/// A desk with an alert of account 1 in case 1 and one of account 2 in case 2.
fn two_cases() -> Desk {
    let mut desk = Desk::default();
    assert_eq!(desk.receive(Came::new(1, 1, 0).facts(), minute(0)), Received::Opened(CaseId(1)));
    assert_eq!(desk.receive(Came::new(2, 2, 1).facts(), minute(1)), Received::Opened(CaseId(2)));
    desk
}

#[test]
fn alerts_of_one_account_become_a_case_within_the_window() {
    let week = Window::WEEK.0 / common::MINUTE;
    let check = |minutes: i64, expect: Received| {
        let mut desk = two_cases();
        assert_eq!(desk.receive(Came::new(3, 1, minutes).facts(), minute(9)), expect, "{minutes}");
    };
    check(5, Received::Joined(CaseId(1)));
    check(week, Received::Joined(CaseId(1)));
    check(week + 1, Received::Opened(CaseId(3)));
    // What comes late belongs there as well.
    check(-week, Received::Joined(CaseId(1)));
    check(-week - 1, Received::Opened(CaseId(3)));
}

#[test]
fn linked_accounts_become_a_case() {
    let mut desk = Desk::default();
    let ring = |n, account| Came { ring: 7, ..Came::new(n, account, n as i64) };
    assert_eq!(desk.receive(ring(1, 1).facts(), minute(1)), Received::Opened(CaseId(1)));
    assert_eq!(desk.receive(ring(2, 2).facts(), minute(2)), Received::Joined(CaseId(1)));
    // By its account, though it is not known to be linked here.
    assert_eq!(desk.receive(Came::new(3, 2, 3).facts(), minute(3)), Received::Joined(CaseId(1)));
    assert_eq!(desk.summary(CaseId(1)).unwrap().accounts, 2);
}

#[test]
fn a_shop_joins_only_what_it_opened() {
    let at = |n, account, counterparty| Came { counterparty, ..Came::new(n, account, n as i64) };
    let mut desk = Desk::default();
    assert_eq!(desk.receive(at(1, 1, 50).facts(), minute(1)), Received::Opened(CaseId(1)));
    assert_eq!(desk.receive(at(2, 2, 50).facts(), minute(2)), Received::Joined(CaseId(1)));
    assert_eq!(desk.receive(at(3, 2, 60).facts(), minute(3)), Received::Joined(CaseId(1)));
    // Shop 60 opened no case: its other customers are strangers.
    assert_eq!(desk.receive(at(4, 3, 60).facts(), minute(4)), Received::Opened(CaseId(2)));

    let mut settings = Settings::default();
    settings.counterparty = None;
    let mut desk = Desk::new(settings);
    desk.receive(at(1, 1, 50).facts(), minute(1));
    assert_eq!(desk.receive(at(2, 2, 50).facts(), minute(2)), Received::Opened(CaseId(2)));
}

#[test]
fn the_same_alert_is_known_and_a_graver_one_is_news() {
    let mut desk = two_cases();
    let case = CaseId(1);
    desk.act(&order("ana", 2), case, &Action::Note("called".parse().unwrap())).unwrap();
    let events = desk.last_numbers().1;
    assert_eq!(desk.receive(Came::new(1, 1, 0).facts(), minute(3)), Received::Known(case));
    assert_eq!(desk.last_numbers().1, events);
    let milder = Came { severity: Severity::Low, ..Came::new(1, 1, 0) };
    assert_eq!(desk.receive(milder.facts(), minute(3)), Received::Updated { case, graver: false });
    assert!(state(&desk, case).unseen.is_empty());
    let graver = Came { severity: Severity::Critical, ..milder };
    assert_eq!(desk.receive(graver.facts(), minute(4)), Received::Updated { case, graver: true });
    assert_eq!(state(&desk, case).unseen, BTreeSet::from([graver.id()]));
    assert_eq!((state(&desk, case).notes.len(), state(&desk, case).owner.clone()), (1, Some(user("ana"))));
}

#[test]
fn open_assigned_waiting_closed_and_open_again() {
    let mut desk = two_cases();
    let case = CaseId(1);
    let check = |desk: &Desk, expect| assert_eq!(state(desk, case).status(), expect);
    check(&desk, Status::Open);
    desk.act(&order("ana", 2), case, &Action::Assign(user("ben"))).unwrap();
    check(&desk, Status::Assigned);
    desk.act(&order("ben", 3), case, &Action::Wait { until: Some(minute(60)) }).unwrap();
    check(&desk, Status::Waiting);
    assert!(!state(&desk, case).is_overdue(minute(59)) && state(&desk, case).is_overdue(minute(60)));
    // An alert that comes meanwhile joins, and the case waits on.
    assert_eq!(desk.receive(Came::new(3, 1, 4).facts(), minute(4)), Received::Joined(case));
    check(&desk, Status::Waiting);
    desk.act(&order("ben", 5), case, &Action::Resume).unwrap();
    assert_eq!(desk.act(&order("ben", 5), case, &Action::Resume), Err(Refusal::NotWaiting(case)));
    desk.act(&order("ben", 6), case, &close(Disposition::Fraud)).unwrap();
    check(&desk, Status::Closed);
    assert_eq!(desk.act(&order("ben", 7), case, &close(Disposition::Fraud)), Err(Refusal::Closed(case)));
    assert_eq!(desk.act(&order("ben", 7), case, &Action::Assign(user("ana"))), Err(Refusal::Closed(case)));
    desk.act(&order("ana", 8), case, &Action::Reopen).unwrap();
    check(&desk, Status::Assigned);
    assert_eq!(state(&desk, case).owner, Some(user("ana")));
    assert_eq!(desk.act(&order("ana", 9), case, &Action::Reopen), Err(Refusal::NotClosed(case)));
    assert_eq!(desk.act(&order("ana", 9), CaseId(9), &Action::Reopen), Err(Refusal::UnknownCase(CaseId(9))));
}

#[test]
fn a_closed_case_keeps_back_nothing_unless_said() {
    let mut desk = two_cases();
    let next = |n| Came::new(n, 1, n as i64).facts();
    desk.act(&order("ana", 2), CaseId(1), &close(Disposition::Legitimate)).unwrap();
    assert_eq!(desk.receive(next(3), minute(3)), Received::Opened(CaseId(3)));
    assert_eq!(state(&desk, CaseId(3)).origin, Origin::Follows(CaseId(1)));

    let quiet = Action::Close { disposition: Disposition::Legitimate, note: None, quiet_until: Some(minute(20)) };
    desk.act(&order("ana", 4), CaseId(3), &quiet).unwrap();
    assert_eq!(desk.receive(next(5), minute(19)), Received::Quiet(CaseId(3)));
    assert_eq!(state(&desk, CaseId(3)).status(), Status::Closed);
    assert_eq!(desk.receive(next(6), minute(20)), Received::Opened(CaseId(4)));
    // What joined quietly was judged by nobody, also after a note.
    desk.act(&order("ana", 21), CaseId(3), &Action::Note("seen".parse().unwrap())).unwrap();
    assert_eq!(desk.labels(CaseId(3)).len(), 1);
}

#[test]
fn whoever_acts_owns_and_a_bulk_action_overrides_nobody() {
    let mut desk = two_cases();
    let note = Action::Note("called".parse().unwrap());
    desk.act(&order("ana", 2), CaseId(1), &note).unwrap();
    assert_eq!(state(&desk, CaseId(1)).owner, Some(user("ana")));
    // A colleague's note takes nothing away; their work does.
    desk.act(&order("ben", 3), CaseId(1), &note).unwrap();
    assert_eq!(state(&desk, CaseId(1)).owner, Some(user("ana")));

    let all = [CaseId(1), CaseId(2), CaseId(9)];
    let bulk = desk.act_on_all(&order("ben", 4), all, &close(Disposition::Inconclusive)).unwrap();
    assert_eq!(bulk.done.iter().map(|(case, _)| *case).collect::<Vec<_>>(), [CaseId(2)]);
    let unknown = Skipped::Refused(Refusal::UnknownCase(CaseId(9)));
    assert_eq!(bulk.skipped, [(CaseId(1), Skipped::Owner(user("ana"))), (CaseId(9), unknown)]);
    assert_eq!(desk.act_on_all(&order("ben", 4), all, &Action::Merge(CaseId(1))), Err(Refusal::NotInBulk));

    desk.act(&order("ben", 5), CaseId(1), &Action::Wait { until: None }).unwrap();
    assert_eq!(state(&desk, CaseId(1)).owner, Some(user("ben")));

    let bulk = desk.undo_bulk(&order("ben", 6), bulk.done[0].1).unwrap();
    assert_eq!((bulk.done.len(), state(&desk, CaseId(2)).status()), (1, Status::Open));
    let unknown = desk.undo_bulk(&order("ben", 6), OperationId(1));
    assert_eq!(unknown, Err(Refusal::UnknownOperation(OperationId(1))));
}

#[test]
fn above_an_amount_closing_takes_two() {
    let mut settings = Settings::default();
    settings.four_eyes = Some(FourEyes::new([Amount::new(-15_000, Currency::USD)]));
    let mut desk = Desk::new(settings);
    let case = CaseId(1);
    desk.receive(Came::new(1, 1, 0).facts(), minute(0));
    desk.receive(Came::new(2, 1, 1).facts(), minute(1));
    desk.act(&order("ana", 2), case, &close(Disposition::Legitimate)).unwrap();
    assert_eq!(state(&desk, case).status(), Status::Assigned);
    let again = desk.act(&order("ben", 3), case, &close(Disposition::Fraud));
    assert_eq!(again, Err(Refusal::Proposed { case, by: user("ana") }));
    assert_eq!(desk.act(&order("ana", 3), case, &Action::Confirm), Err(Refusal::SamePerson { case, by: user("ana") }));
    // What came after the proposal was not proposed.
    desk.receive(Came::new(3, 1, 4).facts(), minute(4));
    assert_eq!(desk.act(&order("ben", 5), case, &Action::Confirm), Err(Refusal::MoreAlerts { case, alerts: 1 }));
    desk.act(&order("ben", 6), case, &Action::Reject).unwrap();
    assert_eq!(desk.act(&order("ben", 6), case, &Action::Confirm), Err(Refusal::NothingProposed(case)));
    desk.act(&order("ana", 7), case, &close(Disposition::Fraud)).unwrap();
    let confirm = desk.act(&order("ben", 8), case, &Action::Confirm).unwrap();
    let Phase::Closed { closing, confirmed } = &state(&desk, case).phase else { panic!("not closed") };
    assert_eq!((closing.by.as_str(), confirmed.as_ref()), ("ana", Some(&user("ben"))));

    // Whoever takes back their confirmation is not made to have given it.
    let undo = desk.undo(&order("ben", 9), confirm).unwrap();
    let refused = desk.undo(&order("ana", 10), undo);
    assert_eq!(refused, Err(Refusal::Confirmed { operation: undo, confirmed: user("ben") }));
    desk.undo(&order("ben", 11), undo).unwrap();
    assert_eq!(state(&desk, case).status(), Status::Closed);
}

#[test]
fn neither_a_split_nor_another_currency_gets_around_the_second_person() {
    let mut settings = Settings::default();
    settings.four_eyes = Some(FourEyes::new([Amount::new(15_000, Currency::USD)]));
    let mut desk = Desk::new(settings);
    desk.receive(Came::new(1, 1, 0).facts(), minute(0));
    desk.receive(Came::new(2, 1, 1).facts(), minute(1));
    let part = BTreeSet::from([Came::new(2, 1, 1).id()]);
    desk.act(&order("ana", 2), CaseId(1), &Action::Split(part)).unwrap();
    for case in [CaseId(1), CaseId(2)] {
        desk.act(&order("ana", 3), case, &close(Disposition::Legitimate)).unwrap();
        assert!(state(&desk, case).proposal.is_some());
    }
    // Nor does moving a half into a small case.
    desk.receive(Came { dollars: 1, ..Came::new(3, 3, 4) }.facts(), minute(4));
    desk.act(&order("ana", 5), CaseId(2), &Action::Reject).unwrap();
    desk.act(&order("ana", 6), CaseId(2), &Action::Merge(CaseId(3))).unwrap();
    desk.act(&order("ana", 7), CaseId(3), &close(Disposition::Legitimate)).unwrap();
    assert!(state(&desk, CaseId(3)).proposal.is_some());

    let mut alert = Came::new(9, 9, 0).wire();
    alert.amount = wire::Amount { value: "-1".to_owned(), currency: "JPY".to_owned() };
    let case = desk.receive(Facts::new(alert, None).unwrap(), minute(8)).case();
    desk.act(&order("ana", 9), case, &close(Disposition::Legitimate)).unwrap();
    assert!(state(&desk, case).proposal.is_some());
}

#[test]
fn split_and_merge_move_alerts() {
    let mut desk = two_cases();
    desk.receive(Came::new(3, 1, 2).facts(), minute(2));
    let (first, third) = (Came::new(1, 1, 0).id(), Came::new(3, 1, 2).id());
    let split = |alerts: &[_]| Action::Split(alerts.iter().copied().collect());
    assert_eq!(desk.act(&order("ana", 3), CaseId(1), &split(&[])), Err(Refusal::NoSplit(CaseId(1))));
    assert_eq!(desk.act(&order("ana", 3), CaseId(1), &split(&[first, third])), Err(Refusal::NoSplit(CaseId(1))));
    let other = Came::new(2, 2, 1).id();
    let refused = desk.act(&order("ana", 3), CaseId(1), &split(&[other]));
    assert_eq!(refused, Err(Refusal::UnknownAlert { case: CaseId(1), alert: other }));
    desk.act(&order("ana", 4), CaseId(1), &split(&[third])).unwrap();
    assert_eq!((desk.holder(first), desk.holder(third)), (Some(CaseId(1)), Some(CaseId(3))));
    assert_eq!(state(&desk, CaseId(3)).origin, Origin::SplitFrom(CaseId(1)));
    // The account is in both: the next alert goes where the latest is.
    assert_eq!(desk.receive(Came::new(4, 1, 5).facts(), minute(5)), Received::Joined(CaseId(3)));

    assert_eq!(desk.act(&order("ben", 6), CaseId(2), &Action::Merge(CaseId(2))), Err(Refusal::IntoItself(CaseId(2))));
    desk.act(&order("ben", 6), CaseId(2), &Action::Merge(CaseId(1))).unwrap();
    assert_eq!((desk.holder(other), state(&desk, CaseId(2)).status()), (Some(CaseId(1)), Status::Merged));
    assert_eq!(desk.receive(Came::new(5, 2, 7).facts(), minute(7)), Received::Joined(CaseId(1)));
    let merged = Err(Refusal::Merged { case: CaseId(2), into: CaseId(1) });
    assert_eq!(desk.act(&order("ben", 8), CaseId(2), &Action::Reopen), merged);
}

#[test]
fn alerts_that_came_meanwhile_survive_an_undo() {
    // A split is undone after its case got another alert.
    let mut desk = two_cases();
    desk.receive(Came::new(3, 1, 2).facts(), minute(2));
    let split = Action::Split(BTreeSet::from([Came::new(3, 1, 2).id()]));
    let split = desk.act(&order("ana", 3), CaseId(1), &split).unwrap();
    let late = Came::new(4, 1, 5);
    assert_eq!(desk.receive(late.facts(), minute(5)), Received::Joined(CaseId(3)));
    let undo = desk.undo(&order("ana", 6), split).unwrap();
    assert_eq!((desk.holder(late.id()), desk.case(CaseId(3)).unwrap().state()), (Some(CaseId(1)), None));
    assert!(state(&desk, CaseId(1)).unseen.contains(&late.id()));
    desk.undo(&order("ana", 7), undo).unwrap();
    assert_eq!(desk.holder(late.id()), Some(CaseId(3)));

    // A reopening is undone: whoever had closed the case did not know the new alert.
    let mut desk = two_cases();
    desk.act(&order("ana", 2), CaseId(1), &close(Disposition::Legitimate)).unwrap();
    let reopened = desk.act(&order("ana", 3), CaseId(1), &Action::Reopen).unwrap();
    desk.receive(late.facts(), minute(5));
    desk.undo(&order("ana", 6), reopened).unwrap();
    assert_eq!(state(&desk, CaseId(1)).status(), Status::Closed);
    assert_eq!(desk.holder(late.id()), Some(CaseId(3)));
    assert_eq!(
        (state(&desk, CaseId(3)).status(), state(&desk, CaseId(3)).origin),
        (Status::Open, Origin::Follows(CaseId(1)))
    );

    // A merge is undone, done again, and the case that was back had got an alert.
    let mut desk = two_cases();
    let merge = desk.act(&order("ana", 2), CaseId(2), &Action::Merge(CaseId(1))).unwrap();
    let undo = desk.undo(&order("ana", 3), merge).unwrap();
    let late = Came::new(4, 2, 5);
    assert_eq!(desk.receive(late.facts(), minute(5)), Received::Joined(CaseId(2)));
    desk.undo(&order("ana", 6), undo).unwrap();
    assert_eq!(desk.holder(late.id()), Some(CaseId(1)));
}

#[test]
fn what_others_built_on_is_undone_first() {
    let mut desk = two_cases();
    let merge = desk.act(&order("ana", 2), CaseId(2), &Action::Merge(CaseId(1))).unwrap();
    let note = desk.act(&order("ben", 3), CaseId(1), &Action::Note("called".parse().unwrap())).unwrap();
    let refused = desk.undo(&order("ana", 4), merge);
    assert_eq!(refused, Err(Refusal::Later { operation: merge, case: CaseId(1), later: note }));
    assert_eq!(desk.undo(&order("ana", 4), OperationId(1)), Err(Refusal::NotUndoable(OperationId(1))));
    assert_eq!(desk.undo(&order("ana", 4), OperationId(99)), Err(Refusal::UnknownOperation(OperationId(99))));
    desk.undo(&order("ben", 5), note).unwrap();
    desk.undo(&order("ana", 6), merge).unwrap();
    let events: Vec<Event> = desk.take_events().iter().map(|event| Event::clone(event)).collect();
    let alerts = [Came::new(1, 1, 0).id(), Came::new(2, 2, 1).id()];
    assert_eq!(view(&again(&desk, &events, alerts), alerts), view(&two_cases(), alerts));
}

#[test]
fn an_order_on_what_was_not_seen_is_refused() {
    let mut desk = two_cases();
    let mut order = order("ana", 3);
    order.as_of = Some(OperationId(1));
    desk.receive(Came::new(3, 1, 2).facts(), minute(2));
    let refused = desk.act(&order, CaseId(1), &close(Disposition::Legitimate));
    assert_eq!(refused, Err(Refusal::Stale { case: CaseId(1), seen: OperationId(1), latest: OperationId(3) }));
    order.as_of = Some(OperationId(3));
    desk.act(&order, CaseId(1), &close(Disposition::Legitimate)).unwrap();
}

#[test]
fn a_customer_s_answer_is_evidence() {
    let mut desk = two_cases();
    let (case, alert) = (CaseId(1), Came::new(1, 1, 0).id());
    desk.act(&order("ana", 2), case, &Action::Wait { until: Some(minute(9)) }).unwrap();
    let answer = desk.answer(alert, false, minute(3)).unwrap();
    assert_eq!(state(&desk, case).status(), Status::Assigned);
    let labels = desk.labels(case);
    assert_eq!((labels.len(), labels[0].class, labels[0].source), (1, Class::Fraud, LabelSource::Customer));
    assert_eq!(desk.undo(&order("ana", 4), answer), Err(Refusal::NotUndoable(answer)));
    assert_eq!(desk.answer(Came::new(9, 1, 0).id(), true, minute(5)), None);
    desk.act(&order("ana", 6), case, &close(Disposition::Legitimate)).unwrap();
    let sources: Vec<_> = desk.labels(case).iter().map(|label| (label.source, label.class)).collect();
    assert_eq!(sources, [(LabelSource::Customer, Class::Fraud), (LabelSource::Analyst, Class::Legitimate)]);
}

#[test]
fn a_summary_counts_a_payment_once_and_keeps_views_apart() {
    let paid = |n: u128| wire::Payment {
        transaction: format!("{n:032x}"),
        at: minute(n as i64).to_string(),
        amount: wire::Amount { value: "-100.00".to_owned(), currency: "USD".to_owned() },
        row: None,
    };
    let reason = |text: &str| wire::Reason {
        feature: "amount".to_owned(),
        text: text.to_owned(),
        value: None,
        typical: None,
        share: 0.5,
    };
    let mut first = Came { severity: Severity::Medium, ..Came::new(1, 1, 1) }.wire();
    (first.looks_like, first.reasons) = (Some("a card being tested".to_owned()), vec![reason("a"), reason("b")]);
    let mut second = Came { severity: Severity::Critical, ..Came::new(3, 1, 3) }.wire();
    (second.looks_like, second.reasons) = (first.looks_like.clone(), vec![reason("b"), reason("c")]);
    second.payments = vec![paid(1), paid(2), paid(3)];
    let mut desk = Desk::default();
    desk.receive(Facts::new(second, None).unwrap(), minute(3));
    desk.receive(Facts::new(first, None).unwrap(), minute(4));
    desk.receive(Came::new(4, 1, 4).facts_in("5.00"), minute(5));

    let summary = desk.summary(CaseId(1)).unwrap();
    assert_eq!(summary.at_risk.into_iter().collect::<Vec<_>>(), [(Currency::USD, 30_500)]);
    assert_eq!(summary.payments.iter().map(|payment| payment.transaction.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((summary.severity, summary.tail), (Severity::Critical, 1e-4));
    let views: Vec<_> = summary.views.iter().map(|view| (view.looks_like.as_str(), view.reasons.join(" "))).collect();
    assert_eq!(views, [("a card being tested", "a b c".to_owned()), ("", String::new())]);
    assert_eq!(desk.summary(CaseId(2)), None);
}

#[test]
fn an_alert_that_does_not_read_is_refused_with_its_field() {
    let check = |spoil: fn(&mut wire::Alert), expect: &str| {
        let mut alert = Came::new(1, 1, 0).wire();
        spoil(&mut alert);
        let error = Facts::new(alert, EntityId::new(3)).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(|alert| alert.account = "xyz".to_owned(), "account: `xyz` is no pseudonym");
    check(|alert| alert.at = "yesterday".to_owned(), "at: `yesterday`");
    check(|alert| alert.amount.value = "12,5".to_owned(), "amount: `12,5` is not an amount");
    check(|alert| alert.amount.currency = "dollar".to_owned(), "currency: `dollar`");
    check(|alert| alert.transaction = String::new(), "transaction: ``");
    check(|alert| alert.counterparty = Some("0".to_owned()), "counterparty: `0`");
}

#[test]
fn events_that_do_not_follow_are_refused() {
    let mut desk = two_cases();
    let events: Vec<Event> = desk.take_events().iter().map(|event| Event::clone(event)).collect();
    let facts = || [1, 2].map(|n| Came::new(n, n as u64, n as i64 - 1).facts());
    let restore = |facts: Vec<Facts>, events: Vec<Event>| {
        Desk::restore(Settings::default(), facts, &BTreeSet::new(), events, 0, 0)
    };
    assert!(restore(facts().to_vec(), events.clone()).is_ok());
    let check = |facts: Vec<Facts>, events: Vec<Event>, expect: &str| {
        let error = restore(facts, events).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(facts()[..1].to_vec(), events.clone(), "operation 2: alert");
    check(facts().to_vec(), vec![events[0].clone(), events[0].clone()], "expected a number above 1");
    let mut nameless = events;
    nameless[1].cases = Vec::new();
    check(facts().to_vec(), nameless, "case 2 is changed and not named");
}
