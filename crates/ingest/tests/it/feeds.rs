//! The exports of banks, cards and wallets on invented files of each form, row by row.

use crible_core::Code;

use crate::common::{bytes, fixture, import, options, told};
use crible_ingest::{Error, Options};

/// Reads a fixture, by its feed's name where it has to be asked for. A reject is shown as `row column: reason`.
#[track_caller]
pub(crate) fn check(file: &str, feed: &str, by_name: bool, names: &[&str], expect: &[&str], rejected: &[&str]) {
    let options = Options { feed: by_name.then(|| feed.to_owned()), ..options() };
    let (import, rejects) = import(&[fixture(file)], &options).unwrap();
    assert_eq!(import.files[0].feed, feed);
    assert_eq!(import.files[0].warnings, [""; 0]);
    let mut rows = told(&import.batch, names);
    rows.sort_by_key(|row| row.rsplit(' ').next().map(str::to_owned));
    assert_eq!(rows, expect.iter().map(|row| coded(row)).collect::<Vec<_>>());
    let rejects: Vec<String> =
        rejects.iter().map(|reject| format!("{} {}: {}", reject.row, reject.column, reject.reason)).collect();
    assert_eq!(rejects.len(), rejected.len(), "{rejects:?}");
    for (found, expect) in rejects.iter().zip(rejected) {
        assert!(found.starts_with(expect), "{found}; expected {expect}");
    }
}

/// An expected row; a `<word>` in it is longer than a code holds.
fn coded(row: &str) -> String {
    match row.split_once(" <").and_then(|(head, rest)| Some((head, rest.split_once('>')?))) {
        Some((head, (word, tail))) => format!("{head} {}{tail}", Code::new(word).as_str()),
        None => row.to_owned(),
    }
}

#[test]
fn citi_card() {
    check(
        "Citi_4411.CSV",
        "citi-card",
        false,
        &["Citi_4411", "PELICAN GARDEN & HARDWARE DAYTON OH", "ONLINE PAYMENT, THANK YOU", "QUILL & FERN BOOKS"],
        &[
            "2024-06-27T00:00:00Z | Citi_4411 | -48.15 USD | PELICAN GARDEN & HARDWARE DAYTON OH | - - - | - | - \
             | Unknown | 0",
            "2024-06-25T00:00:00Z | Citi_4411 | 300.00 USD | ONLINE PAYMENT, THANK YOU | - - - | - | - | Unknown | 1",
            "2024-06-28T00:00:00Z | Citi_4411 | -1012.40 USD | QUILL & FERN BOOKS | - - - | - | - | Unknown | 2",
        ],
        &[],
    );
    check(
        "Citi_members.csv",
        "citi-card",
        false,
        &["Citi_members", "SALT FLAT DINER", "SALT FLAT DINER REFUND"],
        &[
            "2024-06-27T00:00:00Z | Citi_members | -21.00 USD | SALT FLAT DINER | - - - | - | - | Unknown | 0",
            "2024-06-27T00:00:00Z | Citi_members | -21.00 USD | SALT FLAT DINER | - - - | - | - | Unknown | 1",
            "2024-06-24T00:00:00Z | Citi_members | 5.25 USD | SALT FLAT DINER REFUND | - - - | - | - | Unknown | 2",
        ],
        &[],
    );
    check(
        "Citi_other.csv",
        "citi-card",
        false,
        &["Citi_other", "TRAM 9 TICKETS"],
        &["2024-06-03T00:00:00Z | Citi_other | -2.80 USD | TRAM 9 TICKETS | - - - | - | - | Unknown | 0"],
        &["1 Date: expected a time such as 04/13/2018", "2 Debit: expected an amount in one of the two columns"],
    );
}

#[test]
fn a_pending_row_is_the_same_when_it_has_cleared() {
    let row = "Status,Date,Description,Debit,Credit\nPending,06/28/2024,QUILL BOOKS,12.40,\n";
    let read = |text: String| bytes("citi.csv", text, &options()).unwrap().0.batch.get(0).id;
    assert_eq!(read(row.to_owned()), read(row.replace("Pending", "Cleared")));
}

