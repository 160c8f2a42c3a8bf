//! What is too old to be kept.

use std::collections::BTreeSet;

use crible_case::{Action, CaseId, Disposition, Settings};
use crible_store::{DeliveryState, NewDelivery, Settled};

use crate::alerts::{Came, user};
use crate::common::{act, begin, close, each_store, note, now, receive};

#[test]
fn what_is_done_goes_and_what_is_not_stays() {
    each_store(async |store| {
        // 1: closed long ago. 2: open. 3 was merged into 4, which is open. 5: closed lately. 6: split, one half open.
        let alerts: Vec<Came> = (1..=6).map(|n| Came::new(n, n as u64, 0)).collect();
        receive(&store, 1, &alerts).await;
        receive(&store, 1, &[Came::new(16, 6, 1)]).await;
        act(&store, 2, CaseId(1), &note("done")).await.unwrap();
        act(&store, 2, CaseId(1), &close(Disposition::Fraud)).await.unwrap();
        act(&store, 2, CaseId(3), &Action::Merge(CaseId(4))).await.unwrap();
        act(&store, 2, CaseId(6), &Action::Split(BTreeSet::from([Came::new(16, 6, 1).id()]))).await.unwrap();
        act(&store, 2, CaseId(7), &close(Disposition::Fraud)).await.unwrap();
        act(&store, 50, CaseId(5), &close(Disposition::Legitimate)).await.unwrap();
        let mut txn = begin(&store, 3).await;
        let new = |key: &str| {
            let (key, channel) = (key.to_owned(), "desk".to_owned());
            NewDelivery { key, channel, person: None, about: "-".to_owned(), body: "x".to_owned(), due: now(0) }
        };
        txn.enqueue(&[new("sent"), new("pending")]).await.unwrap();
        let id = txn.delivery("sent").await.unwrap().unwrap().id;
        txn.claim("desk", now(4), 1).await.unwrap();
        let (state, why) = (DeliveryState::Sent, None);
        txn.settle(&[Settled { id, claims: 1, state, attempts: 1, due: now(0), why }]).await.unwrap();
        txn.commit().await.unwrap();

        let gone = store.remove_before(&Settings::default(), now(10), &user("dpo"), now(60)).await.unwrap();
        assert_eq!(gone, 1);
        let mut reader = store.read(now(61)).await.unwrap();
        let left = reader.desk(&Settings::default(), &(1..=7).map(CaseId).collect()).await.unwrap();
        let left: Vec<u64> = left.cases().map(|case| case.id().0).collect();
        assert_eq!(left, [2, 3, 4, 5, 6, 7]);
        assert_eq!(reader.case_of(Came::new(1, 1, 0).id()).await.unwrap(), None);
        assert_eq!(reader.deliveries(None, 9).await.unwrap().len(), 1);
        assert!(reader.verify().await.unwrap().is_ok());
        drop(reader);
        // A number is never given twice, and the account begins anew.
        assert_eq!(receive(&store, 62, &[Came::new(1, 1, 0)]).await, [CaseId(8)]);
        assert_eq!(store.remove_before(&Settings::default(), now(10), &user("dpo"), now(63)).await.unwrap(), 0);
    });
}
