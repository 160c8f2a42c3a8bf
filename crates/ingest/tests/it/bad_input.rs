//! Bad rows are reported with place and reason, and nothing else suffers.

use std::io::Write;

use crible_ingest::{Error, Import, Reject};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::common::{bytes, options};

const HEADER: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";

fn good(id: usize) -> String {
    format!("g{id},2024-03-01T09:{:02}:00Z,ada,bakery,-4.20,EUR,food,chip,FR,48.85,2.35,95.80,0", id % 60)
}

fn read(text: impl AsRef<[u8]>) -> (Import, Vec<Reject>) {
    bytes("in.csv", text, &options()).unwrap()
}

/// What is shown of a row that nobody can say the fields of.
pub(crate) fn shape(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '0'..='9' => '0',
            'a'..='z' | 'A'..='Z' => 'x',
            other => other,
        })
        .collect()
}

/// One bad row between two good ones.
#[track_caller]
fn check(bad: &str, column: &str, value: &str, reason: &str) {
    let text = format!("{HEADER}\n{}\n{bad}\n{}\n", good(1), good(2));
    let (import, rejects) = read(&text);
    assert_eq!((import.files[0].read, import.batch.len(), rejects.len()), (3, 2, 1), "{bad}: {rejects:?}");
    let reject = &rejects[0];
    assert_eq!((reject.row, reject.line), (1, 3));
    assert_eq!((reject.column.as_str(), reject.value.as_str()), (column, value));
    assert!(reject.reason.contains(reason), "{}", reject.reason);
    assert!(reject.file.ends_with("in.csv"));
}

#[test]
fn every_kind_of_bad_value() {
    let with = |at: usize, value: &str| {
        let row = good(3);
        let mut fields: Vec<&str> = row.split(',').collect();
        fields[at] = value;
        fields.join(",")
    };
    check(&with(2, ""), "account", "", "expected an account");
    check(&with(2, "  "), "account", "", "expected an account");
    check(&with(1, "2024-02-30T09:00:00Z"), "time", "2024-02-30T09:00:00Z", "a time such as 2018-04-01");
    check(&with(1, "yesterday"), "time", "yesterday", "expected a time");
    check(&with(1, ""), "time", "", "expected a time");
    check(&with(4, "four"), "amount", "four", "is not an amount");
    check(&with(4, ""), "amount", "", "is not an amount");
    check(&with(4, "99999999999999999999"), "amount", "[20 digits]", "does not fit");
    check(&with(4, "\0\0"), "amount", "\0\0", "is not an amount");
    check(&with(5, "EURO"), "currency", "EURO", "three letters");
}

/// A field that no transaction needs rejects none: its value counts as unknown, and is reported.
#[test]
fn odd_values_of_what_is_optional() {
    for (at, value, shown, column) in [
        (9, "91", "91", "latitude"),
        (10, "181", "181", "longitude"),
        (10, "", "", "longitude"),
        (9, "NaN", "NaN", "latitude"),
        (11, "rich", "rich", "balance"),
        (11, "92233720368547758.07", "[17 digits].07", "balance"),
        (12, "maybe", "maybe", "fraud"),
    ] {
        let row = good(3);
        let mut fields: Vec<&str> = row.split(',').collect();
        fields[at] = value;
        let text = format!("{HEADER}\n{}\n{}\n", good(2), fields.join(","));
        let (import, rejects) = read(text);
        assert_eq!((import.batch.len(), rejects.len()), (2, 0), "{column} {value}");
        let expect = format!(
            "column `{column}`: 1 value could not be read and counts as unknown (the first, on line 3: `{shown}`)"
        );
        assert!(import.files[0].warnings.contains(&expect), "{:?}", import.files[0].warnings);
        let row = (0..2).find(|&row| import.batch.source(row).row == 1).unwrap();
        let txn = import.batch.get(row);
        match column {
            "balance" => assert_eq!(txn.balance_before, None),
            "fraud" => assert_eq!(import.batch.truth(row), crible_core::Truth::Unknown),
            _ => assert_eq!(txn.position, None),
        }
    }
}

