//! The same transactions whatever a text is encoded in, rejects at the same lines.

use crible_ingest::{Import, Reject};

use crate::common::{bytes, options};

const HEADER: &str = "Date,Description,Amount,Running Bal.";

fn text(rows: usize) -> String {
    let rows: Vec<String> = (0..rows)
        .map(|row| match row % 1_000 {
            500 => "no row".to_owned(),
            501 => format!("06/03/2024,\"Café\nZoë {row}\",\"-1,049.50\","),
            _ => format!("06/03/2024,Café Zoë {row},-4.20,"),
        })
        .collect();
    format!("Total – €,,5\n\n{HEADER}\n{}\n", rows.join("\n"))
}

fn read(text: &[u8]) -> (Import, Vec<Reject>) {
    bytes("in.csv", text, &options()).unwrap()
}

fn utf16(text: &str, mark: bool, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
}

#[test]
fn every_encoding_gives_the_same_rows_and_the_same_lines() {
    // More than is looked at to recognise a feed, and more than one block.
    for rows in [3, 2_600, 100_000] {
        let text = text(rows);
        let (expect, rejects) = read(text.as_bytes());
        assert_eq!(expect.files[0].feed, "bank-of-america");
        assert_eq!(rejects.len(), rows / 1_000 + usize::from(rows % 1_000 > 500));
        let cp1252 = encoding_rs::WINDOWS_1252.encode(&text).0.into_owned();
        let forms = [
            (format!("\u{feff}{text}").into_bytes(), ""),
            (utf16(&text, true, u16::to_le_bytes), "UTF-16, little-endian"),
            (utf16(&text, true, u16::to_be_bytes), "UTF-16, big-endian"),
            (utf16(&text, false, u16::to_le_bytes), "UTF-16, little-endian"),
            (utf16(&text, false, u16::to_be_bytes), "UTF-16, big-endian"),
            (cp1252, "Windows-1252"),
        ];
        for (form, told) in forms {
            let (import, found) = read(&form);
            assert_eq!(import.batch, expect.batch, "{told} {rows}");
            assert_eq!(
                found.iter().map(|r| (r.row, r.line, &r.value)).collect::<Vec<_>>(),
                rejects.iter().map(|r| (r.row, r.line, &r.value)).collect::<Vec<_>>(),
                "{told}"
            );
            assert!(import.files[0].why.contains(told), "{told}: {}", import.files[0].why);
            assert_eq!(import.files[0].warnings, [""; 0]);
        }
    }
}

#[test]
fn a_letter_far_down_still_tells() {
    let plain = "06/03/2024,Cafe Zoe,-4.20,\n".repeat(60_000);
    let text = format!("{HEADER}\n{plain}06/04/2024,Café,-1.00,\n");
    let (expect, _) = read(text.as_bytes());
    let (import, rejects) = read(&encoding_rs::WINDOWS_1252.encode(&text).0);
    assert_eq!((import.batch, rejects.len()), (expect.batch, 0));
    assert!(!import.files[0].why.contains("1252"), "{}", import.files[0].why);
    assert_eq!(import.files[0].warnings, ["the text is not UTF-8; read as Windows-1252"]);
}

#[test]
fn half_a_letter_rejects_its_row() {
    let text = format!("{HEADER}\n06/03/2024,Zoe,-4.20,\n06/04/2024,Ada,-1.00,\n");
    let mut wide = utf16(&text, true, u16::to_le_bytes);
    let at = wide.windows(6).position(|window| window == b"Z\0o\0e\0").unwrap();
    wide[at..at + 2].copy_from_slice(&[0x00, 0xd8]);
    let (import, rejects) = read(&wide);
    assert_eq!((import.batch.len(), rejects.len()), (1, 1));
    assert_eq!(rejects[0].line, 2);
}

#[test]
fn statements_in_utf16_need_no_mark() {
    let text = std::fs::read_to_string(crate::common::fixture("household.qif")).unwrap();
    let (expect, rejected) = bytes("household.qif", &text, &options()).unwrap();
    let (import, rejects) = bytes("household.qif", utf16(&text, false, u16::to_le_bytes), &options()).unwrap();
    assert_eq!((import.batch, rejects.len()), (expect.batch, rejected.len()));
}
