//! Deliveries: written once, claimed by one, tried until they are settled.

use crible_case::Settings;
use crible_store::{DeliveryState, NewDelivery, Settled};

use crate::alerts::Came;
use crate::common::{begin, each_store, entity, now};

fn new(key: &str, due: i64) -> NewDelivery {
    let (key, channel) = (key.to_owned(), "desk".to_owned());
    NewDelivery { key, channel, person: None, about: "-".to_owned(), body: "{\"text\":1}".to_owned(), due: now(due) }
}

fn settled(id: i64, claims: u32, state: DeliveryState, due: i64) -> Settled {
    Settled { id, claims, state, attempts: 1, due: now(due), why: Some("connection refused".to_owned()) }
}

#[test]
fn a_key_is_written_once() {
    each_store(async |store| {
        let mut txn = begin(&store, 0).await;
        assert_eq!(txn.enqueue(&[new("a", 1), new("b", 1), new("a", 5)]).await.unwrap(), 2);
        txn.commit().await.unwrap();
        let mut txn = begin(&store, 1).await;
        assert_eq!(txn.enqueue(&[new("c", 1), new("a", 9)]).await.unwrap(), 1);
        let kept = txn.delivery("a").await.unwrap().unwrap();
        assert_eq!((kept.due, kept.created, kept.body.as_deref()), (now(1), now(0), Some("{\"text\":1}")));
        assert_eq!(txn.deliveries(None, 9).await.unwrap().len(), 3);
    });
}

#[test]
fn an_alert_and_its_delivery_are_one() {
    each_store(async |store| {
        for commit in [false, true] {
            let mut txn = begin(&store, 0).await;
            txn.receive(&Settings::default(), vec![Came::new(1, 1, 0).facts()]).await.unwrap();
            txn.enqueue(&[new("a", 0)]).await.unwrap();
            if commit {
                txn.commit().await.unwrap();
            } else {
                txn.abandon().await.unwrap();
            }
            let mut reader = store.read(now(1)).await.unwrap();
            let alert = reader.alert(Came::new(1, 1, 0).id()).await.unwrap();
            assert_eq!((alert.is_some(), reader.delivery("a").await.unwrap().is_some()), (commit, commit));
        }
    });
}

#[test]
fn what_is_claimed_is_claimed_by_one_until_the_lease_ends() {
    each_store(async |store| {
        let mut txn = begin(&store, 0).await;
        txn.enqueue(&[new("late", 9), new("second", 2), new("first", 1)]).await.unwrap();
        assert_eq!(txn.next_due("desk").await.unwrap(), Some(now(1)));
        assert_eq!(txn.next_due("elsewhere").await.unwrap(), None);
        txn.commit().await.unwrap();

        let mut txn = begin(&store, 3).await;
        assert!(txn.claim("elsewhere", now(5), 9).await.unwrap().is_empty());
        let one = txn.claim("desk", now(5), 1).await.unwrap();
        assert_eq!((one[0].key.as_str(), one[0].claims, one[0].leased_until), ("first", 1, Some(now(5))));
        let rest = txn.claim("desk", now(5), 9).await.unwrap();
        assert_eq!(rest.iter().map(|delivery| delivery.key.as_str()).collect::<Vec<_>>(), ["second"]);
        assert_eq!(txn.next_due("desk").await.unwrap(), Some(now(5)));
        txn.commit().await.unwrap();

        // Nobody settled it: somebody else gets it, under the same key, and whoever had it first comes too late.
        let mut txn = begin(&store, 5).await;
        let again = txn.claim("desk", now(7), 9).await.unwrap();
        assert_eq!((again.len(), again[0].key.as_str(), again[0].claims), (2, "first", 2));
        let id = again[0].id;
        assert_eq!(txn.settle(&[settled(id, 1, DeliveryState::Sent, 0)]).await.unwrap(), 0);
        assert_eq!(txn.settle(&[settled(id, 2, DeliveryState::Pending, 6)]).await.unwrap(), 1);
        let kept = txn.delivery("first").await.unwrap().unwrap();
        assert_eq!((kept.state, kept.attempts, kept.settled), (DeliveryState::Pending, 1, None));
        assert_eq!((kept.due, kept.leased_until, kept.why.as_deref()), (now(6), None, Some("connection refused")));
        txn.commit().await.unwrap();

        let mut txn = begin(&store, 6).await;
        let third = txn.claim("desk", now(9), 9).await.unwrap();
        assert_eq!((third.len(), third[0].claims), (1, 3));
        txn.settle(&[settled(id, 3, DeliveryState::Sent, 0)]).await.unwrap();
        // What is settled is not settled again.
        assert_eq!(txn.settle(&[settled(id, 3, DeliveryState::Dead, 0)]).await.unwrap(), 0);
        let sent = txn.deliveries(Some(DeliveryState::Sent), 9).await.unwrap();
        assert_eq!((sent.len(), sent[0].settled), (1, Some(now(6))));
    });
}

#[test]
fn dead_letters_are_looked_at_and_sent_again() {
    each_store(async |store| {
        let mut txn = begin(&store, 0).await;
        txn.enqueue(&[new("a", 0)]).await.unwrap();
        let claimed = txn.claim("desk", now(1), 1).await.unwrap();
        assert!(!txn.resend(claimed[0].id).await.unwrap(), "it is not dead");
        txn.settle(&[settled(claimed[0].id, 1, DeliveryState::Dead, 0)]).await.unwrap();
        assert!(txn.claim("desk", now(9), 9).await.unwrap().is_empty());
        txn.commit().await.unwrap();

        let mut txn = begin(&store, 4).await;
        let dead = txn.deliveries(Some(DeliveryState::Dead), 9).await.unwrap();
        assert_eq!(dead[0].why.as_deref(), Some("connection refused"));
        assert!(txn.resend(dead[0].id).await.unwrap());
        let again = txn.claim("desk", now(5), 9).await.unwrap();
        assert_eq!((again[0].attempts, again[0].claims, again[0].settled), (0, 2, None));
    });
}

#[test]
fn a_body_about_a_person_is_sealed_by_their_key() {
    each_store(async |store| {
        let mut txn = begin(&store, 0).await;
        let secret = NewDelivery { person: Some(entity(5)), body: "card 4321".to_owned(), ..new("p", 0) };
        txn.enqueue(&[secret]).await.unwrap();
        let claimed = txn.claim("desk", now(1), 1).await.unwrap();
        assert_eq!((claimed[0].body.as_deref(), claimed[0].person), (Some("card 4321"), Some(entity(5))));
        txn.commit().await.unwrap();
        let mut kept = Vec::new();
        store.read(now(1)).await.unwrap().backup(&mut kept).await.unwrap();
        assert!(!String::from_utf8(kept).unwrap().contains("card 4321"));
    });
}

#[test]
fn health_is_kept_for_each_channel() {
    each_store(async |store| {
        let mut txn = begin(&store, 0).await;
        assert_eq!(txn.health("desk").await.unwrap(), None);
        for health in ["failing", "well"] {
            txn.set_health("desk", health).await.unwrap();
        }
        assert_eq!(txn.health("desk").await.unwrap().as_deref(), Some("well"));
    });
}
