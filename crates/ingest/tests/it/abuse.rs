//! What is made to take memory or time away: refused, or read within bounds.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use crible_ingest::{Error, Import, Reject};
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::common::{Folder, bytes, import, options};

const HEADER: &str = "Date,Description,Amount,Running Bal.";
const GIB: u64 = 1 << 30;

fn refused(path: PathBuf, what: &str) {
    let error = import(&[path], &options()).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains(what)), "{error}");
}

fn read(path: PathBuf) -> (Import, Vec<Reject>) {
    import(&[path], &options()).unwrap()
}

/// A text that never ends, as far as anyone would wait.
fn endless(start: &str, letter: u8, length: u64) -> impl Read + use<> {
    io::Cursor::new(start.as_bytes().to_vec()).chain(io::repeat(letter).take(length))
}

fn gzip(folder: &Folder, name: &str, mut text: impl Read) -> PathBuf {
    let path = folder.path().join(name);
    let mut encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    io::copy(&mut text, &mut encoder).unwrap();
    encoder.finish().unwrap();
    path
}

fn zstd(folder: &Folder, name: &str, mut text: impl Read) -> PathBuf {
    let path = folder.path().join(name);
    zstd::stream::copy_encode(&mut text, File::create(&path).unwrap(), 1).unwrap();
    path
}

fn zip(folder: &Folder, name: &str, mut text: impl Read) -> PathBuf {
    let path = folder.path().join(name);
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    let how = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1));
    zip.start_file("in.csv", how).unwrap();
    io::copy(&mut text, &mut zip).unwrap();
    zip.finish().unwrap();
    path
}

#[test]
fn a_line_of_a_gibibyte_is_refused_unread_where_a_header_should_be() {
    let folder = Folder::new();
    let path = folder.path().join("long.csv");
    // Sparse: it takes no room.
    File::create(&path).unwrap().set_len(GIB).unwrap();
    refused(path, "first line is longer than 1048576 bytes");
}

#[test]
fn a_line_of_a_gibibyte_is_one_reject_and_is_not_held() {
    let folder = Folder::new();
    let path = folder.path().join("long.csv");
    let mut file = File::create(&path).unwrap();
    write!(file, "{HEADER}\n06/03/2024,Larch,-4.20,\n").unwrap();
    file.set_len(GIB).unwrap();
    let (import, rejects) = read(path);
    assert_eq!((import.batch.len(), rejects.len(), rejects[0].line), (1, 1, 3));
    assert!(rejects[0].reason.contains("longer than"), "{}", rejects[0].reason);
}

#[test]
fn compressed_bombs_are_streams_of_bounded_memory() {
    let folder = Folder::new();
    let bomb = |letter| endless(&format!("{HEADER}\n06/03/2024,Larch,-4.20,\n"), letter, 64 << 20);
    for path in [
        gzip(&folder, "a.csv.gz", bomb(b'x')),
        zstd(&folder, "b.csv.zst", bomb(b'x')),
        zip(&folder, "c.zip", bomb(b'x')),
    ] {
        let (import, rejects) = read(path);
        assert_eq!((import.batch.len(), rejects.len()), (1, 1));
    }
    // Line ends alone: no row.
    let (import, rejects) = read(gzip(&folder, "d.csv.gz", bomb(b'\n')));
    assert_eq!((import.batch.len(), rejects.len()), (1, 0));
    for path in
        [gzip(&folder, "e.csv.gz", endless("", b'x', 64 << 20)), zip(&folder, "f.zip", endless("", b'x', 64 << 20))]
    {
        refused(path, "first line is longer");
    }
}

#[test]
fn a_statement_that_unpacks_without_end_is_refused() {
    let folder = Folder::new();
    let path = gzip(&folder, "bomb.ofx.gz", endless("OFXHEADER:100\n<OFX>", b' ', 300 << 20));
    refused(path, "more than 256 MiB of text");
}

#[test]
fn a_member_longer_than_its_archive_says_is_cut_there() {
    let text = format!("{HEADER}\n{}", "06/03/2024,Larch,-4.20,\n".repeat(10_000));
    let mut packed = crate::inputs::zip(&[("in.csv", text.as_bytes())], CompressionMethod::Deflated);
    // The size that the central directory states, which is what counts.
    let at = packed.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap() + 24;
    packed[at..at + 4].copy_from_slice(&100_000u32.to_le_bytes());
    let (import, _) = bytes("in.zip", packed, &options()).unwrap();
    assert!(import.files[0].warnings[0].contains("longer than the archive says"), "{:?}", import.files[0].warnings);
    assert!(import.batch.len() < 5_000, "{}", import.batch.len());
}

#[test]
fn an_archive_of_very_many_members_is_refused() {
    let names: Vec<String> = (0..10_001).map(|at| format!("{at}.csv")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let packed = crate::inputs::zip(&members, CompressionMethod::Stored);
    let error = bytes("many.zip", packed, &options()).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("10001 members")), "{error}");
}

#[test]
fn a_hundred_thousand_columns_are_refused() {
    for delimiter in [",", ";", "\t", "|"] {
        let names: Vec<String> = (0..100_000).map(|at| format!("c{at}")).collect();
        let text = |above: &str| format!("{above}{}\n{}\n", names.join(delimiter), "1".repeat(100));
        let error = bytes("wide.csv", text(""), &options()).unwrap_err();
        assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("100000 columns")), "{error}");
        let error = bytes("wide.csv", text("Account Activity\n"), &options()).unwrap_err();
        assert!(matches!(&error, Error::Unrecognised { .. }), "{error}");
    }
    // As a row it is one reject.
    let text = format!("{HEADER}\n{}\n06/03/2024,Larch,-4.20,\n", ",".repeat(99_999));
    let (import, rejects) = bytes("row.csv", text, &options()).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (1, 1));
    assert!(rejects[0].reason.contains("100000 fields"), "{}", rejects[0].reason);
}

#[test]
fn entities_that_grow_are_refused() {
    let mut text = "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY lol \"lol\">".to_owned();
    for level in 1..10 {
        let before = if level == 1 { "&lol;".to_owned() } else { format!("&lol{};", level - 1) };
        text.push_str(&format!("<!ENTITY lol{level} \"{}\">", before.repeat(10)));
    }
    text.push_str("]>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\">&lol9;</Document>");
    let error = bytes("a.xml", &text, &options()).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("document type")), "{error}");
}
