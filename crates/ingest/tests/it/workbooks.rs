//! XLSX: the same transactions as from the CSV, whatever types the cells have.

use crible_ingest::{Error, Import, Mapping, Options, Reject, recognise};
use zip::CompressionMethod;

use crate::common::{Folder, bytes, fixture, import, key, options, told};
use crate::inputs::zip;

/// A cell as a spreadsheet stores it.
#[derive(Clone, Debug)]
enum Cell {
    Text(String),
    Number(f64),
    /// Days since the end of 1899, shown as a date.
    Date(f64),
    Truth(bool),
    Nothing,
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\r', "&#13;")
}

fn sheet_xml(rows: &[Vec<Cell>]) -> String {
    let mut xml = "<?xml version=\"1.0\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>"
        .to_owned();
    for (row, cells) in rows.iter().enumerate() {
        xml.push_str(&format!("<row r=\"{}\">", row + 1));
        for (column, cell) in cells.iter().enumerate() {
            let place = format!("{}{}", char::from(b'A' + column as u8), row + 1);
            xml.push_str(&match cell {
                Cell::Text(text) => {
                    format!(
                        "<c r=\"{place}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
                        escaped(text)
                    )
                }
                Cell::Number(value) => format!("<c r=\"{place}\"><v>{value}</v></c>"),
                Cell::Date(value) => format!("<c r=\"{place}\" s=\"1\"><v>{value}</v></c>"),
                Cell::Truth(value) => format!("<c r=\"{place}\" t=\"b\"><v>{}</v></c>", u8::from(*value)),
                Cell::Nothing => String::new(),
            });
        }
        xml.push_str("</row>");
    }
    xml + "</sheetData></worksheet>"
}

/// A workbook of sheets, each its XML, and other parts.
fn workbook_of(sheets: &[(&str, String)], more: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut list, mut rels) = (String::new(), String::new());
    for (at, (name, _)) in sheets.iter().enumerate() {
        let at = at + 1;
        list.push_str(&format!("<sheet name=\"{name}\" sheetId=\"{at}\" r:id=\"rId{at}\"/>"));
        rels.push_str(&format!(
            "<Relationship Id=\"rId{at}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
             Target=\"worksheets/sheet{at}.xml\"/>"
        ));
    }
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let workbook = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
         <sheets>{list}</sheets></workbook>"
    );
    let rels = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{rels}</Relationships>"
    );
    // Style 1 is the built-in number format of a date.
    let styles = format!(
        "<styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"
    );
    let package = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
                   <Relationship Id=\"rId1\" Target=\"xl/workbook.xml\" \
                   Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\"/></Relationships>";
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    let names: Vec<String> = (1..=sheets.len()).map(|at| format!("xl/worksheets/sheet{at}.xml")).collect();
    let mut members: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", package.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", rels.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
    ];
    members.extend(names.iter().zip(sheets).map(|(name, (_, xml))| (name.as_str(), xml.as_bytes())));
    members.extend(more);
    zip(&members, CompressionMethod::Deflated)
}

fn workbook(sheets: &[(&str, Vec<Vec<Cell>>)]) -> Vec<u8> {
    let sheets: Vec<(&str, String)> = sheets.iter().map(|(name, rows)| (*name, sheet_xml(rows))).collect();
    workbook_of(&sheets, &[])
}

/// A CSV's rows as cells, by `typed` where it says what a value is.
fn cells(csv_text: &str, typed: impl Fn(usize, &str) -> Option<Cell>) -> Vec<Vec<Cell>> {
    let reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv_text.as_bytes()).into_records();
    reader
        .enumerate()
        .map(|(row, record)| {
            let record = record.unwrap();
            let cell = |(at, value): (usize, &str)| match value {
                "" => Cell::Nothing,
                value => typed(at, value).filter(|_| row > 0).unwrap_or_else(|| text(value)),
            };
            record.iter().enumerate().map(cell).collect()
        })
        .collect()
}

fn read(name: &str, packed: Vec<u8>, options: &Options) -> (Import, Vec<Reject>) {
    bytes(name, packed, options).unwrap()
}

