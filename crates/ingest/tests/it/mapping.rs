//! Files no preset knows, by the user's word.

use crible_ingest::{Error, Mapping, Options};

use crate::common::{bytes, key, told};

fn options(mapping: &str) -> Options {
    Options { key: Some(key()), map: Some(Mapping::parse(mapping).unwrap()), ..Options::default() }
}

#[track_caller]
fn check(mapping: &str, text: &str, why: &str, expect: &[&str]) {
    let (import, rejects) = bytes("in.csv", text, &options(mapping)).unwrap();
    assert_eq!(rejects, []);
    assert_eq!(import.files[0].why, why);
    assert_eq!(told(&import.batch, &["ada", "bo", "x-1", "in"]), expect);
}

#[test]
fn what_is_not_said_is_sniffed() {
    check(
        "account=Card,amount=Total,time=When,counterparty=Shop",
        "When;Card;Shop;Total\n13/02/2024;ada;bo;1.234,50\n14/02/2024;ada;;2,00\n",
        "columns mapped by the user; times read as %d/%m/%Y; amounts read with a comma before the decimals; \
         no amount is negative, so all are taken for outflows",
        &[
            "2024-02-13T00:00:00Z | ada | -1234.50 XXX | bo | - - - | - | - | Unknown | 0",
            "2024-02-14T00:00:00Z | ada | -2.00 XXX | - | - - - | - | - | Unknown | 1",
        ],
    );
    check(
        "account=a,amount=b,time=t,currency=c,label=l,category=k",
        "t|a|b|c|l|k\n1717200002|ada|-5|usd|TRUE|toys\n1717200003|bo|7.5|JPY0|no|\n"
            .replace("7.5|JPY0", "750|JPY")
            .as_str(),
        "columns mapped by the user; times read as epoch-seconds; negative amounts taken for outflows",
        &[
            "2024-06-01T00:00:02Z | ada | -5.00 USD | - | toys - - | - | - | Fraud | 0",
            "2024-06-01T00:00:03Z | bo | 750 JPY | - | - - - | - | - | Legitimate | 1",
        ],
    );
}

#[test]
fn what_is_said_holds() {
    check(
        "account=#2,amount=#3,time=#1,time-format=%d.%m.%Y %H:%M,zone=Europe/Paris,sign=outflow-positive,\
         amount-format=money,currency=@EUR,delimiter=tab,balance=#4",
        "t\ta\ta\tb\n01.07.2024 12:00\tada\t$1,000.00\t0\n",
        "columns mapped by the user",
        &["2024-07-01T10:00:00Z | ada | -1000.00 EUR | - | - - - | - | 100000 | Unknown | 0"],
    );
    check(
        "account=@file-name,amount=#2,time=#1,sign=outflow-negative,columns=2",
        "2024-07-01,-4\n2024-07-02,5\n",
        "columns mapped by the user; times read as iso",
        &[
            "2024-07-01T00:00:00Z | in | -4.00 XXX | - | - - - | - | - | Unknown | 0",
            "2024-07-02T00:00:00Z | in | 5.00 XXX | - | - - - | - | - | Unknown | 1",
        ],
    );
}

#[test]
fn what_cannot_be_made_out_is_asked_for() {
    let error = |mapping: &str, text: &str| bytes("in.csv", text, &options(mapping)).unwrap_err().to_string();
    let dates = error("account=a,amount=b,time=t", "t,a,b\n01/02/2024,ada,1\n");
    assert!(dates.contains("which of its numbers is the month") && dates.contains("time-format=%d/%m/%Y"), "{dates}");
    let odd = error("account=a,amount=b,time=t", "t,a,b\nMonday,ada,1\n");
    assert!(odd.contains("its format") && odd.contains("Monday"), "{odd}");
    let gone = error("account=who,amount=b,time=t", "t,a,b\n2024-01-01,ada,1\n");
    assert!(gone.contains("`who`") && gone.contains("t, a, b"), "{gone}");
    let twice = error("account=a,amount=a,time=t", "t,a,a\n2024-01-01,ada,1\n");
    assert!(twice.contains("#2 or #3"), "{twice}");
    let width = error("account=#1,amount=#2,time=#3,columns=3", "x,1\n");
    assert!(width.contains("#3"), "{width}");
}

#[test]
fn a_few_bad_rows_do_not_confuse_sniffing() {
    let text = "t,a,b\n2024-01-01,ada,1\nnever,ada,2\n2024-01-03,ada,many\n2024-01-04,ada,4\n";
    let (import, rejects) = bytes("in.csv", text, &options("account=a,amount=b,time=t")).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (2, 2));
}

