//! The same transactions from Arrow files.

use std::fs::File;
use std::path::Path;

use crible_ingest::Error;
use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};
use polars_io::SerWriter;
use polars_io::ipc::{IpcCompression, IpcWriter};

use crate::common::{Folder, bytes, fixture, import, options};

fn write(path: &Path, columns: Vec<Series>, compression: Option<IpcCompression>, batch: usize) {
    let height = columns[0].len();
    let mut frame = DataFrame::new(height, columns.into_iter().map(Column::from).collect()).unwrap();
    let writer = IpcWriter::new(File::create(path).unwrap());
    writer.with_compression(compression).with_record_batch_size(Some(batch)).finish(&mut frame).unwrap();
}

/// The handbook fixture in typed columns, repeated as another customer's.
fn handbook(times: usize) -> Vec<Series> {
    let each = |values: [i64; 3]| (0..times).flat_map(|_| values).collect::<Vec<_>>();
    let texts = |values: [&'static str; 3]| (0..times).flat_map(|_| values).collect::<Vec<_>>();
    vec![
        Series::new("TRANSACTION_ID".into(), (0..3 * times as i64).collect::<Vec<_>>()),
        Series::new("TX_DATETIME".into(), texts(["2018-04-01 00:00:31", "2018-04-01 00:02:10", "2018-04-01 00:02:10"])),
        Series::new("CUSTOMER_ID".into(), each([12, 44, 12])),
        Series::new("TERMINAL_ID".into(), texts(["907", "310", "310"])),
        Series::new("TX_AMOUNT".into(), [57.16f64, 81.5, 146.0].repeat(times)),
        Series::new("TX_TIME_SECONDS".into(), each([31, 130, 130])),
        Series::new("TX_TIME_DAYS".into(), each([0, 0, 0])),
        Series::new("TX_FRAUD".into(), [false, true, false].repeat(times)),
        Series::new("TX_FRAUD_SCENARIO".into(), each([0, 2, 0])),
    ]
}

#[test]
fn an_arrow_file_gives_the_csv_s_transactions() {
    let folder = Folder::new();
    let (expect, _) = import(&[fixture("handbook.csv")], &options()).unwrap();
    for (number, compression) in
        [None, Some(IpcCompression::LZ4), Some(IpcCompression::ZSTD(Default::default()))].into_iter().enumerate()
    {
        for batch in [1, 2, 100] {
            let path = folder.path().join(format!("{number}-{batch}.arrow"));
            write(&path, handbook(1), compression, batch);
            let (read, rejects) = import(&[path], &options()).unwrap();
            assert_eq!(rejects, []);
            assert_eq!(read.batch, expect.batch, "{number} {batch}");
            assert_eq!(read.files[0].why, "Arrow; its columns are those of handbook");
            assert_eq!(read.files[0].unused_columns, expect.files[0].unused_columns);
        }
    }
}

#[test]
fn many_rows_keep_their_order() {
    let folder = Folder::new();
    let path = folder.path().join("many.feather");
    write(&path, handbook(40_000), None, 7_000);
    let (read, rejects) = import(&[path], &options()).unwrap();
    assert_eq!((read.batch.len(), rejects.len()), (120_000, 0));
    assert!((0..120_000).all(|row| read.batch.get(row).at.0 > 0 && read.batch.source(row).row < 120_000));
}

#[test]
fn what_is_no_arrow_file_is_an_error() {
    let folder = Folder::new();
    let path = folder.path().join("a.arrow");
    write(&path, handbook(1), None, 100);
    let mut whole = std::fs::read(&path).unwrap();
    whole.truncate(whole.len() / 2);
    let error = bytes("half.arrow", whole, &options()).unwrap_err();
    assert!(matches!(error, Error::Arrow { .. }), "{error}");
    for (name, head) in [("a.arrows", &b"\xff\xff\xff\xff\x10\0\0\0"[..]), ("old.feather", b"FEA1\0\0\0\0")] {
        let error = bytes(name, head, &options()).unwrap_err();
        assert!(
            matches!(&error, Error::Refused { reason, .. } if reason.contains("expected an Arrow file")),
            "{error}"
        );
    }
    write(&path, vec![Series::new("x".into(), &[1i64])], None, 1);
    let error = import(&[path], &options()).unwrap_err();
    assert!(matches!(&error, Error::Unrecognised { header, .. } if header == "x"), "{error}");
}
