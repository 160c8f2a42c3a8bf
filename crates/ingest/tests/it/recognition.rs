//! Which feed a file is of.

use crible_ingest::{Compression, Error, Options, Preset, Presets, recognise};

use crate::common::{Folder, bytes, fixture, options};

#[test]
fn a_recognition_says_how() {
    let found = recognise(&fixture("sparkov-generator.psv"), &options()).unwrap();
    assert_eq!((found.feed.as_str(), found.delimiter, found.compression), ("sparkov-generator", Some('|'), None));
    assert_eq!(found.columns.len(), 26);
    assert_eq!(found.why, "its header is that of sparkov-generator (26 columns)");
    let folder = Folder::new();
    let packed = zstd::encode_all(&std::fs::read(fixture("paysim.csv")).unwrap()[..], 1).unwrap();
    let found = recognise(&folder.file("anything", packed), &options()).unwrap();
    assert_eq!((found.feed.as_str(), found.compression), ("paysim", Some(Compression::Zstandard)));
}

#[test]
fn each_delimiter_is_sniffed() {
    let text = std::fs::read_to_string(fixture("handbook.csv")).unwrap();
    let (expect, _) = bytes("in.csv", &text, &options()).unwrap();
    for delimiter in [";", "|", "\t"] {
        let (import, rejects) = bytes("in.csv", text.replace(',', delimiter), &options()).unwrap();
        assert_eq!((import.batch, rejects), (expect.batch.clone(), vec![]), "{delimiter:?}");
    }
}

#[test]
fn an_unknown_header_gets_its_nearest_presets() {
    let text = "Transaction Date,Post Date,Description,Category,Type,Amount,Memos\n";
    let error = bytes("in.csv", text, &options()).unwrap_err();
    let Error::Unrecognised { header, nearest, .. } = &error else { panic!("{error}") };
    assert_eq!(header, text.trim());
    assert_eq!(nearest[0], "chase-card (shares 6 of 7 columns; lacks Memo; has besides Memos)");
    let message = error.to_string();
    assert!(message.contains("in.csv") && message.contains(text.trim()) && message.contains("chase-card"), "{message}");
    let error = bytes("in.csv", "x,y\n1,2\n", &options()).unwrap_err().to_string();
    assert!(error.contains("none is near"), "{error}");
    let turned = "Amount,Transaction Date,Post Date,Description,Category,Type,Memo\n";
    let error = bytes("in.csv", turned, &options()).unwrap_err().to_string();
    assert!(error.contains("another order"), "{error}");
}

#[test]
fn two_presets_that_fit_are_both_named() {
    let folder = Folder::new();
    let mine = "name = \"mine\"\ntitle = \"Mine\"\nfile.headers = [[\"t\", \"a\", \"b\"]]\naccount.column = \"a\"\n\
                time = { column = \"t\", formats = [\"iso\"] }\namount = { column = \"b\", sign = \"outflow-positive\" }\n";
    folder.file("mine.toml", mine);
    folder.file("yours.toml", mine.replace("mine", "yours"));
    let presets = Presets::builtin().with_folder(folder.path()).unwrap();
    let file = "t,a,b\n2024-01-01,ada,1\n";
    let mut options = Options { presets, ..options() };
    let error = bytes("in.csv", file, &options).unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { feeds, .. } if *feeds == ["mine", "yours"]), "{error}");
    options.feed = Some("yours".to_owned());
    assert_eq!(bytes("in.csv", file, &options).unwrap().0.files[0].feed, "yours");
    options.feed = Some("theirs".to_owned());
    let error = bytes("in.csv", file, &options).unwrap_err().to_string();
    assert!(error.contains("theirs") && error.contains("mine") && error.contains("handbook"), "{error}");
    folder.file("again.toml", mine);
    assert!(Presets::builtin().with_folder(folder.path()).is_err());
}

#[test]
fn a_feed_named_by_the_user_needs_its_columns_only() {
    let text = "TX_AMOUNT,EXTRA,CUSTOMER_ID,TX_DATETIME,TERMINAL_ID,TRANSACTION_ID,TX_FRAUD\n5,x,1,2018-04-01,2,3,0\n";
    assert!(bytes("in.csv", text, &options()).is_err());
    let named = Options { feed: Some("handbook".to_owned()), ..options() };
    let (import, _) = bytes("in.csv", text, &named).unwrap();
    assert_eq!((import.batch.len(), import.files[0].unused_columns.as_slice()), (1, &["EXTRA".to_owned()][..]));
    let error = bytes("in.csv", text.replace("TX_AMOUNT", "SUM"), &named).unwrap_err().to_string();
    assert!(error.contains("TX_AMOUNT") && error.contains("SUM, EXTRA"), "{error}");
}

#[test]
fn a_user_s_preset_takes_a_built_in_one_s_place() {
    let toml = "name = \"handbook\"\ntitle = \"Ours\"\nfile.headers = [[\"a\", \"b\"]]\naccount.column = \"a\"\n\
                time = { column = \"a\", step = { unit = \"day\", base = \"2020-01-01\" } }\n\
                amount = { column = \"b\", sign = \"outflow-negative\" }";
    let presets = Presets::builtin().with(Preset::from_toml(toml, "ours").unwrap());
    assert_eq!(presets.get("handbook").unwrap().title(), "Ours");
    assert_eq!(presets.iter().count(), Presets::builtin().iter().count());
    assert_eq!(presets.get("handbook").unwrap().recognised_by(), "its header: a,b");
}

#[test]
fn progress_ends_at_the_total() {
    let seen = std::sync::Mutex::new(Vec::new());
    let files = [fixture("handbook.csv"), fixture("paysim.csv")];
    crible_ingest::read(&files, &options(), &mut |_| {}, &|progress| seen.lock().unwrap().push(progress)).unwrap();
    let seen = seen.into_inner().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.bytes_read, last.rows), (last.bytes_total, 6));
    assert!(seen.windows(2).all(|pair| pair[0].bytes_read <= pair[1].bytes_read && pair[0].rows <= pair[1].rows));
}
