//! One parser at a time over bytes of any kind: where fuzzers and the example `mutate` come in.
//!
//! A parser panics here, and nowhere else, where a promise is broken: a row that is neither accepted nor rejected, a
//! draft that does not load. How long an input may take, its drivers watch.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::OnceLock;

use crible_core::Currency;

use crate::build::{Builder, Keys};
use crate::csv::blocks::Piece;
use crate::csv::{Dialect, Limits, parse};
use crate::formats::{COLUMNS, Document, Entry};
use crate::input::Input;
use crate::plan::Plan;
use crate::preset::{Mapping, Preset, Presets, Style, feeds};
use crate::recognise;
use crate::rows::Chunk;
use crate::value::amount;
use crate::value::time::{Clock, Memo, Probe};
use crate::worker::Worker;
use crate::{FileReport, Options, draft};
use crible_pseudonym::{Domain, Key};

/// What can be driven.
enum Parser {
    /// Rows of a table, by the preset that its first line is the header of.
    Table(u8),
    /// A statement or message, by the feed's name.
    Document(&'static str),
    /// A file of this name, the whole way that users' files go.
    File(&'static str),
    /// The cells of a workbook's sheet, the whole way.
    Sheet,
    /// Which feed a file is of.
    Recognise,
    /// The whole way of a file, recognised or drafted.
    Draft,
    Preset,
    Mapping,
    Amount,
    Time,
    Key,
}

/// Those that are no format's.
const PARSERS: [(&str, Parser); 14] = [
    ("csv-comma", Parser::Table(b',')),
    ("csv-semicolon", Parser::Table(b';')),
    ("csv-bar", Parser::Table(b'|')),
    ("csv-tab", Parser::Table(b'\t')),
    ("json", Parser::File("file.json")),
    ("zip", Parser::File("file.zip")),
    ("sheet", Parser::Sheet),
    ("recognise", Parser::Recognise),
    ("draft", Parser::Draft),
    ("preset", Parser::Preset),
    ("mapping", Parser::Mapping),
    ("amount", Parser::Amount),
    ("time", Parser::Time),
    ("key", Parser::Key),
];

/// Every parser there is.
pub fn parsers() -> Vec<&'static str> {
    let formats = feeds().filter(|preset| preset.format.is_some()).map(Preset::name);
    PARSERS.iter().map(|(name, _)| *name).chain(formats).collect()
}

/// Drives one of [`parsers`].
///
/// # Panics
/// Where there is no such parser, or it breaks a promise.
pub fn drive(parser: &str, bytes: &[u8]) {
    match find(parser) {
        Parser::Table(delimiter) => table(bytes, *delimiter),
        Parser::Document(feed) => document(feed, bytes),
        Parser::File(name) => file(name, bytes),
        Parser::Sheet => file("file.xlsx", &workbook(bytes)),
        Parser::Recognise => drop(recognise::find(&Input::made(Path::new("file"), bytes.to_vec()), options())),
        Parser::Draft => drafted(bytes),
        Parser::Preset => {
            if let Ok(preset) = Preset::from_toml(&String::from_utf8_lossy(bytes), "input") {
                let _ = (preset.mapping(), preset.recognised_by());
                let _ = Presets::builtin().with(preset);
            }
        }
        Parser::Mapping => drop(Mapping::parse(&String::from_utf8_lossy(bytes))),
        Parser::Amount => amounts(bytes),
        Parser::Time => times(bytes),
        Parser::Key => drop(Key::from_text(&String::from_utf8_lossy(bytes))),
    }
}

fn find(name: &str) -> &'static Parser {
    static FORMATS: OnceLock<Vec<(&'static str, Parser)>> = OnceLock::new();
    let formats = FORMATS.get_or_init(|| {
        let formats = feeds().filter(|preset| preset.format.is_some());
        formats.map(|preset| (preset.name(), Parser::Document(preset.name()))).collect()
    });
    let found = PARSERS.iter().chain(formats).find(|(known, _)| *known == name);
    found.map_or_else(|| panic!("there is no parser `{name}`: {:?}", parsers()), |(_, parser)| parser)
}

fn options() -> &'static Options {
    static OPTIONS: OnceLock<Options> = OnceLock::new();
    OPTIONS.get_or_init(Options::default)
}

/// A preset bound to the fullest form of its files, and what its rows are made with.
struct Bound {
    plan: Plan,
    keys: Keys,
}

