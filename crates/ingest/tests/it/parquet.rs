//! The same transactions from Parquet, whatever the columns' types.

use std::fs::File;
use std::path::Path;

use crible_ingest::{Error, Mapping, Options};
use polars_core::prelude::{Column, DataFrame, DataType, NamedFrom, Series, TimeUnit};
use polars_io::parquet::write::ParquetWriter;

use crate::common::{Folder, fixture, import, key, options, told};

fn write(path: &Path, columns: Vec<Series>, group: usize) {
    let height = columns[0].len();
    let columns: Vec<Column> = columns.into_iter().map(Column::from).collect();
    let mut frame = DataFrame::new(height, columns).unwrap();
    ParquetWriter::new(File::create(path).unwrap()).with_row_group_size(Some(group)).finish(&mut frame).unwrap();
}

/// The handbook fixture in typed columns.
fn handbook(time: Series) -> Vec<Series> {
    vec![
        Series::new("TRANSACTION_ID".into(), &[0i64, 1, 2]),
        time,
        Series::new("CUSTOMER_ID".into(), &[12i32, 44, 12]),
        Series::new("TERMINAL_ID".into(), &["907", "310", "310"]),
        Series::new("TX_AMOUNT".into(), &[57.16f64, 81.5, 146.0]),
        Series::new("TX_TIME_SECONDS".into(), &[31i64, 130, 130]),
        Series::new("TX_TIME_DAYS".into(), &[0i64, 0, 0]),
        Series::new("TX_FRAUD".into(), &[false, true, false]),
        Series::new("TX_FRAUD_SCENARIO".into(), &[0i64, 2, 0]),
    ]
}

const SECONDS: [i64; 3] = [1_522_540_831, 1_522_540_930, 1_522_540_930];

fn times(unit: TimeUnit) -> Series {
    let scale = match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1_000,
    };
    let raw = SECONDS.map(|second| second * scale);
    Series::new("TX_DATETIME".into(), &raw).cast(&DataType::Datetime(unit, None)).unwrap()
}

#[test]
fn typed_columns_give_the_csv_s_transactions() {
    let folder = Folder::new();
    let (expect, _) = import(&[fixture("handbook.csv")], &options()).unwrap();
    let text =
        Series::new("TX_DATETIME".into(), &["2018-04-01 00:00:31", "2018-04-01 00:02:10", "2018-04-01 00:02:10"]);
    let units = [TimeUnit::Nanoseconds, TimeUnit::Microseconds, TimeUnit::Milliseconds];
    for (number, time) in units.map(times).into_iter().chain([text]).enumerate() {
        for group in [1, 2, 100] {
            let path = folder.path().join(format!("{number}-{group}.parquet"));
            write(&path, handbook(time.clone()), group);
            let (read, rejects) = import(&[path], &options()).unwrap();
            assert_eq!(rejects, []);
            assert_eq!(read.batch, expect.batch, "{number} {group}");
            assert_eq!(read.files[0].why, "Parquet; its columns are those of handbook");
            assert_eq!(read.files[0].unused_columns, expect.files[0].unused_columns);
        }
    }
    // Beside the CSV they are known already.
    let (both, _) = import(&[fixture("handbook.csv"), folder.path().join("0-100.parquet")], &options()).unwrap();
    assert_eq!((both.batch.len(), both.files.iter().map(|file| file.known).sum::<u64>()), (3, 3));
}

#[test]
fn amounts_with_more_digits_are_rounded_and_missing_ones_rejected() {
    let folder = Folder::new();
    let path = folder.path().join("a.parquet");
    let mut columns = handbook(times(TimeUnit::Microseconds));
    columns[4] = Series::new("TX_AMOUNT".into(), &[Some(57.160_000_000_3), Some(81.505), None]);
    write(&path, columns, 100);
    let (read, rejects) = import(&[path], &options()).unwrap();
    assert_eq!(read.batch.iter().map(|txn| txn.amount.minor).collect::<Vec<_>>(), [-5_716, -8_150]);
    let told: Vec<_> = rejects.iter().map(|r| (r.row, r.line, r.column.as_str(), r.value.as_str())).collect();
    assert_eq!(told, [(2, 3, "TX_AMOUNT", "")]);
}

#[test]
fn dates_decimals_and_small_floats_by_mapping() {
    let folder = Folder::new();
    let path = folder.path().join("in.parquet");
    let day = Series::new("t".into(), &[19_783i32, 19_784]).cast(&DataType::Date).unwrap();
    let sum = Series::new("b".into(), &["-1234.50", "7.00"]).cast(&DataType::Decimal(12, 2)).unwrap();
    let balance = Series::new("c".into(), &[1234.56f32, f32::NAN]);
    write(&path, vec![day, Series::new("a".into(), &[41u64, 42]), sum, balance], 100);
    let map = Some(Mapping::parse("account=a,amount=b,time=t,balance=c,zone=America/New_York").unwrap());
    let (read, rejects) = import(&[path], &Options { key: Some(key()), map, ..Options::default() }).unwrap();
    assert_eq!(rejects, []);
    assert_eq!(
        told(&read.batch, &["41", "42"]),
        [
            "2024-03-01T05:00:00Z | 41 | -1234.50 XXX | - | - - - | - | 246906 | Unknown | 0",
            "2024-03-02T05:00:00Z | 42 | 7.00 XXX | - | - - - | - | - | Unknown | 1",
        ]
    );
}