#[test]
fn debit_and_credit_columns_come_from_toml() {
    let toml = r#"
name = "citi-like"
title = "A card with two amount columns"
[account]
constant = "ada"
[time]
column = "Date"
formats = ["%m/%d/%Y"]
zone = "America/New_York"
[amount]
debit = "Debit"
credit = "Credit"
format = "money"
[currency]
constant = "USD"
"#;
    let map = Some(Mapping::from_toml(toml, "citi-like.toml").unwrap());
    let options = Options { key: Some(key()), map, ..Options::default() };
    let text = "Date,Debit,Credit\n06/28/2024,\"1,042.10\",\n06/27/2024,,-20.00\n06/26/2024,1,2\n06/25/2024,,\n";
    let (import, rejects) = bytes("in.csv", text, &options).unwrap();
    assert_eq!(
        told(&import.batch, &["ada"]),
        [
            "2024-06-27T04:00:00Z | ada | 20.00 USD | - | - - - | - | - | Unknown | 1",
            "2024-06-28T04:00:00Z | ada | -1042.10 USD | - | - - - | - | - | Unknown | 0",
        ]
    );
    assert_eq!(rejects.iter().map(|reject| reject.row).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn toml_that_is_no_preset_says_where() {
    let error = |toml: &str| Mapping::from_toml(toml, "mine.toml").unwrap_err().to_string();
    assert!(error("name = ").contains("mine.toml"));
    let unknown = error("name = \"a\"\ntitle = \"b\"\nacount = 3");
    assert!(unknown.contains("acount"), "{unknown}");
    let toml = "name = \"a\"\ntitle = \"b\"\naccount.column = \"x\"\ntime.column = \"t\"\n";
    assert!(error(&format!("{toml}amount.debit = \"d\"")).contains("debit and credit"));
    assert!(error(&format!("{toml}amount.column = \"d\"\ncurrency.constant = \"DOLLAR\"")).contains("DOLLAR"));
    assert!(error(&format!("{toml}amount.column = \"d\"\nfile.headers = [[\"x\", \"t\"]]")).contains("every header"));
}

#[test]
fn a_mapping_goes_before_a_preset() {
    let text = std::fs::read_to_string(crate::common::fixture("handbook.csv")).unwrap();
    let (import, _) = bytes("in.csv", text, &options("account=TERMINAL_ID,amount=TX_AMOUNT,time=TX_DATETIME")).unwrap();
    assert_eq!(import.files[0].feed, "mapping");
    assert!(!matches!(
        bytes("x", "a,b\n1,2\n", &options("account=a,amount=b,time=b")),
        Err(Error::Unrecognised { .. })
    ));
}

/// Devices and network addresses are identifiers: what is kept of them is a pseudonym, one for each, of its own kind.
#[test]
fn devices_and_addresses_become_pseudonyms() {
    let text = "when,card,sum,phone,net\n\
                2024-03-01T10:00:00Z,ada,-1.00,px-77001,203.0.113.9\n\
                2024-03-01T11:00:00Z,ben,-2.00,px-77001,\n\
                2024-03-01T12:00:00Z,ada,-3.00,,px-77001\n\
                2024-03-01T13:00:00Z,ada,a lot on px-77001,px-77001,203.0.113.9\n";
    let map = "account=card,amount=sum,time=when,device=phone,address=net,currency=@EUR";
    let (import, rejects) = bytes("in.csv", text, &options(map)).unwrap();
    let rows: Vec<_> = import.batch.iter().map(|txn| (txn.device, txn.address)).collect();
    let (one, two, three) = (rows[0], rows[1], rows[2]);
    assert!(one.0.is_some() && one.0 == two.0 && three.0.is_none());
    assert!(one.1.is_some() && two.1.is_none() && three.1.is_some());
    assert_ne!(one.0, three.1, "one text names a device here and an address there");
    assert!(import.batch.has().device && import.batch.has().address);
    assert_eq!(rejects.len(), 1);
    assert!(!format!("{rejects:?}").contains("77001"), "{rejects:?}");
    // The same file again says nothing new; another device makes another transaction.
    let ids = |text: &str| bytes("in.csv", text, &options(map)).unwrap().0.batch.ids().to_vec();
    assert_eq!(ids(text), import.batch.ids());
    assert_ne!(ids(&text.replacen("px-77001", "px-77002", 1)), import.batch.ids());
    let fixed = Mapping::from_toml(
        "name = 'a'\ntitle = 'b'\naccount.column = 'card'\ntime.column = 'when'\namount.column = 'sum'\ndevice.constant = 'x'",
        "mine.toml",
    );
    assert!(fixed.unwrap_err().to_string().contains("what every row shares tells nobody apart"));
}
