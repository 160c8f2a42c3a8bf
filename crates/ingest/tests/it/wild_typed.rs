//! Values that are what their types say: texts among numbers, truth values where sums are, quotes behind blanks, and
//! the two ways of a payment in columns of their own.

use crible_ingest::{Error, Import, Mapping, Options, draft};

use crate::common::{Folder, bytes, options};

fn mapped(map: &str) -> Options {
    Options { map: Some(Mapping::parse(map).unwrap()), ..options() }
}

fn minors(import: &Import) -> Vec<i64> {
    import.batch.iter().map(|txn| txn.amount.minor).collect()
}

const MAP: &str = "account=a,amount=m,time=t";

/// Objects of these amounts, a day apart.
fn objects(amounts: &[&str]) -> String {
    let object =
        |(at, amount): (usize, &&str)| format!("{{\"a\":\"x\",\"t\":\"2024-01-{:02}\",\"m\":{amount}}}\n", at + 1);
    amounts.iter().enumerate().map(object).collect()
}

#[test]
fn a_text_is_no_number_and_says_itself_what_its_separators_are() {
    let read = |amounts: &[&str]| bytes("x.jsonl", objects(amounts), &mapped(MAP));
    let check = |amounts: &[&str], expect: &[i64]| assert_eq!(minors(&read(amounts).unwrap().0), expect, "{amounts:?}");
    // Numbers have a point before their decimals, however many those are.
    check(&["-84.125", "-588.045"], &[-8_412, -58_804]);
    check(&["-84.12", "\"-588.04\""], &[-8_412, -58_804]);
    check(&["\"-1.234,50\"", "-3.5"], &[-123_450, -350]);
    // Texts may have come from anywhere, beside numbers, too.
    for amounts in [["\"-84.125\"", "\"-588.045\""], ["\"-84.125\"", "-588.045"]] {
        let error = read(&amounts).unwrap_err();
        assert!(matches!(&error, Error::Undecided { column, .. } if column == "m"), "{error}");
        assert!(error.to_string().contains("-84.125 or -84125"), "{error}");
    }
    // A feed whose numbers are known writes its texts like them.
    let reply = "{\"transactions\": [{\"account_id\": \"a\", \"amount\": \"5.005\", \"iso_currency_code\": \"USD\", \"date\": \"2024-03-09\", \
                 \"name\": \"Ferry\", \"pending\": false, \"transaction_id\": \"1\"}]}";
    assert_eq!(minors(&bytes("r.json", reply, &options()).unwrap().0), [-500]);
    // What is empty is no text.
    check(&["-84.125", "\"\""], &[-8_412]);
}

#[test]
fn a_truth_value_is_no_sum() {
    let (import, rejects) = bytes("x.jsonl", objects(&["true", "-2.5", "false"]), &mapped(MAP)).unwrap();
    assert_eq!(minors(&import), [-250]);
    assert_eq!(rejects.iter().map(|reject| reject.column.as_str()).collect::<Vec<_>>(), ["m", "m"]);
}

#[test]
fn quotes_may_stand_behind_blanks() {
    let text = "\"a\", \"t\", \"m\", \"p\"\n\"x\", \"2024-01-01\", \"-1,234.50\", \"A, B\"\n\
                \"x\",  \"2024-01-02\", \"-1.50\", \"two\nlines\"\n\
                x,2024-01-03,-7.00,C \"D\" E\n";
    let (import, rejects) = bytes("x.csv", text, &mapped("account=a,amount=m,time=t,counterparty=p")).unwrap();
    assert_eq!((minors(&import), rejects.len()), (vec![-123_450, -150, -700], 0));
    // The references are those of the same rows without blanks, so that both are one export.
    let close = text.replace(",  \"", ",\"").replace(", \"", ",\"");
    let (closed, _) = bytes("y.csv", &close, &mapped("account=a,amount=m,time=t,counterparty=p")).unwrap();
    assert_eq!(import.batch.ids(), closed.batch.ids());
    let header = "\"Transaction Date\", \"Post Date\", \"Description\", \"Category\", \"Type\", \"Amount\", \"Memo\"\n";
    let row = "\"01/25/2024\", \"01/26/2024\", \"SHOP, NY\", \"Food\", \"Sale\", \"-1,005.50\", \"\"\n";
    let (card, rejects) = bytes("Chase0909_Activity.csv", format!("{header}{row}"), &options()).unwrap();
    assert_eq!((minors(&card), rejects.len()), (vec![-100_550], 0));
    assert_eq!((card.files[0].feed.as_str(), card.files[0].recognition.signature.confidence()), ("chase-card", 1.0));
    // A draft knows it, too.
    let folder = Folder::new();
    let draft = draft(&folder.file("z.csv", text), Some("spaced")).unwrap();
    assert!(draft.toml.contains("headers = [[\"a\", \"t\", \"m\", \"p\"]]"), "{}", draft.toml);
}

#[test]
fn the_two_ways_may_have_columns_of_their_own() {
    let text = "a,t,out,in,b\nx,2024-01-01,5.00,,95.00\nx,2024-01-02,,7.00,102.00\nx,2024-01-03,-2.00,0.00,100.00\n\
                x,2024-01-04,1.00,1.00,\n";
    let (import, rejects) = bytes("x.csv", text, &mapped("account=a,debit=out,credit=in,time=t,balance=b")).unwrap();
    assert_eq!(minors(&import), [-500, 700, -200]);
    assert_eq!(rejects.len(), 1, "an amount on both sides");
    assert_eq!((import.files[0].warnings.len(), import.files[0].gaps.len()), (0, 0));
}
