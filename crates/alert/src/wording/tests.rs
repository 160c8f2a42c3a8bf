#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crible_core::{Tail, Topic};
use proptest::prelude::*;

fn column(unit: Unit, phrase: &'static str) -> Column {
    Column::input("amount_to_mean_30d", unit, Scale::Linear, Tail::Upper, Topic::Amount).described(phrase)
}

fn text(unit: Unit, phrase: &'static str, value: f64, typical: Option<f64>) -> String {
    describe(&column(unit, phrase), Shown::Number(value), typical, 0.5, 0.4, Currency::USD).text
}

#[test]
fn a_phrase_is_filled_in() {
    insta::assert_snapshot!(
        text(Unit::Money, "{value} is {times} times the account's usual {typical}", 412.0, Some(44.5)),
        @"412.00 is 9.3 times the account's usual 44.50"
    );
    insta::assert_snapshot!(
        text(Unit::Count, "{value} payments in an hour, usually {typical}", 14.0, Some(2.31)),
        @"14 payments in an hour, usually 2.3"
    );
    insta::assert_snapshot!(
        text(Unit::Seconds, "{value} after the one before", 12.4, None),
        @"12 seconds after the one before"
    );
}

#[test]
fn own_is_told_by_what_the_column_is() {
    let surprise = Column::input("hour_surprise", Unit::Hour, Scale::NegLn, Tail::Upper, Topic::Calendar)
        .shown_as("hour")
        .alone()
        .described("at {value}, an hour that sees {own} of the account's payments");
    insta::assert_snapshot!(
        describe(&surprise, Shown::Number(3.0), None, 0.004, 0.2, Currency::USD).text,
        @"at 03:00, an hour that sees 0.4 % of the account's payments"
    );
    let ratio = Column::input("amount_to_mean", Unit::Money, Scale::Ln, Tail::Upper, Topic::AmountForAccount)
        .shown_as("amount")
        .against("mean")
        .described("{value} is {own} times the usual {typical}");
    insta::assert_snapshot!(
        describe(&ratio, Shown::Number(412.0), Some(44.3), 9.3, 0.2, Currency::USD).text,
        @"412.00 is 9.3 times the usual 44.30"
    );
}

#[test]
fn without_a_phrase_or_a_typical_number() {
    insta::assert_snapshot!(text(Unit::Ratio, "", 9.31, Some(1.0)), @"amount_to_mean_30d is 9.3 (usually 1.0)");
    insta::assert_snapshot!(text(Unit::Ratio, "", 9.31, None), @"amount_to_mean_30d is 9.3");
    insta::assert_snapshot!(text(Unit::Ratio, "{times} times the usual", 9.31, None), @"amount_to_mean_30d is 9.3");
    insta::assert_snapshot!(
        text(Unit::Ratio, "{times} times the usual", 9.31, Some(f64::NAN)),
        @"amount_to_mean_30d is 9.3"
    );
}

#[test]
fn times_of_nothing() {
    let check = |value: f64, typical: f64, expect: &str| {
        assert_eq!(text(Unit::Money, "{times}", value, Some(typical)), expect, "{value} / {typical}");
    };
    check(5.0, 0.0, "many");
    check(0.0, 0.0, "1.0");
    check(5.0, -0.0, "many");
    check(5.0, 1e-300, "more than 1,000");
    check(-30.0, -10.0, "3.0");
    check(f64::NAN, 1.0, "unknown");
}

#[test]
fn braces_that_are_not_ours_are_text() {
    let check = |phrase: &'static str, expect: &str| {
        assert_eq!(text(Unit::Count, phrase, 3.0, Some(1.0)), expect);
    };
    check("{value} of {many}", "3 of {many}");
    check("open { and {value", "open { and {value");
    check("}{value}{", "}3{");
}

#[test]
fn numbers_read_as_a_person_writes_them() {
    let check = |unit: Unit, cases: &[(f64, &str)]| {
        for &(value, expect) in cases {
            assert_eq!(text(unit, "{value}", value, None), expect, "{unit:?} {value:?}");
        }
    };
    check(
        Unit::Money,
        &[
            (412.0, "412.00"),
            (1_250_000.0, "1,250,000"),
            (-1_234.5, "-1,234.50"),
            (999.999, "1,000.00"),
            (-0.001, "0.00"),
            (1e300, "more than 1,000,000,000,000"),
        ],
    );
    check(Unit::Count, &[(14.0, "14"), (2.999_999, "3"), (12_000.0, "12,000"), (-0.0, "0")]);
    check(
        Unit::Ratio,
        &[
            (9.31, "9.3"),
            (0.96, "1.0"),
            (0.42, "0.42"),
            (0.042, "0.042"),
            (1e-9, "less than 0.001"),
            (0.0, "0.0"),
            (99.94, "99.9"),
            (125.4, "125"),
            (-2.5, "-2.5"),
        ],
    );
    check(Unit::Deviations, &[(4.26, "4.3")]);
    check(
        Unit::Seconds,
        &[
            (0.0, "0 seconds"),
            (0.3, "0.3 seconds"),
            (1.0, "1 second"),
            (12.4, "12 seconds"),
            (59.4, "59 seconds"),
            (59.6, "1 minute"),
            (90.0, "1.5 minutes"),
            (59.6 * 60.0, "1 hour"),
            (3.4 * 3_600.0, "3.4 hours"),
            (47.0 * 3_600.0, "47 hours"),
            (48.0 * 3_600.0, "2 days"),
            (12.0 * 86_400.0, "12 days"),
            (3.0 * 365.25 * 86_400.0, "3 years"),
        ],
    );
    check(
        Unit::Share,
        &[
            (0.004, "0.4 %"),
            (0.000_42, "0.04 %"),
            (0.000_099, "fewer than 1 in 10,000"),
            (0.0, "0 %"),
            (0.12, "12 %"),
            (0.05, "5 %"),
            (0.9996, "99.9 %"),
            (1.0, "100 %"),
            (2.5, "250 %"),
        ],
    );
    check(Unit::Kilometres, &[(3.42, "3.4 km"), (412.3, "412 km"), (12_345.0, "12,345 km")]);
    check(Unit::KilometresPerHour, &[(905.4, "905 km/h")]);
    check(Unit::Hour, &[(3.0, "03:00"), (23.0, "23:00"), (24.0, "00:00"), (22.5, "22:30"), (-1.0, "23:00")]);
    check(Unit::Weekday, &[(0.0, "Monday"), (6.0, "Sunday"), (6.6, "Monday"), (-1.0, "Sunday")]);
    check(Unit::Flag, &[(1.0, "yes"), (0.0, "no")]);
}

