//! camt.052, camt.053, camt.054, pain.001 and pacs.008, entry by entry.

use crate::statements::check;

#[test]
fn camt052() {
    let warnings = check(
        "intraday.camt052.xml",
        "camt",
        &["DE00999900000000000101", "DE00999900000000000102", "Notice of terms"],
        &[
            "2024-05-06T07:12:33Z | DE00999900000000000101 | -19.99 EUR | DE00999900000000000102 | PMNT-RDDT-ESDD NDDT+105 - | - | - | Unknown | 0",
            "2024-05-06T00:00:00Z | DE00999900000000000101 | 0.00 EUR | Notice of terms | - - - | - | - | Unknown | 2",
        ],
        &["1 13 (whole row) `PDNG`: no transaction: the entry is not booked"],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn camt052_of_version_8() {
    let warnings = check(
        "intraday_v8.camt052.xml",
        "camt",
        &["CH-445566", "Lune et Fils"],
        &["2024-08-01T00:00:00Z | CH-445566 | -80.05 CHF | Lune et Fils | - - - | - | - | Unknown | 0"],
        &[
            "1 3 (whole row) `INFO`: no transaction: the entry is not booked",
            "2 4 amount `BOTH`: expected CRDT or DBIT in CdtDbtInd",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn camt052_with_a_reversal() {
    let warnings = check(
        "returned.camt052.xml",
        "camt",
        &["FR0099990000000000000000101", "Skarn Power"],
        &[
            "2024-06-02T00:00:00Z | FR0099990000000000000000101 | 60.00 EUR | Skarn Power | - - - | - | - | Unknown | 0",
            "2024-06-01T00:00:00Z | FR0099990000000000000000101 | -60.00 EUR | Skarn Power | - - - | - | - | Unknown | 1",
        ],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn camt053_of_two_accounts() {
    let warnings = check(
        "two_accounts.camt053.xml",
        "camt",
        &["NL00BANK0000000101", "Café Zed", "NL00BANK0000000102", "JP-17"],
        &[
            "2024-02-29T00:00:00Z | NL00BANK0000000101 | -7.50 EUR | Café Zed | - - - | - | - | Unknown | 0",
            "2024-02-29T00:00:00Z | NL00BANK0000000102 | 900 JPY | JP-17 | - - - | - | - | Unknown | 2",
        ],
        &[
            "1 6 time `2023-02-29`: expected a time such as 2018-04-01 00:00:31 or 2018-04-01T00:00:31Z, of the years 1900 to 2199",
            "3 10 currency ``: expected the amount's currency in Ccy",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn camt053_with_batches() {
    let mut warnings = check(
        "batch_v8.camt053.xml",
        "camt",
        &["AT009999000000000101", "Ilse Brandt", "Jon Aske", "Batch of two"],
        &[
            "2024-07-31T23:30:00.250000Z | AT009999000000000101 | -100.00 EUR | Ilse Brandt | - - - | - | - | Unknown | 0",
            "2024-07-31T23:30:00.250000Z | AT009999000000000101 | -200.00 EUR | Jon Aske | - - - | - | - | Unknown | 1",
            "2024-08-01T00:00:00Z | AT009999000000000101 | -50.00 EUR | Batch of two | - - - | - | - | Unknown | 2",
            "2024-08-01T00:00:00Z | AT009999000000000101 | -1.23 EUR | - | - - - | - | - | Unknown | 3",
        ],
        &[],
    );
    warnings.sort_unstable();
    assert_eq!(
        warnings,
        [
            "amounts with more digits than their currency has were rounded, half to even: 1",
            "the details of a batch have no amounts, or not those of its sum: it is read as one entry"
        ]
    );
}

#[test]
fn camt054_of_a_card() {
    let warnings = check(
        "card.camt054.xml",
        "camt",
        &["CH0099990000000000101", "KITA NOODLES ZUERICH"],
        &[
            "2024-09-03T00:00:00Z | CH0099990000000000101 | -12.60 CHF | KITA NOODLES ZUERICH | PMNT-CCRD-POSD - - | - | - | Unknown | 0",
        ],
        &[
            "1 5 amount `twelve`: `twelve` is not an amount: expected digits with at most one decimal point, such as -1234.50",
            "2 6 time ``: expected a time such as 2018-04-01 00:00:31 or 2018-04-01T00:00:31Z, of the years 1900 to 2199",
            "3 9 account ``: it is empty; expected an account",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn camt054_of_payment_slips() {
    let warnings = check(
        "slips.camt054.xml",
        "camt",
        &["CH0099990000000000102", "CH0099990000000000103", "Tam Orr & Co"],
        &[
            "2024-10-01T00:00:00Z | CH0099990000000000102 | 45.40 CHF | CH0099990000000000103 | - - - | - | - | Unknown | 0",
            "2024-10-01T00:00:00Z | CH0099990000000000102 | 100.00 CHF | Tam Orr & Co | - - - | - | - | Unknown | 1",
        ],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn pain001_of_two_batches() {
    let warnings = check(
        "salaries.pain001.xml",
        "pain.001",
        &[
            "DE00999900000000000401",
            "DE00999900000000000402",
            "NL00BANK0000000402",
            "DE00999900000000000403",
            "Tamarack & Daughters",
        ],
        &[
            "2024-03-28T00:00:00Z | DE00999900000000000401 | -2100.50 EUR | DE00999900000000000402 | SALA SEPA DE | - | - | Unknown | 0",
            "2024-03-28T00:00:00Z | DE00999900000000000401 | -2000.00 EUR | NL00BANK0000000402 | BONU SEPA - | - | - | Unknown | 1",
            "2024-03-27T00:00:00Z | DE00999900000000000403 | -50.00 EUR | Tamarack & Daughters | - - - | - | - | Unknown | 2",
        ],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn pain001_with_broken_transfers() {
    let warnings = check(
        "urgent.pain001.xml",
        "pain.001",
        &["778-001", "55-1", "Kita Noodles"],
        &[
            "2024-10-01T16:15:00Z | 778-001 | -999.99 USD | 55-1 | - INST - | - | - | Unknown | 0",
            "2024-10-01T16:15:00Z | 778-001 | -40.00 CHF | Kita Noodles | - INST JP | - | - | Unknown | 1",
        ],
        &[
            "2 10 amount `-5.00`: expected an amount without a sign",
            "3 11 currency ``: expected the amount's currency in Ccy",
            "4 12 currency ``: expected the amount's currency in Ccy",
            "5 15 account ``: it is empty; expected an account",
        ],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn pain001_with_wrong_sums() {
    let warnings = check(
        "wrong_sums.pain001.xml",
        "pain.001",
        &["SE0099990000000000000501", "Twin Ferns"],
        &[
            "2024-11-04T00:00:00Z | SE0099990000000000000501 | -10.00 SEK | Twin Ferns | - - - | - | - | Unknown | 0",
            "2024-11-04T00:00:00Z | SE0099990000000000000501 | -20.005 KWD | Twin Ferns | - - - | - | - | Unknown | 1",
        ],
        &[],
    );
    assert_eq!(
        warnings,
        [
            "batch `W-1` tells a sum of 30.001 (CtrlSum); its transfers make 30.005",
            "the message tells 3 transfers (NbOfTxs); the file has 2",
            "the message tells a sum of 30 (CtrlSum); its transfers make 30.005"
        ]
    );
}

#[test]
fn pacs008() {
    let warnings = check(
        "settled.pacs008.xml",
        "pacs.008",
        &["DE00999900000000000601", "NO0099990000601", "NL00BANK0000000602", "Kita Noodles"],
        &[
            "2024-05-14T00:00:00Z | DE00999900000000000601 | -1500.00 EUR | NO0099990000601 | GDDS SEPA NO | - | - | Unknown | 0",
            "2024-05-14T05:58:12.500000Z | NL00BANK0000000602 | -50.00 EUR | Kita Noodles | - SEPA - | - | - | Unknown | 1",
        ],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn pacs008_of_two_messages() {
    let warnings = check(
        "instant.pacs008.xml",
        "pacs.008",
        &["700-1", "700-2"],
        &[
            "2024-06-20T14:00:01Z | 700-1 | -250.10 USD | 700-2 | - CTP - | - | - | Unknown | 0",
            "2024-06-21T00:00:00Z | 700-1 | -0.01 USD | - | - - - | - | - | Unknown | 1",
        ],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn pacs008_with_broken_transfers() {
    let mut warnings = check(
        "faulty.pacs008.xml",
        "pacs.008",
        &["DE00999900000000000701", "Twin Ferns"],
        &[
            "2024-02-28T00:00:00Z | DE00999900000000000701 | -1.00 EUR | - | - - - | - | - | Unknown | 1",
            "2024-02-28T00:00:00Z | DE00999900000000000701 | -2.00 EUR | Twin Ferns | - - - | - | - | Unknown | 3",
        ],
        &[
            "0 4 time `2024-02-30`: expected a time such as 2018-04-01 00:00:31 or 2018-04-01T00:00:31Z, of the years 1900 to 2199",
            "2 6 currency `EURO`: expected a currency of three letters that ISO 4217 has, such as USD",
        ],
    );
    warnings.sort_unstable();
    assert_eq!(
        warnings,
        [
            "amounts with more digits than their currency has were rounded, half to even: 1",
            "the message tells 5 transfers (NbOfTxs); the file has 4",
            "the message tells a sum of 10.00 (CtrlSum); its transfers make 5.001"
        ]
    );
}
