//! The stream is the batch, in pieces.

use std::io::Write;
use std::path::PathBuf;

use crible_core::{Batch, Source, Timestamp, Transaction, Truth};
use crible_ingest::{FileReport, Import, Reject, Stream, Streamed, Window, stream};
use proptest::prelude::*;

use crate::common::{Folder, check_reports, fixture, import, options};

const HANDBOOK: &str = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO";
const CHASE: &str = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo";

/// A batch's rows with all their annotations.
fn rows(batches: &[Batch]) -> Vec<(Transaction, Source, Truth)> {
    let of =
        |batch: &Batch| (0..batch.len()).map(|row| (batch.get(row), batch.source(row), batch.truth(row))).collect();
    batches.iter().flat_map(|batch| -> Vec<_> { of(batch) }).collect()
}

/// Streams files, and asserts what holds for any.
fn streamed(files: &[PathBuf], window: usize) -> (Vec<Batch>, Streamed, Vec<Reject>) {
    let (options, mut rejects) = (options(), Vec::new());
    let mut take = |reject| rejects.push(reject);
    let mut stream = stream(files, &options, Window { rows: window }, &mut take, &|_| {}).unwrap();
    let batches: Vec<Batch> = stream.by_ref().collect();
    let done = stream.finish();
    assert!(batches.iter().all(|batch| !batch.is_empty()));
    let all = rows(&batches);
    let order: Vec<_> = all.iter().map(|(txn, source, _)| (txn.at, source)).collect();
    assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "in order of time, then file and row");
    let ids: std::collections::HashSet<_> = all.iter().map(|(txn, ..)| txn.id).collect();
    assert_eq!(ids.len(), order.len(), "no reference twice");
    let sources: Vec<Source> = rows(&batches).into_iter().map(|(_, source, _)| source).collect();
    check_reports(&done.files, &sources, &rejects);
    (batches, done, rejects)
}

fn late(files: &[FileReport]) -> u64 {
    files.iter().map(|file| file.late).sum()
}

/// Accepted, known, rejected and late, file by file.
fn counts(files: &[FileReport]) -> Vec<(u64, u64, u64, u64)> {
    files.iter().map(|file| (file.accepted, file.known, file.rejected, file.late)).collect()
}

fn assert_same(files: &[PathBuf], window: usize, whole: &Import, rejects: &[Reject]) {
    let (batches, done, told) = streamed(files, window);
    assert_eq!(rows(&batches), rows(std::slice::from_ref(&whole.batch)), "window {window}");
    // Balances are followed over a whole batch alone.
    let files: Vec<FileReport> = whole
        .files
        .iter()
        .cloned()
        .map(|mut file| {
            file.gaps.clear();
            file
        })
        .collect();
    assert_eq!(done.files, files, "window {window}");
    let sorted = |rejects: &[Reject]| {
        let mut rejects: Vec<_> = rejects.iter().map(|r| (r.file.clone(), r.row, r.line, r.reason.clone())).collect();
        rejects.sort();
        rejects
    };
    assert_eq!(sorted(&told), sorted(rejects));
}

fn handbook_row(id: usize, minute: usize, customer: usize, broken: bool) -> String {
    let at = Timestamp::from_seconds(1_522_540_800 + 60 * minute as i64).to_string();
    let at = at.trim_end_matches('Z').replace('T', " ");
    let amount = if broken { "much".to_owned() } else { format!("{}.50", 1 + customer) };
    format!("{id},{at},{customer},{},{amount},0,0,{},0\n", customer % 3, u8::from(customer == 2))
}

#[derive(Clone, Debug)]
struct Made {
    /// Minute, customer, and whether the row is broken.
    rows: Vec<(usize, usize, bool)>,
    gzipped: bool,
}

/// Exports whose rows are out of order by no more than so many minutes, or newest first; they overlap, and repeat rows.
fn exports() -> impl Strategy<Value = Vec<Made>> {
    let row = (0usize..400, 0usize..4, prop::bool::weighted(0.05), 0usize..12);
    let file = (prop::collection::vec(row, 1..120), prop::bool::weighted(0.3), any::<bool>());
    prop::collection::vec(
        file.prop_map(|(mut rows, newest_first, gzipped)| {
            rows.sort_by_key(|&(minute, _, _, jitter)| minute + jitter);
            if newest_first {
                rows.reverse();
            }
            let rows = rows.into_iter().map(|(minute, customer, broken, _)| (minute, customer, broken)).collect();
            Made { rows, gzipped }
        }),
        1..20,
    )
}

