//! Values as files in the wild have them: signs that a column gives, one account in several downloads, payees within
//! texts, separators that the whole column decides, cells as people save them.

use std::path::PathBuf;

use crible_ingest::{Import, Mapping, Options, Owner, Reject, Window, stream};

use crate::common::{Folder, bytes, import, options, told};

fn mapped(map: &str) -> Options {
    Options { map: Some(Mapping::parse(map).unwrap()), ..options() }
}

/// Amounts in minor units, in the order of the file.
fn minors(import: &Import) -> Vec<i64> {
    let mut rows: Vec<(u64, i64)> =
        (0..import.batch.len()).map(|row| (import.batch.source(row).row, import.batch.get(row).amount.minor)).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, minor)| minor).collect()
}

fn days(import: &Import) -> Vec<String> {
    import.batch.times().iter().map(|at| at.to_string()[..10].to_owned()).collect()
}

fn warned(import: &Import, what: &str) -> bool {
    import.files.iter().flat_map(|file| &file.warnings).any(|warning| warning.contains(what))
}

fn refused(name: &str, text: &str, options: &Options) -> String {
    bytes(name, text, options).map(|(import, _)| import.files).unwrap_err().to_string()
}

/// The same files as a stream give the same transactions, counts and warnings.
fn streamed(inputs: &[PathBuf], options: &Options, held: &(Import, Vec<Reject>)) {
    let mut rejects = Vec::new();
    let mut push = |reject| rejects.push(reject);
    let mut stream = stream(inputs, options, Window { rows: 4 }, &mut push, &|_| {}).unwrap();
    let ids: Vec<_> = (&mut stream).flat_map(|batch| batch.ids().to_vec()).collect();
    let done = stream.finish();
    let counts = |files: &[crible_ingest::FileReport]| -> Vec<_> {
        files.iter().map(|file| (file.read, file.accepted, file.known, file.rejected, file.warnings.clone())).collect()
    };
    assert_eq!(ids, held.0.batch.ids());
    assert_eq!(counts(&done.files), counts(&held.0.files));
    assert_eq!(rejects, held.1);
}

const C360: &str =
    "Account Number,Transaction Date,Transaction Amount,Transaction Type,Transaction Description,Balance";

#[test]
fn a_column_of_types_tells_the_way() {
    let text = format!("{C360}\n4795,08/12/26,200.00,Debit,CAFE,500.00\n4795,08/13/26,50.00,credit,REFUND,550.00\n");
    let (import, _) = bytes("c.csv", &text, &options()).unwrap();
    assert_eq!((minors(&import), import.files[0].warnings.clone()), (vec![-20_000, 5_000], vec![]));
    // A word of neither way is no guess.
    let odd = text.replace("credit", "Reversal");
    let (import, rejects) = bytes("c.csv", &odd, &options()).unwrap();
    assert_eq!((import.batch.len(), rejects[0].column.as_str()), (1, "Transaction Type"));
    assert!(rejects[0].reason.contains("Debit, Credit"), "{}", rejects[0].reason);
    let map = "account=a,time=t,amount=m,outflow=k:out|fee,inflow=k:in";
    let (import, _) =
        bytes("m.csv", "a,t,m,k\nx,2024-01-05,5,Out\nx,2024-01-06,7,in\nx,2024-01-07,-1,FEE\n", &mapped(map)).unwrap();
    assert_eq!(minors(&import), [-500, 700, -100]);
    // All words but those named flow in.
    let map = "account=a,time=t,amount=m,outflow=k:out";
    let (import, _) = bytes("m.csv", "a,t,m,k\nx,2024-01-05,5,out\nx,2024-01-06,7,pay\n", &mapped(map)).unwrap();
    assert_eq!(minors(&import), [-500, 700]);
}

