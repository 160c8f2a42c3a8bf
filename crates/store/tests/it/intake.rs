//! What rules, lists, silences and inhibitions do to alerts that come in.

use std::collections::BTreeSet;

use crible_alert::Severity;
use crible_case::{
    Action, CaseId, Disposition, Effect, Inhibition, Label, Listed, Listing, NoticeReason, Order, RuleText, RulesText,
    Silence,
};
use crible_store::{CURRENT, CaseFilter, Kept, Store, kind};

use crate::alerts::{Came, user};
use crate::common::{begin, each_store, entity, now};

async fn take(store: &Store, minutes: i64, came: &[Came]) -> Vec<Option<Kept>> {
    let mut txn = begin(store, minutes).await;
    let intake = txn.intake().await.unwrap();
    let taken = txn.take_in(&intake, came.iter().map(|came| came.facts()).collect()).await.unwrap();
    txn.commit().await.unwrap();
    taken.into_iter().map(|taken| taken.kept).collect()
}

#[test]
fn rules_lists_and_silences_have_their_say() {
    each_store(async |store| {
        let rule = |name: &str, when: &str, then: Effect, tag: Option<&str>| RuleText {
            name: name.parse().unwrap(),
            when: when.to_owned(),
            then,
            tag: tag.map(|tag| tag.parse().unwrap()),
            until: None,
        };
        let rules = RulesText {
            rules: vec![
                rule("large", "amount <= -500.0", Effect::Raise, None),
                rule("small", "amount > -50.0", Effect::Hold, None),
                rule("odd", "hour < 24", Effect::Tag, Some("any-hour")),
            ],
        };
        let listed = |bits, listing, until: Option<i64>| Listed {
            entity: entity(bits),
            listing,
            until: until.map(now),
            by: user("ana"),
            why: "known".parse().unwrap(),
        };
        let silence = Silence {
            matcher: "account=0000000000000005".parse().unwrap(),
            from: now(0),
            until: now(10),
            by: user("ana"),
            why: "known".parse().unwrap(),
        };
        let mut txn = begin(&store, 0).await;
        txn.put(kind::RULES, CURRENT, &rules, "ana").await.unwrap();
        txn.put(kind::LISTED, "3", &listed(3, Listing::Allow, Some(10)), "ana").await.unwrap();
        txn.put(kind::LISTED, "4", &listed(4, Listing::Block, None), "ana").await.unwrap();
        txn.put(kind::SILENCE, "1", &silence, "ana").await.unwrap();
        txn.commit().await.unwrap();

        let dollars = |n, account, dollars| Came { dollars, ..Came::new(n, account, 0) };
        let alerts = [dollars(1, 1, 600), dollars(2, 2, 20), dollars(3, 3, 600), dollars(4, 4, 20), dollars(5, 5, 100)];
        let kept = take(&store, 1, &alerts).await;
        let held = Kept::Held("small".parse().unwrap());
        assert_eq!(kept, [None, Some(held), Some(Kept::Allowed), None, Some(Kept::Silenced("1".to_owned()))]);
        // The same again is nothing new, and no rule held once more.
        assert!(take(&store, 2, &alerts).await.iter().all(|kept| *kept == Some(Kept::Known)));

        let mut reader = store.read(now(3)).await.unwrap();
        let mut rows = reader.cases(&CaseFilter::default(), 0, 9).await.unwrap();
        rows.sort_by_key(|row| row.id);
        let severities: Vec<Severity> = rows.iter().map(|row| row.severity).collect();
        use Severity::{Critical, High, Low};
        assert_eq!(severities, [Critical, High, Low, Critical, High]);
        let tagged = {
            let mut filter = CaseFilter::default();
            filter.tag = "any-hour".parse().ok();
            filter
        };
        assert_eq!(reader.count_cases(&tagged).await.unwrap(), 5);
        let hits: crible_case::Hits = reader.record(kind::HITS, CURRENT).await.unwrap().unwrap();
        let hits: Vec<(&str, u64)> = hits.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(hits, [("large", 2), ("odd", 5), ("small", 2)]);
        drop(reader);
        // Both end.
        let later = [dollars(13, 3, 100), dollars(15, 5, 100)];
        assert_eq!(take(&store, 10, &later).await, [None, None]);
    });
}

