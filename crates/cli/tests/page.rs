//! The page of a terminal, as a person reads it.
#![allow(clippy::unwrap_used, missing_docs)]
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// What `crible score` prints on a terminal of so many columns; none where there is no `script`, which lends one.
fn page(folder: &TempDir, file: &str, columns: u16) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: `script` is not installed");
        return None;
    }
    let command = format!("stty cols {columns} rows 50; '{}' score {file} 2>log", env!("CARGO_BIN_EXE_crible"));
    let out = Command::new("script")
        .current_dir(folder)
        .env_remove("CRIBLE_KEY")
        .env_remove("CRIBLE_PRESETS")
        .args(["-qec", &command, "/dev/null"])
        .output()
        .unwrap();
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(out.status.success(), "{log}");
    Some(String::from_utf8(out.stdout).unwrap().replace("\r\n", "\n"))
}

/// A year of an invented person: shops, pay, rent, subscriptions of which one grew, a bill, and a card that was stolen
/// on 14 September.
fn statement() -> String {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    const SHOPS: [(&str, u32); 6] = [
        ("BRIGHT FOODS #11", 6_000),
        ("HARBOUR COFFEE", 500),
        ("NOODLE CORNER", 1_500),
        ("KESTREL FUEL", 4_500),
        ("MARLOW BOOKS", 2_200),
        ("TRAM TICKETS", 300),
    ];
    let mut seed = 7_u32;
    let mut draw = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    let mut rows = Vec::new();
    let mut add = |month: usize, day: u32, text: &str, cents: i64| {
        let kind = if cents < 0 { "DEBIT" } else { "CREDIT" };
        let way = if cents < 0 { "DEBIT_CARD" } else { "ACH_CREDIT" };
        let amount = cents as f64 / 100.0;
        rows.push(format!("{kind},{month:02}/{day:02}/2025,\"{text}\",{amount:.2},{way},,"));
    };
    for (month, length) in (1..).zip(LENGTHS) {
        for day in 1..=length {
            for _ in 0..1 + draw(2) {
                let (shop, usual) = SHOPS[draw(6) as usize];
                add(month, day, shop, -i64::from(usual * (70 + draw(60)) / 100));
            }
            match day {
                1 => add(month, day, "ELM COURT APARTMENTS", -140_000),
                3 | 17 => add(month, day, "LARKSPUR LTD PAYROLL", 260_000),
                8 => add(month, day, "STREAMLY", -1_299),
                12 => add(month, day, "FITBARN", -2_900),
                19 => add(month, day, "FOXGLOVE CABLE", if month < 8 { -7_999 } else { -9_499 }),
                22 => add(month, day, "CITY POWER", -i64::from(7_000 + draw(3_000))),
                _ => {}
            }
            if (month, day) == (9, 14) {
                add(month, day, "ORBIT GIFT CARDS", -50_000);
                add(month, day, "ORBIT GIFT CARDS", -50_000);
                add(month, day, "Zelle payment to Ines Okoro", -98_000);
            }
        }
    }
    let mut text = "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n".to_owned();
    for row in rows.iter().rev() {
        writeln!(text, "{row}").unwrap();
    }
    text
}

#[test]
fn a_person_reads_of_their_own_year() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("year.csv"), statement()).unwrap();
    let Some(page) = page(&folder, "year.csv", 120) else { return };
    assert!(!page.to_uppercase().contains("OKORO") && !page.contains("this account"), "{page}");
    insta::assert_snapshot!("statement", page);
}

#[test]
fn an_analyst_reads_of_a_book() {
    let folder = TempDir::new().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv");
    fs::copy(sample, folder.path().join("book.csv")).unwrap();
    let Some(page) = page(&folder, "book.csv", 80) else { return };
    assert!(!page.lines().any(|line| line.split(' ').any(|word| word == "you" || word == "your")), "{page}");
    insta::assert_snapshot!("book", page);
}

/// What a line of a page says, whatever lines it is broken into.
fn words(page: &str) -> Vec<&str> {
    page.split_whitespace().collect()
}

#[test]
fn a_narrow_terminal_has_the_same_words_in_more_lines() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("year.csv"), statement()).unwrap();
    let Some(wide) = page(&folder, "year.csv", 120) else { return };
    for columns in [60, 80] {
        let Some(narrow) = page(&folder, "year.csv", columns) else { return };
        let widest = narrow.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.into()), "{narrow}");
        let sorted = |page| {
            let mut words = words(page);
            words.sort_unstable();
            words.join(" ")
        };
        assert_eq!(sorted(&narrow), sorted(&wide));
        if columns == 60 {
            insta::assert_snapshot!("narrow", narrow);
        }
    }
}

/// Groceries on the day of the fraud are not of its story.
#[test]
fn an_ordinary_payment_joins_no_story() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("year.csv"), statement()).unwrap();
    let Some(page) = page(&folder, "year.csv", 100) else { return };
    let stolen = page.split("\n\n").find(|entry| entry.contains("14 September 2025")).unwrap();
    assert!(stolen.contains("ORBIT GIFT CARDS") && stolen.contains("left out here"), "{page}");
    for shop in ["BRIGHT FOODS", "HARBOUR COFFEE", "NOODLE", "KESTREL", "MARLOW", "TRAM"] {
        assert!(!stolen.contains(shop), "{page}");
    }
    assert!(!page.to_lowercase().contains("never") && !page.contains("hour"), "{page}");
}