#[test]
fn balances_that_contradict_all_signs_turn_them() {
    let text = format!(
        "{C360}\n1,08/12/26,20.00,Credit,CAFE,480.00\n1,08/13/26,50.00,Debit,PAY,530.00\n1,08/14/26,9.00,Credit,BAR,521.00\n"
    );
    let (import, _) = bytes("c.csv", &text, &options()).unwrap();
    assert_eq!(minors(&import), [-2_000, 5_000, -900]);
    assert!(warned(&import, "signs are turned"), "{:?}", import.files[0].warnings);
    let chase = "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n";
    let rows = "DEBIT,01/05/2024,CAFE,4.00,DEBIT_CARD,96.00,\nDEBIT,01/04/2024,BAR,7.00,DEBIT_CARD,100.00,\nCREDIT,01/03/2024,PAY,-50.00,ACH_CREDIT,107.00,\n";
    let (import, _) = bytes("Chase1_Activity.csv", format!("{chase}{rows}"), &options()).unwrap();
    assert_eq!(minors(&import), [-400, -700, 5_000]);
    assert!(warned(&import, "signs are turned"));
}

#[test]
fn balances_find_the_column_that_tells_the_way_or_the_file_is_refused() {
    let map = "account=a,time=t,amount=m,balance=b";
    let rows = "a,t,m,b,kind\nx,2024-01-05,5.00,95.00,POS\nx,2024-01-06,50.00,145.00,PAY\nx,2024-01-07,8.00,137.00,POS\nx,2024-01-08,7.00,130.00,POS\nx,2024-01-09,9.00,139.00,PAY\n";
    let (import, _) = bytes("m.csv", rows, &mapped(map)).unwrap();
    assert_eq!(minors(&import), [-500, 5_000, -800, -700, 900]);
    assert!(warned(&import, "contradict") && warned(&import, "`kind`"), "{:?}", import.files[0].warnings);
    let without = rows.replace("POS", "x").replace("PAY", "x");
    let error = refused("m.csv", &without, &mapped(map));
    assert!(error.contains("contradict the signs of 2 of 4 amounts") && error.contains("outflow="), "{error}");
    // A sign that the user gave is not turned behind his back.
    let error =
        refused("m.csv", &rows.replace(",50.00,", ",-50.00,"), &mapped(&format!("{map},sign=outflow-negative")));
    assert!(error.contains("contradict"), "{error}");
}

#[test]
fn right_signs_are_left_alone_in_any_order_of_rows() {
    let chase = "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n";
    for rows in [
        // Newest first, equal amounts.
        "DEBIT,01/05/2024,A,-4.00,D,92.00,\nDEBIT,01/04/2024,B,-4.00,D,96.00,\nDEBIT,01/03/2024,C,-4.00,D,100.00,\n",
        // Oldest first.
        "DEBIT,01/03/2024,A,-4.00,D,96.00,\nDEBIT,01/04/2024,B,-4.00,D,92.00,\nCREDIT,01/05/2024,C,9.00,D,101.00,\n",
        // Balances that do not run.
        "DEBIT,01/03/2024,A,-4.00,D,7.00,\nDEBIT,01/04/2024,B,-4.00,D,11.00,\nDEBIT,01/05/2024,C,-9.00,D,0.00,\nDEBIT,01/06/2024,C,-9.00,D,70.00,\n",
    ] {
        let (import, _) = bytes("Chase1_Activity.csv", format!("{chase}{rows}"), &options()).unwrap();
        assert!(minors(&import)[0] < 0 && !warned(&import, "sign"), "{rows}: {:?}", import.files[0].warnings);
    }
}

const DISCOVER: &str = "Trans. Date,Post Date,Description,Amount,Category\n";

#[test]
fn two_downloads_of_one_account_are_one() {
    let folder = Folder::new();
    let shop = "01/20/2024,01/21/2024,SHOP,30.00,Merchandise\n";
    let january = folder.file(
        "Discover-Statement-20240131.csv",
        format!("{DISCOVER}01/05/2024,01/06/2024,CAFE,4.50,Restaurants\n{shop}{shop}"),
    );
    let year = folder.file(
        "Discover-Last12Months-20240630.csv",
        format!("{DISCOVER}{shop}{shop}{shop}03/02/2024,03/03/2024,FUEL,41.00,Gasoline\n"),
    );
    let files = [january, year];
    let read = import(&files, &options()).unwrap();
    let counts: Vec<_> = read.0.files.iter().map(|file| (file.accepted, file.known)).collect();
    // Three equal purchases in one file are three; two of them are in the other file as well.
    assert_eq!(counts, [(4, 0), (1, 2)]);
    let accounts: std::collections::HashSet<_> = read.0.batch.accounts().iter().collect();
    assert_eq!(accounts.len(), 1);
    streamed(&files, &options(), &read);
}

