//! Whatever is changed behind the store's back, the audit log tells.

use crible_case::{CaseId, Disposition};
use crible_store::{Append, Store};

use crate::alerts::Came;
use crate::common::{act, begin, close, each_address, each_store, key, note, now, receive, tamper};

async fn fill(store: &Store) {
    receive(store, 1, &[Came::new(1, 1, 0), Came::new(2, 2, 1)]).await;
    act(store, 2, CaseId(1), &note("called, no answer")).await.unwrap();
    act(store, 3, CaseId(1), &close(Disposition::Fraud)).await.unwrap();
    let mut txn = begin(store, 4).await;
    let bodies = vec!["opted in".to_owned()];
    txn.append(&[Append { subject: "person/1".to_owned(), expected: 0, bodies, person: None }]).await.unwrap();
    txn.put("silence", "night", &"until six", "ana").await.unwrap();
    txn.commit().await.unwrap();
}

#[test]
fn what_was_written_verifies() {
    each_store(async |store| {
        assert_eq!(store.read(now(0)).await.unwrap().verify().await.unwrap().unwrap().entries, 0);
        fill(&store).await;
        let mut reader = store.read(now(9)).await.unwrap();
        let verified = reader.verify().await.unwrap().unwrap();
        assert_eq!(verified.entries, 6);
        let log = reader.log_entries(0, 99).await.unwrap();
        let kinds: Vec<&str> = log.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["case", "case", "case", "case", "stream", "record"]);
        assert_eq!(log[2].actor, "ana");
        assert!(!log[2].body.to_string().contains("no answer"), "what a note says is sealed");
        assert_eq!(reader.log_entries(4, 1).await.unwrap()[0].seq, 5);
    });
}

#[test]
fn every_change_is_found() {
    let check = |statement: &'static str, entry: i64| {
        each_address(async |url| {
            let store = Store::open(&url, &key(), now(0)).await.unwrap();
            fill(&store).await;
            tamper(&store, statement).await;
            let broken = store.read(now(9)).await.unwrap().verify().await.unwrap().unwrap_err();
            assert_eq!(broken.seq, entry, "{statement}: {broken}");
            store.close().await;
        });
    };
    check("UPDATE log SET actor = 'ben' WHERE seq = 4", 4);
    check("UPDATE log SET body = REPLACE(body, 'fraud', 'legitimate') WHERE seq = 4", 4);
    check("UPDATE log SET at = at + 1 WHERE seq = 2", 2);
    check("UPDATE log SET operation = 99 WHERE seq = 2", 2);
    check(
        "UPDATE log SET hash = (SELECT hash FROM keys JOIN log AS other ON other.seq = 1 WHERE keys.id = 1) WHERE seq = 3",
        3,
    );
    check("DELETE FROM log WHERE seq = 3", 3);
    check("DELETE FROM log WHERE seq = 6", 6);
    check("UPDATE streams SET person = NULL, body = (SELECT hash FROM log WHERE seq = 1) WHERE number = 1", 5);
    // Who cuts the end off and knows how the chain is made still lacks the key.
    check("UPDATE meta SET value = '00' WHERE name = 'head_mark'", 7);
}