#[test]
fn labels_are_compared_as_numbers_and_as_yes_and_no() {
    for (word, expect) in [
        ("1.0", crible_core::Truth::Fraud),
        ("0.00", crible_core::Truth::Legitimate),
        ("True", crible_core::Truth::Fraud),
        ("no", crible_core::Truth::Legitimate),
        ("NA", crible_core::Truth::Unknown),
    ] {
        let row = good(3);
        let mut fields: Vec<&str> = row.split(',').collect();
        fields[12] = word;
        let (import, _) = read(format!("{HEADER}\n{}\n", fields.join(",")));
        assert_eq!(import.batch.truth(0), expect, "{word}");
        assert_eq!(import.files[0].warnings.is_empty(), word != "NA", "{word}");
    }
}

#[test]
fn rows_of_the_wrong_width() {
    check("a,b,c", "(whole row)", "x,x,x", "the row has 3 fields; expected 13");
    let more = format!("{},more", good(3));
    check(&more, "(whole row)", &shape(&more), "the row has 14 fields; expected 13");
    check("lonely", "(whole row)", "xxxxxx", "1 fields");
}

#[test]
fn values_are_clipped() {
    let row = format!("{},{}", good(3), "x".repeat(500));
    let (_, rejects) = read(format!("{HEADER}\n{row}\n"));
    assert_eq!(rejects[0].value.chars().count(), 201);
    assert!(rejects[0].value.ends_with('…'));
}

#[test]
fn invalid_utf8_rejects_its_row_alone() {
    for quote in ["", "\""] {
        // The row of an account that only UTF-8 writes like this: the other is damage, and no other encoding.
        let mut text = format!("{HEADER}\n{}\n", good(1).replace("ada", "adé")).into_bytes();
        text.extend(format!("x,2024-03-01T09:00:00Z,{quote}ad").bytes());
        text.push(0xff);
        text.extend(format!("a{quote},bakery,-4.20,EUR,,,,,,,\n{}\n", good(2)).bytes());
        let (import, rejects) = read(text);
        assert_eq!((import.batch.len(), rejects.len()), (2, 1));
        assert!(rejects[0].reason.contains("UTF-8"), "{}", rejects[0].reason);
        assert!(rejects[0].value.contains('\u{fffd}'));
    }
}

#[test]
fn line_ends_blank_lines_and_byte_order_marks() {
    let lines = [HEADER.to_owned(), good(1), String::new(), good(2), "  ".to_owned(), good(3)];
    let expect = read(format!("{HEADER}\n{}\n{}\n{}", good(1), good(2), good(3)));
    for (end, last) in [("\n", "\n"), ("\r\n", "\r\n"), ("\r", "\r"), ("\n", ""), ("\r\n", "\r\n\r\n\r\n"), ("\r", "")]
    {
        for start in ["", "\u{feff}", "\u{feff}\n\n"] {
            let start = start.replace('\n', end);
            for quote in [false, true] {
                let mut text = format!("{start}{}{last}", lines.join(end));
                if quote {
                    text = text.replace("bakery", "\"bakery\"").replace(",0", ",\"0\"");
                }
                let (import, rejects) = read(&text);
                assert_eq!(rejects, [], "{text:?}");
                assert_eq!(import.batch, expect.0.batch, "{text:?}");
            }
        }
    }
}

#[test]
fn lines_are_counted_physically_and_rows_logically() {
    let quoted = "q1,2024-03-01T10:00:00Z,ada,\"two\nlines, \"\"three\"\"\r\nlines\",-1,EUR,,,,,,,";
    let text = format!("\n{HEADER}\n{}\n\n{quoted}\nbad\n{}\n", good(1), good(2));
    let (import, rejects) = read(&text);
    assert_eq!((import.files[0].read, import.batch.len()), (4, 3));
    assert_eq!((rejects[0].row, rejects[0].line), (2, 8));
    let name = "two\nlines, \"three\"\r\nlines";
    let rows = crate::common::told(&import.batch, &["ada", name]);
    assert!(rows.iter().any(|row| row.contains(name)), "{rows:?}");
}