fn write(folder: &Folder, made: &[Made]) -> Vec<PathBuf> {
    let file = |(number, made): (usize, &Made)| {
        let row = |&(minute, customer, broken): &(usize, usize, bool)| handbook_row(0, minute, customer, broken);
        let text = format!("{HANDBOOK}\n{}", made.rows.iter().map(row).collect::<String>());
        if made.gzipped {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(text.as_bytes()).unwrap();
            return folder.file(&format!("{number}.csv.gz"), out.finish().unwrap());
        }
        folder.file(&format!("{number}.csv"), text)
    };
    made.iter().enumerate().map(file).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    /// Any number of files, in any order, held whole or handed out piece by piece.
    #[test]
    fn the_stream_is_the_batch(made in exports(), seed in any::<u64>(), fraction in 1usize..8, threads in 1usize..4) {
        let folder = Folder::new();
        let mut files = write(&folder, &made);
        let (whole, rejects) = import(&files, &options()).unwrap();
        let held: usize = made.iter().map(|made| made.rows.len()).sum();
        let turn = seed as usize % files.len();
        files.rotate_left(turn);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // From a window that is never full to one that all but is, which hands on as soon as it can.
        for window in [held + 1, held + 1 + held / fraction, 9 * held] {
            pool.install(|| assert_same(&files, window, &whole, &rejects));
        }
    }

    /// Whatever the window, nothing is lost: what comes too late is reported, and all else is as in the batch.
    #[test]
    fn what_is_late_is_told(made in exports(), window in 4usize..200) {
        let folder = Folder::new();
        let files = write(&folder, &made);
        let (whole, _) = import(&files, &options()).unwrap();
        let (batches, done, rejects) = streamed(&files, window);
        let told = rejects.iter().filter(|reject| reject.reason.contains("too late")).count() as u64;
        prop_assert_eq!(told, late(&done.files));
        let all = rows(&[whole.batch]);
        let ids: std::collections::HashSet<_> = all.iter().map(|(txn, ..)| txn.id).collect();
        prop_assert!(rows(&batches).iter().all(|(txn, ..)| ids.contains(&txn.id)));
        // The same run, the same answer.
        let (again, same, _) = streamed(&files, window);
        prop_assert_eq!((again, same.files), (batches, done.files));
    }
}

#[test]
fn every_fixture_streams_to_what_it_is_read_as() {
    let folder = std::fs::read_dir(fixture("")).unwrap();
    let mut seen = 0;
    for file in folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        // Some are there to be refused.
        let Ok((whole, rejects)) = import(std::slice::from_ref(&file), &options()) else { continue };
        let rows = whole.files[0].read as usize;
        assert_same(std::slice::from_ref(&file), 4 * rows, &whole, &rejects);
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

/// A Handbook export of so many customers' rows, one a second but for `minutes_back`, which is newest first where it is
/// to be.
fn long_export(rows: usize, first: usize, newest_first: bool) -> String {
    let mut lines: Vec<String> =
        (0..rows).map(|row| handbook_row(first + row, first + row, (first + row) % 97, false)).collect();
    if newest_first {
        lines.reverse();
    }
    format!("{HANDBOOK}\n{}", lines.concat())
}

#[test]
fn files_of_many_blocks_stream_through_a_small_window() {
    let folder = Folder::new();
    let text = long_export(130_000, 0, false);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let header = lines[0];
    assert!(text.len() > 2 * (2 << 20), "of several blocks");
    let part = |range: std::ops::Range<usize>| format!("{header}{}", lines[1..][range].concat());
    // Overlapping exports, one of them once more, and one of a single block in the midst of them.
    let files = [
        folder.file("a.csv", part(0..70_000)),
        folder.file("b.csv", part(50_000..130_000)),
        folder.file("c.csv", part(0..70_000)),
        folder.file("d.csv", part(60_000..61_000)),
    ];
    let (whole, rejects) = import(&files, &options()).unwrap();
    assert_eq!(whole.batch.len(), 130_000);
    assert_same(&files, 120_000, &whole, &rejects);
    let (batches, ..) = streamed(&files, 120_000);
    assert!(batches.len() > 2, "{}", batches.len());
    assert!(
        batches.iter().all(|batch| batch.len() <= 60_000),
        "{:?}",
        batches.iter().map(Batch::len).collect::<Vec<_>>()
    );
    let threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| streamed(&files, 30_000))
    };
    let ((one, one_done, _), (two, two_done, _)) = (threads(1), threads(2));
    assert_eq!((one, one_done.files), (two, two_done.files), "pieces and all, on any number of threads");
}

#[test]
fn an_export_that_is_newest_first_is_held_and_a_longer_one_told_of() {
    let folder = Folder::new();
    let files = [
        folder.file("down.csv", long_export(130_000, 0, true)),
        folder.file("up.csv", long_export(200, 65_000, false)),
    ];
    let (whole, rejects) = import(&files, &options()).unwrap();
    assert_same(&files, 140_000, &whole, &rejects);
    let (_, done, rejects) = streamed(&files, 60_000);
    let down = &done.files[0];
    assert!(down.late > 0 && down.accepted > 25_000, "{down:?}");
    assert!(down.warnings.iter().any(|warning| warning.contains("too late")), "{down:?}");
    let reject = rejects.iter().find(|reject| reject.file.ends_with("down.csv")).unwrap();
    assert_eq!((reject.column.as_str(), reject.line), ("TX_DATETIME", reject.row + 2));
    assert!(reject.value.starts_with("2018-") && reject.reason.contains("expected"), "{reject:?}");
}