#[test]
fn us_bank() {
    check(
        "usbank_checking.csv",
        "us-bank",
        false,
        &["usbank_checking", "HOLLOW OAK COFFEE", "ELECTRONIC DEPOSIT BRIGHT MILL CO"],
        &[
            "2024-06-27T00:00:00Z | usbank_checking | -6.75 USD | HOLLOW OAK COFFEE | - DEBIT - | - | - | Unknown | 0",
            "2024-06-26T00:00:00Z | usbank_checking | 1820.33 USD | ELECTRONIC DEPOSIT BRIGHT MILL CO | - CREDIT - | - | - \
             | Unknown | 1",
            "2024-06-26T00:00:00Z | usbank_checking | -6.75 USD | HOLLOW OAK COFFEE | - DEBIT - | - | - | Unknown | 2",
        ],
        &[],
    );
    check(
        "usbank_slashes.csv",
        "us-bank",
        false,
        &["usbank_slashes", "MARLOW RAIL"],
        &[
            "2024-06-09T00:00:00Z | usbank_slashes | -1250.00 USD | MARLOW RAIL | - DEBIT - | - | - | Unknown | 0",
            "2024-06-10T00:00:00Z | usbank_slashes | 12.50 USD | MARLOW RAIL | - CREDIT - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "usbank_one_form_only.csv",
        "us-bank",
        false,
        &["usbank_one_form_only", "CHECK"],
        &["2024-06-03T00:00:00Z | usbank_one_form_only | -90.00 USD | CHECK | - DEBIT - | - | - | Unknown | 0"],
        &["1 Date: expected a time"],
    );
}

#[test]
fn scotiabank_has_us_bank_s_header_and_has_to_be_named() {
    check(
        "scotia.csv",
        "scotiabank-chequing",
        true,
        &["scotia", "MAPLE ROW GROCER", "TIDEWATER CANNERY"],
        &[
            "2024-06-27T00:00:00Z | scotia | -33.90 CAD | MAPLE ROW GROCER | - DEBIT - | - | - | Unknown | 0",
            "2024-06-26T00:00:00Z | scotia | 940.00 CAD | TIDEWATER CANNERY | - CREDIT - | - | - | Unknown | 1",
        ],
        &[],
    );
    let error = import(&[fixture("scotia.csv")], &options()).unwrap_err();
    let Error::ByName { feeds, .. } = &error else { panic!("{error}") };
    assert_eq!(*feeds, ["us-bank", "scotiabank-chequing"]);
}

#[test]
fn venmo() {
    check(
        "venmo_statement.csv",
        "venmo",
        false,
        &["@ines-okoro", "Ines Okoro", "Piet Lund", "Ada Quist"],
        &[
            "2024-04-02T11:12:13Z | @ines-okoro | -175.00 USD | Piet Lund | - Payment - | - | - | Unknown | 1",
            "2024-04-03T08:00:00Z | @ines-okoro | 1150.00 USD | Ada Quist | - Charge - | - | - | Unknown | 2",
            "2024-04-03T09:30:00Z | @ines-okoro | -20.00 USD | Ada Quist | - Charge - | - | - | Unknown | 3",
            "2024-04-05T00:00:01Z | @ines-okoro | -995.00 USD | - | - <Standard Transfer> - | - | - | Unknown | 5",
        ],
        &[
            "0 ID: no transaction: a balance line",
            "4 Status: no transaction: a payment that did not come about",
            "6 ID: no transaction: a balance line",
        ],
    );
    check(
        "venmo_2021.csv",
        "venmo",
        false,
        &["@ines-okoro", "Ines Okoro", "Piet Lund"],
        &["2021-02-14T19:20:21Z | @ines-okoro | 33.00 USD | Piet Lund | - Payment - | - | - | Unknown | 1"],
        &["0 ID: no transaction: a balance line"],
    );
    check(
        "venmo_oldest.csv",
        "venmo",
        false,
        &["venmo_oldest", "Ines Okoro", "Piet Lund", "Ada Quist"],
        &[
            "2017-04-25T03:15:53Z | venmo_oldest | -220.00 USD | Piet Lund | - Payment - | - | - | Unknown | 0",
            "2017-04-26T03:15:53Z | venmo_oldest | 45.73 USD | Ada Quist | - Charge - | - | - | Unknown | 1",
        ],
        &[],
    );
}

#[test]
fn lines_above_a_header_count_as_lines_and_not_as_rows() {
    let (import, rejects) = import(&[fixture("venmo_statement.csv")], &options()).unwrap();
    assert_eq!((import.files[0].read, import.files[0].accepted, import.files[0].rejected), (7, 4, 3));
    let lines: Vec<u64> = rejects.iter().map(|reject| reject.line).collect();
    assert_eq!(lines, [4, 9, 11], "the note of the second payment takes two lines");
}

#[test]
fn paypal() {
    check(
        "paypal.csv",
        "paypal",
        false,
        &["paypal", "Wren Pottery", "Olu Brandt"],
        &[
            "2024-06-27T21:03:11Z | paypal | -1048.20 USD | Wren Pottery | - <Express Checkout Payment> - | - | 104820 \
             | Unknown | 0",
            "2024-06-27T21:03:11Z | paypal | 1048.20 USD | - | - <Bank Deposit to PP Account> - | - | 0 | Unknown | 1",
            "2024-06-29T06:30:00Z | paypal | 48.25 USD | Olu Brandt | - Mobile Payment - | - | 0 | Unknown | 2",
        ],
        &["3 Balance Impact: no transaction: a memo", "4 TimeZone: expected a time zone such as PST"],
    );
    check(
        "paypal_uk.csv",
        "paypal-uk",
        false,
        &["paypal_uk", "Thistle Prints"],
        &[
            "2024-06-03T08:15:00Z | paypal_uk | -18.40 GBP | Thistle Prints | - Website Payment - | - | - | Unknown | 0",
            "2024-06-04T09:00:00Z | paypal_uk | 18.40 GBP | Thistle Prints | - Payment Refund - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "paypal_eu.csv",
        "paypal-eu",
        false,
        &["paypal_eu", "Lindenhof Samen", "Olu Brandt"],
        &[
            "2024-06-27T07:15:00Z | paypal_eu | -1218.40 EUR | Lindenhof Samen | - Website Payment - | - | - | Unknown \
             | 0",
            "2024-01-03T21:00:00Z | paypal_eu | 19.20 USD | Olu Brandt | - Mobile Payment - | - | - | Unknown | 1",
        ],
        &["2 Status: no transaction: a payment that did not come about"],
    );
}

#[test]
fn a_file_that_reads_either_way_is_asked_about() {
    let text = std::fs::read_to_string(fixture("paypal_uk.csv")).unwrap().replace("BST", "Europe/London");
    let error = bytes("in.csv", &text, &options()).unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { feeds, .. } if *feeds == ["paypal", "paypal-uk"]), "{error}");
    let named = Options { feed: Some("paypal-uk".to_owned()), ..options() };
    assert_eq!(bytes("in.csv", &text, &named).unwrap().0.batch.get(0).at.to_string(), "2024-06-03T08:15:00Z");
    let amex = "Date,Description,Card Member,Account #,Amount\n06/05/2024,GORSE,N V,-51003,1.00\n";
    let error = bytes("in.csv", amex, &options()).unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { feeds, .. } if *feeds == ["amex", "amex-uk"]), "{error}");
}

