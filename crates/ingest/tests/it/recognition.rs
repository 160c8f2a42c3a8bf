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
    // Without an amount there is no transaction, however near the header is.
    let text = "Transaction Date,Post Date,Description,Category,Type,Sum,Memos\n";
    let error = bytes("in.csv", text, &options()).unwrap_err();
    let Error::Unrecognised { header, nearest, .. } = &error else { panic!("{error}") };
    assert_eq!(header, text.trim());
    assert_eq!(nearest[0], "chase-card (shares 5 of 7 columns; lacks Amount, Memo; has besides Sum, Memos)");
    let message = error.to_string();
    assert!(message.contains("in.csv") && message.contains(text.trim()) && message.contains("chase-card"), "{message}");
    let error = bytes("in.csv", "x,y\n1,2\n", &options()).unwrap_err().to_string();
    assert!(error.contains("none is near"), "{error}");
    // What has no name has nothing in common with anything.
    let error = bytes("in.csv", ",,,\n,,,\n", &options()).unwrap_err().to_string();
    assert!(error.contains("none is near"), "{error}");
}

/// Reads a file of one feed's columns and says what it was taken for, and how surely.
fn taken(text: &str) -> Result<(String, f64, String), Error> {
    let (import, _) = bytes("in.csv", text, &options())?;
    let found = &import.files[0].recognition;
    Ok((found.feed.clone(), found.signature.confidence(), found.why.clone()))
}

#[test]
fn headers_are_recognised_by_their_meaning() {
    let row = "01/05/2024,01/06/2024,CAFE,Food,Sale,-4.50,\n";
    let exact = taken(&format!("Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n{row}")).unwrap();
    assert_eq!((exact.0.as_str(), exact.1), ("chase-card", 1.0));
    let mut before = exact.1;
    for (header, row, expect) in [
        ("TRANSACTION_DATE,post date,Description,Category,Type,Amount,Memo", row, "spelled differently"),
        (
            "Amount,Transaction Date,Post Date,Description,Category,Type",
            "-4.50,01/05/2024,01/06/2024,CAFE,Food,Sale\n",
            "lacks Memo",
        ),
        (
            "Amount,Transaction Date,Post Date,Description,Mine,Category,Type",
            "-4.50,01/05/2024,01/06/2024,CAFE,x,Food,Sale\n",
            "has besides Mine",
        ),
    ] {
        let (feed, confidence, why) = taken(&format!("{header}\n{row}")).unwrap();
        assert_eq!(feed, "chase-card", "{header}");
        assert!(why.contains(expect), "{why}");
        assert!(confidence < before, "{header}: {confidence} after {before}");
        before = confidence;
    }
}

#[test]
fn what_stands_above_a_header_is_passed_over() {
    let file = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n01/05/2024,01/06/2024,CAFE,Food,Sale,-4.50,\n";
    for above in ["Table 1\n", "sep=,\n", "\u{feff}\"sep=,\"\n", "My card\n\nfrom,2024-01-01\nto,2024-02-01\n\n"] {
        let (feed, ..) = taken(&format!("{above}{file}")).unwrap();
        assert_eq!(feed, "chase-card", "{above}");
    }
    let indexed = ",Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n0,01/05/2024,01/06/2024,CAFE,Food,Sale,-4.50,\n";
    let (feed, confidence, why) = taken(indexed).unwrap();
    assert!(feed == "chase-card" && confidence > 0.9 && !why.contains("besides"), "{confidence}: {why}");
}

#[test]
fn two_near_feeds_are_both_named() {
    // A card of Discover writes a charge positive, one of Chase negative: what lies between the two is neither's.
    let text =
        "Type,Trans. Date,Post Date,Description,Amount,Category,Mine\nSale,01/05/2024,01/06/2024,CAFE,4.50,Food,x\n";
    match taken(text) {
        Err(Error::Ambiguous { feeds, .. }) => {
            assert!(
                feeds.contains(&"discover".to_owned()) && feeds.contains(&"chase-card-legacy".to_owned()),
                "{feeds:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_header_that_many_banks_have_is_no_feed_s() {
    for header in ["Date,Description,Amount,Balance", "date,name,amount", "Date,Payee,Memo,Amount"] {
        let error = taken(&format!("{header}\n01/05/2024,x,-4.50,1.00\n")).unwrap_err();
        assert!(matches!(error, Error::Unrecognised { .. } | Error::Ambiguous { .. }), "{header}: {error}");
    }
}

#[test]
fn an_exact_preset_takes_no_header_that_only_means_its_own() {
    let toml = "name = \"mine\"\ntitle = \"Mine\"\n[file]\nheaders = [[\"When\", \"Whose\", \"Sum Total\", \"Shop Sign\"]]\nEXACT\n\
                [file.aliases]\n\"Whose\" = [\"Konto-Nr.\"]\n[account]\ncolumn = \"Whose\"\n[time]\ncolumn = \"When\"\n\
                formats = [\"iso\"]\n[amount]\ncolumn = \"Sum Total\"\nsign = \"outflow-positive\"\n";
    let read = |exact: &str, header: &str| {
        let preset = Preset::from_toml(&toml.replace("EXACT", exact), "mine").unwrap();
        let options = Options { presets: Presets::builtin().with(preset), ..options() };
        bytes("in.csv", format!("{header}\n2024-01-01,ada,1.00,x\n"), &options)
    };
    for header in ["When,Whose,Sum Total,Shop Sign", "when,konto nr,SUM_TOTAL,Shop-Sign"] {
        assert_eq!(read("", header).unwrap().0.files[0].feed, "mine", "{header}");
    }
    assert!(read("exact = true", "When,Whose,Sum Total,Shop Sign").is_ok());
    assert!(read("exact = true", "when,konto nr,SUM_TOTAL,Shop-Sign").is_err());
}

#[test]
fn files_that_hold_no_transactions_are_named_as_what_they_are() {
    for (name, bytes_of, expect) in [
        ("a.csv", &b"%PDF-1.7\n"[..], "a PDF"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "a picture"),
        ("a.csv", b"<!DOCTYPE html><html></html>", "HTML"),
        ("a.xml", b"<?xml version=\"1.0\"?><gnc-v2/>", "`gnc-v2`"),
        (
            "a.xml",
            b"<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.03\"><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId>",
            "pain.002.001.03",
        ),
        ("a.json", b"[{\"a\": 1, }", "line 1"),
    ] {
        let error = bytes(name, bytes_of, &options()).unwrap_err().to_string();
        assert!(error.contains(expect), "{expect}: {error}");
    }
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
