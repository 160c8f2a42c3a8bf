//! BAI2, record by record.

use crate::statements::check;

#[test]
fn prior_day() {
    let warnings = check(
        "prior_day.bai",
        "bai2",
        &["5550101", "INCOMING WIRE FROM NORTHFIELD MILL, ORDER 7/8", "DEPOSIT", "SKARN TELECOM"],
        &[
            "2024-06-11T00:00:00Z | 5550101 | 1400.00 USD | INCOMING WIRE FROM NORTHFIELD MILL, ORDER 7/8 | 195 - - | - | - | Unknown | 0",
            "2024-06-11T00:00:00Z | 5550101 | 100.00 USD | DEPOSIT | 175 - - | - | - | Unknown | 1",
            "2024-06-11T00:00:00Z | 5550101 | -10.00 USD | - | 475 - - | - | - | Unknown | 2",
            "2024-06-11T00:00:00Z | 5550101 | -100.00 USD | SKARN TELECOM | 451 - - | - | - | Unknown | 3",
        ],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn records_that_go_on() {
    let warnings = check(
        "continued.bai",
        "bai2",
        &["DE-5550201", "CRNM: Ada Quist,RMTI: goods, part 1/2", "Return of E2E-0", "JP-5550202", "Kita Noodles"],
        &[
            "2024-07-02T00:00:00Z | DE-5550201 | 1234.56 EUR | CRNM: Ada Quist,RMTI: goods, part 1/2 | 165 - - | - | - | Unknown | 0",
            "2024-07-02T00:00:00Z | DE-5550201 | -0.07 EUR | Return of E2E-0 | 557 - - | - | - | Unknown | 1",
            "2024-07-02T00:00:00Z | JP-5550202 | 5000 JPY | Kita Noodles | 108 - - | - | - | Unknown | 2",
        ],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn broken_records_and_wrong_totals() {
    let warnings = check(
        "broken.bai",
        "bai2",
        &["5550301", "TWIN FERNS"],
        &["2024-07-31T00:00:00Z | 5550301 | -12.50 USD | TWIN FERNS | 475 - - | - | - | Unknown | 8"],
        &[
            "0 4 category `890`: expected a type code of 100 to 399 (credits) or 400 to 699 (debits)",
            "1 5 amount `12.50`: expected digits of minor units, without a sign or a point",
            "2 6 amount `-1250`: expected digits of minor units, without a sign or a point",
            "3 7 (whole row) `00,000,0000,x,x0,,xxxxxx/`: expected a funds type of Z, 0, 1, 2, V with date and time, S with three amounts, or D with a count and as many pairs",
            "4 8 (whole row) `00,000,0000,x,0,0,0,x0,,xxxxxx/`: expected a funds type of Z, 0, 1, 2, V with date and time, S with three amounts, or D with a count and as many pairs",
            "5 9 category `4x5`: expected a type code of 100 to 399 (credits) or 400 to 699 (debits)",
            "6 10 (whole row) `1 damaged line`: expected a record of the codes 01, 02, 03, 16, 49, 88, 98, 99 and at most 65536 fields",
            "7 11 amount `[20 digits]`: expected an amount within 64 bits of minor units",
            "9 15 currency `US`: expected a currency of three letters in record 03 or 02",
            "10 20 (whole row) `00,000,0,,x0/`: its group is a test; expected the status 1 (update) in record 02",
            "11 25 time `240732`: expected the group's date as YYMMDD in record 02",
            "12 28 (whole row) `00,000,0,,x00/`: expected an account's record 03 before it",
        ],
    );
    assert_eq!(
        warnings,
        [
            "line 13: the account's trailer tells a number of records of 11; the file has 10",
            "line 17: the group's trailer tells a number of records of 99; the file has 15",
            "line 17: the group's trailer tells a number of accounts of 1; the file has 2",
            "line 29: the file's trailer tells a control total of 1352; the file has 1353",
            "line 29: the file's trailer tells a number of records of 29; the file has 28"
        ]
    );
}
