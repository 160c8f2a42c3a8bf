//! More forms that files in the wild have: ways told by words alone, currencies that contradict a feed, replies of a
//! service in one file, columns whose late rows decide, whatever the file is stored as.

use crible_ingest::{Import, Mapping, Options, Preset, draft};

use crate::common::{Folder, bytes, import, options};

fn mapped(map: &str) -> Options {
    Options { map: Some(Mapping::parse(map).unwrap()), ..options() }
}

/// Amounts in minor units, in the order of the file.
fn minors(import: &Import) -> Vec<i64> {
    let row = |at| (import.batch.source(at).row, import.batch.get(at).amount.minor);
    let mut rows: Vec<(u64, i64)> = (0..import.batch.len()).map(row).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, minor)| minor).collect()
}

fn days(import: &Import) -> Vec<String> {
    import.batch.times().iter().map(|at| at.to_string()[..10].to_owned()).collect()
}

fn read(name: &str, text: &str, options: &Options) -> Import {
    bytes(name, text, options).unwrap().0
}

fn refused(name: &str, text: &str, options: &Options) -> String {
    bytes(name, text, options).map(|(import, _)| import.files).unwrap_err().to_string()
}

const MAP: &str = "account=a,amount=m,time=t";

#[test]
fn words_tell_the_way_of_amounts_without_signs() {
    for (out, into) in [("Debit", "Credit"), ("DR", "CR"), ("S", "H"), ("Af", "Bij"), ("OUT", "IN")] {
        let text = format!("t,a,k,m\n2024-01-01,x,{out},10.00\n2024-01-02,x,{into},5.00\n");
        let import = read("w.csv", &text, &mapped(MAP));
        assert_eq!(minors(&import), [-1_000, 500], "{out}, {into}");
        assert!(import.files[0].why.contains("tell the way"), "{}", import.files[0].why);
    }
    // What the user says goes before; a word that says neither makes it a question for the user.
    let text = "t,a,k,m\n2024-01-01,x,Debit,10.00\n2024-01-02,x,Credit,5.00\n2024-01-03,x,Fee,1.00\n";
    let import = read("w.csv", text, &mapped(MAP));
    assert_eq!(minors(&import), [-1_000, -500, -100]);
    assert!(import.files[0].warnings[0].contains("outflow=k:Debit"), "{:?}", import.files[0].warnings);
    let said = read("w.csv", text, &mapped("account=a,amount=m,time=t,sign=outflow-positive"));
    assert_eq!((minors(&said), said.files[0].warnings.len()), (vec![-1_000, -500, -100], 0));
    let objects = "{\"t\":\"2024-01-01\",\"a\":\"x\",\"k\":\"dr\",\"m\":10}\n{\"t\":\"2024-01-02\",\"a\":\"x\",\"k\":\"cr\",\"m\":5}\n";
    assert_eq!(minors(&read("w.jsonl", objects, &mapped(MAP))), [-1_000, 500]);
}

#[test]
fn a_currency_that_contradicts_the_feed_is_no_currency_of_it() {
    let chase = |amount: &str| {
        format!(
            "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n01/25/2024,01/26/2024,CAFE,Food,Sale,{amount},\n"
        )
    };
    for amount in ["-4.50 €", "-4.50 EUR", "£-4.50"] {
        let message = refused("c.csv", &chase(amount), &options());
        assert!(message.contains("its currency") && message.contains("USD"), "{message}");
    }
    for amount in ["-4.50 USD", "-$4.50", "-4.50", "'-4.50"] {
        assert_eq!(minors(&read("c.csv", &chase(amount), &options())), [-450], "{amount}");
    }
    // The digits of a column's currency decide as those of a constant do.
    let text = "a,t,m,c\nx,2024-01-01,84.125,KWD\nx,2024-01-02,588.045,KWD\n";
    assert_eq!(minors(&read("k.csv", text, &mapped("account=a,amount=m,time=t,currency=c"))), [-84_125, -588_045]);
}

