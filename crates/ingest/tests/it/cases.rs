//! Files as people have them, with what is right of each: exports changed by their banks, saved again by a spreadsheet,
//! pandas or a bank's own system. Each is read as it is, and saved again in every way in which that can be done.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use crible_core::EntityId;
use crible_ingest::{Mapping, Options, Recognition, Reject};
use serde::Deserialize;

use crate::common::{Folder, fixture, import, options};

#[derive(Deserialize)]
struct Case {
    name: String,
    files: Vec<String>,
    args: Vec<String>,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    accepted: Option<u64>,
    known: Option<u64>,
    rejected: Option<u64>,
    accounts: Option<usize>,
    counterparties: Option<usize>,
    /// Date, amount and currency of the first rows.
    #[serde(default)]
    rows: Vec<(String, String, Option<String>)>,
    warns: Option<String>,
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(fixture("cases/cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What differs from what is right; nothing where nothing does.
fn differs(case: &Case, files: &[PathBuf]) -> Vec<String> {
    let map = case.args.iter().position(|arg| arg == "--map").map(|at| Mapping::parse(&case.args[at + 1]).unwrap());
    let options = Options { map, ..options() };
    let (import, rejects) = match import(files, &options) {
        Ok(read) => read,
        Err(error) => return vec![error.to_string()],
    };
    let mut wrong = Vec::new();
    let why = |rejects: &[Reject], found: &[Recognition]| {
        let rejects: Vec<_> = rejects.iter().map(|reject| reject.reason.clone()).collect();
        let whys: Vec<_> = found.iter().map(|found| found.why.clone()).collect();
        format!("{rejects:?} {whys:?}")
    };
    let found: Vec<Recognition> = import.files.iter().map(|file| file.recognition.clone()).collect();
    let mut sum = |what: &str, expect: Option<u64>, of: fn(&crible_ingest::FileReport) -> u64| {
        let sum = import.files.iter().map(of).sum::<u64>();
        if expect.is_some_and(|expect| expect != sum) {
            wrong.push(format!("{what} {sum}, expected {expect:?}: {}", why(&rejects, &found)));
        }
    };
    sum("accepted", case.expect.accepted, |file| file.accepted);
    sum("known", case.expect.known, |file| file.known);
    sum("rejected", case.expect.rejected, |file| file.rejected);
    let batch = &import.batch;
    let mut rows: Vec<usize> = (0..batch.len()).collect();
    rows.sort_by_key(|&row| batch.source(row));
    let accounts: BTreeSet<EntityId> = batch.iter().map(|txn| txn.account).collect();
    let others: BTreeSet<EntityId> = batch.iter().filter_map(|txn| txn.counterparty).collect();
    for (what, expect, count) in [
        ("accounts", case.expect.accounts, accounts.len()),
        ("counterparties", case.expect.counterparties, others.len()),
    ] {
        if expect.is_some_and(|expect| expect != count) {
            wrong.push(format!("{what} {count}, expected {expect:?}"));
        }
    }
    for (place, (time, amount, currency)) in case.expect.rows.iter().enumerate() {
        let Some(&row) = rows.get(place) else {
            wrong.push(format!("row {place} is missing"));
            continue;
        };
        let txn = batch.get(row);
        let (at, read) = (txn.at.to_string(), txn.amount.to_string());
        if !at.starts_with(time.as_str()) || read != *amount {
            wrong.push(format!("row {place}: {at} {read}, expected {time} {amount}"));
        }
        if currency.as_ref().is_some_and(|currency| *currency != txn.amount.currency.to_string()) {
            wrong.push(format!("row {place}: {}, expected {currency:?}", txn.amount.currency));
        }
    }
    if let Some(word) = &case.expect.warns {
        let told = import.files.iter().flat_map(|file| file.warnings.iter().chain([&file.recognition.why]));
        let notes = import.notes.iter().chain(told).any(|text| text.contains(word.as_str()));
        if !notes {
            wrong.push(format!("no warning that names `{word}`"));
        }
    }
    wrong
}

fn check(all: Vec<(String, Vec<String>)>) {
    let wrong: Vec<String> = all
        .into_iter()
        .filter(|(_, wrong)| !wrong.is_empty())
        .map(|(name, wrong)| format!("{name}: {wrong:?}"))
        .collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_case_is_read_as_is_right() {
    let cases = cases();
    assert!(cases.len() > 20, "{}", cases.len());
    let path = |file: &String| fixture("cases").join(file);
    let read = |case: Case| (case.name.clone(), differs(&case, &case.files.iter().map(path).collect::<Vec<_>>()));
    check(cases.into_iter().map(read).collect());
}

/// A way to save a file again that changes nothing of what it says.
#[derive(Clone, Copy, Debug)]
enum Saved {
    Utf16,
    Semicolon,
    OldMac,
    Shuffled(u64),
    /// With one column more, at this place, or behind the last.
    Wider(usize),
}

/// The file saved again; nothing where that cannot be done with such a file.
fn saved(path: &Path, bytes: &[u8], how: Saved) -> Option<Vec<u8>> {
    let is_table = path.extension().is_some_and(|ending| ending == "csv");
    if path.extension().is_some_and(|ending| ending == "zip") {
        return zipped(bytes, how);
    }
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    match how {
        Saved::Utf16 => {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            Some([0xff, 0xfe].into_iter().chain(units).collect())
        }
        Saved::OldMac => Some(text.replace("\r\n", "\r").replace('\n', "\r").into_bytes()),
        _ if !is_table => None,
        Saved::Semicolon => Some(table(&text, b';', |row| row)),
        Saved::Shuffled(seed) => Some(table(&text, delimiter(&text), |mut row| {
            // The same for every row: Fisher and Yates with a fixed generator.
            let mut state = seed;
            for at in (1..row.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                row.swap(at, (state >> 33) as usize % (at + 1));
            }
            row
        })),
        Saved::Wider(place) => {
            let mut first = true;
            Some(table(&text, delimiter(&text), |mut row| {
                let cell = if std::mem::take(&mut first) { "my remarks" } else { "x" };
                row.insert(place.min(row.len()), cell.to_owned());
                row
            }))
        }
    }
}

fn delimiter(text: &str) -> u8 {
    if text.lines().next().is_some_and(|line| line.contains(';') && !line.contains(',')) { b';' } else { b',' }
}

/// A table written again, each row changed in the same way; a line that says what parts the fields is kept true.
fn table(text: &str, delimiter_then: u8, mut change: impl FnMut(Vec<String>) -> Vec<String>) -> Vec<u8> {
    let (mark, text) = match text.strip_prefix("sep=,\n") {
        Some(rest) => (format!("sep={}\n", char::from(delimiter_then)), rest),
        None => (String::new(), text),
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter_then).from_writer(mark.into_bytes());
    let mut width = None;
    for record in reader.records() {
        let mut row: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
        // A delimiter too many at the end of a row is no column.
        row.resize(*width.get_or_insert(row.len()), String::new());
        writer.write_record(change(row)).unwrap();
    }
    writer.into_inner().unwrap()
}

fn zipped(bytes: &[u8], how: Saved) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut inner = Vec::new();
        std::io::Read::read_to_end(&mut member, &mut inner).unwrap();
        let inner = saved(Path::new(&name), &inner, how).unwrap_or(inner);
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&inner).unwrap();
    }
    Some(writer.finish().unwrap().into_inner())
}

#[test]
fn every_case_saved_again_is_read_as_is_right() {
    let ways = [
        Saved::Utf16,
        Saved::Semicolon,
        Saved::OldMac,
        Saved::Shuffled(7),
        Saved::Shuffled(20_261_129),
        Saved::Wider(0),
        Saved::Wider(2),
        Saved::Wider(usize::MAX),
    ];
    let mut all = Vec::new();
    for case in cases() {
        for how in ways {
            let folder = Folder::new();
            let again = |file: &String| {
                let path = fixture("cases").join(file);
                let bytes = saved(&path, &std::fs::read(&path).unwrap(), how)?;
                Some(folder.file(path.file_name().unwrap().to_str().unwrap(), bytes))
            };
            // Where one of the files cannot be saved so, none is.
            let Some(files) = case.files.iter().map(again).collect::<Option<Vec<_>>>() else { continue };
            all.push((format!("{}, {how:?}", case.name), differs(&case, &files)));
        }
    }
    assert!(all.len() > 100, "{}", all.len());
    check(all);
}
