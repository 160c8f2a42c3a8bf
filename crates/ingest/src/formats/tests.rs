#![allow(clippy::unwrap_used)]

use super::sheet::Column;
use super::*;

#[test]
fn every_format_has_a_row_in_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    for format in ALL {
        assert!(readme.contains(&format!("`{}`", format.name())), "{} is not in the README", format.name());
    }
    // A row names its fixtures, each of which is there.
    let rows = readme.lines().filter(|line| line.starts_with('|') && line.matches('|').count() == 7).skip(2);
    let mut fixtures = 0;
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or("");
        for file in last.split('`').skip(1).step_by(2) {
            assert!(root.join("tests/fixtures").join(file).is_file(), "{file} of the README");
            fixtures += 1;
        }
    }
    assert!(fixtures >= 3 * (ALL.len() - 2), "at least three fixtures a format, of which two are other names of one");
}

/// The entries of a fixture, by the columns asked for.
fn entries<const N: usize>(file: &str, columns: [Column; N]) -> Vec<[String; N]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file);
    let format = of(&std::fs::read(&path).unwrap()).unwrap();
    let document = Document::open(&Input::file(&path).unwrap(), format, None).unwrap();
    let mut all = Vec::new();
    document.read(&mut |entries| {
        all.extend(entries.iter().map(|entry| columns.map(|column| entry.get(column).to_owned())));
    });
    all
}

#[test]
fn reversals_tell_their_originals_where_the_format_does() {
    for (file, original, reversal) in [("authorisations-2024.iso87", 0, 4), ("authorisations.iso93", 0, 3)] {
        let all = entries(file, [Column::Id, Column::Reversal, Column::ReversalOf]);
        assert_eq!(all[original][1..], ["", ""], "{file}");
        assert_eq!(all[reversal][1..], ["yes", &all[original][0]], "{file}");
        assert_ne!(all[reversal][0], all[original][0], "{file}");
    }
    let of = |file: &str| -> Vec<String> { entries(file, [Column::Reversal]).into_iter().flatten().collect() };
    assert_eq!(of("returned.camt052.xml"), ["yes", ""]);
    assert_eq!(of("german.mt942"), ["", "", "yes"]);
    assert_eq!(of("continued.bai"), ["", "yes", ""]);
    let corrected = entries("household_two.ofx", [Column::Id, Column::ReversalOf]);
    assert_eq!(corrected[2][1], corrected[0][0]);
}

#[test]
fn status_and_fee_are_passed_on() {
    let of = |file: &str, column| -> Vec<String> { entries(file, [column]).into_iter().flatten().collect() };
    assert_eq!(of("german.mt942", Column::Status), ["booked", "pending", "booked"]);
    assert_eq!(of("intraday.camt052.xml", Column::Status), ["booked", "pending", "booked"]);
    assert_eq!(of("card.qfx", Column::Status), ["booked", "booked", "booked", "pending"]);
    assert_eq!(of("returned.camt052.xml", Column::Fee), ["2.50", ""]);
    assert_eq!(of("settled.pacs008.xml", Column::Fee), ["5.00", ""]);
    assert_eq!(of("authorisations-2024.iso87", Column::Fee)[2], "2.50");
}