#[test]
fn columns_of_two_ways_are_not_swapped_for_one_balance() {
    let schwab = |rows: &str| {
        let head = "Date,Status,Type,CheckNumber,Description,Withdrawal,Deposit,RunningBalance\n";
        read("s.csv", &format!("{head}{rows}"), &options())
    };
    let two = schwab("07/31/2022,Posted,INT,,Interest,,$1.00,$2.00\n02/03/2022,Posted,ACH,,Shop,$2.00,,$3.00\n");
    assert_eq!(minors(&two), [100, -200]);
    assert!(two.files[0].warnings[0].contains("they are read as they stand"), "{:?}", two.files[0].warnings);
    let many = schwab(
        "01/01/2022,Posted,ACH,,A,,$1.00,$9.00\n01/02/2022,Posted,ACH,,B,,$2.00,$7.00\n01/03/2022,Posted,ACH,,C,$4.00,,$11.00\n01/04/2022,Posted,ACH,,D,,$1.00,$10.00\n",
    );
    assert_eq!(minors(&many), [-100, -200, 400, -100]);
    assert!(many.files[0].warnings[0].contains("all signs are turned"), "{:?}", many.files[0].warnings);
}

#[test]
fn dates_that_name_the_month_are_not_asked_about() {
    for (first, second) in [
        ("05-Jan-24", "06-Jan-24"),
        ("2024.01.05", "2024.01.06"),
        ("\"Friday, January 5, 2024\"", "\"Saturday, January 6, 2024\""),
        ("\"Jan 5, 2024 10:11:12\"", "\"Jan 6, 2024 10:11:12\""),
    ] {
        let chase = format!(
            "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n{first},x,CAFE,Food,Sale,-4.50,\n{second},x,CAFE,Food,Sale,-4.50,\n"
        );
        assert_eq!(days(&read("c.csv", &chase, &options())), ["2024-01-05", "2024-01-06"], "{first}");
    }
}

fn plaid(id: &str, amount: f64) -> String {
    format!(
        r#"{{"transaction_id":"{id}","account_id":"a1","amount":{amount},"iso_currency_code":"USD","date":"2024-01-05","name":"CAFE","pending":false}}"#
    )
}

