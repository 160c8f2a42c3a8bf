//! Each preset on a small invented file, row by row.

use crate::common::{bytes, fixture, import, options, told};
use crible_ingest::{Error, feeds};

#[track_caller]
fn check(file: &str, feed: &str, names: &[&str], unused: &[&str], expect: &[&str]) {
    let (import, rejects) = import(&[fixture(file)], &options()).unwrap();
    assert_eq!(rejects, []);
    let report = &import.files[0];
    assert_eq!(report.feed, feed);
    assert_eq!(report.unused_columns, unused);
    assert_eq!(report.warnings, [""; 0]);
    // Rows of one instant stand in the order of their references: by row here, to be read.
    let mut rows = told(&import.batch, names);
    rows.sort_by_key(|row| row.rsplit(' ').next().map(str::to_owned));
    assert_eq!(rows, expect);
}

#[test]
fn crible() {
    check(
        "crible.csv",
        "crible",
        &["ada", "bo", "bakery"],
        &[],
        &[
            "2024-03-01T09:00:00Z | ada | -4.20 EUR | bakery | food chip FR | 488566000,23522000 | 10000 | Legitimate | 0",
            "2024-03-01T09:05:00.500000Z | ada | -10.00 EUR | - | - - - | - | - | Unknown | 1",
            "2024-03-01T09:30:00Z | bo | 250.00 USD | bakery | salary transfer US | - | 100000 | Fraud | 2",
        ],
    );
}

#[test]
fn handbook() {
    let unused = ["TX_TIME_SECONDS", "TX_TIME_DAYS", "TX_FRAUD_SCENARIO"];
    check(
        "handbook.csv",
        "handbook",
        &["12", "44", "907", "310"],
        &unused,
        &[
            "2018-04-01T00:00:31Z | 12 | -57.16 XXX | 907 | - - - | - | - | Legitimate | 0",
            "2018-04-01T00:02:10Z | 44 | -81.50 XXX | 310 | - - - | - | - | Fraud | 1",
            "2018-04-01T00:02:10Z | 12 | -146.00 XXX | 310 | - - - | - | - | Legitimate | 2",
        ],
    );
}

#[test]
fn sparkov() {
    let unused = [
        "",
        "first",
        "last",
        "gender",
        "street",
        "city",
        "state",
        "zip",
        "lat",
        "long",
        "city_pop",
        "job",
        "dob",
        "unix_time",
    ];
    let names = ["4000123412341234", "370012341234123", "fraud_Tully, Marsh and Oak", "fraud_Heller PLC"];
    check(
        "sparkov.csv",
        "sparkov",
        &names,
        &unused,
        &[
            "2019-01-01T00:00:18Z | 4000123412341234 | -4.97 USD | fraud_Tully, Marsh and Oak | misc_net - - \
         | 360112930,-820483150 | - | Legitimate | 0",
            "2019-01-01T00:00:44Z | 370012341234123 | -107.23 USD | fraud_Heller PLC | grocery_pos - - \
         | 491590470,-1181864620 | - | Fraud | 1",
        ],
    );
}

#[test]
fn sparkov_generator() {
    let unused = [
        "ssn",
        "first",
        "last",
        "gender",
        "street",
        "city",
        "state",
        "zip",
        "lat",
        "long",
        "city_pop",
        "job",
        "dob",
        "acct_num",
        "profile",
        "trans_date",
        "trans_time",
    ];
    let names = ["4000123412341234", "370012341234123", "fraud_Emmer Ltd", "fraud_Heller PLC"];
    check(
        "sparkov-generator.psv",
        "sparkov-generator",
        &names,
        &unused,
        &[
            "2024-06-01T00:00:02Z | 370012341234123 | -28.65 USD | fraud_Heller PLC | gas_transport - - \
         | 407480090,-731775800 | - | Legitimate | 0",
            "2024-06-01T00:00:12Z | 4000123412341234 | -3.62 USD | fraud_Emmer Ltd | travel - - \
         | 396931740,-1043220910 | - | Fraud | 1",
        ],
    );
}

#[test]
fn ulb_creditcard() {
    let unused: Vec<String> = (1..=28).map(|component| format!("V{component}")).collect();
    let unused: Vec<&str> = unused.iter().map(String::as_str).collect();
    check(
        "ulb-creditcard.csv",
        "ulb-creditcard",
        &[],
        &unused,
        &[
            "2013-09-01T00:00:00Z | ? | -149.62 XXX | - | - - - | - | - | Legitimate | 0",
            "2013-09-02T03:46:40Z | ? | -2.69 XXX | - | - - - | - | - | Fraud | 1",
            "2013-09-01T00:00:01Z | ? | 0.00 XXX | - | - - - | - | - | Legitimate | 2",
            "2013-09-01T00:00:00Z | ? | -149.62 XXX | - | - - - | - | - | Legitimate | 3",
        ],
    );
    let (import, _) = import(&[fixture("ulb-creditcard.csv")], &options()).unwrap();
    let mut accounts = import.batch.accounts().to_vec();
    accounts.sort();
    accounts.dedup();
    assert_eq!(accounts.len(), 4, "every row is an account of its own, the repeated one too");
}