#[test]
fn every_row_its_own_account_in_parquet_too() {
    let folder = Folder::new();
    let path = folder.path().join("ulb.parquet");
    let mut columns = vec![Series::new("Time".into(), &[0.0f64, 100_000.0])];
    columns.extend((1..=28).map(|v| Series::new(format!("V{v}").into(), &[0.1f64 * f64::from(v), -2.5])));
    columns.push(Series::new("Amount".into(), &[149.62f64, 2.69]));
    columns.push(Series::new("Class".into(), &[0i64, 1]));
    write(&path, columns, 100);
    let (read, rejects) = import(&[path], &options()).unwrap();
    assert_eq!((read.files[0].feed.as_str(), read.batch.len(), rejects.len()), ("ulb-creditcard", 2, 0));
    assert_ne!(read.batch.accounts()[0], read.batch.accounts()[1]);
}

#[test]
fn what_is_no_feed_or_no_parquet_is_an_error() {
    let folder = Folder::new();
    let path = folder.path().join("odd.parquet");
    write(&path, vec![Series::new("x".into(), &[1i64])], 1);
    let error = import(std::slice::from_ref(&path), &options()).unwrap_err();
    assert!(matches!(&error, Error::Unrecognised { header, .. } if header == "x"), "{error}");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    let error = import(&[folder.file("half.parquet", bytes)], &options()).unwrap_err();
    assert!(matches!(error, Error::Parquet { .. }), "{error}");
    let empty = folder.path().join("empty.parquet");
    let none: Vec<Series> = handbook(times(TimeUnit::Microseconds)).iter().map(|column| column.slice(0, 0)).collect();
    write(&empty, none, 1);
    let (read, _) = import(&[empty], &options()).unwrap();
    assert_eq!((read.batch.len(), read.files[0].warnings.len()), (0, 1));
}

#[test]
fn numbers_are_numbers_and_texts_are_texts() {
    let folder = Folder::new();
    let path = folder.path().join("amounts.parquet");
    let read = |name: &str, amounts: Series| {
        let days = Series::new("t".into(), &["2024-01-01", "2024-01-02"]);
        write(&path, vec![Series::new("a".into(), &["x", "x"]), days, amounts.with_name(name.into())], 10);
        let map = Mapping::parse(&format!("account=a,time=t,amount={name},currency=@USD")).unwrap();
        import(std::slice::from_ref(&path), &Options { map: Some(map), ..options() })
            .map(|(read, _)| (0..read.batch.len()).map(|row| read.batch.get(row).amount.minor).collect::<Vec<_>>())
    };
    let series = |values: &[i64]| Series::new("m".into(), values);
    assert_eq!(read("m", Series::new("m".into(), &[-84.125, -588.045])).unwrap(), [-8_412, -58_804]);
    assert_eq!(read("m", series(&[-1_999, -5])).unwrap(), [-199_900, -500]);
    assert_eq!(read("amount_cents", series(&[-1_999, -5])).unwrap(), [-1_999, -5]);
    // What was saved as text is no number.
    let open = read("m", Series::new("m".into(), &["-84.125", "-588.045"])).unwrap_err().to_string();
    assert!(open.contains("84.125 or -84125"), "{open}");
    assert_eq!(read("m", Series::new("m".into(), &["-1.004,50", "-4,50"])).unwrap(), [-100_450, -450]);
}

#[test]
fn texts_beside_numbers_are_read_as_texts() {
    let folder = Folder::new();
    let path = folder.path().join("a.parquet");
    let columns = |amounts: Series| {
        vec![
            Series::new("a".into(), &["x", "x", "x"]),
            Series::new("t".into(), &["2024-01-01", "2024-01-02", "2024-01-03"]),
            amounts,
            Series::new("b".into(), &[100.0, -1_134.5, -1_139.5]),
        ]
    };
    let map = Mapping::parse("account=a,amount=m,time=t,balance=b").unwrap();
    let options = Options { map: Some(map), ..options() };
    // A balance in numbers says nothing of amounts in texts, and is read beside them.
    write(&path, columns(Series::new("m".into(), &["-7,50", "-1.234,50", "-5"])), 100);
    let (read, rejects) = import(std::slice::from_ref(&path), &options).unwrap();
    let rows: Vec<_> = read.batch.iter().map(|txn| (txn.amount.minor, txn.balance_before)).collect();
    assert_eq!((rows, rejects), (vec![(-750, Some(10_750)), (-123_450, Some(10_000)), (-500, Some(-113_450))], vec![]));
    // A sum that is a truth value is none.
    write(&path, columns(Series::new("m".into(), &[true, false, true])), 100);
    let (read, rejects) = import(&[path], &options).unwrap();
    assert_eq!((read.batch.len(), rejects.len()), (0, 3));
}

/// Written by Polars: `card` and `kind` are words each stored once, which this build of Polars has no type for.
#[test]
fn words_stored_once_are_texts() {
    let map = Mapping::parse("account=card,amount=amount,time=when,category=kind").unwrap();
    let options = Options { map: Some(map), ..options() };
    let (read, rejects) = import(&[fixture("typed/categories.parquet")], &options).unwrap();
    assert_eq!(rejects, []);
    assert_eq!(
        told(&read.batch, &["A1", "B2"]),
        [
            "2024-01-05T10:00:00Z | A1 | -12.50 XXX | - | food - - | - | - | Unknown | 0",
            "2024-01-06T10:00:00Z | B2 | -3.00 XXX | - | fuel - - | - | - | Unknown | 1",
            "2024-01-07T10:00:00Z | A1 | 7.25 XXX | - | food - - | - | - | Unknown | 2",
        ]
    );
}