#[test]
fn the_user_names_accounts_or_a_folder_does() {
    let folder = Folder::new();
    let row = |shop: &str| format!("{DISCOVER}01/20/2024,01/21/2024,{shop},30.00,Merchandise\n");
    for name in ["blue", "gold"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let files =
        [folder.file("blue/a.csv", row("X")), folder.file("gold/a.csv", row("X")), folder.file("gold/b.csv", row("Y"))];
    let by = |account: Owner| {
        let options = Options { account: Some(account), ..options() };
        let (import, _) = import(&files, &options).unwrap();
        told(&import.batch, &["blue", "gold", "mine"])
            .iter()
            .map(|row| row.split(" | ").nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut folders = by(Owner::Folder);
    folders.sort();
    assert_eq!(folders, ["blue", "gold", "gold"]);
    assert_eq!(by(Owner::Named("mine".to_owned())), ["mine", "mine"]);
    // Statements that name no account, too; a column that names one stays.
    let named = Options { account: Some(Owner::Named("mine".to_owned())), ..options() };
    let (import, _) = bytes("x.qif", "!Type:Bank\nD01/25/2024\nT-5\nPShop\n^\n", &named).unwrap();
    assert!(told(&import.batch, &["mine"])[0].contains("| mine |"));
    let (import, _) = bytes("c.csv", format!("{C360}\n4795,08/12/26,200.00,Debit,CAFE,500.00\n"), &named).unwrap();
    assert!(told(&import.batch, &["4795"])[0].contains("| 4795 |"));
}

#[test]
fn trusted_ids_are_known_whatever_a_file_is_called() {
    let folder = Folder::new();
    let head = "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,Transaction ID\n";
    let row = "01/25/2024,09:00:00,PST,Ann Poe,Payment,Completed,USD,5.00,0.00,5.00,T1\n";
    let files = [folder.file("mine.csv", format!("{head}{row}")), folder.file("yours.csv", format!("{head}{row}"))];
    let read = import(&files, &options()).unwrap();
    assert_eq!(read.0.files.iter().map(|file| (file.accepted, file.known)).collect::<Vec<_>>(), [(1, 0), (0, 1)]);
    streamed(&files, &options(), &read);
}

const CHASE: &str = "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n";

#[test]
fn payees_repeat_and_the_text_still_tells_rows_apart() {
    let row = |text: &str| format!("DEBIT,01/05/2024,\"{text}\",-1.00,QUICKPAY_DEBIT,,\n");
    let text = [
        CHASE,
        &row("Zelle payment to Ann Poe JPM99a000001"),
        &row("Zelle payment to Ann Poe JPM99a000002"),
        &row("Zelle payment to Ben Roe JPM99a000003"),
    ]
    .concat();
    let (import, _) = bytes("Chase1_Activity.csv", &text, &options()).unwrap();
    let rows = told(&import.batch, &["ANN POE", "BEN ROE"]);
    assert_eq!(rows.iter().filter(|row| row.contains("ANN POE")).count(), 2, "{rows:?}");
    assert_eq!(rows.iter().filter(|row| row.contains("BEN ROE")).count(), 1);
    assert_eq!(import.batch.ids().iter().collect::<std::collections::HashSet<_>>().len(), 3);
    // A mapping does so where it is asked to.
    let map = "account=a,time=t,amount=m,sign=outflow-negative,counterparty=c";
    let text = "a,t,m,c\nx,2024-01-05,-5,SQ *CORNER CAFE\nx,2024-01-06,-5,CORNER CAFE #77\n";
    let parties = |map: &str| {
        let (import, _) = bytes("m.csv", text, &mapped(map)).unwrap();
        import.batch.iter().map(|txn| txn.counterparty).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!((parties(map), parties(&format!("{map},payee=en"))), (2, 1));
}

#[test]
fn fields_of_mt940_name_the_payee_whatever_parts_them() {
    let text = |description: &str| {
        format!(":20:1\n:25:X1\n:28C:1\n:60F:C240101EUR100,00\n:61:2401020102D1,00NTRFNONREF\n:86:{description}\n")
    };
    for description in [
        "020?00X?20REF 77?32ANN POE",
        "020~00X~20REF 78~32ANN ~33POE",
        "020^00X^20REF 79^32ANN POE",
        "/TRTP/SEPA/NAME/Ann Poe/REMI/rent",
        "/ORDP//NAME/Ann Poe/REMI/RENT 2",
    ] {
        let (import, _) = bytes("x.sta", text(description), &options()).unwrap();
        let rows = told(&import.batch, &["ANN POE"]);
        assert!(rows[0].contains("| ANN POE |"), "{description}: {rows:?}");
    }
}

#[test]
fn separators_are_decided_by_the_column_or_both_readings_are_shown() {
    let map = "account=a,time=t,amount=m,sign=outflow-negative";
    let read = |values: &[&str], map: &str| {
        let rows: String = values.iter().map(|value| format!("x;2024-01-05;{value}\n")).collect();
        bytes("m.csv", format!("a;t;m\n{rows}"), &mapped(map))
            .map(|(import, _)| minors(&import))
            .map_err(|error| error.to_string())
    };
    assert_eq!(read(&["84.9049", "588.047"], map), Ok(vec![8_490, 58_805]));
    assert_eq!(read(&["-1.004", "-4,50"], map), Ok(vec![-100_400, -450]));
    assert_eq!(read(&["84.125", "588.045"], &format!("{map},currency=@KWD")), Ok(vec![84_125, 588_045]));
    assert_eq!(read(&["84.125", "588.045"], &format!("{map},currency=@JPY")), Ok(vec![84_125, 588_045]));
    assert_eq!(read(&["1 234,50", "-7,00"], map), Ok(vec![123_450, -700]));
    assert_eq!(read(&["1'234.50", "-7.00"], map), Ok(vec![123_450, -700]));
    assert_eq!(read(&["-12.50 USD", "USD 3"], map), Ok(vec![-1_250, 300]));
    let error = read(&["84.125", "588.045"], map).unwrap_err();
    assert!(error.contains("`84.125` is 84.125 or 84125") && error.contains("amount-format=money-comma"), "{error}");
    assert_eq!(
        read(&["84.125", "588.045"], &format!("{map},amount-format=money-comma")),
        Ok(vec![8_412_500, 58_804_500])
    );
    // The balance is written by the same hand.
    let text = "a;t;m;b\nx;2024-01-05;-84.125;915.50\nx;2024-01-06;-1.500;914.00\n";
    let (import, _) = bytes("m.csv", text, &mapped(&format!("{map},balance=b"))).unwrap();
    assert_eq!(minors(&import), [-8_412, -150]);
}

#[test]
fn the_value_that_decides_may_stand_far_below() {
    let map = "account=a,time=t,amount=m,sign=outflow-negative";
    let rows = |last: &str| {
        let mut text = "a;t;m\n".to_owned();
        for row in 0..60_000 {
            text.push_str(&format!("x;{:02}/0{}/2024;1.5{:02}\n", row % 12 + 1, row % 9 + 1, row % 90 + 10));
        }
        text + last
    };
    let error = refused("m.csv", &rows(""), &mapped(map));
    assert!(error.contains("which of its numbers is the month"), "{error}");
    let (import, rejects) = bytes("m.csv", rows("x;25/01/2024;2,50\n"), &mapped(map)).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (60_001, 0));
    assert_eq!(minors(&import)[0], 151_000);
    // A feed whose own form has the month first, in a file that shows late that it has the day first.
    let feed = |last: &str| {
        let mut text = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n".to_owned();
        for row in 0..60_000 {
            text.push_str(&format!("0{}/02/2024,,CAFE,Food,Sale,-{}.50,\n", row % 9 + 1, row));
        }
        text + last
    };
    let (import, _) = bytes("Chase1_Activity.csv", feed(""), &options()).unwrap();
    assert!(days(&import)[0].starts_with("2024-01-02"));
    let (import, rejects) =
        bytes("Chase1_Activity.csv", feed("25/01/2024,,BAR,Food,Sale,-1.00,\n"), &options()).unwrap();
    assert_eq!((days(&import)[0].as_str(), rejects.len()), ("2024-01-25", 0));
    assert!(import.files[0].why.contains("%d/%m/%Y"), "{}", import.files[0].why);
}

#[test]
fn a_feed_saved_by_a_spreadsheet_is_read_by_its_columns() {
    let feed = |delimiter: &str, rows: &[[&str; 2]]| {
        let head =
            ["Transaction Date", "Post Date", "Description", "Category", "Type", "Amount", "Memo"].join(delimiter);
        let rows: String = rows
            .iter()
            .map(|[date, amount]| format!("{}\n", [date, "", "CAFE", "Food", "Sale", amount, ""].join(delimiter)))
            .collect();
        let (import, rejects) = bytes("Chase1_Activity.csv", format!("{head}\n{rows}"), &options()).unwrap();
        assert_eq!(rejects, [], "{rows}");
        (days(&import), minors(&import))
    };
    let expect = (vec!["2024-01-05".to_owned(), "2024-01-25".to_owned()], vec![-450, -100_450]);
    for (delimiter, rows) in [
        (";", [["05.01.2024", "-4,50"], ["25.01.2024", "-1.004,50"]]),
        (";", [["05.01.24", "-4,50"], ["25.01.24", "-1 004,50"]]),
        (",", [["2024-01-05", "-4.50"], ["2024-01-25", "\"-1,004.50\""]]),
        (",", [["05/01/2024", "-4.50"], ["25/01/2024", "-1004.50"]]),
        (",", [["1/5/24", "-4.50 USD"], ["1/25/24", "($1'004.50)"]]),
        (",", [["2024-01-05 00:00:00", "\"=\"\"-4.50\"\"\""], ["2024-01-25 00:00:00", "\"=\"\"-1004.50\"\"\""]]),
        (",", [["=\"01/05/2024\"", "=\"-4.50\""], ["=\"01/25/2024\"", "=\"-1004.50\""]]),
        ("\t", [["5 Jan 2024", "-4.5000"], ["25 Jan 2024", "-1004.5"]]),
    ] {
        assert_eq!(feed(delimiter, &rows), expect, "{rows:?}");
    }
    // Parted as the feed does not: which is the day?
    let text = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n05-01-2024,,CAFE,Food,Sale,-4.50,\n";
    assert!(refused("Chase1_Activity.csv", text, &options()).contains("which of its numbers is the month"));
}

#[test]
fn more_digits_than_a_currency_has_are_rounded_and_counted() {
    let text = format!("{CHASE}DEBIT,01/05/2024,A,-4.505,D,95.4951,\nDEBIT,01/06/2024,B,-1.00,D,not known,\n");
    let read = bytes("Chase1_Activity.csv", &text, &options()).unwrap();
    assert_eq!((minors(&read.0), read.1.len()), (vec![-450, -100], 0));
    assert!(warned(&read.0, "half to even: 2") && warned(&read.0, "`Balance`"), "{:?}", read.0.files[0].warnings);
    let folder = Folder::new();
    streamed(
        &[folder.file("Chase1_Activity.csv", &text)],
        &options(),
        &import(&[folder.file("Chase1_Activity.csv", &text)], &options()).unwrap(),
    );
}

#[test]
fn places_off_the_earth_are_unknown_and_counted() {
    let map = "account=a,time=t,amount=m,sign=outflow-negative,latitude=n,longitude=e";
    let rows = "a,t,m,n,e\nx,2024-01-05,-1,91,2\nx,2024-01-06,-1,48,181\nx,2024-01-07,-1,nan,1\nx,2024-01-08,-1,48,2\n";
    let (import, rejects) = bytes("m.csv", rows, &mapped(map)).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (4, 0));
    assert_eq!(import.batch.iter().filter(|txn| txn.position.is_some()).count(), 1);
    assert!(warned(&import, "`n`") && warned(&import, "`e`"), "{:?}", import.files[0].warnings);
}

#[test]
fn numbers_cut_by_a_spreadsheet_are_warned_of_by_column_and_row() {
    let map = "account=a,time=t,amount=m,sign=outflow-negative,counterparty=c";
    let rows = "a,t,m,c\nx,2024-01-05,-1,1\n3.48702E+14,2024-01-06,-1,2\n3.48702E+14,2024-01-07,-2,4e+15\n";
    let folder = Folder::new();
    let files = [folder.file("m.csv", rows)];
    let read = import(&files, &mapped(map)).unwrap();
    let told = read.0.files[0].warnings.join("\n");
    assert!(
        told.contains("column `a`: numbers")
            && told.contains(": 2, the first in rows 1, 2;")
            && told.contains("column `c`: numbers"),
        "{told}"
    );
    assert!(told.contains("E+") && !told.contains("348702"), "{told}");
    streamed(&files, &mapped(map), &read);
}

#[test]
fn a_number_that_a_data_frame_made_a_float_is_the_same_account() {
    let map = "account=a,time=t,amount=m,sign=outflow-negative,counterparty=c,id=i";
    let rows = |zero: &str| format!("a,t,m,c,i\n17{zero},2024-01-05,-1,4{zero},9{zero}\n");
    let folder = Folder::new();
    let files = [folder.file("a.csv", rows("")), folder.file("b.csv", rows(".0"))];
    let (import, _) = import(&files, &mapped(map)).unwrap();
    assert_eq!(import.files.iter().map(|file| (file.accepted, file.known)).collect::<Vec<_>>(), [(1, 0), (0, 1)]);
}

#[test]
fn what_a_sync_modifies_or_removes_is_so_in_every_file() {
    let row = |id: &str, amount: &str| {
        format!(
            "{{\"transaction_id\":\"{id}\",\"account_id\":\"a\",\"amount\":{amount},\"iso_currency_code\":\"USD\",\"date\":\"2024-01-05\",\"name\":\"CAFE\",\"pending\":false}}"
        )
    };
    let page = |added: &str, modified: &str, removed: &str| {
        format!("{{\"added\":[{added}],\"modified\":[{modified}],\"removed\":[{removed}],\"has_more\":false}}")
    };
    let folder = Folder::new();
    let one = page(&[row("t1", "10.5"), row("t2", "3"), row("t3", "4")].join(","), &row("t1", "11.5"), "");
    let two = page(
        &row("t4", "7"),
        &[row("t1", "12.5"), row("t9", "1")].join(","),
        "{\"transaction_id\":\"t2\",\"account_id\":\"a\"}",
    );
    let files = [folder.file("sync-1.json", one), folder.file("sync-2.json", two)];
    let read = import(&files, &options()).unwrap();
    let mut amounts: Vec<i64> = read.0.batch.iter().map(|txn| txn.amount.minor).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [-1_250, -700, -400, -100]);
    let counts: Vec<_> =
        read.0.files.iter().map(|file| (file.read, file.accepted, file.known, file.rejected)).collect();
    assert_eq!(counts, [(4, 1, 2, 1), (4, 3, 0, 1)]);
    streamed(&files, &options(), &read);
    let reverse = [files[1].clone(), files[0].clone()];
    assert_eq!(import(&reverse, &options()).unwrap().0.batch, read.0.batch);
}

#[test]
fn dates_of_mt940_are_those_of_the_nearest_year() {
    let day = |entry: &str| {
        let text = format!(":20:1\n:25:X1\n:28C:1\n:60F:C240101EUR100,00\n:61:{entry}NTRFNONREF\n:86:x\n");
        let (import, rejects) = bytes("x.sta", text, &options()).unwrap();
        assert_eq!(rejects, [], "{entry}");
        days(&import).remove(0)
    };
    assert_eq!(day("2312310203D12,50"), "2024-02-03");
    assert_eq!(day("2402031231D12,50"), "2023-12-31");
    assert_eq!(day("2312310102D12,50"), "2024-01-02");
    assert_eq!(day("2406150610D12,50"), "2024-06-10");
    assert_eq!(day("200101    D65,00"), "2020-01-01");
    assert_eq!(day("200101D65,00"), "2020-01-01");
    // Months of thirty days.
    assert_eq!(day("1602300301D6,00"), "2016-02-29");
    assert_eq!(day("1502290301D6,00"), "2015-02-28");
    assert_eq!(day("150230D6,00"), "2015-02-28");
    assert_eq!(day("1602290301D6,00"), "2016-03-01");
    let (_, rejects) = bytes(
        "x.sta",
        ":20:1\n:25:X1\n:28C:1\n:60F:C240101EUR1,\n:61:240431D1,NTRFX\n:61:240401D1,NTRFX\n",
        &options(),
    )
    .unwrap();
    assert_eq!(rejects.len(), 1);
}

#[test]
fn camt_is_dated_by_details_and_statement_and_split_by_instructed_amounts() {
    let statement = |entries: &str| {
        format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><CreDtTm>2024-02-03T08:00:00</CreDtTm></GrpHdr>\
             <Stmt><CreDtTm>2024-02-01T08:00:00</CreDtTm><Acct><Id><IBAN>NL38ABNA0554789741</IBAN></Id></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
        )
    };
    let entry = |amount: &str, rest: &str| {
        format!("<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>{rest}</Ntry>")
    };
    let details = "<NtryDtls><TxDtls><RltdDts><IntrBkSttlmDt>2024-01-15</IntrBkSttlmDt></RltdDts></TxDtls></NtryDtls>";
    let (import, _) =
        bytes("x.xml", statement(&[entry("10.00", details), entry("11.00", "")].concat()), &options()).unwrap();
    assert_eq!(
        (days(&import), warned(&import, "2 entries have no date")),
        (vec!["2024-01-15".to_owned(), "2024-02-01".to_owned()], true)
    );
    let part = |amount: &str, currency: &str| {
        format!("<TxDtls><AmtDtls><InstdAmt><Amt Ccy=\"{currency}\">{amount}</Amt></InstdAmt></AmtDtls></TxDtls>")
    };
    let batch = |currency: &str| {
        let parts = [part("10.00", currency), part("20.00", currency)].concat();
        statement(&entry("30.00", &format!("<BookgDt><Dt>2024-01-15</Dt></BookgDt><NtryDtls>{parts}</NtryDtls>")))
    };
    let (import, _) = bytes("x.xml", batch("EUR"), &options()).unwrap();
    let mut amounts: Vec<i64> = import.batch.iter().map(|txn| txn.amount.minor).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [-2_000, -1_000]);
    // What was instructed in another currency makes up no sum of this one.
    let (import, _) = bytes("x.xml", batch("USD"), &options()).unwrap();
    assert_eq!((import.batch.len(), warned(&import, "read as one entry")), (1, true));
}

