//! Several who write at once, and a database that goes away and comes back.

use std::collections::BTreeSet;

use crible_case::{CaseId, Settings};
use crible_store::{NewDelivery, Store};

use crate::alerts::Came;
use crate::common::{begin, block_on, each_address, key, note, now, receive};
use crate::{alerts, postgres};

#[test]
fn writers_wait_for_each_other() {
    each_address(async |url| {
        let first = Store::open(&url, &key(), now(0)).await.unwrap();
        receive(&first, 1, &[Came::new(1, 1, 0)]).await;
        // As two programs would: each with connections of its own, all on the same account.
        let threads: Vec<_> = (0..4_i64)
            .map(|thread| {
                let url = url.clone();
                std::thread::spawn(move || {
                    block_on(async {
                        let store = Store::open(&url, &key(), now(0)).await.unwrap();
                        for n in 0..10_i64 {
                            let (n, minutes) = (100 + (thread * 10 + n) as u128, 2 + n);
                            let mut txn = begin(&store, minutes).await;
                            let facts = vec![Came::new(n, 1, minutes).facts()];
                            txn.receive(&Settings::default(), facts).await.unwrap();
                            let order = alerts::order("ana", minutes);
                            let note = note(&format!("note {n}"));
                            txn.act(&Settings::default(), &order, CaseId(1), &note).await.unwrap().unwrap();
                            let claimed = txn.claim("desk", now(99), 9).await.unwrap();
                            assert!(claimed.iter().all(|delivery| delivery.claims == 1), "claimed by two");
                            let (key, channel, body) = (n.to_string(), "desk".to_owned(), String::new());
                            let (person, about, due) = (None, "-".to_owned(), now(0));
                            txn.enqueue(&[NewDelivery { key, channel, person, about, body, due }]).await.unwrap();
                            txn.commit().await.unwrap();
                        }
                        store.close().await;
                    });
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let mut reader = first.read(now(50)).await.unwrap();
        let desk = reader.desk(&Settings::default(), &BTreeSet::from([CaseId(1)])).await.unwrap();
        let state = desk.case(CaseId(1)).unwrap().state().unwrap();
        assert_eq!((state.alerts.len(), state.notes.len()), (41, 40));
        assert!(reader.verify().await.unwrap().is_ok());
        drop(reader);
        first.close().await;
    });
}

#[test]
fn readers_see_one_moment_and_do_not_wait() {
    each_address(async |url| {
        let store = Store::open(&url, &key(), now(0)).await.unwrap();
        receive(&store, 1, &[Came::new(1, 1, 0)]).await;
        let mut reader = store.read(now(2)).await.unwrap();
        assert_eq!(reader.alerts(0, 9).await.unwrap().len(), 1);
        let mut txn = begin(&store, 2).await;
        txn.receive(&Settings::default(), vec![Came::new(2, 2, 0).facts()]).await.unwrap();
        assert_eq!(store.read(now(2)).await.unwrap().alerts(0, 9).await.unwrap().len(), 1);
        txn.commit().await.unwrap();
        assert_eq!(reader.alerts(0, 9).await.unwrap().len(), 1);
        assert_eq!(store.read(now(2)).await.unwrap().alerts(0, 9).await.unwrap().len(), 2);
        drop(reader);
        store.close().await;
    });
}

#[test]
fn a_database_that_was_away_is_used_again() {
    let Some(url) = postgres::database() else { return };
    block_on(async {
        let store = Store::open(&url, &key(), now(0)).await.unwrap();
        receive(&store, 1, &[Came::new(1, 1, 0)]).await;
        let mut txn = begin(&store, 2).await;
        txn.receive(&Settings::default(), vec![Came::new(2, 2, 0).facts()]).await.unwrap();
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND \
                   pid <> pg_backend_pid()";
        let mut db = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
        sqlx::query(end).execute(&mut db).await.unwrap();
        // What was not acknowledged is an error, and is not there.
        assert!(txn.commit().await.is_err());
        assert_eq!(receive(&store, 3, &[Came::new(2, 2, 0)]).await, [CaseId(2)]);
        assert!(store.read(now(4)).await.unwrap().verify().await.unwrap().is_ok());
        store.close().await;
    });
}

const FULL: &str = "CRIBLE_FULL_DISK";

/// Fills a store until there is no room left; does nothing unless it was started by the test below.
#[test]
fn filling_child() {
    let Ok(url) = std::env::var(FULL) else { return };
    block_on(async {
        let store = Store::open(&url, &key(), now(0)).await.unwrap();
        for n in 0..1_000_u128 {
            let alerts = (0..50).map(|i| Came::new(n * 50 + i, (n * 50 + i) as u64 + 1, 0).facts()).collect();
            let mut txn = begin(&store, 1).await;
            let done = match txn.receive(&Settings::default(), alerts).await {
                Ok(_) => txn.commit().await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                println!("full: {error}");
                return;
            }
            println!("kept: {n}");
        }
    });
}

#[test]
fn a_full_disk_costs_what_was_not_acknowledged_alone() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("alerts.db").display().to_string();
    // No file may grow beyond 1 MiB; the signal that says so is ignored, so that writing fails.
    let script = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" --exact sharing::filling_child --nocapture";
    let child = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(FULL, &url)
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success() && said.contains("full: "), "{said}");
    let kept = said.matches("kept: ").count();
    block_on(async {
        let store = Store::open(&url, &key(), now(3)).await.unwrap();
        let mut reader = store.read(now(3)).await.unwrap();
        assert_eq!(reader.alerts(0, 99_999).await.unwrap().len(), kept * 50);
        assert!(kept > 2 && reader.verify().await.unwrap().is_ok());
        drop(reader);
        // There is room again.
        receive(&store, 4, &[Came::new(99_999, 99_999, 0)]).await;
        store.close().await;
    });
}