#[test]
fn one_wild_date_costs_no_other_row() {
    let folder = Folder::new();
    let mut lines: Vec<String> = (0..130_000).map(|row| handbook_row(row, row, row % 97, false)).collect();
    let wild = handbook_row(7, 40_000_000, 3, false);
    lines.insert(10, wild);
    let files = [folder.file("in.csv", format!("{HANDBOOK}\n{}", lines.concat()))];
    let (whole, rejects) = import(&files, &options()).unwrap();
    assert_same(&files, 30_000, &whole, &rejects);
}

#[test]
fn a_late_row_is_told_with_its_line() {
    let folder = Folder::new();
    let mut lines: Vec<String> = (0..130_000).map(|row| handbook_row(row, row + 10, row % 97, false)).collect();
    // After a blank line, so that lines are not rows.
    lines[129_998] = format!("\n{}", handbook_row(1, 0, 5, false));
    let (_, done, rejects) = streamed(&[folder.file("in.csv", format!("{HANDBOOK}\n{}", lines.concat()))], 30_000);
    assert_eq!(counts(&done.files), [(129_999, 0, 1, 1)]);
    let reject = &rejects[0];
    assert_eq!((reject.row, reject.line, reject.value.as_str()), (129_998, 130_001, "2018-04-01T00:00:00Z"));
}

#[test]
fn more_files_than_are_opened_at_once() {
    let folder = Folder::new();
    let months: Vec<PathBuf> = (0..40)
        .map(|month| folder.file(&format!("{month:02}.csv"), long_export(900, 800 * month, month % 3 == 0)))
        .collect();
    let (whole, rejects) = import(&months, &options()).unwrap();
    assert_eq!((whole.batch.len(), whole.files[1].known), (32_100, 100));
    assert_same(&months, 6_000, &whole, &rejects);
}

#[test]
fn two_coffees_and_the_same_folder_again() {
    let folder = Folder::new();
    let coffee = |day: u32| format!("06/{day:02}/2024,06/{day:02}/2024,LANTERN COFFEE,Food & Drink,Sale,-3.50,");
    let chase = |rows: &[String]| format!("{CHASE}\n{}\n", rows.join("\n"));
    let june = folder.file("Chase1_Activity_a.csv", chase(&[coffee(3), coffee(3), coffee(1)]));
    let july = folder.file("Chase1_Activity_b.csv", chase(&[coffee(5), coffee(3), coffee(3), coffee(3)]));
    let (batches, done, _) = streamed(&[june.clone(), july.clone()], 100);
    assert_eq!(counts(&done.files), [(3, 0, 0, 0), (2, 2, 0, 0)]);
    let twice = [june.clone(), july.clone(), june, july];
    let (again, done, _) = streamed(&twice, 100);
    let ids = |batches: &[Batch]| rows(batches).iter().map(|(txn, ..)| txn.id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&batches), "a re-import changes nothing");
    assert_eq!(done.files.iter().map(|file| file.known).sum::<u64>(), 2 + 3 + 4);
}

#[test]
fn a_file_that_breaks_off_keeps_what_came_before() {
    let folder = Folder::new();
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(long_export(60_000, 0, false).as_bytes()).unwrap();
    let mut bytes = out.finish().unwrap();
    bytes.truncate(bytes.len() / 2);
    let files = [folder.file("broken.csv.gz", bytes), folder.file("whole.csv", long_export(60_000, 100, false))];
    let (whole, rejects) = import(&files, &options()).unwrap();
    assert!(whole.files[0].warnings.iter().any(|warning| warning.contains("breaks off")));
    assert_same(&files, 100_000, &whole, &rejects);
}

#[test]
fn a_second_run_is_handed_the_key_of_the_first() {
    let files = [fixture("handbook.csv"), fixture("paysim.csv")];
    let keyless = crible_ingest::Options { key: None, ..options() };
    let read = |options: &crible_ingest::Options| {
        let (mut ignore, progress) = (|_| {}, |_| {});
        let mut stream = stream(&files, options, Window::default(), &mut ignore, &progress).unwrap();
        let batches: Vec<Batch> = stream.by_ref().collect();
        (batches, stream.key().clone(), stream.finish().key_origin)
    };
    let (first, key, origin) = read(&keyless);
    let keyed = crible_ingest::Options { key: Some(key), ..options() };
    let (second, _, same) = read(&keyed);
    assert_eq!((first, origin), (second, same));
}

#[test]
fn nothing_to_read_is_an_error_at_once() {
    let folder = Folder::new();
    let options = options();
    let open = |files: &[PathBuf]| {
        let (mut ignore, progress) = (|_| {}, |_| {});
        stream(files, &options, Window::default(), &mut ignore, &progress).map(Stream::finish).unwrap_err().to_string()
    };
    assert!(open(&[]).contains("no input"));
    assert!(open(&[folder.path().join("none.csv")]).contains("none.csv"));
}
