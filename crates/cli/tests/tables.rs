//! Detectors on tables: `crible detect` and `crible bench`, real files in, real files out.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::{Command, Output};

use ndarray::{Array1, Array2};
use ndarray_npy::NpzWriter;
use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};
use polars_io::SerReader;
use polars_io::parquet::read::ParquetReader;
use polars_io::parquet::write::ParquetWriter;
use serde_json::Value;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn crible(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crible")).current_dir(folder).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), bytes).unwrap();
}

/// 300 rows on a grid, three of them far off it: 50, 150 and 250.
fn value(row: usize, column: usize) -> f64 {
    let usual = ((row * (7 + 3 * column)) % 23) as f64 / 4.0;
    if row % 100 == 50 { usual + 40.0 } else { usual }
}

fn is_odd(row: usize) -> bool {
    row % 100 == 50
}

const ROWS: usize = 300;

fn csv(label: bool, cell: impl Fn(usize, usize) -> String) -> String {
    let mut out = format!("a,b,c{}\n", if label { ",label" } else { "" });
    for row in 0..ROWS {
        write!(out, "{},{},{}", cell(row, 0), cell(row, 1), cell(row, 2)).unwrap();
        out.push_str(if !label {
            "\n"
        } else if is_odd(row) {
            ",1\n"
        } else {
            ",0\n"
        });
    }
    out
}

fn numbers(row: usize, column: usize) -> String {
    value(row, column).to_string()
}

/// Rows of a scores file, each as text.
fn scores(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (header, reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect())
}

fn top(rows: &[Vec<String>], n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let score = |&row: &usize| -rows[row][1].parse::<f64>().unwrap();
    order.sort_by(|a, b| score(a).total_cmp(&score(b)));
    order.truncate(n);
    order.sort_unstable();
    order
}

#[test]
fn every_row_gets_a_score_and_a_tail() {
    let folder = TempDir::new().unwrap();
    write(&folder, "t.csv", csv(false, numbers));
    for detector in ["ensemble", "knn", "isolation_forest"] {
        let out = crible(&folder, &["detect", "t.csv", "--detector", detector, "--out", "s.csv", "--explain", "2"]);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        let (header, rows) = scores(&folder.path().join("s.csv"));
        assert_eq!(header, ["row", "score", "tail", "reasons"]);
        assert_eq!(rows.len(), ROWS);
        assert_eq!(top(&rows, 3), [50, 150, 250], "{detector}");
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(row[0], i.to_string());
            let tail: f64 = row[2].parse().unwrap();
            assert!(0.0 < tail && tail <= 1.0);
            assert_eq!(row[3].split("; ").count(), 2, "{}", row[3]);
        }
    }
}

#[test]
fn a_label_is_never_an_input_and_the_form_of_a_file_changes_nothing() {
    let folder = TempDir::new().unwrap();
    write(&folder, "plain.csv", csv(false, numbers));
    write(&folder, "labelled.csv", csv(true, numbers));
    write(&folder, "semicolons.csv", csv(false, numbers).replace(',', ";"));
    let columns = (0..3).map(|c| {
        let name = ["a", "b", "c"][c];
        Column::from(Series::new(name.into(), (0..ROWS).map(|r| value(r, c)).collect::<Vec<f64>>()))
    });
    let labels = Column::from(Series::new("label".into(), (0..ROWS).map(|r| i32::from(is_odd(r))).collect::<Vec<_>>()));
    let mut frame = DataFrame::new(ROWS, columns.chain([labels]).collect()).unwrap();
    ParquetWriter::new(File::create(folder.path().join("t.parquet")).unwrap()).finish(&mut frame).unwrap();
    let mut archive = NpzWriter::new(File::create(folder.path().join("t.npz")).unwrap());
    archive.add_array("X", &Array2::from_shape_fn((ROWS, 3), |(r, c)| value(r, c))).unwrap();
    archive.add_array("y", &Array1::from_iter((0..ROWS).map(|r| i64::from(is_odd(r))))).unwrap();
    archive.finish().unwrap();

    let of = |file: &str| {
        let out = crible(&folder, &["detect", file]);
        assert_eq!(out.status.code(), Some(0), "{file}: {}", text(&out.stderr));
        text(&out.stdout)
    };
    let plain = of("plain.csv");
    assert_eq!(plain.lines().next(), Some("row,score,tail"));
    for file in ["labelled.csv", "semicolons.csv", "t.parquet", "t.npz"] {
        assert_eq!(of(file), plain, "{file}");
    }
}

