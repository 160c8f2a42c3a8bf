//! A person who asks to be forgotten.

use crible_case::{Action, CaseId, Disposition, Settings, Status};
use crible_store::{Append, CaseFilter, DeliveryState, NewDelivery, Store};

use crate::alerts::{Came, user};
use crate::common::{act, begin, block_on, close, each_store, entity, key, note, now, receive};

/// Two accounts, of which one is erased; they share a case and have one each.
async fn fill(store: &Store) {
    let shared = |n, account| Came { counterparty: 50, ..Came::new(n, account, n as i64) };
    receive(store, 1, &[shared(1, 1), shared(2, 2)]).await;
    receive(store, 2, &[Came::new(3, 1, 90_000), Came::new(4, 2, 90_000)]).await;
    act(store, 3, CaseId(1), &note("spoke to Josephine Quill")).await.unwrap();
    act(store, 4, CaseId(2), &note("Josephine again")).await.unwrap();
    act(store, 5, CaseId(3), &note("another matter")).await.unwrap();
    act(store, 6, CaseId(2), &close(Disposition::Fraud)).await.unwrap();
    let mut txn = begin(store, 7).await;
    for (n, account) in [(1, 1), (2, 2)] {
        let person = Some(entity(account));
        let subject = format!("person/{n}");
        let bodies = vec!["opted in from +33 6 12 34 56 78".to_owned()];
        assert!(txn.append(&[Append { subject, expected: 0, bodies, person }]).await.unwrap());
        let (key, channel, body) = (format!("d{n}"), "sms".to_owned(), "to +33 6 12 34 56 78".to_owned());
        let due = now(900);
        txn.enqueue(&[NewDelivery { key, channel, person, about: "-".to_owned(), body, due }]).await.unwrap();
    }
    txn.commit().await.unwrap();
}

#[test]
fn what_was_theirs_is_gone_and_the_rest_stays() {
    each_store(async |store| {
        fill(&store).await;
        let head = store.read(now(8)).await.unwrap().verify().await.unwrap().unwrap();
        let mut txn = begin(&store, 8).await;
        let erased = txn.erase(&Settings::default(), entity(1), &user("dpo")).await.unwrap();
        txn.commit().await.unwrap();
        // Their own key, and those of the notes on the two cases that had their alerts.
        assert_eq!((erased.keys, erased.alerts, erased.cases, erased.deliveries), (3, 2, 2, 1));

        let mut reader = store.read(now(9)).await.unwrap();
        assert_eq!(reader.verify().await.unwrap().unwrap().entries, head.entries + 1);
        assert_eq!(reader.alert(Came::new(1, 1, 0).id()).await.unwrap(), None);
        assert!(reader.alert(Came::new(2, 2, 0).id()).await.unwrap().is_some());
        let desk = reader.desk(&Settings::default(), &[1, 2, 3].map(CaseId).into()).await.unwrap();
        let state = |case| desk.case(CaseId(case)).unwrap().state().unwrap();
        // The history is there: who did what, when, to how many alerts.
        assert_eq!((state(1).alerts.len(), state(2).status(), state(2).subject), (2, Status::Closed, None));
        assert_eq!((state(1).notes[0].text.as_ref(), state(1).owner.clone()), (None, Some(user("ana"))));
        assert_eq!(state(3).notes[0].text.as_ref().unwrap().as_str(), "another matter");
        let filter = {
            let mut all = CaseFilter::default();
            all.all = true;
            all
        };
        let mut rows = reader.cases(&filter, 0, 9).await.unwrap();
        rows.sort_by_key(|row| row.id);
        let shown: Vec<_> = rows.iter().map(|row| row.shown.as_ref().map(|shown| shown.account)).collect();
        assert_eq!(shown, [Some(entity(2)), None, Some(entity(2))]);
        assert!(reader.labels().await.unwrap().is_empty());
        assert!(reader.stream("person/1").await.unwrap().is_empty());
        assert_eq!(reader.stream("person/2").await.unwrap().len(), 1);
        let delivery = reader.delivery("d1").await.unwrap().unwrap();
        assert_eq!((delivery.state, delivery.person, delivery.body), (DeliveryState::Withheld, None, None));
        assert!(reader.delivery("d2").await.unwrap().unwrap().body.is_some());
        drop(reader);

        // Work goes on, also on what is half erased; and what comes anew is new.
        act(&store, 10, CaseId(1), &close(Disposition::Inconclusive)).await.unwrap();
        act(&store, 10, CaseId(2), &Action::Reopen).await.unwrap();
        assert_eq!(receive(&store, 11, &[Came::new(3, 1, 90_000)]).await, [CaseId(2)]);
        assert_eq!(receive(&store, 12, &[Came::new(9, 1, 90_000)]).await, [CaseId(4)]);
        let mut txn = begin(&store, 13).await;
        let again = txn.erase(&Settings::default(), entity(1), &user("dpo")).await.unwrap();
        assert_eq!((again.keys, again.alerts, again.cases), (1, 1, 1));
        txn.commit().await.unwrap();
        assert!(store.read(now(14)).await.unwrap().verify().await.unwrap().is_ok());
    });
}

#[test]
fn nothing_of_a_person_is_readable_in_the_file_nor_left_after_erasing() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.db");
        let store = Store::open(&path.display().to_string(), &key(), now(0)).await.unwrap();
        fill(&store).await;
        let bytes = || {
            let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
            files.flat_map(|path| std::fs::read(path).unwrap()).collect::<Vec<u8>>()
        };
        let has = |text: &str| bytes().windows(text.len()).any(|window| window == text.as_bytes());
        for secret in ["Josephine", "+33 6 12", "412.00", "-100.00"] {
            assert!(!has(secret), "{secret} is readable");
        }
        let account = entity(1).to_string();
        assert!(has(&account), "cases are found by it");
        let mut txn = begin(&store, 8).await;
        txn.erase(&Settings::default(), entity(1), &user("dpo")).await.unwrap();
        txn.commit().await.unwrap();
        store.scrub().await.unwrap();
        assert!(!has(&account), "the pseudonym is left");
        assert!(has(&entity(2).to_string()));
        store.close().await;
    });
}