#[test]
fn money_has_its_currencys_decimals() {
    let check = |code: &[u8], expect: &str| {
        let currency = Currency::new(code).unwrap();
        let reason = describe(&column(Unit::Money, "{value}"), Shown::Number(1_234.567_8), None, 0.0, 0.1, currency);
        assert_eq!(reason.text, expect);
    };
    check(b"USD", "1,234.57");
    check(b"JPY", "1,235");
    // Six digits reach to the thousandth below a thousand alone.
    check(b"KWD", "1,235");
}

/// Sums, means and medians have been 32-bit numbers: no digit is shown that these do not hold.
#[test]
fn estimates_of_money_have_six_digits() {
    let check = |value: f64, text: &str, number: f64| {
        let reason =
            describe(&column(Unit::Money, "{value}"), Shown::Number(value), Some(value), 0.0, 0.1, Currency::USD);
        assert_eq!((reason.text.as_str(), reason.value, reason.typical), (text, number, Some(number)));
    };
    check(44.304, "44.30", 44.3);
    check(9_999.987, "9,999.99", 9_999.99);
    check(123_456.79, "123,457", 123_457.0);
    check(-1_234_567.8, "-1,234,570", -1_234_570.0);
}

#[test]
fn amounts_are_said_to_the_last_digit() {
    let check = |minor: i64, code: &[u8], text: &str| {
        let amount = Amount::new(minor, Currency::new(code).unwrap());
        let reason = describe(&column(Unit::Money, "{value}"), Shown::Exact(amount), None, 0.0, 0.1, amount.currency);
        assert_eq!(reason.text, text);
    };
    check(12_345_678, b"USD", "123,456.78");
    check(i64::MAX, b"EUR", "92,233,720,368,547,758.07");
    check(i64::MIN, b"EUR", "-92,233,720,368,547,758.08");
    check(12_345_678, b"JPY", "12,345,678");
    check(12_345_678, b"KWD", "12,345.678");
    check(-7, b"USD", "-0.07");
}

#[test]
fn typical_counts_have_one_decimal_below_ten() {
    let check = |typical: f64, expect: &str| {
        assert_eq!(text(Unit::Count, "{typical}", 1.0, Some(typical)), expect);
    };
    check(2.34, "2.3");
    check(2.0, "2");
    check(9.96, "10");
    check(14.4, "14");
}

const UNITS: [Unit; 11] = [
    Unit::Money,
    Unit::Count,
    Unit::Ratio,
    Unit::Deviations,
    Unit::Seconds,
    Unit::Share,
    Unit::Kilometres,
    Unit::KilometresPerHour,
    Unit::Hour,
    Unit::Weekday,
    Unit::Flag,
];

proptest! {
    /// Of any amount in any currency, text and number are the amount's own digits.
    #[test]
    fn exact_money_reads_back(
        minor in prop_oneof![any::<i64>(), -100_000_000_000i64..100_000_000_000],
        code in 0usize..5,
    ) {
        let currency = Currency::new([b"USD", b"JPY", b"KWD", b"CLF", b"XXX"][code]).unwrap();
        let amount = Amount::new(minor, currency);
        let reason = describe(&column(Unit::Money, "{value}"), Shown::Exact(amount), None, 0.0, 0.1, currency);
        let digits: String = reason.text.chars().filter(|c| *c != ',').collect();
        prop_assert_eq!(Amount::parse(&digits, currency), Ok(amount));
        if minor.unsigned_abs() < 1 << 53 {
            // What JSON is written from.
            prop_assert_eq!(Amount::parse(&reason.value.to_string(), currency), Ok(amount));
        }
    }

    #[test]
    fn no_number_breaks_a_sentence(bits: [u64; 3], unit in 0..UNITS.len(), typical: bool) {
        let [value, usual, own] = bits.map(f64::from_bits);
        for phrase in ["{value}; {typical}; {times}; {own}", "{value}; {own}", ""] {
            let reason = describe(&column(UNITS[unit], phrase), Shown::Number(value), typical.then_some(usual), own, 0.5, Currency::USD);
            let lower = reason.text.to_lowercase();
            prop_assert!(!lower.contains("nan") && !lower.contains("inf"), "{}", reason.text);
            prop_assert!(reason.text.len() < 220, "{}", reason.text);
            prop_assert!(reason.typical.is_none_or(f64::is_finite));
        }
    }
}
