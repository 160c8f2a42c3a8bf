//! Backups, into the same kind of database and the other one.

use crible_case::{CaseId, Disposition, Settings};
use crible_store::{Error, Store, StoreKey};

use crate::alerts::{Came, user, view};
use crate::common::{act, begin, block_on, close, each_address, each_store, entity, key, note, now, receive};
use crate::postgres;

async fn filled(store: &Store) -> Vec<u8> {
    receive(store, 1, &[Came::new(1, 1, 0), Came::new(2, 2, 1), Came::new(3, 3, 1)]).await;
    act(store, 2, CaseId(1), &note("called")).await.unwrap();
    act(store, 3, CaseId(1), &close(Disposition::Fraud)).await.unwrap();
    let mut txn = begin(store, 4).await;
    txn.erase(&Settings::default(), entity(3), &user("dpo")).await.unwrap();
    txn.commit().await.unwrap();
    let mut backup = Vec::new();
    store.read(now(5)).await.unwrap().backup(&mut backup).await.unwrap();
    backup
}

async fn seen(store: &Store) -> (crate::alerts::View, String) {
    let mut reader = store.read(now(6)).await.unwrap();
    let desk = reader.desk(&Settings::default(), &(1..=9).map(CaseId).collect()).await.unwrap();
    let alerts = (1..=3).map(|n| Came::new(n, n as u64, 0).id());
    (view(&desk, alerts), reader.verify().await.unwrap().unwrap().head)
}

#[test]
fn a_backup_goes_into_any_database() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let others = [postgres::database(), postgres::database()];
    each_store(async |store| {
        let backup = filled(&store).await;
        let expected = seen(&store).await;
        let file = folder.path().join(format!("copy-{}.db", number.get())).display().to_string();
        let other = others[number.get()].clone();
        number.set(number.get() + 1);
        for url in [Some(file), other].into_iter().flatten() {
            let copy = Store::restore(&url, &key(), &backup[..], now(6)).await.unwrap();
            assert_eq!(seen(&copy).await, expected);
            let mut same = Vec::new();
            copy.read(now(5)).await.unwrap().backup(&mut same).await.unwrap();
            assert!(same == backup, "a backup of what was restored differs");
            // It goes on where it was.
            assert_eq!(receive(&copy, 7, &[Came::new(9, 9, 0)]).await, [CaseId(4)]);
            let error = Store::restore(&url, &key(), &backup[..], now(6)).await.unwrap_err();
            assert!(matches!(error, Error::NotEmpty { .. }), "{error}");
            copy.close().await;
        }
    });
}

#[test]
fn a_damaged_backup_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.db").display().to_string();
    let backup = block_on(async {
        let store = Store::open(&path, &key(), now(0)).await.unwrap();
        let backup = filled(&store).await;
        store.close().await;
        backup
    });
    let text = String::from_utf8(backup.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    let missing = [&lines[..5], &lines[6..]].concat().join("\n") + "\n";
    let later = text.replacen("\"version\":1", "\"version\":9", 1);
    let check = |backup: &str, with: StoreKey, expect: &str| {
        each_address(async |url| {
            let error = Store::restore(&url, &with, backup.as_bytes(), now(6)).await.unwrap_err();
            assert!(error.to_string().contains(expect) && error.is_input(), "{error}, not {expect}");
            // Nothing was written: it is empty still.
            let copy = Store::restore(&url, &key(), text.as_bytes(), now(6)).await.unwrap();
            copy.close().await;
        });
    };
    check("", key(), "line 1: it is empty");
    check("date,amount\n", key(), "line 1: this is no backup");
    check(&later, key(), "of version 9");
    check(&cut, key(), "it is cut short");
    check(&text[..text.len() / 2], key(), "line ");
    check(&missing, key(), "what was read is not what was written");
    check(&text.replacen("\"ana\"", "\"ben\"", 1), key(), "what was read is not what was written");
    check(&text, StoreKey::new([8; 32]), "another key");
    check(&text.replacen("\"table\":\"alerts\"", "\"table\":\"pg_class\"", 1), key(), "`pg_class` is no table");
}

#[test]
fn a_backup_never_replaces_a_file() {
    each_store(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.jsonl");
        assert!(store.backup_to(&path, now(1)).await.unwrap() > 0);
        let error = store.backup_to(&path, now(1)).await.unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error}");
    });
}