#[test]
fn an_open_quote_loses_its_own_line_only() {
    let many: Vec<String> = (0..5_000).map(good).collect();
    for bad in [
        "x,2024-03-01T09:00:00Z,\"ada,bakery,-4.20,EUR,,,,,,,",
        // In the last column, where the next quote would close it and the fields would even add up.
        "x,2024-03-01T09:00:00Z,ada,bakery,-4.20,EUR,,,,,,,\"0",
        "\"",
    ] {
        for later in ["", "z,2024-03-01T11:00:00Z,\"ada\",bakery,-1,EUR,,,,,,,\"0\"\n"] {
            let text = format!("{HEADER}\n{}\n{bad}\n{}\n{later}", good(7_000), many.join("\n"));
            let (import, rejects) = read(&text);
            assert_eq!(rejects.len(), 1, "{bad}{later}: {:?}", &rejects[..rejects.len().min(3)]);
            assert_eq!((rejects[0].row, rejects[0].line), (1, 3));
            assert_eq!(rejects[0].value, shape(bad));
            assert!(rejects[0].reason.contains("quote"), "{}", rejects[0].reason);
            assert_eq!(import.batch.len(), 5_001 + usize::from(!later.is_empty()));
        }
    }
}

#[test]
fn a_line_beyond_the_limit_is_refused_and_its_neighbours_are_not() {
    for length in [(1 << 20) + 10, 5 << 20] {
        for letter in ["x", "\"\"", "\""] {
            let long = letter.repeat(length);
            let text = format!("{HEADER}\n{}\n{long}\n{}\n", good(1), good(2));
            let (import, rejects) = read(&text);
            assert_eq!((import.batch.len(), rejects.len()), (2, 1), "{letter} × {length}");
            assert!(rejects[0].reason.contains("longer than"), "{}", rejects[0].reason);
            assert_eq!(rejects[0].line, 3);
            let (import, rejects) = read(format!("{HEADER}\n{}\n{long}", good(1)));
            assert_eq!((import.batch.len(), rejects.len()), (1, 1), "at the end: {letter} × {length}");
        }
    }
}

#[test]
fn many_blocks_keep_their_order_and_numbers() {
    // Some ten megabytes, quotes and line ends inside them everywhere, a bad row every thousand.
    let mut text = format!("{HEADER}\n");
    let mut bad = Vec::new();
    let mut line = 2;
    for row in 0..100_000u64 {
        let second = row % 60;
        if row % 1_000 == 999 {
            bad.push((row, line));
            text.push_str("bad row\n");
        } else if row % 7 == 0 {
            text.push_str(&format!(
                "q{row},2024-03-01T09:00:{second:02}Z,ada,\"shop\nof \"\"{row}\"\"\",-4.20,EUR,food,chip,FR,48.85,2.35,95.80,0\n"
            ));
            line += 1;
        } else {
            text.push_str(&format!(
                "q{row},2024-03-01T09:00:{second:02}Z,ada,bakery,-4.20,EUR,food,chip,FR,48.85,2.35,95.80,0\n"
            ));
        }
        line += 1;
    }
    let (import, rejects) = read(&text);
    let found: Vec<_> = rejects.iter().map(|reject| (reject.row, reject.line)).collect();
    assert_eq!(found, bad);
    assert_eq!(import.batch.len(), 100_000 - bad.len());
    let again = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| read(&text));
    assert_eq!(again.0.batch, import.batch);
    assert_eq!(again.1.len(), rejects.len());
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compression_is_known_by_its_bytes() {
    let text = format!("{HEADER}\n{}\n{}\n{}\n", good(1), good(2), good(3));
    let expect = read(&text).0.batch;
    let (head, tail) = text.as_bytes().split_at(text.len() / 2);
    for packed in [
        gzip(text.as_bytes()),
        [gzip(head), gzip(tail)].concat(),
        zstd::encode_all(text.as_bytes(), 3).unwrap(),
        [zstd::encode_all(head, 3).unwrap(), zstd::encode_all(tail, 3).unwrap()].concat(),
    ] {
        let (import, rejects) = read(packed);
        assert_eq!((import.batch, rejects), (expect.clone(), vec![]));
    }
}

