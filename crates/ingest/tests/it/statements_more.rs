//! OFX, QIF, MT940 and MT942 of further shapes, entry by entry.

use crate::common::{bytes, fixture, options};
use crate::statements::check;

#[test]
fn ofx_of_two_accounts() {
    let warnings = check(
        "household_two.ofx",
        "ofx",
        &["990000222/7001", "Tamarack Rent", "Northfield Mill", "990000222/7002", "Interest", "To checking"],
        &[
            "2024-05-02T00:00:00Z | 990000222/7001 | -125.00 USD | Tamarack Rent | - CHECK - | - | - | Unknown | 0",
            "2024-05-03T15:30:00Z | 990000222/7001 | 2100.00 USD | Northfield Mill | - DIRECTDEP - | - | - | Unknown | 1",
            "2024-05-31T00:00:00Z | 990000222/7002 | 1.07 USD | Interest | - INT - | - | - | Unknown | 3",
            "2024-05-31T00:00:00Z | 990000222/7002 | -50.00 USD | To checking | - XFER - | - | - | Unknown | 4",
        ],
        &["2 17 (whole row) `DELETE`: it takes an earlier transaction back; expected a transaction"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn ofx_on_one_line() {
    let warnings = check(
        "one_line.ofx",
        "ofx",
        &["4500XXXXXXXX0001", "Twin Ferns & Sons", "CARD FEE"],
        &[
            "2024-06-10T12:00:00Z | 4500XXXXXXXX0001 | -8.25 CAD | Twin Ferns & Sons | - DEBIT - | - | - | Unknown | 0",
            "2024-06-11T12:00:00Z | 4500XXXXXXXX0001 | 8.25 CAD | Twin Ferns & Sons | - CREDIT - | - | - | Unknown | 1",
            "2024-06-13T00:00:00Z | 4500XXXXXXXX0001 | -3.12 CAD | CARD FEE | - FEE - | - | - | Unknown | 3",
        ],
        &["2 5 amount `ten`: expected an amount such as -1234.50"],
    );
    assert_eq!(warnings, ["amounts with more digits than their currency has were rounded, half to even: 1"]);
}

#[test]
fn ofx_of_an_investment_account() {
    let warnings = check(
        "invest.ofx",
        "ofx",
        &["broker.example/INV-9", "Deposit", "Custody"],
        &[
            "2024-06-06T09:30:00Z | broker.example/INV-9 | 500.00 USD | Deposit | - CREDIT - | - | - | Unknown | 1",
            "2024-06-30T00:00:00Z | broker.example/INV-9 | -4.95 USD | Custody | - SRVCHG - | - | - | Unknown | 2",
        ],
        &["0 8 (whole row) `INVTRAN`: no transaction: a trade or income of securities"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn qif_of_two_cards() {
    let warnings = check(
        "cards.qif",
        "qif",
        &["Everyday card", "Lantern Books", "Payment", "Travel card", "Skarn Air"],
        &[
            "2024-06-28T00:00:00Z | Everyday card | -23.90 XXX | Lantern Books | Books - - | - | - | Unknown | 0",
            "2024-06-29T00:00:00Z | Everyday card | 1204.55 XXX | Payment | transfer - - | - | - | Unknown | 1",
            "2024-07-01T00:00:00Z | Travel card | -410.00 XXX | Skarn Air | - - - | - | - | Unknown | 3",
        ],
        &["2 25 time `06/31/24`: expected a date such as 01/31/2024 (month/day/year)"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn qif_of_cash() {
    let warnings = check(
        "cash.qif",
        "qif",
        &["cash", "Kiosk", "Locker"],
        &[
            "2024-01-31T00:00:00Z | cash | -4.20 XXX | Kiosk | - - - | - | - | Unknown | 0",
            "2024-02-01T00:00:00Z | cash | -1.00 XXX | Locker | - - - | - | - | Unknown | 1",
        ],
        &[
            "2 10 amount `abc`: `abc` is not an amount: expected digits with at most one decimal point, such as -1234.50",
            "3 14 (whole row) ``: the entry breaks off; expected a line of ^ behind it",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn qif_with_investments() {
    let warnings = check(
        "invest.qif",
        "qif",
        &["invest", "Tamarack Rent"],
        &["2024-02-10T00:00:00Z | invest | -99.99 XXX | Tamarack Rent | - - - | - | - | Unknown | 0"],
        &[
            "1 7 (whole row) `D2024-02-11`: it is of an investment account; expected one of a bank, cash or card account",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn mt940_with_lines_above_and_structured_parties() {
    let warnings = check(
        "dutch.sta",
        "mt940",
        &[
            "NL00BANK0000000201",
            "NL00BANK0000000202",
            "NL00BANK0000000203",
            "SEPA Incasso, Skarn Telecom",
            "NL00BANK0000000204",
        ],
        &[
            "2024-03-01T00:00:00Z | NL00BANK0000000201 | -75.50 EUR | NL00BANK0000000202 | - NTRF - | - | - | Unknown | 0",
            "2024-03-02T00:00:00Z | NL00BANK0000000201 | 1200.00 EUR | NL00BANK0000000203 | - N544 - | - | - | Unknown | 1",
            "2024-03-31T00:00:00Z | NL00BANK0000000201 | -9.99 EUR | SEPA Incasso, Skarn Telecom | - NMSC - | - | - | Unknown | 2",
            "2024-03-02T00:00:00Z | NL00BANK0000000204 | 5000 JPY | - | - NTRF - | - | - | Unknown | 4",
        ],
        &["3 16 time `[10 digits]D1,00NMSCNONREF`: expected a date of six digits, such as 240131, and of the calendar"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn mt940_of_two_messages() {
    let warnings = check(
        "messages.mt940",
        "mt940",
        &["99990000/0000201", "DE00999900000000000202", "805?00ABSCHLUSS?20KONTOFUEHRUNG"],
        &[
            "2024-01-02T00:00:00Z | 99990000/0000201 | 500.00 EUR | DE00999900000000000202 | 166 NTRF - | - | - | Unknown | 0",
            "2024-01-02T00:00:00Z | 99990000/0000201 | -3.45 EUR | 805?00ABSCHLUSS?20KONTOFUEHRUNG | 805 NCHG - | - | - | Unknown | 1",
            "2024-01-03T00:00:00Z | 99990000/0000201 | -500.00 EUR | DE00999900000000000202 | 109 NRTI - | - | - | Unknown | 2",
        ],
        &["3 19 (whole row) `240104D`: expected C, D, RC or RD before the amount"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn mt942_with_expected_entries() {
    let warnings = check(
        "german.mt942",
        "mt940",
        &["99990000/0000301", "DE00999900000000000302"],
        &[
            "2024-06-10T00:00:00Z | 99990000/0000301 | -34.00 EUR | DE00999900000000000302 | 105 NDDT - | - | - | Unknown | 0",
            "2024-06-10T00:00:00Z | 99990000/0000301 | 34.00 EUR | DE00999900000000000302 | 108 NRTI - | - | - | Unknown | 2",
        ],
        &["1 9 (whole row) `0000000000xx00,00xxxxxxxxxx`: the entry is expected and not booked; expected a booked one"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn mt942_of_three_accounts() {
    let warnings = check(
        "two_accounts.mt942",
        "mt940",
        &["GB-77001", "CHEQUE", "GB-77003", "Twin Ferns"],
        &[
            "2024-07-01T00:00:00Z | GB-77001 | -25.00 GBP | CHEQUE | - NCHK - | - | - | Unknown | 0",
            "2024-07-01T00:00:00Z | GB-77003 | 1.00 GBP | - | - NTRF - | - | - | Unknown | 2",
            "2024-07-01T00:00:00Z | GB-77003 | 2.50 GBP | Twin Ferns | - NTRF - | - | - | Unknown | 4",
        ],
        &[
            "1 15 currency ``: expected an opening balance (:60F:) that names it",
            "3 24 (whole row) `0000000000xxxx0,00xxxxxxxxxx`: expected C, D, RC or RD before the amount",
        ],
    );
    assert_eq!(warnings, ["amounts with more digits than their currency has were rounded, half to even: 1"]);
}

/// The warnings of a text.
fn warnings(text: &str) -> Vec<String> {
    let (mut import, _) = bytes("in.txt", text, &options()).unwrap();
    import.files.remove(0).warnings
}

#[test]
fn a_closing_balance_that_the_entries_do_not_make() {
    let text =
        |entries: &str, closing: &str| format!(":20:1\n:25:A\n:60F:C240101EUR5,00\n{entries}:62F:{closing}\n-\n");
    let entries = ":61:240102D10,00NTRFA\n:61:240102ED3,NTRFA\n:61:240103RD2,50NTRFB\n:86:x\n";
    assert_eq!(warnings(&text(entries, "D240103EUR2,50")), [""; 0]);
    let told = "line 8: the closing balance is 2.50 EUR; the opening one and the entries make -2.50 EUR";
    assert_eq!(warnings(&text(entries, "C240103EUR2,50")), [told]);
    // After an entry that could not be read, nothing is known.
    let rejected = warnings(&text(":61:240102X1,00NTRFA\n", "C240103EUR9,00"));
    assert_eq!(rejected, ["every row was rejected"]);
}

#[test]
fn a_camt_statement_that_lacks_an_entry() {
    let balance = |code: &str, amount: &str| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{amount}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd></Bal>"
        )
    };
    let text = std::fs::read_to_string(fixture("statement.camt053.xml")).unwrap();
    // One entry of the fixture is faulty, so that balances would tell nothing.
    let text = text.replace(">-5.00<", ">5.00<");
    let with = |closing: &str| {
        let balances = balance("OPBD", "100.00") + &balance("CLBD", closing);
        text.replacen("<Ntry>", &(balances + "<Ntry>"), 1)
    };
    assert_eq!(warnings(&with("82.90")), [""; 0]);
    let told = "statement 1: the closing balance is 82.91 EUR; the opening one and the entries make 82.90 EUR";
    assert_eq!(warnings(&with("82.91")), [told]);
}
