//! What transactions mean beside what they are, and that it does not depend on the order of the files.

use std::path::PathBuf;

use crible_core::{Batch, Undo};
use crible_ingest::{Import, Mapping, Options, Reject};

use crate::common::{Folder, fixture, import, key, options};

const CRIBLE: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";
const CITI: &str = "Status,Date,Description,Debit,Credit";

/// Reads in both orders of the files, which must not matter.
fn read(files: &[PathBuf]) -> (Import, Vec<Reject>) {
    let (first, rejects) = import(files, &options()).unwrap();
    let turned: Vec<PathBuf> = files.iter().rev().cloned().collect();
    let (again, _) = import(&turned, &options()).unwrap();
    assert_eq!((&first.batch, &first.meaning, &first.files), (&again.batch, &again.meaning, &again.files));
    (first, rejects)
}

/// Rows of a batch by file and row.
fn row(batch: &Batch, file: u32, row: u64) -> usize {
    let found = (0..batch.len()).find(|&at| batch.source(at).file == file && batch.source(at).row == row);
    found.unwrap_or_else(|| panic!("no row {row} of file {file}"))
}

/// `later takes back earlier`, by file and row.
fn undone(import: &Import) -> Vec<String> {
    let place = |row: u32| {
        let source = import.batch.source(row as usize);
        format!("{}:{}", source.file, source.row)
    };
    let how = |how| if how == Undo::Reversal { "reverses" } else { "refunds" };
    import.meaning.all_undone().iter().map(|u| format!("{} {} {}", place(u.by), how(u.how), place(u.row))).collect()
}

fn crible(rows: &[&str]) -> String {
    format!("{CRIBLE}\n{}\n", rows.join("\n"))
}

#[test]
fn a_refund_finds_the_latest_payment_that_it_can_be_of() {
    let folder = Folder::new();
    let file = folder.file(
        "in.csv",
        crible(&[
            "a,2024-03-01T09:00:00Z,ada,bakery,-4.20,EUR,food,,,,,,",
            "b,2024-03-02T09:00:00Z,ada,bakery,-4.20,EUR,food,,,,,,",
            "c,2024-03-02T10:00:00Z,bo,bakery,-4.20,EUR,food,,,,,,",
            "d,2024-03-02T11:00:00Z,ada,butcher,-4.20,EUR,food,,,,,,",
            "e,2024-03-02T12:00:00Z,ada,bakery,-4.21,EUR,food,,,,,,",
            "f,2024-03-03T09:00:00Z,ada,bakery,4.20,EUR,food refund,,,,,,",
            // Not marked, so not one.
            "g,2024-03-04T09:00:00Z,ada,bakery,4.20,EUR,food,,,,,,",
            // The second takes what is left, a third finds none, and what lies 61 days back is too old.
            "h,2024-03-05T09:00:00Z,ada,bakery,4.20,EUR,,reversal,,,,,",
            "i,2024-03-06T09:00:00Z,ada,bakery,4.20,EUR,,refund,,,,,",
            "j,2024-05-02T13:00:00Z,ada,bakery,4.21,EUR,,refund,,,,,",
        ]),
    );
    let (import, _) = read(&[file]);
    assert_eq!(undone(&import), ["0:5 refunds 0:1", "0:7 reverses 0:0"]);
    let batch = &import.batch;
    let (payment, refund) = (row(batch, 0, 1), row(batch, 0, 5));
    assert_eq!(import.meaning.undone(payment).map(|u| u.by as usize), Some(refund));
    assert_eq!(import.meaning.undoes(refund).map(|u| u.row as usize), Some(payment));
}

#[test]
fn a_return_of_the_same_day_is_one_whatever_the_order() {
    let folder = Folder::new();
    let header = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo";
    let sale = "06/03/2024,06/04/2024,LANTERN BOOKS,Shopping,Sale,-18.40,";
    let back = "06/03/2024,06/05/2024,LANTERN BOOKS,Shopping,Return,18.40,";
    for rows in [[sale, back], [back, sale]] {
        let file = folder.file("Chase1_Activity.csv", format!("{header}\n{}\n", rows.join("\n")));
        let (import, _) = read(&[file]);
        assert_eq!(import.meaning.all_undone().len(), 1, "{rows:?}");
    }
}

