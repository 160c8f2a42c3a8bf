//! Where the key comes from, and that it stays there.

use crible_core::TxnId;
use crible_ingest::{
    Error, FileReport, Import, Key, KeyError, KeyOrigin, Mapping, Options, Preset, Presets, Progress, Recognition,
    Reject,
};
use crible_pseudonym::{Content, Domain, Pseudonyms};

use crate::common::{Folder, fixture, import, key, options};

#[test]
fn without_a_key_the_contents_make_one() {
    let none = Options::default();
    let files = [fixture("handbook.csv"), fixture("paysim.csv")];
    let turned = [files[1].clone(), files[0].clone()];
    let (first, _) = import(&files, &none).unwrap();
    let (again, _) = import(&turned, &none).unwrap();
    assert_eq!(first.key_origin, KeyOrigin::Contents);
    assert_eq!(first.batch, again.batch);
    let (alone, _) = import(&files[..1], &none).unwrap();
    assert!(alone.batch.accounts().iter().all(|account| !first.batch.accounts().contains(account)));
}

#[test]
fn a_key_file_is_a_key_anywhere() {
    let folder = Folder::new();
    let secret = "f00dfeed".repeat(8);
    let path = folder.file("tenant.key", format!("{secret}\n"));
    let from = |key| import(&[fixture("handbook.csv")], &Options { key: Some(key), ..Options::default() }).unwrap().0;
    let file = from(Key::from_file(&path).unwrap());
    let text = from(Key::from_text(&secret).unwrap());
    assert_eq!(file.batch, text.batch);
    assert_eq!(file.key_origin, KeyOrigin::File(path));
    let short = Key::from_file(&folder.file("short.key", "secret")).unwrap_err();
    assert!(matches!(short, KeyError::Short { bytes: 6 }), "{short}");
}

/// Whoever has the key and a row's values makes the ids that reading the file makes: a service has no reader.
#[test]
fn ids_can_be_made_without_a_file() {
    let (import, rejects) = import(&[fixture("crible.csv")], &options()).unwrap();
    assert!(rejects.is_empty(), "{rejects:?}");
    let (key, mut bytes) = (key(), Vec::new());
    let made: Vec<TxnId> = import
        .batch
        .iter()
        .zip([
            (b"t1", &b"ada"[..], Some(&b"bakery"[..]), [&b"food"[..], b"chip", b"FR"]),
            (b"t2", b"ada", None, [b"", b"", b""]),
            (b"t3", b"bo", Some(b"bakery"), [b"salary", b"transfer", b"US"]),
        ])
        .map(|(txn, (id, account, counterparty, words))| {
            let pseudonyms = Pseudonyms::new(&key);
            let account = pseudonyms.entity(Domain::Party, account);
            let counterparty = counterparty.map(|raw| pseudonyms.entity(Domain::Merchant, raw));
            let mut content = Content::new(&mut bytes, txn.at, txn.amount.minor, account, counterparty);
            content.currency(txn.amount.currency);
            content.balance(txn.balance_before);
            content.position(txn.position);
            content.word(id);
            words.iter().for_each(|word| content.word(word));
            key.references("crible").id(&content, true)
        })
        .collect();
    let mut read: Vec<TxnId> = import.batch.iter().map(|txn| txn.id).collect();
    // The batch is in order of time, the rows of the file are not.
    assert_eq!(made.len(), read.len());
    read.sort();
    let mut made = made;
    made.sort();
    assert_eq!(made, read);
}

#[test]
fn no_raw_identifier_is_in_what_comes_out() {
    let (import, _) = import(&[fixture("sparkov.csv")], &options()).unwrap();
    let shown = format!("{import:?}");
    for raw in ["4000123412341234", "Tully", "aa01"] {
        assert!(!shown.contains(raw), "{raw}");
    }
}

#[test]
fn everything_public_can_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<(Error, FileReport, Import, Key, KeyError, KeyOrigin, Mapping)>();
    crosses::<(Options, Preset, Presets, Progress, Recognition, Reject)>();
}
