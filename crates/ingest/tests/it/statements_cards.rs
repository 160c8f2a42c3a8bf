//! ISO 8583, message by message.

use crate::common::{bytes, fixture, options};
use crate::statements::check;
use crible_ingest::{Error, Options};

#[test]
fn messages_of_1987_in_lines() {
    let warnings = check(
        "authorisations-2024.iso87",
        "iso8583-1987",
        &["4999990000000017", "MERCHANT0000001", "4999990000000025", "CASH DESK 4", "5999990000000033"],
        &[
            "2024-01-15T17:00:01Z | 4999990000000017 | -42.10 USD | MERCHANT0000001 | 5411 chip US | - | - | Unknown | 0",
            "2024-01-15T18:00:00Z | 4999990000000025 | -200.00 CHF | CASH DESK 4 | 6011 stripe CH | - | - | Unknown | 2",
            "2024-01-16T09:00:00Z | 4999990000000025 | 1500 JPY | MERCHANT0000001 | 5812 contactless JP | - | - | Unknown | 3",
            "2024-01-15T17:05:01Z | 4999990000000017 | 42.10 USD | MERCHANT0000001 | 5411 chip US | - | - | Unknown | 4",
            "2024-01-17T00:00:00Z | 5999990000000033 | -9.99 GBP | MERCHANT0000001 | 5999 online GB | - | - | Unknown | 6",
        ],
        &[
            "1 2 (whole row) `0110`: it is a response; expected a request, an advice or a notification",
            "5 6 (whole row) `0421`: it repeats an earlier message of the file; expected one not yet there",
            "7 8 (whole row) `0120 05`: it was declined; expected an approved one",
            "8 9 (whole row) `0800`: its class is no transaction; expected an authorisation (1), a financial message (2) or a reversal (4)",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn messages_of_1987_in_frames() {
    let warnings = check(
        "switch_20240101.iso87",
        "iso8583-1987",
        &["4999990000000017", "MERCHANT0000001", "4999990000000025", "5999990000000033"],
        &[
            "2023-12-31T23:59:59Z | 4999990000000017 | -12.50 USD | MERCHANT0000001 | 5814 contactless US | - | - | Unknown | 0",
            "2024-01-01T00:00:01Z | 4999990000000017 | -80.00 USD | MERCHANT0000001 | 4900 on-file US | - | - | Unknown | 1",
            "2024-01-01T00:01:00Z | 4999990000000017 | 10.00 USD | MERCHANT0000001 | 5814 contactless US | - | - | Unknown | 2",
            "2024-01-01T00:03:00Z | 4999990000000025 | -7.00 USD | MERCHANT0000001 | 5411 stripe - | - | - | Unknown | 4",
            "2024-01-01T00:04:00Z | 5999990000000033 | -0.005 KWD | MERCHANT0000001 | 6051 stripe - | - | - | Unknown | 6",
        ],
        &[
            "3 4 (whole row) `0200`: element 2: expected 2 digits of a length of at most 19",
            "5 6 (whole row) ``: a frame's length leads to no message, 1 bytes are passed over; expected two bytes of length and a message",
        ],
    );
    assert_eq!(warnings, ["frames of no length were passed over"]);
}

#[test]
fn messages_of_1987_with_remarks_and_faults() {
    let warnings = check(
        "remarks.iso87",
        "iso8583-1987",
        &["4999990000000017", "MERCHANT0000001", "CAFÉ VERT"],
        &[
            "2023-03-01T12:00:00Z | 4999990000000017 | -1.00 EUR | MERCHANT0000001 | - - - | - | - | Unknown | 0",
            "2023-03-01T23:59:58Z | 4999990000000017 | -1.00 EUR | MERCHANT0000001 | - - - | - | - | Unknown | 7",
            "2023-03-01T12:00:13Z | 4999990000000017 | -1.00 EUR | CAFÉ VERT | - - - | - | - | Unknown | 14",
        ],
        &[
            "1 4 time `[10 digits]`: expected MMDDhhmmss in element 7, of the calendar",
            "2 5 amount `310000`: it asks for a balance; expected money that moves",
            "3 6 amount `990000`: expected a processing code of 00 to 19 (debits), 20 to 29 (credits), 40 to 49 (transfers) or 50 to 59 (payments)",
            "4 7 currency `000`: expected a currency of ISO 4217 in element 49, such as 840 or USD",
            "5 8 account ``: expected a card's number in element 2, 34, 35 or 45, or an account in 102",
            "6 9 amount ``: expected twelve digits of minor units in element 4",
            "8 11 time ``: expected element 7, MMDDhhmmss, or 12 and 13, hhmmss and MMDD",
            "9 12 (whole row) `0200`: element 49: the message ends within it",
            "10 13 (whole row) `0200`: behind its last element 1 more bytes; expected none",
            "11 14 (whole row) ``: expected a message type of four digits, such as 0200",
            "12 15 (whole row) `1200`: its type begins with 1; expected 0 of ISO 8583:1987",
            "13 16 (whole row) `0200`: element 2: expected 2 digits of a length of at most 19",
            "15 18 (whole row) `0201`: it repeats an earlier message of the file; expected one not yet there",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn messages_of_1993_in_lines() {
    let warnings = check(
        "authorisations.iso93",
        "iso8583-1993",
        &["4999990000000017", "MERCHANT0000001", "LANTERN BOOKS"],
        &[
            "2024-06-30T22:00:00Z | 4999990000000017 | -42.10 USD | MERCHANT0000001 | 5411 chip US | - | - | Unknown | 0",
            "2024-07-01T09:00:00Z | 4999990000000017 | 10.00 EUR | LANTERN BOOKS | 5942 mail FR | - | - | Unknown | 2",
            "2024-06-30T22:05:00Z | 4999990000000017 | 42.10 USD | MERCHANT0000001 | 5411 chip US | - | - | Unknown | 3",
        ],
        &[
            "1 2 (whole row) `1110`: it is a response; expected a request, an advice or a notification",
            "4 5 amount ``: it reverses a part, and whether element 4 is that part or what is left, networks differ on; expected a reversal of the whole",
            "5 6 (whole row) `1220 100`: it was declined; expected an approved one",
            "6 7 (whole row) `1804`: its class is no transaction; expected an authorisation (1), a financial message (2) or a reversal (4)",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn messages_of_1993_in_frames() {
    let warnings = check(
        "switch.iso93",
        "iso8583-1993",
        &["4999990000000025", "HOTEL0000000001", "WEB00001", "ACC-77"],
        &[
            "2024-12-31T23:30:00Z | 4999990000000025 | -1234.567 KWD | HOTEL0000000001 | 7011 chip KW | - | - | Unknown | 0",
            "2025-01-01T01:00:00Z | 4999990000000025 | -0.50 GBP | WEB00001 | 5968 mail GB | - | - | Unknown | 1",
            "2025-01-01T02:00:00Z | ACC-77 | -9.00 SEK | WEB00001 | - standing-order SE | - | - | Unknown | 2",
        ],
        &[
            "3 4 (whole row) ``: a frame's length leads to no message, 40 bytes are passed over; expected two bytes of length and a message",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn messages_of_1993_with_faults() {
    let warnings = check(
        "faults.iso93",
        "iso8583-1993",
        &["5999990000000033", "T1"],
        &[
            "2024-03-01T12:00:00Z | 5999990000000033 | -1.00 EUR | T1 | - - - | - | - | Unknown | 4",
            "2024-03-01T12:07:00Z | 5999990000000033 | -1.00 EUR | T1 | - - - | - | - | Unknown | 6",
        ],
        &[
            "0 1 time `[12 digits]`: expected element 12, YYMMDDhhmmss, which tells the year",
            "1 2 time ``: expected element 12, YYMMDDhhmmss, which tells the year",
            "2 3 time `[10 digits]`: expected MMDDhhmmss in element 7, of the calendar",
            "3 4 (whole row) `2200`: its type begins with 2; expected 1 of ISO 8583:1993",
            "5 6 (whole row) `1201`: it repeats an earlier message of the file; expected one not yet there",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

/// A message of 1987 in one line: its type and bitmap, the card's number, and elements 3, 4, 7, 11 and 49.
fn line(number: &str) -> String {
    ["02007220000000008000", "16", number, "000000", "000000000100", "0301120000", "000001", "978"].concat()
}

fn named(feed: &str) -> Options {
    Options { feed: Some(feed.to_owned()), ..options() }
}

#[test]
fn a_year_is_asked_for() {
    let text = line("4929351842737416");
    let error = bytes("messages.iso", &text, &options()).unwrap_err();
    assert!(matches!(&error, Error::Undecided { .. }), "{error}");
    assert!(error.to_string().contains("messages-2024-01-31.iso"), "{error}");
    for (name, text, at) in [
        ("messages-2024.iso", text.clone(), "2024-03-01T12:00:00Z"),
        ("messages_20230815.iso", text.clone(), "2023-03-01T12:00:00Z"),
        ("messages_20230901.iso", text.clone(), "2024-03-01T12:00:00Z"),
        ("messages-2024.iso", format!("# of 2022\n{text}"), "2022-03-01T12:00:00Z"),
    ] {
        let (import, rejects) = bytes(name, &text, &options()).unwrap();
        assert_eq!((import.batch.len(), rejects.len()), (1, 0), "{name}");
        assert_eq!(import.batch.get(0).at.to_string(), at, "{name}");
    }
}

#[test]
fn no_card_number_is_shown() {
    let number = "4929351842737416";
    let whole = line(number);
    let mut lines = Vec::new();
    for at in 0..whole.len() {
        lines.extend(b"0123456789ACD ".iter().map(|&byte| {
            let mut line = whole.clone().into_bytes();
            line[at] = byte;
            line
        }));
        lines.push(whole.as_bytes()[..at].to_vec());
    }
    let (_, rejects) = bytes("in-2024.iso", lines.join(&b'\n'), &named("iso8583-1987")).unwrap();
    assert!(rejects.len() > 500, "{}", rejects.len());
    for reject in rejects {
        let told = format!("{} {}", reject.value, reject.reason);
        let windows = number.as_bytes().windows(5).map(|part| std::str::from_utf8(part).unwrap());
        assert!(windows.into_iter().all(|part| !told.contains(part)), "{reject:?}");
    }
}

#[test]
fn frames_and_lines_say_the_same() {
    let lines = std::fs::read_to_string(fixture("authorisations-2024.iso87")).unwrap();
    let mut frames = Vec::new();
    for line in lines.lines() {
        frames.extend(u16::try_from(line.len()).unwrap().to_be_bytes());
        frames.extend(line.as_bytes());
    }
    let (of_lines, _) = bytes("in-2024.iso", &lines, &options()).unwrap();
    let (of_frames, rejects) = bytes("in-2024.bin", &frames, &options()).unwrap();
    let rows = |import: &crible_ingest::Import| import.batch.iter().collect::<Vec<_>>();
    assert_eq!(format!("{:?}", rows(&of_lines)), format!("{:?}", rows(&of_frames)));
    assert_eq!((of_lines.batch.len(), rejects.len()), (5, 4));
}

#[test]
fn a_message_of_another_file_is_known() {
    let folder = crate::common::Folder::new();
    let text = std::fs::read(fixture("authorisations.iso93")).unwrap();
    let files = [folder.file("a.iso", &text), folder.file("b.iso", &text)];
    let (import, _) = crate::common::import(&files, &options()).unwrap();
    assert_eq!((import.files[0].accepted, import.files[1].accepted, import.files[1].known), (3, 0, 3));
}
