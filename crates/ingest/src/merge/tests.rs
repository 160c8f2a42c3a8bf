#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;

use crible_core::{Transaction, TxnId};
use proptest::prelude::*;

use super::*;
use crate::preset::Mapping;
use crible_core::EntityId;
use crible_pseudonym::Key;

/// A row by time, content (its lowest bit that of a trusted id) and label.
type Row = (i64, u128, u8);

fn waiting(files: usize, at_once: bool) -> Waiting {
    let mapping = Mapping::parse("account=#2,amount=#3,time=#1,time-format=iso,sign=outflow-negative").unwrap();
    let plan = Plan::new(&mapping.0, Path::new("x"), ["1", "2", "3"].map(str::to_owned).to_vec()).unwrap();
    let key = Key::from_text("a key of no use to anybody but this test").unwrap();
    let mut waiting = Waiting::new(Window::DAY, at_once);
    (0..files).for_each(|_| waiting.add_file(&plan, key.references("feed")));
    waiting
}

fn chunk(rows: &[Row], first_row: usize) -> Chunk {
    let label = |label: u8| [Truth::Unknown, Truth::Legitimate, Truth::Fraud][usize::from(label)];
    Chunk {
        content: rows.iter().map(|&(at, content, _)| (at as u128) << 8 | content).collect(),
        at: rows.iter().map(|&(at, ..)| at).collect(),
        minor: rows.iter().map(|&(_, content, _)| content as i64).collect(),
        account: vec![EntityId::from_pseudorandom(1); rows.len()],
        truth: rows.iter().map(|&(.., truth)| label(truth)).collect(),
        row: (0..rows.len() as u32).collect(),
        rows: rows.len() as u32,
        first_row: first_row as u64,
        ..Chunk::default()
    }
}

/// How many transactions a content is, by the definition: of a trusted id one, else the most that one file has.
fn expected(files: &[Vec<Row>]) -> usize {
    let mut most: HashMap<(i64, u128), usize> = HashMap::new();
    for file in files {
        let mut here: HashMap<(i64, u128), usize> = HashMap::new();
        for &(at, content, _) in file {
            let count = here.entry((at, content)).or_default();
            *count = if content & 1 == 1 { 1 } else { *count + 1 };
            let most = most.entry((at, content)).or_default();
            *most = (*most).max(*count);
        }
    }
    most.values().sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    /// In chunks of one row to whole files, taken at once or piece by piece as early as can be: the same batch, the
    /// same rows known.
    #[test]
    fn pieces_are_the_whole(
        mut files in prop::collection::vec(prop::collection::vec((0i64..12, 0u128..4, 0u8..3), 0..40), 1..5),
        size in 1usize..50,
        step in 1usize..5,
        sorted in any::<bool>(),
    ) {
        if sorted {
            files.iter_mut().for_each(|file| file.sort_by_key(|row| row.0));
        }
        let mut at_once = waiting(files.len(), true);
        for (file, rows) in files.iter().enumerate() {
            for (number, rows) in rows.chunks(size).enumerate() {
                at_once.push(file as u32, chunk(rows, number * size), number);
            }
        }
        let whole = at_once.take(None).0;
        prop_assert_eq!(whole.len(), expected(&files));

        let mut in_pieces = waiting(files.len(), false);
        let mut got: Vec<(Transaction, Source, Truth)> = Vec::new();
        let mut take = |waiting: &mut Waiting, until| {
            let batch = waiting.take(until).0;
            got.extend((0..batch.len()).map(|row| (batch.get(row), batch.source(row), batch.truth(row))));
        };
        let chunks = files.iter().map(|file| file.len().div_ceil(size)).max().unwrap();
        for number in 0..chunks {
            for (file, rows) in files.iter().enumerate() {
                if let Some(rows) = rows.chunks(size).nth(number) {
                    in_pieces.push(file as u32, chunk(rows, number * size), 0);
                }
            }
            // Up to the earliest row that is still to come.
            let rest = files.iter().filter_map(|file| file.get((number + 1) * size..));
            if number % step == 0 && let Some(next) = rest.flatten().map(|row| row.0).min() {
                take(&mut in_pieces, Some(next));
            }
        }
        take(&mut in_pieces, None);
        let all: Vec<_> = (0..whole.len()).map(|row| (whole.get(row), whole.source(row), whole.truth(row))).collect();
        prop_assert_eq!(got, all);
        prop_assert_eq!(in_pieces.rows(), 0);
        for file in 0..files.len() {
            prop_assert_eq!(in_pieces.known(file), at_once.known(file));
        }
    }
}

#[test]
fn a_row_before_what_has_left_is_passed_over() {
    let mut waiting = waiting(1, false);
    waiting.push(0, chunk(&[(5, 2, 0), (9, 2, 0), (7, 2, 0)], 0), 0);
    assert_eq!(waiting.take(Some(8)).0.len(), 2);
    waiting.push(0, chunk(&[(7, 2, 0), (8, 2, 0), (10, 2, 0)], 3), 0);
    assert_eq!((waiting.rows(), waiting.from()), (3, Some(8)));
    let rest = waiting.take(None).0;
    let ids: Vec<TxnId> = rest.ids().to_vec();
    assert_eq!(rest.times(), [8, 9, 10].map(Timestamp));
    assert_eq!(ids, [8, 9, 10].map(|at| TxnId(at << 8 | 2)));
}
