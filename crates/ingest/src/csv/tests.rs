#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::blocks::Blocks;
use super::{Dialect, Limits, parse};
use crate::build::Keys;
use crate::plan::Plan;
use crate::preset::Mapping;
use crate::worker::Worker;
use crible_pseudonym::Key;

const LIMITS: Limits = Limits { line: 60, multi_line: 90, block: 1 << 20 };

/// Rows' contents, each reject's row, line and reason, the number of rows and the number of lines.
type Made = (Vec<u128>, Vec<(u64, u64, String)>, u64, u64);

/// What is made of a text of three columns.
fn read(text: &[u8], spaced: bool, limits: Limits) -> Made {
    let mapping =
        Mapping::parse("account=#2,amount=#3,time=#1,time-format=iso,sign=outflow-negative,columns=3").unwrap();
    let columns = ["#1", "#2", "#3"].map(str::to_owned).to_vec();
    let plan = Arc::new(Plan::new(&mapping.0, Path::new("x"), columns).unwrap());
    let keys = Keys::new(&Key::from_text("a key of no use to anybody but this test").unwrap(), "mapping", None);
    let dialect = Dialect { delimiter: b',', terminator: b'\n', spaced, limits };
    let mut worker = Worker::new(plan.counterparty_domain);
    let mut blocks = Blocks::new(text, dialect, plan.clone());
    let (mut contents, mut rejects, mut rows, mut lines) = (Vec::new(), Vec::new(), 0, 0);
    while let Some(piece) = blocks.next(None) {
        let chunk = parse::parse(&piece, dialect, &plan, &keys, &mut worker);
        contents.extend(&chunk.content);
        rejects.extend(chunk.rejects.into_iter().map(|f| (rows + u64::from(f.row), lines + f.line, f.reason)));
        rows += u64::from(chunk.rows);
        lines += chunk.lines;
    }
    (contents, rejects, rows, lines)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    /// Where the blocks are cut changes nothing, whatever quotes and line ends there are.
    #[test]
    fn a_block_s_size_changes_nothing(
        parts in prop::collection::vec(
            prop_oneof![
                6 => Just("2024-01-01,ada,-1\n"),
                2 => Just("2024-01-01,\"ada\nbo\",-1\n"),
                1 => Just("2024-01-01,\"a\"\"d\"\"a\",\"-1\"\r\n"),
                2 => Just("2024-01-01, \"ada,\n\",  \"-1\"\n"), 1 => Just(" "),
                2 => Just("\""), 2 => Just("\n"), 1 => Just(","), 1 => Just("x"), 1 => Just("\"\""), 1 => Just("\r\n"),
                1 => Just("long long long long long long long long long long long long long long long long long long"),
                1 => Just("\u{e9}"),
            ],
            0..60,
        ),
        sizes in prop::collection::vec(91usize..400, 3),
        spaced in any::<bool>(),
    ) {
        let text = parts.concat();
        let whole = read(text.as_bytes(), spaced, LIMITS);
        prop_assert_eq!(whole.2, (whole.0.len() + whole.1.len()) as u64, "every row is one or the other");
        let line_ends = text.bytes().filter(|&byte| byte == b'\n').count() as u64;
        prop_assert_eq!(whole.3, line_ends + u64::from(!text.is_empty() && !text.ends_with('\n')));
        for block in sizes {
            prop_assert_eq!(&read(text.as_bytes(), spaced, Limits { block, ..LIMITS }), &whole, "{}", block);
        }
    }

    /// Against the csv crate, on text whose quotes are well placed.
    #[test]
    fn well_formed_text_has_the_csv_crate_s_records(
        names in prop::collection::vec("[a-c\"\n\r,]{0,9}", 1..20),
    ) {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        for name in &names {
            writer.write_record(["2024-01-01", &format!("n{name}"), "-1"]).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let (contents, rejects, rows, _) = read(&text, false, Limits { block: 200, ..LIMITS });
        prop_assert_eq!((contents.len(), rejects.len(), rows), (names.len(), 0, names.len() as u64));
    }

    /// Blanks between delimiters and quotes are no part of a field.
    #[test]
    fn blanks_before_quotes_change_nothing(names in prop::collection::vec("[a-c\"\n, ]{0,9}", 1..20)) {
        let line = |name: &String, by: &str| {
            ["\"2024-01-01\"", &format!("\"n{}\"", name.replace('"', "\"\"")), "\"-1\""].join(by) + "\n"
        };
        let text = |by: &str| names.iter().map(|name| line(name, by)).collect::<String>();
        let limits = Limits { block: 200, ..LIMITS };
        let made = read(text(",  ").as_bytes(), true, limits);
        prop_assert_eq!(made.0.len(), names.len());
        prop_assert_eq!(made, read(text(",").as_bytes(), false, limits));
    }
}

#[test]
fn text_of_open_quotes_is_read_in_reasonable_time() {
    // Each line opens a quote; were each to be looked for up to the limit, this would take minutes.
    for line in ["2024-01-01,\"ada,-1\n", "2024-01-01,ada,\"\n", "\"\"\"\n", "\"a\"\"b\n", "\"\n\n"] {
        let text = line.repeat((4 << 20) / line.len());
        let (contents, rejects, rows, _) = read(text.as_bytes(), false, Limits::default());
        assert_eq!(rows, (contents.len() + rejects.len()) as u64);
        assert!(rejects.len() > 1_000, "{line:?}");
    }
}
