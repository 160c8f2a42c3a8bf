//! Formats that are no tables, each on small invented files, entry by entry.

use crate::common::{bytes, fixture, import, options, told};
use crible_ingest::{Error, Options, recognise};

/// A file's rows, and its rejects as `row line column value: reason`, and its warnings.
#[track_caller]
pub(crate) fn check(file: &str, feed: &str, names: &[&str], expect: &[&str], rejects: &[&str]) -> Vec<String> {
    let (import, rejected) = import(&[fixture(file)], &options()).unwrap();
    let report = &import.files[0];
    assert_eq!((report.feed.as_str(), report.unused_columns.as_slice()), (feed, &[][..]));
    let mut rows = told(&import.batch, names);
    rows.sort_by_key(|row| row.rsplit(' ').next().and_then(|row| row.parse::<u64>().ok()));
    assert_eq!(rows, expect);
    let rejected: Vec<String> =
        rejected.iter().map(|r| format!("{} {} {} `{}`: {}", r.row, r.line, r.column, r.value, r.reason)).collect();
    assert_eq!(rejected, rejects);
    report.warnings.clone()
}

#[test]
fn ofx_sgml() {
    let names = ["990000111/5550001", "990000111/5550002", "ROOK & LARK MARKET", "NORTHFIELD MILL", "CAFÉ TWIN FERNS"];
    let warnings = check(
        "checking.ofx",
        "ofx",
        &names,
        &[
            "2024-01-15T17:00:00Z | 990000111/5550001 | -42.10 USD | ROOK & LARK MARKET | - POS - | - | - | Unknown | 0",
            "2024-01-16T00:00:00Z | 990000111/5550001 | 1250.00 USD | NORTHFIELD MILL | - CREDIT - | - | - | Unknown | 1",
            "2024-01-17T00:00:00Z | 990000111/5550001 | -3.50 USD | CAFÉ TWIN FERNS | - DEBIT - | - | - | Unknown | 2",
            "2024-01-18T00:00:00Z | 990000111/5550001 | -200.00 USD | 990000111/5550002 | - XFER - | - | - | Unknown | 3",
        ],
        &["4 31 time `20240231`: expected a date such as 20240115 or 20240115120000.000[-5:EST]"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn ofx_xml() {
    let names = ["card-77", "Lantern Books & Tea", "Kita Noodles", "Twin Ferns"];
    check(
        "card.qfx",
        "ofx",
        &names,
        &[
            "2024-03-02T07:30:00Z | card-77 | -18.90 EUR | Lantern Books & Tea | 5942 DEBIT - | - | - | Unknown | 0",
            "2024-03-03T00:00:00Z | card-77 | -1500 JPY | Kita Noodles | - DEBIT - | - | - | Unknown | 1",
            "2024-03-04T00:00:00Z | card-77 | -7.00 EUR | Twin Ferns | - DEBIT - | - | - | Unknown | 2",
        ],
        &["3 32 (whole row) `STMTTRNP`: no transaction: it is pending, and comes again when it is posted"],
    );
}

#[test]
fn ofx_ids_are_trusted_within_an_account() {
    let text = std::fs::read_to_string(fixture("card.qfx")).unwrap();
    let one = text.find("<STMTTRN>").unwrap();
    let end = text.find("</STMTTRN>").unwrap() + 10;
    let twice = format!("{}{}{}", &text[..end], &text[one..end], &text[end..]);
    let (import, _) = bytes("in.ofx", &twice, &options()).unwrap();
    assert_eq!((import.files[0].accepted, import.files[0].known), (3, 1));
    // What breaks off loses its last entry and nothing else.
    let (import, rejects) = bytes("in.ofx", &twice[..end + 40], &options()).unwrap();
    assert_eq!((import.files[0].accepted, rejects.len()), (1, 1));
    assert!(rejects[0].reason.contains("breaks off"), "{}", rejects[0].reason);
}

#[test]
fn document_types_are_refused() {
    let text = std::fs::read_to_string(fixture("card.qfx")).unwrap();
    let bomb = text.replace("<OFX>", "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]>\n<OFX>");
    let error = bytes("in.ofx", bomb, &options()).unwrap_err();
    assert!(matches!(&error, Error::Refused { .. }) && error.to_string().contains("entities"), "{error}");
}

#[test]
fn qif() {
    check(
        "household.qif",
        "qif",
        &["Checking", "Savings", "Tamarack Rent", "Rook & Lark Market"],
        &[
            "2024-01-05T00:00:00Z | Checking | -1042.10 XXX | Tamarack Rent | Housing:Rent - - | - | - | Unknown | 1",
            "2024-01-16T00:00:00Z | Checking | 200.00 XXX | Savings | transfer - - | - | - | Unknown | 2",
            "2024-01-17T00:00:00Z | Checking | -60.00 XXX | Rook & Lark Market | Groceries - - | - | - | Unknown | 3",
        ],
        &["0 7 (whole row) `Opening Balance`: it is the opening balance; expected a transaction"],
    );
    let why = recognise(&fixture("household.qif"), &options()).unwrap().why;
    assert!(why.ends_with("; dates read with the month first"), "{why}");
}

#[test]
fn qif_of_another_country() {
    check(
        "karte.qif",
        "qif",
        &["karte", "Tischlerei Birnbaum", "Teehaus"],
        &[
            "2024-03-25T00:00:00Z | karte | -1234.50 XXX | Tischlerei Birnbaum | - - - | - | - | Unknown | 0",
            "2024-03-26T00:00:00Z | karte | -12.00 XXX | Teehaus | - - - | - | - | Unknown | 1",
        ],
        &["2 11 time `31.02.2024`: expected a date such as 31/01/2024 (day/month/year)"],
    );
}

#[test]
fn qif_dates_that_do_not_tell_are_asked_for() {
    let text = "!Type:Bank\nD03/04/2024\nT-5\nPTwin Ferns\n^\n";
    let error = bytes("in.qif", text, &options()).unwrap_err().to_string();
    assert!(error.contains("03/04/2024") && error.contains("qif-day-first"), "{error}");
    let both = "!Type:Bank\nD13/04/2024\nT-5\n^\nD04/13/2024\nT-5\n^\n";
    assert!(matches!(bytes("in.qif", both, &options()), Err(Error::Undecided { .. })));
    let mut at = Vec::new();
    for feed in ["qif-month-first", "qif-day-first"] {
        let named = Options { feed: Some(feed.to_owned()), ..options() };
        let (import, _) = bytes("in.qif", text, &named).unwrap();
        assert_eq!(import.files[0].feed, "qif");
        at.push(import.batch.get(0).at.to_string());
    }
    assert_eq!(at, ["2024-03-04T00:00:00Z", "2024-04-03T00:00:00Z"]);
    // A date that is either way the same tells nothing and needs nothing.
    assert!(bytes("in.qif", "!Type:Bank\nD03/03/2024\nT-5\n^\n", &options()).is_ok());
}

#[test]
fn qif_entries_that_break_off() {
    let text = "!Type:Bank\nD01/31/2024\nT-5\nPA\nD02/01/2024\nT-6\nPB\n^\nD02/02/2024\nT-7";
    let (import, rejects) = bytes("in.qif", text, &options()).unwrap();
    assert_eq!((import.files[0].accepted, import.files[0].read), (1, 3));
    assert!(rejects.iter().all(|reject| reject.reason.contains("expected a line of ^")), "{rejects:?}");
    let (import, rejects) = bytes("in.qif", "!Type:Invst\nD01/31/2024\nNBuy\nT5.00\n^\n", &options()).unwrap();
    assert_eq!((import.files[0].read, rejects[0].line), (1, 2));
}

#[test]
fn camt() {
    let (own, other) = ("FR0099990000000000000000001", "FR0099990000000000000000002");
    let warnings = check(
        "statement.camt053.xml",
        "camt",
        &[own, other, "Ada Quist", "Piet Lund"],
        &[
            &format!("2024-03-04T00:00:00Z | {own} | -42.10 EUR | {other} | PMNT-ICDT-ESCT - - | - | - | Unknown | 0"),
            &format!("2024-03-05T09:00:00Z | {own} | 10.00 EUR | Ada Quist | - - - | - | - | Unknown | 1"),
            &format!("2024-03-05T09:00:00Z | {own} | 20.00 EUR | Piet Lund | - - - | - | - | Unknown | 2"),
        ],
        &[
            "3 22 (whole row) `PDNG`: no transaction: the entry is not booked",
            "4 23 amount `-5.00`: expected an amount without a sign",
        ],
    );
    assert_eq!(warnings, [""; 0]);
    check(
        "notice.camt054.xml",
        "camt",
        &["77-1", "Kita Noodles"],
        &["2024-04-01T00:00:00Z | 77-1 | 1500 JPY | Kita Noodles | - NMSC - | - | - | Unknown | 0"],
        &[],
    );
}

#[test]
fn camt_that_is_no_xml_or_too_much_of_it() {
    let text = std::fs::read_to_string(fixture("statement.camt053.xml")).unwrap();
    let cut = text.find("PDNG").unwrap();
    let (import, rejects) = bytes("in.xml", &text[..cut], &options()).unwrap();
    assert_eq!((import.files[0].accepted, rejects.len(), import.files[0].warnings.len()), (3, 1, 1));
    let bomb = text.replace("<Document ", "<!DOCTYPE d [<!ENTITY a \"aa\">]>\n<Document ");
    assert!(matches!(bytes("in.xml", bomb, &options()), Err(Error::Refused { .. })));
    let deep = text.replace("<Stmt>", &format!("<Stmt>{}", "<a>".repeat(100_000)));
    let (import, _) = bytes("in.xml", deep, &options()).unwrap();
    assert!(import.files[0].warnings[0].contains("deep"), "{:?}", import.files[0].warnings);
    // A batch whose details do not make up its sum is one entry.
    let other = text.replace(">20.00<", ">20.01<");
    let (import, _) = bytes("in.xml", other, &options()).unwrap();
    assert_eq!((import.files[0].accepted, import.files[0].warnings.len()), (2, 1));
}

#[test]
fn mt940() {
    let names = ["99990000/0000001", "DE00999900000000000002", "LUNE UND SOEHNE", "CASH DESK 4"];
    check(
        "statement.sta",
        "mt940",
        &names,
        &[
            "2024-01-02T00:00:00Z | 99990000/0000001 | -42.10 EUR | DE00999900000000000002 | 177 NTRF - | - | - | Unknown | 0",
            "2024-01-03T00:00:00Z | 99990000/0000001 | 42.10 EUR | LUNE UND SOEHNE | 109 NRTI - | - | - | Unknown | 1",
            "2024-01-04T00:00:00Z | 99990000/0000001 | -20.00 EUR | CASH DESK 4 | - NMSC - | - | - | Unknown | 3",
        ],
        &["2 10 (whole row) `000000x0,00xxxxxxxxxx`: expected C, D, RC or RD before the amount"],
    );
    check(
        "interim.mt942",
        "mt940",
        &["NL00BANK0000000001", "NL00BANK0000000002"],
        &["2024-01-01T00:00:00Z | NL00BANK0000000001 | 7.00 JPY | NL00BANK0000000002 | - NTRF - | - | - | Unknown | 0"
            .replace("7.00 JPY", "7 JPY")
            .as_str()],
        &["1 8 (whole row) `000000xx0,xxxxxxxxxx`: the entry is expected and not booked; expected a booked one"],
    );
}