impl Bound {
    fn new(preset: &Preset, columns: Vec<String>) -> Option<Self> {
        let key = Key::from_text("a key that nothing but fuzzing uses").ok()?;
        let plan = Plan::new(preset, Path::new("file.csv"), columns).ok()?;
        Some(Self { keys: Keys::new(&key, &plan.feed, None), plan })
    }
}

/// By header, its fields parted by commas.
fn headers() -> &'static HashMap<String, Bound> {
    static HEADERS: OnceLock<HashMap<String, Bound>> = OnceLock::new();
    HEADERS.get_or_init(|| {
        let forms = feeds().flat_map(|preset| preset.forms().map(move |header| (preset, header)));
        let bound = forms.filter_map(|(preset, header)| Some((header.join(","), Bound::new(preset, header.clone())?)));
        let has = feeds().filter(|preset| !preset.file.has.is_empty());
        let by_name = has.filter_map(|preset| {
            let columns = preset.file.has.clone();
            Some((columns.join(","), Bound::new(preset, columns)?))
        });
        bound.chain(by_name).collect()
    })
}

fn table(bytes: &[u8], delimiter: u8) {
    let limits = Limits { line: 4_096, multi_line: 2_048, block: 1 << 20 };
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    let (first, rest) = bytes.split_at(end);
    let spaced = memchr::memmem::find(bytes, &[delimiter, b' ', b'"']).is_some();
    let dialect = Dialect { delimiter, terminator: b'\n', spaced, limits };
    let header = parse::fields(first, dialect).join(",");
    let crible =
        "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";
    let (Some(bound), rest) = (match headers().get(&header) {
        Some(bound) => (Some(bound), rest),
        None => (headers().get(crible), bytes),
    }) else {
        panic!("the canonical feed has another header")
    };
    if rest.is_empty() {
        return;
    }
    let piece = Piece::Records { quoted: memchr::memchr(b'"', rest).is_some(), bytes: rest.to_vec() };
    let chunk = with_worker(&bound.plan, |worker| parse::parse(&piece, dialect, &bound.plan, &bound.keys, worker));
    check(&chunk);
    let lines = memchr::memchr_iter(b'\n', rest).count() as u64 + u64::from(!rest.is_empty() && !rest.ends_with(b"\n"));
    assert_eq!(chunk.lines, lines, "every line is one");
}

/// A worker that is kept from input to input, as its caches are the dearest part of one. Nothing in it changes a
/// result.
fn with_worker<T>(plan: &Plan, work: impl FnOnce(&mut Worker) -> T) -> T {
    thread_local! {
        static WORKERS: RefCell<[Worker; 2]> = RefCell::new([Domain::Party, Domain::Merchant].map(Worker::new));
    }
    let at = usize::from(plan.counterparty_domain == Domain::Merchant);
    WORKERS.with_borrow_mut(|workers| work(&mut workers[at]))
}

fn check(chunk: &Chunk) {
    assert_eq!(u64::from(chunk.rows), (chunk.at.len() + chunk.rejects.len()) as u64, "every row is one or the other");
    assert_eq!(chunk.at.len(), chunk.content.len());
    for reject in &chunk.rejects {
        assert!(!reject.reason.is_empty() && reject.value.len() < 1_000, "{reject:?}");
    }
}

fn document(feed: &str, bytes: &[u8]) {
    static BOUND: OnceLock<HashMap<&'static str, Bound>> = OnceLock::new();
    let bound = BOUND.get_or_init(|| {
        let columns = || COLUMNS.map(str::to_owned).to_vec();
        let formats = feeds().filter(|preset| preset.format.is_some());
        formats.filter_map(|preset| Some((preset.name(), Bound::new(preset, columns())?))).collect()
    });
    let (Some(bound), Some(format)) = (bound.get(feed), options().presets.get(feed).and_then(|preset| preset.format))
    else {
        panic!("the format `{feed}` has a preset that binds");
    };
    let Ok(document) = Document::open(&Input::made(Path::new("file 2024"), bytes.to_vec()), format, None) else {
        return;
    };
    let mut read = 0;
    let mut made = 0;
    document.read(&mut |entries: &[Entry]| {
        read += entries.len() as u64;
        with_worker(&bound.plan, |worker| {
            let mut builder = Builder::new(&bound.plan, &bound.keys, worker);
            for entry in entries {
                match &entry.wrong {
                    Some(wrong) => builder.reject(entry.line, wrong.value.as_bytes(), wrong.reason.clone()),
                    None => builder.push(entry, entry.line, &Vec::new),
                }
            }
            let chunk = builder.finish(0);
            check(&chunk);
            made += u64::from(chunk.rows);
        });
    });
    assert_eq!(read, made, "every entry is a row");
}