#[test]
fn an_id_goes_before_amounts() {
    let map = "\
name = 'mine'\ntitle = 'mine'\naccount.column = 'a'\ntime = { column = 't', formats = ['iso'] }\n\
amount = { column = 'm', sign = 'outflow-negative' }\nid = { column = 'id', trusted = true }\n\
[meaning]\noriginal = 'of'\nreversal = { column = 'k', values = ['back'] }\n";
    let folder = Folder::new();
    let map = folder.file("map.toml", map);
    let text = "id,t,a,m,k,of\n1,2024-03-01,x1,-5.00,,\n2,2024-03-02,x1,-5.00,,\n3,2024-03-03,x1,2.00,back,1\n\
                4,2024-03-04,x1,5.00,Back,\n5,2024-03-05,x2,2.00,back,1\n";
    let options = Options { map: Some(Mapping::from_file(&map).unwrap()), key: Some(key()), ..Options::default() };
    let (import, rejects) = import(&[folder.file("in.csv", text)], &options).unwrap();
    assert_eq!(rejects, []);
    // Part of the amount, by the id; the rest by amount; another account's id is another's.
    assert_eq!(undone(&import), ["0:2 reverses 0:0", "0:3 reverses 0:1"]);
}

#[test]
fn pending_and_posted_are_one_over_two_exports() {
    let folder = Folder::new();
    let file = |name: &str, rows: &[&str]| folder.file(name, format!("{CITI}\n{}\n", rows.join("\n")));
    // Under one account name: a copy's name ends in a number.
    let june = file(
        "Citi (1).csv",
        &["Pending,06/28/2024,QUILL BOOKS,12.40,", "Pending,06/28/2024,LOOM,9.00,", "Pending,06/01/2024,KILN,7.00,"],
    );
    let july = file(
        "Citi (2).csv",
        &["Cleared,06/29/2024,QUILL BOOKS,12.40,", "Cleared,06/28/2024,LOOM,9.00,", "Cleared,06/29/2024,KILN,7.00,"],
    );
    let (import, _) = read(&[june, july]);
    let counts: Vec<_> = import.files.iter().map(|file| (file.read, file.accepted, file.known)).collect();
    // QUILL moved by a day; LOOM did not; KILN by four weeks, which makes it two.
    assert_eq!(import.batch.len(), 4, "{counts:?}");
    assert_eq!(counts.iter().map(|count| count.2).sum::<u64>(), 2);
    let pending: Vec<i64> =
        import.meaning.pending().iter().map(|&row| import.batch.get(row as usize).amount.minor).collect();
    assert_eq!(pending, [-700]);
    // Within one export they are two payments.
    let both = file("Citi.csv", &["Pending,06/28/2024,QUILL BOOKS,12.40,", "Cleared,06/27/2024,QUILL BOOKS,12.40,"]);
    assert_eq!(read(&[both]).0.batch.len(), 2);
}

#[test]
fn plaid_names_the_pending_one() {
    let text = std::fs::read_to_string(fixture("plaid.csv")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let pending = rows.lines().nth(2).unwrap();
    let posted = pending.replace("True", "False").replace("trx0000000003", "trx0000000009").replace("6.33", "7.10");
    let at = header.split(',').position(|name| name == "pending_transaction_id").unwrap();
    let mut fields: Vec<&str> = posted.split(',').collect();
    fields[at] = "trx0000000003";
    let folder = Folder::new();
    let one = folder.file("a.csv", format!("{header}\n{rows}"));
    let two = folder.file("b.csv", format!("{header}\n{}\n", fields.join(",")));
    let (alone, _) = read(std::slice::from_ref(&one));
    assert_eq!((alone.batch.len(), alone.meaning.pending().len()), (3, 1));
    let (both, _) = read(&[one, two]);
    assert_eq!((both.batch.len(), both.meaning.pending().len()), (3, 0));
    assert_eq!(both.files.iter().map(|file| file.known).sum::<u64>(), 1);
}

#[test]
fn transfers_between_own_accounts_are_paired() {
    let folder = Folder::new();
    let file = folder.file(
        "in.csv",
        crible(&[
            "a,2024-03-01T00:00:00Z,checking,to savings,-100.00,EUR,transfer,,,,,,",
            "b,2024-03-02T00:00:00Z,savings,from checking,100.00,EUR,,,,,,,",
            // Too late, another currency, the same account, and no word of a transfer.
            "c,2024-03-10T00:00:00Z,checking,x,-50.00,EUR,transfer,,,,,,",
            "d,2024-03-14T00:00:00Z,savings,x,50.00,EUR,transfer,,,,,,",
            "e,2024-03-10T00:00:00Z,savings,x,50.00,USD,transfer,,,,,,",
            "f,2024-03-10T00:00:00Z,checking,x,50.00,EUR,transfer,,,,,,",
            "g,2024-03-20T00:00:00Z,checking,x,-30.00,EUR,,,,,,,",
            "h,2024-03-20T00:00:00Z,savings,x,30.00,EUR,,,,,,,",
        ]),
    );
    let (import, _) = read(&[file]);
    let (out, into) = (row(&import.batch, 0, 0), row(&import.batch, 0, 1));
    assert_eq!(import.meaning.n_transfers(), 1);
    assert_eq!((import.meaning.transfer(out), import.meaning.transfer(into)), (Some(into), Some(out)));
}

#[test]
fn accounts_that_name_each_other_are_paired_without_a_word() {
    let statement = |account: &str, other: &str, debit: bool| {
        let (way, party) = if debit { ("DBIT", "CdtrAcct") } else { ("CRDT", "DbtrAcct") };
        format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>\
             {account}</IBAN></Id></Acct><Ntry><Amt Ccy=\"EUR\">75.00</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts>BOOK</Sts>\
             <BookgDt><Dt>2024-03-04</Dt></BookgDt><NtryDtls><TxDtls><RltdPties><{party}><Id><IBAN>{other}</IBAN></Id>\
             </{party}></RltdPties></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"
        )
    };
    let (one, two) = ("FR0099990000000000000000001", "FR0099990000000000000000002");
    let folder = Folder::new();
    let a = folder.file("a.xml", statement(one, two, true));
    let b = folder.file("b.xml", statement(two, one, false));
    let (import, _) = read(&[a, b]);
    assert_eq!((import.batch.len(), import.meaning.n_transfers()), (2, 1));
}