#[test]
fn paysim() {
    let unused = ["newbalanceOrig", "oldbalanceDest", "newbalanceDest", "isFlaggedFraud"];
    check(
        "paysim.csv",
        "paysim",
        &["C1001", "C1002", "C1003", "C1004", "M2001"],
        &unused,
        &[
            "2017-01-01T01:00:00Z | C1001 | -9839.64 XXX | M2001 | PAYMENT - - | - | 17013600 | Legitimate | 0",
            "2017-01-01T01:00:00Z | C1002 | -181.00 XXX | C1003 | TRANSFER - - | - | 18100 | Fraud | 1",
            "2017-01-01T02:00:00Z | C1003 | 250.50 XXX | C1004 | CASH_IN - - | - | 0 | Legitimate | 2",
        ],
    );
    let (import, _) = import(&[fixture("paysim.csv")], &options()).unwrap();
    let rows: Vec<_> = import.batch.iter().collect();
    assert!(rows.iter().any(|txn| txn.counterparty == Some(rows[2].account)), "both sides of a transfer match");
}

#[test]
fn chase_checking() {
    let names = ["Chase7788", "HARBOR & PINE GROCERY", "ACME PAYROLL", "CHECK"];
    check(
        "Chase7788_Activity_20240630.CSV",
        "chase-checking",
        &names,
        &[],
        &[
            "2024-06-28T00:00:00Z | Chase7788 | -23.18 USD | HARBOR & PINE GROCERY | - DEBIT_CARD - | - | 150000 \
         | Unknown | 0",
            "2024-06-27T00:00:00Z | Chase7788 | 1500.00 USD | ACME PAYROLL | - ACH_CREDIT - | - | - \
         | Unknown | 1",
            "2024-06-26T00:00:00Z | Chase7788 | -1250.00 USD | CHECK | - CHECK_PAID - | - | 125000 | Unknown | 2",
        ],
    );
}

#[test]
fn chase_checking_with_the_header_ending_in_a_comma_too() {
    let text = std::fs::read_to_string(fixture("Chase7788_Activity_20240630.CSV")).unwrap();
    let (import, rejects) = bytes("a.csv", text.replacen("Slip #", "Slip #,", 1), &options()).unwrap();
    assert_eq!((import.files[0].feed.as_str(), import.batch.len(), rejects.len()), ("chase-checking", 3, 0));
    let eighth = text.replace(",118,", ",118,x");
    let (import, rejects) = bytes("a.csv", eighth, &options()).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (2, 1), "an eighth field has to be empty");
}

#[test]
fn chase_card() {
    let names = ["Chase0909", "LANTERN BOOKS & TEA", "Thank You-Mobile", "TWIN FERNS CAFE"];
    check(
        "Chase0909_Activity_20240630.csv",
        "chase-card",
        &names,
        &[],
        &[
            "2024-06-27T00:00:00Z | Chase0909 | -31.07 USD | LANTERN BOOKS & TEA | Shopping Sale - | - | - | Unknown | 0",
            "2024-06-25T00:00:00Z | Chase0909 | 200.00 USD | Thank You-Mobile | - Payment - | - | - | Unknown | 1",
            "2024-06-24T00:00:00Z | Chase0909 | 6.50 USD | TWIN FERNS CAFE | Food & Drink Return - | - | - | Unknown | 2",
        ],
    );
}

#[test]
fn wells_fargo_has_no_header() {
    let names = ["Checking1", "ROOK & LARK MARKET", "CHECK", "NORTHFIELD MILL PAYROLL"];
    check(
        "Checking1.csv",
        "wells-fargo",
        &names,
        &["#3"],
        &[
            "2024-06-28T00:00:00Z | Checking1 | -42.10 USD | ROOK & LARK MARKET | - - - | - \
         | - | Unknown | 0",
            "2024-06-27T00:00:00Z | Checking1 | -600.00 USD | CHECK | - - - | - | - | Unknown | 1",
            "2024-06-25T00:00:00Z | Checking1 | 2200.00 USD | NORTHFIELD MILL PAYROLL | - - - | - | - | Unknown | 2",
        ],
    );
}

#[test]
fn every_preset_has_a_fixture() {
    let mut tested: Vec<String> = std::fs::read_dir(fixture(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.ends_with("expected.txt"))
        .flat_map(|path| match import(&[path], &options()) {
            Ok((import, _)) => vec![import.files[0].feed.clone()],
            // One that has to be asked for by name; its own test does.
            Err(Error::ByName { feeds, .. }) => feeds,
            Err(error) => panic!("{error}"),
        })
        .collect();
    tested.sort();
    tested.dedup();
    // What is only taken by name is another name of a feed that has one.
    let recognised = feeds().filter(|preset| preset.recognised_by() != "name only");
    let mut known: Vec<_> = recognised.map(|preset| preset.name().to_owned()).collect();
    known.sort();
    assert_eq!(tested, known);
}
