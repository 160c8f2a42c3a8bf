//! What is opened, and what is refused before anything is written.

use crible_store::{Error, Store, StoreKey};

use crate::alerts::Came;
use crate::common::{each_address, each_store, key, now, receive, tamper};

#[test]
fn a_store_is_made_once_and_opened_again() {
    each_address(async |url| {
        let store = Store::open(&url, &key(), now(0)).await.unwrap();
        assert_eq!(store.upgraded(), None);
        receive(&store, 1, &[Came::new(1, 1, 0)]).await;
        store.close().await;
        let store = Store::open_existing(&url, &key(), now(2)).await.unwrap();
        assert!(store.read(now(2)).await.unwrap().alert(Came::new(1, 1, 0).id()).await.unwrap().is_some());
        store.close().await;
    });
}

#[test]
fn another_key_is_refused() {
    each_store(async |store| {
        receive(&store, 1, &[Came::new(1, 1, 0)]).await;
        let error = Store::open(&store.address(), &StoreKey::new([8; 32]), now(0)).await.unwrap_err();
        assert!(matches!(error, Error::WrongKey { .. }) && error.is_input(), "{error}");
    });
}

#[test]
fn a_later_version_is_refused() {
    each_store(async |store| {
        tamper(&store, "UPDATE meta SET value = '7' WHERE name = 'version'").await;
        let error = Store::open(&store.address(), &key(), now(0)).await.unwrap_err();
        assert!(error.to_string().contains("of version 7") && error.is_input(), "{error}");
    });
}

#[test]
fn a_database_of_something_else_is_left_alone() {
    each_store(async |store| {
        tamper(&store, "UPDATE meta SET name = 'other' WHERE name = 'version'").await;
        let error = Store::open(&store.address(), &key(), now(0)).await.unwrap_err();
        assert!(matches!(error, Error::NotAStore { .. }), "{error}");
    });
}

#[test]
fn what_is_refused_is_not_touched() {
    crate::common::block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.db");
        let url = path.display().to_string();
        let store = Store::open(&url, &key(), now(0)).await.unwrap();
        receive(&store, 1, &[Came::new(1, 1, 0)]).await;
        tamper(&store, "UPDATE meta SET value = '7' WHERE name = 'version'").await;
        store.scrub().await.unwrap();
        store.close().await;
        let before = std::fs::read(&path).unwrap();
        for wrong in [key(), StoreKey::new([8; 32])] {
            assert!(Store::open(&url, &wrong, now(0)).await.is_err());
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert!(files.iter().all(|name| !name.to_string_lossy().contains("version")), "{files:?}");
    });
}

#[test]
fn what_is_no_store_is_said_to_be_none() {
    crate::common::block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.db").display().to_string();
        let error = Store::open_existing(&missing, &key(), now(0)).await.unwrap_err();
        assert!(matches!(error, Error::Missing { .. }), "{error}");
        assert!(!std::path::Path::new(&missing).exists());

        let text = folder.path().join("text");
        std::fs::write(&text, "date,amount\n2024-06-01,4.00\n".repeat(100)).unwrap();
        let error = Store::open(&text.display().to_string(), &key(), now(0)).await.unwrap_err();
        assert!(matches!(&error, Error::Database { what, .. } if what.contains("cannot be opened")), "{error}");
        assert!(std::fs::read(&text).unwrap().starts_with(b"date,amount"));

        // A store that was cut short, as by a copy that ran out of room.
        let whole = folder.path().join("whole.db");
        Store::open(&whole.display().to_string(), &key(), now(0)).await.unwrap().close().await;
        for bytes in [50, 3_000] {
            std::fs::write(&text, &std::fs::read(&whole).unwrap()[..bytes]).unwrap();
            let error = Store::open(&text.display().to_string(), &key(), now(0)).await.unwrap_err();
            assert!(matches!(&error, Error::Database { what, .. } if what.contains("cannot be opened")), "{error}");
        }

        // A folder that nobody may write to, whoever runs this.
        if cfg!(target_os = "linux") {
            let error = Store::open("/proc/alerts.db", &key(), now(0)).await.unwrap_err();
            assert!(matches!(&error, Error::Database { what, .. } if what.contains("cannot be opened")), "{error}");
        }

        let error = Store::open("postgres://crible:secret@127.0.0.1:1/none", &key(), now(0)).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("127.0.0.1:1") && !shown.contains("secret"), "{shown}");
        assert!(Store::open("mysql://h/d", &key(), now(0)).await.unwrap_err().is_input());
    });
}