/// Days since the end of 1899 of `month/day/year`.
fn serial(date: &str) -> Option<f64> {
    let date = chrono::NaiveDate::parse_from_str(date, "%m/%d/%Y").ok()?;
    Some((date - chrono::NaiveDate::from_ymd_opt(1899, 12, 30)?).num_days() as f64)
}

#[test]
fn a_bank_s_export_is_the_same_as_text_and_as_numbers_and_dates() {
    let files = [
        "Chase0909_Activity_20240630.csv",
        "discover.csv",
        "capital_one.csv",
        "currentTransaction_3003.csv",
        "amex_long.csv",
    ];
    for file in files {
        let csv_text = std::fs::read_to_string(fixture(file)).unwrap();
        let name = std::path::Path::new(file).with_extension("xlsx");
        let name = name.to_str().unwrap();
        let (expect, _) = import(&[fixture(file)], &options()).unwrap();
        let as_text = workbook(&[("Activity", cells(&csv_text, |_, _| None))]);
        let as_types = workbook(&[(
            "Activity",
            cells(&csv_text, |at, value| {
                let number = || value.replace(',', "").parse().ok().map(Cell::Number);
                // Cards and references are text: a spreadsheet cuts long numbers.
                if value.len() > 12 || (file == "capital_one.csv" && at < 2) {
                    None
                } else {
                    serial(value).map(Cell::Date).or_else(number)
                }
            }),
        )]);
        // Whether a date is one of the US or the UK is nothing that its type tells.
        let feed = file.starts_with("amex").then(|| "amex".to_owned());
        for (packed, options) in [(as_text, options()), (as_types, Options { feed: feed.clone(), ..options() })] {
            let (found, rejects) = read(name, packed, &options);
            assert_eq!(rejects, []);
            assert_eq!(found.batch, expect.batch, "{file}: {:?}", found.files);
            assert!(found.files[0].why.starts_with("sheet `Activity`: "), "{}", found.files[0].why);
        }
    }
}

#[test]
fn the_first_sheet_with_a_known_header_is_read() {
    let notes = vec![vec![text("Notes of"), text("June")], vec![text("none")]];
    let rows = cells(&std::fs::read_to_string(fixture("handbook.csv")).unwrap(), |_, _| None);
    let other = cells(&std::fs::read_to_string(fixture("paysim.csv")).unwrap(), |_, _| None);
    let packed = workbook(&[("Empty", vec![]), ("Notes", notes.clone()), ("Data", rows), ("More", other)]);
    let (found, _) = read("a.xlsx", packed, &options());
    let (expect, _) = import(&[fixture("handbook.csv")], &options()).unwrap();
    assert_eq!(found.batch, expect.batch);
    assert!(found.files[0].why.starts_with("sheet `Data`"), "{}", found.files[0].why);
    let error = bytes("a.xlsx", workbook(&[("Empty", vec![]), ("Notes", notes)]), &options()).unwrap_err();
    assert!(matches!(&error, Error::Unrecognised { header, .. } if header == "Notes of,June"), "{error}");
    let error = bytes("a.xlsx", workbook(&[("Empty", vec![])]), &options()).unwrap_err();
    assert!(matches!(error, Error::Empty { .. }), "{error}");
}