#[test]
fn an_inhibition_keeps_back_what_agrees_with_a_graver_one() {
    each_store(async |store| {
        let inhibition = Inhibition {
            source: "severity=critical".parse().unwrap(),
            target: "severity=high".parse().unwrap(),
            equal: vec![Label::Account],
        };
        assert!(crible_store::check_inhibition(&inhibition).is_ok());
        let anywhere = Inhibition { equal: vec![Label::Currency], ..inhibition.clone() };
        assert!(crible_store::check_inhibition(&anywhere).unwrap_err().is_input());
        let mut txn = begin(&store, 0).await;
        txn.put(kind::INHIBITION, "graver", &inhibition, "ana").await.unwrap();
        txn.commit().await.unwrap();
        let grave = Came { severity: Severity::Critical, ..Came::new(1, 1, 0) };
        assert_eq!(take(&store, 1, &[grave]).await, [None]);
        let by = || Some(Kept::Inhibited { by: "graver".to_owned(), alert: grave.id() });
        assert_eq!(take(&store, 2, &[Came::new(2, 1, 1), Came::new(3, 2, 1)]).await, [by(), None]);
    });
}

/// What is told is told once, whatever was committed in between; who has nothing to tell sleeps.
#[test]
fn cases_are_told_when_they_are_due() {
    each_store(async |store| {
        assert_eq!(take(&store, 0, &[Came::new(1, 1, 0), Came::new(2, 2, 0)]).await, [None, None]);
        let mut txn = begin(&store, 0).await;
        assert_eq!(txn.next_notice().await.unwrap(), None, "nobody woke them");
        txn.wake(&BTreeSet::from([CaseId(1), CaseId(2), CaseId(99)])).await.unwrap();
        assert_eq!(txn.next_notice().await.unwrap(), Some(now(0)));
        txn.commit().await.unwrap();
        let due = async |minutes, commits: bool| {
            let mut txn = begin(&store, minutes).await;
            let settings = txn.settings().await.unwrap();
            let due = txn.notices(&settings, &settings.notices).await.unwrap();
            if commits {
                txn.commit().await.unwrap();
            }
            due.into_iter()
                .map(|due| (due.case.0, due.notice.number, due.notice.reason, due.unseen))
                .collect::<Vec<_>>()
        };
        let new = [(1, 1, NoticeReason::New, 1), (2, 1, NoticeReason::New, 1)];
        assert_eq!(due(0, true).await, [], "they wait for what comes with them");
        assert_eq!(due(1, false).await, new);
        assert_eq!(due(1, true).await, new, "what was not committed was not told");
        assert_eq!(due(2, true).await, []);
        let order = Order::new(user("ana"), now(3));
        let mut txn = begin(&store, 3).await;
        let settings = txn.settings().await.unwrap();
        let close = Action::Close { disposition: Disposition::Legitimate, note: None, quiet_until: None };
        txn.act(&settings, &order, CaseId(1), &close).await.unwrap().unwrap();
        txn.commit().await.unwrap();
        assert_eq!(due(242, true).await, [(2, 2, NoticeReason::Repeat, 1)]);

        // What the customer says is not theirs opens the case again, and is told.
        let mut txn = begin(&store, 243).await;
        let (case, _) = txn.answer(&settings, Came::new(1, 1, 0).id(), false).await.unwrap().unwrap();
        txn.wake(&BTreeSet::from([case])).await.unwrap();
        txn.commit().await.unwrap();
        assert_eq!(due(243, true).await, [(1, 2, NoticeReason::Graver, 1)]);
        let rows = store.read(now(243)).await.unwrap().cases(&CaseFilter::default(), 0, 9).await.unwrap();
        assert_eq!((rows[0].id, rows[0].severity, rows[0].disposition), (case, Severity::Critical, None));
    });
}