#[test]
fn several_detectors_and_their_ensemble_on_one_thread_or_two() {
    let folder = TempDir::new().unwrap();
    write(&folder, "t.csv", csv(false, numbers));
    let of = |threads: &str| {
        let args =
            ["detect", "t.csv", "--detector", "ecod,knn", "--out", "s.parquet", "--threads", threads, "--seed", "3"];
        let out = crible(&folder, &args);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        ParquetReader::new(File::open(folder.path().join("s.parquet")).unwrap()).finish().unwrap()
    };
    let frame = of("1");
    assert_eq!(
        frame.columns().iter().map(|c| c.name().as_str()).collect::<Vec<_>>(),
        ["row", "score", "tail", "ecod", "knn"]
    );
    assert!(frame.equals(&of("2")));
}

#[test]
fn words_and_empty_cells_are_taken() {
    let folder = TempDir::new().unwrap();
    let mixed = csv(true, |row, column| match column {
        0 if row % 10 == 0 => String::new(),
        1 => if row == 77 { "casino" } else { ["baker", "grocer", "tailor"][row % 3] }.to_owned(),
        _ => numbers(row, column),
    });
    write(&folder, "t.csv", mixed);
    let out = crible(&folder, &["detect", "t.csv", "--detector", "ecod", "--explain", "1", "--out", "s.csv"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let (_, rows) = scores(&folder.path().join("s.csv"));
    assert!(rows[77][3].starts_with("b "), "{}", rows[77][3]);
}

#[test]
fn a_model_of_one_table_scores_another() {
    let folder = TempDir::new().unwrap();
    write(&folder, "usual.csv", csv(false, |r, c| ((r * (7 + 3 * c)) % 23).to_string()));
    write(&folder, "new.csv", "c,a,b,extra\n12,10,11,9\n900,1,2,9\n");
    for detector in ["ensemble", "knn"] {
        let out =
            crible(&folder, &["detect", "new.csv", "--fit", "usual.csv", "--detector", detector, "--out", "s.csv"]);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        let (_, rows) = scores(&folder.path().join("s.csv"));
        let tail = |row: usize| rows[row][2].parse::<f64>().unwrap();
        assert!(tail(1) < 0.02 && tail(0) > 0.05, "{detector}: {} {}", tail(0), tail(1));
    }
}

#[test]
fn what_is_no_table_is_told_with_its_place() {
    let folder = TempDir::new().unwrap();
    let check = |name: &str, bytes: &str, args: &[&str], expect: &str| {
        write(&folder, name, bytes);
        let out = crible(&folder, &[&["detect", name], args].concat());
        let log = text(&out.stderr);
        assert!(!out.status.success() && log.contains(expect), "{name}: {log}");
        assert!(!log.contains("panicked"), "{log}");
    };
    check(
        "inf.csv",
        "a,b\n1,2\n3,inf\n",
        &[],
        "inf.csv: row 1, column `b`: expected a finite number, or an empty cell, got `inf`",
    );
    check(
        "label.csv",
        "a,label\n1,0\n3,maybe\n",
        &[],
        "row 1, column `label`: expected a label, 1 or 0, or true or false, got `maybe`",
    );
    check("twice.csv", "a,a\n1,2\n", &[], "column `a`");
    check("ragged.csv", "a,b\n1,2\n3\n", &[], "ragged.csv");
    check("none.csv", "a,b\n", &[], "there is no row");
    check("only.csv", "label\n1\n", &[], "no column besides the label");
    check("not.parquet", "PAR", &[], "not.parquet");
    check("not.npz", "PK", &[], "not a NumPy archive");
    check("t.xls", "", &[], ".parquet, .csv");
    check(
        "fine.csv",
        "a,b\n1,2\n",
        &["--detector", "oracle"],
        "there is no detector `oracle`: expected one of robust_z",
    );
    check("fine.csv", "a,b\n1,2\n", &["--out", "s.txt"], "ending in .parquet or .csv");
    let out = crible(&folder, &["detect", "missing.csv"]);
    assert!(text(&out.stderr).contains("missing.csv") && !out.status.success());
}

/// An array in NumPy's format.
fn npy(descr: &str, by_column: bool, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let by_column = if by_column { "True" } else { "False" };
    let head = format!("{{'descr': '{descr}', 'fortran_order': {by_column}, 'shape': {shape}, }}\n");
    let length = u16::try_from(head.len()).unwrap().to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, head.as_bytes(), numbers].concat()
}

fn bytes(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn npz(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(array).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_archive_of_numpy_may_be_written_in_several_ways() {
    let folder = TempDir::new().unwrap();
    write(&folder, "plain.csv", csv(false, numbers));
    let of = |file: &str| {
        let out = crible(&folder, &["detect", file]);
        assert_eq!(out.status.code(), Some(0), "{file}: {}", text(&out.stderr));
        text(&out.stdout)
    };
    let plain = of("plain.csv");
    let cells = |by_column: bool| -> Vec<f64> {
        let place = |i: usize| if by_column { (i % ROWS, i / ROWS) } else { (i / 3, i % 3) };
        (0..3 * ROWS).map(place).map(|(row, column)| value(row, column)).collect()
    };
    let shape = format!("({ROWS}, 3)");
    let by_row = || npy("<f8", false, &shape, &bytes(&cells(false)));
    let check = |arrays: &[(&str, Vec<u8>)], method: CompressionMethod| {
        write(&folder, "t.npz", npz(arrays, method));
        assert_eq!(of("t.npz"), plain);
    };
    check(&[("X.npy", by_row())], CompressionMethod::Stored);
    check(&[("X", by_row())], CompressionMethod::Deflated);
    // Every value of the grid is a single-precision number, too.
    let single: Vec<u8> = cells(true).iter().flat_map(|&x| (x as f32).to_be_bytes()).collect();
    check(&[("other.npy", vec![]), ("X.npy", npy(">f4", true, &shape, &single))], CompressionMethod::Stored);
    let labels: Vec<u8> = (0..ROWS).map(|row| u8::from(is_odd(row))).collect();
    let labels = npy("|b1", false, &format!("({ROWS}, 1)"), &labels);
    check(&[("label.npy", labels), ("X.npy", by_row())], CompressionMethod::Deflated);
}

#[test]
fn what_is_wrong_with_an_archive_of_numpy_is_told() {
    let folder = TempDir::new().unwrap();
    let check = |archive: &[u8], expect: &str| {
        write(&folder, "t.npz", archive);
        let out = crible(&folder, &["detect", "t.npz"]);
        let log = text(&out.stderr);
        assert!(!out.status.success() && log.contains("t.npz: ") && log.contains(expect), "{log}, expected {expect}");
        assert!(!log.contains("panicked"), "{log}");
    };
    let arrays = |arrays: &[(&str, Vec<u8>)], expect: &str| check(&npz(arrays, CompressionMethod::Deflated), expect);
    let matrix = |numbers: [f64; 4]| npy("<f8", false, "(2, 2)", &bytes(&numbers));
    let fine = || matrix([1.0, 2.0, 3.0, 4.0]);
    arrays(&[("a.npy", fine()), ("b.npy", fine())], "it has no array `X`, rows × columns, but a, b");
    arrays(
        &[("X.npy", npy("<U1", false, "(1, 1)", &[0; 4]))],
        "the array `X` is not one of numbers: its type is '<U1'",
    );
    arrays(&[("X.npy", npy("|u1", false, "(4,)", &[0; 4]))], "the array `X` has not two dimensions, rows × columns");
    arrays(&[("X.npy", npy("|u1", false, "(0, 4)", &[]))], "there is no row");
    arrays(&[("X.npy", npy("|u1", false, "(4, 0)", &[]))], "no column besides the label");
    arrays(&[("X.npy", fine()[..100].to_vec())], "the array `X` ends before the last of its [2, 2] numbers");
    arrays(&[("X.npy", matrix([1.0, 2.0, f64::INFINITY, 4.0]))], "row 1, column `x0`: expected a finite number");
    let labels = |numbers: &[u8]| npy("|u1", false, &format!("({},)", numbers.len()), numbers);
    arrays(&[("X.npy", fine()), ("y.npy", labels(&[1; 3]))], "`y` has 3 labels: expected 2, one a row of `X`");
    arrays(&[("X.npy", fine()), ("y.npy", labels(&[1, 2]))], "row 1, column `label`: expected a label");

    let whole = npz(&[("X.npy", fine())], CompressionMethod::Stored);
    check(&whole[..whole.len() - 30], "not a NumPy archive");
    // Another number than the one whose checksum the archive has.
    let mut changed = whole.clone();
    let at = whole.windows(8).position(|bytes| bytes == 3.0_f64.to_le_bytes()).unwrap();
    changed[at] ^= 1;
    check(&changed, "the array `X` cannot be read");
}

/// The most a process had resident is little more than the matrix and what it has without one.
#[cfg(target_os = "linux")]
#[test]
fn a_table_is_not_held_twice() {
    const WIDE: usize = 40;
    let rows = 160_000;
    let folder = TempDir::new().unwrap();
    let cell = |row: usize, column: usize| ((row * (7 + 3 * column)) % 1009) as f64;
    let mut archive = NpzWriter::new(File::create(folder.path().join("t.npz")).unwrap());
    archive.add_array("X", &Array2::from_shape_fn((rows, WIDE), |(r, c)| cell(r, c))).unwrap();
    archive.finish().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_crible"));
    command.current_dir(&folder).args(["detect", "t.npz", "--detector", "hbos", "--threads", "1", "--out", "s.csv"]);
    let mut process = command.spawn().unwrap();
    let status = format!("/proc/{}/status", process.id());
    let mut most = 0;
    while process.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        most = most.max(kib.unwrap_or(0) * 1024);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let matrix = rows * WIDE * size_of::<f64>();
    assert!(matrix < most && most < matrix * 9 / 5, "{most} bytes, of which the matrix is {matrix}");
}

#[test]
fn a_bench_compares_detectors_on_tables() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("tables")).unwrap();
    write(&folder, "tables/grid.csv", csv(true, numbers));
    write(&folder, "tables/other.csv", csv(true, |r, c| (value(r, c) * if c == 2 { -3.0 } else { 1.0 }).to_string()));
    write(&folder, "tables/unlabelled.csv", csv(false, numbers));
    write(&folder, "tables/notes.md", "no table");
    let args =
        ["bench", "tables", "--detectors", "knn,ecod,hbos", "--seeds", "2", "--json", "b.json", "--plot", "plots"];
    let out = crible(&folder, &args);
    let (shown, log) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(0), "{log}");
    assert!(log.contains("unlabelled.csv: there is no column `label`"), "{log}");
    assert!(!log.contains("notes.md"), "{log}");
    assert!(shown.starts_with("detector") && shown.contains("knn") && shown.contains("means over 2 tables"), "{shown}");

    let report: Value = serde_json::from_slice(&fs::read(folder.path().join("b.json")).unwrap()).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["tables"][0], serde_json::json!({"name": "grid", "rows": 300, "columns": 3, "anomalies": 3}));
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), 6);
    for result in results {
        assert_eq!(result["roc_auc"], 1.0, "{result}");
        assert_eq!(result["precision_at_n"], 1.0, "{result}");
        assert!(result["fit_seconds"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(report["rankings"][0]["by"], "average_precision");
    assert_eq!(report["rankings"][0]["ranks"][0]["mean_rank"], 2.0);
    for plot in ["quality.svg", "cost.svg", "rank-average_precision.svg", "rank-roc_auc.svg"] {
        let svg = fs::read_to_string(folder.path().join("plots").join(plot)).unwrap();
        assert!(svg.contains("<svg") && svg.contains("</svg>"), "{plot}");
        assert!(svg.contains("hbos"), "{plot}");
    }

    let out = crible(&folder, &["bench", "tables/unlabelled.csv"]);
    assert!(!out.status.success() && text(&out.stderr).contains("none of 1 file(s)"), "{}", text(&out.stderr));
    let out = crible(&folder, &["bench", "tables", "--detectors", "oracle"]);
    assert!(!out.status.success() && text(&out.stderr).contains("`oracle`"));
}
