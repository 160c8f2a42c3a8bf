//! Files of many makers: words of other languages, marks of other keyboards, dates as people write them, lines that are
//! no transactions. Each was read wrong, or refused, once.

use crible_ingest::{Error, Import, Mapping, Options};

use crate::common::{bytes, options};

fn mapped(map: &str) -> Options {
    Options { map: Some(Mapping::parse(map).unwrap()), ..options() }
}

fn minors(import: &Import) -> Vec<i64> {
    import.batch.iter().map(|txn| txn.amount.minor).collect()
}

fn times(import: &Import) -> Vec<String> {
    import.batch.times().iter().map(ToString::to_string).collect()
}

/// A table of an account, a day, an amount and whatever else, parted by semicolons.
fn amounts(cells: &[&str]) -> String {
    let row = |(at, cell): (usize, &&str)| format!("x;2024-01-{:02};{cell}\n", at + 1);
    format!("a;t;m\n{}", cells.iter().enumerate().map(row).collect::<String>())
}

#[test]
fn words_of_many_languages_tell_the_way() {
    for (out, into) in [
        ("Soll", "Haben"),
        ("Débit", "Crédit"),
        ("Af", "Bij"),
        ("Obciążenie", "Uznanie"),
        ("Cargo", "Abono"),
        ("Addebito", "Accredito"),
        ("Uttag", "Insättning"),
        ("Hævning", "Indsættelse"),
        ("Výdaj", "Příjem"),
        ("Terhelés", "Jóváírás"),
        ("Otto", "Pano"),
        ("Borç", "Alacak"),
        ("Списание", "Зачисление"),
        ("Debitare", "Creditare"),
        ("Χρέωση", "Πίστωση"),
        ("Isplata", "Uplata"),
        ("出金", "入金"),
        ("支出", "收入"),
    ] {
        let text = format!("a,t,m,w\nx,2024-01-15,10.50,{out}\nx,2024-01-16,20.00,{into}\nx,2024-01-17,3.00,{out}\n");
        let (import, _) = bytes("x.csv", text, &mapped("account=a,time=t,amount=m")).unwrap();
        assert_eq!(minors(&import), [-1_050, 2_000, -300], "{out}, {into}");
    }
}

#[test]
fn amounts_of_many_keyboards() {
    let check = |currency: &str, cells: &[&str], expect: &[i64]| {
        let map = format!("account=a,time=t,amount=m,currency=@{currency}");
        let (import, rejects) = bytes("x.csv", amounts(cells), &mapped(&map)).unwrap();
        assert_eq!((minors(&import), rejects.len()), (expect.to_vec(), 0), "{cells:?}");
    };
    for minus in ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}', '\u{fe63}', '\u{ff0d}'] {
        check("USD", &[&format!("{minus}10.50"), "20.00"], &[-1_050, 2_000]);
    }
    for blank in ['\u{a0}', '\u{202f}', '\u{2009}', '\u{2007}', '\u{2005}'] {
        check("EUR", &[&format!("-1{blank}010,50"), "20,00"], &[-101_050, 2_000]);
    }
    for mark in ['\'', '’', '´', '`', 'ʼ'] {
        check("CHF", &[&format!("-1{mark}010.50"), "20.00"], &[-101_050, 2_000]);
    }
    check("USD", &["\u{200e}-1010.50\u{200f}", "\u{feff}20.00\u{200b}"], &[-101_050, 2_000]);
    check("CHF", &["-15.—", "20.--", "-3.50"], &[-1_500, 2_000, -350]);
    check("EUR", &["-1.500,-", "20,-"], &[-150_000, 2_000]);
    check("INR", &["1,500/- Dr", "-1,23,456.78", "20 Cr"], &[-150_000, -12_345_678, 2_000]);
    check("JPY", &["-￥1,234", "5,000円"], &[-1_234, 5_000]);
    check("VND", &["-1.234.000 ₫", "100.000đ"], &[-1_234_000, 100_000]);
    check("TRY", &["-1.234,50 TL", "5,00 ₺"], &[-123_450, 500]);
    check("THB", &["-฿1,234.50", "5.00"], &[-123_450, 500]);
    check("RUB", &["-1 234,50 ₽", "5,00 руб."], &[-123_450, 500]);
    check("EUR", &["-12,50 Euro", "5,00 EUR"], &[-1_250, 500]);
}