#[test]
fn lines_above_the_header_rejects_and_empty_rows() {
    let rows = vec![
        vec![text("Description"), Cell::Nothing, text("Summary Amt.")],
        vec![text("Beginning balance"), Cell::Nothing, Cell::Number(0.0)],
        vec![],
        vec![text("Date"), text("Description"), text("Amount"), text("Running Bal.")],
        vec![
            text("06/03/2024"),
            text("LARCH \"ELECTRIC\"\nof York"),
            Cell::Number(-49.500000000001),
            Cell::Number(450.5),
        ],
        vec![],
        vec![Cell::Date(serial("06/04/2024").unwrap()), text("TERN"), text("soon")],
        vec![
            Cell::Date(serial("06/05/2024").unwrap() + 0.5),
            text("TERN"),
            Cell::Number(7.0),
            Cell::Nothing,
            Cell::Nothing,
        ],
        vec![text("06/06/2024"), text("TERN"), Cell::Number(7.0), Cell::Nothing, text("a fifth")],
    ];
    let (found, rejects) = read("stmt.xlsx", workbook(&[("S", rows)]), &options());
    let names = ["stmt", "LARCH \"ELECTRIC\" of York", "TERN"];
    assert_eq!(
        told(&found.batch, &names),
        [
            "2024-06-03T00:00:00Z | stmt | -49.50 USD | LARCH \"ELECTRIC\" of York | - - - | - | 50000 | Unknown | 0",
            "2024-06-05T12:00:00Z | stmt | 7.00 USD | TERN | - - - | - | - | Unknown | 2",
        ]
    );
    let told: Vec<_> = rejects.iter().map(|r| (r.row, r.line, r.column.as_str())).collect();
    assert_eq!(told, [(1, 7, "Amount"), (3, 9, "(whole row)")], "lines are the sheet's rows");
}

#[test]
fn paypal_with_times_and_a_decimal_comma() {
    // Text as PayPal has it, and the amounts as the numbers that a spreadsheet makes of them.
    let csv_text = std::fs::read_to_string(fixture("paypal_eu.csv")).unwrap();
    let comma = |value: &str| value.replace('.', "").replace(',', ".").parse().ok().map(Cell::Number);
    let typed = cells(&csv_text, |at, value| if (7..10).contains(&at) { comma(value) } else { None });
    let named = Options { feed: Some("paypal-eu".to_owned()), ..options() };
    let (expect, _) = import(&[fixture("paypal_eu.csv")], &options()).unwrap();
    for (packed, options) in
        [(workbook(&[("P", cells(&csv_text, |_, _| None))]), &options()), (workbook(&[("P", typed)]), &named)]
    {
        assert_eq!(read("paypal_eu.xlsx", packed, options).0.batch, expect.batch);
    }
    let us = std::fs::read_to_string(fixture("paypal.csv")).unwrap();
    let (expect, _) = import(&[fixture("paypal.csv")], &options()).unwrap();
    let (found, _) = read("paypal.xlsx", workbook(&[("P", cells(&us, |_, _| None))]), &options());
    assert_eq!(found.batch, expect.batch);
    // The time of day is a fraction of one.
    let typed = cells(&us, |at, value| match at {
        0 => serial(value).map(Cell::Date),
        1 => {
            let parts: Vec<f64> = value.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            Some(Cell::Date((parts[0] * 3_600.0 + parts[1] * 60.0 + parts[2]) / 86_400.0))
        }
        _ => None,
    });
    let named = Options { feed: Some("paypal".to_owned()), ..options() };
    assert_eq!(read("paypal.xlsx", workbook(&[("P", typed)]), &named).0.batch, expect.batch);
}

#[test]
fn a_mapping_and_truth_values() {
    let rows = vec![
        vec![text("who"), text("when"), text("sum"), text("bad")],
        vec![Cell::Number(4_000_123_412_341_234.0), Cell::Date(45_352.375), Cell::Number(-1.1), Cell::Truth(true)],
        vec![text("007"), Cell::Date(45_353.0), Cell::Number(2.0), Cell::Truth(false)],
    ];
    let map = Some(Mapping::parse("account=who,amount=sum,time=when,currency=@EUR,label=bad").unwrap());
    let (found, rejects) =
        read("in.xlsx", workbook(&[("S", rows)]), &Options { key: Some(key()), map, ..Options::default() });
    assert_eq!(rejects, []);
    assert_eq!(
        told(&found.batch, &["4000123412341234", "007"]),
        [
            "2024-03-01T09:00:00Z | 4000123412341234 | -1.10 EUR | - | - - - | - | - | Fraud | 0",
            "2024-03-02T00:00:00Z | 007 | 2.00 EUR | - | - - - | - | - | Legitimate | 1",
        ]
    );
}

