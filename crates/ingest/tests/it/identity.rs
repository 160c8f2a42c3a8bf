//! What is the same transaction, and what is not.

use std::path::PathBuf;

use crible_core::Truth;
use crible_ingest::{Import, Reject};

use crate::common::{Folder, fixture, import, options};

const CHASE: &str = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo";
const CRIBLE: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";

fn coffee(day: u32) -> String {
    format!("06/{day:02}/2024,06/{day:02}/2024,LANTERN COFFEE,Food & Drink,Sale,-3.50,")
}

fn chase(rows: &[String]) -> String {
    format!("{CHASE}\n{}\n", rows.join("\n"))
}

fn read(files: &[PathBuf]) -> (Import, Vec<Reject>) {
    import(files, &options()).unwrap()
}

fn counts(import: &Import) -> Vec<(u64, u64)> {
    import.files.iter().map(|file| (file.accepted, file.known)).collect()
}

#[test]
fn two_coffees_are_two_transactions() {
    let folder = Folder::new();
    let file = folder.file("Chase1_Activity.csv", chase(&[coffee(3), coffee(3), coffee(4)]));
    let (import, _) = read(&[file]);
    assert_eq!(counts(&import), [(3, 0)]);
}

#[test]
fn an_overlapping_export_adds_what_is_new() {
    let folder = Folder::new();
    let june = folder.file("Chase1_Activity_a.csv", chase(&[coffee(1), coffee(3), coffee(3)]));
    let july = folder.file("Chase1_Activity_b.csv", chase(&[coffee(3), coffee(3), coffee(3), coffee(5)]));
    let (import, _) = read(&[june.clone(), july.clone()]);
    assert_eq!(counts(&import), [(3, 0), (2, 2)]);
    // The account is the file's name up to the mark, so the same export under another name is the same account.
    let (turned, _) = read(&[july, june]);
    assert_eq!((counts(&turned), turned.batch), (counts(&import), import.batch));
}

#[test]
fn another_account_is_another_transaction() {
    let folder = Folder::new();
    let one = folder.file("Chase1_Activity.csv", chase(&[coffee(1)]));
    let two = folder.file("Chase2_Activity.csv", chase(&[coffee(1)]));
    assert_eq!(counts(&read(&[one, two]).0), [(1, 0), (1, 0)]);
}

#[test]
fn the_same_file_twice_is_one() {
    for name in ["handbook.csv", "paysim.csv", "ulb-creditcard.csv", "Checking1.csv"] {
        let (once, _) = read(&[fixture(name)]);
        let (twice, _) = read(&[fixture(name), fixture(name)]);
        assert_eq!(twice.batch, once.batch, "{name}");
        assert_eq!(counts(&twice)[1], (0, once.files[0].read), "{name}");
    }
}

#[test]
fn a_trusted_id_makes_equal_rows_one_and_other_rows_two() {
    let folder = Folder::new();
    let row = "t1,2024-03-01T09:00:00Z,ada,bakery,-4.20,EUR,,,,,,,";
    let other = row.replace("bakery", "butcher");
    let no_id = &row[2..];
    let text = format!("{CRIBLE}\n{row}\n{row}\n{other}\n{no_id}\n{no_id}\n");
    let (import, _) = read(&[folder.file("in.csv", text)]);
    // One repeat is known; the id's other content and the two rows without an id stay.
    assert_eq!(counts(&import), [(4, 1)]);
}

#[test]
fn sparkov_uses_an_id_again() {
    let (import, _) = read(&[fixture("sparkov-generator.psv")]);
    assert_eq!(counts(&import), [(2, 0)]);
}

#[test]
fn a_label_found_out_later_does_not_make_a_new_transaction() {
    let folder = Folder::new();
    let row = |label: &str| format!("{CRIBLE}\nt1,2024-03-01T09:00:00Z,ada,bakery,-4.20,EUR,,,,,,,{label}\n");
    for names in [["a.csv", "b.csv"], ["b.csv", "a.csv"]] {
        let early = folder.file(names[0], row("0"));
        let late = folder.file(names[1], row("1"));
        let (import, _) = read(&[early, late]);
        assert_eq!((import.batch.len(), import.batch.truth(0)), (1, Truth::Fraud));
    }
}

#[test]
fn references_depend_on_feed_content_and_key_alone() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(fixture("handbook.csv")).unwrap();
    let (whole, _) = read(&[folder.file("whole.csv", &text)]);
    // The same rows in another file, another order and another company.
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    let more = format!("{}\n9,2018-03-01 00:00:00,1,2,3.00,0,0,0,0\n", lines.join("\r\n"));
    let (turned, _) = read(&[folder.file("turned.csv", more)]);
    assert!(whole.batch.ids().iter().all(|id| turned.batch.ids().contains(id)));
    let mut other = options();
    other.key = Some(crible_ingest::Key::from_text("another key that nobody uses anywhere").unwrap());
    let (rekeyed, _) = import(&[fixture("handbook.csv")], &other).unwrap();
    assert!(whole.batch.ids().iter().all(|id| !rekeyed.batch.ids().contains(id)));
    assert!(whole.batch.accounts().iter().all(|account| !rekeyed.batch.accounts().contains(account)));
}

#[test]
fn the_order_of_files_changes_nothing() {
    let mut files: Vec<PathBuf> =
        ["paysim.csv", "crible.csv", "handbook.csv", "Checking1.csv", "crible.csv"].map(fixture).to_vec();
    let (first, _) = read(&files);
    for _ in 0..files.len() {
        files.rotate_left(1);
        let (next, _) = read(&files);
        assert_eq!((&next.files, &next.batch), (&first.files, &first.batch));
    }
}
