//! Streams: only added to, and only by whoever has read what is there.

use crible_store::Append;

use crate::common::{begin, each_store, entity, now};

fn append(subject: &str, expected: u64, bodies: &[&str]) -> Append {
    let bodies = bodies.iter().map(|&body| body.to_owned()).collect();
    Append { subject: subject.to_owned(), expected, bodies, person: Some(entity(5)) }
}

#[test]
fn entries_are_added_to_what_was_read() {
    each_store(async |store| {
        let mut txn = begin(&store, 0).await;
        assert!(txn.append(&[append("person/5", 0, &["in", "sms"])]).await.unwrap());
        txn.commit().await.unwrap();
        let mut txn = begin(&store, 1).await;
        // Somebody read an earlier state: neither stream changes.
        let both = [append("handle/9", 0, &["x"]), append("person/5", 1, &["out"])];
        assert!(!txn.append(&both).await.unwrap());
        assert!(txn.stream("handle/9").await.unwrap().is_empty());
        let plain = Append { person: None, ..append("handle/9", 0, &["x"]) };
        assert!(txn.append(&[plain, append("person/5", 2, &["out"])]).await.unwrap());
        txn.commit().await.unwrap();
        let mut reader = store.read(now(2)).await.unwrap();
        let read = reader.stream("person/5").await.unwrap();
        let read: Vec<_> = read.iter().map(|entry| (entry.number, entry.at, entry.body.as_deref())).collect();
        assert_eq!(read, [(1, now(0), Some("in")), (2, now(0), Some("sms")), (3, now(1), Some("out"))]);
        assert_eq!(reader.stream("handle/9").await.unwrap()[0].body.as_deref(), Some("x"));
        assert_eq!(reader.verify().await.unwrap().unwrap().entries, 4);
        let log = reader.log_entries(0, 9).await.unwrap();
        assert!(log.iter().all(|entry| entry.kind == "stream" && !entry.body.to_string().contains("person")));
    });
}