/// What nobody knows how to read may be a minus, so nothing is said of the others.
#[test]
fn amounts_that_cannot_be_read_leave_the_sign_open() {
    let error =
        bytes("x.csv", amounts(&["~10.50", "20.00", "~3.00"]), &mapped("account=a,time=t,amount=m")).unwrap_err();
    assert!(error.to_string().contains("which way money goes") && error.to_string().contains("~10.50"), "{error}");
    // One among many is a row to be rejected.
    let many: Vec<&str> = std::iter::once("abc1").chain(std::iter::repeat_n("5.00", 9)).collect();
    let (import, rejects) = bytes("x.csv", amounts(&many), &mapped("account=a,time=t,amount=m")).unwrap();
    assert_eq!((minors(&import), rejects.len()), (vec![-500; 9], 1));
}

#[test]
fn dates_as_people_and_programs_write_them() {
    let read = |dates: &[&str]| {
        let row = |date: &&str| format!("x;{date};-1.00\n");
        let text = format!("a;t;m\n{}", dates.iter().map(row).collect::<String>());
        bytes("x.csv", text, &mapped("account=a,time=t,amount=m"))
    };
    let check = |dates: &[&str], expect: &[&str]| {
        let (import, rejects) = read(dates).unwrap();
        let found = times(&import);
        assert!(rejects.is_empty() && found.len() == expect.len(), "{dates:?}: {found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.starts_with(expect), "{dates:?}: {found} for {expect}");
        }
    };
    let days = ["2024-01-25T00", "2024-02-13T00"];
    check(&["25012024", "13022024"], &days);
    check(&["01252024", "02132024"], &days);
    check(&["25. 1. 2024", "13. 2. 2024"], &days);
    check(&["2024.01.25.", "2024.02.13."], &days);
    check(&["2024年1月25日", "2024年02月13日"], &days);
    check(&["Thu 25 Jan 2024", "Tue 13 Feb 2024"], &days);
    check(&["Do, 25.01.2024", "Di, 13.02.2024"], &days);
    check(&["jeudi 25 janvier 2024", "mardi 13 février 2024"], &days);
    check(&["25th January 2024", "13th February 2024"], &days);
    check(&["25 января 2024 г.", "13 февраля 2024 г."], &days);
    check(&["Thu 01/25/2024", "Tue 02/13/2024"], &days);
    check(&["25 01 2024", "13 02 2024"], &days);
    let clocks = ["2024-01-25T09:05", "2024-02-13T21:05"];
    check(&["25.01.2024 um 09:05 Uhr", "13.02.2024 um 21:05 Uhr"], &clocks);
    check(&["25/01/2024 9:05 a. m.", "13/02/2024 9:05 p. m."], &clocks);
    check(&["1/25/2024, 9:05:00 AM", "2/13/2024, 9:05:00 PM"], &clocks);
    check(&["25/01/2024 09h05", "13/02/2024 21h05"], &clocks);
    check(&["25.1.2024 9.05", "13.2.2024 21.05"], &clocks);
    check(&["20240125T090500Z", "20240213T210500Z"], &clocks);
    check(&["2024-01-25T10:05:00+01:00[Europe/Paris]", "2024-02-13T22:05:00+01:00[Europe/Paris]"], &clocks);
    check(&["2024-01-25 04:05:00 EST", "2024-02-13 16:05:00 EST"], &clocks);
    check(&["Thu Jan 25 09:05:00 2024", "Tue Feb 13 21:05:00 2024"], &clocks);
    check(&["1706173500000000", "1707858300000000"], &clocks);
    // What two readings fit, and what has no year, is said.
    for (dates, what) in [
        (["01022024", "03042024"], "which of its numbers is the month"),
        (["25-Jan", "3-Feb"], "the year of its dates"),
        (["01/25", "02/03"], "the year of its dates"),
    ] {
        let error = read(&dates).unwrap_err();
        assert!(matches!(&error, Error::Undecided { column, .. } if column == "t"), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn the_time_of_day_may_have_a_column_of_its_own() {
    let text = "a,d,h,m\nx,25.01.2024,09:05,-1.00\nx,13.02.2024,21:05:10,-2.00\n";
    let (import, _) = bytes("x.csv", text, &mapped("account=a,time=d,clock=h,amount=m")).unwrap();
    assert_eq!(times(&import), ["2024-01-25T09:05:00Z", "2024-02-13T21:05:10Z"]);
}

#[test]
fn lines_of_balances_are_no_transactions() {
    for (first, last) in [
        ("Opening Balance", "Closing Balance as of 01/31/2024"),
        ("Anfangssaldo", "Endsaldo:"),
        ("Solde initial", "Solde final"),
        ("Saldo początkowe", "SALDO KOŃCOWE"),
        ("BALANCE B/F", "Carried forward"),
    ] {
        let text = format!(
            "Date,Text,Amount\n2024-01-01,{first},100.00\n2024-01-05,New Balance Store,-4.50\n2024-01-31,{last},95.50\n"
        );
        for map in ["account=@x,time=Date,amount=Amount,counterparty=Text", "account=@x,time=Date,amount=Amount"] {
            let (import, rejects) = bytes("x.csv", &text, &mapped(map)).unwrap();
            assert_eq!((minors(&import), import.files[0].no_transaction), (vec![-450], 2), "{first}: {rejects:?}");
        }
    }
    // Most rows of a short file are totals.
    let text = "Date,Text,Amount\n2024-01-05,CAFE,-4.50\nSubtotal,,-4.50\nGrand total,,-4.50\n";
    let (import, _) = bytes("x.csv", text, &mapped("account=@x,time=Date,amount=Amount")).unwrap();
    assert_eq!((minors(&import), import.files[0].no_transaction), (vec![-450], 2));
}

#[test]
fn headers_as_programs_write_them() {
    let rows = "01/05/2024,01/06/2024,CAFE,Food,Sale,-4.50,\n01/25/2024,01/26/2024,SHOP,Food,Sale,-12.00,\n";
    let plain = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo";
    let query: Vec<String> = plain.split(',').map(|name| format!("Query1[{name}]")).collect();
    for header in [
        query.join(","),
        plain.replace("Amount", "Amount (USD)"),
        plain.replace("Transaction Date", "\"Transaction\nDate\""),
    ] {
        let (import, rejects) = bytes("Chase1234_Activity.csv", format!("{header}\n{rows}"), &options()).unwrap();
        assert_eq!(import.files[0].feed, "chase-card", "{header}");
        assert_eq!((minors(&import), rejects.len()), (vec![-450, -1_200], 0), "{header}");
    }
    // Another currency is another feed's.
    let header = plain.replace("Amount", "Amount (EUR)");
    assert!(bytes("Chase1234_Activity.csv", format!("{header}\n{rows}"), &options()).is_err());
}

#[test]
fn older_encodings_are_told_apart() {
    let text = "Data;Rodzaj;Kwota;Opis\n2024-01-05;Obciążenie;4,50;Żabka Łódź Piotrkowska\n\
                2024-01-06;Uznanie;12,00;Wypłata świadczeń społecznych\n";
    let map = mapped("account=@x,time=Data,amount=Kwota,counterparty=Opis");
    let (encoded, _, lost) = encoding_rs::WINDOWS_1250.encode(text);
    assert!(!lost);
    let (import, _) = bytes("x.csv", &*encoded, &map).unwrap();
    assert_eq!(minors(&import), [-450, 1_200]);
    let text = "日付,摘要,金額\n2024/01/05,コンビニエンスストア,-450\n2024/01/25,給与振込,120000\n";
    let (encoded, ..) = encoding_rs::SHIFT_JIS.encode(text);
    let (import, _) = bytes("x.csv", &*encoded, &mapped("account=@x,time=日付,amount=金額,currency=@JPY")).unwrap();
    assert_eq!(minors(&import), [-450, 120_000]);
}

#[test]
fn objects_may_lie_within_a_document() {
    let text =
        r#"{"data": {"items": [{"a": "1", "t": "2024-01-05", "m": -4.5}, {"a": "1", "t": "2024-01-25", "m": 12}]}}"#;
    let (import, _) = bytes("x.json", text, &mapped("account=a,time=t,amount=m,array=data.items")).unwrap();
    assert_eq!(minors(&import), [-450, 1_200]);
}