#[test]
fn a_workbook_in_an_archive_or_without_its_ending() {
    let packed = workbook(&[("S", cells(&std::fs::read_to_string(fixture("handbook.csv")).unwrap(), |_, _| None))]);
    let (expect, _) = import(&[fixture("handbook.csv")], &options()).unwrap();
    assert_eq!(read("no-ending", packed.clone(), &options()).0.batch, expect.batch);
    let outer = zip(&[("deep/a.xlsx", &packed)], CompressionMethod::Stored);
    let (found, _) = read("outer.zip", outer, &options());
    assert_eq!(found.batch, expect.batch);
    assert!(found.files[0].path.ends_with("outer.zip/deep/a.xlsx"));
    let folder = Folder::new();
    let recognised = recognise(&folder.file("a.xlsx", packed), &options()).unwrap();
    assert_eq!((recognised.feed.as_str(), recognised.delimiter), ("handbook", None));
}

#[test]
fn what_is_made_to_take_memory_away_is_refused() {
    let refused = |packed: Vec<u8>, what: &str| {
        let error = bytes("a.xlsx", packed, &options()).unwrap_err();
        assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains(what)), "{error}");
    };
    let rows = sheet_xml(&[vec![text("a")]]);
    let sheet = |xml: &str| vec![("S", xml.to_owned())];
    refused(
        workbook_of(&sheet(&rows), &[("xl/sharedStrings.xml", b"<sst uniqueCount=\"999999999999\"></sst>")]),
        "more shared strings",
    );
    let long = vec![b' '; 300 << 20];
    refused(workbook_of(&sheet(&rows), &[("xl/theme/theme1.xml", &long)]), "unpacks to more than 256 MiB");
    let far = rows.replace("r=\"A1\"", "r=\"XFD1\"");
    refused(workbook_of(&sheet(&far), &[]), "at most 4096 columns");
    let back = rows.replace(
        "</row>",
        "</row><row r=\"3\"><c r=\"A3\"><v>1</v></c></row><row r=\"2\"><c r=\"A2\"><v>1</v></c></row>",
    );
    refused(workbook_of(&sheet(&back), &[]), "order of their rows");
    // A cell in the last row there may be costs a line end a row.
    let last = rows.replace("</row>", "</row><row r=\"1048576\"><c r=\"A1048576\"><v>1</v></c></row>");
    let error = bytes("a.xlsx", workbook_of(&sheet(&last), &[]), &options()).unwrap_err();
    assert!(matches!(&error, Error::Unrecognised { header, .. } if header == "a"), "{error}");
    refused(workbook_of(&sheet("<worksheet><sheetData><row><c>"), &[]), "cannot be read as a workbook");
    let error = bytes("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", &options()).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("before 2007")), "{error}");
}

#[test]
fn a_text_in_a_cell_is_no_number() {
    let rows = |amounts: [Cell; 2]| {
        let head = ["a", "t", "m"].map(text).to_vec();
        let row = |(at, amount)| vec![text("x"), text(&format!("2024-01-0{}", at + 1)), amount];
        workbook(&[("S", [vec![head], amounts.into_iter().enumerate().map(row).collect()].concat())])
    };
    let map = || Options { map: Some(Mapping::parse("account=a,amount=m,time=t").unwrap()), ..options() };
    let read = |amounts| bytes("x.xlsx", rows(amounts), &map());
    let minors = |import: Import| import.batch.iter().map(|txn| txn.amount.minor).collect::<Vec<_>>();
    assert_eq!(minors(read([Cell::Number(-84.125), Cell::Number(-588.045)]).unwrap().0), [-8_412, -58_804]);
    assert_eq!(minors(read([text("-1.234,50"), Cell::Number(-588.5)]).unwrap().0), [-123_450, -58_850]);
    for amounts in [[text("-84.125"), text("-588.045")], [text("-84.125"), Cell::Number(-588.045)]] {
        let error = read(amounts).unwrap_err();
        assert!(matches!(error, Error::Undecided { .. }), "{error}");
    }
    // A truth value is no sum.
    let (import, rejects) = read([Cell::Truth(true), Cell::Number(-2.0)]).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (1, 1));
}
