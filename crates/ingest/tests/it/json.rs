//! JSON: objects a line, in an array, or within a document; the feed recognised by their keys.

use std::io::Write;

use crible_ingest::{Error, Import, Mapping, Options, Reject, recognise};

use crate::bad_input::shape;
use crate::common::{Folder, bytes, fixture, import, key, options, told};

/// A CSV's rows as objects, numbers as numbers where `numbers` says so of a column.
fn objects(file: &str, numbers: &[&str]) -> Vec<String> {
    let mut reader = csv::Reader::from_path(fixture(file)).unwrap();
    let names = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let pair = |(name, value): (&str, &str)| {
                let value = match value {
                    "" => "null".to_owned(),
                    value if numbers.contains(&name) => value.replace(',', ""),
                    value => serde_json::to_string(value).unwrap(),
                };
                format!("{}:{value}", serde_json::to_string(name).unwrap())
            };
            format!("{{{}}}", names.iter().zip(&record).map(pair).collect::<Vec<_>>().join(","))
        })
        .collect()
}

fn read(name: &str, text: impl AsRef<[u8]>) -> (Import, Vec<Reject>) {
    bytes(name, text, &options()).unwrap()
}

#[test]
fn a_feed_s_rows_are_the_same_as_objects() {
    let cases: [(&str, &[&str]); 5] = [
        ("handbook.csv", &["TRANSACTION_ID", "TX_AMOUNT", "TX_FRAUD", "CUSTOMER_ID"]),
        ("Chase0909_Activity_20240630.csv", &["Amount"]),
        ("discover.csv", &["Amount"]),
        ("paypal.csv", &[]),
        ("crible.csv", &["amount", "latitude", "longitude", "balance"]),
    ];
    for (file, numbers) in cases {
        let (expect, rejected) = import(&[fixture(file)], &options()).unwrap();
        let objects = objects(file, numbers);
        let name = std::path::Path::new(file).with_extension("json");
        let name = name.to_str().unwrap();
        let forms = [
            objects.join("\n"),
            format!("\u{feff}{}\r\n\r\n", objects.join("\r\n")),
            format!("[{}]", objects.join(",")),
            format!(" [\n  {}\n]\n", objects.join(",\n  ")),
        ];
        for form in forms {
            let wide: Vec<u8> = form.encode_utf16().flat_map(u16::to_le_bytes).collect();
            for text in [form.into_bytes(), wide] {
                let (found, rejects) = read(name, text);
                assert_eq!(found.files[0].feed, expect.files[0].feed);
                assert_eq!(found.batch, expect.batch, "{file}");
                assert_eq!(rejects.len(), rejected.len(), "{rejects:?}");
            }
        }
    }
}

#[test]
fn keys_may_come_in_any_order_and_be_left_out() {
    let lines = [
        "{\"currency\":\"EUR\",\"account\":\"ada\",\"amount\":-4.20,\"time\":\"2024-03-01T09:00:00Z\"}",
        "{\"time\":\"2024-03-01T10:00:00Z\",\"amount\":-4.2e1,\"account\":\"ada\",\"balance\":10.00,\"currency\":\"EUR\"}",
        "{\"time\":\"2024-03-01T11:00:00Z\",\"amount\":9007199254740993.01,\"account\":\"ada\",\"currency\":\"EUR\",\"fraud\":true}",
    ];
    let (found, rejects) = read("in.ndjson", lines.join("\n"));
    assert_eq!(rejects, []);
    assert_eq!(
        told(&found.batch, &["ada"]),
        [
            "2024-03-01T09:00:00Z | ada | -4.20 EUR | - | - - - | - | - | Unknown | 0",
            "2024-03-01T10:00:00Z | ada | -42.00 EUR | - | - - - | - | 5200 | Unknown | 1",
            "2024-03-01T11:00:00Z | ada | 9007199254740993.01 EUR | - | - - - | - | - | Fraud | 2",
        ],
        "to the last digit, which no floating-point number holds"
    );
}

#[test]
fn a_broken_object_is_one_reject() {
    let good = |at: u32| {
        format!("{{\"time\":\"2024-03-01T09:00:{at:02}Z\",\"account\":\"ada\",\"amount\":-1,\"currency\":\"EUR\"}}")
    };
    let broken = [
        "{\"time\":",
        "no object",
        "[1]",
        "{\"time\":\"2024-03-01\",\"time\":\"2024-03-02\"}",
        "{\"account\":\"\\ud800\"}",
        "{\"amount\":01}",
    ];
    for bad in broken {
        let (found, rejects) = read("in.ndjson", format!("{}\n\n{bad}\n{}\n", good(1), good(2)));
        assert_eq!((found.files[0].read, found.batch.len(), rejects.len()), (3, 2, 1), "{bad}");
        assert_eq!((rejects[0].row, rejects[0].line, rejects[0].value.as_str()), (1, 3, shape(bad).as_str()));
        assert!(rejects[0].reason.contains("expected"), "{}", rejects[0].reason);
        assert_eq!(found.files[0].warnings, [""; 0]);
    }
    // In an array as far as its brackets tell where an object ends.
    let (found, rejects) = read("in.json", format!("[{},\n{{\"time\":}},\n{}]", good(1), good(2)));
    assert_eq!((found.batch.len(), rejects.len(), rejects[0].line), (2, 1, 2));
    let (found, rejects) = read("in.json", format!("[{},\n{{\"time\":\"x\",\n{}]", good(1), good(2)));
    assert_eq!((found.batch.len(), rejects.len(), rejects[0].line), (1, 1, 2));
    assert!(found.files[0].warnings[0].contains("up to line 2"), "{:?}", found.files[0].warnings);
    // A value that cannot be one is rejected by its column.
    let (_, rejects) = read("in.ndjson", format!("{}\n{}", good(1), good(2).replace("-1", "\"one\"")));
    assert_eq!((rejects[0].line, rejects[0].column.as_str(), rejects[0].value.as_str()), (2, "amount", "one"));
}

