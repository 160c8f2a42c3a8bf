//! Dates and amounts as programs save them again, and files whose payments lie years apart.

use crible_ingest::{Mapping, Options};

use crate::common::{import, options, told};

/// Reads a text by a mapping: times and amounts, and how many rows were rejected, of these no transactions.
fn check(text: &str, expect: &[&str], rejected: (u64, u64)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.csv");
    std::fs::write(&path, text).unwrap();
    let map = Mapping::parse("time=When,amount=Sum,account=Card,currency=@EUR").unwrap();
    let (import, _) = import(&[path], &Options { map: Some(map), ..options() }).unwrap();
    let field = |row: &str, at: usize| row.split(" | ").nth(at).unwrap().to_owned();
    let rows: Vec<String> =
        told(&import.batch, &[]).iter().map(|row| format!("{} {}", &field(row, 0)[..10], field(row, 2))).collect();
    assert_eq!(rows, expect, "{text}");
    let file = &import.files[0];
    assert_eq!((file.rejected, file.no_transaction), rejected, "{text}");
    assert_eq!(file.read, file.accepted + file.known + file.rejected);
}

#[test]
fn months_have_names_in_many_languages() {
    let rows = ["2024-01-05 -1.00 EUR", "2024-03-06 -2.00 EUR"];
    for (first, second) in [
        ("5. Januar 2024", "6. März 2024"),
        ("5 janv. 2024", "6 mars 2024"),
        ("5 de enero de 2024", "6 de marzo de 2024"),
        ("05-jan-2024", "06-mrt-2024"),
        ("5 stycznia 2024", "6 marca 2024"),
    ] {
        check(&format!("When,Card,Sum\n{first},a,-1.00\n{second},a,-2.00\n"), &rows, (0, 0));
    }
}

#[test]
fn days_of_a_spreadsheet_are_dates() {
    check("When,Card,Sum\n45296,a,-1.00\n45357.5,a,-2.00\n", &["2024-01-05 -1.00 EUR", "2024-03-06 -2.00 EUR"], (0, 0));
}

#[test]
fn words_beside_amounts_tell_the_way() {
    let rows = ["2024-01-05 -1.00 EUR", "2024-01-06 2.00 EUR"];
    for (out, into) in [("1.00 DR", "2.00 CR"), ("1.00", "2.00 CR"), ("1.00 (Dr)", "2.00 (Cr)"), ("1.00 S", "2.00 H")] {
        check(&format!("When,Card,Sum\n2024-01-05,a,{out}\n2024-01-06,a,{into}\n"), &rows, (0, 0));
    }
}

#[test]
fn years_may_pass_between_rare_payments_and_decades_may_not() {
    check(
        "When,Card,Sum\n2019-05-01,a,-1.00\n2021-07-01,a,-2.00\n2024-01-05,a,-3.00\n",
        &["2019-05-01 -1.00 EUR", "2021-07-01 -2.00 EUR", "2024-01-05 -3.00 EUR"],
        (0, 0),
    );
    check(
        "When,Card,Sum\n2019-05-01,a,-1.00\n2021-07-01,a,-2.00\n2099-01-05,a,-3.00\n",
        &["2019-05-01 -1.00 EUR", "2021-07-01 -2.00 EUR"],
        (1, 0),
    );
}

#[test]
fn what_is_no_transaction_is_counted_as_that() {
    check(
        "When,Card,Sum\n2024-01-02,a,-4.00\n2024-01-03,a,-4.00\n2024-01-04,a,-4.00\n2024-01-05,a,-1.00\nWhen,Card,Sum\n,,\nTotal,,-1.00\nexported today,,\n,a,-3.00\n",
        &["2024-01-02 -4.00 EUR", "2024-01-03 -4.00 EUR", "2024-01-04 -4.00 EUR", "2024-01-05 -1.00 EUR"],
        (5, 4),
    );
}