fn reply(added: &str, modified: &str, removed: &str) -> String {
    format!(r#"{{"added":[{added}],"modified":[{modified}],"removed":[{removed}]}}"#)
}

#[test]
fn replies_of_a_service_stand_in_one_file() {
    let first = reply(&[plaid("t1", 10.5), plaid("t2", 3.0)].join(","), "", "");
    let second = reply("", &plaid("t1", 12.5), r#"{"transaction_id":"t2","account_id":"a1"}"#);
    let third = reply("", &plaid("t1", 12.5), r#""t2""#);
    for text in [
        format!("{first}\n{second}\n"),
        format!("[{first},\n{second}]"),
        format!("{first}{third}"),
        format!("[ {} , {first},{second} ]", reply("", "", "")),
    ] {
        assert_eq!(minors(&read("p.json", &text, &options())), [-1_250], "{text}");
    }
    let (import, rejects) = bytes("p.json", format!("[{first}"), &options()).unwrap();
    assert_eq!(minors(&import), [-1_050, -300]);
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    assert!(refused("p.json", "[{\"added\":[]}]", &options()).contains("no object"));
}

#[test]
fn a_late_row_decides_in_objects_too() {
    let object = |t: &str, m: &str| format!("{{\"a\":\"x\",\"t\":\"{t}\",\"m\":\"{m}\"}}\n");
    let early = |t: &str, m: &str| object(t, m).repeat(2_400);
    let days_first = early("05/01/2024", "-4.50") + &object("25/01/2024", "1.50");
    let import = read("d.jsonl", &days_first, &mapped(MAP));
    assert_eq!((import.batch.len(), days(&import)[0].as_str()), (2_401, "2024-01-05"));
    let commas = early("2024-01-05", "84.125") + &object("2024-01-05", "1.084,12");
    let import = read("d.jsonl", &commas, &mapped(MAP));
    assert_eq!((minors(&import)[0], minors(&import)[2_400]), (-8_412_500, -108_412));
    assert!(refused("d.jsonl", &early("05/01/2024", "-4.50"), &mapped(MAP)).contains("month"));
}

#[test]
fn a_column_is_doubled_by_many_programs() {
    for second in ["Account.1", "Account_1", "Account_duplicated_0"] {
        let text = format!(
            "Timestamp,From Bank,Account,To Bank,{second},Amount Received,Receiving Currency,Amount Paid,Payment Currency,Payment Format,Is Laundering\n\
             2022/09/01 00:20,10,80A,10,80B,36.34,US Dollar,36.34,US Dollar,Cheque,0\n"
        );
        let import = read("i.csv", &text, &options());
        assert_eq!((import.files[0].feed.as_str(), minors(&import)), ("ibm-aml", vec![-3_634]), "{second}");
        assert_ne!(Some(import.batch.get(0).account), import.batch.get(0).counterparty);
    }
}

#[test]
fn records_of_bai2_are_joined_by_some_and_texts_have_slashes() {
    let joined = "01,122099999,123456789,240105,0700,1,80,1,2/\n02,031001234,122099999,1,240105,2359,USD,2/\n\
                  03,0123456789,USD,010,5000,,/\n16,475,1000,Z,BR1,CR1,ACME 12/16,500 OF MAY/16,195,2000,Z,BR2,CR2,WIRE/49,8000,4/\n98,8000,1,6/\n99,8000,1,8/\n";
    let import = read("b.bai", joined, &options());
    assert_eq!((minors(&import), import.files[0].warnings.clone()), (vec![-1_000, 2_000], vec![]));
    let spaced = joined.replace('\n', " ");
    assert_eq!(minors(&read("b.bai", &spaced, &options())), [-1_000, 2_000]);
}

#[test]
fn an_archive_within_an_archive_is_read_and_no_deeper() {
    let pack = |members: &[(&str, &[u8])]| crate::inputs::zip(members, zip::CompressionMethod::Deflated);
    let folder = Folder::new();
    let (one, two) = (crate::inputs::one("1"), crate::inputs::one("2"));
    let inner = pack(&[("a.csv", one.as_bytes())]);
    let outer = folder.file("outer.zip", pack(&[("inner.zip", &inner), ("b.csv", two.as_bytes())]));
    let (import, _) = import(&[outer], &options()).unwrap();
    let paths: Vec<String> = import.files.iter().map(|file| file.path.display().to_string()).collect();
    assert!(paths[0].ends_with("outer.zip/b.csv") && paths[1].ends_with("outer.zip/inner.zip/a.csv"), "{paths:?}");
    assert_eq!(import.batch.len(), 2);
    let deep = folder.file("deep.zip", pack(&[("outer.zip", &pack(&[("inner.zip", &inner)]))]));
    let message = crate::common::import(&[deep], &options()).map(|(import, _)| import.files).unwrap_err().to_string();
    assert!(message.contains("a zip archive within another"), "{message}");
}

fn drafted(text: &str) -> String {
    let folder = Folder::new();
    let path = folder.file("draft.csv", text);
    let draft = draft(&path, None).unwrap();
    Preset::from_toml(&draft.toml, "draft.toml").unwrap_or_else(|error| panic!("{error}\n{}", draft.toml));
    draft.toml
}

#[test]
fn drafts_know_ways_names_and_doubled_columns() {
    let toml =
        drafted("Datum;Konto;Empfänger;Soll/Haben;Betrag\n05.01.2024;47;CAFE;S;200,00\n25.01.2024;47;REFUND;H;50,00\n");
    assert!(toml.contains("outflow = { column = \"Soll/Haben\", values = [\"S\"] }"), "{toml}");
    assert!(
        toml.contains("inflow = { column = \"Soll/Haben\", values = [\"H\"] }") && !toml.contains("sign ="),
        "{toml}"
    );
    let toml = drafted(
        "TransferWise ID,Date,Amount,Currency,Description,Payer Name,Payee Name,Merchant\n\
         C-1,05-01-2024,-4.50,EUR,Card,,,Cafe\nT-2,16-01-2024,-9.50,EUR,Sent money,,Bo Roe,\nT-3,18-01-2024,9.00,EUR,Received,ACME,,\n",
    );
    assert!(toml.contains("or = [\"Payee Name\", \"Payer Name\", \"Description\"]"), "{toml}");
    let toml = drafted("Timestamp,Account,Account.1,Paid\n2024-01-05 10:00,A1,B1,4.50\n2024-01-06 10:00,A1,B2,5.50\n");
    assert!(toml.contains("column = \"Account.1\""), "{toml}");
    let toml = drafted(
        "Date,Account,Payee,Amount (EUR),Original Currency\n2024-01-05,A1,B1,-4.50,USD\n2024-01-06,A1,B2,-5.50,EUR\n",
    );
    assert!(toml.contains("constant = \"EUR\""), "{toml}");
}