#[allow(clippy::expect_used, reason = "as the message says; a driver panics where it cannot go on")]
fn file(name: &str, bytes: &[u8]) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder for temporary files");
    }
    let path = FOLDER.with(|folder| folder.path().join(name));
    std::fs::write(&path, bytes).expect("the folder takes a file");
    static OPTIONS: OnceLock<Options> = OnceLock::new();
    let options = OPTIONS.get_or_init(|| Options {
        key: Key::from_text("a key that nothing but fuzzing uses").ok(),
        ..Options::default()
    });
    let mut rejects = 0;
    let Ok(import) = crate::read(&[path], options, &mut |_| rejects += 1, &|_| ()) else { return };
    let sum = |part: fn(&FileReport) -> u64| import.files.iter().map(part).sum::<u64>();
    for report in &import.files {
        assert_eq!(report.read, report.accepted + report.known + report.rejected, "{report:?}");
    }
    assert_eq!(sum(|report| report.accepted), import.batch.len() as u64, "what was accepted is in the batch");
    assert_eq!(sum(|report| report.rejected), rejects, "every reject is told");
}

/// A workbook of one sheet, this its XML.
#[allow(clippy::expect_used, reason = "as the message says; a driver panics where it cannot go on")]
fn workbook(sheet: &[u8]) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org";
    let book = format!(
        "<workbook xmlns=\"{office}/spreadsheetml/2006/main\" xmlns:r=\"{office}/officeDocument/2006/relationships\">\
         <sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let related = format!(
        "<Relationships xmlns=\"{office}/package/2006/relationships\"><Relationship Id=\"r1\" \
         Type=\"{office}/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let styles = format!(
        "<styleSheet xmlns=\"{office}/spreadsheetml/2006/main\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/>\
         <xf numFmtId=\"22\"/></cellXfs></styleSheet>"
    );
    let parts: [(&str, &[u8]); 5] = [
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", related.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, part) in parts {
        writer.start_file(name, stored).expect("names differ");
        writer.write_all(part).expect("memory takes what is written");
    }
    writer.finish().expect("memory takes what is written").into_inner()
}

fn drafted(bytes: &[u8]) {
    let Ok(draft) = draft::of(&Input::made(Path::new("file.csv"), bytes.to_vec()), Some("drafted")) else { return };
    match Preset::from_toml(&draft.toml, "draft") {
        Ok(_) => assert!(draft.undecided.is_empty(), "it loads, though points are open"),
        Err(error) => assert!(!draft.undecided.is_empty(), "{error}\n{}", draft.toml),
    }
}

fn amounts(bytes: &[u8]) {
    for style in [Style::Plain, Style::Money, Style::MoneyComma, Style::Minor] {
        for currency in [Currency::USD, Currency::NONE] {
            if let Ok(read) = amount::read(bytes, style, currency) {
                assert!(read.minor != i64::MIN, "an amount has an opposite");
            }
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let separators = amount::Separators::of(text.lines());
    let _ = (separators.decide(None), separators.decide(Some(Currency::USD)), amount::code(&text));
}

/// The first line is a format, the second a time.
fn times(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |&byte| byte == b'\n');
    let (format, text) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let format = String::from_utf8_lossy(format).into_owned();
    let _ = Probe::new(&format).map(|probe| probe.reads(text));
    let preset = format!(
        "name='t'\ntitle='t'\naccount.column='a'\namount.column='b'\ntime={{column='c',formats=['iso','{format}']}}"
    );
    if let Ok(preset) = Preset::from_toml(&preset, "time")
        && let Ok(clock) = Clock::new(&preset.time)
    {
        let mut memo = Memo::default();
        let fresh = clock.read(text, &mut Memo::default());
        let _ = clock.read(b"2024-02-29", &mut memo);
        assert_eq!(clock.read(text, &mut memo), fresh, "what was read before changes nothing");
        let _ = clock.read_in(text, b"Europe/Paris", &mut memo);
    }
    let text = String::from_utf8_lossy(text);
    let _ = crate::value::time::sniff::sniff(&[&text], None);
}