#[test]
fn capital_one() {
    check(
        "capital_one.csv",
        "capital-one-card",
        false,
        &["7310", "9902", "ALDER BICYCLES", "CAPITAL ONE MOBILE PYMT"],
        &[
            "2024-06-27T00:00:00Z | 7310 | -149.95 USD | ALDER BICYCLES | Merchandise - - | - | - | Unknown | 0",
            "2024-06-25T00:00:00Z | 7310 | 150.00 USD | CAPITAL ONE MOBILE PYMT | Payment/Credit - - | - | - | Unknown | 1",
            "2024-06-03T00:00:00Z | 9902 | -1003.00 USD | ALDER BICYCLES | Merchandise - - | - | - | Unknown | 2",
        ],
        &[],
    );
    check(
        "360Checking_7788.csv",
        "capital-one-360",
        false,
        &["7788", "Withdrawal to ROWAN TRAIL COUNTY", "Deposit from LOOM & CO"],
        &[
            "2024-06-27T00:00:00Z | 7788 | -120.00 USD | Withdrawal to ROWAN TRAIL COUNTY | - Debit - | - | 100000 \
             | Unknown | 0",
            "2024-06-26T00:00:00Z | 7788 | 1000.00 USD | Deposit from LOOM & CO | - Credit - | - | 0 | Unknown | 1",
        ],
        &[],
    );
}

