//! Public sets of labelled transactions on invented rows of their form, row by row.

use crate::common::{fixture, import, options};
use crate::feeds::check;

#[test]
fn banksim_values_stand_in_single_quotes() {
    check(
        "banksim.csv",
        "banksim",
        false,
        &["C1000000001", "C1000000002", "M300000001", "M300000002"],
        &[
            "2012-11-01T00:00:00Z | C1000000001 | -4.55 EUR | M300000001 | es_transport - - | - | - | Legitimate | 0",
            "2012-11-02T00:00:00Z | C1000000002 | -2100.90 EUR | M300000002 | es_travel - - | - | - | Fraud | 1",
        ],
        &[],
    );
}

#[test]
fn tabformer_accounts_are_cards() {
    check(
        "tabformer.csv",
        "tabformer",
        false,
        &["0 0", "0 1", "3500000000000000001", "-720000000000000001"],
        &[
            "2002-09-01T06:21:00Z | 0 0 | -134.09 USD | 3500000000000000001 | 5300 Swipe - | - | - | Legitimate | 0",
            "2002-09-01T06:42:00Z | 0 1 | 38.48 USD | -720000000000000001 | 5411 Swipe - | - | - | Fraud | 1",
        ],
        &[],
    );
}

#[test]
fn ibm_aml_has_a_column_twice() {
    check(
        "ibm_aml.csv",
        "ibm-aml",
        false,
        &["8000A0001 010", "8000A0002 0320"],
        &[
            "2022-09-01T00:20:00Z | 8000A0001 010 | -10.50 USD | 8000A0002 0320 | - Cheque - | - | - | Legitimate | 0",
            "2022-09-01T00:21:00Z | 8000A0002 0320 | -1300 JPY | 8000A0001 010 | - Wire - | - | - | Fraud | 1",
        ],
        &["2 Payment Currency: expected a currency of three letters"],
    );
    let (import, _) = import(&[fixture("ibm_aml.csv")], &options()).unwrap();
    let (first, second) = (import.batch.get(0), import.batch.get(1));
    assert_eq!(first.counterparty, Some(second.account), "both sides of a transfer match");
}

#[test]
fn amlsim() {
    check(
        "amlsim.csv",
        "amlsim",
        false,
        &["501", "502", "503"],
        &[
            "2017-01-01T00:00:00Z | 501 | -858.77 XXX | 502 | - TRANSFER - | - | - | Legitimate | 0",
            "2017-01-02T00:00:00Z | 502 | -858.78 XXX | 503 | - TRANSFER - | - | - | Fraud | 1",
        ],
        &[],
    );
}

#[test]
fn ieee_cis_with_and_without_labels() {
    check(
        "ieee_cis.csv",
        "ieee-cis",
        false,
        &["13001  150 discover 142 credit", "13002 404 150 visa 102 debit"],
        &[
            "2017-12-02T00:00:00Z | 13001  150 discover 142 credit | -68.50 USD | - | W - - | - | - | Legitimate | 0",
            "2017-12-02T00:00:01Z | 13002 404 150 visa 102 debit | -25.13 USD | - | C - - | - | - | Fraud | 1",
        ],
        &[],
    );
    check(
        "ieee_cis_test.csv",
        "ieee-cis",
        false,
        &["13001  150 discover 142 credit"],
        &["2018-07-02T00:00:24Z | 13001  150 discover 142 credit | -31.95 USD | - | W - - | - | - | Unknown | 0"],
        &[],
    );
}

#[test]
fn baf_rows_are_applications() {
    check(
        "baf.csv",
        "baf",
        false,
        &[],
        &[
            "2020-08-01T00:00:00Z | ? | -500.00 XXX | - | AA INTERNET - | - | - | Fraud | 0",
            "2020-01-01T00:00:00Z | ? | -1500.00 XXX | - | AB TELEAPP - | - | - | Legitimate | 1",
        ],
        &[],
    );
}

#[test]
fn s_ffsd_labels_may_be_unknown() {
    check(
        "s_ffsd.csv",
        "s-ffsd",
        false,
        &["S10000", "S10001", "T1000", "T1001"],
        &[
            "2020-01-01T00:00:00Z | S10000 | -13.74 XXX | T1000 | TP100 - - | - | - | Legitimate | 0",
            "2020-01-01T00:00:01Z | S10001 | -73.18 XXX | T1001 | TP101 - - | - | - | Fraud | 1",
            "2020-01-01T00:00:02Z | S10000 | -5.00 XXX | T1001 | TP100 - - | - | - | Unknown | 2",
        ],
        &[],
    );
}