#[test]
fn a_fee_is_told_from_what_was_paid() {
    let (import, _) = read(&[fixture("revolut_eur.csv")]);
    let exchange = row(&import.batch, 0, 1);
    let amount = import.batch.get(exchange).amount;
    assert_eq!((amount.minor, import.meaning.fee(exchange)), (-5_060, -60));
    assert_eq!(import.meaning.principal(exchange, amount).minor, -5_000);
    // Where the feed's amount is net of it.
    let (import, _) = read(&[fixture("paypal.csv")]);
    let paid = row(&import.batch, 0, 2);
    let amount = import.batch.get(paid).amount;
    assert_eq!((amount.minor, import.meaning.fee(paid)), (4_825, -175));
    assert_eq!(import.meaning.principal(paid, amount).minor, 5_000);
    for name in ["stripe_itemised.csv", "stripe_history.csv"] {
        let (import, _) = read(&[fixture(name)]);
        assert_eq!(import.meaning.fees().len(), 1, "{name}");
        assert!(import.meaning.fees()[0].minor < 0, "{name}");
    }
}

#[test]
fn balances_that_do_not_follow_are_told() {
    let header = "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #";
    let line =
        |day: u32, amount: &str, balance: &str| format!("DEBIT,06/{day:02}/2024,X{day},{amount},ACH_DEBIT,{balance},,");
    let newest_first =
        [line(9, "-1.00", "86.00"), line(9, "-3.00", "87.00"), line(5, "-2.00", "90.00"), line(3, "-8.00", "92.00")];
    let check = |rows: Vec<String>, expect: &[(u64, u64, i64)]| {
        let folder = Folder::new();
        let file = folder.file("Chase1_Activity.csv", format!("{header}\n{}\n", rows.join("\n")));
        let (import, _) = read(&[file]);
        let gaps: Vec<_> = import.files[0].gaps.iter().map(|gap| (gap.after, gap.before, gap.missing_minor)).collect();
        assert_eq!(gaps, expect, "{rows:?}");
    };
    check(newest_first.to_vec(), &[]);
    check(newest_first.iter().rev().cloned().collect(), &[]);
    // Rows of one day in another order than the file's.
    check([1, 0, 2, 3].map(|at| newest_first[at].clone()).to_vec(), &[]);
    // A row is missing: what it moved is known.
    check([0, 1, 3].map(|at| newest_first[at].clone()).to_vec(), &[(2, 1, -200)]);
}

#[test]
fn a_feed_that_says_nothing_means_nothing_more() {
    for name in ["handbook.csv", "sparkov.csv", "paysim.csv"] {
        let (import, _) = read(&[fixture(name)]);
        assert_eq!(import.meaning, crible_core::Meaning::default(), "{name}");
        assert!(import.files[0].gaps.is_empty());
    }
}