#[test]
fn discover_charges_are_positive() {
    check(
        "discover.csv",
        "discover",
        false,
        &["discover", "KITE & ANCHOR TAVERN, BATH ME", "INTERNET PAYMENT - THANK YOU"],
        &[
            "2024-06-27T00:00:00Z | discover | -38.20 USD | KITE & ANCHOR TAVERN, BATH ME | Restaurants - - | - | - \
             | Unknown | 0",
            "2024-06-25T00:00:00Z | discover | 200.00 USD | INTERNET PAYMENT - THANK YOU | <Payments and Credits> - - | - \
             | - | Unknown | 1",
        ],
        &[],
    );
}

#[test]
fn amex_charges_are_positive_in_every_form() {
    check(
        "amex_us.csv",
        "amex",
        false,
        &["-51003", "GORSE FLOWERS", "THANK YOU"],
        &[
            "2024-06-27T00:00:00Z | -51003 | -24.10 USD | GORSE FLOWERS | - - - | - | - | Unknown | 0",
            "2024-06-03T00:00:00Z | -51003 | 100.00 USD | THANK YOU | - - - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "amex_long.csv",
        "amex",
        false,
        &["-51003", "-51011", "GORSE FLOWERS", "IRON LANTERN INN"],
        &[
            "2024-06-27T00:00:00Z | -51003 | -24.10 USD | GORSE FLOWERS | <Merchandise & Supplies-Florists> - UNITED STATES \
             | - | - | Unknown | 0",
            "2024-06-28T00:00:00Z | -51011 | -1210.00 USD | IRON LANTERN INN | Travel-Lodging - UNITED STATES | - | - \
             | Unknown | 1",
        ],
        &[],
    );
    check(
        "activity_11.csv",
        "amex",
        false,
        &["amex", "GORSE FLOWERS"],
        &["2024-06-27T00:00:00Z | amex | -24.10 USD | GORSE FLOWERS | <Merchandise & Supplies-Florists> - \
           UNITED STATES | - | - | Unknown | 0"],
        &[],
    );
    check(
        "amex_short_us.csv",
        "amex",
        true,
        &["amex_short_us", "GORSE FLOWERS", "RECEIVED - THANK YOU"],
        &[
            "2024-06-27T00:00:00Z | amex_short_us | -24.10 USD | GORSE FLOWERS | - - - | - | - | Unknown | 0",
            "2024-06-28T00:00:00Z | amex_short_us | 100.00 USD | RECEIVED - THANK YOU | - - - | - | - | Unknown \
             | 1",
        ],
        &[],
    );
    let error = import(&[fixture("amex_short_us.csv")], &options()).unwrap_err();
    assert!(matches!(&error, Error::ByName { feeds, .. } if *feeds == ["amex", "amex-uk"]), "{error}");
    check(
        "amex_uk.csv",
        "amex-uk",
        false,
        &["-41007", "GORSE TEA ROOMS", "RECEIVED - THANK YOU"],
        &[
            "2024-06-27T00:00:00Z | -41007 | -14.10 GBP | GORSE TEA ROOMS | - - - | - | - | Unknown | 0",
            "2024-06-03T00:00:00Z | -41007 | 55.00 GBP | RECEIVED - THANK YOU | - - - | - | - | Unknown | 1",
        ],
        &[],
    );
}