#[test]
fn ofx_amounts_are_read_as_banks_write_them() {
    let ofx = |amounts: &[&str], account: &str| {
        let rows: String = amounts
            .iter()
            .enumerate()
            .map(|(at, amount)| {
                format!(
                    "<STMTTRN><TRNTYPE>OTHER<DTPOSTED>202401{:02}<TRNAMT>{amount}<FITID>{at}<NAME>X</STMTTRN>",
                    at + 10
                )
            })
            .collect();
        format!(
            "OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD{account}<BANKTRANLIST>{rows}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
        )
    };
    let of = |amounts: &[&str]| {
        let (import, rejects) =
            bytes("x.ofx", ofx(amounts, "<BANKACCTFROM><ACCTID>9</BANKACCTFROM>"), &options()).unwrap();
        (minors(&import), rejects.into_iter().map(|reject| reject.reason).collect::<Vec<_>>())
    };
    assert_eq!(of(&["-1,650.00", "-995.4190396554627", "1.400,82"]).0, [-165_000, -99_542, 140_082]);
    assert_eq!(of(&["1,234", "5.00"]).0, [123_400, 500]);
    assert_eq!(of(&["1.234", "5,00"]).0, [123_400, 500]);
    let (read, reasons) = of(&["1,234"]);
    assert!(read.is_empty() && reasons[0].contains("reads as 1234 and as 1.234"), "{reasons:?}");
    let folder = Folder::new();
    let files =
        [folder.file("joint-2024-01.ofx", ofx(&["-1", "-2"], "")), folder.file("joint-2024-02.ofx", ofx(&["-3"], ""))];
    let (import, _) = import(&files, &options()).unwrap();
    assert!(told(&import.batch, &["joint"]).iter().all(|row| row.contains("| joint |")));
    assert!(warned(&import, "name no account"));
}