#[test]
fn keys_that_come_late() {
    let line = |more: &str| {
        format!("{{\"time\":\"2024-03-01T09:00:00Z\",\"account\":\"ada\",\"amount\":-1,\"currency\":\"EUR\"{more}}}\n")
    };
    let text = format!("{}{}", line("").repeat(3_000), line(",\"category\":\"food\",\"mood\":\"glad\""));
    let (found, rejects) = read("in.ndjson", text);
    assert_eq!((found.batch.len(), rejects.len()), (3_001, 0));
    let categories: Vec<_> = found.batch.iter().filter(|txn| txn.category.as_str() == "food").collect();
    assert_eq!(categories.len(), 1, "a column that the feed has is read");
    assert_eq!(found.files[0].warnings, ["keys that the first objects lack were not read: mood"]);
}

#[test]
fn many_objects_keep_their_order_and_lines() {
    let line = |at: u64| match at % 1_000 {
        999 => "broken".to_owned(),
        _ => format!(
            "{{\"id\":\"{at}\",\"time\":\"2024-03-01T09:00:{:02}Z\",\"account\":\"a{at}\",\"amount\":-1,\"currency\":\"EUR\"}}",
            at % 60
        ),
    };
    let text: Vec<String> = (0..50_000).map(line).collect();
    let (found, rejects) = read("in.ndjson", text.join("\n"));
    assert_eq!(found.batch.len(), 49_950);
    let lines: Vec<(u64, u64)> = rejects.iter().map(|reject| (reject.row, reject.line)).collect();
    assert_eq!(lines, (0..50).map(|at| (at * 1_000 + 999, at * 1_000 + 1_000)).collect::<Vec<_>>());
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| read("in.ndjson", text.join("\n"))).0.batch, found.batch);
}

#[test]
fn a_mapping_names_keys_within_objects() {
    let text = "{\"who\":{\"card\":7},\"when\":\"2024-03-01T09:00:00Z\",\"sum\":{\"value\":\"4.20\"},\"tags\":[1,2]}\n";
    let map = Some(
        Mapping::parse("account=who.card,amount=sum.value,time=when,currency=@EUR,sign=outflow-positive").unwrap(),
    );
    let (found, rejects) = bytes("in.jsonl", text, &Options { key: Some(key()), map, ..Options::default() }).unwrap();
    assert_eq!(rejects, []);
    assert_eq!(told(&found.batch, &["7"]), ["2024-03-01T09:00:00Z | 7 | -4.20 EUR | - | - - - | - | - | Unknown | 0"]);
}

#[test]
fn what_is_no_feed_is_said_to_be_none() {
    let error = |text: &str| bytes("in.json", text, &options()).unwrap_err();
    let unknown = error("[{\"x\":1,\"y\":2}]");
    assert!(matches!(&unknown, Error::Unrecognised { header, .. } if header == "x,y"), "{unknown}");
    let refused = |text: &str, what: &str| {
        let error = error(text);
        assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains(what)), "{error}");
    };
    refused("{\n\"payments\":[{\"x\":1}]}", "transactions or added or modified or Data.Transaction");
    refused("[]", "no object in it");
    refused("[{\"x\":]", "the brackets to close");
    refused("[{\"x\":}]", "no JSON object");
    refused("{\"transactions\":[]}", "no object in it");
}

#[test]
fn a_document_of_any_length_is_a_stream() {
    let folder = Folder::new();
    let path = folder.path().join("plaid.json.gz");
    let mut encoder = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    // What comes before the transactions is longer than what a statement may hold.
    write!(encoder, "{{\"accounts\":[{{\"note\":\"").unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b'x'), 300 << 20), &mut encoder).unwrap();
    let one = "{\"account_id\":\"a\",\"amount\":1.5,\"iso_currency_code\":\"USD\",\"date\":\"2024-03-09\",\"name\":\"Ferry\",\
               \"pending\":false,\"transaction_id\":\"t\"}";
    write!(
        encoder,
        "\"}}],\"transactions\":[{one},{{\"note\":\"{}\"}},{}]}}",
        "y".repeat(3 << 20),
        one.replace("1.5", "2.5")
    )
    .unwrap();
    encoder.finish().unwrap();
    assert_eq!(recognise(&path, &options()).unwrap().feed, "plaid-json");
    let (found, rejects) = import(&[path], &options()).unwrap();
    assert_eq!((found.batch.len(), rejects.len()), (2, 1));
    assert!(rejects[0].reason.contains("longer than 1048576 bytes"), "{}", rejects[0].reason);
}