#[test]
fn a_compressed_file_cut_off_keeps_its_rows() {
    let mut text = format!("{HEADER}\n");
    for row in 0..20_000u64 {
        // Something that does not compress away.
        let noise = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        text.push_str(&format!("{noise:x},2024-03-01T09:00:00Z,ada,\"shop {noise}\",-4.20,EUR,,,,,,,\n"));
    }
    for (packed, what) in [(gzip(text.as_bytes()), "gzip"), (zstd::encode_all(text.as_bytes(), 3).unwrap(), "zstd")] {
        let (import, rejects) = read(&packed[..packed.len() / 2]);
        let file = &import.files[0];
        assert!(rejects.len() <= 1 && import.batch.len() > 1_000, "{what}: {} rows, {rejects:?}", import.batch.len());
        assert!(rejects.iter().all(|reject| reject.reason.contains("breaks off")), "{what}: {rejects:?}");
        assert!(file.warnings.iter().any(|warning| warning.contains("breaks off")), "{what}: {file:?}");
    }
}

#[test]
fn a_header_alone_is_no_error() {
    for text in [HEADER.to_owned(), format!("{HEADER}\n"), format!("{HEADER}\r\n\r\n")] {
        let (import, rejects) = read(text);
        assert_eq!((import.batch.len(), import.files[0].read, rejects.len()), (0, 0, 0));
        assert!(import.files[0].warnings[0].contains("no row"));
    }
}

#[test]
fn what_cannot_be_read_at_all_is_an_error() {
    let error = |text: &[u8]| bytes("in.csv", text, &options()).unwrap_err();
    assert!(matches!(error(b""), Error::Empty { .. }));
    assert!(matches!(error(b"\n\r\n  \n"), Error::Empty { .. }));
    assert!(matches!(error(b"\xff\xfe\0\0I\0\0\0"), Error::Io { .. }), "UTF-32");
    assert!(matches!(error(&gzip(b"")), Error::Empty { .. }));
    assert!(matches!(error(b"\x1f\x8b\x08\0garbage that is no gzip"), Error::Io { .. }));
    assert!(matches!(error(b"PAR1 and nothing of the kind"), Error::Parquet { .. }));
    assert!(matches!(error(&[0; 5_000]), Error::Unrecognised { .. }));
    let none = crible_ingest::read(&[], &options(), &mut |_| {}, &|_| {}).unwrap_err();
    assert!(matches!(none, Error::NoInput));
}

#[test]
fn one_unreadable_file_does_not_stop_the_others() {
    let folder = crate::common::Folder::new();
    let fine = folder.file("fine.csv", format!("{HEADER}\n{}\n", good(1)));
    let odd = folder.file("odd.csv", "who,what\n1,2\n");
    let gone = folder.path().join("gone.csv");
    let both = [gone.clone(), odd.clone()];
    let (import, _) = crate::common::import(&[gone, fine, odd], &options()).unwrap();
    assert_eq!((import.files.len(), import.batch.len()), (1, 1));
    let told: Vec<String> = import.errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|error| error.contains("gone.csv")) && told.iter().any(|error| error.contains("who,what")));
    let error = crate::common::import(&both, &options()).unwrap_err();
    assert!(matches!(&error, Error::Nothing(errors) if errors.len() == 2), "{error}");
}