#[test]
fn qif_has_remarks_switches_and_lists() {
    let text = "# exported by tool\n!Clear:AutoSwitch\n!Option:AutoSwitch\n!Account\nNChecking\n^\n!Clear:AutoSwitch\n!Type:Cat\nNFood\n^\nNFuel\n^\n!Type:Bank\nD20240115\nT-5.00\nPSHOP\n^\n!Type:Mystery\nD20240116\nT-6.00\n^\n";
    let (import, rejects) = bytes("x.qif", text, &options()).unwrap();
    assert_eq!((days(&import), minors(&import)), (vec!["2024-01-15".to_owned()], vec![-500]));
    assert!(warned(&import, "2 entries are of lists"), "{:?}", import.files[0].warnings);
    assert_eq!((rejects.len(), rejects[0].reason.contains("no known kind")), (1, true));
    let open = refused("x.qif", "!Type:Bank\nD20240115\nT1,234\n^\n", &options());
    assert!(open.contains("`1,234` is 1234 or 1.234"), "{open}");
}

#[test]
fn bai_records_may_share_a_line() {
    let text = "01,A,B,240105,0800,1,,,2/02,B,A,1,240105,,USD,2/03,99,USD,,,,/16,475,1050,0,,,CORNER CAFE/16,165,900,0,,,PAY 01/02,X/49,1950,4/98,1950,1,6/99,1950,1,8/\n";
    let (import, rejects) = bytes("x.bai", text, &options()).unwrap();
    assert_eq!((minors(&import).len(), rejects.len()), (2, 0), "{rejects:?}");
}

#[test]
fn undecodable_letters_in_a_text_cost_no_row() {
    let text = ":20:1\n:25:X1\n:28C:1\n:60F:C240101EUR100,00\n:61:2401020102D1,00NTRFNONREF\n:86:Caf\u{fffd} am Eck\n:61:2401030103D1,00NTRFNONREF\n";
    let (import, rejects) = bytes("x.sta", text, &options()).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (2, 0));
    let (_, rejects) = bytes("x.sta", text.replace(":25:X1", ":25:X\u{fffd}"), &options()).unwrap();
    assert_eq!(rejects.len(), 2);
}

#[test]
fn cyrillic_of_windows_is_read_as_what_it_is() {
    let row = "a,t,m,c\nx,2024-01-05,-5,\u{41a}\u{430}\u{444}\u{435} \u{443} \u{434}\u{43e}\u{43c}\u{430}\n";
    let (encoded, _, _) = encoding_rs::WINDOWS_1251.encode(row);
    let (import, _) =
        bytes("m.csv", &encoded, &mapped("account=a,time=t,amount=m,counterparty=c,sign=outflow-negative")).unwrap();
    let name = "\u{41a}\u{430}\u{444}\u{435} \u{443} \u{434}\u{43e}\u{43c}\u{430}";
    assert!(told(&import.batch, &[name])[0].contains(name));
    assert!(import.files[0].why.contains("Windows-1251"), "{}", import.files[0].why);
}

#[test]
fn a_mapping_finds_its_header_below_other_lines() {
    let text = "Statement of account\nFrom,2024-01-01\n\nAcct,When,Sum\nx,2024-01-05,-5.00\n";
    let (import, _) = bytes("m.csv", text, &mapped("account=Acct,time=When,amount=Sum")).unwrap();
    assert_eq!(minors(&import), [-500]);
}
